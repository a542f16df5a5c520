import { entryBytes, type RecordEntry } from "../../../evidence/log/entry";
import { classify, isUnconfirmed, type Judge } from "../../../evidence/sealing/classify";
import { streamChanges } from "../../../evidence/sealing/stream-change";
import { fromItemJson, toItemJson } from "../../../ledger/rules/attribute-value";
import { derivedAuditId } from "../../../ledger/rules/identifiers";
import { withRecordMac } from "../../../ledger/rules/record-mac";
import type { StoredItem } from "../../../ledger/rules/stored-item";
import { stubServices } from "../../ledger/rules/stub-services";
import { MAC_KEY } from "../../support/ledger-fixtures";
import {
  aMessageRecord,
  anAuditRecord,
  aPaymentRecord,
  aStatusChanged,
  aTransactionRecord,
  LEDGER,
  MESSAGES,
  type StatusChanged,
  type StreamRecord,
  streamRecord,
  TRAIL,
  TRANSACTIONS,
} from "./changes";
import { naiveCommitment } from "./naive-log";

const services = stubServices();
const commitment = (table: string, item: StoredItem) => naiveCommitment(table, toItemJson(item));

/**
 * What the log says of one stream record, while the trail holds these audit records.
 * @param stored what its table shows under its key; what the record says, where nothing is given.
 */
async function entryOf(
  record: object,
  trail: readonly StoredItem[] = [],
  stored?: { readonly item: StoredItem | undefined },
): Promise<RecordEntry | undefined> {
  const [change] = streamChanges({ Records: [record] }, services.tables) ?? [];
  if (change === undefined) throw new Error("The record is no change.");
  const told = change.now === undefined ? undefined : (fromItemJson(change.now) ?? { unreadable: { NULL: true } });
  const judge: Judge = {
    macKey: MAC_KEY,
    stored: async () => (stored === undefined ? told : stored.item),
    auditRecord: async (auditId) =>
      trail.find((item) => item["AuditID"] !== undefined && "S" in item["AuditID"] && item["AuditID"].S === auditId),
  };
  return classify(change, judge);
}

const remac = (item: StoredItem, table: Parameters<typeof withRecordMac>[0] = LEDGER) => {
  const { Mac: _mac, ...rest } = item;
  return withRecordMac(table, rest, MAC_KEY);
};

describe("INSERT", () => {
  test.each([
    [LEDGER, () => aPaymentRecord("txn-1", services), ["txn-1"]],
    [TRAIL, () => anAuditRecord("event-1", services), ["event-1"]],
    [MESSAGES, () => aMessageRecord("msg-1", services), ["msg-1"]],
    [TRANSACTIONS, () => aTransactionRecord("row-1", services), ["row-1", "1795255201000"]],
  ] as const)("of a record of %s is a RECORD", async (table, make, key) => {
    const now = await make();
    const record = streamRecord(table, { now });
    expect(await entryOf(record)).toEqual({
      kind: "RECORD",
      table,
      key,
      version: "1",
      sequence: record.dynamodb.SequenceNumber,
      commitment: commitment(table, now),
      previous: "",
    });
  });

  test.each<[string, (item: StoredItem) => StoredItem]>([
    ["no MAC", ({ Mac: _mac, ...item }) => item],
    ["an altered amount", (item) => ({ ...item, Amount: { S: "99.00" } })],
    ["one more attribute", (item) => ({ ...item, Note: { NULL: true } })],
    ["a MAC of another key", (item) => withRecordMac(LEDGER, item, { ...MAC_KEY, secret: new Uint8Array(32) })],
    ["another table's MAC", (item) => remac(item, MESSAGES)],
    ["a MAC that is no text", (item) => ({ ...item, Mac: { N: "1" } })],
  ])("with %s is FORGED, with its commitment", async (_what, forge) => {
    const now = forge(await aPaymentRecord("txn-2", services));
    expect(await entryOf(streamRecord(LEDGER, { now }))).toMatchObject({
      kind: "FORGED",
      key: ["txn-2"],
      commitment: commitment(LEDGER, now),
      previous: "",
    });
  });

  test("of a genuine record under another key than its own is FORGED where the table holds such an item", async () => {
    const record = streamRecord(LEDGER, { now: await aPaymentRecord("txn-3", services) });
    const moved = { ...record, dynamodb: { ...record.dynamodb, Keys: { TransactionID: { S: "txn-4" } } } };
    expect(await entryOf(moved)).toMatchObject({ kind: "FORGED", key: ["txn-4"] });
  });

  test("keeps the version that the item states, whatever else it holds", async () => {
    const item = { TransactionID: { S: "txn-5" }, Version: { N: "12" }, Mac: { S: "1.x.y" } };
    expect(await entryOf(streamRecord(LEDGER, { now: item }))).toMatchObject({ kind: "FORGED", version: "12" });
  });
});

describe("MODIFY", () => {
  let changed: StatusChanged;
  beforeAll(async () => {
    changed = await aStatusChanged(await aPaymentRecord("txn-m", services), "Failure", services);
  });
  const modified = (images: Partial<StatusChanged>) => {
    const { before, now } = { ...changed, ...images };
    return streamRecord(LEDGER, { before, now });
  };

  test("an allowed status change with its audit record is a RECORD, on top of what it replaced", async () => {
    const { before, now, audit } = changed;
    expect(await entryOf(modified({}), [audit])).toMatchObject({
      kind: "RECORD",
      key: ["txn-m"],
      version: "2",
      commitment: commitment(LEDGER, now),
      previous: commitment(LEDGER, before),
    });
    const back = await aStatusChanged(now, "Success", services);
    const entry = await entryOf(streamRecord(LEDGER, back), [audit, back.audit]);
    expect(entry).toMatchObject({ kind: "RECORD", version: "3", previous: commitment(LEDGER, now) });
  });

  test.each<[string, (change: StatusChanged) => Partial<StatusChanged>]>([
    ["the amount changed too", ({ now }) => ({ now: remac({ ...now, Amount: { S: "9.00" } }) })],
    ["an attribute was added", ({ now }) => ({ now: remac({ ...now, Note: { S: "x" } }) })],
    ["an attribute was removed", ({ now: { TimeKey: _key, ...rest } }) => ({ now: remac(rest) })],
    ["the token's ciphertext changed", ({ now }) => ({ now: remac({ ...now, SecureToken: { B: Buffer.alloc(40) } }) })],
    ["the version went two ahead", ({ now }) => ({ now: remac({ ...now, Version: { N: "3" } }) })],
    ["the version stayed", ({ now }) => ({ now: remac({ ...now, Version: { N: "1" } }) })],
    ["the version is no number", ({ now }) => ({ now: remac({ ...now, Version: { S: "2" } }) })],
    ["the status stayed", ({ now, before }) => ({ now: remac({ ...now, Status: before["Status"] ?? { S: "" } }) })],
    ["the status is unknown", ({ now }) => ({ now: remac({ ...now, Status: { S: "Refunded" } }) })],
    ["the new MAC is bad", ({ now }) => ({ now: { ...now, StatusChangedAt: { S: "2030-01-01T00:00:00.000Z" } } })],
    ["it was put back to what it was", ({ before, now }) => ({ before: now, now: before })],
  ])("%s: TAMPER", async (_what, alter) => {
    const images = { ...changed, ...alter(changed) };
    expect(await entryOf(modified(images), [changed.audit])).toMatchObject({
      kind: "TAMPER",
      key: ["txn-m"],
      commitment: commitment(LEDGER, images.now),
      previous: commitment(LEDGER, images.before),
    });
  });

  test.each<[string, (audit: StoredItem) => StoredItem[]]>([
    ["is missing", () => []],
    ["is forged", (audit) => [{ ...audit, Actor: { S: "mallory" } }]],
    ["has no MAC", ({ Mac: _mac, ...audit }) => [audit]],
    ["cannot have a MAC", (audit) => [{ ...audit, Actor: { S: "\ud800" } }]],
  ])("its audit record %s: TAMPER", async (_what, trail) => {
    expect(await entryOf(modified({}), trail(changed.audit))).toMatchObject({ kind: "TAMPER", version: "2" });
  });

  test("the audit record of another version or payment does not replace this one", async () => {
    const other = await anAuditRecord(derivedAuditId("UPDATE", LEDGER, "txn-m", "3"), services, "UPDATE");
    expect(await entryOf(modified({}), [other])).toMatchObject({ kind: "TAMPER" });
    const judge: Judge = { macKey: MAC_KEY, auditRecord: async () => other, stored: async () => changed.now };
    const [change] = streamChanges({ Records: [modified({})] }, services.tables) ?? [];
    expect(change && (await classify(change, judge))).toMatchObject({ kind: "TAMPER" });
  });

  test("no other table has changes at all", async () => {
    for (const [table, item] of [
      [TRAIL, await anAuditRecord("event-m", services)],
      [MESSAGES, await aMessageRecord("msg-m", services)],
      [TRANSACTIONS, await aTransactionRecord("row-m", services)],
    ] as const) {
      const now = remac({ ...item, Status: { S: "Failure" }, Version: { N: "2" } }, table);
      const before = remac({ ...item, Status: { S: "Success" }, Version: { N: "1" } }, table);
      expect(await entryOf(streamRecord(table, { before, now }))).toMatchObject({ kind: "TAMPER", table });
    }
  });
});

describe("REMOVE", () => {
  test("is TAMPER: what was there before, and nothing since", async () => {
    const before = (await aStatusChanged(await aPaymentRecord("txn-r", services), "Failure", services)).now;
    expect(await entryOf(streamRecord(LEDGER, { before }))).toMatchObject({
      kind: "TAMPER",
      key: ["txn-r"],
      version: "2",
      commitment: "",
      previous: commitment(LEDGER, before),
    });
  });
});

describe("what cannot be understood is sealed with what is known, and never thrown", () => {
  const record = async () => streamRecord(LEDGER, { now: await aPaymentRecord("txn-p", services) });
  const withImages = (from: StreamRecord, images: object) => ({ ...from, dynamodb: { ...from.dynamodb, ...images } });

  test.each<[string, object, Partial<RecordEntry>]>([
    ["a stream without images", { NewImage: undefined }, { kind: "FORGED", commitment: "", version: "1" }],
    ["an image that is no object", { NewImage: [1] }, { kind: "FORGED", commitment: "" }],
    ["an attribute that is no object", { NewImage: { A: 1 } }, { kind: "FORGED", commitment: "" }],
    ["an attribute of two types", { NewImage: { TransactionID: { S: "txn-p", N: "1" } } }, { kind: "FORGED" }],
    ["an attribute of no type", { NewImage: { TransactionID: { S: "txn-p" }, A: {} } }, { kind: "FORGED" }],
    ["a lone surrogate", { NewImage: { TransactionID: { S: "txn-p" }, A: { S: "\ud800" } } }, { commitment: "" }],
    ["a key with a lone surrogate", { Keys: { TransactionID: { S: "\ud800" } } }, { kind: "FORGED", key: ["\ufffd"] }],
    ["no key", { Keys: undefined }, { kind: "FORGED", key: [""] }],
  ])("%s, while the table holds something else", async (_what, images, expected) => {
    const item = { TransactionID: { S: "txn-p" }, Note: { S: "x" } };
    const entry = await entryOf(withImages(await record(), images), [], { item });
    expect(entry).toMatchObject({ table: LEDGER, ...expected });
    expect(() => entry && entryBytes(entry)).not.toThrow();
  });

  test("an item nested as deep as DynamoDB allows, and deeper", async () => {
    for (const levels of [32, 500]) {
      let value: object = { S: "x" };
      for (let level = 0; level < levels; level++) value = { L: [value] };
      const entry = await entryOf(
        withImages(await record(), { NewImage: { TransactionID: { S: "txn-p" }, A: value } }),
      );
      expect(entry).toMatchObject({ kind: "FORGED", key: ["txn-p"] });
      expect(entry?.commitment === "").toBe(levels > 32);
    }
  });

  test("a MODIFY and a REMOVE without images", async () => {
    const base = withImages(await record(), { NewImage: undefined });
    const stored = { item: { TransactionID: { S: "txn-p" } } };
    for (const eventName of ["MODIFY", "REMOVE"]) {
      const entry = await entryOf({ ...base, eventName }, [], stored);
      expect(entry).toMatchObject({ kind: "TAMPER", previous: "" });
    }
  });
});

describe("an event that says that somebody tampered is compared with the table", () => {
  let first: StoredItem;
  let changed: StatusChanged;
  let forged: StoredItem;
  beforeAll(async () => {
    first = await aPaymentRecord("txn-s", services);
    changed = await aStatusChanged(first, "Failure", services);
    forged = { ...first, Amount: { S: "99.00" } };
  });
  const removed = (before: StoredItem) => streamRecord(LEDGER, { before });
  const asItStands = (item: StoredItem, version: string) => ({
    kind: "LATE",
    key: ["txn-s"],
    version,
    sequence: "",
    commitment: commitment(LEDGER, item),
  });

  test("a REMOVE of a record that is there is sealed as the record that is there", async () => {
    const entry = await entryOf(removed(first), [], { item: first });
    expect(entry).toEqual({ ...asItStands(first, "1"), table: LEDGER, previous: commitment(LEDGER, first) });
    expect(isUnconfirmed(entry)).toBe(true);
    const later = await entryOf(removed(first), [], { item: changed.now });
    expect(later).toMatchObject(asItStands(changed.now, "2"));
    expect(await entryOf(removed(forged), [], { item: first })).toMatchObject(asItStands(first, "1"));
  });

  test("a REMOVE of what the ledger never wrote, while nothing is there, is sealed as nothing", async () => {
    for (const before of [forged, { TransactionID: { S: "txn-s" } }]) {
      const entry = await entryOf(removed(before), [], { item: undefined });
      expect([entry, isUnconfirmed(entry)]).toEqual([undefined, true]);
    }
  });

  test("a REMOVE of a record that is gone or was replaced is TAMPER", async () => {
    for (const item of [undefined, forged]) {
      expect(await entryOf(removed(first), [], { item })).toMatchObject({ kind: "TAMPER", commitment: "" });
    }
  });

  test("a record that was put back to its earlier version is no denial of what happened", async () => {
    const entry = await entryOf(removed(changed.now), [], { item: first });
    expect(entry).toMatchObject({ kind: "TAMPER", commitment: "", previous: commitment(LEDGER, changed.now) });
  });

  test("a MODIFY that the table shows nothing of is sealed as what is there, or as nothing", async () => {
    const record = streamRecord(LEDGER, { before: first, now: forged });
    expect(await entryOf(record, [], { item: first })).toMatchObject(asItStands(first, "1"));
    const neverThere = streamRecord(LEDGER, { before: forged, now: { ...forged, Amount: { S: "98.00" } } });
    expect(await entryOf(neverThere, [], { item: undefined })).toBeUndefined();
  });

  test("a MODIFY that puts the ledger's own record back in the place of another is sealed as that record", async () => {
    const record = streamRecord(LEDGER, { before: forged, now: first });
    const previous = commitment(LEDGER, forged);
    expect(await entryOf(record)).toEqual({ ...asItStands(first, "1"), table: LEDGER, previous });
  });

  test("an INSERT of what no function wrote is FORGED where the table holds such an item, and else nothing", async () => {
    const record = streamRecord(LEDGER, { now: forged });
    expect(await entryOf(record)).toMatchObject({ kind: "FORGED", commitment: commitment(LEDGER, forged) });
    expect(await entryOf(record, [], { item: undefined })).toBeUndefined();
    expect(await entryOf(record, [], { item: first })).toMatchObject({ ...asItStands(first, "1"), previous: "" });
  });

  test("the table is not asked about what the ledger itself does", async () => {
    const judge: Judge = {
      macKey: MAC_KEY,
      auditRecord: async () => changed.audit,
      stored: () => Promise.reject(new Error("asked")),
    };
    for (const record of [streamRecord(LEDGER, { now: first }), streamRecord(LEDGER, changed)]) {
      const [change] = streamChanges({ Records: [record] }, services.tables) ?? [];
      expect(change && (await classify(change, judge))).toMatchObject({ kind: "RECORD" });
    }
  });
});

test("an image of Lambda becomes the item that was stored, whatever types it has", () => {
  const item: StoredItem = {
    S: { S: "a" },
    N: { N: "1" },
    B: { B: Buffer.from([0, 255]) },
    T: { BOOL: false },
    U: { NULL: true },
    M: { M: { x: { L: [{ S: "y" }, { M: {} }] } } },
    SS: { SS: ["a", "b"] },
    NS: { NS: ["1"] },
    BS: { BS: [Buffer.from([1]), Buffer.from([2])] },
  };
  expect(fromItemJson(toItemJson(item))).toEqual(item);
  for (const bad of [
    { S: 1 },
    { B: false },
    { BOOL: "true" },
    { SS: "a" },
    { SS: [1] },
    { L: [{}] },
    { M: [] },
    { X: "a" },
  ]) {
    expect(fromItemJson({ A: bad })).toBeUndefined();
  }
});

describe("the event", () => {
  test("the stream's ARN says which table it is, under the name that the table is deployed with", async () => {
    const tables = { ...services.tables, paymentLedger: "PaymentLedger-dev" };
    const now = await aPaymentRecord("txn-e", services);
    const changes = streamChanges({ Records: [streamRecord(LEDGER, { now }, "PaymentLedger-dev")] }, tables);
    expect(changes).toMatchObject([{ table: LEDGER, event: "INSERT", key: ["txn-e"] }]);
    expect(() => streamChanges({ Records: [streamRecord(LEDGER, { now }, "PaymentLedger")] }, tables)).toThrow(
      expect.objectContaining({ code: "UNKNOWN_STREAM" }),
    );
  });

  test.each([
    ["nothing", undefined],
    ["an empty list", { Records: [] }],
    ["a queue's", { Records: [{ messageId: "1", body: "", eventSource: "aws:sqs" }] }],
    ["an unknown kind of change", { Records: [{ ...streamRecord(LEDGER, { now: {} }), eventName: "DROP" }] }],
  ])("%s is not an event of a stream", (_what, event) => {
    expect(streamChanges(event, services.tables)).toBeUndefined();
  });
});
