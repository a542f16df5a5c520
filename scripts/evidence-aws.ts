/** The evidence commands that read from AWS (or the endpoint that AWS_ENDPOINT_URL names): nothing else of them does. */

import {
  type AttributeValue,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceNotFoundException,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { NoSuchBucket, S3Client } from "@aws-sdk/client-s3";
import { logicalNameOf } from "../backup/layout";
import { loadConfig } from "../config/load";
import { namesOf } from "../config/names";
import { exportFormOfItem } from "../ledger/stored-item";
import { s3Evidence } from "../log-check/s3-evidence";
import { storedItem } from "../store/transaction";
import type { Command } from "./evidence-arguments";
import { EvidenceToolError, UsageError } from "./evidence-errors";
import { fetchEvidence } from "./evidence-fetch";
import { type ScannedTable, type ScanResult, writeScan } from "./evidence-scan";

export const fetch: Command = {
  usage: `fetch --bucket NAME --to DIR
      Copy the evidence from its bucket, or what is new of it, and check that the copy is whole and unchanged.`,
  options: { bucket: "one", to: "one" },
  run: async (given, { print, progress }) => {
    given.noOperand();
    const to = given.needed("to");
    const bucket = given.needed("bucket");
    // Paths instead of host names for buckets, because an endpoint on this machine has no such names.
    const source = s3Evidence(new S3Client({ forcePathStyle: true }), bucket);
    const { size, origin, fetched } = await withBucket(bucket, () => fetchEvidence(source, to, progress));
    print(`${to} holds ${origin} at ${size} entries; ${fetched} new objects.`);
    return 0;
  },
};

async function withBucket<T>(bucket: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NoSuchBucket)) throw error;
    throw new EvidenceToolError(
      "BUCKET_MISSING",
      `There is no bucket ${bucket}. Name the evidence bucket of the environment.`,
    );
  }
}

export const scan: Command = {
  usage: `scan --to DIR [--table NAME]...
      Write the tables as they stand to a folder, as exports are laid out, for verify --export DIR.
      Tables without --table are those of the environment that PAYMENT_LEDGER_ENV names (dev by default).`,
  options: { to: "one", table: "many" },
  run: async (given, { print }) => {
    given.noOperand();
    const to = given.needed("to");
    const chosen = given.many("table");
    const names = chosen.length > 0 ? chosen : Object.values(namesOf(loadConfig()).tables);
    for (const { items, folder, takenAt } of await scanTables(new DynamoDBClient({}), names, to)) {
      print(`${folder}: ${items} records, scanned from ${takenAt}.`);
    }
    return 0;
  },
};

/** @param names deployed names. */
export async function scanTables(dynamo: DynamoDBClient, names: readonly string[], to: string): Promise<ScanResult[]> {
  const tables = await Promise.all(names.map((name) => scannedTable(dynamo, name)));
  // One moment for all: the tables refer to each other.
  const startedAt = new Date();
  const results: ScanResult[] = [];
  for (const table of tables) results.push(await writeScan(table, to, startedAt));
  return results;
}

async function scannedTable(dynamo: DynamoDBClient, name: string): Promise<ScannedTable> {
  if (logicalNameOf(name) === undefined) throw new UsageError(`${name} is no table of this ledger.`);
  try {
    const { Table } = await dynamo.send(new DescribeTableCommand({ TableName: name }));
    if (Table?.TableArn === undefined) throw new Error("DynamoDB answered DescribeTable without an ARN.");
    return { name, arn: Table.TableArn, pages: () => pagesOf(dynamo, name) };
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    throw new EvidenceToolError("TABLE_MISSING", `There is no table ${name}. Name one of the environment's tables.`);
  }
}

async function* pagesOf(dynamo: DynamoDBClient, name: string): AsyncGenerator<Record<string, object>[]> {
  let startKey: Record<string, AttributeValue> | undefined;
  do {
    // Consistent: else a record written before the scan might be left out, and be told as missing.
    const page = await dynamo.send(
      new ScanCommand({ TableName: name, ConsistentRead: true, ExclusiveStartKey: startKey }),
    );
    yield (page.Items ?? []).map((item) => exportFormOfItem(storedItem(item)));
    startKey = page.LastEvaluatedKey;
  } while (startKey !== undefined);
}
