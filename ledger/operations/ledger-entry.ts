/** Audit entries that the ledger makes about its own doing. */

import type { LogicalTableName } from "../../contract";
import type { AuditDetails, AuditEntry, LedgerAction } from "../rules/audit-entry";
import type { JsonObject, JsonValue } from "../rules/canonical-json";
import { derivedAuditId } from "../rules/identifiers";
import type { Call } from "./call";

interface LedgerEntry {
  readonly auditId: string;
  readonly action: LedgerAction;
  readonly actor: string;
  /** Absent where all tables are concerned. */
  readonly table?: LogicalTableName;
  readonly transactionId?: string | undefined;
  readonly contentMac?: string;
  readonly importedFrom?: string | undefined;
  readonly asked: AuditDetails;
  readonly answered: AuditDetails & { readonly result: string };
}

/** An audit entry that the ledger makes about its own doing; the details name the operation. */
export function ledgerEntry(entry: LedgerEntry, call: Call): AuditEntry {
  const recordedAt = call.now.toISOString();
  const details = entry.asked.details as { readonly [key: string]: JsonValue } | undefined;
  return {
    auditId: entry.auditId,
    action: entry.action,
    actor: entry.actor,
    timestamp: recordedAt,
    recordedAt,
    caller: call.caller,
    origin: "LEDGER",
    ...(entry.table === undefined ? {} : { table: entry.table }),
    ...(entry.transactionId === undefined ? {} : { transactionId: entry.transactionId }),
    ...(entry.contentMac === undefined ? {} : { contentMac: entry.contentMac }),
    ...(entry.importedFrom === undefined ? {} : { importedFrom: entry.importedFrom }),
    query: { recordIds: entry.asked.recordIds, details: { Operation: call.operation, ...details } },
    response: entry.answered,
  };
}

interface Check {
  readonly action: Extract<LedgerAction, `${string}_CHECK` | "RESTORE_DRILL">;
  /** What names this check among those of the operation. A retried call names it the same, and leaves no second record. */
  readonly name: readonly string[];
  /** Absent where all tables were checked. */
  readonly table?: LogicalTableName;
  readonly asked?: JsonObject;
  readonly result: string;
  readonly found: JsonObject;
}

/** The audit entry of a check that the operation did by itself: nobody asked for it, and it answered no records. */
export function checkEntry({ action, name, table, asked, result, found }: Check, call: Call): AuditEntry {
  return ledgerEntry(
    {
      auditId: derivedAuditId("READ", call.operation, ...name),
      action,
      actor: call.operation,
      ...(table === undefined ? {} : { table }),
      asked: { recordIds: [], ...(asked === undefined ? {} : { details: asked }) },
      answered: { recordIds: [], result, details: found },
    },
    call,
  );
}
