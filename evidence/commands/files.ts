/** Files that the evidence commands write: whole, or not at all. */

import { randomUUID } from "node:crypto";
import { chmodSync, constants, copyFileSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/**
 * Written beside the place and renamed, so that a reader finds a whole file. Missing folders are made.
 *
 * @param mode of the file; without it, as the user's settings say.
 */
export function writeWhole(place: string, bytes: Uint8Array | string, mode?: number): void {
  const partial = writePartial(place, bytes);
  if (mode !== undefined) chmodSync(partial, mode);
  renameSync(partial, place);
}

/**
 * The same for a place where nothing is yet: of several writers at once one succeeds, also on machines that share the folder.
 * @returns false when something is there.
 */
export function createWhole(place: string, bytes: Uint8Array | string): boolean {
  const partial = writePartial(place, bytes);
  try {
    takeName(partial, place);
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
    throw error;
  } finally {
    rmSync(partial);
  }
}

/** Its name is random: on machines that share the folder, two processes may have the same number. */
function writePartial(place: string, bytes: Uint8Array | string): string {
  mkdirSync(path.dirname(place), { recursive: true });
  const partial = `${place}.${randomUUID()}.part`;
  writeFileSync(partial, bytes);
  return partial;
}

/** Fails where the name is taken; a rename would replace the file. */
function takeName(partial: string, place: string): void {
  try {
    linkSync(partial, place);
  } catch (error) {
    if (isTaken(error)) throw error;
    // A file system without links. A reader may find the file before it is whole.
    copyFileSync(partial, place, constants.COPYFILE_EXCL);
  }
}

function isTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EEXIST";
}
