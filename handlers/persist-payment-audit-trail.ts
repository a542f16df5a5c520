/** Records one audit event or a list of them. */

import { FUNCTIONS } from "../contract";
import { persistAuditEvents } from "../operations/persist-audit-events";
import { serve } from "./runtime/serve";

export const handler = serve(FUNCTIONS.persistPaymentAuditTrail.name, persistAuditEvents);
