import { persistPayments } from "../../../ledger/operations/persist-payments";
import { updatePaymentStatus } from "../../../ledger/operations/update-status";
import { hasGoodMac } from "../../../ledger/rules/record-mac";
import { refusal } from "../../../ledger/rules/refusals";
import { integerOf, type StoredItem, textOf } from "../../../ledger/rules/stored-item";
import { FAULTS } from "../../../local/fault-proxy";
import { type Harness, paymentInput, startHarness } from "../../support/ledger-harness";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());
afterEach(() => harness?.proxy.reset());

const update = (event: unknown) => updatePaymentStatus(event, harness.call("update_payment_status"), harness.services);
const rowOf = async (id: string): Promise<StoredItem> => {
  const row = (await harness.scan("ledger")).find((item) => textOf(item, "TransactionID") === id);
  if (row === undefined) throw new Error("The payment has no row.");
  return row;
};
const actionsOf = async (id: string) => (await harness.trailOf(id)).map((record) => textOf(record, "Action"));

async function recorded(status: "Success" | "Failure"): Promise<string> {
  const payment = paymentInput({ Status: status });
  await persistPayments(payment, harness.call(), harness.services);
  return payment.TransactionID;
}

const change = (
  TransactionID: string,
  ExpectedStatus: string,
  Status: string,
  extra: Record<string, unknown> = {},
) => ({
  TransactionID,
  ExpectedStatus,
  Status,
  Reason: "late answer of the processor",
  Actor: "reconciliation",
  ...extra,
});

test("a change makes one new version with a good MAC and one UPDATE record, in one transaction", async () => {
  const id = await recorded("Failure");
  harness.proxy.reset();
  const response = await update(change(id, "Failure", "Success"));
  expect(response).toMatchObject({ outcome: "updated", Status: "Success", Version: 2 });
  expect(harness.proxy.count("DynamoDB.TransactWriteItems")).toBe(1);
  const row = await rowOf(id);
  expect(hasGoodMac("PaymentLedger", row, (await harness.services.macKeys()).record)).toBe(true);
  expect(integerOf(row, "Version")).toBe(2);
  expect(await actionsOf(id)).toEqual(["WRITE", "UPDATE"]);
});

test("what identifies the payment stays as it was recorded; the index of failures follows the status", async () => {
  const id = await recorded("Failure");
  const before = await rowOf(id);
  await update(change(id, "Failure", "Success"));
  const after = await rowOf(id);
  for (const kept of [
    "SecureToken",
    "FieldKey",
    "Amount",
    "Currency",
    "ContentMac",
    "Timestamp",
    "RecordedAt",
    "TimeKey",
  ]) {
    expect(after[kept]).toEqual(before[kept]);
  }
  expect(before["FailureDay"]).toBeDefined();
  expect(after["FailureDay"]).toBeUndefined();
  await update(change(id, "Success", "Failure"));
  expect((await rowOf(id))["FailureDay"]).toEqual(before["FailureDay"]);
});

test("a payment sent again after a status change is still the same payment", async () => {
  const payment = paymentInput({ Status: "Failure" });
  await persistPayments(payment, harness.call(), harness.services);
  await update(change(payment.TransactionID, "Failure", "Success"));
  expect(await persistPayments(payment, harness.call(), harness.services)).toMatchObject({ counts: { duplicate: 1 } });
});

test("the same change again is a duplicate, also when the first answer was lost", async () => {
  const id = await recorded("Failure");
  harness.proxy.inject({ target: "DynamoDB.TransactWriteItems", calls: { from: 1 }, fault: FAULTS.loseAnswer() });
  expect(await update(change(id, "Failure", "Success"))).toMatchObject({ outcome: "updated", Version: 2 });
  expect(await update(change(id, "Failure", "Success"))).toMatchObject({ outcome: "duplicate", Version: 2 });
  expect(await actionsOf(id)).toEqual(["WRITE", "UPDATE", "DUPLICATE"]);
});

test("another expected status is a conflict: nothing changes and the attempt is audited", async () => {
  const id = await recorded("Success");
  expect(await update(change(id, "Failure", "Success"))).toMatchObject({
    outcome: "conflict",
    Status: "Success",
    Version: 1,
    ...refusal("UNEXPECTED_STATUS", "ExpectedStatus"),
  });
  expect(await actionsOf(id)).toEqual(["WRITE", "CONFLICT"]);
  expect(integerOf(await rowOf(id), "Version")).toBe(1);
});

test("with ExpectedVersion a retry is not applied again after somebody took the change back", async () => {
  const id = await recorded("Failure");
  const first = change(id, "Failure", "Success", { ExpectedVersion: 1 });
  expect(await update(first)).toMatchObject({ outcome: "updated", Version: 2 });
  expect(await update(first)).toMatchObject({ outcome: "duplicate", Version: 2 });
  expect(await update(change(id, "Success", "Failure"))).toMatchObject({ outcome: "updated", Version: 3 });
  expect(await update(first)).toMatchObject({
    outcome: "conflict",
    Status: "Failure",
    Version: 3,
    ...refusal("UNEXPECTED_STATUS", "ExpectedVersion"),
  });
});

test("of two different changes at once one is made and the other conflicts", async () => {
  const id = await recorded("Failure");
  const responses = await Promise.all([
    update(change(id, "Failure", "Success", { Reason: "first reason" })),
    update(change(id, "Failure", "Success", { Reason: "second reason" })),
  ]);
  expect(responses.map((response) => response.outcome).sort()).toEqual(["conflict", "updated"]);
  expect(integerOf(await rowOf(id), "Version")).toBe(2);
});

describe("a change that other changes come before", () => {
  /** Sends the change while others change the status there and back before each of its first `races` attempts. */
  async function raced(id: string, races: number) {
    const call = harness.call("update_payment_status");
    let others = 0;
    harness.proxy.inject({
      target: "DynamoDB.TransactWriteItems",
      where: ({ input }) => others < races && JSON.stringify(input).includes(call.caller.requestId),
      fault: FAULTS.before(async () => {
        others += 1;
        await update(change(id, "Failure", "Success", { Reason: `other change ${others}` }));
        await update(change(id, "Success", "Failure"));
      }),
    });
    const changed = await updatePaymentStatus(change(id, "Failure", "Success"), call, harness.services).catch(
      (error: unknown) => error,
    );
    return { changed, others };
  }

  test("twice in a row is judged again on what is there then, and is no alarm", async () => {
    const id = await recorded("Failure");
    expect((await raced(id, 2)).changed).toMatchObject({ outcome: "updated", Version: 6 });
    expect(await actionsOf(id)).toEqual(["WRITE", ...Array(5).fill("UPDATE")]);
  });

  test("at each of five attempts ends with an error, and nothing of it is recorded", async () => {
    const id = await recorded("Failure");
    const { changed, others } = await raced(id, Number.POSITIVE_INFINITY);
    expect(changed).toBeInstanceOf(Error);
    expect([others, await actionsOf(id)]).toEqual([5, ["WRITE", ...Array(10).fill("UPDATE")]]);
  });
});

test.each([
  ["INVALID_TRANSITION", { Status: "Success" }],
  ["NOT_FOUND", { TransactionID: "no-such-payment" }],
  ["INVALID_STATUS", { Status: "Refunded" }],
  ["MISSING_FIELD", { Reason: undefined }],
  ["INVALID_REASON", { Reason: "" }],
  ["INVALID_VERSION", { ExpectedVersion: 0 }],
  ["UNKNOWN_FIELD", { Force: true }],
  ["CARD_DATA", { Reason: "card 4111 1111 1111 1111" }],
])("refuses with %s, changes nothing, and records the refusal", async (code, extra) => {
  const id = await recorded("Success");
  const before = await rowOf(id);
  const refusals = async () =>
    (await harness.scan("audit")).filter((record) => textOf(record, "Action") === "REFUSAL").length;
  const refusalsBefore = await refusals();
  expect(await update(change(id, "Success", "Failure", extra))).toMatchObject({ outcome: "refused", code });
  expect(await rowOf(id)).toEqual(before);
  expect(await refusals()).toBe(refusalsBefore + 1);
});

test("a forged row is not changed and raises an alarm record", async () => {
  const id = await recorded("Failure");
  await harness.put("ledger", { ...(await rowOf(id)), Amount: { S: "99999.00" } });
  expect(await update(change(id, "Failure", "Success"))).toMatchObject({ outcome: "refused", code: "RECORD_FORGED" });
  expect(await actionsOf(id)).toEqual(["WRITE", "ALARM"]);
});

test("a row that was put back to an earlier genuine version is recognised when its status is changed", async () => {
  const id = await recorded("Failure");
  const first = await rowOf(id);
  await update(change(id, "Failure", "Success"));
  await harness.put("ledger", first);
  expect(await update(change(id, "Failure", "Success", { Reason: "again" }))).toMatchObject({
    outcome: "refused",
    code: "AUDIT_RECORD_MISSING",
  });
  expect((await actionsOf(id)).at(-1)).toBe("ALARM");
});

test("two actors whose same change conflicts each have a record", async () => {
  const id = await recorded("Success");
  for (const Actor of ["alice", "bob"]) await update(change(id, "Failure", "Success", { Actor }));
  expect(await actionsOf(id)).toEqual(["WRITE", "CONFLICT", "CONFLICT"]);
});

test("with the audit table out of reach the status stays", async () => {
  const id = await recorded("Failure");
  const before = await rowOf(id);
  const touchesAudit = ({ input }: { input?: unknown }) => JSON.stringify(input ?? {}).includes("PaymentAuditTrail");
  harness.proxy.inject({ target: "DynamoDB.*", where: touchesAudit, fault: FAULTS.accessDenied() });
  await expect(update(change(id, "Failure", "Success"))).rejects.toThrow();
  harness.proxy.reset();
  expect(await rowOf(id)).toEqual(before);
});
