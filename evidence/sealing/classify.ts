/**
 * What a change of a table is to the log. Nothing in an item makes this fail: what no function of the ledger can have
 * done becomes an entry that says so, because a change that could not be sealed would hold up all those behind it.
 *
 * Anyone who may invoke the sealer can make up an event. So an event that says that somebody tampered is compared with the
 * table, and what the table shows is sealed: an entry is permanent, so a claim alone must not make one.
 */

import { type LogicalTableName, TABLES } from "../../contract";
import { fromItemJson, type ItemJson, toItemJson } from "../../ledger/rules/attribute-value";
import { canonicalJson } from "../../ledger/rules/canonical-json";
import { commitmentOf, SALT_ATTRIBUTE } from "../../ledger/rules/commitment";
import { derivedAuditId } from "../../ledger/rules/identifiers";
import { isPaymentStatus } from "../../ledger/rules/payment";
import { hasGoodMac, MAC_ATTRIBUTE, type MacKey } from "../../ledger/rules/record-mac";
import { isAllowedTransition } from "../../ledger/rules/status-change";
import { integerOf, type StoredItem, textOf } from "../../ledger/rules/stored-item";
import type { RecordEntry } from "../log/entry";
import { keyValuesOf, versionOf } from "../log/identity";
import type { StreamChange } from "./stream-change";

const LEDGER = TABLES.paymentLedger;
const TRAIL = TABLES.paymentAuditTrail;

/** What a change is judged by, beside itself. */
export interface Judge {
  readonly macKey: MacKey;
  /** Strongly consistent read of an audit record. */
  readonly auditRecord: (auditId: string) => Promise<StoredItem | undefined>;
  /** Strongly consistent read of the item that is under the key now. */
  readonly stored: (table: LogicalTableName, key: readonly string[]) => Promise<StoredItem | undefined>;
}

/**
 * @returns a `LATE` entry, or none, for an event that says that somebody tampered while the table shows nothing of it.
 * @throws only what the judge's reads throw.
 */
export async function classify(change: StreamChange, judge: Judge): Promise<RecordEntry | undefined> {
  const entry = await entryBySaying(change, judge);
  return entry.kind === "RECORD" ? entry : asTheTableShows(entry, change, judge);
}

/** Whether `classify` found that the table shows nothing of what the event says. */
export function isUnconfirmed(entry: RecordEntry | undefined): boolean {
  return entry === undefined || entry.kind === "LATE";
}

/** The entry of a change that happened as the event says. */
async function entryBySaying(change: StreamChange, judge: Judge): Promise<RecordEntry> {
  const { table, key, sequence, now, before } = change;
  const place = { table, key, sequence };
  const previous = before === undefined ? "" : commitmentOrNone(change, before);
  if (change.event === "REMOVE") {
    return { kind: "TAMPER", ...place, version: versionIn(before), commitment: "", previous };
  }
  const commitment = now === undefined ? "" : commitmentOrNone(change, now);
  const version = versionIn(now);
  if (change.event === "INSERT") {
    const kind = genuine(change, now, judge) === undefined ? "FORGED" : "RECORD";
    return { kind, ...place, version, commitment, previous: "" };
  }
  const kind = (await isStatusChange(change, judge)) ? "RECORD" : "TAMPER";
  return { kind, ...place, version, commitment, previous };
}

/**
 * The table decides what is sealed:
 * - No item: a record that the ledger wrote is gone, so its removal is sealed. Of any other record only the event knows.
 * - An item that no function wrote, or an older version than before: the event is right.
 * - Both images are the ledger's own and the second one is in the table: it was changed in a way that is not allowed.
 * - Otherwise a record of the ledger: it is sealed as the table shows it, which adds nothing where it is sealed already.
 */
async function asTheTableShows(
  said: RecordEntry,
  change: StreamChange,
  judge: Judge,
): Promise<RecordEntry | undefined> {
  const { table, key } = said;
  const stored = await judge.stored(table, key);
  const before = genuine(change, change.before, judge);
  if (stored === undefined) return before === undefined ? undefined : said;
  const image = toItemJson(stored);
  if (genuine(change, image, judge) === undefined) return said;
  const version = versionOf(image);
  if (before !== undefined && BigInt(version) < BigInt(versionOf(toItemJson(before)))) return said;
  const commitment = commitmentOf(table, image);
  const isChanged = before !== undefined && change.event === "MODIFY" && said.commitment === commitment;
  if (isChanged) return said;
  return { kind: "LATE", table, key, version, sequence: "", commitment, previous: said.previous };
}

/** The item, when one of the functions wrote it under the key that the stream names. */
function genuine({ table, key }: StreamChange, image: ItemJson | undefined, { macKey }: Judge): StoredItem | undefined {
  if (image === undefined || keyValuesOf(table, image).join("\0") !== key.join("\0")) return undefined;
  try {
    const item = fromItemJson(image);
    return item !== undefined && hasGoodMac(table, item, macKey) ? item : undefined;
  } catch {
    return undefined;
  }
}

const CHANGED_WITH_STATUS: ReadonlySet<string> = new Set([
  "Status",
  "Version",
  "StatusChangedAt",
  "FailureDay",
  SALT_ATTRIBUTE,
  MAC_ATTRIBUTE,
]);

/** The only change that a recorded payment allows, with the audit record that was written in the same transaction. */
async function isStatusChange(change: StreamChange, judge: Judge): Promise<boolean> {
  if (change.table !== LEDGER.logicalName) return false;
  const before = genuine(change, change.before, judge);
  const now = genuine(change, change.now, judge);
  if (before === undefined || now === undefined || !isNextStatus(before, now)) return false;
  if (lastingText(change.before) !== lastingText(change.now)) return false;
  const [transactionId = ""] = change.key;
  const auditId = derivedAuditId("UPDATE", LEDGER.logicalName, transactionId, String(integerOf(now, "Version")));
  const record = await judge.auditRecord(auditId);
  return (
    record !== undefined &&
    textOf(record, TRAIL.partitionKey) === auditId &&
    hasGoodMac(TRAIL.logicalName, record, judge.macKey)
  );
}

function isNextStatus(before: StoredItem, now: StoredItem): boolean {
  const [from, to] = [textOf(before, "Status"), textOf(now, "Status")];
  const [version, next] = [integerOf(before, "Version"), integerOf(now, "Version")];
  if (!isPaymentStatus(from) || !isPaymentStatus(to) || version === undefined) return false;
  return next === version + 1 && isAllowedTransition(from, to);
}

/** The attributes that a status change leaves as they are. */
function lastingText(image: ItemJson | undefined): string {
  return canonicalJson(
    Object.fromEntries(Object.entries(image ?? {}).filter(([name]) => !CHANGED_WITH_STATUS.has(name))),
  );
}

function versionIn(image: ItemJson | undefined): string {
  return image === undefined ? "1" : versionOf(image).toWellFormed();
}

/** Empty for what has no canonical form. DynamoDB stores no such item, so it is one that a caller of the function made up. */
function commitmentOrNone({ table }: StreamChange, image: ItemJson): string {
  try {
    return commitmentOf(table, image);
  } catch {
    return "";
  }
}
