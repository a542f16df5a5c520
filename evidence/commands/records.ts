/** Records from exported tables on disk, for the evidence commands. */

import type { LogicalTableName } from "../../contract";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import { commitmentOf } from "../../ledger/rules/commitment";
import { readableItem } from "../verifier/digest";
import { type ExportSources, exportSources } from "../verifier/export-source";
import { folderAt } from "./arguments";
import type { CommandArguments } from "./command";

export interface RecordImage {
  readonly table: LogicalTableName;
  readonly item: ItemJson;
  readonly commitment: string;
}

interface FoundImages {
  readonly images: readonly RecordImage[];
  /** Parts of the exports that could not be read, in words: a record may be in them. */
  readonly problems: readonly string[];
}

/** The tables in the folders of `--export`. */
export async function exportedSources(args: CommandArguments): Promise<ExportSources> {
  const places = args.neededMany("export").map((place) => folderAt(place, "export"));
  const folders = await Promise.all(places.map(exportSources));
  return {
    sources: folders.flatMap(({ sources }) => sources),
    problems: folders.flatMap(({ problems }) => problems),
  };
}

/** Every state of a record that the exports hold, that names the id and is wanted, each once. */
export async function imagesWhere(
  { sources, problems: known }: ExportSources,
  id: string,
  isWanted: (table: LogicalTableName, item: ItemJson) => boolean,
): Promise<FoundImages> {
  const images = new Map<string, RecordImage>();
  const problems = [...known];
  const inJson = JSON.stringify(id);
  const take = (table: LogicalTableName, image: ItemJson | string | undefined) => {
    // Most records are of other payments, and are not even parsed.
    if (image === undefined || (typeof image === "string" && !image.includes(inJson))) return;
    const item = readableItem(image);
    if (item === undefined || !isWanted(table, item)) return;
    const commitment = commitmentOf(table, item);
    images.set(`${table} ${commitment}`, { table, item, commitment });
  };
  for (const { table, batches } of sources) {
    for await (const batch of batches()) {
      for (const { now, before, fault } of batch) {
        if (fault !== undefined) problems.push(fault);
        take(table, before);
        take(table, now);
      }
    }
  }
  return { images: [...images.values()], problems };
}
