/** Reads payments by transaction, processor or failure. */

import { FUNCTIONS } from "../contract";
import { queryLedger } from "../ledger/operations/query-ledger";
import { serve } from "./runtime/serve";

export const handler = serve(FUNCTIONS.queryPaymentLedger.name, queryLedger);
