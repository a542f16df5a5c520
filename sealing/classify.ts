/**
 * What a change of a table is to the log. Nothing in an item makes this fail: what no function of the ledger can have
 * done becomes an entry that says so, because a change that could not be sealed would hold up all those behind it.
 */

import { TABLES } from "../contract";
import { canonicalJson } from "../ledger/canonical-json";
import { derivedAuditId } from "../ledger/identifiers";
import { hasGoodMac, MAC_ATTRIBUTE, type MacKey } from "../ledger/record-mac";
import { isAllowedTransition, isPaymentStatus } from "../ledger/status-change";
import { integerOf, type StoredItem, textOf } from "../ledger/stored-item";
import { commitmentOf, type ItemJson, SALT_ATTRIBUTE } from "../log/commitment";
import type { RecordEntry } from "../log/entry";
import { keyOf, versionOf } from "../log/identity";
import { type StreamChange, storedForm } from "./stream-change";

const LEDGER = TABLES.paymentLedger;
const TRAIL = TABLES.paymentAuditTrail;

/** What a change is judged by, beside itself. */
export interface Judge {
  readonly macKey: MacKey;
  /** Strongly consistent read of an audit record. */
  readonly auditRecord: (auditId: string) => Promise<StoredItem | undefined>;
}

/** @throws only what `judge.auditRecord` throws. */
export async function classify(change: StreamChange, judge: Judge): Promise<RecordEntry> {
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

/** The item, when one of the functions wrote it under the key that the stream names. */
function genuine({ table, key }: StreamChange, image: ItemJson | undefined, { macKey }: Judge): StoredItem | undefined {
  if (image === undefined || keyOf(table, image).join("\0") !== key.join("\0")) return undefined;
  try {
    const item = storedForm(image);
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
