/** What is recorded and answered about a refused input. */

import type { LogicalTableName } from "../../contract";
import { refusedWith } from "../rules/answers";
import type { AuditEntry } from "../rules/audit-entry";
import { derivedAuditId, UNCLAIMED_ACTOR } from "../rules/identifiers";
import type { Refusal } from "../rules/refusals";
import type { EntryResult, RefusedResponse } from "../rules/responses";
import type { SentTokens } from "../rules/sent-tokens";
import type { Services } from "../store/services";
import type { Call } from "./call";
import { harmlessClaims } from "./claims";
import { ledgerEntry } from "./ledger-entry";
import { recordEntries } from "./record-entries";

/** Where the refused input was. */
export interface RefusedPlace {
  /** The table that it was meant for. */
  readonly table: LogicalTableName;
  /** Its place in the list; 0 for a whole call. */
  readonly position: number;
  /** The actor named around the list; an entry's own actor goes before it. */
  readonly listActor?: string | undefined;
  /** The tokens of the whole request, where the input is an entry of it. */
  readonly tokens?: SentTokens;
}

/** The record that a refused input leaves: codes and, where they are harmless, the claimed actor and payment. */
export function refusalEntry(input: unknown, reason: Refusal, place: RefusedPlace, call: Call): AuditEntry {
  const { table, position, listActor = UNCLAIMED_ACTOR, tokens } = place;
  const { actor = listActor, transactionId } = harmlessClaims(input, tokens);
  return ledgerEntry(
    {
      auditId: derivedAuditId("REFUSAL", call.operation, call.caller.requestId, String(position)),
      action: "REFUSAL",
      actor,
      table,
      transactionId,
      asked: { recordIds: transactionId === undefined ? [] : [transactionId] },
      answered: { recordIds: [], result: reason.code },
    },
    call,
  );
}

/** Refuses a whole call, and leaves its record. */
export async function refuseCall(
  input: unknown,
  reason: Refusal,
  table: LogicalTableName,
  call: Call,
  services: Services,
): Promise<RefusedResponse> {
  const entry = refusalEntry(input, reason, { table, position: 0 }, call);
  await recordEntries([entry], services);
  return refusedWith(reason, entry.auditId);
}

/** An entry of a list that was refused, and the record that it leaves. */
export interface RefusedEntry {
  readonly position: number;
  readonly reason: Refusal;
  readonly record: AuditEntry;
}

/** Stores the records of refused entries. @returns what is answered for each. */
export async function recordRefused(refused: readonly RefusedEntry[], services: Services): Promise<EntryResult[]> {
  await recordEntries(
    refused.map(({ record }) => record),
    services,
  );
  return refused.map(({ position, reason, record }) => ({
    position,
    outcome: "refused",
    AuditID: record.auditId,
    ...reason,
  }));
}
