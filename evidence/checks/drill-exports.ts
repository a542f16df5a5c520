/** What a drill restores: of each table the newest full export that is complete. */

import type { S3Client } from "@aws-sdk/client-s3";
import { exportPrefix } from "../../backup/layout";
import { s3Folder } from "../../backup/s3-folder";
import { s3StateStore } from "../../backup/state-store";
import type { ExportEntry } from "../../backup/windows";
import type { LogicalTableName } from "../../contract";
import { filesOf } from "../../ledger/exports/folder";
import { type ManifestFault, readManifest } from "../../ledger/exports/manifest";
import { SUMMARY_FILE, tableNameOfArn } from "../../ledger/exports/names";
import type { DrillTable } from "./drill-state";

export interface ExportPlace {
  readonly s3: S3Client;
  readonly bucket: string;
}

/** Undefined when the table has no complete full export. */
export async function newestFullExport(
  table: LogicalTableName,
  arn: string,
  { s3, bucket }: ExportPlace,
): Promise<DrillTable | undefined> {
  const { state } = await s3StateStore(s3, bucket).load(table);
  for (const entry of fullExports(state?.exports ?? [])) {
    const found = await completeExport(table, arn, entry, { s3, bucket });
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Newest first. What only the state calls unfinished may be complete by now; its summary says so. */
function fullExports(exports: readonly ExportEntry[]): ExportEntry[] {
  const usable = exports.filter(({ kind, status }) => kind === "full" && status !== "failed" && status !== "lost");
  return usable.toSorted((a, b) => (a.to < b.to ? 1 : -1));
}

/**
 * Only its manifests are read: DynamoDB reads the files, and their content is compared with the log afterwards, which
 * proves more than their checksums.
 */
async function completeExport(
  table: LogicalTableName,
  arn: string,
  entry: ExportEntry,
  { s3, bucket }: ExportPlace,
): Promise<DrillTable | undefined> {
  const folder = s3Folder(s3, bucket, [`${exportPrefix(table, entry)}/`]);
  const listed = await filesOf(folder);
  // DynamoDB writes the summary last.
  const summary = [...listed.keys()].find((path) => path.endsWith(`/${SUMMARY_FILE}`));
  if (summary === undefined) return undefined;
  const faults: ManifestFault[] = [];
  const manifest = await readManifest(summary, folder, listed, (fault) => faults.push(fault));
  const deployedName = tableNameOfArn(arn);
  if (manifest === undefined || faults.length > 0 || manifest.deployedTable !== deployedName) {
    return undefined;
  }
  const { dataFolder, itemCount: items, kind, to } = manifest;
  const fault = kind === entry.kind && to === entry.to ? undefined : `calls itself the ${kind} export of ${to}`;
  // What it must hold follows from the moment that was asked for, and not from what it says of itself.
  return { table, deployedName, takenAt: entry.to, dataFolder, items, ...(fault === undefined ? {} : { fault }) };
}
