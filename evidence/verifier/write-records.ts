/** Which WRITE record of the audit trail belongs to a row of payments. */

import { hash } from "node:crypto";
import { type LogicalTableName, TABLES } from "../../contract";
import { canonicalJson } from "../../ledger/rules/canonical-json";
import { keyParts } from "./current-items";

const TRAIL = TABLES.paymentAuditTrail.logicalName;
const WRITE_ID = /^W~/;
const WRITE_ID_CHARACTERS = 32;

/** The audit id of a row's WRITE record: `derivedAuditId("WRITE", table, id)`, without its detours. */
export function writeRecordId(table: LogicalTableName, id: string): string {
  const named = `["payment-ledger/audit-id/1","WRITE","${table}",${canonicalJson(id)}]`;
  return `W~${hash("sha256", named, "base64url").slice(0, WRITE_ID_CHARACTERS)}`;
}

/** What a row and its WRITE record have in common. Undefined for an audit record that is no WRITE record. */
export function pairIdOf(table: LogicalTableName, keyText: string, writtenAs?: string): string | undefined {
  if (table === TRAIL) return WRITE_ID.test(keyText) ? keyText : undefined;
  return writeRecordId(table, writtenAs ?? keyParts(table, keyText)[0] ?? "");
}
