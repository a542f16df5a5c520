/** What must hold afterwards, judged from what is stored and from what the callers were answered. */

import { TABLES } from "../../../contract";
import { writeAuditId } from "../../../ledger/operations/payment-books";
import { toItemJson } from "../../../ledger/rules/attribute-value";
import { checkLife } from "../../../ledger/rules/life-check";
import { storedItem } from "../../../ledger/store/transaction";
import type { MemoryDynamo } from "./memory-dynamo";
import type { PlannedEvent } from "./plan";

const EVENTS = TABLES.paymentEvents.logicalName;

interface Answered {
  readonly planned: PlannedEvent;
  readonly outcome: string;
  readonly code?: string;
  readonly wasLost: boolean;
}

export function lifeSoakFaults(dynamo: MemoryDynamo, answered: readonly Answered[]): string[] {
  return [...livesOf(dynamo), ...answersOf(dynamo, answered)];
}

/** The check of the offline verifier, which finds any grant that broke a rule, any gap and any state that is no sum. */
function livesOf(dynamo: MemoryDynamo): string[] {
  const rows = new Map(
    dynamo.itemsOf(TABLES.paymentLedger.logicalName).map((row) => [row["TransactionID"]?.S ?? "", row]),
  );
  return [...(dynamo.tables.get(EVENTS) ?? [])].flatMap(([id, events]) => {
    const row = rows.get(id);
    const stored = [...events.values()].map((item) => ({ item: toItemJson(storedItem(item)) }));
    const { faults } = checkLife(row && { item: toItemJson(storedItem(row)) }, stored);
    return faults.map(({ code, place, message }) => `${id} at ${place}: ${code} ${message}`);
  });
}

function answersOf(dynamo: MemoryDynamo, answered: readonly Answered[]): string[] {
  const stored = new Map<string, number>();
  for (const { EventID } of dynamo.itemsOf(EVENTS))
    stored.set(EventID?.S ?? "", (stored.get(EventID?.S ?? "") ?? 0) + 1);
  const records = dynamo.tables.get(TABLES.paymentAuditTrail.logicalName);
  return answered.flatMap(({ planned, outcome, code, wasLost }) => {
    const { EventID, Mode } = planned;
    const rows = stored.get(EventID) ?? 0;
    const isRecorded = outcome === "stored" || outcome === "duplicate";
    const faults: string[] = [];
    if (Mode === "fact" && !isRecorded) faults.push(`the fact ${EventID} was answered ${outcome} ${code}`);
    if (rows !== (isRecorded ? 1 : 0)) faults.push(`${EventID}, answered ${outcome}, has ${rows} rows`);
    if (isRecorded !== (records?.has(writeAuditId(EVENTS, EventID)) === true)) faults.push(`${EventID} has no pair`);
    if (wasLost && outcome !== "duplicate") faults.push(`${EventID} was written, and answered ${outcome} again`);
    return faults;
  });
}

/** Counted from the totals alone, without the rules that granted: a hold beyond captured, or a capture beyond authorised. */
export function grantsBeyondCaptured(dynamo: MemoryDynamo): number {
  return dynamo.itemsOf(EVENTS).filter(({ Mode, Kind, State }) => {
    const total = (name: string) => Number(State?.M?.[name]?.N ?? State?.M?.[name]?.S);
    if (Mode?.S !== "grant") return false;
    if (Kind?.S === "CAPTURED") return !(total("Captured") <= total("Authorised"));
    return (
      Kind?.S === "REFUND_HELD" && !(total("Refunded") + total("RefundHeld") + total("Disputed") <= total("Captured"))
    );
  }).length;
}
