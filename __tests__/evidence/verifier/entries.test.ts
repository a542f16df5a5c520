import fc from "fast-check";
import { TABLES } from "../../../contract";
import {
  entryBytes,
  type HeartbeatEntry,
  type LogEntry,
  RECORD_KINDS,
  type RecordEntry,
} from "../../../evidence/log/entry";
import { EntryError, KEY_START, looksLikeHeartbeat, parseEntry, plainKeyEnd } from "../../../evidence/verifier/entries";

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((each) => Buffer.from(each).toString("base64url"));
const digits = fc.bigInt({ min: 1n, max: 10n ** 38n }).map(String);
const keyPart = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9._:/@+=~-]{1,40}$/),
  fc.string({ unit: "grapheme", maxLength: 20 }),
);

/** The tables whose keys have two parts. */
const SORTED_TABLES: ReadonlySet<string> = new Set(["payment-transactions", "PaymentEvents"]);

const records = fc
  .record({
    kind: fc.constantFrom(...RECORD_KINDS),
    table: fc.constantFrom(...Object.values(TABLES).map(({ logicalName }) => logicalName)),
    parts: fc.tuple(keyPart, keyPart),
    version: fc.integer({ min: 1, max: 99 }).map(String),
    odd: fc.oneof(keyPart, digits),
    sequence: digits,
    commitment: hash,
    previous: fc.oneof(fc.constant(""), hash),
  })
  .map(({ parts, odd, ...entry }): RecordEntry => {
    const key = SORTED_TABLES.has(entry.table) ? parts : parts.slice(0, 1);
    if (entry.kind === "LATE") return { ...entry, key, sequence: "" };
    return entry.kind === "RECORD" ? { ...entry, key } : { ...entry, key, version: odd };
  });

const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const heartbeats = fc
  .record({
    time: fc
      .date({ min: new Date(0), max: new Date("9999-01-01"), noInvalidDate: true })
      .map((date) => date.toISOString()),
    counts: fc.record({ RECORD: count, FORGED: count, TAMPER: count, LATE: count, HEARTBEAT: count }),
    previousSize: count,
    previousCheckpoint: hash,
  })
  .map(
    ({ previousCheckpoint, ...entry }): HeartbeatEntry => ({
      kind: "HEARTBEAT",
      ...entry,
      previousCheckpoint: entry.previousSize === 0 ? "" : previousCheckpoint,
    }),
  );

const entries: fc.Arbitrary<LogEntry> = fc.oneof(records, heartbeats);

const RECORD: RecordEntry = {
  kind: "RECORD",
  table: "PaymentLedger",
  key: ["pay-1"],
  version: "1",
  sequence: "100000000003498069978",
  commitment: "A".repeat(43),
  previous: "",
};
const HEARTBEAT: HeartbeatEntry = {
  kind: "HEARTBEAT",
  time: "2026-11-21T12:00:00.000Z",
  counts: { RECORD: 5, FORGED: 0, TAMPER: 0, LATE: 0, HEARTBEAT: 1 },
  previousSize: 3,
  previousCheckpoint: "A".repeat(43),
};

function refused(bytes: Buffer): void {
  expect(() => parseEntry(bytes)).toThrow(expect.objectContaining({ name: "EntryError", code: "BAD_ENTRY" }));
}

test("whatever the log writes is read back as it was meant", () => {
  fc.assert(
    fc.property(entries, (entry) => expect(parseEntry(entryBytes(entry))).toEqual(entry)),
    { numRuns: 1000 },
  );
});

test("a byte changed, added or left out is refused, or says something else", () => {
  const change = fc.record({ at: fc.nat(), put: fc.uint8Array({ maxLength: 2 }), cut: fc.nat(2) });
  fc.assert(
    fc.property(entries, change, (entry, { at, put, cut }) => {
      const bytes = entryBytes(entry);
      const place = at % (bytes.length + 1);
      const changed = Buffer.concat([bytes.subarray(0, place), put, bytes.subarray(place + cut)]);
      if (changed.equals(bytes)) return;
      try {
        const read = parseEntry(changed);
        expect(read).not.toEqual(entry);
        expect(entryBytes(read)).toEqual(changed);
      } catch (error) {
        expect(error).toBeInstanceOf(EntryError);
      }
    }),
    { numRuns: 5000 },
  );
});

test("whatever is read, nothing but an EntryError is thrown", () => {
  const texts = fc.oneof(
    fc.uint8Array().map((each) => Buffer.from(each)),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .jsonValue()
      .map((value) => Buffer.from(JSON.stringify({ ...RECORD, format: "payment-ledger/entry/1", key: value }))),
  );
  fc.assert(
    fc.property(texts, (bytes) => {
      try {
        parseEntry(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(EntryError);
      }
    }),
    { numRuns: 1000 },
  );
});

describe("refused although it reads the same", () => {
  const text = entryBytes(RECORD).toString();
  test.each([
    ["white space", text.replace(":", ": ")],
    ["another order of members", text.replace(/^\{("commitment":"[^"]*"),(.*)\}$/, "{$2,$1}")],
    ["a needless escape", text.replace("pay-1", "pay\\u002d1")],
    ["an escaped solidus", text.replace("entry/1", "entry\\/1")],
    ["a member twice", text.replace("{", '{"commitment":"",')],
    ["a byte order mark", `\ufeff${text}`],
    ["a newline at its end", `${text}\n`],
    ["another format", text.replace("entry/1", "entry/2")],
    ["a number for a text", text.replace('"version":"1"', '"version":1')],
    ["unused bits in the commitment", text.replace(`${"A".repeat(43)}`, `${"A".repeat(42)}B`)],
    ["padding in the commitment", text.replace(`${"A".repeat(43)}`, `${"A".repeat(43)}=`)],
    ["a member more", text.replace("}", ',"zzz":""}')],
    ["a member less", text.replace('"previous":"",', "")],
  ])("%s", (_name, changed) => refused(Buffer.from(changed)));
});

describe("refused although it is canonical", () => {
  const entry = (changes: object) => entryBytes({ ...RECORD, ...changes } as RecordEntry);
  test.each([
    ["a table of nobody", { table: "Ledger" }],
    ["a key with a part too many", { key: ["a", "b"] }],
    ["a key with a part too few", { table: "payment-transactions" }],
    ["no key", { key: [] }],
    ["a version of zero", { version: "0" }],
    ["a version that is no number", { version: "one" }],
    ["no commitment", { commitment: "" }],
    ["a record without a sequence number", { sequence: "" }],
    ["a sequence number that is not a number", { sequence: "12a" }],
    ["a late record with a sequence number", { kind: "LATE" }],
    ["a kind of nobody", { kind: "OTHER" }],
  ])("%s", (_name, changes) => refused(entry(changes)));

  const heartbeat = (changes: object) => entryBytes({ ...HEARTBEAT, ...changes } as HeartbeatEntry);
  test.each([
    ["a day that never was", { time: "2026-02-30T00:00:00.000Z" }],
    ["a time without milliseconds", { time: "2026-11-21T12:00:00Z" }],
    ["a time of another zone", { time: "2026-11-21T12:00:00.000+" }],
    ["a size without a checkpoint", { previousCheckpoint: "" }],
    ["a checkpoint without a size", { previousSize: 0 }],
    ["a count below zero", { counts: { ...HEARTBEAT.counts, RECORD: -1 } }],
    ["a count beyond 2^53", { counts: { ...HEARTBEAT.counts, RECORD: 9007199254740992 } }],
    ["a count that is no number", { counts: { ...HEARTBEAT.counts, RECORD: "x" } }],
  ])("a heartbeat with %s", (_name, changes) => refused(heartbeat(changes)));
});

test("what tampering made up is taken as it is", () => {
  const odd: RecordEntry[] = [
    { ...RECORD, kind: "FORGED", key: [""], version: "-1.5", commitment: "", sequence: "" },
    { ...RECORD, kind: "TAMPER", key: ['"\\\n\u00e9\u{1f600}'], version: 'x"y', commitment: "", previous: "" },
  ];
  for (const entry of odd) expect(parseEntry(entryBytes(entry))).toEqual(entry);
});

test("an entry's key is found without reading it, where nothing in it is special", () => {
  fc.assert(
    fc.property(entries, (entry) => {
      const bytes = entryBytes(entry);
      const end = plainKeyEnd(bytes);
      expect(looksLikeHeartbeat(bytes)).toBe(entry.kind === "HEARTBEAT");
      if (end === 0) return;
      expect(entry.kind === "HEARTBEAT" ? [] : entry.key).toEqual([bytes.toString("utf8", KEY_START, end)]);
    }),
    { numRuns: 1000 },
  );
  expect(plainKeyEnd(entryBytes(RECORD))).toBe(KEY_START + 5);
  expect(plainKeyEnd(entryBytes({ ...RECORD, table: "payment-transactions", key: ["a", "1"] }))).toBe(0);
  expect(plainKeyEnd(entryBytes({ ...RECORD, kind: "TAMPER", commitment: "" }))).toBe(0);
  expect(plainKeyEnd(Buffer.alloc(0))).toBe(0);
});
