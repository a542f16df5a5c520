/** Compares what the functions answered and what the tables and logs hold with what the generator wrote. */

import { type FunctionId, type LogicalTableName, TABLES } from "../../contract";
import { toItemJson } from "../../ledger/rules/attribute-value";
import { canonicalJson } from "../../ledger/rules/canonical-json";
import { type StoredItem, textOf } from "../../ledger/rules/stored-item";
import type { StoredObject } from "./buckets";
import type { LedgerCalls } from "./calls";
import type { ExpectedCounts, InputLine, LineOutcome } from "./input";
import type { Invariants } from "./invariants";
import type { FunctionLog } from "./logs";
import { currencySums, type SamplePayment, sumsDiffer } from "./payments";
import { number } from "./progress";
import type { PerformedRead } from "./reader";
import { everythingIn, type Secrets } from "./secrets";
import { endingOnRetry } from "./send-lines";
import type { Snapshot } from "./tables";

export interface CountedOutcomes {
  readonly outcomes: Readonly<Record<string, number>>;
  readonly refusals: Readonly<Record<string, number>>;
}

const LEDGER = TABLES.paymentLedger.logicalName;
const OUTCOMES = ["stored", "duplicate", "conflict", "refused", "broken"] as const;

export function countEndings(endings: Iterable<LineOutcome>): CountedOutcomes {
  const outcomes: Record<string, number> = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0]));
  const refusals: Record<string, number> = {};
  for (const ending of endings) {
    const outcome = OUTCOMES.find((known) => known === ending) ?? "refused";
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (outcome === "refused") refusals[ending] = (refusals[ending] ?? 0) + 1;
  }
  return { outcomes, refusals };
}

export function checkEndings(
  lines: readonly InputLine[],
  endings: ReadonlyMap<number, LineOutcome>,
  expected: ExpectedCounts,
  invariants: Invariants,
): CountedOutcomes {
  const faults = lines.flatMap(({ number: line }) => {
    const [is, should] = [endings.get(line) ?? "without an answer", expected.endingOf(line)];
    return is === should ? [] : [`line ${line} ended ${is} instead of ${should}`];
  });
  invariants.record("LINES_DIFFER", `${number(lines.length)} lines`, faults);
  const counted = countEndings(endings.values());
  const counts = Object.keys({ ...expected.outcomes, ...expected.refusals }).length + 1;
  invariants.record("COUNTS_DIFFER", `${counts} counts`, [
    ...(lines.length === expected.lines ? [] : [`the file has ${lines.length} lines instead of ${expected.lines}`]),
    ...countsDiffer(counted.outcomes, expected.outcomes),
    ...countsDiffer(counted.refusals, expected.refusals),
  ]);
  return counted;
}

export function countsDiffer(is: Readonly<Record<string, number>>, should: Readonly<Record<string, number>>): string[] {
  return Object.keys({ ...is, ...should }).flatMap((name) =>
    (is[name] ?? 0) === (should[name] ?? 0) ? [] : [`${name}: ${is[name] ?? 0} instead of ${should[name] ?? 0}`],
  );
}

/** The tables after the first feeding: rows, WRITE records, sums, and the records of what was not stored. */
export function checkTables(
  { ledger, trail }: Snapshot,
  payments: readonly SamplePayment[],
  expected: ExpectedCounts,
  invariants: Invariants,
): void {
  const ids = new Set(payments.map(({ TransactionID }) => TransactionID));
  invariants.record("ROWS_DIFFER", `${number(ledger.size)} rows`, [
    ...[...ids].filter((id) => !ledger.has(id)).map((id) => `${id} has no row`),
    ...[...ledger.keys()].filter((id) => !ids.has(id)).map((id) => `the row ${id} was never stored`),
  ]);
  const writes = recordsOf(trail, "WRITE", LEDGER);
  invariants.record("WRITE_RECORDS_DIFFER", `${number(writes.length)} records`, writesDiffer(writes, ids));
  const sums = currencySums(ledger.values());
  invariants.record("SUMS_DIFFER", `${sums.size} currencies`, [
    ...failuresDiffer(ledger, expected),
    ...sumsDiffer(sums, expected.sums),
  ]);
  const recorded = {
    REFUSAL: recordsOf(trail, "REFUSAL", LEDGER).length,
    CONFLICT: firstConflicts(trail, LEDGER).length,
  };
  const wanted = { REFUSAL: expected.outcomes["refused"] ?? 0, CONFLICT: expected.distinctConflicts };
  const extent = `${recorded.REFUSAL} refusals, ${recorded.CONFLICT} conflicts`;
  invariants.record("REFUSALS_UNRECORDED", extent, countsDiffer(recorded, wanted));
}

/** Records that the ledger made about one of its tables; other services' events name none. */
export function recordsOf(trail: Snapshot["trail"], action: string, table: LogicalTableName): StoredItem[] {
  return [...trail.values()].filter(
    (record) => textOf(record, "Action") === action && textOf(record, "Table") === table,
  );
}

/** One for each distinct conflicting content; each further request that sent it has a record with `RepeatOf`. */
export function firstConflicts(trail: Snapshot["trail"], table: LogicalTableName): StoredItem[] {
  return recordsOf(trail, "CONFLICT", table).filter((record) => !("RepeatOf" in record));
}

export function writesDiffer(writes: readonly StoredItem[], ids: ReadonlySet<string>): string[] {
  const counts = new Map<string, number>();
  for (const record of writes) {
    const id = textOf(record, "TransactionID") ?? "";
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return [...new Set([...ids, ...counts.keys()])].flatMap((id) => {
    const should = ids.has(id) ? 1 : 0;
    const is = counts.get(id) ?? 0;
    return is === should ? [] : [`${id} has ${is} WRITE records instead of ${should}`];
  });
}

function failuresDiffer(ledger: Snapshot["ledger"], expected: ExpectedCounts): string[] {
  const failures = [...ledger.values()].filter((row) => textOf(row, "Status") === "Failure").length;
  return failures === expected.storedFailures ? [] : [`${failures} failures instead of ${expected.storedFailures}`];
}

/** @param endings of the lines that were sent again. */
export function checkRetry(
  before: Snapshot,
  after: Snapshot,
  endings: ReadonlyMap<number, LineOutcome>,
  expected: ExpectedCounts,
  invariants: Invariants,
): void {
  const wrong = [...endings].flatMap(([line, is]) => {
    const should = endingOnRetry(expected.endingOf(line));
    return is === should ? [] : [`line ${line} ended ${is} instead of ${should} when sent again`];
  });
  const added = [...after.trail].filter(([id]) => !before.trail.has(id)).map(([, record]) => record);
  const refusals = added.filter((record) => textOf(record, "Action") === "REFUSAL").length;
  const attempts = added.filter(isFurtherAttempt).length;
  const others = added.length - refusals - attempts;
  const { refused = 0, conflict = 0 } = countEndings(endings.values()).outcomes;
  invariants.record("RETRY_WROTE", `${number(endings.size)} lines sent again`, [
    ...wrong,
    ...(after.ledger.size === before.ledger.size ? [] : [`${after.ledger.size - before.ledger.size} rows more`]),
    ...changed(before.ledger, after.ledger),
    ...changed(before.trail, after.trail),
    ...(others === 0 ? [] : [`${others} new audit records that are neither refusals nor further attempts`]),
    ...(refusals === refused ? [] : [`${refusals} refusal records for ${refused} refusals`]),
    ...(conflict === 0 || attempts > 0 ? [] : [`${conflict} conflicts left no record of the further attempt`]),
  ]);
}

/** The record of a request that met a known conflict, or sent what another actor's request has recorded. */
function isFurtherAttempt(record: StoredItem): boolean {
  const action = textOf(record, "Action");
  return action === "DUPLICATE" || (action === "CONFLICT" && "RepeatOf" in record);
}

function changed(before: ReadonlyMap<string, StoredItem>, after: ReadonlyMap<string, StoredItem>): string[] {
  return [...before].flatMap(([id, item]) => {
    const now = after.get(id);
    return now !== undefined && bytesOf(now) === bytesOf(item) ? [] : [`${id} was changed or removed`];
  });
}

function bytesOf(item: StoredItem): string {
  return canonicalJson([toItemJson(item)]);
}

/** The trail at the end against the reads that were made: none without a record, no record without a read. */
export function readsAndRecordsDiffer({ trail }: Snapshot, reads: readonly PerformedRead[]): string[] {
  const isRead = (record: StoredItem) => ["READ", "REVEAL", "AUDIT_READ"].includes(textOf(record, "Action") ?? "");
  const ours = [...trail.values()].filter((record) => isRead(record) && textOf(record, "Origin") === "LEDGER");
  const recorded = new Set(ours.filter((record) => !("PartOf" in record)).map((record) => textOf(record, "AuditID")));
  const made = new Set(reads.map(({ auditId }) => auditId));
  const pointers = ours.filter((record) => "PartOf" in record);
  return [
    ...[...made].filter((id) => !recorded.has(id)).map((id) => `the read ${id} has no record in the table`),
    ...[...recorded].filter((id) => id !== undefined && !made.has(id)).map((id) => `${id} records a read nobody made`),
    ...reads.flatMap((read) => pointersDiffer(read, pointers)),
  ];
}

function pointersDiffer({ auditId, isList, returnedIds }: PerformedRead, pointers: readonly StoredItem[]): string[] {
  const own = pointers.filter((pointer) => textOf(pointer, "PartOf") === auditId);
  const found = own.map((pointer) => textOf(pointer, "TransactionID") ?? "").sort();
  const wanted = isList ? [...returnedIds].sort() : [];
  return found.join() === wanted.join() ? [] : [`the pointers of ${auditId} are not under the payments it returned`];
}

export function checkSecretsAtRest(snapshot: Snapshot, secrets: Secrets, invariants: Invariants): void {
  const { ledger, trail, messages, transactions } = snapshot;
  const records = [...trail.values()];
  const open = [
    ...[...ledger.values()].filter((row) => !isBinary(row, "SecureToken")).map((row) => textOf(row, "TransactionID")),
    ...records.filter((record) => !isSealed(record)).map((record) => textOf(record, "AuditID")),
  ];
  const items = [...ledger.values(), ...records, ...messages.values(), ...transactions.values()];
  const extent = `${number(items.length)} items`;
  invariants.record(
    "NOT_CIPHERTEXT",
    extent,
    open.map((id) => `${id} has a field that is not ciphertext`),
  );
  const clear = items.filter((item) => secrets.isIn(everythingIn(item)));
  const named = clear.map((item) => `a secret in clear in ${textOf(item, "AuditID") ?? "a row of a payment"}`);
  invariants.record("SECRET_AT_REST", `${number(secrets.count)} values in ${extent}`, named);
}

/** All versions of everything in the buckets; what was removed for its card data is not among them. */
export function checkObjects(objects: readonly StoredObject[], secrets: Secrets, invariants: Invariants): void {
  const telling = objects.filter(({ key, text }) => secrets.isIn(text) || secrets.isIn(key));
  const faults = telling.map(({ bucket, key }) => `a secret in clear in ${bucket}/${secrets.isIn(key) ? "?" : key}`);
  invariants.record("SECRET_IN_BUCKET", `${number(objects.length)} objects`, faults);
}

/** A pointer has no details; every other record has both. */
function isSealed(record: StoredItem): boolean {
  if ("PartOf" in record) return !("QueryDetails" in record) && !("Response" in record);
  return isBinary(record, "QueryDetails") && isBinary(record, "Response");
}

function isBinary(item: StoredItem, name: string): boolean {
  const value = item[name];
  return value !== undefined && "B" in value && value.B.length > 0;
}

/** Queues and streams call their functions as often as they see fit, and at least once in a job. */
export const CALLED_BY_OTHERS: ReadonlySet<FunctionId> = new Set([
  "persistPaymentAuditTrail",
  "processPaymentMessages",
  "sealAuditTrail",
]);
/** A schedule calls it each minute: perhaps in the job's time, perhaps not. */
const CALLED_BY_THE_CLOCK: FunctionId = "publishCheckpoint";

export function checkLogs(
  logs: readonly FunctionLog[],
  calls: LedgerCalls,
  secrets: Secrets,
  invariants: Invariants,
): void {
  const lines = logs.reduce((sum, log) => sum + log.lines.length, 0);
  const silent = logs.flatMap(({ id, endings, failures }) => {
    const made = calls.made.get(id) ?? 0;
    const isFurther = endings > made && (CALLED_BY_OTHERS.has(id) || id === CALLED_BY_THE_CLOCK);
    const enough = isFurther || (endings === made && !CALLED_BY_OTHERS.has(id));
    if (failures > 0) return [`${id} failed ${failures} times`];
    return enough ? [] : [`${id} was called ${made} times and logged ${endings} endings`];
  });
  const telling = logs.flatMap(({ id, lines: own }) =>
    own.filter((text) => secrets.isIn(text)).map(() => `a log line of ${id} holds a secret`),
  );
  invariants.record("SECRET_IN_LOG", `${number(lines)} lines`, [...silent, ...telling]);
}
