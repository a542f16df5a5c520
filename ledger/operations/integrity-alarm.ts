/** Alarms about stored records that must not be trusted. */

import { type LogicalTableName, TABLES } from "../../contract";
import { refusedWith } from "../rules/answers";
import { toItemJson } from "../rules/attribute-value";
import type { AuditEntry } from "../rules/audit-entry";
import { canonicalJson } from "../rules/canonical-json";
import { derivedAuditId } from "../rules/identifiers";
import { refusal } from "../rules/refusals";
import type { RefusedResponse } from "../rules/responses";
import { recordId as recordIdSchema, transactionId as transactionIdSchema } from "../rules/schema";
import type { StoredItem } from "../rules/stored-item";
import type { Services } from "../store/services";
import type { Call } from "./call";
import { ledgerEntry } from "./ledger-entry";
import { recordEntries } from "./record-entries";

export interface IntegrityFault {
  readonly code: "RECORD_FORGED" | "AUDIT_RECORD_MISSING" | "LIFE_BROKEN";
  readonly table: LogicalTableName;
  readonly recordId: string;
  /** The record as it was found; absent where one is missing. */
  readonly found?: StoredItem | undefined;
}

/** The alarm record of a record that must not be trusted; `recordEntries` gives each request that meets it its own. */
export function alarmEntry(fault: IntegrityFault, actor: string, call: Call, services: Services): AuditEntry {
  services.signal("IntegrityAlarm");
  const found = fault.found === undefined ? "" : canonicalJson(toItemJson(fault.found));
  const recordId = recordIdSchema.safeParse(fault.recordId);
  const payment = fault.table === TABLES.paymentAuditTrail.logicalName ? undefined : fault.recordId;
  return ledgerEntry(
    {
      auditId: derivedAuditId("ALARM", fault.code, fault.table, fault.recordId, found),
      action: "ALARM",
      actor,
      table: fault.table,
      transactionId: transactionIdSchema.safeParse(payment).data,
      asked: { recordIds: recordId.success ? [recordId.data] : [] },
      answered: { recordIds: [], result: fault.code },
    },
    call,
  );
}

/** Refuses a whole call because of a record that must not be trusted, and leaves its alarm record. */
export async function refuseWithAlarm(
  fault: IntegrityFault,
  actor: string,
  call: Call,
  services: Services,
): Promise<RefusedResponse> {
  const alarm = alarmEntry(fault, actor, call, services);
  const ids = await recordEntries([alarm], services);
  return refusedWith(refusal(fault.code), ids.get(alarm));
}
