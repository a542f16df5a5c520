/**
 * Reading of files that somebody else made. Only regular files of bounded size are read: a pipe would block for ever, a
 * device never ends, and a link leads to files that nobody handed over.
 */

import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import path from "node:path";
import { CodedError } from "../../contract";

/** There is something at the path, and it is not a file that may be read. */
export class FileError extends CodedError<"UNREADABLE_FILE"> {
  override readonly name = "FileError";

  constructor(message: string) {
    super("UNREADABLE_FILE", message);
  }
}

const NOT_THERE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "EISDIR"]);

/** A folder whose files are read by their paths in it. */
export class RegularFiles {
  /** Folders in it that are no links. */
  private readonly folders = new Set<string>(["."]);

  constructor(private readonly top: string) {}

  /**
   * @param name path in the folder, its parts separated by slashes.
   * @returns undefined when there is no such file. @throws FileError
   */
  read(name: string, maxBytes: number): Buffer | undefined {
    const file = this.open(name);
    return file === undefined ? undefined : wholeOf(file, maxBytes);
  }

  /** @returns the descriptor of a regular file, which the caller closes; undefined when there is no such file. @throws FileError */
  open(name: string): number | undefined {
    try {
      this.checkFolders(path.posix.dirname(name));
      return openRegular(path.join(this.top, ...name.split("/")));
    } catch (error) {
      return unlessNotThere(error);
    }
  }

  private checkFolders(folder: string): void {
    if (this.folders.has(folder)) return;
    this.checkFolders(path.posix.dirname(folder));
    if (lstatSync(path.join(this.top, ...folder.split("/"))).isSymbolicLink()) {
      throw new FileError(`The folder ${folder} is a link, and links are not followed.`);
    }
    this.folders.add(folder);
  }
}

/** The whole of a file that is named by itself. @returns undefined when it does not exist. @throws FileError */
export function readRegularFile(place: string, maxBytes: number): Buffer | undefined {
  return new RegularFiles(path.dirname(place)).read(path.basename(place), maxBytes);
}

function openRegular(place: string): number {
  // Non-blocking, so that opening a pipe returns at once.
  const file = openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const status = fstatSync(file);
  if (status.isFile()) return file;
  closeSync(file);
  if (status.isDirectory()) throw Object.assign(new Error("It is a folder."), { code: "EISDIR" });
  throw new FileError("It is no regular file, and nothing else is read.");
}

/** The bytes of an open file, which is closed then. @throws FileError for one that has more. */
export function wholeOf(file: number, maxBytes: number): Buffer {
  try {
    const { size } = fstatSync(file);
    if (size > maxBytes) throw new FileError(`It has ${size} bytes, and such a file has at most ${maxBytes}.`);
    const bytes = Buffer.allocUnsafe(size);
    let filled = 0;
    while (filled < size) {
      const count = readSync(file, bytes, filled, size - filled, filled);
      if (count === 0) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  } finally {
    closeSync(file);
  }
}

function unlessNotThere(error: unknown): undefined {
  if (error instanceof FileError) throw error;
  const { code = "" } = error as NodeJS.ErrnoException;
  if (NOT_THERE.has(code)) return undefined;
  if (code === "ELOOP") throw new FileError("It is a link, and links are not followed.");
  throw new FileError(`It cannot be read (${code}).`);
}
