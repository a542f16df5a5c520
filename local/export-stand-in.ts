/**
 * What the embedded AWS leaves out of a table export: the files. It answers ExportTableToPointInTime and reports success,
 * and writes nothing; this writes, for every export that was asked for, the layout that AWS documents, from the table as
 * it is now. The ledger never uses it: real exports come from DynamoDB.
 *
 * What it cannot know: earlier versions of a row. A full export holds each row as it is now, and so does the old image of
 * a row whose status changed. The row itself says when it was written.
 */

import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import {
  type AttributeValue,
  DescribeExportCommand,
  type DynamoDBClient,
  type ExportDescription,
  ListExportsCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { HeadObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { shapeOf } from "../backup/export-lines";
import { entryOfPrefix } from "../backup/layout";
import { AWS_FOLDER, FILES_FILE, logicalNameOf, SUMMARY_FILE, tableNameOfArn } from "../ledger/exports/names";
import { toItemJson } from "../ledger/rules/attribute-value";
import { type StoredItem, textOf } from "../ledger/rules/stored-item";
import { storedItem } from "../ledger/store/transaction";

export interface StandIn {
  readonly dynamo: DynamoDBClient;
  /** Speaks in paths, as every client of the embedded AWS. */
  readonly s3: S3Client;
  /** Real exports have at least one file for each partition of the table. */
  readonly filesOfExport?: number;
}

export interface RequestedExport {
  readonly id: string;
  readonly exportArn: string;
  readonly tableArn: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly kind: "full" | "incremental";
  readonly from?: string;
  readonly to: string;
  readonly startTime: string;
  readonly kmsKey?: string;
}

export interface WrittenFile {
  readonly key: string;
  readonly body: Buffer;
}

const FILES_DEFAULT = 4;

/** Writes the files of every export that has none yet, and returns the ids of those exports. */
export async function writeRequestedExports(standIn: StandIn): Promise<string[]> {
  const written: string[] = [];
  for (const requested of await requestedExports(standIn.dynamo)) {
    if (await hasFiles(requested, standIn.s3)) continue;
    const items = await itemsOf(tableNameOfArn(requested.tableArn), standIn.dynamo);
    for (const { key, body } of exportFiles(requested, items, standIn.filesOfExport)) {
      await standIn.s3.send(
        new PutObjectCommand({ Bucket: requested.bucket, Key: key, Body: body, ...encryption(requested) }),
      );
    }
    written.push(requested.id);
  }
  return written;
}

function encryption({ kmsKey }: RequestedExport) {
  return kmsKey === undefined ? {} : { ServerSideEncryption: "aws:kms" as const, SSEKMSKeyId: kmsKey };
}

async function requestedExports(dynamo: DynamoDBClient): Promise<RequestedExport[]> {
  const requested: RequestedExport[] = [];
  let next: string | undefined;
  do {
    const page = await dynamo.send(new ListExportsCommand({ MaxResults: 25, NextToken: next }));
    for (const { ExportArn } of page.ExportSummaries ?? []) {
      const { ExportDescription } = await dynamo.send(new DescribeExportCommand({ ExportArn }));
      const understood = ExportDescription && understand(ExportDescription);
      if (understood !== undefined) requested.push(understood);
    }
    next = page.NextToken;
  } while (next !== undefined);
  return requested;
}

/** The embedded AWS forgets the window of an increment; the ledger's prefixes name it. */
function understand(description: ExportDescription): RequestedExport | undefined {
  const { ExportArn = "", TableArn = "", S3Bucket = "", S3Prefix = "", StartTime, S3SseKmsKeyId } = description;
  if (logicalNameOf(tableNameOfArn(TableArn)) === undefined) return undefined;
  const time = description.ExportTime ?? StartTime ?? new Date(0);
  const entry = entryOfPrefix(S3Prefix) ?? { kind: "full" as const, to: time.toISOString() };
  return {
    id: ExportArn.slice(ExportArn.lastIndexOf("/") + 1),
    exportArn: ExportArn,
    tableArn: TableArn,
    bucket: S3Bucket,
    prefix: S3Prefix,
    ...entry,
    startTime: (StartTime ?? time).toISOString(),
    ...(S3SseKmsKeyId === undefined ? {} : { kmsKey: S3SseKmsKeyId }),
  };
}

async function hasFiles({ bucket, prefix, id }: RequestedExport, s3: S3Client): Promise<boolean> {
  try {
    await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: `${prefix}/${AWS_FOLDER}/${id}/${SUMMARY_FILE}` }));
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === "NotFound") return false;
    throw error;
  }
}

async function itemsOf(tableName: string, dynamo: DynamoDBClient): Promise<StoredItem[]> {
  const items: StoredItem[] = [];
  let startKey: Record<string, AttributeValue> | undefined;
  do {
    const page = await dynamo.send(new ScanCommand({ TableName: tableName, ExclusiveStartKey: startKey }));
    items.push(...(page.Items ?? []).map(storedItem));
    startKey = page.LastEvaluatedKey;
  } while (startKey !== undefined);
  return items;
}

/** All files of one export, in the order in which DynamoDB writes them: the summary comes last and says that all is there. */
export function exportFiles(
  requested: RequestedExport,
  items: readonly StoredItem[],
  filesOfExport = FILES_DEFAULT,
): WrittenFile[] {
  const { kind, prefix, id } = requested;
  const top = prefix === "" ? AWS_FOLDER : `${prefix}/${AWS_FOLDER}`;
  const dataFolder = kind === "full" ? `${top}/${id}/data` : `${top}/data`;
  const lines = items.flatMap((item) => lineOf(item, requested));
  const data = inFiles(lines, filesOfExport).map((part, index) => {
    const body = gzipSync(part.map((line) => `${line.text}\n`).join(""));
    return { key: `${dataFolder}/${fileName(id, index)}.json.gz`, body, itemCount: part.length };
  });
  const filesManifest = data.map((file) => `${JSON.stringify(manifestLine(file))}\n`).join("");
  const summary = JSON.stringify(summaryOf(requested, `${top}/${id}/${FILES_FILE}`, lines.length));
  return [
    { key: `${top}/${id}/_started`, body: Buffer.alloc(0) },
    ...data.map(({ key, body }) => ({ key, body })),
    ...withChecksum(`${top}/${id}/${FILES_FILE}`, filesManifest),
    ...withChecksum(`${top}/${id}/${SUMMARY_FILE}`, summary).reverse(),
  ];
}

interface DataLine {
  readonly key: string;
  readonly text: string;
}

/** Nothing, where the item was not there yet or did not change in the window. */
function lineOf(item: StoredItem, { kind, from = "", to, tableArn }: RequestedExport): DataLine[] {
  const logicalName = logicalNameOf(tableNameOfArn(tableArn));
  if (logicalName === undefined) return [];
  const shape = shapeOf(logicalName);
  const recordedAt = textOf(item, shape.recordedAt) ?? "";
  const changedAt = textOf(item, "StatusChangedAt") ?? recordedAt;
  const image = toItemJson(item);
  const Keys = Object.fromEntries(shape.keys.map(({ name }) => [name, image[name]]));
  const key = JSON.stringify(Keys);
  if (kind === "full") return recordedAt < to ? [{ key, text: JSON.stringify({ Item: image }) }] : [];
  const isIn = (time: string) => time >= from && time < to;
  if (!isIn(recordedAt) && !isIn(changedAt)) return [];
  const at = isIn(changedAt) ? changedAt : recordedAt;
  const Metadata = { WriteTimestampMicros: { N: String(Date.parse(at) * 1000) } };
  const OldImage = isIn(recordedAt) ? {} : { OldImage: image };
  return [{ key, text: JSON.stringify({ Metadata, Keys, ...OldImage, NewImage: image }) }];
}

/** By the hash of the key, as DynamoDB's partitions are; a file may be empty. */
function inFiles(lines: readonly DataLine[], count: number): DataLine[][] {
  const files: DataLine[][] = Array.from({ length: count }, () => []);
  for (const line of lines) {
    files[createHash("sha256").update(line.key).digest().readUInt32BE(0) % count]?.push(line);
  }
  return files;
}

function manifestLine({ key, body, itemCount }: WrittenFile & { readonly itemCount: number }) {
  const md5 = createHash("md5").update(body).digest();
  // DynamoDB uploads in parts; the ETag of a single part is the MD5 of its MD5.
  const etag = `${createHash("md5").update(md5).digest("hex")}-1`;
  return { itemCount, md5Checksum: md5.toString("base64"), etag, dataFileS3Key: key };
}

function summaryOf(requested: RequestedExport, manifestFilesS3Key: string, itemCount: number) {
  const { exportArn, tableArn, bucket, prefix, kind, from, to, startTime, kmsKey } = requested;
  const times = kind === "full" ? { exportTime: to } : { exportFromTime: from, exportToTime: to };
  return {
    version: kind === "full" ? "2020-06-30" : "2023-08-01",
    exportArn,
    startTime,
    endTime: startTime,
    tableArn,
    tableId: "00000000-0000-0000-0000-000000000000",
    ...times,
    s3Bucket: bucket,
    s3Prefix: prefix === "" ? null : prefix,
    s3SseAlgorithm: kmsKey === undefined ? "AES256" : "KMS",
    s3SseKmsKeyId: kmsKey ?? null,
    manifestFilesS3Key,
    billedSizeBytes: 0,
    itemCount,
    outputFormat: "DYNAMODB_JSON",
    ...(kind === "full" ? {} : { outputView: "NEW_AND_OLD_IMAGES", exportType: "INCREMENTAL_EXPORT" }),
  };
}

function withChecksum(key: string, text: string): WrittenFile[] {
  const checksum = createHash("md5").update(text).digest("base64");
  return [
    { key, body: Buffer.from(text) },
    { key: key.replace(/\.json$/, ".md5"), body: Buffer.from(checksum) },
  ];
}

/** 26 letters and digits, as DynamoDB names its data files. */
function fileName(id: string, index: number): string {
  return createHash("sha256").update(`${id}/${index}`).digest("hex").slice(0, 26);
}
