/** Files that the evidence commands write: whole, or not at all. */

import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";

/** Written beside the place and renamed, so that a reader finds a whole file. Missing folders are made. */
export function writeWhole(place: string, bytes: Buffer | string): void {
  mkdirSync(path.dirname(place), { recursive: true });
  const partial = `${place}.${process.pid}.part`;
  writeFileSync(partial, bytes);
  renameSync(partial, place);
}
