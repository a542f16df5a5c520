/**
 * The readings that a check of exports consists of: of the data files, and of the tables' keys. The check does not depend on who reads:
 * this process, or pieces of the work elsewhere (`check-pieces.ts`).
 */

import { randomBytes } from "node:crypto";
import { CodedError } from "../contract";
import type { ExportFolder, FolderFile } from "../ledger/exports/folder";
import type { DataFile, Manifest } from "../ledger/exports/manifest";
import type { Chain } from "./chain";
import { checkDataFile } from "./data-file";
import type { ExportLine } from "./export-lines";
import { CheckFindings, type FoundState, removedItem } from "./findings";
import type { TableComparison } from "./table-comparison";
import type { TableKey, TableReader } from "./table-keys";

export interface FileToRead {
  readonly manifest: Manifest;
  readonly file: DataFile;
}

export interface FileResult {
  readonly items: number;
  readonly bytes: number;
  readonly found: FoundState;
}

/** A line of an export that says something of a key. */
export interface ExportedKey {
  readonly key: string;
  readonly isRemoved: boolean;
  readonly isDue: boolean;
}

export interface KeyTaker {
  exported(line: ExportedKey): void;
  held(item: TableKey): void;
}

export interface CheckReadings {
  /** The key of the check's sums: 32 random bytes. */
  readonly runKey: Buffer;
  /** The next data file in the order of `readingOrderOf`. @param comparison gains its keys, at the latest with `table`. */
  file(each: FileToRead, comparison?: TableComparison): Promise<FileResult>;
  /** Gives the comparison every key of the table. */
  table(chain: Chain, comparison: TableComparison): Promise<void>;
  /** The keys of some buckets once more: first the lines of the chain's exports in their order, then what the table holds. */
  again(chain: Chain, comparison: TableComparison, buckets: ReadonlySet<number>, take: KeyTaker): Promise<void>;
}

/** Ends a check early. */
export class CheckOutOfTime extends CodedError<"OUT_OF_TIME"> {
  override readonly name = "CheckOutOfTime";

  constructor() {
    super("OUT_OF_TIME", "The time that was given for the work is over.");
  }
}

/** What is read. */
export interface CheckSource {
  readonly folder: ExportFolder;
  readonly listed: ReadonlyMap<string, FolderFile>;
  readonly tableOf: (deployedName: string) => TableReader | undefined;
}

/** Reads everything here. */
export class OwnCheckReadings implements CheckReadings {
  readonly runKey = randomBytes(32);

  constructor(
    private readonly source: CheckSource,
    private readonly outOfTime: () => boolean,
  ) {}

  file(each: FileToRead, comparison?: TableComparison): Promise<FileResult> {
    return readDataFile(this.source, each, comparison);
  }

  async table(chain: Chain, comparison: TableComparison): Promise<void> {
    for await (const { key, recordedAt } of this.keysOf(chain)) comparison.addHeld(key, recordedAt);
  }

  async again(chain: Chain, comparison: TableComparison, buckets: ReadonlySet<number>, take: KeyTaker): Promise<void> {
    for (const each of filesOfChain(chain)) {
      if (this.outOfTime()) throw new CheckOutOfTime();
      await readKeysAgain(this.source, each, comparison, buckets, (line) => take.exported(line));
    }
    for await (const item of this.keysOf(chain)) if (comparison.isIn(buckets, item.key)) take.held(item);
  }

  private async *keysOf({ deployedTable }: Chain): AsyncGenerator<TableKey> {
    const table = this.source.tableOf(deployedTable);
    if (table === undefined) throw new Error("A table that is not within reach was to be compared.");
    let seen = 0;
    for await (const item of table.keys()) {
      if (seen++ % 1000 === 0 && this.outOfTime()) throw new CheckOutOfTime();
      yield item;
    }
  }
}

export function filesOfChain({ exports }: Chain): FileToRead[] {
  return exports.flatMap((manifest) => manifest.files.map((file) => ({ manifest, file })));
}

/** The first reading of a data file. */
export async function readDataFile(
  source: CheckSource,
  each: FileToRead,
  comparison: TableComparison | undefined,
): Promise<FileResult> {
  const findings = new CheckFindings();
  const { items, bytes } = await linesOf(source, each, findings, ({ effect, key, recordedAt }) => {
    if (effect === "removed")
      findings.add(removedItem(each.manifest.deployedTable, key, "An export says that it was removed."));
    if (effect !== "changed") comparison?.addExported(key, recordedAt, effect === "added" ? 1 : -1);
  });
  return { items, bytes, found: findings.state };
}

/** The lines of a data file whose keys are in some buckets. */
export async function readKeysAgain(
  source: CheckSource,
  each: FileToRead,
  comparison: TableComparison,
  buckets: ReadonlySet<number>,
  take: (line: ExportedKey) => void,
): Promise<void> {
  // What cannot be read is a finding of the first reading.
  await linesOf(source, each, new CheckFindings(), ({ effect, key, recordedAt }) => {
    if (!comparison.isIn(buckets, key)) return;
    take({ key, isRemoved: effect === "removed", isDue: comparison.isDue(recordedAt) });
  });
}

function linesOf(
  { folder, listed }: CheckSource,
  { manifest, file }: FileToRead,
  findings: CheckFindings,
  onLine: (line: ExportLine) => void,
) {
  return checkDataFile({ file, manifest, folder, listed: listed.get(file.path) }, findings, onLine);
}
