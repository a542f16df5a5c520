/** Compares the tables with the log of proofs, on schedule, and seals what the streams missed. */

import { FUNCTIONS, PIECES_PREFIXES } from "../contract";
import { s3Evidence } from "../evidence/checks/s3-evidence";
import { sweepAuditTrail } from "../evidence/checks/sweep-operation";
import { checkpointMemory, memoryBeside } from "../evidence/checks/swept-checkpoints";
import { verifierKeysOf } from "../evidence/checks/verification";
import { openLog } from "../evidence/sealing/append";
import { evidenceBucket } from "../evidence/sealing/evidence-bucket";
import { backOff } from "../ledger/store/transaction";
import { dynamoClient, kmsClient, s3Client } from "./runtime/clients";
import {
  readEvidenceKeyArn,
  readLogEnvironment,
  readPiecesEnvironment,
  readSignerEnvironment,
} from "./runtime/environment";
import { OBSERVER } from "./runtime/process";
import { serve } from "./runtime/serve";
import { VARIABLES } from "./runtime/variables";

const { evidenceBucket: bucket, logStateTable: tableName, logOrigin: origin } = readLogEnvironment(VARIABLES);
const { checkpointKeyArns } = readSignerEnvironment(VARIABLES);
const operation = FUNCTIONS.sweepAuditTrail.name;
const dynamo = dynamoClient();
const s3 = s3Client(VARIABLES);
const evidence = s3Evidence(s3, bucket);
const pieces = readPiecesEnvironment(VARIABLES);
const settings = {
  evidence,
  keys: verifierKeysOf(kmsClient(), checkpointKeyArns, origin),
  memory: memoryBeside(
    checkpointMemory(dynamo, tableName, origin),
    evidence,
    evidenceBucket(s3, { bucket, keyArn: readEvidenceKeyArn(VARIABLES) }, backOff),
  ),
  log: openLog({ dynamo, tableName, origin }),
  ...(pieces && { pieces: { ...pieces, s3, prefix: PIECES_PREFIXES.sweepAuditTrail } }),
  logLine: (requestId: string, code: string) =>
    OBSERVER.error("the tables and the log need attention", requestId, { operation, code }),
};

export const handler = serve(operation, (event, call, services) => sweepAuditTrail(event, call, services, settings));
