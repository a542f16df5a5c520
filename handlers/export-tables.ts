/** Exports all tables to the export bucket; its schedules say whether the changes since the last run or everything. */

import { exportTables } from "../backup/export-operation";
import { dynamoExportService } from "../backup/export-service";
import { s3StateStore } from "../backup/state-store";
import { FUNCTIONS } from "../contract";
import { dynamoClient, s3Client } from "./runtime/clients";
import { readBackupEnvironment } from "./runtime/environment";
import { OBSERVER } from "./runtime/process";
import { serve } from "./runtime/serve";
import { VARIABLES } from "./runtime/variables";

const { exportBucket, exportKeyArn, tables } = readBackupEnvironment(VARIABLES);
const operation = FUNCTIONS.exportTables.name;
const settings = {
  tables,
  service: dynamoExportService(dynamoClient(), exportBucket, exportKeyArn),
  states: s3StateStore(s3Client(VARIABLES), exportBucket),
  logLine: (requestId: string, table: string, code: string) =>
    OBSERVER.error("an export needs attention", requestId, { operation, table, code }),
};

export const handler = serve(operation, (event, call, services) => exportTables(event, call, services, settings));
