/** A folder of exports on this machine's disk, as `aws s3 sync` leaves it. Only regular files are read, and no link is followed. */

import { createReadStream, type Dir, existsSync, fstatSync, lstatSync, opendirSync } from "node:fs";
import path from "node:path";
import { CodedError } from "../../contract";
import { FileError, RegularFiles, wholeOf } from "../files/regular-file";
import type { ExportFolder, FolderFile } from "./folder";

/** Folders of a bucket, of a table and of the export. */
const FOLDERS_DEEP_MAX = 40;
const CHUNK_BYTES = 1024 * 1024;

class FolderMissingError extends CodedError<"FOLDER_MISSING"> {
  override readonly name = "FolderMissingError";

  constructor(place: string) {
    super(
      "FOLDER_MISSING",
      `There is no folder ${place}. Exports are read from a folder that holds AWSDynamoDB. Correct the path.`,
    );
  }
}

export function localFolder(top: string): ExportFolder {
  const files = new RegularFiles(top);
  return {
    name: top,
    list: async function* (onProblem = () => {}) {
      if (!existsSync(top)) throw new FolderMissingError(top);
      yield* filesUnder(top, "", FOLDERS_DEEP_MAX, onProblem);
    },
    open: async (name) => {
      const fd = files.open(name);
      if (fd === undefined) throw new FileError("It is not there.");
      if (fstatSync(fd).size > CHUNK_BYTES) return createReadStream("", { fd, highWaterMark: CHUNK_BYTES });
      // Most files of a small export hold a few kilobytes, and a stream for each takes longer than its bytes.
      return [wholeOf(fd, CHUNK_BYTES)];
    },
  };
}

function* filesUnder(
  top: string,
  prefix: string,
  deep: number,
  onProblem: (problem: string) => void,
): Generator<FolderFile> {
  const opened = openedFolder(path.join(top, prefix), onProblem);
  try {
    for (let entry = opened?.readSync() ?? null; entry !== null; entry = opened?.readSync() ?? null) {
      const name = `${prefix}${entry.name}`;
      const place = path.join(top, name);
      if (!entry.isDirectory()) yield { path: name, bytes: lstatSync(place, { throwIfNoEntry: false })?.size ?? 0 };
      else if (deep > 0) yield* filesUnder(top, `${name}/`, deep - 1, onProblem);
      else onProblem(`${place} lies deeper than any export, and was not looked at.`);
    }
  } finally {
    opened?.closeSync();
  }
}

function openedFolder(place: string, onProblem: (problem: string) => void): Dir | undefined {
  try {
    return opendirSync(place);
  } catch (error) {
    onProblem(`${place} cannot be listed (${(error as NodeJS.ErrnoException).code}).`);
    return undefined;
  }
}
