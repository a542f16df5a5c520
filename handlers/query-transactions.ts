/** Reads the records of one transaction of the payment files. */

import { FUNCTIONS } from "../contract";
import { queryTransactions } from "../ledger/operations/query-transactions";
import { serve } from "./runtime/serve";

export const handler = serve(FUNCTIONS.queryTransactions.name, queryTransactions);
