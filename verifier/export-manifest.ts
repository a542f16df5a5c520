/** The exports in a folder: what each one is, of which files it consists, and which of them make up a table. */

import { createHash } from "node:crypto";
import { existsSync, opendirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { type LogicalTableName, TABLES } from "../contract";

export interface ExportFile {
  readonly path: string;
  readonly itemCount: number;
  /** MD5 in base64. */
  readonly md5: string;
}

export interface TableExport {
  readonly id: string;
  readonly table: LogicalTableName;
  readonly deployedTable: string;
  readonly kind: "full" | "incremental";
  /** Of an incremental export. */
  readonly from?: string;
  readonly to: string;
  readonly files: readonly ExportFile[];
}

/** The newest full export of a table and the windows after it. */
export interface ExportChain {
  readonly table: LogicalTableName;
  readonly deployedTable: string;
  readonly exports: readonly TableExport[];
  readonly takenAt: string;
}

const SUMMARY = "manifest-summary.json";
const FILES = "manifest-files.json";
const AWS_FOLDER = "AWSDynamoDB/";
const MANIFEST_BYTES_MAX = 64 * 1024 * 1024;
/** The documentation says `.checksum`, the service writes `.md5`. */
const CHECKSUMS = [".md5", ".checksum"];

/** What cannot be understood goes to `problems`, in words. */
export function exportsIn(top: string, problems: string[]): TableExport[] {
  return summariesUnder(top)
    .sort()
    .flatMap((summary) => {
      try {
        return [readExport(summary, problems)];
      } catch (error) {
        if (!(error instanceof ManifestError)) throw error;
        problems.push(`${summary}: ${error.message}`);
        return [];
      }
    });
}

class ManifestError extends Error {
  override readonly name = "ManifestError";
}

function* filesUnder(directory: string): Generator<string> {
  const opened = opendirSync(directory);
  try {
    for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) {
      const own = path.join(directory, entry.name);
      if (entry.isDirectory()) yield* filesUnder(own);
      else yield own;
    }
  } finally {
    opened.closeSync();
  }
}

function summariesUnder(top: string): string[] {
  return [...filesUnder(top)].filter((file) => path.basename(file) === SUMMARY);
}

function readExport(summaryPath: string, problems: string[]): TableExport {
  const directory = path.dirname(summaryPath);
  const summary = objectOf(readChecked(summaryPath, problems));
  const { exportArn, tableArn, exportTime, exportFromTime, exportToTime, exportType, outputView, outputFormat } =
    summary;
  const id = /\/export\/([0-9A-Za-z-]+)$/.exec(textOf(exportArn))?.[1];
  const deployedTable = /:table\/([^/]+)/.exec(textOf(tableArn))?.[1] ?? "";
  const table = logicalNameOf(deployedTable);
  if (id === undefined || table === undefined) throw new ManifestError("It is no export of a table of this ledger.");
  if (outputFormat !== "DYNAMODB_JSON") throw new ManifestError("It is not in DynamoDB JSON.");
  const isFull = exportType === undefined || exportType === "FULL_EXPORT";
  if (!isFull && outputView !== "NEW_AND_OLD_IMAGES") throw new ManifestError("It lacks the old images of its items.");
  const times = isFull ? { to: timeIn(exportTime) } : { from: timeIn(exportFromTime), to: timeIn(exportToTime) };
  const files = dataFiles(path.join(directory, FILES), problems);
  const items = files.reduce((sum, { itemCount }) => sum + itemCount, 0);
  if (items !== summary["itemCount"])
    problems.push(`${summaryPath}: its files together have not as many items as it says.`);
  return { id, table, deployedTable, kind: isFull ? "full" : "incremental", ...times, files };
}

/** A manifest, whose checksum lies beside it. */
function readChecked(file: string, problems: string[]): string {
  if (!existsSync(file)) throw new ManifestError(`${path.basename(file)} is not there.`);
  if (statSync(file).size > MANIFEST_BYTES_MAX) throw new ManifestError("No manifest is that long.");
  const bytes = readFileSync(file);
  const checksum = CHECKSUMS.map((ending) => file.replace(/\.json$/, ending)).find(existsSync);
  const md5 = createHash("md5").update(bytes).digest("base64");
  if (checksum === undefined) problems.push(`${file}: its checksum is not there.`);
  else if (readFileSync(checksum, "utf8").trim() !== md5) problems.push(`${file}: it is not what its checksum says.`);
  return bytes.toString("utf8");
}

function dataFiles(manifest: string, problems: string[]): ExportFile[] {
  const awsFolder = path.dirname(path.dirname(manifest));
  const lines = readChecked(manifest, problems).split("\n");
  const files = lines
    .filter((line) => line.trim() !== "")
    .map((line): ExportFile => {
      const { itemCount, md5Checksum, dataFileS3Key } = objectOf(line);
      const key = textOf(dataFileS3Key);
      const inside = key.slice(key.lastIndexOf(AWS_FOLDER) + AWS_FOLDER.length);
      if (!key.includes(AWS_FOLDER) || inside.split("/").includes("..") || !Number.isSafeInteger(itemCount)) {
        throw new ManifestError(`A line of ${FILES} describes no data file.`);
      }
      return { path: path.join(awsFolder, inside), itemCount: itemCount as number, md5: textOf(md5Checksum) };
    });
  if (new Set(files.map((file) => file.path)).size < files.length) problems.push(`${manifest}: it lists a file twice.`);
  return files;
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new ManifestError("It is no JSON object.");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function timeIn(value: unknown): string {
  const time = Date.parse(textOf(value));
  if (Number.isNaN(time)) throw new ManifestError("It does not say what time it covers.");
  return new Date(time).toISOString();
}

function logicalNameOf(deployedName: string): LogicalTableName | undefined {
  return Object.values(TABLES)
    .map(({ logicalName }) => logicalName)
    .find((name) => deployedName === name || deployedName.startsWith(`${name}-`));
}

/** One chain a table. */
export function chainsOf(exports: readonly TableExport[], problems: string[]): ExportChain[] {
  return [...new Set(exports.map(({ table }) => table))].sort().flatMap((table) => {
    const own = exports.filter((each) => each.table === table);
    const deployed = [...new Set(own.map(({ deployedTable }) => deployedTable))].sort();
    const full = own
      .filter(({ kind }) => kind === "full")
      .sort((a, b) => byTime(a.to, b.to))
      .at(-1);
    if (deployed.length > 1)
      problems.push(`Exports of ${deployed.join(" and ")} lie in one folder. Give the folder of one deployment.`);
    else if (full === undefined) problems.push(`There is no full export of ${table}.`);
    if (deployed.length > 1 || full === undefined) return [];
    const windows = own.filter(({ kind, to }) => kind === "incremental" && to > full.to);
    return [
      chainOf(
        full,
        windows.sort((a, b) => byTime(a.from ?? "", b.from ?? "")),
        problems,
      ),
    ];
  });
}

function chainOf(full: TableExport, windows: readonly TableExport[], problems: string[]): ExportChain {
  const { table, deployedTable } = full;
  const exports = [full];
  let takenAt = full.to;
  for (const window of windows) {
    if ((window.from ?? "") > takenAt) {
      problems.push(
        `${table}: no export covers the time from ${takenAt} to ${window.from}; what came later was not read.`,
      );
      break;
    }
    exports.push(window);
    if (window.to > takenAt) takenAt = window.to;
  }
  return { table, deployedTable, exports, takenAt };
}

function byTime(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
