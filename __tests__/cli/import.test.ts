/** What becomes of rows that an older system recorded: their values, their books, their sources, and an import that is broken off. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type DecryptCommand, InvalidCiphertextException, type KMSClient } from "@aws-sdk/client-kms";
import fc from "fast-check";
import { LosslessNumber } from "lossless-json";
import {
  BOOK_NAMES,
  type BookName,
  type Entry,
  expectedRefusal,
  IMPORT_BOOKS,
  type MapSettings,
  mapRow,
} from "../../cli/import/books";
import { decrypter } from "../../cli/import/decrypt";
import { ImportReport } from "../../cli/import/report";
import { type RowResult, runImport } from "../../cli/import/run";
import { openSource, type RowSource, type SourceRow } from "../../cli/import/sources";
import { jsonValue, momentText, plainFields, withoutExponent } from "../../cli/import/values";
import { writeScan } from "../../evidence/commands/scan-files";
import { parseAuditEvent } from "../../ledger/rules/audit-event";
import { parsePayment } from "../../ledger/rules/payment";
import { parsePaymentMessage } from "../../ledger/rules/payment-message";
import { parseTransaction } from "../../ledger/rules/transaction";
import { ALL_TEST_NUMBERS } from "../ledger/rules/card-test-numbers";
import { NOW } from "../support/ledger-fixtures";

const folder = mkdtempSync(join(tmpdir(), "import-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

const n = (digits: string) => new LosslessNumber(digits);

describe("values", () => {
  test.each([
    ["100", "100"],
    ["10.50", "10.50"],
    ["1.5E+3", "1500"],
    ["1.25e1", "12.5"],
    ["25E-1", "2.5"],
    ["5E-3", "0.005"],
    ["0E0", "0"],
    ["-3.20", "-3.20"],
    ["1E+400", "1E+400"],
  ])("the number %s is the text %s", (number, text) => {
    expect(withoutExponent(n(number))).toBe(text);
  });

  test("a number of any size and exponent keeps its value, to the last digit", () => {
    const parts = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.integer({ min: -18, max: 18 }));
    fc.assert(
      fc.property(parts, ([digits, exponent]) => {
        const text = String(withoutExponent(n(`${digits}E${exponent}`)));
        const [whole = "", fraction = ""] = text.split(".");
        expect(BigInt(`${whole}${fraction}`) * 10n ** 18n).toBe(
          digits * 10n ** BigInt(18 + exponent + fraction.length),
        );
      }),
    );
  });

  test.each([
    [n("1709287200123"), "2024-03-01T10:00:00.123Z"],
    [n("1709287200"), "2024-03-01T10:00:00.000Z"],
    ["1709287200.5", "2024-03-01T10:00:00.500Z"],
    ["2024-03-01T10:00:00.123456", "2024-03-01T10:00:00.123456Z"],
    ["2024-03-01 10:00:00", "2024-03-01T10:00:00Z"],
    ["2024-03-01T11:00:00+01:00", "2024-03-01T11:00:00+01:00"],
    ["1 March 2024", "1 March 2024"],
    [undefined, undefined],
  ])("the time %s is %s", (value, text) => {
    expect(momentText(value)).toBe(text);
  });

  test("JSON loses no digit: what a float cannot hold becomes a text", () => {
    expect(jsonValue({ a: [n("7"), n("1.10"), n("12345678901234567890")], b: { c: n("-2") } })).toEqual({
      a: [7, "1.10", "12345678901234567890"],
      b: { c: -2 },
    });
  });

  test("every type of DynamoDB is understood", () => {
    const bytes = Buffer.from("x");
    expect(
      plainFields({
        ...{ s: { S: "a" }, n: { N: "1.0" }, b: { B: bytes }, yes: { BOOL: true }, nil: { NULL: true } },
        ...{
          l: { L: [{ S: "a" }] },
          m: { M: { k: { N: "2" } } },
          ss: { SS: ["a"] },
          ns: { NS: ["3"] },
          bs: { BS: [bytes] },
        },
      }),
    ).toEqual({
      ...{ s: "a", n: n("1.0"), b: bytes, yes: true, nil: null, l: ["a"], m: { k: n("2") }, ss: ["a"] },
      ...{ ns: [n("3")], bs: [bytes] },
    });
  });
});

// ------------------------------------------------------------------------------------------------------- rows of old tables

const SETTINGS: MapSettings = { from: "old-table", set: {}, leaveOut: [] };

/** Rows as the documents' own functions wrote them. */
const OLD: Readonly<Record<BookName, Record<string, unknown>>> = {
  calls: {
    ...{
      TransactionID: "txn-1",
      SecureToken: "tok_old_9fKx27",
      Amount: n("10.5"),
      ProcessorID: "acme",
      Status: "SUCCESS",
    },
    Timestamp: "2024-03-01T10:00:00.123456",
  },
  files: {
    ...{
      transactionId: "txn-1",
      timestamp: n("1709287200123"),
      amount: n("100.1"),
      currency: "USD",
      cardLast4: n("42"),
    },
    ...{
      status: "processed",
      processedAt: "2024-03-01T10:00:00.123456",
      metadata: { merchant: "Shop", rate: n("1.10") },
    },
  },
  messages: { paymentId: "pay-1", amount: n("12.5"), timestamp: n("1709287200") },
  events: {
    ...{ user_id: "crm:jonas", timestamp: "2024-03-01T10:00:00Z", query_record_id: "txn-1" },
    ...{ response_record_ids: ["txn-1"], query_result: "success" },
  },
};

const PARSERS = {
  calls: (entry: Entry) => parsePayment(entry, NOW, "migration"),
  files: (entry: Entry) => parseTransaction(entry, NOW),
  messages: (entry: Entry) => parsePaymentMessage(entry, NOW),
  events: (entry: Entry) => parseAuditEvent(entry, NOW),
};

function entryOf(book: BookName, row: Record<string, unknown>, settings = SETTINGS): Entry {
  const mapped = mapRow(IMPORT_BOOKS[book], row, settings);
  if ("fault" in mapped) throw new Error(mapped.fault.code);
  return mapped.entry;
}

describe("the rows of the documents' own tables", () => {
  test.each(BOOK_NAMES)("%s: the ledger's own rules take what the row becomes, with its mark", (book) => {
    const settings = book === "calls" ? { ...SETTINGS, set: { Currency: "EUR" } } : SETTINGS;
    const parsed = PARSERS[book](entryOf(book, OLD[book], settings));
    expect(parsed).toMatchObject({ ok: true });
    expect(JSON.stringify(parsed)).toContain("old-table");
  });

  test("amounts, status and times are those of the old row", () => {
    const set = { ...SETTINGS, set: { Currency: "EUR", ProcessorID: "another" } };
    expect(entryOf("calls", OLD.calls, set)).toEqual({
      ...{
        TransactionID: "txn-1",
        SecureToken: "tok_old_9fKx27",
        Amount: "10.5",
        Currency: "EUR",
        ProcessorID: "acme",
      },
      ...{ Status: "Success", Timestamp: "2024-03-01T10:00:00.123456Z", ImportedFrom: "old-table" },
    });
    expect(entryOf("files", OLD.files)).toEqual({
      ...{ transactionId: "txn-1", amount: "100.1", currency: "USD", cardLast4: "0042" },
      metadata: { merchant: "Shop", rate: "1.10" },
      ...{ importedFrom: "old-table", originallyProcessedAt: "2024-03-01T10:00:00.123456Z" },
    });
    expect(entryOf("messages", OLD.messages)).toMatchObject({ amount: "12.5", timestamp: "2024-03-01T10:00:00.000Z" });
  });

  test("an event without an id gets the same one each time, and another row another one", () => {
    const [one, again] = [entryOf("events", OLD.events), entryOf("events", { ...OLD.events })];
    expect(one["AuditID"]).toMatch(/^import-[\w-]{43}$/);
    expect(again["AuditID"]).toBe(one["AuditID"]);
    expect(entryOf("events", { ...OLD.events, query_result: "failure" })["AuditID"]).not.toBe(one["AuditID"]);
    expect(entryOf("events", { ...OLD.events, AuditID: "a-1" })["AuditID"]).toBe("a-1");
  });

  test("a dry run refuses what the ledger's rules refuse, card data and stray tokens first", () => {
    const judged = (book: BookName, changes: object) =>
      expectedRefusal(IMPORT_BOOKS[book], { ...entryOf(book, OLD[book]), ...changes }, "migration", NOW);
    expect(judged("calls", { Currency: "EUR" })).toBeUndefined();
    expect(judged("calls", {})).toMatchObject({ code: "MISSING_FIELD", field: "Currency" });
    expect(judged("calls", { Currency: "EUR", SecureToken: ALL_TEST_NUMBERS[0] })).toMatchObject({ code: "CARD_DATA" });
    expect(judged("calls", { Currency: "EUR", ProcessorID: "tok_old_9fKx27" })).toMatchObject({
      code: "TOKEN_IN_CLEAR",
    });
    expect(judged("files", { metadata: { note: `card ${ALL_TEST_NUMBERS[0]}` } })).toMatchObject({ code: "CARD_DATA" });
    expect(judged("messages", { timestamp: "1 March 2024" })).toMatchObject({ code: "INVALID_TIMESTAMP" });
    expect(judged("events", { user_id: "unclaimed" })).toMatchObject({ code: "INVALID_ACTOR" });
    expect(judged("events", { QueryDetails: { SecureToken: "tok_old_9fKx27" } })).toMatchObject({
      code: "TOKEN_IN_CLEAR",
    });
  });

  test("ciphertext is not recorded as a value, at any depth", () => {
    for (const [book, row] of [
      ["calls", { ...OLD.calls, SecureToken: Buffer.from("x") }],
      ["events", { ...OLD.events, Response: { inner: [Buffer.from("x")] } }],
    ] as const) {
      expect(mapRow(IMPORT_BOOKS[book], row, SETTINGS)).toMatchObject({ fault: { code: "ENCRYPTED_FIELD" } });
    }
  });

  test("--decrypt makes text of ciphertext; what is not ciphertext stays refused, and a denial ends the import", async () => {
    const send = async ({ input }: DecryptCommand) => {
      const text = Buffer.from(input.CiphertextBlob ?? []).toString();
      const fault = { $metadata: {}, message: "no" };
      if (text === "noise") throw new InvalidCiphertextException(fault);
      if (text === "denied") throw Object.assign(new Error("no"), { name: "AccessDeniedException" });
      return { Plaintext: Buffer.from(`clear ${text}`) };
    };
    const decrypt = decrypter({ send } as unknown as KMSClient);
    expect(await decrypt({ a: Buffer.from("x"), b: "text", c: n("1") })).toEqual({
      a: "clear x",
      b: "text",
      c: n("1"),
    });
    const row = await decrypt({ ...OLD.calls, SecureToken: Buffer.from("noise") });
    expect(mapRow(IMPORT_BOOKS.calls, row, SETTINGS)).toEqual({
      fault: { code: "ENCRYPTED_FIELD", field: "SecureToken" },
    });
    await expect(decrypt({ a: Buffer.from("denied") })).rejects.toMatchObject({ name: "AccessDeniedException" });
  });

  test("a field that nobody knows is sent as it is, for the ledger to refuse; --leave-out takes it out", () => {
    const row = { ...OLD.messages, ttl: n("1709287200") };
    expect(PARSERS.messages(entryOf("messages", row))).toMatchObject({ refusal: { code: "UNKNOWN_FIELD" } });
    expect(PARSERS.messages(entryOf("messages", row, { ...SETTINGS, leaveOut: ["ttl"] }))).toMatchObject({ ok: true });
    expect(entryOf("files", { ...OLD.files, status: "failed" })).toHaveProperty("status", "failed");
  });
});

// --------------------------------------------------------------------------------------------------------------- sources

const NO_CLIENTS = {
  dynamo: () => {
    throw new Error("No call of AWS is needed.");
  },
  s3: () => {
    throw new Error("No call of AWS is needed.");
  },
};

async function rowsOf(place: string): Promise<SourceRow[]> {
  const source = await openSource(place, "payment-audit-trail", NO_CLIENTS);
  const total = await source.check();
  const rows: SourceRow[] = [];
  for await (const chunk of source.chunks({ rows: 0 })) rows.push(...chunk.rows);
  expect(rows).toHaveLength(total ?? -1);
  return rows;
}

function fileWith(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("sources", () => {
  test("CSV, also as gzip: columns are fields, a bad row stops no other", async () => {
    const text = 'paymentId,amount,currency\npay-1,10.50,EUR\n"pay,2",7,\npay-3\npay-4,1,USD\n';
    const expected = [
      { number: 2, fields: { paymentId: "pay-1", amount: "10.50", currency: "EUR" } },
      { number: 3, fields: { paymentId: "pay,2", amount: "7", currency: "" } },
      { number: 4, fault: "NOT_CSV" },
      { number: 5, fields: { paymentId: "pay-4", amount: "1", currency: "USD" } },
    ];
    expect(await rowsOf(fileWith("a.csv", text))).toEqual(expected);
    expect(await rowsOf(fileWith("a.csv.gz", gzipSync(text)))).toEqual(expected);
  });

  test("NDJSON keeps the digits of its numbers, and understands the lines of an export", async () => {
    const lines = [
      '{"paymentId":"pay-1","amount":10.50}',
      "{broken",
      "",
      '{"Item":{"paymentId":{"S":"pay-2"},"amount":{"N":"7"}}}',
    ];
    expect(await rowsOf(fileWith("a.ndjson", lines.join("\n")))).toEqual([
      { number: 1, fields: { paymentId: "pay-1", amount: n("10.50") } },
      { number: 2, fault: "NOT_JSON" },
      { number: 4, fields: { paymentId: "pay-2", amount: n("7") } },
    ]);
  });

  test.each([
    ["gzip cut short", "cut.csv.gz", gzipSync("paymentId\npay-1\n").subarray(0, 25), "SOURCE_DAMAGED"],
    ["a column named twice", "twice.csv", "paymentId,paymentId\n1,2\n", "SOURCE_DAMAGED"],
    ["no such file", "none.csv", undefined, "FILE_MISSING"],
  ])("%s: nothing is sent", async (_, name, content, code) => {
    if (content !== undefined) fileWith(name, content);
    await expect(rowsOf(join(folder, name))).rejects.toMatchObject({ code });
  });

  test("an export of a table of any name is compared with its manifest before a row of it is sent", async () => {
    const to = join(folder, "export");
    const items = Array.from({ length: 3 }, (_, index) => ({
      paymentId: { S: `pay-${index}` },
      amount: { N: "1.50" },
    }));
    const arn = "arn:aws:dynamodb:us-east-1:111122223333:table/legacy_payments";
    await writeScan(
      {
        name: "legacy_payments",
        arn,
        pages: async function* () {
          yield items;
        },
      },
      to,
      NOW,
    );
    const rows = await rowsOf(to);
    expect(rows).toEqual(items.map((item, index) => ({ number: index + 1, fields: plainFields(item) })));
    const damaged = readdirSync(to, { recursive: true }).find((path) => String(path).endsWith(".json.gz")) ?? "";
    writeFileSync(join(to, String(damaged)), gzipSync(`${JSON.stringify({ Item: items[0] })}\n`));
    await expect(rowsOf(to)).rejects.toMatchObject({ code: "SOURCE_DAMAGED" });
    mkdirSync(join(folder, "empty"));
    await expect(rowsOf(join(folder, "empty"))).rejects.toMatchObject({ code: "NO_EXPORT" });
  });
});

// ------------------------------------------------------------------------------------------------------------- the import

/** Records each id once; an amount of "bad" is refused, another amount under a known id is a conflict. */
class StandInLedger {
  readonly recorded = new Map<string, unknown>();
  calls = 0;

  constructor(private readonly failsAtCall = Number.POSITIVE_INFINITY) {}

  readonly send = async (entries: readonly Entry[]): Promise<RowResult[]> => {
    this.calls += 1;
    if (this.calls >= this.failsAtCall) throw new Error("The function is out of reach.");
    return entries.map((entry, position): RowResult => {
      const [id, amount] = [String(entry["paymentId"]), entry["amount"]];
      if (amount === "bad") return { position, outcome: "refused", code: "INVALID_AMOUNT", field: "amount" };
      if ("ttl" in entry) return { position, outcome: "refused", code: "UNKNOWN_FIELD" };
      const known = this.recorded.get(id);
      if (known === undefined) this.recorded.set(id, amount);
      if (known === undefined) return { position, outcome: "stored" };
      if (known === amount) return { position, outcome: "duplicate" };
      return { position, outcome: "conflict", code: "CONFLICT", field: "amount", TransactionID: id };
    });
  };
}

async function importFile(path: string, to: string, ledger: StandInLedger) {
  const source: RowSource = await openSource(path, "payment-audit-trail", NO_CLIENTS);
  const report = ImportReport.open(to, { book: "messages", source: source.identity, importedFrom: "old" });
  await runImport({
    book: IMPORT_BOOKS.messages,
    source,
    settings: { ...SETTINGS, from: "old" },
    report,
    send: ledger.send,
  });
  return { state: report.current, lines: readFileSync(report.notRecordedFile, "utf8").split("\n").filter(Boolean) };
}

describe("an import", () => {
  const ROWS = 1_250;
  const text = [
    "paymentId,amount",
    ...Array.from({ length: ROWS }, (_, row) => `pay-${row},${row % 100 === 7 ? "bad" : "1.00"}`),
  ];
  const path = fileWith("many.csv", `${text.join("\n")}\n`);

  test("counts by outcome and names the rows that were not recorded, with no value; again, all are duplicates", async () => {
    const ledger = new StandInLedger();
    const to = join(folder, "report-1");
    const first = await importFile(path, to, ledger);
    expect(first.state).toMatchObject({
      finished: true,
      counts: { stored: ROWS - 13, duplicate: 0, conflict: 0, refused: 13 },
      codes: { INVALID_AMOUNT: 13 },
    });
    expect(first.lines).toHaveLength(13);
    expect(JSON.parse(first.lines[0] ?? "")).toEqual({
      row: 9,
      outcome: "refused",
      code: "INVALID_AMOUNT",
      field: "amount",
    });
    expect(first.lines.join()).not.toMatch(/bad|pay-/);
    const second = await importFile(path, to, ledger);
    expect(second.state.counts).toEqual({ stored: 0, duplicate: ROWS - 13, conflict: 0, refused: 13 });
    expect(second.lines).toEqual(first.lines);
    expect(ledger.recorded.size).toBe(ROWS - 13);
  });

  test("that is broken off goes on where it stopped, wherever that was", async () => {
    for (const failsAtCall of [1, 3, 6, 11]) {
      const to = join(folder, `broken-${failsAtCall}`);
      const broken = new StandInLedger(failsAtCall);
      await expect(importFile(path, to, broken)).rejects.toThrow("out of reach");
      const going = new StandInLedger();
      for (const [id, amount] of broken.recorded) going.recorded.set(id, amount);
      const { state, lines } = await importFile(path, to, going);
      expect(state).toMatchObject({ finished: true, done: { rows: ROWS }, codes: { INVALID_AMOUNT: 13 } });
      expect(going.recorded.size).toBe(ROWS - 13);
      expect(lines).toHaveLength(13);
      expect(new Set(lines).size).toBe(13);
      // What was noted before is not sent again.
      expect(going.calls).toBeLessThanOrEqual(Math.ceil(ROWS / 100) - Math.floor((failsAtCall - 1) / 4) * 4 + 1);
    }
  });

  test("conflicts and unknown columns are named", async () => {
    const ledger = new StandInLedger();
    ledger.recorded.set("pay-1", "2.00");
    const { lines } = await importFile(
      fileWith("odd.csv", "paymentId,amount,ttl\npay-1,1.00,\npay-2,1.00,7\n"),
      join(folder, "odd"),
      ledger,
    );
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { row: 2, outcome: "conflict", code: "CONFLICT", field: "amount", TransactionID: "pay-1" },
      { row: 3, outcome: "refused", code: "UNKNOWN_FIELD", field: "ttl" },
    ]);
  });

  test("does not go on with the report of another source, or of one that has changed", async () => {
    const to = join(folder, "changed");
    const changing = fileWith("changing.csv", "paymentId,amount\npay-1,1\n");
    await expect(importFile(changing, to, new StandInLedger(1))).rejects.toThrow("out of reach");
    writeFileSync(changing, "paymentId,amount\npay-1,1\npay-2,2\n");
    await expect(importFile(changing, to, new StandInLedger())).rejects.toMatchObject({ code: "REPORT_OF_ANOTHER" });
  });
});
