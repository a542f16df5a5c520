/** The audit records that a payment file leaves beside those of its payments and facts. */

import { type LogicalTableName, TABLES } from "../../contract";
import type { FileVersion } from "../files/payment-files";
import { digestOf, type FileProgress } from "../files/progress";
import type { AuditEntry, Caller } from "../rules/audit-entry";
import type { JsonObject } from "../rules/canonical-json";
import { derivedAuditId, UNCLAIMED_ACTOR } from "../rules/identifiers";
import type { Call } from "./call";
import type { Claims } from "./claims";
import { ledgerEntry } from "./ledger-entry";

const TRANSACTIONS = TABLES.paymentTransactions.logicalName;
const EVENTS = TABLES.paymentEvents.logicalName;

/** Who put the file there, and the call that processes it. */
interface Sender {
  readonly caller: Caller;
  readonly call: Call;
}

/** A record that a row leaves beside its payment's or fact's own. */
export interface Attempt {
  readonly row: number;
  readonly isEvent: boolean;
  readonly entry: AuditEntry;
}

/** Attempts are limited by their result; those of facts apart from those of payments. */
const OF_EVENT = "event:";

export function kindOfAttempt({ isEvent, entry }: Attempt): string {
  return `${isEvent ? OF_EVENT : ""}${entry.response?.result ?? ""}`;
}

/** One record for all rows of a kind of attempt beyond the limit of separate records. */
export function furtherAttempts(progress: FileProgress, attemptsMax: number, { caller, call }: Sender): AuditEntry[] {
  const { file, request, attempts } = progress;
  return Object.entries(attempts).flatMap(([kind, rows]) => {
    if (rows <= attemptsMax) return [];
    const isEvent = kind.startsWith(OF_EVENT);
    const result = isEvent ? kind.slice(OF_EVENT.length) : kind;
    const action = actionOf(result);
    const details = { FurtherRows: rows - attemptsMax, ...namesOfFile(file) };
    const entry = ledgerEntry(
      {
        auditId: derivedAuditId(action, "payment-file", file.key, file.versionId ?? "", request, "further", kind),
        action,
        actor: UNCLAIMED_ACTOR,
        table: isEvent ? EVENTS : TRANSACTIONS,
        asked: { recordIds: [], details },
        answered: { recordIds: [], result },
      },
      call,
    );
    return [{ ...entry, caller }];
  });
}

function actionOf(result: string): "CONFLICT" | "DUPLICATE" | "REFUSAL" | "ALARM" {
  switch (result) {
    case "conflict":
      return "CONFLICT";
    case "duplicate":
      return "DUPLICATE";
    case "LIFE_FULL":
      return "REFUSAL";
    default:
      return "ALARM";
  }
}

/** What a record of card data says beside the file. */
interface CardDataPlace {
  /** Tells the records of one file apart: the row's number, or what the record is about. */
  readonly place: string;
  readonly details: JsonObject;
  readonly claims?: Claims;
  /** Where the row would have been recorded. */
  readonly table?: LogicalTableName;
}

/** The record of card data in a file: the file's version, the row and its harmless claims, never another value. */
export function cardDataEntry(
  { file }: FileProgress,
  { place, details, claims: { actor = UNCLAIMED_ACTOR, transactionId } = {}, table = TRANSACTIONS }: CardDataPlace,
  { caller, call }: Sender,
): AuditEntry {
  const entry = ledgerEntry(
    {
      auditId: refusedRowId(file, place),
      action: "REFUSAL",
      actor,
      table,
      transactionId,
      asked: {
        recordIds: transactionId === undefined ? [] : [transactionId],
        details: { ...details, ...namesOfFile(file) },
      },
      answered: { recordIds: [], result: "CARD_DATA" },
    },
    call,
  );
  return { ...entry, caller };
}

/** The id of the record of a refused row: it follows from the file and the row, so a run that is repeated leaves no second one. */
export function refusedRowId({ key, versionId = "" }: FileVersion, place: string): string {
  return derivedAuditId("REFUSAL", "payment-file", key, versionId, place);
}

/** How an audit record names a file. */
export function namesOfFile({ key, versionId }: FileVersion): JsonObject {
  return { File: digestOf(key), ...(versionId === undefined ? {} : { VersionId: versionId }) };
}
