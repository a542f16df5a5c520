/** Checks the newest exports of all tables, on schedule. */

import { checkBackups } from "../backup/check-operation";
import { s3StateStore } from "../backup/state-store";
import { FUNCTIONS } from "../contract";
import { s3Client } from "./runtime/clients";
import { readBackupEnvironment } from "./runtime/environment";
import { OBSERVER } from "./runtime/process";
import { serve } from "./runtime/serve";
import { VARIABLES } from "./runtime/variables";

const { exportBucket: bucket, tables } = readBackupEnvironment(VARIABLES);
const operation = FUNCTIONS.checkBackup.name;
const s3 = s3Client(VARIABLES);
const settings = {
  tables,
  s3,
  bucket,
  states: s3StateStore(s3, bucket),
  logLine: (requestId: string, table: string, code: string) =>
    OBSERVER.error("a backup needs attention", requestId, { operation, table, code }),
};

export const handler = serve(operation, (_event, call, services) => checkBackups(call, services, settings));
