/** Processes payment files as they arrive in the bucket, and direct `payment_data`. */

import { FUNCTIONS } from "../contract";
import { PaymentFiles } from "../files/payment-files";
import { runPaymentProcessor } from "../operations/payment-processor";
import { s3Client } from "./runtime/clients";
import { readFilesEnvironment } from "./runtime/environment";
import { serve } from "./runtime/serve";

const { filesBucket, removeCardDataFiles } = readFilesEnvironment(process.env);
const settings = { files: new PaymentFiles(s3Client(process.env), filesBucket), removeCardDataFiles };

export const handler = serve(FUNCTIONS.paymentProcessor.name, (event, call, store) =>
  runPaymentProcessor(event, call, store, settings),
);
