/** Records the payments of `audit-trail-queue`, and by direct call those that an earlier system recorded. */

import { FUNCTIONS } from "../contract";
import { importMessages, isImportOfMessages } from "../ledger/operations/import-messages";
import { processMessages } from "../ledger/operations/process-messages";
import { type Operation, serve } from "./runtime/serve";

const process: Operation<object> = (event, call, services) =>
  isImportOfMessages(event) ? importMessages(event, call, services) : processMessages(event, call, services);

export const handler = serve(FUNCTIONS.processPaymentMessages.name, process);
