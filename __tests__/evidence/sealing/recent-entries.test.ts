/** When a sealer reads what was committed lately, and when it does not need to. */

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { leafHash } from "../../../evidence/log/hashing";
import { RecentEntries } from "../../../evidence/sealing/recent-entries";

const send = jest.fn(async () => ({}));
const table = { dynamo: { send } as unknown as DynamoDBClient, tableName: "log", origin: "log" };
const [first, second] = ["first", "second"].map((text) => leafHash(Buffer.from(text))) as [Buffer, Buffer];
beforeEach(() => send.mockClear());

test("what it committed itself it knows without reading, and nothing else", async () => {
  const recent = new RecentEntries(5_000);
  recent.add([first], 5);
  await recent.follow(table, 5);
  expect(send).not.toHaveBeenCalled();
  expect([recent.has(first), recent.has(second)]).toEqual([true, false]);
});

test("it reads when the log has grown since", async () => {
  const recent = new RecentEntries(5_000);
  recent.add([first], 5);
  await recent.follow(table, 6);
  expect(send).toHaveBeenCalled();
});

test("a sealer that is set to know no entries reads none", async () => {
  await new RecentEntries(0).follow(table, 6);
  expect(send).not.toHaveBeenCalled();
});

test("a log that is shorter than before is a fork", async () => {
  const recent = new RecentEntries(5_000);
  recent.add([first], 5);
  await expect(recent.follow(table, 4)).rejects.toMatchObject({ code: "LOG_FORKED" });
  expect(send).not.toHaveBeenCalled();
});

test("it forgets the oldest beyond four times what it reads at once", () => {
  const recent = new RecentEntries(1);
  const leaves = Array.from({ length: 5 }, (_, index) => leafHash(Buffer.from([index])));
  recent.add(leaves, 5);
  expect(leaves.map((leaf) => recent.has(leaf))).toEqual([false, true, true, true, true]);
});
