/** What the operations ask of DynamoDB where no answer of an emulator shows it: how a read is made, and what a write checks. */

import { TABLES } from "../../../contract";
import { FileProgress } from "../../../ledger/files/progress";
import { FileFacts } from "../../../ledger/operations/file-facts";
import { alarmEntry } from "../../../ledger/operations/integrity-alarm";
import { queryLedger } from "../../../ledger/operations/query-ledger";
import { queryTransactions } from "../../../ledger/operations/query-transactions";
import { recordPaymentEvents } from "../../../ledger/operations/record-events";
import { beginBatch, type RowBatch } from "../../../ledger/operations/record-rows";
import { derivedAuditId } from "../../../ledger/rules/identifiers";
import type { Services } from "../../../ledger/store/services";
import { MemoryAws } from "../../../tools/bench/fuzz/memory-aws";
import { stubCall, stubFiles, stubServices } from "../rules/stub-services";

interface Command {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Services over tables in memory, and the commands that they were sent. */
function watched(): { services: Services; commands: Command[] } {
  const aws = new MemoryAws();
  const commands: Command[] = [];
  aws.dynamo.middlewareStack.add(
    (next, context) => (args) => {
      commands.push({ name: String(context["commandName"]), input: args.input as Command["input"] });
      return next(args);
    },
    { step: "initialize", name: "watching", priority: "high" },
  );
  return { services: { ...stubServices(), dynamo: aws.dynamo }, commands };
}

const LIFE_EVENT = {
  TransactionID: "txn-1",
  Kind: "CAPTURED",
  Mode: "fact",
  Amount: "1.00",
  Currency: "EUR",
  Actor: "processor-feed",
};

test("whatever is read by its id is read strongly consistent: it may have been recorded a moment ago", async () => {
  const { services, commands } = watched();
  const asked = { TransactionID: "txn-1", Actor: "support" };
  await queryTransactions({ Query: "transaction", transactionId: "txn-1", Actor: "support" }, stubCall("q"), services);
  await queryTransactions({ Query: "payment", paymentId: "txn-1", Actor: "support" }, stubCall("q"), services);
  await queryLedger({ Query: "transaction", ...asked }, stubCall("query"), services);
  await queryLedger({ Query: "life", ...asked }, stubCall("query"), services);
  const reads = commands.filter(({ name, input }) => name !== "TransactWriteItemsCommand" && !("IndexName" in input));
  const tables = new Set(reads.map(({ input }) => input["TableName"]));
  for (const { logicalName } of [TABLES.paymentLedger, TABLES.paymentTransactions, TABLES.paymentMessages])
    expect(tables).toContain(logicalName);
  expect(reads.filter(({ input }) => input["ConsistentRead"] !== true)).toEqual([]);
});

test("the first event of a life checks the payment's row, and no later one: the row may change behind it", async () => {
  const { services, commands } = watched();
  for (const EventID of ["e-1", "e-2", "e-3"])
    await recordPaymentEvents({ ...LIFE_EVENT, EventID }, stubCall("record_payment_event"), services);
  const writes = commands.filter(({ name }) => name === "TransactWriteItemsCommand");
  const checks = writes.map(
    ({ input }) => (input["TransactItems"] as object[]).filter((action) => "ConditionCheck" in action).length,
  );
  expect(checks).toEqual([1, 0, 0]);
});

test("an alarm's AuditID follows from what was found, and says that it is an alarm", () => {
  const fault = { code: "RECORD_FORGED", table: TABLES.paymentLedger.logicalName, recordId: "txn-1" } as const;
  const { auditId } = alarmEntry(fault, "support", stubCall("query"), stubServices());
  expect(auditId).toBe(derivedAuditId("ALARM", fault.code, fault.table, fault.recordId, ""));
  expect(alarmEntry({ ...fault, found: {} }, "support", stubCall("query"), stubServices()).auditId).not.toBe(auditId);
});

test("the facts of a batch wait for its own payments and for those of the batches before", async () => {
  const { services } = watched();
  const waiting: Promise<unknown>[] = [];
  class Facts extends FileFacts {
    override async record(_facts: unknown, earlierPayments: Promise<unknown>): Promise<[]> {
      waiting.push(earlierPayments);
      return [];
    }
  }
  const release: (() => void)[] = [];
  const held = () => new Promise<void>((resolve) => release.push(resolve));
  services.dynamo.middlewareStack.add(
    (next) => async (args) => {
      await held();
      return next(args);
    },
    { step: "initialize", name: "holding", priority: "high" },
  );
  const call = stubCall("payment-processor");
  const progress = FileProgress.start(stubFiles().files, { key: "payments/a.csv" }, "request-1");
  const source = { progress, caller: call.caller, call, services };
  const before: RowBatch = { payments: held(), done: new Promise(() => undefined) };
  const payment = { transactionId: "txn-1", amount: "1.00", currency: "EUR", cardLast4: "4242", metadata: "{}" };
  const row = { number: 1, isRepeat: false, id: "txn-1", position: 1, payment, content: payment, actor: "partner" };
  beginBatch([row] as never, [before], new Facts({ key: "payments/a.csv" }, call, services), source);
  let isOver = false;
  for (const each of waiting) void each.then(() => (isOver = true));
  for (let released = 0; released < 2; released++) {
    for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect([released, isOver]).toEqual([released, false]);
    release[released]?.();
  }
  await Promise.all(waiting);
  expect(isOver).toBe(true);
});
