/**
 * The export of all tables and its check, by the deployed functions. The embedded AWS says that exports are complete and
 * writes none, so a stand-in writes their files in the layout that AWS documents.
 */

import { setTimeout as delay } from "node:timers/promises";
import { ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { checkFolder } from "../../backup/check";
import type { CheckResponse } from "../../backup/check-operation";
import type { CheckReport } from "../../backup/findings";
import { s3Folder } from "../../backup/s3-folder";
import { tableReader } from "../../backup/table-keys";
import { EXPORT_PREFIXES } from "../../contract";
import { writeRequestedExports } from "../export-stand-in";
import { readObject } from "./buckets";
import type { LedgerCalls } from "./calls";
import type { JobEnvironment } from "./job-environment";

const MINUTE_MS = 60_000;
/** Exports are taken at whole minutes, and a moment of AWS's own work lies between asking and the table's state. */
const MARGIN_MS = 500;

export interface ExportChecked {
  /** The moment of which the tables were exported. */
  readonly at: string;
  /** By the scheduled function, as it was deployed. */
  readonly scheduled: CheckResponse;
  /** The same files, held against every item of the tables that was recorded before the moment. */
  readonly whole: CheckReport;
  /** By the scheduled function, after one byte of one file was changed. */
  readonly damaged: CheckResponse;
}

/** Waits until an export can hold what was recorded up to this moment. */
export async function untilExportable(recordedUntil: Date): Promise<void> {
  const next = (Math.floor(recordedUntil.getTime() / MINUTE_MS) + 1) * MINUTE_MS + MARGIN_MS;
  await delay(Math.max(0, next - Date.now()));
}

export async function exportAndCheck(environment: JobEnvironment, calls: LedgerCalls): Promise<ExportChecked> {
  const { tables } = await calls.exportTables({ kind: "full" });
  await writeRequestedExports(environment.pastPermissions);
  const scheduled = await calls.checkBackup();
  const whole = await checkFolder(s3Folder(environment.s3, environment.exportBucket, [EXPORT_PREFIXES.exports]), {
    tableOf: (deployedName) => tableReader(environment.dynamo, deployedName),
    settleMs: 0,
  });
  await flipOneByte(environment);
  const damaged = await calls.checkBackup();
  return { at: tables[0]?.exportedUntil ?? "", scheduled, whole, damaged };
}

/** As a broken disk may: the name and the length stay. No person could, because the bucket's policy refuses every put but DynamoDB's. */
async function flipOneByte({ pastPermissions: { s3 }, exportBucket }: JobEnvironment): Promise<void> {
  const { Contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: exportBucket, Prefix: EXPORT_PREFIXES.exports }),
  );
  const Key = Contents.find((object) => object.Key?.endsWith(".json.gz"))?.Key ?? "";
  const bytes = (await readObject(s3, exportBucket, Key)) ?? Buffer.alloc(1);
  const middle = Math.floor(bytes.length / 2);
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
  await s3.send(new PutObjectCommand({ Bucket: exportBucket, Key, Body: bytes }));
}

/** @param tables how many there are; @param stored how many items lie in them by the moment at the least. */
export function exportDiffers({ scheduled, whole, damaged }: ExportChecked, tables: number, stored: number): string[] {
  const named = damaged.tables.flatMap(({ codes }) => codes);
  const compared = comparedItems(whole);
  return [
    ...(scheduled.outcome === "good" ? [] : [`the scheduled check says ${scheduled.outcome}: ${codesOf(scheduled)}`]),
    ...(scheduled.tables.length === tables
      ? []
      : [`${scheduled.tables.length} tables were checked instead of ${tables}`]),
    ...whole.findings.map(({ code, table = "" }) => `the whole check finds ${code} ${table}`),
    ...(compared >= stored
      ? []
      : [`${compared} items were held against the tables, and at least ${stored} are theirs`]),
    ...(damaged.outcome === "faulty" && named.includes("WRONG_CHECKSUM") ? [] : ["a changed byte was not named"]),
  ];
}

export function comparedItems({ comparisons }: CheckReport): number {
  return comparisons.reduce((sum, { compared }) => sum + compared, 0);
}

export function codesOf({ tables }: CheckResponse): string {
  return [...new Set(tables.flatMap(({ codes }) => codes))].join(", ");
}
