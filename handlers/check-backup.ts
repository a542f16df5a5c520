/** Checks the newest exports of all tables, on schedule. */

import { checkBackups } from "../backup/check-operation";
import { s3StateStore } from "../backup/state-store";
import { FUNCTIONS, PIECES_PREFIXES } from "../contract";
import { s3Client } from "./runtime/clients";
import { readBackupEnvironment, readPiecesEnvironment } from "./runtime/environment";
import { OBSERVER } from "./runtime/process";
import { serve } from "./runtime/serve";
import { VARIABLES } from "./runtime/variables";

const { exportBucket: bucket, tables } = readBackupEnvironment(VARIABLES);
const operation = FUNCTIONS.checkBackup.name;
const s3 = s3Client(VARIABLES);
const pieces = readPiecesEnvironment(VARIABLES);
const settings = {
  ...(pieces && { pieces: { ...pieces, s3, prefix: PIECES_PREFIXES.checkBackup } }),
  tables,
  s3,
  bucket,
  states: s3StateStore(s3, bucket),
  logLine: (requestId: string, table: string, code: string) =>
    OBSERVER.error("a backup needs attention", requestId, { operation, table, code }),
};

export const handler = serve(operation, (event, call, services) => checkBackups(event, call, services, settings));
