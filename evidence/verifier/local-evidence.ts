/** The evidence in a folder on this machine's disk. */

import { type Dir, lstatSync, opendirSync } from "node:fs";
import path from "node:path";
import { FileError, RegularFiles } from "../../ledger/files/regular-file";
import { EvidenceError, type EvidenceFolder, maxBytesOf } from "./evidence";
import { withPacks } from "./packs";

/** A folder on this machine's disk, as `fetch` or `aws s3 sync` leaves it. Reading is synchronous: thousands of small files go twice as fast. */
export function localEvidence(top: string): EvidenceFolder {
  const files = new RegularFiles(top);
  return withPacks({
    name: top,
    folder: top,
    read: async (name) => {
      try {
        return files.read(name, maxBytesOf(name));
      } catch (error) {
        if (error instanceof FileError) throw new EvidenceError(name, error.message);
        throw error;
      }
    },
    list: async function* (prefix) {
      const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
      const names = filesUnder(path.join(top, ...folder.split("/")), folder, FOLDERS_DEEP_MAX);
      for (const name of names) if (name.startsWith(prefix)) yield name;
    },
  });
}

/** A tree of 2^53 leaves needs seven. */
const FOLDERS_DEEP_MAX = 12;

/** One entry at a time: a log publishes half a million checkpoints a year into one folder. */
function* filesUnder(directory: string, prefix: string, deep: number): Generator<string> {
  const opened = openedFolder(directory, prefix);
  try {
    for (let entry = opened?.readSync() ?? null; entry !== null; entry = opened?.readSync() ?? null) {
      if (entry.isDirectory() && deep > 0)
        yield* filesUnder(path.join(directory, entry.name), `${prefix}${entry.name}/`, deep - 1);
      else yield `${prefix}${entry.name}`;
    }
  } finally {
    opened?.closeSync();
  }
}

function openedFolder(directory: string, name: string): Dir | undefined {
  try {
    if (lstatSync(directory).isSymbolicLink())
      throw new EvidenceError(name, "it is a link, and links are not followed.");
    return opendirSync(directory);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (["ENOENT", "ENOTDIR"].includes(code)) return undefined;
    throw error instanceof EvidenceError ? error : new EvidenceError(name, `it cannot be listed (${code}).`);
  }
}
