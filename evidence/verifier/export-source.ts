/** Exports on this machine's disk as sources of records: each table's newest full export and the windows after it. */

import { existsSync } from "node:fs";
import path from "node:path";
import type { LogicalTableName } from "../../contract";
import { DataFileReading, type LineOrFault } from "../../ledger/exports/data-file";
import { type ExportFolder, type FolderFile, filesOf } from "../../ledger/exports/folder";
import { ItemError, parseExportLine } from "../../ledger/exports/lines";
import { localFolder } from "../../ledger/exports/local-folder";
import { type Manifest, readManifest, summariesIn } from "../../ledger/exports/manifest";
import { type RecordChange, type RecordPart, type RecordSource, SourceError } from "./sources";

export interface ExportSources {
  readonly sources: readonly RecordSource[];
  /** What could not be understood: for `VerifyOptions.problems`. */
  readonly problems: readonly string[];
}

interface ListedFolder {
  readonly folder: ExportFolder;
  readonly listed: ReadonlyMap<string, FolderFile>;
}

/** @throws SourceError when there is no such folder. */
export async function exportSources(place: string): Promise<ExportSources> {
  if (!existsSync(place)) {
    throw new SourceError("SOURCE_MISSING", `There is no folder ${place}. Give the folder that holds AWSDynamoDB.`);
  }
  const problems: string[] = [];
  const folder = localFolder(place);
  const files: ListedFolder = { folder, listed: await filesOf(folder, (problem) => problems.push(problem)) };
  const manifests: Manifest[] = [];
  for (const summary of summariesIn(files.listed)) {
    const manifest = await readManifest(summary, folder, files.listed, ({ file, line, message }) => {
      problems.push(`${shown(folder, file)}${line === undefined ? "" : `, line ${line}`}: ${message}`);
    });
    if (manifest === undefined) continue;
    if (manifest.kind === "full" || manifest.hasOldImages) manifests.push(manifest);
    else problems.push(`${shown(folder, summary)}: It lacks the old images of its items.`);
  }
  return { sources: sourceChainsOf(manifests, problems).map((chain) => sourceOf(chain, files)), problems };
}

/** How reports name a file of the folder. */
function shown(folder: ExportFolder, name: string): string {
  return path.join(folder.name, name);
}

function sourceOf(chain: ExportChain, files: ListedFolder): RecordSource {
  const { table, deployedTable, exports, takenAt } = chain;
  const parts = partsOf(chain, files);
  return {
    table,
    name: `${deployedTable}, ${exports.length} exports`,
    takenAt,
    lastsMs: Math.max(...exports.map(lastsMsOf)),
    expected: parts.reduce((sum, { file }) => sum + file.itemCount, 0),
    parts,
    batches: () => changesIn(parts),
  };
}

/** A scan of a large table; who needs longer takes an export. */
const SCAN_LASTS_MAX_MS = 60 * 60 * 1000;

/** Only a scan goes on after the moment that it is of; `scan` writes when it ended. */
function lastsMsOf({ id, to, endTime }: Manifest): number {
  if (!id.endsWith("-scan")) return 0;
  const lasted = Date.parse(endTime) - Date.parse(to);
  return lasted > 0 ? Math.min(lasted, SCAN_LASTS_MAX_MS) : 0;
}

function partsOf({ table, exports, takenAt }: ExportChain, { folder, listed }: ListedFolder): RecordPart[] {
  const parts: RecordPart[] = [];
  let covered = "";
  for (const { kind, from = "", to, files } of exports) {
    // A window that begins in time that was exported before may report again what is there already.
    const replay = kind === "incremental" && from < covered;
    if (to > covered) covered = to;
    for (const file of files) {
      const isListed = listed.has(file.path);
      parts.push({ table, takenAt, folder: folder.name, file, isListed, kind, replay });
    }
  }
  return parts;
}

async function* changesIn(parts: readonly RecordPart[]): AsyncGenerator<readonly RecordChange[]> {
  const [{ folder = "" } = {}] = parts;
  const opened = localFolder(folder);
  for (const part of parts) yield* changesInPart(part, opened);
}

/** The parts of a source, each to be read apart from the others; the source itself where it has none. */
export function readersOf(source: RecordSource): readonly (() => AsyncIterable<readonly RecordChange[]>)[] {
  const { parts, segments } = source;
  if (parts !== undefined) return parts.map((part) => () => changesInPart(part));
  return segments ?? [() => source.batches()];
}

export async function* changesInPart(
  part: RecordPart,
  folder = localFolder(part.folder),
): AsyncGenerator<readonly RecordChange[]> {
  const place = path.join(part.folder, part.file.path);
  for await (const lines of linesOf(part, folder)) {
    yield lines.map((line) => ("number" in line ? changeOf(line, part, place) : { fault: `${place}: ${line.fault}` }));
  }
}

/** The lines of a file, and behind them what is wrong with the file. */
async function* linesOf(
  { file, isListed }: RecordPart,
  folder: ExportFolder,
): AsyncGenerator<readonly (LineOrFault | { readonly fault: string })[]> {
  const reading = new DataFileReading(file, folder);
  if (isListed) yield* reading.lines();
  else yield [{ fault: "The manifest lists it, and it is not there." }];
  const { fault, items, md5 } = reading;
  if (fault !== undefined) yield [{ fault: fault.message }];
  else if (isListed && md5 !== file.md5) yield [{ fault: "It is not what the manifest's checksum says." }];
  if (items !== file.itemCount) {
    yield [{ fault: `It has ${items} items, and the manifest says ${file.itemCount}.` }];
  }
}

const ITEM_START = '{"Item":';

function changeOf(line: LineOrFault, { kind, table, replay }: RecordPart, place: string): RecordChange {
  const faulty = (reason: string) => ({ fault: `${place}, line ${line.number}, of ${table}: ${reason}` });
  if ("fault" in line) return faulty(line.fault);
  const text = line.line;
  // The item's own text, unparsed; whether it is an item is found where it is digested.
  if (kind === "full" && text.startsWith(ITEM_START) && text.endsWith("}}"))
    return { now: text.slice(ITEM_START.length, -1) };
  try {
    const { now, before } = parseExportLine(text, kind);
    return { ...(now && { now }), ...(before && { before }), ...(replay && { replay }) };
  } catch (error) {
    if (!(error instanceof ItemError)) throw error;
    return faulty(error.message);
  }
}

export interface ExportChain {
  readonly table: LogicalTableName;
  readonly deployedTable: string;
  readonly exports: readonly Manifest[];
  /** Everything that was written before this moment is in the exports. */
  readonly takenAt: string;
}

/** Which exports make up each table: its newest full export, and the windows after it as far as none is missing. */
export function sourceChainsOf(exports: readonly Manifest[], problems: string[]): ExportChain[] {
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
    // No full one is newer, so these are windows.
    const windows = own.filter(({ to }) => to > full.to);
    return [
      chainOf(
        full,
        windows.sort((a, b) => byTime(a.from ?? "", b.from ?? "")),
        problems,
      ),
    ];
  });
}

function chainOf(full: Manifest, windows: readonly Manifest[], problems: string[]): ExportChain {
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
