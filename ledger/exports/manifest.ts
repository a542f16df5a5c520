/**
 * The two manifests of an export, as DynamoDB writes them: what the export is, and which files it consists of. Read without a
 * schema library, because the auditor's program carries this code and nothing else.
 */

import { createHash } from "node:crypto";
import type { LogicalTableName } from "../../contract";
import { FileError } from "../files/regular-file";
import type { ExportFolder, FolderFile } from "./folder";
import { AWS_FOLDER, CHECKSUM_ENDINGS, FILES_FILE, logicalNameOf, SUMMARY_FILE, tableNameOfArn } from "./names";

export interface DataFile {
  readonly path: string;
  readonly itemCount: number;
  /** In base64. */
  readonly md5: string;
  readonly etag?: string;
}

export interface Manifest {
  /** The last part of the export's ARN. */
  readonly id: string;
  /** Of its summary. */
  readonly path: string;
  readonly table: LogicalTableName;
  readonly deployedTable: string;
  readonly kind: "full" | "incremental";
  readonly from?: string;
  /** End of the window, or the moment of a full export. */
  readonly to: string;
  /** Whether an incremental export holds each item as it was before its window, too. */
  readonly hasOldImages: boolean;
  /** When the export ended, as it says. */
  readonly endTime: string;
  readonly itemCount: number;
  readonly files: readonly DataFile[];
  /** Where its data files lie; an incremental export shares the folder with others. */
  readonly dataFolder: string;
}

/** What is wrong with an export's manifests. */
export interface ManifestFault {
  readonly code: "BAD_MANIFEST" | "DUPLICATE_FILE" | "MISSING_FILE" | "WRONG_CHECKSUM" | "WRONG_COUNT" | "WRONG_TABLE";
  readonly message: string;
  readonly file: string;
  /** The export's id. */
  readonly export?: string;
  readonly line?: number;
}

type OnFault = (fault: ManifestFault) => void;
type JsonMembers = Readonly<Record<string, unknown>>;

const MANIFEST_BYTES_MAX = 64 * 1024 * 1024;
const CHECKSUM_BYTES_MAX = 1024;
const MD5 = /^[A-Za-z0-9+/]{22}==$/;
const TIME_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z$/;

/** The paths of the summaries among the files of a folder: one for each finished export. */
export function summariesIn(listed: ReadonlyMap<string, FolderFile>): string[] {
  return [...listed.keys()].filter((path) => path === SUMMARY_FILE || path.endsWith(`/${SUMMARY_FILE}`)).sort();
}

/**
 * @param listed the files of the folder.
 * @param nameOf which table of the ledger it is, by the name of the exported one.
 * @returns undefined, with faults, when the export cannot be understood from its manifests. A manifest whose checksum is wrong is
 * a fault, and it is still read.
 */
export async function readManifest(
  path: string,
  folder: ExportFolder,
  listed: ReadonlyMap<string, FolderFile>,
  onFault: OnFault,
  nameOf: (deployedTable: string) => LogicalTableName | undefined = logicalNameOf,
): Promise<Manifest | undefined> {
  const directory = path.slice(0, -SUMMARY_FILE.length);
  const reader: ManifestReader = { folder, listed, onFault };
  const summaryText = await readChecked(path, reader);
  const filesText = await readChecked(`${directory}${FILES_FILE}`, reader);
  if (summaryText === undefined) return undefined;
  const summary = summaryOf(summaryText);
  if (typeof summary === "string") {
    onFault({ code: "BAD_MANIFEST", file: path, message: summary });
    return undefined;
  }
  if (filesText === undefined) return undefined;
  const { id, deployedTable, times } = summary;
  const table = nameOf(deployedTable);
  if (table === undefined) {
    const message = `It is no export of a table of this ledger: ${deployedTable}.`;
    onFault({ code: "WRONG_TABLE", export: id, file: path, message });
    return undefined;
  }
  const locate = locator(directory, id);
  const files = dataFiles(filesText, id, `${directory}${FILES_FILE}`, locate, onFault);
  compareTotals(summary.itemCount, files, id, path, onFault);
  const dataFolder = locate(`${AWS_FOLDER}/${times.kind === "full" ? `${id}/` : ""}data/`) ?? "";
  const { itemCount, hasOldImages, endTime } = summary;
  return { id, path, table, deployedTable, ...times, hasOldImages, endTime, itemCount, files, dataFolder };
}

interface ManifestReader {
  readonly folder: ExportFolder;
  readonly listed: ReadonlyMap<string, FolderFile>;
  readonly onFault: OnFault;
}

/** The text of a manifest, compared with the checksum file beside it. */
async function readChecked(path: string, { folder, listed, onFault }: ManifestReader): Promise<string | undefined> {
  if (!listed.has(path)) {
    onFault({ code: "MISSING_FILE", file: path, message: "The manifest is not there." });
    return undefined;
  }
  const bytes = await wholeFile(folder, path, MANIFEST_BYTES_MAX);
  if (typeof bytes === "string") {
    onFault({ code: "BAD_MANIFEST", file: path, message: bytes });
    return undefined;
  }
  const checksumPaths = CHECKSUM_ENDINGS.map((ending) => path.replace(/\.json$/, ending));
  const checksumPath = checksumPaths.find((name) => listed.has(name));
  if (checksumPath === undefined) {
    const [file = ""] = checksumPaths;
    onFault({ code: "MISSING_FILE", file, message: "The checksum of the manifest is not there." });
    return bytes.toString("utf8");
  }
  const expected = await wholeFile(folder, checksumPath, CHECKSUM_BYTES_MAX);
  const actual = createHash("md5").update(bytes).digest("base64");
  if (expected.toString().trim() !== actual) {
    const message = `Its MD5 is ${actual}; ${checksumPath} says otherwise.`;
    onFault({ code: "WRONG_CHECKSUM", file: path, message });
  }
  return bytes.toString("utf8");
}

/** In words why not, where it cannot be read. */
async function wholeFile(folder: ExportFolder, path: string, bytesMax: number): Promise<Buffer | string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of await folder.open(path)) {
      bytes += chunk.length;
      if (bytes > bytesMax) return `It has more than ${bytesMax} bytes; no such file is that long.`;
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof FileError) return error.message;
    throw error;
  }
  return Buffer.concat(chunks);
}

/** In words what is wrong, for a text that is no summary of an export. */
function summaryOf(text: string) {
  const summary = membersIn(text);
  if (summary === undefined) return "It is no JSON object.";
  const id = /\/export\/([0-9A-Za-z-]+)$/.exec(textIn(summary, "exportArn"))?.[1];
  const deployedTable = tableNameOfArn(textIn(summary, "tableArn"));
  const { itemCount } = summary;
  if (id === undefined) return "It does not say which export it is of (exportArn).";
  if (!isCount(itemCount)) return "It does not say how many items there are (itemCount).";
  if (summary["outputFormat"] !== "DYNAMODB_JSON") return "It is not in DynamoDB JSON (outputFormat).";
  const times = timesOf(summary);
  if (times === undefined) return "It does not say what time it covers.";
  const hasOldImages = summary["outputView"] === "NEW_AND_OLD_IMAGES";
  return { id, deployedTable, itemCount, times, hasOldImages, endTime: textIn(summary, "endTime") };
}

/** Exports of the time before there were incremental ones do not state their type. */
function timesOf(summary: JsonMembers): Pick<Manifest, "kind" | "from" | "to"> | undefined {
  const { exportType = "FULL_EXPORT" } = summary;
  const [time, from, to] = ["exportTime", "exportFromTime", "exportToTime"].map((name) => timeIn(summary, name));
  if (exportType === "FULL_EXPORT") return time === undefined ? undefined : { kind: "full", to: time };
  if (exportType !== "INCREMENTAL_EXPORT" || from === undefined || to === undefined) return undefined;
  return { kind: "incremental", from, to };
}

/**
 * Manifests name their files by whole S3 keys of the bucket that the export went to. Here the folder may be a copy
 * elsewhere, or start further down, so a key is followed from its last `AWSDynamoDB` on.
 */
function locator(directory: string, id: string): (key: string) => string | undefined {
  const top = /^(?:.*\/)?(?=AWSDynamoDB\/)/.exec(directory)?.[0];
  return (key) => {
    const inside = key.slice(key.lastIndexOf(`${AWS_FOLDER}/`));
    const isInside = key.includes(`${AWS_FOLDER}/`) && !inside.split("/").includes("..") && !inside.includes("\0");
    if (!isInside) return undefined;
    if (top !== undefined) return `${top}${inside}`;
    // The folder is AWSDynamoDB itself, or that of the one export.
    if (directory.endsWith(`${id}/`))
      return `${directory.slice(0, -id.length - 1)}${inside.slice(AWS_FOLDER.length + 1)}`;
    const own = `${AWS_FOLDER}/${id}/`;
    return inside.startsWith(own) ? `${directory}${inside.slice(own.length)}` : undefined;
  };
}

function dataFiles(
  text: string,
  id: string,
  manifestPath: string,
  locate: (key: string) => string | undefined,
  onFault: OnFault,
): DataFile[] {
  const files = new Map<string, DataFile>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const place = { export: id, file: manifestPath, line: index + 1 };
    const file = dataFileOf(line, locate);
    if (typeof file === "string") {
      onFault({ code: "BAD_MANIFEST", ...place, message: file });
      continue;
    }
    if (files.has(file.path)) onFault({ code: "DUPLICATE_FILE", ...place, message: `It lists ${file.path} again.` });
    files.set(file.path, file);
  }
  return [...files.values()];
}

function dataFileOf(line: string, locate: (key: string) => string | undefined): DataFile | string {
  const members = membersIn(line) ?? {};
  const { itemCount, etag } = members;
  const [md5, key] = [textIn(members, "md5Checksum"), textIn(members, "dataFileS3Key")];
  if (!isCount(itemCount) || !MD5.test(md5) || key === "") return "The line describes no data file.";
  const path = locate(key);
  if (path === undefined) {
    return "The data file lies outside the folder that is read. Give the folder that holds AWSDynamoDB.";
  }
  return { path, itemCount, md5, ...(typeof etag === "string" ? { etag } : {}) };
}

function compareTotals(total: number, files: readonly DataFile[], id: string, path: string, onFault: OnFault): void {
  const sum = files.reduce((items, { itemCount }) => items + itemCount, 0);
  if (sum === total) return;
  const message = `The summary says ${total} items, and its files together ${sum}.`;
  onFault({ code: "WRONG_COUNT", export: id, file: path, message });
}

function membersIn(text: string): JsonMembers | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonMembers) : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function textIn(members: JsonMembers, name: string): string {
  const value = members[name];
  return typeof value === "string" ? value : "";
}

/** In the one form in which times can be compared as texts. */
function timeIn(members: JsonMembers, name: string): string | undefined {
  const time = textIn(members, name);
  return TIME_UTC.test(time) && !Number.isNaN(Date.parse(time)) ? new Date(time).toISOString() : undefined;
}
