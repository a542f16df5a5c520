/** Records what happens to payments: captures, refunds, disputes and the like, one or a list. */

import { FUNCTIONS, TABLES } from "../contract";
import { throughPrivateApi } from "../ledger/operations/private-api";
import { recordPaymentEvents } from "../ledger/operations/record-events";
import { serve } from "./runtime/serve";

export const handler = serve(
  FUNCTIONS.recordPaymentEvent.name,
  throughPrivateApi(recordPaymentEvents, TABLES.paymentEvents.logicalName),
);
