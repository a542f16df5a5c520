/**
 * Restores a table into a scratch table: from point-in-time recovery, from a backup, or from exports. It never touches a
 * table that is there, and it makes and removes tables of scratch names only.
 */

import { setTimeout as sleep } from "node:timers/promises";
import {
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeImportCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  ImportTableCommand,
  PutItemCommand,
  ResourceNotFoundException,
  RestoreTableFromBackupCommand,
  RestoreTableToPointInTimeCommand,
  type TableDescription,
} from "@aws-sdk/client-dynamodb";
import { SCRATCH_TABLE_PREFIX } from "../contract";
import type { ExportFolder } from "../ledger/exports/folder";
import { scanPages } from "../ledger/store/read-items";
import { BackupError } from "./errors";
import { shapeOf } from "./export-lines";
import { keyAttributes, type RestorePlan, readLinesOf, sdkItemOf } from "./restore-plan";

export type RestoreSource =
  | { readonly from: "time"; readonly at?: Date }
  | { readonly from: "backup"; readonly arn: string }
  | { readonly from: "export"; readonly plan: RestorePlan; readonly folder: ExportFolder; readonly bucket: string };

export interface Restore {
  readonly dynamo: DynamoDBClient;
  /** Deployed name of the table that is restored. */
  readonly table: string;
  readonly into: string;
  readonly source: RestoreSource;
  readonly waitMs: number;
  readonly pollMs?: number;
  readonly progress?: (message: string) => void;
}

const POLL_MS = 5_000;
const SCRATCH_NAME = new RegExp(`^${SCRATCH_TABLE_PREFIX}[A-Za-z0-9_.-]{1,200}$`);
/** Writes under way at once while increments are applied. */
const PARALLEL_WRITES_MAX = 16;

/** @returns how many items the scratch table holds. */
export async function restoreTable(restore: Restore): Promise<number> {
  const { dynamo, into, source, progress = () => {} } = restore;
  assertScratchName(into);
  if ((await describeTable(dynamo, into)) !== undefined) {
    throw new BackupError(
      "TABLE_EXISTS",
      `There is a table ${into} already. A restore overwrites nothing. Choose another name, or remove it with: npx payledger backup remove-scratch ${into}`,
    );
  }
  const deadline = Date.now() + restore.waitMs;
  if (source.from === "export") await importExports(restore, source, deadline);
  else await requestRestore(restore, source);
  progress(`waiting for ${into}`);
  await untilActive(restore, deadline);
  if (source.from === "export") await applyWindows(restore, source);
  return countItems(dynamo, into);
}

async function requestRestore(
  { dynamo, table, into }: Restore,
  source: Exclude<RestoreSource, { from: "export" }>,
): Promise<void> {
  if (source.from === "backup") {
    await dynamo.send(new RestoreTableFromBackupCommand({ BackupArn: source.arn, TargetTableName: into }));
    return;
  }
  if ((await describeTable(dynamo, table)) === undefined) throw tableMissing(table);
  const moment = source.at === undefined ? { UseLatestRestorableTime: true } : { RestoreDateTime: source.at };
  await dynamo.send(new RestoreTableToPointInTimeCommand({ SourceTableName: table, TargetTableName: into, ...moment }));
}

/** DynamoDB imports the full export by itself, into a new table. */
async function importExports(
  { dynamo, table, into, pollMs = POLL_MS, progress }: Restore,
  { plan, bucket }: Extract<RestoreSource, { from: "export" }>,
  deadline: number,
): Promise<void> {
  const kmsKey = (await describeTable(dynamo, table))?.SSEDescription?.KMSMasterKeyArn;
  const answer = await dynamo.send(
    new ImportTableCommand({
      S3BucketSource: { S3Bucket: bucket, S3KeyPrefix: plan.full.dataFolder },
      InputFormat: "DYNAMODB_JSON",
      InputCompressionType: "GZIP",
      TableCreationParameters: {
        TableName: into,
        BillingMode: "PAY_PER_REQUEST",
        ...keyAttributes(shapeOf(plan.full.table)),
        ...(kmsKey === undefined
          ? {}
          : { SSESpecification: { Enabled: true, SSEType: "KMS", KMSMasterKeyId: kmsKey } }),
      },
    }),
  );
  const ImportArn = answer.ImportTableDescription?.ImportArn;
  progress?.(`importing ${plan.full.itemCount} items of the full export at ${plan.full.to}`);
  for (;;) {
    const { ImportTableDescription: found } = await dynamo.send(new DescribeImportCommand({ ImportArn }));
    const { ImportStatus, FailureCode, ErrorCount = 0 } = found ?? {};
    if (ImportStatus === "COMPLETED" && ErrorCount === 0) return;
    if (ImportStatus !== "IN_PROGRESS") {
      throw new BackupError(
        "RESTORE_FAILED",
        `The import into ${into} ended ${ImportStatus} with ${ErrorCount} refused items (${FailureCode ?? "no code"}). The log group /aws-dynamodb/imports names them. Remove the scratch table and restore again.`,
      );
    }
    await waitOrGiveUp(into, deadline, pollMs);
  }
}

/** Each window in turn; within one, every key occurs once, so its order does not matter. */
async function applyWindows(
  { dynamo, into, progress }: Restore,
  { plan, folder }: Extract<RestoreSource, { from: "export" }>,
): Promise<void> {
  for (const window of plan.windows) {
    progress?.(`applying ${window.itemCount} changes of ${window.from} to ${window.to}`);
    let writes: Promise<unknown>[] = [];
    await readLinesOf(window, folder, async ({ item, keys }) => {
      const write =
        item === undefined
          ? dynamo.send(new DeleteItemCommand({ TableName: into, Key: sdkItemOf(keys) }))
          : dynamo.send(new PutItemCommand({ TableName: into, Item: sdkItemOf(item) }));
      writes.push(write);
      if (writes.length < PARALLEL_WRITES_MAX) return;
      await Promise.all(writes);
      writes = [];
    });
    await Promise.all(writes);
  }
}

async function untilActive({ dynamo, into, pollMs = POLL_MS }: Restore, deadline: number): Promise<void> {
  for (;;) {
    const status = (await describeTable(dynamo, into))?.TableStatus;
    if (status === "ACTIVE") return;
    await waitOrGiveUp(into, deadline, pollMs);
  }
}

async function waitOrGiveUp(into: string, deadline: number, pollMs: number): Promise<void> {
  if (Date.now() < deadline) return void (await sleep(pollMs));
  throw new BackupError(
    "RESTORE_TIMEOUT",
    `${into} is not ready within the time given. DynamoDB goes on with it; large tables take hours. Look at it with describe-table, or wait longer with --wait-minutes.`,
  );
}

export async function removeScratch(dynamo: DynamoDBClient, name: string): Promise<void> {
  assertScratchName(name);
  if ((await describeTable(dynamo, name)) === undefined) throw tableMissing(name);
  await dynamo.send(new DeleteTableCommand({ TableName: name }));
}

function assertScratchName(name: string): void {
  if (SCRATCH_NAME.test(name)) return;
  throw new BackupError(
    "NOT_A_SCRATCH_NAME",
    `"${name}" is no name of a scratch table. Restores make, and remove-scratch removes, only tables whose names begin with "scratch-". Choose such a name.`,
  );
}

function tableMissing(name: string): BackupError {
  return new BackupError(
    "TABLE_MISSING",
    `There is no table ${name}. Give the deployed name, with the environment's suffix.`,
  );
}

/** Undefined if it does not exist. */
export async function describeTable(dynamo: DynamoDBClient, name: string): Promise<TableDescription | undefined> {
  try {
    return (await dynamo.send(new DescribeTableCommand({ TableName: name }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

async function countItems(dynamo: DynamoDBClient, name: string): Promise<number> {
  let items = 0;
  const pages = scanPages(dynamo, { TableName: name, Select: "COUNT", ConsistentRead: true });
  for await (const { Count = 0 } of pages) items += Count;
  return items;
}
