/** Appends a heartbeat to the log of proofs and publishes a signed checkpoint over everything, on schedule. */

import { FUNCTIONS } from "../contract";
import { openLog } from "../evidence/sealing/append";
import { evidenceBucket } from "../evidence/sealing/evidence-bucket";
import { publishCheckpoint } from "../evidence/sealing/publish-checkpoint";
import { checkpointSigners } from "../evidence/sealing/signers";
import { backOff } from "../ledger/store/transaction";
import { dynamoClient, kmsClient, s3Client } from "./runtime/clients";
import {
  readEvidenceKeyArn,
  readLogEnvironment,
  readSignerEnvironment,
  readStreamEnvironment,
} from "./runtime/environment";
import { OBSERVER } from "./runtime/process";
import { serve } from "./runtime/serve";
import { VARIABLES } from "./runtime/variables";

const { logStateTable: tableName, evidenceBucket: bucket, logOrigin: origin } = readLogEnvironment(VARIABLES);
const { checkpointKeyArns } = readSignerEnvironment(VARIABLES);
const operation = FUNCTIONS.publishCheckpoint.name;
const settings = {
  log: openLog({ dynamo: dynamoClient(), tableName, origin }, { recentEntries: 0 }),
  evidence: evidenceBucket(s3Client(VARIABLES), { bucket, keyArn: readEvidenceKeyArn(VARIABLES) }, backOff),
  signers: checkpointSigners(kmsClient(), checkpointKeyArns, origin),
  clock: () => new Date(),
  streams: readStreamEnvironment(VARIABLES),
  logLine: (requestId: string, code: string) =>
    OBSERVER.error("the log needs attention", requestId, { operation, code }),
};

export const handler = serve(operation, (event, call, services) => publishCheckpoint(event, call, services, settings));
