/** Changes the status of one recorded payment. */

import { FUNCTIONS, TABLES } from "../contract";
import { throughPrivateApi } from "../ledger/operations/private-api";
import { updatePaymentStatus } from "../ledger/operations/update-status";
import { serve } from "./runtime/serve";

export const handler = serve(
  FUNCTIONS.updatePaymentStatus.name,
  throughPrivateApi(updatePaymentStatus, TABLES.paymentLedger.logicalName),
);
