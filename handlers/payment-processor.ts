/** Processes payment files as they arrive in the bucket, and direct `payment_data`. */

import { FUNCTIONS } from "../contract";
import { PaymentFiles } from "../ledger/files/payment-files";
import { runPaymentProcessor } from "../ledger/operations/payment-processor";
import { s3Client } from "./runtime/clients";
import { readFilesEnvironment } from "./runtime/environment";
import { serve } from "./runtime/serve";
import { VARIABLES } from "./runtime/variables";

const { filesBucket, removeCardDataFiles } = readFilesEnvironment(VARIABLES);
const settings = { files: new PaymentFiles(s3Client(VARIABLES), filesBucket), removeCardDataFiles };

export const handler = serve(FUNCTIONS.paymentProcessor.name, (event, call, services) =>
  runPaymentProcessor(event, call, services, settings),
);
