/** Reads what happened to a payment, and the holds and breaches that somebody may have to settle. Every read is audited first. */

import { TABLES } from "../../contract";
import { notFoundIf } from "../rules/answers";
import { encodePageToken, type LedgerQuery, parsePage, parseRange } from "../rules/queries";
import type { LedgerQueryResponse, OpenEventView } from "../rules/responses";
import { SCHEMA_VERSION } from "../rules/schema";
import { integerOf, type StoredItem, textOf, textOrEmpty } from "../rules/stored-item";
import { readDayIndex } from "../store/day-index";
import { eventView, REVIEW_VALUES } from "../store/event-record";
import { paymentView } from "../store/payment-record";
import type { Services } from "../store/services";
import type { Call } from "./call";
import type { IntegrityFault } from "./integrity-alarm";
import { askedOf, recordRead, refuseRecords } from "./read-audit";
import { type BrokenLife, type ReadLife, readLife } from "./read-life";
import { refuseCall } from "./refusal-records";

const LEDGER = TABLES.paymentLedger.logicalName;
const EVENTS = TABLES.paymentEvents;
const PARALLEL_LIVES_MAX = 8;

type LifeQuery = Extract<LedgerQuery, { Query: "life" }>;
type OpenQuery = Extract<LedgerQuery, { Query: "open-holds" | "open-breaches" }>;

export async function queryLife(query: LifeQuery, call: Call, services: Services): Promise<LedgerQueryResponse> {
  const page = parsePage(query);
  if (!page.ok) return refuseCall(query, page.refusal, LEDGER, call, services);
  const read = await readLife(query.TransactionID, services);
  const faults = "fault" in read ? [read.fault] : [];
  const refused = await refuseRecords(faults, query.Actor, call, services);
  const whole = "fault" in read ? undefined : read;
  const after = Number(page.value.after?.[0] ?? 0);
  const all = (whole?.events ?? []).map(eventView);
  const behind = all.filter(({ Place }) => Place > after);
  const events = behind.slice(0, page.value.limit);
  const payments = whole?.row === undefined ? [] : [paymentView(whole.row)];
  const AuditID = await recordRead(
    {
      action: "READ",
      actor: query.Actor,
      table: EVENTS.logicalName,
      asked: askedOf(query),
      askedIds: [query.TransactionID],
      returnedIds: [...payments.map(({ TransactionID }) => TransactionID), ...events.map(({ EventID }) => EventID)],
      result: refused.length > 0 ? "refused" : payments.length + events.length > 0 ? "returned" : "not-found",
      transactionId: query.TransactionID,
    },
    call,
    services,
  );
  const answered = { schemaVersion: SCHEMA_VERSION, outcome: "answered", refused, AuditID } as const;
  if (whole === undefined) return { ...answered, payments: [] };
  const last = events.at(-1);
  const more = last !== undefined && events.length < behind.length;
  return {
    ...answered,
    payments,
    ...notFoundIf(payments.length + all.length === 0),
    life: {
      State: whole.life.state,
      events,
      openHolds: whole.life.openHolds.map(({ EventID }) => ({ EventID })),
      openBreaches: whole.life.openBreaches.map(({ EventID, codes }) => ({ EventID, Breach: [...codes] })),
    },
    ...(more ? { NextPageToken: encodePageToken(query, [String(last.Place), last.EventID]) } : {}),
  };
}

/** The index holds what was ever a hold or a breach; what of it is still open, the payments' lives say. */
export async function queryOpenEvents(query: OpenQuery, call: Call, services: Services): Promise<LedgerQueryResponse> {
  const range = parseRange(query, call.now);
  if (!range.ok) return refuseCall(query, range.refusal, LEDGER, call, services);
  const page = parsePage(query);
  if (!page.ok) return refuseCall(query, page.refusal, LEDGER, call, services);
  const value = query.Query === "open-holds" ? REVIEW_VALUES.holds : REVIEW_VALUES.breaches;
  const index = EVENTS.indexes.byReview;
  const entries = await readDayIndex(
    services,
    { tableName: services.tables.paymentEvents, index, value },
    range.value,
    page.value,
  );
  const lives = await readLives(entries, services);
  const faults = [...lives.values()].flatMap((each): IntegrityFault[] => ("fault" in each ? [each.fault] : []));
  const refused = await refuseRecords(faults, query.Actor, call, services);
  const open = entries.flatMap((entry) => openAt(entry, lives, query.Query));
  const AuditID = await recordRead(
    {
      action: "READ",
      actor: query.Actor,
      table: EVENTS.logicalName,
      asked: askedOf(query),
      askedIds: [],
      returnedIds: open.map(({ EventID }) => EventID),
      returnedPayments: [...new Set(open.map(({ TransactionID }) => TransactionID))],
      result: refused.length > 0 ? "partly-refused" : open.length > 0 ? "returned" : "not-found",
    },
    call,
    services,
  );
  const last = entries.at(-1);
  const place = last && textOf(last, index.sortKey);
  const more = entries.length < page.value.limit || place === undefined ? undefined : encodePageToken(query, [place]);
  return {
    schemaVersion: SCHEMA_VERSION,
    outcome: "answered",
    payments: [],
    open,
    refused,
    AuditID,
    ...(more === undefined ? {} : { NextPageToken: more }),
  };
}

async function readLives(
  entries: readonly StoredItem[],
  services: Services,
): Promise<ReadonlyMap<string, ReadLife | BrokenLife>> {
  const waiting = [...new Set(entries.map((entry) => textOrEmpty(entry, EVENTS.partitionKey)))];
  const lives = new Map<string, ReadLife | BrokenLife>();
  const work = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) lives.set(id, await readLife(id, services));
  };
  await Promise.all(Array.from({ length: PARALLEL_LIVES_MAX }, work));
  return lives;
}

function openAt(
  entry: StoredItem,
  lives: ReadonlyMap<string, ReadLife | BrokenLife>,
  asked: OpenQuery["Query"],
): OpenEventView[] {
  const TransactionID = textOrEmpty(entry, EVENTS.partitionKey);
  const read = lives.get(TransactionID);
  if (read === undefined || "fault" in read) return [];
  const stored = read.events.find((each) => integerOf(each, "Place") === integerOf(entry, "Place"));
  if (stored === undefined) return [];
  const { EventID, Place, Kind, Amount, Currency, RecordedAt } = eventView(stored);
  const view = { TransactionID, EventID, Place, Kind, Amount, Currency, RecordedAt };
  if (asked === "open-holds") return read.life.openHolds.some((each) => each.EventID === EventID) ? [view] : [];
  const breach = read.life.openBreaches.find((each) => each.EventID === EventID);
  return breach === undefined ? [] : [{ ...view, Breach: [...breach.codes] }];
}
