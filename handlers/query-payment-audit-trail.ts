/** Reads the audit trail by transaction, actor or time. */

import { FUNCTIONS } from "../contract";
import { queryAuditTrail } from "../ledger/operations/query-audit-trail";
import { serve } from "./runtime/serve";

export const handler = serve(FUNCTIONS.queryPaymentAuditTrail.name, queryAuditTrail);
