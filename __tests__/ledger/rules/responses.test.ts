/** Answers: in the order sent, counted, and of the published form. */

import { persistResponse, refusedWith } from "../../../ledger/rules/answers";
import { refusal } from "../../../ledger/rules/refusals";
import { persistAnswerSchema } from "../../../ledger/rules/responses";

test("results are answered in the order sent, whatever order they were decided in, and counted by outcome", () => {
  const answer = persistResponse([
    { position: 2, outcome: "refused", ...refusal("UNKNOWN_CURRENCY", "Currency") },
    { position: 0, outcome: "stored", TransactionID: "txn-1", AuditID: "W~a" },
    { position: 3, outcome: "duplicate", TransactionID: "txn-1", AuditID: "W~a" },
    { position: 1, outcome: "conflict", TransactionID: "txn-2", AuditID: "C~b" },
    { position: 10, outcome: "stored", TransactionID: "txn-3", AuditID: "W~c" },
  ]);
  expect(answer.results.map(({ position }) => position)).toEqual([0, 1, 2, 3, 10]);
  expect(answer.counts).toEqual({ stored: 2, duplicate: 1, conflict: 1, refused: 1 });
  expect(persistAnswerSchema.safeParse(answer).success).toBe(true);
});

test("the refusal of a whole call names its code, text, field and audit record", () => {
  const answer = refusedWith(refusal("EMPTY_LIST", "payments"), "X~a");
  expect(answer).toEqual({
    schemaVersion: 1,
    outcome: "refused",
    code: "EMPTY_LIST",
    message: refusal("EMPTY_LIST").message,
    field: "payments",
    AuditID: "X~a",
  });
  expect(persistAnswerSchema.safeParse(answer).success).toBe(true);
  expect(refusedWith(refusal("NOT_FOUND"))).not.toHaveProperty("AuditID");
});
