/** Audit entries that the ledger makes about its own doing. */

import type { LogicalTableName } from "../../contract";
import type { AuditDetails, AuditEntry, LedgerAction } from "../rules/audit-entry";
import type { JsonValue } from "../rules/canonical-json";
import type { Call } from "./call";

interface LedgerEntry {
  readonly auditId: string;
  readonly action: LedgerAction;
  readonly actor: string;
  /** Absent where all tables are concerned. */
  readonly table?: LogicalTableName;
  readonly transactionId?: string | undefined;
  readonly contentMac?: string;
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
    query: { recordIds: entry.asked.recordIds, details: { Operation: call.operation, ...details } },
    response: entry.answered,
  };
}
