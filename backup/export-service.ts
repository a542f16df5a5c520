/** DynamoDB's exports, as far as the export function needs them. */

import {
  DescribeContinuousBackupsCommand,
  DescribeExportCommand,
  type DynamoDBClient,
  type ExportDescription,
  ExportTableToPointInTimeCommand,
  InvalidExportTimeException,
  ListExportsCommand,
  PointInTimeRecoveryUnavailableException,
} from "@aws-sdk/client-dynamodb";
import { tableNameOfArn } from "../ledger/exports/names";
import { BackupError } from "./errors";
import { clientToken, exportPrefix } from "./layout";
import type { ExportablePeriod, ExportEntry } from "./windows";

export interface ExportTable {
  readonly table: string;
  readonly arn: string;
}

export interface ExportService {
  /** @throws BackupError when point-in-time recovery is off, or has nothing to offer yet. */
  reach(table: ExportTable, now: Date): Promise<ExportablePeriod>;
  /** Asks for the export. `outOfReach`: DynamoDB refuses its time, and always will. */
  start(table: ExportTable, entry: ExportEntry): Promise<{ readonly exportArn: string } | "outOfReach">;
  /** The export that an earlier run asked for and whose answer was lost. */
  find(table: ExportTable, entry: ExportEntry): Promise<string | undefined>;
  status(exportArn: string): Promise<"started" | "completed" | "failed">;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const REACH_DAYS_MAX = 35;
/** How far back a lost answer is searched for; the newest exports come first. */
const EXPORTS_SEARCHED_MAX = 200;

export function dynamoExportService(dynamo: DynamoDBClient, bucket: string, keyArn: string): ExportService {
  return {
    reach: async ({ table, arn }, now) => {
      const command = new DescribeContinuousBackupsCommand({ TableName: tableNameOfArn(arn) });
      const { ContinuousBackupsDescription } = await dynamo.send(command);
      const recovery = ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
      if (recovery?.PointInTimeRecoveryStatus !== "ENABLED") throw recoveryOff(table);
      const latestMs = recovery.LatestRestorableDateTime?.getTime();
      if (latestMs === undefined) throw notReady(table);
      const days = Math.min(recovery.RecoveryPeriodInDays ?? REACH_DAYS_MAX, REACH_DAYS_MAX);
      return { earliestMs: now.getTime() - days * DAY_MS, latestMs: Math.min(latestMs, now.getTime()) };
    },
    start: async (table, entry) => {
      try {
        const answer = await dynamo.send(startCommand(table, entry, bucket, keyArn));
        const exportArn = answer.ExportDescription?.ExportArn;
        if (exportArn === undefined) throw new Error("DynamoDB started an export without an ARN.");
        return { exportArn };
      } catch (error) {
        if (error instanceof InvalidExportTimeException) return "outOfReach";
        if (error instanceof PointInTimeRecoveryUnavailableException) throw recoveryOff(table.table);
        throw error;
      }
    },
    find: async (table, entry) => {
      const token = clientToken(table.arn, entry);
      for await (const description of exportsOf(dynamo, table.arn)) {
        if (description.ClientToken === token) return description.ExportArn;
      }
      return undefined;
    },
    status: async (exportArn) => {
      const { ExportDescription: found } = await dynamo.send(new DescribeExportCommand({ ExportArn: exportArn }));
      if (found?.ExportStatus === "COMPLETED") return "completed";
      return found?.ExportStatus === "FAILED" ? "failed" : "started";
    },
  };
}

function startCommand({ table, arn }: ExportTable, entry: ExportEntry, bucket: string, keyArn: string) {
  const { kind, from, to } = entry;
  const what =
    kind === "full" || from === undefined
      ? { ExportType: "FULL_EXPORT" as const, ExportTime: new Date(to) }
      : {
          ExportType: "INCREMENTAL_EXPORT" as const,
          IncrementalExportSpecification: {
            ExportFromTime: new Date(from),
            ExportToTime: new Date(to),
            ExportViewType: "NEW_AND_OLD_IMAGES" as const,
          },
        };
  return new ExportTableToPointInTimeCommand({
    TableArn: arn,
    ClientToken: clientToken(arn, entry),
    S3Bucket: bucket,
    S3BucketOwner: arn.split(":")[4],
    S3Prefix: exportPrefix(table, entry),
    S3SseAlgorithm: "KMS",
    S3SseKmsKeyId: keyArn,
    ExportFormat: "DYNAMODB_JSON",
    ...what,
  });
}

/** The table's exports of the last 90 days, described, newest first as far as DynamoDB lists them so. */
async function* exportsOf(dynamo: DynamoDBClient, tableArn: string): AsyncGenerator<ExportDescription> {
  const arns: string[] = [];
  let next: string | undefined;
  do {
    const page = await dynamo.send(new ListExportsCommand({ TableArn: tableArn, MaxResults: 25, NextToken: next }));
    arns.push(...(page.ExportSummaries ?? []).flatMap(({ ExportArn }) => ExportArn ?? []));
    next = page.NextToken;
  } while (next !== undefined);
  // Export ids begin with the time of the request, so the order of names is the order of time.
  for (const arn of arns.sort().reverse().slice(0, EXPORTS_SEARCHED_MAX)) {
    const { ExportDescription: found } = await dynamo.send(new DescribeExportCommand({ ExportArn: arn }));
    if (found !== undefined) yield found;
  }
}

function recoveryOff(table: string): BackupError {
  return new BackupError(
    "PITR_DISABLED",
    `Point-in-time recovery of ${table} is off. Exports are taken from it. Deploy the data stack again, which turns it on.`,
  );
}

function notReady(table: string): BackupError {
  return new BackupError(
    "PITR_NOT_READY",
    `Point-in-time recovery of ${table} has no moment to offer yet. It needs some minutes after it was turned on. The next run exports the table.`,
  );
}
