/** Changes the status of a recorded payment: the only update there is, with its audit record in the same transaction. */

import { TABLES } from "../../contract";
import { derivedAuditId } from "../rules/identifiers";
import { isPaymentStatus } from "../rules/payment";
import { contentMac, equalMac, MAC_ATTRIBUTE } from "../rules/record-mac";
import { refusal } from "../rules/refusals";
import type { StatusResponse } from "../rules/responses";
import { SCHEMA_VERSION } from "../rules/schema";
import {
  isAllowedTransition,
  type StatusChange,
  statusChangeContent,
  statusChangeSchema,
} from "../rules/status-change";
import { integerOf, integerOrZero, type StoredItem, textOf, textOrEmpty, textWithin } from "../rules/stored-item";
import { auditPut } from "../store/audit-record";
import { recordWithStatus } from "../store/payment-record";
import { getItem } from "../store/read-items";
import { isForged, type Services } from "../store/services";
import { putAction, sdkItem, transact } from "../store/transaction";
import type { Call } from "./call";
import { type IntegrityFault, refuseWithAlarm } from "./integrity-alarm";
import { ledgerEntry } from "./ledger-entry";
import { recordEntries } from "./record-entries";
import { duplicateEntry } from "./record-payments";
import { refuseCall } from "./refusal-records";
import { validateRequest } from "./validation";

const { logicalName: LEDGER, partitionKey } = TABLES.paymentLedger;
const TRAIL = TABLES.paymentAuditTrail;

/** Each lost race means that another change was committed; more than this many in one call is no ordinary traffic. */
const RACES_MAX = 5;

export async function updatePaymentStatus(event: unknown, call: Call, services: Services): Promise<StatusResponse> {
  const validated = await validateRequest(statusChangeSchema, event, LEDGER, call, services);
  if ("refused" in validated) return validated.refused;
  let rollbacksSeen = 0;
  for (let race = 0; race < RACES_MAX; race++) {
    const response = await tryChange(validated.request, call, services);
    if (typeof response === "object") return response;
    if (response === "rolled-back") rollbacksSeen += 1;
    if (rollbacksSeen === 2)
      return refuseAsUntrusted(validated.request, "AUDIT_RECORD_MISSING", undefined, call, services);
  }
  throw new Error("The payment's status was changed by others over and over while this change was tried.");
}

/** Why a change was not made although the row had the expected status: it is looked at again. */
type Retry = "lost-race" | "rolled-back";

async function tryChange(change: StatusChange, call: Call, services: Services): Promise<StatusResponse | Retry> {
  const row = await getItem(services.dynamo, services.tables.paymentLedger, partitionKey, change.TransactionID);
  if (row === undefined) return refuseCall(change, refusal("NOT_FOUND"), LEDGER, call, services);
  if (await isForged(LEDGER, row, services)) return refuseAsUntrusted(change, "RECORD_FORGED", row, call, services);
  if (!isAsExpected(change, row))
    return (await asRepeat(change, row, call, services)) ?? refuseAsConflict(change, row, call, services);
  if (!isAllowedTransition(change.ExpectedStatus, change.Status)) {
    return refuseCall(change, refusal("INVALID_TRANSITION", "Status"), LEDGER, call, services);
  }
  return commitChange(change, row, call, services);
}

function isAsExpected({ ExpectedStatus, ExpectedVersion }: StatusChange, row: StoredItem): boolean {
  const sameVersion = ExpectedVersion === undefined || ExpectedVersion === integerOf(row, "Version");
  return sameVersion && textOf(row, "Status") === ExpectedStatus;
}

async function commitChange(
  change: StatusChange,
  row: StoredItem,
  call: Call,
  services: Services,
): Promise<StatusResponse | Retry> {
  const next = await recordWithStatus(row, change.Status, call.now.toISOString(), services);
  const version = integerOrZero(next, "Version");
  const entry = ledgerEntry(
    {
      auditId: updateAuditId(change.TransactionID, version),
      action: "UPDATE",
      actor: change.Actor,
      table: LEDGER,
      transactionId: change.TransactionID,
      contentMac: await changeMac(change, version, services),
      asked: {
        recordIds: [change.TransactionID],
        details: { From: change.ExpectedStatus, To: change.Status, Version: version, Reason: change.Reason },
      },
      answered: { recordIds: [change.TransactionID], result: "updated" },
    },
    call,
  );
  const result = await transact(services.dynamo, [
    updateAction(row, next, services),
    putAction(await auditPut(entry, services)),
    withoutEvents(change.TransactionID, services),
  ]);
  if (result.committed) return statusResponse("updated", next, entry.auditId);
  const [rowVerdict, recordVerdict, eventVerdict] = result.verdicts;
  if (eventVerdict?.kind === "failed") return refuseCall(change, refusal("PAYMENT_HAS_EVENTS"), LEDGER, call, services);
  // The row is as it was read, and yet the record of its next version exists: somebody put an earlier version back.
  const rolledBack = rowVerdict?.kind === "free" && recordVerdict?.kind === "failed";
  return rolledBack ? "rolled-back" : "lost-race";
}

async function refuseAsUntrusted(
  change: StatusChange,
  code: IntegrityFault["code"],
  found: StoredItem | undefined,
  call: Call,
  services: Services,
): Promise<StatusResponse> {
  return refuseWithAlarm({ code, table: LEDGER, recordId: change.TransactionID, found }, change.Actor, call, services);
}

/** A payment's life begins with its row as it is now: from its first event on, the row does not change. */
function withoutEvents(transactionId: string, services: Services) {
  const { partitionKey: payment, sortKey } = TABLES.paymentEvents;
  return {
    ConditionCheck: {
      TableName: services.tables.paymentEvents,
      Key: { [payment]: { S: transactionId }, [sortKey.name]: { N: "1" } },
      ConditionExpression: "attribute_not_exists(#payment)",
      ExpressionAttributeNames: { "#payment": payment },
    },
  };
}

/** The row must still be the one that was read: its MAC covers all of its attributes. */
function updateAction(row: StoredItem, next: StoredItem, services: Services) {
  const changed = ["Status", "Version", "StatusChangedAt", "Salt", MAC_ATTRIBUTE];
  const sets = [...changed, ...("FailureDay" in next ? ["FailureDay"] : [])];
  const removes = "FailureDay" in next ? "" : " REMOVE #FailureDay";
  const names = [...new Set([...sets, "FailureDay", MAC_ATTRIBUTE])];
  return {
    Update: {
      TableName: services.tables.paymentLedger,
      Key: sdkItem({ [partitionKey]: { S: textOrEmpty(row, partitionKey) } }),
      UpdateExpression: `SET ${sets.map((name) => `#${name} = :${name}`).join(", ")}${removes}`,
      ConditionExpression: `#${MAC_ATTRIBUTE} = :readMac`,
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ...sdkItem(Object.fromEntries(sets.map((name) => [`:${name}`, next[name] ?? { NULL: true }]))),
        ":readMac": { S: textOrEmpty(row, MAC_ATTRIBUTE) },
      },
    },
  };
}

/**
 * A caller who lost the answer asks again: the change that was made is then the same one. The answer states the payment's
 * status, so each repeat is recorded before it is answered, also one of another claimed caller.
 */
async function asRepeat(
  change: StatusChange,
  row: StoredItem,
  call: Call,
  services: Services,
): Promise<StatusResponse | undefined> {
  const version = integerOrZero(row, "Version");
  if (textOf(row, "Status") !== change.Status || version < 2) return undefined;
  const auditId = updateAuditId(change.TransactionID, version);
  const record = await getItem(services.dynamo, services.tables.paymentAuditTrail, TRAIL.partitionKey, auditId);
  if (record === undefined || (await isForged(TRAIL.logicalName, record, services))) return undefined;
  const same = equalMac(textOrEmpty(record, "ContentMac"), await changeMac(change, version, services));
  if (!same) return undefined;
  // A call that Lambda repeats made the change itself.
  const isOwn =
    textOf(record, "Actor") === change.Actor && textWithin(record, "Caller", "RequestID") === call.caller.requestId;
  if (isOwn) return statusResponse("duplicate", row, auditId);
  await recordEntries(
    [duplicateEntry(LEDGER, change.TransactionID, change.TransactionID, change.Actor, call)],
    services,
  );
  return statusResponse("duplicate", row, auditId);
}

async function refuseAsConflict(
  change: StatusChange,
  row: StoredItem,
  call: Call,
  services: Services,
): Promise<StatusResponse> {
  const version = integerOrZero(row, "Version");
  const mac = await changeMac(change, version, services);
  const entry = ledgerEntry(
    {
      auditId: derivedAuditId("CONFLICT", LEDGER, change.TransactionID, mac, change.Actor),
      action: "CONFLICT",
      actor: change.Actor,
      table: LEDGER,
      transactionId: change.TransactionID,
      asked: {
        recordIds: [change.TransactionID],
        details: {
          From: change.ExpectedStatus,
          To: change.Status,
          Version: version,
          ...(change.ExpectedVersion === undefined ? {} : { ExpectedVersion: change.ExpectedVersion }),
          Reason: change.Reason,
        },
      },
      answered: { recordIds: [change.TransactionID], result: "conflict" },
    },
    call,
  );
  const ids = await recordEntries([entry], services);
  services.signal("PaymentConflict");
  const answer = statusResponse("conflict", row, ids.get(entry) ?? entry.auditId);
  return { ...answer, ...refusal("UNEXPECTED_STATUS", unexpectedFields(change, row)) };
}

function unexpectedFields({ ExpectedStatus, ExpectedVersion }: StatusChange, row: StoredItem): string {
  const { Status, Version } = { Status: textOf(row, "Status"), Version: integerOf(row, "Version") };
  const isOtherVersion = ExpectedVersion !== undefined && ExpectedVersion !== Version;
  const names = [
    ...(ExpectedStatus === Status ? [] : ["ExpectedStatus"]),
    ...(isOtherVersion ? ["ExpectedVersion"] : []),
  ];
  return names.join(", ");
}

function updateAuditId(transactionId: string, version: number): string {
  return derivedAuditId("UPDATE", LEDGER, transactionId, String(version));
}

async function changeMac(change: StatusChange, version: number, services: Services): Promise<string> {
  return contentMac("status-change", statusChangeContent(change, version), (await services.macKeys()).content);
}

function statusResponse(
  outcome: "updated" | "duplicate" | "conflict",
  row: StoredItem,
  auditId: string,
): StatusResponse {
  const status = textOf(row, "Status");
  if (!isPaymentStatus(status)) throw new Error("A payment record with a good MAC has an unknown status.");
  return {
    schemaVersion: SCHEMA_VERSION,
    outcome,
    TransactionID: textOrEmpty(row, partitionKey),
    Status: status,
    Version: integerOrZero(row, "Version"),
    AuditID: auditId,
  };
}
