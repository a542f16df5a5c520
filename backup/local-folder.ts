/** A folder of exports on this machine's disk, as `aws s3 sync` leaves it. */

import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { BackupError } from "./errors";
import type { ExportFolder, FolderFile } from "./folder";

export function localFolder(top: string): ExportFolder {
  return {
    name: top,
    list: async function* (): AsyncGenerator<FolderFile> {
      for (const entry of await entriesOf(top)) {
        if (!entry.isFile()) continue;
        const file = path.join(entry.parentPath, entry.name);
        yield { path: path.relative(top, file).split(path.sep).join("/"), bytes: (await stat(file)).size };
      }
    },
    open: async (file) => createReadStream(path.join(top, ...file.split("/"))),
  };
}

async function entriesOf(top: string) {
  try {
    return await readdir(top, { recursive: true, withFileTypes: true });
  } catch (error) {
    if (!["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    throw new BackupError(
      "FOLDER_MISSING",
      `There is no folder ${top}. A check reads a folder that holds exports, or s3://bucket/prefix. Correct the path.`,
    );
  }
}
