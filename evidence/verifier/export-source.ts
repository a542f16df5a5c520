/** Exports on this machine's disk as sources of records: each table's newest full export and the windows after it. */

import { existsSync } from "node:fs";
import type { LogicalTableName } from "../../contract";
import type { ItemJson } from "../../ledger/rules/commitment";
import { ItemError, isItem, parseStrictly } from "./digest";
import { linesOfFile } from "./export-lines";
import { type ExportChain, exportsIn, sourceChainsOf, type TableExport } from "./export-manifest";
import { type RecordChange, type RecordSource, SourceError } from "./sources";

export interface ExportSources {
  readonly sources: readonly RecordSource[];
  /** What could not be understood: for `VerifyOptions.problems`. */
  readonly problems: readonly string[];
}

/** @throws SourceError when there is no such folder. */
export function exportSources(folder: string): ExportSources {
  if (!existsSync(folder)) {
    throw new SourceError("SOURCE_MISSING", `There is no folder ${folder}. Give the folder that holds AWSDynamoDB.`);
  }
  const problems: string[] = [];
  const chains = sourceChainsOf(exportsIn(folder, problems), problems);
  return { sources: chains.map(sourceOf), problems };
}

function sourceOf(chain: ExportChain): RecordSource {
  const { table, deployedTable, exports, takenAt } = chain;
  const files = exports.flatMap((each) => each.files);
  return {
    table,
    name: `${deployedTable}, ${exports.length} exports`,
    takenAt,
    lastsMs: Math.max(...exports.map(({ lastsMs }) => lastsMs)),
    expected: files.reduce((sum, { itemCount }) => sum + itemCount, 0),
    batches: () => changesIn(chain),
  };
}

async function* changesIn({ table, exports }: ExportChain): AsyncGenerator<readonly RecordChange[]> {
  let covered = "";
  for (const each of exports) {
    // A window that begins in time that was exported before may tell again what stands there already.
    const replay = each.kind === "incremental" && (each.from ?? "") < covered;
    if (each.to > covered) covered = each.to;
    for (const file of each.files) {
      for await (const lines of linesOfFile(file)) {
        yield lines.map((line) => ("fault" in line ? line : changeOf(line, each, table, replay, file.path)));
      }
    }
  }
}

const ITEM_START = '{"Item":';

function changeOf(
  { line, number }: { readonly line: string; readonly number: number },
  { kind }: TableExport,
  table: LogicalTableName,
  replay: boolean,
  path: string,
): RecordChange {
  // The item's own text, unparsed; whether it is one is found where it is digested.
  if (kind === "full" && line.startsWith(ITEM_START) && line.endsWith("}}"))
    return { now: line.slice(ITEM_START.length, -1) };
  const place = `${path}, line ${number}`;
  try {
    const parsed = parseStrictly(line);
    return kind === "full" ? fullChange(parsed) : incrementalChange(parsed, replay);
  } catch (error) {
    if (!(error instanceof ItemError)) throw error;
    return { fault: `${place}, of ${table}: ${error.message}` };
  }
}

function fullChange(line: unknown): RecordChange {
  const { Item } = (line ?? {}) as Readonly<Record<string, unknown>>;
  if (!isItem(Item)) throw new ItemError("It holds no item in typed DynamoDB JSON.");
  return { now: Item };
}

function incrementalChange(line: unknown, replay: boolean): RecordChange {
  // The documentation names the key `Key`, the service writes `Keys`.
  const { NewImage, OldImage, Key, Keys = Key } = (line ?? {}) as Readonly<Record<string, unknown>>;
  const now = imageOf(NewImage, Keys);
  const before = imageOf(OldImage, Keys);
  return { ...(now && { now }), ...(before && { before }), ...(replay && { replay }) };
}

function imageOf(image: unknown, keys: unknown): ItemJson | undefined {
  if (image === undefined) return undefined;
  if (!isItem(image) || !isItem(keys)) throw new ItemError("An image of it is no item in typed DynamoDB JSON.");
  const isOfKey = Object.entries(keys).every(([name, value]) => JSON.stringify(image[name]) === JSON.stringify(value));
  if (!isOfKey) throw new ItemError("An image of it has another key than the line.");
  return image;
}
