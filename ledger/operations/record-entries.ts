/**
 * Writes the ledger's own records about refusals, conflicts, alarms and duplicates. Every request that met a conflict or
 * an alarm leaves a record: the first under an id that follows from what it met, each further one under an id that
 * follows from that first id and from the request, so a request that Lambda repeats is on record once.
 */

import { randomBytes } from "node:crypto";
import { TABLES } from "../../contract";
import type { AuditEntry } from "../rules/audit-entry";
import type { JsonObject } from "../rules/canonical-json";
import { derivedAuditId, freshAuditId } from "../rules/identifiers";
import { type StoredItem, textOrEmpty, textWithin } from "../rules/stored-item";
import { auditPut } from "../store/audit-record";
import { isForged, type Services } from "../store/services";
import { writeOnce } from "../store/write-once";

const TRAIL = TABLES.paymentAuditTrail.logicalName;

/** The AuditID under which each of the given entries is on record. */
type RecordedIds = ReadonlyMap<AuditEntry, string>;

/** @throws when a record cannot be stored: then the request must not be answered. */
export async function recordEntries(entries: readonly AuditEntry[], services: Services): Promise<RecordedIds> {
  const ids = new Map<AuditEntry, string>();
  let open = entries.map((entry) => ({ entry, form: entry }));
  while (open.length > 0) {
    const firsts = new Map<string, AuditEntry>();
    for (const { form } of open) if (!firsts.has(form.auditId)) firsts.set(form.auditId, form);
    const holders = await holdersOf([...firsts.values()], services);
    const next: typeof open = [];
    for (const { entry, form } of open) {
      const holder = holders.get(form.auditId) ?? arrivalOf(form);
      const other = otherForm(form, holder);
      if (other === undefined) ids.set(entry, form.auditId);
      else next.push({ entry, form: other });
    }
    open = next;
  }
  return ids;
}

/** Which request left a record: its id at AWS, and the actor, because the entries of one list may name several. */
interface Arrival {
  readonly requestId: string;
  readonly actor: string;
}

/** Whose record has an id now; where none of ours has it, the unguessable id under which ours is written instead. */
type Holder = Arrival | { readonly freshId: string };

/** Writes the entries whose ids are free, and returns for each id whose record has it. */
async function holdersOf(entries: readonly AuditEntry[], services: Services): Promise<Map<string, Holder>> {
  const puts = await Promise.all(entries.map((entry) => auditPut(entry, services)));
  const outcomes = await writeOnce(
    services.dynamo,
    puts.map((put) => [put]),
  );
  const holders = new Map<string, Holder>();
  for (const [index, entry] of entries.entries()) {
    const outcome = outcomes[index];
    const found = outcome === undefined || outcome.written ? undefined : outcome.existing[0];
    holders.set(entry.auditId, found === undefined ? arrivalOf(entry) : await holderOf(found, services));
  }
  return holders;
}

/** A forged record was put there to keep ours out. */
async function holderOf(found: StoredItem, services: Services): Promise<Holder> {
  if (await isForged(TRAIL, found, services)) {
    services.signal("IntegrityAlarm");
    return { freshId: freshAuditId("ALARM", randomBytes(24)) };
  }
  return { requestId: textWithin(found, "Caller", "RequestID") ?? "", actor: textOrEmpty(found, "Actor") };
}

function arrivalOf({ caller, actor }: AuditEntry): Arrival {
  return { requestId: caller.requestId, actor };
}

/** The form in which the entry is written when its id is another record's; undefined when it is on record. */
function otherForm(entry: AuditEntry, holder: Holder): AuditEntry | undefined {
  if ("freshId" in holder) return { ...entry, auditId: holder.freshId };
  const { requestId, actor } = arrivalOf(entry);
  if (entry.repeatOf !== undefined || (holder.requestId === requestId && holder.actor === actor)) return undefined;
  // The ids of all other records name the request or the message themselves.
  if (entry.action !== "CONFLICT" && entry.action !== "ALARM") return undefined;
  return {
    ...entry,
    auditId: derivedAuditId(entry.action, entry.auditId, requestId, actor),
    repeatOf: entry.auditId,
    ...(entry.query === undefined ? {} : { query: { ...entry.query, ...withoutAttempted(entry.query.details) } }),
  };
}

/** What was attempted is in the first record: the ids of conflicts follow from it. */
function withoutAttempted(details: unknown): { details?: JsonObject } {
  if (typeof details !== "object" || details === null) return {};
  const { Attempted: _attempted, ...rest } = details as JsonObject;
  return { details: rest };
}
