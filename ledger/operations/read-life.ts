/** Reads a payment's life whole, strongly consistent, and checks that its events follow from each other. */

import { TABLES } from "../../contract";
import { toItemJson } from "../rules/attribute-value";
import { checkLife, lifeEventIn, type StoredEvent } from "../rules/life-check";
import type { PaymentLife } from "../rules/payment-life";
import { type StoredItem, textOrEmpty } from "../rules/stored-item";
import { getItem, queryAll } from "../store/read-items";
import { isForged, type Services } from "../store/services";
import type { IntegrityFault } from "./integrity-alarm";

const LEDGER = TABLES.paymentLedger;
const EVENTS = TABLES.paymentEvents;

export interface ReadLife {
  /** The payment's row; also one that came after the life began without it. */
  readonly row: StoredItem | undefined;
  /** By place. */
  readonly events: StoredItem[];
  readonly byEventId: Map<string, StoredItem>;
  readonly life: PaymentLife;
}

/** What is wrong with the life: then nothing may be recorded on top of it, and nothing of it returned. */
export interface BrokenLife {
  readonly fault: IntegrityFault;
}

export async function readLife(transactionId: string, services: Services): Promise<ReadLife | BrokenLife> {
  const [row, events] = await Promise.all([
    getItem(services.dynamo, services.tables.paymentLedger, LEDGER.partitionKey, transactionId),
    queryAll(services.dynamo, {
      TableName: services.tables.paymentEvents,
      KeyConditionExpression: "#payment = :payment",
      ExpressionAttributeNames: { "#payment": EVENTS.partitionKey },
      ExpressionAttributeValues: { ":payment": { S: transactionId } },
      ConsistentRead: true,
    }),
  ]);
  const fault = (await forgedFault(transactionId, row, events, services)) ?? undefined;
  if (fault !== undefined) return { fault };
  const { life, faults } = checkLife(row && inExportForm(row), events.map(inExportForm));
  if (faults.length === 0) return { row, events, byEventId: new Map(events.map((each) => [idOf(each), each])), life };
  const found = events.find((each) => placeText(each) === String(faults[0]?.place));
  return { fault: { code: "LIFE_BROKEN", table: EVENTS.logicalName, recordId: transactionId, found } };
}

async function forgedFault(
  recordId: string,
  row: StoredItem | undefined,
  events: readonly StoredItem[],
  services: Services,
): Promise<IntegrityFault | undefined> {
  if (row !== undefined && (await isForged(LEDGER.logicalName, row, services)))
    return { code: "RECORD_FORGED", table: LEDGER.logicalName, recordId, found: row };
  for (const found of events) {
    if (await isForged(EVENTS.logicalName, found, services))
      return { code: "RECORD_FORGED", table: EVENTS.logicalName, recordId, found };
  }
  return undefined;
}

function inExportForm(item: StoredItem): StoredEvent {
  return { item: toItemJson(item) };
}

function placeText(item: StoredItem): string {
  const place = item[EVENTS.sortKey.name];
  return place !== undefined && "N" in place ? place.N : "";
}

function idOf(event: StoredItem): string {
  return textOrEmpty(event, "EventID");
}

/** Adds an event that was recorded at the next place: the life is then as it would be read now. */
export function addRecorded({ events, byEventId, life }: ReadLife, item: StoredItem): void {
  const event = lifeEventIn(toItemJson(item));
  if (event === undefined) throw new Error("An event that was just recorded has not the form of one.");
  life.add(event);
  events.push(item);
  byEventId.set(idOf(item), item);
}
