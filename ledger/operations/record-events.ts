/**
 * Records what happens to payments. The place in a payment's life is the key of an event, and a place can be taken once: so
 * each state has at most one successor, which was judged against exactly that state, however many callers there are.
 */

import { TABLES } from "../../contract";
import { eventsAnswer } from "../rules/answers";
import type { AuditEntry } from "../rules/audit-entry";
import { differingFields } from "../rules/differing-fields";
import { envelopeOf, parseEntries } from "../rules/entries";
import { groupedBy } from "../rules/grouped";
import { PLACE_MAX } from "../rules/life-check";
import type { BreachCode, LifeOutcome } from "../rules/payment-life";
import { equalMac } from "../rules/record-mac";
import type { EventResult, EventsResponse, RefusedResponse } from "../rules/responses";
import { SentTokens } from "../rules/sent-tokens";
import { type StoredItem, textOf, textOrEmpty } from "../rules/stored-item";
import { auditPut } from "../store/audit-record";
import { eventRecord, recordedContent, rowAsRead } from "../store/event-record";
import { getItem } from "../store/read-items";
import { isForged, type Services } from "../store/services";
import { type ActionVerdict, backOff, putAction, transact } from "../store/transaction";
import type { Call } from "./call";
import {
  asConflict,
  asRefused,
  asUntrusted,
  type EventOutcome,
  refusalOfBreach,
  storedResult,
  withoutPair,
} from "./event-outcomes";
import { KeptLives } from "./kept-lives";
import { ledgerEntry } from "./ledger-entry";
import { writeAuditId } from "./payment-books";
import { addRecorded, type ReadLife, readLife } from "./read-life";
import { recordEntries } from "./record-entries";
import { duplicateEntry } from "./record-payments";
import { refuseCall } from "./refusal-records";
import { acceptLifeEvent, type SentLifeEvent, validateLifeEvent } from "./sent-events";
import { isRefusal, refuseHarmful, validateEntries } from "./validation";

const EVENTS = TABLES.paymentEvents;
const TRAIL = TABLES.paymentAuditTrail;

/** How often an event whose place another one took is judged again before its caller is asked to wait. */
export const PLACE_RACES_MAX = 8;
/** Payments of one request that are worked on side by side; the events of one payment follow each other. */
const PARALLEL_PAYMENTS_MAX = 8;

export async function recordPaymentEvents(
  input: unknown,
  call: Call,
  services: Services,
): Promise<EventsResponse | RefusedResponse> {
  const envelope = envelopeOf(input, "events");
  const tokens = SentTokens.in(input);
  const harmful = refuseHarmful(envelope, services, { tokens, clear: envelope });
  const parsed = harmful === undefined ? parseEntries(input, "events") : { refusal: harmful };
  if ("refusal" in parsed) return refuseCall(input, parsed.refusal, EVENTS.logicalName, call, services);
  const { accepted, refused } = await validateEntries(
    { ...parsed, tokens },
    async (entry, position) => {
      const valid = validateLifeEvent(entry, { position, tokens, listActor: parsed.actor }, call, services);
      return isRefusal(valid) ? valid : acceptLifeEvent(valid, services);
    },
    EVENTS.logicalName,
    call,
  );
  const told = await recordByPayment(accepted, call, services);
  const records = told.flatMap(({ record }) => (record === undefined ? [] : [record]));
  const ids = await recordEntries([...records, ...refused.map(({ record }) => record)], services);
  const results = told.map(({ result, record }) => {
    if (record === undefined || result.outcome === "duplicate") return result;
    return { ...result, AuditID: ids.get(record) ?? record.auditId };
  });
  const refusedResults = refused.map(({ position, reason, record: { transactionId, auditId } }): EventResult => {
    const payment = transactionId === undefined ? {} : { TransactionID: transactionId };
    return { position, outcome: "refused", ...payment, AuditID: auditId, ...reason };
  });
  return eventsAnswer([...refusedResults, ...results]);
}

/**
 * Records one event with what it leaves beside its own record.
 *
 * @throws Error for a technical fault. Then the event may be recorded; sent again, it is a duplicate.
 */
export async function recordEvent(
  sent: SentLifeEvent,
  call: Call,
  services: Services,
  lives?: KeptLives,
): Promise<EventResult> {
  const { result, record } = await recordedEvent(sent, call, services, lives);
  if (record !== undefined) await recordEntries([record], services);
  return result;
}

/** The events of a payment one after another, in the order sent; payments side by side. */
async function recordByPayment(
  sent: readonly SentLifeEvent[],
  call: Call,
  services: Services,
): Promise<EventOutcome[]> {
  const payments = [...groupedBy(sent, ({ event }) => event.TransactionID).values()];
  const told: EventOutcome[] = [];
  const lives = new KeptLives();
  const work = async () => {
    for (let events = payments.shift(); events !== undefined; events = payments.shift())
      for (const each of events) told.push(await recordedEvent(each, call, services, lives));
  };
  await Promise.all(Array.from({ length: PARALLEL_PAYMENTS_MAX }, work));
  return told;
}

/**
 * Records one event. The record that it leaves beside its own is the caller's to write, before anything is answered.
 *
 * @param lives of payments whose events the caller records one after another.
 */
export async function recordedEvent(
  sent: SentLifeEvent,
  call: Call,
  services: Services,
  lives = new KeptLives(),
): Promise<EventOutcome> {
  const { TransactionID } = sent.event;
  const kept = lives.take(TransactionID);
  const onKept = kept && (await outcomeOnKept(kept, sent, call, services));
  if (kept !== undefined && onKept !== undefined) {
    lives.keep(TransactionID, kept);
    return onKept;
  }
  for (let race = 1; race <= PLACE_RACES_MAX; race++) {
    const read = await readLife(TransactionID, services);
    if ("fault" in read) return asUntrusted(sent, read.fault, call, services);
    const found = await outcomeOn(read, judged(sent, read), sent, call, services);
    const told = "verdicts" in found ? await decided(sent, found.verdicts, call, services) : found;
    if (told !== undefined) {
      lives.keep(TransactionID, read);
      return told;
    }
    await backOff(race);
  }
  const now = await readLife(TransactionID, services);
  return "fault" in now ? asUntrusted(sent, now.fault, call, services) : asRefused(sent, "BUSY", now, call);
}

/** Undefined where the life must be read anew, because other events may be recorded in it. */
async function outcomeOnKept(
  kept: ReadLife,
  sent: SentLifeEvent,
  call: Call,
  services: Services,
): Promise<EventOutcome | undefined> {
  const judgment = judged(sent, kept);
  // Another event may have made room for a grant.
  if ("refusedBy" in judgment) return undefined;
  const found = await outcomeOn(kept, judgment, sent, call, services);
  if (!("verdicts" in found)) return found;
  return found.verdicts[0]?.kind === "free" ? decided(sent, found.verdicts, call, services) : undefined;
}

/** The transaction that was to record an event: of each action, why it failed. The place is the first. */
interface NotCommitted {
  readonly verdicts: readonly ActionVerdict[];
}

/** What a life says to an event: it has it already, refuses the grant, or changes in this way. */
type Judgment =
  | { readonly standing: StoredItem }
  | { readonly refusedBy: BreachCode }
  | { readonly outcome: LifeOutcome };

function judged({ event }: SentLifeEvent, { life, byEventId }: ReadLife): Judgment {
  const standing = byEventId.get(event.EventID);
  if (standing !== undefined) return { standing };
  const outcome = life.judge(event);
  const [refusedBy] = event.Mode === "grant" ? outcome.breaches : [];
  return refusedBy === undefined ? { outcome } : { refusedBy };
}

/** What the event does to the life. */
async function outcomeOn(
  read: ReadLife,
  judgment: Judgment,
  sent: SentLifeEvent,
  call: Call,
  services: Services,
): Promise<EventOutcome | NotCommitted> {
  if ("standing" in judgment) return asRepeat(sent, judgment.standing, call, services);
  if ("refusedBy" in judgment) return asRefused(sent, refusalOfBreach(judgment.refusedBy), read, call);
  if (read.events.length >= PLACE_MAX) return asRefused(sent, "LIFE_FULL", read, call);
  return write(sent, read, judgment.outcome, call, services);
}

async function write(
  sent: SentLifeEvent,
  read: ReadLife,
  outcome: LifeOutcome,
  call: Call,
  services: Services,
): Promise<EventOutcome | NotCommitted> {
  const { event } = sent;
  const place = read.events.length + 1;
  const before = place === 1 ? read.row : read.events.at(-1);
  const recordedAt = call.now.toISOString();
  const row = await eventRecord(event, { place, before, outcome, recordedAt }, services);
  const record = await auditPut(writeEntry(sent, place, call), services);
  const put = { tableName: services.tables.paymentEvents, partitionKey: EVENTS.partitionKey, ...row };
  const opening = place === 1 ? [rowAsRead(event.TransactionID, read.row, services)] : [];
  const result = await transact(services.dynamo, [putAction(put), putAction(record), ...opening]);
  if (!result.committed) return result;
  addRecorded(read, row.item);
  if (outcome.breaches.length > 0) services.signal("PaymentBreach");
  return { result: storedResult(sent, row.item, "stored") };
}

/**
 * The WRITE record's key is that of the EventID: if it is taken, the event is recorded, here or in another life.
 *
 * @returns undefined when the place was taken, or the payment's row changed: then the event is judged again.
 */
async function decided(
  sent: SentLifeEvent,
  [, recordVerdict]: readonly ActionVerdict[],
  call: Call,
  services: Services,
): Promise<EventOutcome | undefined> {
  if (recordVerdict?.kind !== "failed") return undefined;
  const record = recordVerdict.existing;
  const auditId = writeAuditId(EVENTS.logicalName, sent.event.EventID);
  if (record === undefined || (await isForged(TRAIL.logicalName, record, services)))
    return asUntrusted(
      sent,
      { code: "RECORD_FORGED", table: TRAIL.logicalName, recordId: auditId, found: record },
      call,
      services,
    );
  if (!equalMac(sent.contentMac, textOrEmpty(record, "ContentMac"))) {
    const isOfOther = textOf(record, "TransactionID") !== sent.event.TransactionID;
    return asConflict(sent, isOfOther ? "TransactionID" : undefined, call, services);
  }
  // The same content was recorded since the life was read: it is in the life now, or its row is gone.
  const read = await readLife(sent.event.TransactionID, services);
  if ("fault" in read) return asUntrusted(sent, read.fault, call, services);
  const standing = read.byEventId.get(sent.event.EventID);
  return standing === undefined ? withoutPair(sent, record, call, services) : asRepeat(sent, standing, call, services);
}

/** An event of the life has the EventID: the same one again, or another one under its id. */
async function asRepeat(
  sent: SentLifeEvent,
  standing: StoredItem,
  call: Call,
  services: Services,
): Promise<EventOutcome> {
  const auditId = writeAuditId(EVENTS.logicalName, sent.event.EventID);
  const record = await getItem(services.dynamo, services.tables.paymentAuditTrail, TRAIL.partitionKey, auditId);
  if (record === undefined) return withoutPair(sent, standing, call, services);
  if (await isForged(TRAIL.logicalName, record, services))
    return asUntrusted(
      sent,
      { code: "RECORD_FORGED", table: TRAIL.logicalName, recordId: auditId, found: record },
      call,
      services,
    );
  if (!equalMac(sent.contentMac, textOrEmpty(standing, "ContentMac"))) {
    return asConflict(sent, differingFields({ ...sent.event }, recordedContent(standing)), call, services);
  }
  const result = storedResult(sent, standing, "duplicate");
  if (textOf(record, "Actor") === sent.actor) return { result };
  const { EventID, TransactionID } = sent.event;
  return { result, record: duplicateEntry(EVENTS.logicalName, EventID, TransactionID, sent.actor, call) };
}

function writeEntry({ event, actor, contentMac }: SentLifeEvent, place: number, call: Call): AuditEntry {
  const { EventID, TransactionID, Kind, Mode } = event;
  return ledgerEntry(
    {
      auditId: writeAuditId(EVENTS.logicalName, EventID),
      action: "WRITE",
      actor,
      table: EVENTS.logicalName,
      transactionId: TransactionID,
      contentMac,
      asked: { recordIds: [EventID], details: { Kind, Mode, Place: place } },
      answered: { recordIds: [EventID], result: "stored" },
    },
    call,
  );
}
