/** Reads payments by transaction, processor or failure. */

import { FUNCTIONS, TABLES } from "../contract";
import { throughPrivateApi } from "../ledger/operations/private-api";
import { queryLedger } from "../ledger/operations/query-ledger";
import { serve } from "./runtime/serve";

export const handler = serve(
  FUNCTIONS.queryPaymentLedger.name,
  throughPrivateApi(queryLedger, TABLES.paymentLedger.logicalName),
);
