/** Reads the records of one transaction of the payment files. */

import { FUNCTIONS, TABLES } from "../contract";
import { throughPrivateApi } from "../ledger/operations/private-api";
import { queryTransactions } from "../ledger/operations/query-transactions";
import { serve } from "./runtime/serve";

export const handler = serve(
  FUNCTIONS.queryTransactions.name,
  throughPrivateApi(queryTransactions, TABLES.paymentTransactions.logicalName),
);
