/** Seals what the tables' streams tell into the log of proofs, and publishes its checkpoints by schedule. */

import { FUNCTIONS } from "../contract";
import { evidenceBucket } from "../sealing/evidence-bucket";
import { openLog } from "../sealing/log-state";
import { sealAuditTrail } from "../sealing/seal";
import { checkpointSigners } from "../sealing/signers";
import { backOff } from "../store/transaction";
import { dynamoClient, kmsClient, s3Client } from "./runtime/clients";
import { readLogEnvironment, readSignerEnvironment } from "./runtime/environment";
import { OBSERVER } from "./runtime/process";
import { serve } from "./runtime/serve";
import { VARIABLES } from "./runtime/variables";

const { logStateTable: tableName, evidenceBucket: bucket, logOrigin: origin } = readLogEnvironment(VARIABLES);
const { checkpointKeyArns } = readSignerEnvironment(VARIABLES);
const operation = FUNCTIONS.sealAuditTrail.name;
const settings = {
  log: openLog({ dynamo: dynamoClient(), tableName, origin }),
  evidence: evidenceBucket(s3Client(VARIABLES), bucket, backOff),
  signers: checkpointSigners(kmsClient(), checkpointKeyArns, origin),
  clock: () => new Date(),
  report: (requestId: string, code: string) =>
    OBSERVER.error("the log needs attention", requestId, { operation, code }),
};

export const handler = serve(operation, (event, call, store) => sealAuditTrail(event, call, store, settings));
