/** Payment files, dropped into the bucket as partners do. Nobody calls the processor: S3 does, and the report says what came of it. */

import { HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { FILE_PREFIXES } from "../../contract";
import type { BadRow, FileReport } from "../../ledger/files/progress";
import { isMissing, readObject } from "./buckets";
import type { LedgerCalls } from "./calls";
import type { JobEnvironment } from "./job-environment";
import type { PartnerFile } from "./samples";
import { until } from "./waiting";

type SentFile = Pick<PartnerFile, "name" | "key" | "bytes">;

export interface ProcessedFile<File extends SentFile = PartnerFile> {
  readonly file: File;
  readonly report: FileReport;
  /** As in the expectation: "17 UNKNOWN_CURRENCY, 30 CONFLICT". */
  readonly badRows: string;
  /** Whether the dropped version is still in the bucket. */
  readonly isThere: boolean;
}

interface DroppedFile<File extends SentFile> {
  readonly file: File;
  readonly versionId: string;
}

/** All at once, as on a busy morning; each starts a separate run. */
export async function dropFiles<File extends SentFile>(
  environment: JobEnvironment,
  files: readonly File[],
  calls: LedgerCalls,
): Promise<DroppedFile<File>[]> {
  return Promise.all(
    files.map(async (file) => {
      const put = new PutObjectCommand({ Bucket: environment.filesBucket, Key: file.key, Body: file.bytes });
      const { VersionId: versionId = "unversioned" } = await environment.s3.send(put);
      calls.note("paymentProcessor");
      return { file, versionId };
    }),
  );
}

export function awaitReports<File extends SentFile>(
  environment: JobEnvironment,
  dropped: readonly DroppedFile<File>[],
): Promise<ProcessedFile<File>[]> {
  return Promise.all(dropped.map((each) => processed(environment, each)));
}

async function processed<File extends SentFile>(
  environment: JobEnvironment,
  { file, versionId }: DroppedFile<File>,
): Promise<ProcessedFile<File>> {
  const { s3, filesBucket } = environment;
  const key = `${FILE_PREFIXES.reports}${file.key}/${versionId}/summary.json`;
  const summary = await until(`the report about ${file.name}`, () => readObject(s3, filesBucket, key));
  const report = JSON.parse(summary.toString("utf8")) as FileReport;
  const parts = await Promise.all(report.badRows.map((part) => readObject(s3, filesBucket, part)));
  const rows = parts
    .flatMap((part) => (part?.toString("utf8") ?? "").split("\n"))
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as BadRow)
    .sort((a, b) => a.row - b.row);
  // A file with card data is removed after its report is written, so for a moment both are there.
  if (report.removed) {
    await until(`the removal of ${file.name}`, async () => {
      return (await exists(environment, file.key, versionId)) ? undefined : true;
    });
  }
  const isThere = await exists(environment, file.key, versionId);
  return { file, report, badRows: rows.map(({ row, code }) => `${row} ${code}`).join(", "), isThere };
}

async function exists({ s3, filesBucket }: JobEnvironment, key: string, versionId: string): Promise<boolean> {
  try {
    await s3.send(new HeadObjectCommand({ Bucket: filesBucket, Key: key, VersionId: versionId }));
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Each report against what the generator meant to come of the file. */
export function filesDiffer(processedFiles: readonly ProcessedFile[]): string[] {
  return processedFiles.flatMap(({ file, report, badRows }) => {
    const { rows, counts, cardDataRows, key } = report;
    const same =
      key === file.key &&
      rows === file.rows &&
      cardDataRows === file.cardDataRows &&
      badRows === file.badRows &&
      Object.entries(file.counts).every(([outcome, count]) => count === counts[outcome as keyof typeof counts]);
    return same
      ? []
      : [
          `${file.name}: ${JSON.stringify(counts)}, bad rows ${badRows || "none"}; it must be ${JSON.stringify(file.counts)}, ${file.badRows || "none"}`,
        ];
  });
}

/** A file with card data may not stay, and no other may go. */
export function removalsDiffer(processedFiles: readonly ProcessedFile[]): string[] {
  return processedFiles.flatMap(({ file, report, isThere }) => {
    const mustGo = file.cardDataRows > 0;
    if (report.removed === mustGo && isThere !== mustGo) return [];
    return [`${file.name} ${isThere ? "is still there" : "was removed"}`];
  });
}
