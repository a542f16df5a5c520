/** Sealing costs the write path nothing: what a payment and a status change ask of AWS, call by call. */

import { persistPayments } from "../../../ledger/operations/persist-payments";
import { updatePaymentStatus } from "../../../ledger/operations/update-status";
import { type Harness, paymentInput, startHarness } from "../../support/ledger-harness";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());

interface Put {
  readonly TableName: string;
}

/** Targets of the calls, and for each table written to the name of the action. */
function callsSinceReset() {
  return harness.proxy.calls.map(({ target, input }) => {
    const actions = (input?.["TransactItems"] ?? []) as readonly Readonly<Record<string, Put>>[];
    const written = actions.map((action) =>
      Object.entries(action).map(([name, { TableName }]) => `${name} ${TableName}`),
    );
    return [target, ...written.flat()];
  });
}

test("a payment is one transaction of its row and its WRITE record, and nothing else", async () => {
  // The first one makes the data keys, which serve the next ones.
  await persistPayments(paymentInput(), harness.call(), harness.services);
  harness.proxy.reset();
  await persistPayments(paymentInput(), harness.call(), harness.services);
  expect(callsSinceReset()).toEqual([["DynamoDB.TransactWriteItems", "Put PaymentLedger", "Put PaymentAuditTrail"]]);
});

test("a status change is one read and one transaction of the row and its UPDATE record", async () => {
  const { TransactionID } = paymentInput();
  await persistPayments(paymentInput({ TransactionID }), harness.call(), harness.services);
  const change = { TransactionID, ExpectedStatus: "Success", Status: "Failure", Reason: "late", Actor: "reconciler" };
  harness.proxy.reset();
  await updatePaymentStatus(change, harness.call("update_payment_status"), harness.services);
  expect(callsSinceReset()).toEqual([
    ["DynamoDB.GetItem"],
    // The check holds the status of a payment that has events.
    ["DynamoDB.TransactWriteItems", "Update PaymentLedger", "Put PaymentAuditTrail", "ConditionCheck PaymentEvents"],
  ]);
});
