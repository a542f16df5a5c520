/** The export function: what its schedules ask for, and what it reports for each table. */

import * as z from "zod";
import { BACKUP_METRICS, type LogicalTableName } from "../contract";
import type { Call } from "../ledger/operations/call";
import type { Services } from "../ledger/store/services";
import { BackupError } from "./errors";
import type { ExportService } from "./export-service";
import { type ExportFailure, exportTable, type TableExports } from "./export-table";
import type { StateStore } from "./state-store";

export interface ExportSettings {
  readonly tables: readonly { readonly table: LogicalTableName; readonly arn: string }[];
  readonly service: ExportService;
  readonly states: StateStore;
  /** Writes one log line. */
  readonly logLine: (requestId: string, table: LogicalTableName, code: string) => void;
}

export interface ExportResponse {
  readonly outcome: "exported";
  readonly tables: readonly TableExports[];
}

const requestSchema = z.strictObject({ kind: z.enum(["incremental", "full"]) });

/** A table that cannot be exported stops no other; the run then fails, so that the platform tries it again. */
export async function exportTables(
  event: unknown,
  call: Call,
  services: Services,
  settings: ExportSettings,
): Promise<ExportResponse> {
  const request = requestSchema.safeParse(event);
  if (!request.success) throw badRequest();
  const done: TableExports[] = [];
  const faults: unknown[] = [];
  for (const table of settings.tables) {
    const fail = (code: ExportFailure | string) => {
      services.signal(BACKUP_METRICS.exportFailed);
      settings.logLine(call.caller.requestId, table.table, code);
    };
    const run = { service: settings.service, states: settings.states, now: call.now, failure: fail };
    try {
      done.push(await exportTable(table, request.data.kind, run));
      services.signal(BACKUP_METRICS.exported);
    } catch (error) {
      fail(error instanceof BackupError ? error.code : "TECHNICAL_FAULT");
      faults.push(error);
    }
  }
  if (faults.length > 0) throw faults[0];
  return { outcome: "exported", tables: done };
}

function badRequest(): BackupError {
  return new BackupError(
    "BAD_REQUEST",
    'The export function takes {"kind":"incremental"} or {"kind":"full"}, and nothing else. Correct the schedule.',
  );
}
