/** One entry of the audit trail as the ledger thinks of it, before it is encrypted and stored. */

import type { LogicalTableName } from "../../contract";
import type { JsonObject, JsonValue } from "./canonical-json";

/** Actions that the ledger itself records. Events of other services may carry any action. */
export const LEDGER_ACTIONS = [
  "WRITE",
  "UPDATE",
  "READ",
  "REVEAL",
  "AUDIT_READ",
  "DUPLICATE",
  "CONFLICT",
  "REFUSAL",
  "ALARM",
  "GAP",
  "BACKUP_CHECK",
  "LOG_CHECK",
  "RESTORE_DRILL",
  "IDENTITY_CHECK",
] as const;
export type LedgerAction = (typeof LEDGER_ACTIONS)[number];

/** The ways in by which AWS delivers an event and names who sent it. A direct call has none. */
export const VIAS = ["queue", "file", "api"] as const;
export type Via = (typeof VIAS)[number];

/** What AWS itself says about the call, never mixed with the claimed actor. CloudTrail's data events tie the request to a principal. */
export interface Caller {
  readonly requestId: string;
  readonly functionName: string;
  /** Who AWS says sent it: SQS `SenderId`, S3 `userIdentity`, the caller of the private API. Absent in a direct call. */
  readonly principal?: string;
  /** How the event says that it came. Absent in a direct call, and in records from before this was kept. */
  readonly via?: Via;
}

export interface AuditEntry {
  readonly auditId: string;
  readonly action: string;
  readonly actor: string;
  /** When it happened, as claimed; `recordedAt` is the ledger's own clock. */
  readonly timestamp: string;
  readonly recordedAt: string;
  readonly caller: Caller;
  /** `LEDGER`: made by this ledger about its own tables. `EVENT`: told by another service. */
  readonly origin: "LEDGER" | "EVENT";
  readonly transactionId?: string;
  /** The table concerned, for entries of the ledger. */
  readonly table?: LogicalTableName;
  /** Of a pointer: the list read that returned this transaction. That record holds the details. */
  readonly partOf?: string;
  /** Of a further attempt: the first record of the same conflict or alarm, which holds what was attempted. */
  readonly repeatOf?: string;
  /** The id that an event's sender gave it, where another sender's event has that id already. */
  readonly eventId?: string;
  /** Place of the message in its FIFO queue (20 digits), and when SQS took it: they decide the order within the transaction. */
  readonly queued?: { readonly sequenceNumber: string; readonly sentAt: string };
  /** Of an imported payment or event: the earlier system, as claimed. */
  readonly importedFrom?: string | undefined;
  /** Keyed MAC of what was sent, where a repeat must be distinguished from a conflict. */
  readonly contentMac?: string;
  /** The file of the evidence that this record seals, and its SHA-256 in hexadecimal. Not encrypted: auditors have no key. */
  readonly evidence?: { readonly path: string; readonly sha256: string };
  /** Encrypted together: what was asked for, and with which ids. Absent in a pointer. */
  readonly query?: AuditDetails;
  readonly response?: AuditDetails & { readonly result: string };
}

export interface AuditDetails {
  readonly recordIds: readonly string[];
  readonly details?: JsonValue;
}

/** The encrypted text of `QueryDetails` and `Response`. */
export function detailsText(details: AuditDetails & { readonly result?: string }): string {
  const stored: Record<string, JsonValue> = { RecordIDs: [...details.recordIds] };
  if (details.result !== undefined) stored["Result"] = details.result;
  if (details.details !== undefined) stored["Details"] = details.details;
  return JSON.stringify(stored);
}

/** @throws Error when the text is not what `detailsText` makes. It was authenticated before, so this is a fault of ours. */
export function parseDetailsText(text: string): AuditDetails & { readonly result?: string } {
  const stored = JSON.parse(text) as JsonObject;
  const { RecordIDs, Result, Details } = stored;
  if (!Array.isArray(RecordIDs)) throw new Error("An audit record's decrypted details have no RecordIDs.");
  return {
    recordIds: RecordIDs.map(String),
    ...(typeof Result === "string" ? { result: Result } : {}),
    ...(Details === undefined ? {} : { details: Details }),
  };
}
