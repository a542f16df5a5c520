/** Records one payment or a list of payments. */

import { FUNCTIONS } from "../contract";
import { persistPayments } from "../ledger/operations/persist-payments";
import { serve } from "./runtime/serve";

export const handler = serve(FUNCTIONS.persistPaymentLedger.name, persistPayments);
