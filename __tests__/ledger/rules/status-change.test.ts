/** Which status changes there are, and what makes a repeat of one. */

import { isPaymentStatus } from "../../../ledger/rules/payment";
import { parseWith } from "../../../ledger/rules/schema";
import {
  isAllowedTransition,
  type StatusChange,
  statusChangeContent,
  statusChangeSchema,
} from "../../../ledger/rules/status-change";
import { aStatusChange, type Input } from "../../support/ledger-fixtures";

test.each([
  ["Failure", "Success", true],
  ["Success", "Failure", true],
  ["Success", "Success", false],
  ["Failure", "Failure", false],
] as const)("%s to %s: %s", (from, to, allowed) => {
  expect(isAllowedTransition(from, to)).toBe(allowed);
});

test.each([undefined, "", "success", "Pending", "__proto__"])("%s is no status", (text) => {
  expect(isPaymentStatus(text)).toBe(false);
});

function parsed(changes: Input): StatusChange {
  const result = parseWith(statusChangeSchema, aStatusChange(changes));
  if (!result.ok) throw new Error(`Refused: ${result.refusal.code}`);
  return result.value;
}

test("a retry by another worker is the same change; another reason, direction or version is not", () => {
  const content = statusChangeContent(parsed({}), 2);
  expect(statusChangeContent(parsed({ Actor: "another-worker", schemaVersion: 1 }), 2)).toEqual(content);
  expect(statusChangeContent(parsed({ Reason: "Other" }), 2)).not.toEqual(content);
  expect(statusChangeContent(parsed({ TransactionID: "txn-2" }), 2)).not.toEqual(content);
  expect(statusChangeContent(parsed({ ExpectedStatus: "Success", Status: "Failure" }), 2)).not.toEqual(content);
  expect(statusChangeContent(parsed({}), 3)).not.toEqual(content);
});
