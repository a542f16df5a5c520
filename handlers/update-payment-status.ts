/** Changes the status of one recorded payment. */

import { FUNCTIONS } from "../contract";
import { updatePaymentStatus } from "../ledger/operations/update-status";
import { serve } from "./runtime/serve";

export const handler = serve(FUNCTIONS.updatePaymentStatus.name, updatePaymentStatus);
