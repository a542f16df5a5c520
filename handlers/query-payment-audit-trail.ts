/** Reads the audit trail by transaction, actor or time. */

import { FUNCTIONS, TABLES } from "../contract";
import { throughPrivateApi } from "../ledger/operations/private-api";
import { queryAuditTrail } from "../ledger/operations/query-audit-trail";
import { serve } from "./runtime/serve";

export const handler = serve(
  FUNCTIONS.queryPaymentAuditTrail.name,
  throughPrivateApi(queryAuditTrail, TABLES.paymentAuditTrail.logicalName),
);
