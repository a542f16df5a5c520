/** Records one payment or a list of payments. */

import { FUNCTIONS, TABLES } from "../contract";
import { persistPayments } from "../ledger/operations/persist-payments";
import { throughPrivateApi } from "../ledger/operations/private-api";
import { serve } from "./runtime/serve";

export const handler = serve(
  FUNCTIONS.persistPaymentLedger.name,
  throughPrivateApi(persistPayments, TABLES.paymentLedger.logicalName),
);
