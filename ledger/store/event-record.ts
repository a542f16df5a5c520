/** The stored form of an event of a payment's life, and what of it is shown. */

import type { TransactWriteItem } from "@aws-sdk/client-dynamodb";
import { TABLES } from "../../contract";
import { toItemJson } from "../rules/attribute-value";
import { commitmentOf } from "../rules/commitment";
import type { RecordedContent } from "../rules/differing-fields";
import { dayKeyOf, timeKey } from "../rules/index-keys";
import { lifeEventIn, outcomeForm } from "../rules/life-check";
import { type PaymentEvent, paymentEventContent } from "../rules/payment-event";
import { BREACH_CODES, type BreachCode, type LifeOutcome, type LifeState } from "../rules/payment-life";
import { pooledRandomBytes } from "../rules/random-bytes";
import { contentMac, MAC_ATTRIBUTE, type MacedRecord, macedRecord } from "../rules/record-mac";
import type { EventView } from "../rules/responses";
import { integerOrZero, partsOf, type StoredItem, type StoredValue, textOf, textOrEmpty } from "../rules/stored-item";
import type { Services } from "./services";

const { logicalName: TABLE } = TABLES.paymentEvents;
const LEDGER = TABLES.paymentLedger;

const FORMAT = "1";
const SALT_BYTES = 16;

/** Index values of what somebody may have to settle. */
export const REVIEW_VALUES = { holds: "HOLD", breaches: "BREACH" } as const;

export async function paymentEventMac(event: PaymentEvent, services: Services): Promise<string> {
  return contentMac(TABLE, paymentEventContent(event), (await services.macKeys()).content);
}

/** Where an event goes: behind what is recorded, with what it does there. */
export interface EventPlace {
  /** From 1. */
  readonly place: number;
  /** The event before it, or the payment's row; absent where there is neither. */
  readonly before: StoredItem | undefined;
  readonly outcome: LifeOutcome;
  readonly recordedAt: string;
}

export async function eventRecord(event: PaymentEvent, at: EventPlace, services: Services): Promise<MacedRecord> {
  const { TransactionID, Timestamp, ...sent } = event;
  const keys = await services.macKeys();
  const item: Record<string, StoredValue> = {
    Format: { N: FORMAT },
    TransactionID: { S: TransactionID },
    Place: { N: String(at.place) },
    ...Object.fromEntries(Object.entries(sent).map(([name, text]) => [name, { S: text }])),
    Timestamp: { S: Timestamp ?? at.recordedAt },
    RecordedAt: { S: at.recordedAt },
    ...outcomeForm(at.outcome),
    ...(at.before === undefined ? {} : { Previous: { S: previousOf(at.place, at.before) } }),
    ...reviewKeys(event, at, services),
    ContentMac: { S: contentMac(TABLE, paymentEventContent(event), keys.content) },
    Salt: { B: pooledRandomBytes(SALT_BYTES) },
  };
  return macedRecord(TABLE, item, keys.record);
}

/** What an event names as the one before it. At place 1 that is the payment's row. */
export function previousOf(place: number, before: StoredItem): string {
  const table = place === 1 ? LEDGER.logicalName : TABLE;
  return commitmentOf(table, toItemJson(before));
}

/** A life begins with the row as it was judged: the transaction succeeds only while the row is unchanged. */
export function rowAsRead(transactionId: string, row: StoredItem | undefined, services: Services): TransactWriteItem {
  const condition =
    row === undefined
      ? {
          ConditionExpression: "attribute_not_exists(#name)",
          ExpressionAttributeNames: { "#name": LEDGER.partitionKey },
        }
      : {
          ConditionExpression: "#name = :readMac",
          ExpressionAttributeNames: { "#name": MAC_ATTRIBUTE },
          ExpressionAttributeValues: { ":readMac": { S: textOrEmpty(row, MAC_ATTRIBUTE) } },
        };
  return {
    ConditionCheck: {
      TableName: services.tables.paymentLedger,
      Key: { [LEDGER.partitionKey]: { S: transactionId } },
      ...condition,
    },
  };
}

/** By the ledger's own time: a late event cannot appear in days that were reviewed already. */
function reviewKeys(
  { EventID, Kind }: PaymentEvent,
  { outcome, recordedAt }: EventPlace,
  services: Services,
): StoredItem {
  const isHold = Kind === "REFUND_HELD";
  if (!isHold && outcome.breaches.length === 0) return {};
  const value = isHold ? REVIEW_VALUES.holds : REVIEW_VALUES.breaches;
  return {
    ReviewDay: { S: dayKeyOf(value, recordedAt, EventID, services.indexShardCount) },
    TimeKey: { S: timeKey(recordedAt, EventID) },
  };
}

/** What a reader sees. The record's MAC must have been checked before. */
export function eventView(item: StoredItem): EventView {
  const event = lifeEventIn(toItemJson(item));
  if (event === undefined) throw new Error("An event with a good MAC has not the form of one.");
  const text = (name: string) => textOrEmpty(item, name);
  const Reason = textOf(item, "Reason");
  const breach = item["Breach"];
  return {
    Place: integerOrZero(item, "Place"),
    ...event,
    ...(Reason === undefined ? {} : { Reason }),
    Timestamp: text("Timestamp"),
    RecordedAt: text("RecordedAt"),
    State: stateOf(item),
    Postings: postingsIn(item),
    ...(breach !== undefined && "L" in breach ? { Breach: breach.L.flatMap(breachIn) } : {}),
  };
}

/** The content as it was sent, to name the fields in which another one differs. The record's MAC must have been checked. */
export function recordedContent(item: StoredItem): RecordedContent {
  const { Place: _place, State: _state, Postings: _postings, Breach: _breach, RecordedAt, ...sent } = eventView(item);
  const fields = { TransactionID: textOf(item, "TransactionID"), ...sent };
  return { fields, defaultedTime: sent.Timestamp === RecordedAt ? "Timestamp" : undefined };
}

function stateOf(item: StoredItem): LifeState {
  const members = partsOf(item, "State");
  const text = (name: string) => textOrEmpty(members, name);
  const closed = members["Closed"];
  return {
    Authorised: text("Authorised"),
    Captured: text("Captured"),
    RefundHeld: text("RefundHeld"),
    Refunded: text("Refunded"),
    Disputed: text("Disputed"),
    Fees: text("Fees"),
    Closed: closed !== undefined && "BOOL" in closed && closed.BOOL,
  };
}

function breachIn(value: StoredValue): BreachCode[] {
  const code = BREACH_CODES.find((each) => "S" in value && value.S === each);
  return code === undefined ? [] : [code];
}

function postingsIn(item: StoredItem): EventView["Postings"] {
  const postings = item["Postings"];
  if (postings === undefined || !("L" in postings)) return [];
  return postings.L.map((each) => {
    const members = "M" in each ? each.M : {};
    const text = (name: string) => textOrEmpty(members, name);
    return { Account: text("Account"), Amount: text("Amount"), Currency: text("Currency") };
  });
}
