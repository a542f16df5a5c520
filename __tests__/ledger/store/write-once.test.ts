/** How groups of puts share transactions: a group is never parted, no limit is passed, and no transaction is begun early. */

import fc from "fast-check";
import { ATTEMPTS_MAX, backOff, type Put, TRANSACTION_LIMITS } from "../../../ledger/store/transaction";
import { writeOnce } from "../../../ledger/store/write-once";
import { MemoryAws } from "../../../tools/bench/fuzz/memory-aws";

const GROUPS_MAX = 50;

const put = (id: string, bytes: number): Put => ({
  tableName: "PaymentAuditTrail",
  partitionKey: "AuditID",
  item: { AuditID: { S: id } },
  text: "x".repeat(bytes),
});

/** The ids of the puts of each transaction. */
async function transactionsOf(groups: readonly (readonly Put[])[]): Promise<string[][]> {
  const aws = new MemoryAws();
  const transactions: string[][] = [];
  aws.dynamo.middlewareStack.add(
    (next) => (args) => {
      const { TransactItems } = args.input as unknown as {
        TransactItems: { Put: { Item: { AuditID: { S: string } } } }[];
      };
      transactions.push(TransactItems.map(({ Put: { Item } }) => Item.AuditID.S));
      return next(args);
    },
    { step: "initialize", name: "watching", priority: "high" },
  );
  expect(await writeOnce(aws.dynamo, groups)).toEqual(groups.map(() => ({ written: true })));
  return transactions;
}

const bytesOf = (puts: readonly Put[]) => puts.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);

test("property: transactions hold whole groups in their order, as many as the limits allow", async () => {
  const sizes = fc.oneof({ weight: 5, arbitrary: fc.constant(100) }, { weight: 1, arbitrary: fc.constant(700_000) });
  const lists = fc.array(fc.array(sizes, { minLength: 1, maxLength: 3 }), { maxLength: 130 });
  await fc.assert(
    fc.asyncProperty(lists, async (list) => {
      const groups = list.map((group, index) => group.map((bytes, part) => put(`${index}.${part}`, bytes)));
      const transactions = await transactionsOf(groups);
      expect(transactions.flat()).toEqual(groups.flat().map(({ item }) => (item["AuditID"] as { S: string }).S));
      let next = 0;
      for (const [index, transaction] of transactions.entries()) {
        const first = next;
        for (let left = transaction.length; left > 0; next++) left -= groups[next]?.length ?? 0;
        const within = (until: number) => {
          const puts = groups.slice(first, until).flat();
          const { actionsMax, bytesMax } = TRANSACTION_LIMITS;
          return until - first <= GROUPS_MAX && puts.length <= actionsMax && bytesOf(puts) <= bytesMax;
        };
        expect(within(next)).toBe(true);
        if (index < transactions.length - 1) expect(within(next + 1)).toBe(false);
      }
      expect(next).toBe(groups.length);
    }),
    { numRuns: 40 },
  );
});

test.each<[string, number, number, number, number[]]>([
  ["groups", 51, 1, 10, [50, 1]],
  ["actions", 34, 3, 10, [99, 3]],
  ["actions, to the last", 51, 2, 10, [100, 2]],
  ["bytes, to the last", 5, 1, 875_000, [4, 1]],
  ["bytes", 5, 1, 875_001, [3, 2]],
])("the limit of %s", async (_what, count, puts, bytes, lengths) => {
  const groups = Array.from({ length: count }, (_, index) =>
    Array.from({ length: puts }, (_part, part) => put(`${index}.${part}`, bytes)),
  );
  expect((await transactionsOf(groups)).map(({ length }) => length)).toEqual(lengths);
});

test("the wait before another attempt is random, grows with the attempts, and has a limit", async () => {
  const waited = async (attempt: number) => {
    const start = performance.now();
    await backOff(attempt);
    return performance.now() - start;
  };
  const random = jest.spyOn(Math, "random").mockReturnValue(0.99);
  // Lower bounds only: a busy machine makes every wait longer.
  expect(await waited(1)).toBeGreaterThan(35);
  expect(await waited(3)).toBeGreaterThan(150);
  expect(await waited(ATTEMPTS_MAX)).toBeGreaterThan(980);
  expect(await waited(40)).toBeGreaterThan(980);
  random.mockRestore();
}, 60_000);
