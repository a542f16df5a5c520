/** Returns the clear token of one payment. */

import { FUNCTIONS } from "../contract";
import { revealToken } from "../ledger/operations/reveal-token";
import { serve } from "./runtime/serve";

export const handler = serve(FUNCTIONS.revealPaymentToken.name, revealToken);
