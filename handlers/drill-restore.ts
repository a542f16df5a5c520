/** Restores the newest exports into scratch tables, compares these with the log of proofs, and removes them; step by step, on schedule. */

import { FUNCTIONS, PIECES_PREFIXES } from "../contract";
import { drillRestore } from "../evidence/checks/drill-operation";
import { s3DrillBucket } from "../evidence/checks/drill-state";
import { drillTables, scratchNameOf } from "../evidence/checks/drill-tables";
import { s3Evidence } from "../evidence/checks/s3-evidence";
import { verifierKeysOf } from "../evidence/checks/verification";
import { dynamoClient, kmsClient, s3Client } from "./runtime/clients";
import {
  readBackupEnvironment,
  readDrillEnvironment,
  readPiecesEnvironment,
  readSignerEnvironment,
} from "./runtime/environment";
import { OBSERVER } from "./runtime/process";
import { serve } from "./runtime/serve";
import { VARIABLES } from "./runtime/variables";

const { exportBucket: bucket, tables } = readBackupEnvironment(VARIABLES);
const { evidenceBucket, logOrigin, everyDays } = readDrillEnvironment(VARIABLES);
const { checkpointKeyArns } = readSignerEnvironment(VARIABLES);
const operation = FUNCTIONS.drillRestore.name;
const dynamo = dynamoClient();
const s3 = s3Client(VARIABLES);
const pieces = readPiecesEnvironment(VARIABLES);
const settings = {
  ...(pieces && { pieces: { ...pieces, s3, prefix: PIECES_PREFIXES.drillRestore } }),
  tables,
  exports: { s3, bucket },
  state: s3DrillBucket(s3, bucket),
  dynamo,
  scratch: drillTables(dynamo),
  scratchName: scratchNameOf,
  evidence: s3Evidence(s3, evidenceBucket),
  keys: verifierKeysOf(kmsClient(), checkpointKeyArns, logOrigin),
  everyDays,
  logLine: (requestId: string, code: string) =>
    OBSERVER.error("a restore drill needs attention", requestId, { operation, code }),
};

export const handler = serve(operation, (event, call, services) => drillRestore(event, call, services, settings));
