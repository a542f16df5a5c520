/** Which WRITE record of the audit trail belongs to a row of payments, and which audit ids follow from a payment. */

import { hash } from "node:crypto";
import { type LogicalTableName, TABLES } from "../../contract";
import { canonicalJson } from "../../ledger/rules/canonical-json";
import { derivedAuditId } from "../../ledger/rules/identifiers";
import { keyParts } from "./current-items";

const TRAIL = TABLES.paymentAuditTrail.logicalName;
const WRITE_ID = /^W~/;
const WRITE_ID_CHARACTERS = 32;

/** The audit id of a row's WRITE record: `derivedAuditId("WRITE", table, id)`, without its detours. */
export function writeRecordId(table: LogicalTableName, id: string): string {
  const named = `["payment-ledger/audit-id/1","WRITE","${table}",${canonicalJson(id)}]`;
  return `W~${hash("sha256", named, "base64url").slice(0, WRITE_ID_CHARACTERS)}`;
}

/** The books whose rows are payments: the WRITE record of each row is named from the payment's own id. */
const BOOKS = Object.values(TABLES).filter((table) => table.logicalName !== TRAIL && !("writtenAs" in table));
/** Of a payment's status changes, the first ones. */
const UPDATES_MAX = 20;

/** Audit ids that follow from a payment's id. Their entries are found in the log even where the exports lack the records. */
export function auditIdsOf(paymentId: string): string[] {
  const versions = Array.from({ length: UPDATES_MAX }, (_, at) => String(at + 1));
  return [
    ...BOOKS.map(({ logicalName }) => writeRecordId(logicalName, paymentId)),
    ...versions.map((version) => derivedAuditId("UPDATE", TABLES.paymentLedger.logicalName, paymentId, version)),
  ];
}

/** What a row and its WRITE record have in common. Undefined for an audit record that is no WRITE record. */
export function pairIdOf(table: LogicalTableName, keyText: string, writtenAs?: string): string | undefined {
  if (table === TRAIL) return WRITE_ID.test(keyText) ? keyText : undefined;
  return writeRecordId(table, writtenAs ?? keyParts(table, keyText)[0] ?? "");
}
