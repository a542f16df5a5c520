/** Records the payments of `audit-trail-queue`. */

import { FUNCTIONS } from "../contract";
import { processMessages } from "../ledger/operations/process-messages";
import { serve } from "./runtime/serve";

export const handler = serve(FUNCTIONS.processPaymentMessages.name, processMessages);
