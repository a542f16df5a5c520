/** The exports in a folder: what each one is, of which files it consists, and which of them make up a table. */

import { createHash } from "node:crypto";
import { type Dir, opendirSync } from "node:fs";
import path from "node:path";
import { type LogicalTableName, TABLES } from "../../contract";
import { FileError, RegularFiles } from "./regular-file";

export interface ExportFile {
  /** How reports name it. */
  readonly path: string;
  /** @returns the descriptor of the file, which the caller closes; undefined when it is not there. @throws FileError */
  readonly open: () => number | undefined;
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
  /** How long a scan went on after that; 0 for an export, which is a snapshot. */
  readonly lastsMs: number;
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
const CHECKSUM_BYTES_MAX = 1024;
/** Folders of a bucket, of a table and of the export. */
const FOLDERS_DEEP_MAX = 40;
/** A scan of a large table; who needs longer takes an export. */
const SCAN_LASTS_MAX_MS = 60 * 60 * 1000;
/** The documentation says `.checksum`, the service writes `.md5`. */
const CHECKSUMS = [".md5", ".checksum"];

/** What cannot be understood goes to `problems`, in words. */
export function exportsIn(top: string, problems: string[]): TableExport[] {
  const folder: ExportFolder = { top, files: new RegularFiles(top), problems };
  return [...filesUnder(folder, "", FOLDERS_DEEP_MAX)]
    .filter((name) => path.posix.basename(name) === SUMMARY)
    .sort()
    .flatMap((summary) => {
      try {
        return [readExport(summary, folder)];
      } catch (error) {
        if (!(error instanceof ManifestError || error instanceof FileError)) throw error;
        problems.push(`${shown(folder, summary)}: ${error.message}`);
        return [];
      }
    });
}

interface ExportFolder {
  readonly top: string;
  readonly files: RegularFiles;
  readonly problems: string[];
}

/** @param name path in the folder, its parts separated by slashes. */
function shown({ top }: ExportFolder, name: string): string {
  return path.join(top, ...name.split("/"));
}

class ManifestError extends Error {
  override readonly name = "ManifestError";
}

function* filesUnder(folder: ExportFolder, prefix: string, deep: number): Generator<string> {
  const opened = openedFolder(folder, prefix);
  try {
    for (let entry = opened?.readSync() ?? null; entry !== null; entry = opened?.readSync() ?? null) {
      const name = `${prefix}${entry.name}`;
      if (!entry.isDirectory()) yield name;
      else if (deep > 0) yield* filesUnder(folder, `${name}/`, deep - 1);
      else folder.problems.push(`${shown(folder, name)} lies deeper than any export, and was not looked at.`);
    }
  } finally {
    opened?.closeSync();
  }
}

function openedFolder(folder: ExportFolder, prefix: string): Dir | undefined {
  const place = shown(folder, prefix);
  try {
    return opendirSync(place);
  } catch (error) {
    folder.problems.push(`${place} cannot be listed (${(error as NodeJS.ErrnoException).code}).`);
    return undefined;
  }
}

function readExport(summaryName: string, folder: ExportFolder): TableExport {
  const { problems } = folder;
  const summary = objectOf(readChecked(summaryName, folder));
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
  const files = dataFiles(path.posix.join(path.posix.dirname(summaryName), FILES), folder);
  const items = files.reduce((sum, { itemCount }) => sum + itemCount, 0);
  if (items !== summary["itemCount"])
    problems.push(`${shown(folder, summaryName)}: its files together have not as many items as it says.`);
  const lastsMs = lastsMsOf(id, times.to, summary["endTime"]);
  return { id, table, deployedTable, kind: isFull ? "full" : "incremental", ...times, lastsMs, files };
}

/** Only a scan goes on after the moment that it is of; `scan` writes when it ended. */
function lastsMsOf(id: string, to: string, endTime: unknown): number {
  if (!id.endsWith("-scan")) return 0;
  const lasted = Date.parse(textOf(endTime)) - Date.parse(to);
  return lasted > 0 ? Math.min(lasted, SCAN_LASTS_MAX_MS) : 0;
}

/** A manifest, whose checksum lies beside it. */
function readChecked(name: string, folder: ExportFolder): string {
  const { files, problems } = folder;
  const bytes = files.read(name, MANIFEST_BYTES_MAX);
  if (bytes === undefined) throw new ManifestError(`${path.posix.basename(name)} is not there.`);
  const checksum = CHECKSUMS.map((ending) => files.read(name.replace(/\.json$/, ending), CHECKSUM_BYTES_MAX)).find(
    (each) => each !== undefined,
  );
  const md5 = createHash("md5").update(bytes).digest("base64");
  if (checksum === undefined) problems.push(`${shown(folder, name)}: its checksum is not there.`);
  else if (checksum.toString("utf8").trim() !== md5)
    problems.push(`${shown(folder, name)}: it is not what its checksum says.`);
  return bytes.toString("utf8");
}

function dataFiles(manifest: string, folder: ExportFolder): ExportFile[] {
  const awsFolder = path.posix.dirname(path.posix.dirname(manifest));
  const lines = readChecked(manifest, folder).split("\n");
  const files = lines
    .filter((line) => line.trim() !== "")
    .map((line): ExportFile => {
      const { itemCount, md5Checksum, dataFileS3Key } = objectOf(line);
      const key = textOf(dataFileS3Key);
      const inside = key.slice(key.lastIndexOf(AWS_FOLDER) + AWS_FOLDER.length);
      const isName = key.includes(AWS_FOLDER) && !inside.split("/").includes("..") && !inside.includes("\0");
      if (!isName || !Number.isSafeInteger(itemCount)) {
        throw new ManifestError(`A line of ${FILES} describes no data file.`);
      }
      const name = path.posix.join(awsFolder, inside);
      const open = () => folder.files.open(name);
      return { path: shown(folder, name), open, itemCount: itemCount as number, md5: textOf(md5Checksum) };
    });
  if (new Set(files.map((file) => file.path)).size < files.length)
    folder.problems.push(`${shown(folder, manifest)}: it lists a file twice.`);
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
export function sourceChainsOf(exports: readonly TableExport[], problems: string[]): ExportChain[] {
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
