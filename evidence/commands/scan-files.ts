/**
 * `scan`: the tables as they are now, written to disk as an export writes them, so that `verify` and `backup check` read
 * them. It is not a snapshot: what is written before the scan is in it, and what is written during the scan may be.
 */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { AWS_FOLDER, FILES_FILE, SUMMARY_FILE } from "../../ledger/exports/names";
import { EvidenceToolError } from "./errors";
import { writeWhole } from "./files";

export interface ScannedTable {
  /** As deployed. */
  readonly name: string;
  readonly arn: string;
  /** Items as exports write them, page by page. */
  pages(): AsyncIterable<readonly Readonly<Record<string, object>>[]>;
}

export interface ScanResult {
  readonly items: number;
  readonly folder: string;
  readonly takenAt: string;
}

/** About as large as DynamoDB makes them. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

interface WrittenFile {
  readonly key: string;
  readonly md5: Buffer;
  readonly itemCount: number;
}

/** @param startedAt before the first page is asked for. */
export async function writeScan(table: ScannedTable, to: string, startedAt: Date): Promise<ScanResult> {
  const folder = path.join(to, table.name);
  if (existsSync(folder)) {
    const message = `${folder} is there already. A scan is written into a new folder, so that no two are mixed; name another with --to.`;
    throw new EvidenceToolError("FOLDER_NOT_EMPTY", message);
  }
  const id = `${startedAt.getTime()}-scan`;
  const top = `${AWS_FOLDER}/${id}`;
  const write = (name: string, bytes: Buffer | string) => writeWhole(path.join(folder, ...name.split("/")), bytes);
  const files: WrittenFile[] = [];
  for await (const lines of fileLoads(table)) {
    const body = gzipSync(lines.join(""));
    const key = `${top}/data/${String(files.length).padStart(6, "0")}.json.gz`;
    write(key, body);
    files.push({ key, md5: createHash("md5").update(body).digest(), itemCount: lines.length });
  }
  const items = files.reduce((sum, { itemCount }) => sum + itemCount, 0);
  const takenAt = startedAt.toISOString();
  const withChecksum = (name: string, text: string) => {
    write(`${top}/${name.replace(/\.json$/, ".md5")}`, createHash("md5").update(text).digest("base64"));
    write(`${top}/${name}`, text);
  };
  withChecksum(FILES_FILE, files.map((file) => `${JSON.stringify(manifestLine(file))}\n`).join(""));
  // Last, because it says that everything is there.
  const endTime = new Date().toISOString();
  const summary = { ...summaryOf(table, id, `${top}/${FILES_FILE}`, takenAt, items), endTime };
  withChecksum(SUMMARY_FILE, JSON.stringify(summary));
  return { items, folder, takenAt };
}

/** Lines of one data file each; there is always one. */
async function* fileLoads(table: ScannedTable): AsyncGenerator<string[]> {
  let lines: string[] = [];
  let bytes = 0;
  for await (const page of table.pages()) {
    for (const Item of page) {
      const line = `${JSON.stringify({ Item })}\n`;
      lines.push(line);
      bytes += line.length;
    }
    if (bytes < FILE_BYTES_MAX) continue;
    yield lines;
    [lines, bytes] = [[], 0];
  }
  yield lines;
}

function manifestLine({ key, md5, itemCount }: WrittenFile) {
  return { itemCount, md5Checksum: md5.toString("base64"), dataFileS3Key: key };
}

function summaryOf({ arn }: ScannedTable, id: string, manifestFilesS3Key: string, takenAt: string, itemCount: number) {
  return {
    version: "2020-06-30",
    exportArn: `${arn}/export/${id}`,
    startTime: takenAt,
    tableArn: arn,
    exportTime: takenAt,
    s3Prefix: null,
    manifestFilesS3Key,
    itemCount,
    outputFormat: "DYNAMODB_JSON",
    exportType: "FULL_EXPORT",
  };
}
