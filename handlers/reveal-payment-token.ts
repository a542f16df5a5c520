/** Returns the clear token of one payment. */

import { FUNCTIONS, TABLES } from "../contract";
import { throughPrivateApi } from "../ledger/operations/private-api";
import { revealToken } from "../ledger/operations/reveal-token";
import { serve } from "./runtime/serve";

export const handler = serve(
  FUNCTIONS.revealPaymentToken.name,
  throughPrivateApi(revealToken, TABLES.paymentLedger.logicalName),
);
