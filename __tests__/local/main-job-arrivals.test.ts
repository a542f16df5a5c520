/** The checks of files, messages, events and exports find the damage that each is there for, and say nothing of undamaged results. */

import type { CheckResponse } from "../../backup/check-operation";
import type { CheckReport } from "../../backup/findings";
import type { StoredItem } from "../../ledger/rules/stored-item";
import { checkArrivals } from "../../local/main-job/arrival-checks";
import type { Arrivals } from "../../local/main-job/arrivals";
import { DIRECT_CONFLICTS, DIRECT_REFUSALS, DIRECT_SUMS } from "../../local/main-job/direct";
import { exportDiffers } from "../../local/main-job/exports";
import { type InvariantCode, Invariants } from "../../local/main-job/invariants";
import type { ProcessedFile } from "../../local/main-job/partner-files";
import type { PartnerFile } from "../../local/main-job/samples";
import { eventsDiffer, readGapDiffers, type ServiceEvents } from "../../local/main-job/service-events";
import type { Snapshot } from "../../local/main-job/tables";

const EVENTS: ServiceEvents = { sent: 72, again: 24, heldBack: "CARD_DATA" };

function partnerFile(changes: Partial<PartnerFile> = {}): PartnerFile {
  const counts = { stored: 1, duplicate: 0, conflict: 1, refused: 1 };
  const file = { name: "a.csv", key: "payments/a.csv", day: 1 as const, rows: 3, counts, cardDataRows: 1 };
  return { ...file, badRows: "2 CARD_DATA, 3 CONFLICT", bytes: Buffer.alloc(0), ...changes };
}

function processed(changes: Partial<ProcessedFile> = {}, report: Partial<ProcessedFile["report"]> = {}): ProcessedFile {
  const file = partnerFile();
  return {
    file,
    report: {
      key: file.key,
      request: "req-1",
      rows: 3,
      counts: file.counts,
      cardDataRows: 1,
      removed: true,
      badRows: [],
      ...report,
    },
    badRows: file.badRows,
    isThere: false,
    ...changes,
  };
}

function arrivals(file = processed()): Arrivals {
  const messages = { messages: 3, stored: 1, duplicate: 1, distinctConflicts: 0, refusals: { NOT_JSON: 1 } };
  const sums = { EUR: { payments: 1, total: "1.50" } };
  return {
    samples: {
      files: { files: [file.file], sums, distinctConflicts: 1, cardNumbers: "" },
      messages: { ...messages, sums, cardNumbers: "", laterFrom: 4, bodies: [] },
    },
    files: [file],
    direct: { calls: 5, faults: [], statuses: new Map() },
    events: EVENTS,
  };
}

const record = (id: string, Action: string, Table: string, TransactionID?: string): StoredItem => ({
  AuditID: { S: id },
  Action: { S: Action },
  Table: { S: Table },
  ...(TransactionID === undefined ? {} : { TransactionID: { S: TransactionID } }),
});
const money = (amount: string, currency: string): StoredItem => ({ amount: { S: amount }, currency: { S: currency } });

/** What lies in the tables when everything went well. */
function sound(): { rows: [string, StoredItem][]; messages: [string, StoredItem][]; records: StoredItem[] } {
  const [files, queue] = ["payment-transactions", "payment-audit-trail"] as const;
  const direct = Object.entries(DIRECT_SUMS).map(([currency, { total }], index): [string, StoredItem] => {
    return [`d${index} 1`, { transactionId: { S: `d${index}` }, ...money(total, currency) }];
  });
  return {
    rows: [["f 1", { transactionId: { S: "f" }, ...money("1.50", "EUR") }], ...direct],
    messages: [["m", { paymentId: { S: "m" }, ...money("1.5", "EUR") }]],
    records: [
      ...["f", "d0", "d1"].map((id) => record(`W~${id}`, "WRITE", files, id)),
      record("W~m", "WRITE", queue, "m"),
      record("X~m", "REFUSAL", queue),
      ...Array.from({ length: 1 + DIRECT_REFUSALS }, (_, index) => record(`X~${index}`, "REFUSAL", files)),
      ...Array.from({ length: 1 + DIRECT_CONFLICTS }, (_, index) => record(`C~${index}`, "CONFLICT", files)),
      ...orderEvents(),
    ],
  };
}

/** Twelve orders of six events; order 6 has a gap after its third. */
function orderEvents(): StoredItem[] {
  return Array.from({ length: 12 }, (_, order) => {
    const id = `order-2025-${String(order + 1).padStart(3, "0")}`;
    const names = Array.from({ length: 6 }, (_unused, number) => `${id}-event-${number + 1}`);
    if (order === 5) names.splice(3, 0, "GAP");
    return names.map((name, place): StoredItem => {
      const sequence = { SequenceNumber: { S: `0${place}` }, TransactionOrder: { S: `t#0${place}` } };
      const AuditID = name === "GAP" ? "G~1" : name;
      return { ...record(AuditID, name === "GAP" ? "GAP" : "READ", "", id), ...sequence };
    });
  }).flat();
}

function snapshotOf({ rows, messages, records }: ReturnType<typeof sound>): Snapshot {
  const key = (item: StoredItem) => (item["AuditID"] as { S: string }).S;
  return {
    ledger: new Map(),
    trail: new Map(records.map((item) => [key(item), item])),
    messages: new Map(messages),
    transactions: new Map(rows),
  };
}

function broken(change: (tables: ReturnType<typeof sound>) => void, all = arrivals()): InvariantCode[] {
  const tables = sound();
  change(tables);
  const invariants = new Invariants();
  checkArrivals(snapshotOf(tables), all, invariants);
  const found = invariants.broken().filter(({ faults }) => faults[0] !== "it was not checked");
  return found.map(({ code }) => code);
}

const nothing = () => undefined;

describe("tables", () => {
  test("as expected", () => expect(broken(nothing)).toEqual([]));
  test("the same payment in two rows", () =>
    expect(broken(({ rows }) => rows.push(["f 2", { transactionId: { S: "f" }, ...money("0", "EUR") }]))).toEqual([
      "ARRIVALS_DIFFER",
    ]));
  test("a row without its WRITE record", () =>
    expect(broken(({ records }) => records.shift())).toEqual(["ARRIVALS_DIFFER"]));
  test("an amount that lost a cent", () =>
    expect(broken(({ rows }) => Object.assign(rows[0]?.[1] ?? {}, money("1.49", "EUR")))).toEqual(["ARRIVALS_DIFFER"]));
  test("a message that was not stored", () =>
    expect(broken(({ messages }) => messages.pop())).toEqual(["MESSAGES_DIFFER", "ARRIVALS_DIFFER"]));
  test("a poison message without its record", () =>
    expect(
      broken((tables) => {
        tables.records = tables.records.filter((item) => (item["AuditID"] as { S: string }).S !== "X~m");
      }),
    ).toEqual(["MESSAGES_DIFFER"]));
});

describe("files", () => {
  const found = (file: ProcessedFile) => broken(nothing, arrivals(file));

  test("another bad row than was meant", () =>
    expect(found(processed({ badRows: "2 CARD_DATA" }))).toEqual(["FILES_DIFFER"]));
  test("a row that was not counted", () => expect(found(processed({}, { rows: 2 }))).toEqual(["FILES_DIFFER"]));
  test("a file with card data that stayed", () => expect(found(processed({ isThere: true }))).toEqual(["FILE_KEPT"]));
  test("a file without any that is gone", () => {
    const file = partnerFile({ cardDataRows: 0 });
    expect(found(processed({ file, isThere: false }, { cardDataRows: 0, removed: true }))).toContain("FILE_KEPT");
  });
});

describe("events", () => {
  const events = orderEvents();

  test("as sent", () => expect(eventsDiffer(events, EVENTS)).toEqual([]));
  test("one that is missing", () => expect(eventsDiffer(events.slice(1), EVENTS)).toHaveLength(1));
  test("without the gap", () =>
    expect(
      eventsDiffer(
        events.filter((item) => (item["Action"] as { S: string }).S !== "GAP"),
        EVENTS,
      ),
    ).toHaveLength(1));
  test("two that changed places", () => {
    const [first = {}, second = {}, ...rest] = events;
    const order = (item: StoredItem, place: string) => ({ ...item, TransactionOrder: { S: place } });
    expect(eventsDiffer([order(first, "t#01"), order(second, "t#00"), ...rest], EVENTS)).toHaveLength(1);
  });
  test("a card number that the client let through", () =>
    expect(eventsDiffer(events, { ...EVENTS, heldBack: undefined })).toHaveLength(1));
  const shown = (...actions: string[]) => actions.map((action) => (action === "GAP" ? action : `EVENT:${action}`));
  test("the gap at another place of the auditor's answer", () => {
    expect(readGapDiffers(shown("WRITE", "READ", "READ", "GAP", "READ", "READ", "READ"))).toEqual([]);
    expect(readGapDiffers(shown("WRITE", "READ", "GAP", "READ", "READ", "READ", "READ"))).toHaveLength(1);
  });
});

describe("export", () => {
  const response = (outcome: CheckResponse["outcome"], ...codes: string[]): CheckResponse => ({
    outcome,
    report: "checks/x.json",
    tables: [{ table: "PaymentLedger", verdict: outcome, codes }],
  });
  const whole = (compared: number, findings: CheckReport["findings"] = []): CheckReport => ({
    verdict: findings.length === 0 ? "good" : "faulty",
    folder: "",
    exports: [],
    comparisons: [{ table: "PaymentLedger", recordedUntil: "", compared, undated: 0 }],
    findings,
    further: {},
    notes: [],
  });
  const good = { at: "", scheduled: response("good"), whole: whole(5), damaged: response("faulty", "WRONG_CHECKSUM") };

  test("as it must be", () => expect(exportDiffers(good, 1, 5)).toEqual([]));
  test.each([
    ["found faulty", { ...good, scheduled: response("faulty", "MISSING_FILE") }],
    ["an item that no export holds", { ...good, whole: whole(5, [{ code: "MISSING_ITEM", message: "" }]) }],
    ["fewer items compared than were stored", { ...good, whole: whole(4) }],
    ["damage that was not named", { ...good, damaged: response("good") }],
  ])("%s", (_case, checked) => expect(exportDiffers(checked, 1, 5)).toHaveLength(1));
  test("a table that was left out", () => expect(exportDiffers(good, 2, 5)).toHaveLength(1));
});
