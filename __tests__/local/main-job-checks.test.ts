/** Each of the main job's checks finds the damage that it is there for, and says nothing of undamaged results. */

import type { StoredItem } from "../../ledger/rules/stored-item";
import { LedgerCalls } from "../../local/main-job/calls";
import {
  checkEndings,
  checkLogs,
  checkObjects,
  checkRetry,
  checkSecretsAtRest,
  checkTables,
  readsAndRecordsDiffer,
} from "../../local/main-job/checks";
import type { ExpectedCounts, InputLine } from "../../local/main-job/input";
import { INVARIANTS, type InvariantCode, Invariants } from "../../local/main-job/invariants";
import { type PerformedRead, Reader } from "../../local/main-job/reader";
import { invariantsSection, nextSection } from "../../local/main-job/report";
import { Secrets } from "../../local/main-job/secrets";
import type { Snapshot } from "../../local/main-job/tables";
import { unauditedReads } from "../../local/main-job/trail-readings";

const TOKEN = "tok_verysecretvalue";
const CARD = "4111111111111111";
const sealed = { B: new Uint8Array([1, 2, 3]) };

const row = (id: string, changes: StoredItem = {}): StoredItem => ({
  TransactionID: { S: id },
  Amount: { S: "10.50" },
  Currency: { S: "EUR" },
  Status: { S: "Success" },
  SecureToken: sealed,
  ...changes,
});

const record = (id: string, action: string, changes: StoredItem = {}): StoredItem => ({
  AuditID: { S: id },
  Action: { S: action },
  Origin: { S: "LEDGER" },
  Table: { S: "PaymentLedger" },
  QueryDetails: sealed,
  Response: sealed,
  ...changes,
});

const write = (id: string) => record(`W~${id}`, "WRITE", { TransactionID: { S: id } });

function snapshot(rows: readonly StoredItem[], records: readonly StoredItem[]): Snapshot {
  const text = (item: StoredItem, name: string) => (item[name] as { S: string }).S;
  return {
    ledger: new Map(rows.map((item) => [text(item, "TransactionID"), item])),
    trail: new Map(records.map((item) => [text(item, "AuditID"), item])),
    messages: new Map(),
    transactions: new Map(),
  };
}

const SOUND = snapshot([row("a"), row("b")], [write("a"), write("b"), record("X~1", "REFUSAL")]);
const PAYMENTS = ["a", "b"].map(
  (TransactionID) =>
    ({ TransactionID, SecureToken: TOKEN, Amount: "10.5", ProcessorID: "p", Status: "Success" }) as const,
);

const EXPECTED: ExpectedCounts = {
  lines: 3,
  outcomes: { stored: 2, duplicate: 0, conflict: 0, refused: 1, broken: 0 },
  refusals: { AMOUNT_DECIMALS: 1 },
  distinctConflicts: 0,
  sums: { EUR: { payments: 2, total: "21.00" } },
  storedFailures: 0,
  cardNumbers: [CARD],
  endingOf: (line) => (line === 3 ? "AMOUNT_DECIMALS" : "stored"),
};
const LINES: InputLine[] = [1, 2, 3].map((number) => ({ number, entry: {}, broken: false }));
const ENDINGS = new Map([
  [1, "stored"],
  [2, "stored"],
  [3, "AMOUNT_DECIMALS"],
]);

/** The invariants among those that were checked that do not hold. */
function brokenBy(check: (invariants: Invariants) => unknown): InvariantCode[] {
  const invariants = new Invariants();
  check(invariants);
  return invariants
    .broken()
    .filter(({ faults }) => faults[0] !== "it was not checked")
    .map(({ code }) => code);
}

test("an invariant that nobody checked is broken", () => {
  expect(new Invariants().broken()[0]?.faults).toEqual(["it was not checked"]);
});

describe("endings", () => {
  const check = (endings: ReadonlyMap<number, string>) =>
    brokenBy((invariants) => checkEndings(LINES, endings, EXPECTED, invariants));

  test("as expected", () => expect(check(ENDINGS)).toEqual([]));
  test("two lines that changed places keep the counts and are still found", () =>
    expect(check(new Map([...ENDINGS, [2, "AMOUNT_DECIMALS"], [3, "stored"]]))).toEqual(["LINES_DIFFER"]));
  test("a line without an answer", () =>
    expect(check(new Map([...ENDINGS].slice(1)))).toEqual(["LINES_DIFFER", "COUNTS_DIFFER"]));
});

describe("tables", () => {
  const check = (tables: Snapshot) => brokenBy((invariants) => checkTables(tables, PAYMENTS, EXPECTED, invariants));
  const trail = [...SOUND.trail.values()];

  test("as expected", () => expect(check(SOUND)).toEqual([]));
  test("a lost row", () => expect(check(snapshot([row("a")], trail))).toEqual(["ROWS_DIFFER", "SUMS_DIFFER"]));
  test("a row too many", () =>
    expect(check(snapshot([row("a"), row("b"), row("c")], trail))).toEqual(["ROWS_DIFFER", "SUMS_DIFFER"]));
  test("an amount that lost a cent", () =>
    expect(check(snapshot([row("a"), row("b", { Amount: { S: "10.49" } })], trail))).toEqual(["SUMS_DIFFER"]));
  test("a second WRITE record of one payment", () =>
    expect(check(snapshot([row("a"), row("b")], [...trail, { ...write("a"), AuditID: { S: "W~again" } }]))).toEqual([
      "WRITE_RECORDS_DIFFER",
    ]));
  test("a refusal without its record", () =>
    expect(check(snapshot([row("a"), row("b")], trail.slice(0, 2)))).toEqual(["REFUSALS_UNRECORDED"]));
});

describe("sending again", () => {
  const again = new Map([
    [1, "duplicate"],
    [3, "AMOUNT_DECIMALS"],
  ]);
  const rows = [...SOUND.ledger.values()];
  const trail = [...SOUND.trail.values(), record("X~2", "REFUSAL")];
  const check = (after: Snapshot, endings: ReadonlyMap<number, string> = again) =>
    brokenBy((invariants) => checkRetry(SOUND, after, endings, EXPECTED, invariants));

  test("as expected", () => expect(check(snapshot(rows, trail))).toEqual([]));
  test("stored a second time", () =>
    expect(check(snapshot(rows, trail), new Map([...again, [1, "stored"]]))).toEqual(["RETRY_WROTE"]));
  test("a row that was changed", () =>
    expect(check(snapshot([row("a", { Status: { S: "Failure" } }), row("b")], trail))).toEqual(["RETRY_WROTE"]));
  test("a further attempt's record, which each conflict sent again leaves", () =>
    expect(check(snapshot(rows, [...trail, record("C~2", "CONFLICT", { RepeatOf: { S: "C~1" } })]))).toEqual([]));
  test("a first record of a conflict more", () =>
    expect(check(snapshot(rows, [...trail, record("C~2", "CONFLICT")]))).toEqual(["RETRY_WROTE"]));
  test("a WRITE record more", () =>
    expect(check(snapshot(rows, [...trail, record("W~2", "WRITE")]))).toEqual(["RETRY_WROTE"]));
});

describe("secrets", () => {
  const secrets = new Secrets([TOKEN], [CARD]);
  const check = (rows: readonly StoredItem[], records: readonly StoredItem[] = []) =>
    brokenBy((invariants) => checkSecretsAtRest(snapshot(rows, records), secrets, invariants));

  test("ciphertext only", () => expect(check([row("a")], [write("a")])).toEqual([]));
  test("a pointer has no details", () => {
    const {
      QueryDetails: _query,
      Response: _response,
      ...pointer
    } = record("R~1.00", "READ", { PartOf: { S: "R~1" } });
    expect(check([], [pointer])).toEqual([]);
  });
  test("a token as text", () => expect(check([row("a", { SecureToken: { S: "tok" } })])).toEqual(["NOT_CIPHERTEXT"]));
  test("an audit record without ciphertext", () =>
    expect(check([], [record("R~1", "READ", { Response: { S: "returned" } })])).toEqual(["NOT_CIPHERTEXT"]));
  test.each([
    ["in a text", { Note: { S: `x${TOKEN}x` } }],
    ["as the binary of a ciphertext", { SecureToken: { B: Buffer.from(TOKEN) } }],
    ["in a nested map", { Caller: { M: { Function: { S: TOKEN } } } }],
    ["in a name", { [TOKEN]: { S: "x" } }],
    ["as a card number in groups", { Note: { S: "4111 1111-1111 1111" } }],
  ])("in clear %s", (_place, changes) => expect(check([row("a", changes)])).toEqual(["SECRET_AT_REST"]));

  const logged = async (lines: string[]) => {
    const calls = new LedgerCalls({ invoke: async () => ({}) });
    await calls.persistPayments({}).catch(() => undefined);
    const endings = lines.filter((line) => /answered|failed/.test(line)).length;
    const failures = lines.filter((line) => line.includes("failed")).length;
    return brokenBy((invariants) =>
      checkLogs([{ id: "persistPaymentLedger", lines, endings, failures }], calls, secrets, invariants),
    );
  };
  test("a clean log", async () => expect(await logged(['{"message":"answered"}'])).toEqual([]));
  test("a call without a log line", async () => expect(await logged([])).toEqual(["SECRET_IN_LOG"]));
  test("a call that failed", async () => expect(await logged(['{"message":"failed"}'])).toEqual(["SECRET_IN_LOG"]));
  test("a token in a log line", async () =>
    expect(await logged([`{"message":"answered","x":"${TOKEN}"}`])).toEqual(["SECRET_IN_LOG"]));
  test("a card number in an object of a bucket, and nothing else in it", () => {
    const object = (text: string, key = "reports/a") => ({ bucket: "files", key, text });
    const objects = (list: readonly ReturnType<typeof object>[]) =>
      brokenBy((invariants) => checkObjects(list, secrets, invariants));
    expect(objects([object('{"rows":1}')])).toEqual([]);
    expect(objects([object(`{"note":"${CARD}"}`)])).toEqual(["SECRET_IN_BUCKET"]);
    expect(objects([object("", `payments/${CARD}.csv`)])).toEqual(["SECRET_IN_BUCKET"]);
  });
  test("a card number in a log line", async () =>
    expect(await logged([`{"message":"answered","x":"${CARD}"}`])).toEqual(["SECRET_IN_LOG"]));
});

test("the report names a broken promise with its rule and remedy, and ends with FAILED", () => {
  const invariants = new Invariants();
  for (const code of Object.keys(INVARIANTS) as InvariantCode[]) invariants.record(code, "all of it", []);
  const end = () => nextSection({ stacks: ["data"], out: "cdktf.out", seconds: 61.26, invariants }).at(-1);
  expect([invariantsSection(invariants)[0], end()]).toEqual(["Promises: all hold", "Success in 61.3 s."]);
  invariants.record("SUMS_DIFFER", "1 currencies", ["EUR: 10.00 instead of 10.01"]);
  invariants.record("COUNTS_DIFFER", "5 counts", ["duplicate: 2 instead of 3"]);
  const said = invariantsSection(invariants);
  expect(said[0]).toBe("Promises: 2 BROKEN");
  expect(said.filter((line) => line.startsWith("  holds "))).toHaveLength(Object.keys(INVARIANTS).length - 2);
  const { rule, remedy } = INVARIANTS.SUMS_DIFFER;
  expect(said.slice(-4)).toEqual([
    "  BROKEN  SUMS_DIFFER",
    "    What:   EUR: 10.00 instead of 10.01",
    `    Rule:   ${rule}`,
    `    Remedy: ${remedy}`,
  ]);
  expect(said).toContain("    What:   duplicate: 2 instead of 3");
  expect(end()).toBe("FAILED in 61.3 s.");
});

describe("reads", () => {
  const read: PerformedRead = { action: "READ", actor: "risk", auditId: "R~1", returnedIds: ["a", "b"], isList: true };
  const pointer = (index: number, id: string) =>
    record(`R~1.0${index}`, "READ", { PartOf: { S: "R~1" }, TransactionID: { S: id } });
  const records = [record("R~1", "READ"), pointer(0, "a"), pointer(1, "b")];
  const check = (trail: readonly StoredItem[]) => readsAndRecordsDiffer(snapshot([], trail), [read]).length;

  test("as made", () => expect(check(records)).toBe(0));
  test("without a record", () => expect(check(records.slice(1))).toBe(1));
  test("a record of a read that nobody made", () => expect(check([...records, record("R~2", "REVEAL")])).toBe(1));
  test("a payment without its pointer", () => expect(check(records.slice(0, 2))).toBe(1));
  test("an event that another service reports does not count as a read of ours", () =>
    expect(check([...records, record("told", "READ", { Origin: { S: "EVENT" } })])).toBe(0));

  const view = {
    AuditID: "R~1",
    Action: "READ",
    Actor: "risk",
    Timestamp: "",
    RecordedAt: "",
    Origin: "LEDGER" as const,
    Caller: { RequestID: "", Function: "" },
    user_id: "risk",
    timestamp: "",
    response_record_ids: ["a", "b"],
  };
  const audited = (views: readonly (typeof view)[]) => {
    const reader = new Reader(new LedgerCalls({ invoke: async () => ({}) }));
    reader.made.push(read);
    return unauditedReads({ records: views, samplePaymentTrail: [], gapTrail: [] }, reader).length;
  };
  test("found by the auditor", () => expect(audited([view])).toBe(0));
  test("twice in the trail", () => expect(audited([view, view])).toBe(1));
  test("under another actor", () => expect(audited([{ ...view, Actor: "else" }])).toBe(1));
  test("with other ids", () => expect(audited([{ ...view, response_record_ids: ["a"] }])).toBe(1));
});
