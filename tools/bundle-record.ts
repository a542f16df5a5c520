/**
 * A record of what the bundles were made from, so that a synth of unchanged code can take the bundles that exist. It holds every
 * file that esbuild read, by its content; the names beside the project's own files, because a new one can take the place of
 * another; what npm installed; and the program that builds.
 */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** SHA-256 of the zip file of each entry, in hex. */
export type Bundles = Readonly<Record<string, string>>;

interface BundleRecord {
  /** The version of esbuild, the entries, and the code that calls it. */
  readonly builder: string;
  /** Paths from the project's folder. */
  readonly inputs: readonly string[];
  readonly fingerprint: string;
  readonly bundles: Bundles;
}

/** @returns undefined unless the files of `folder` are what this builder would make now. */
export function recordedBundles(project: string, folder: string, builder: string): Bundles | undefined {
  try {
    const record = JSON.parse(readFileSync(fileOf(folder), "utf8")) as BundleRecord;
    if (record.builder !== builder) return undefined;
    const isWhole = Object.entries(record.bundles).every(
      ([entry, sha256]) =>
        createHash("sha256")
          .update(readFileSync(join(folder, `${entry}.zip`)))
          .digest("hex") === sha256,
    );
    return isWhole && fingerprint(project, record.inputs) === record.fingerprint ? record.bundles : undefined;
  } catch {
    // No record, a damaged one, or a file of it is gone: build again.
    return undefined;
  }
}

/** @param inputs paths from the project's folder. A project whose packages npm did not install gets no record. */
export function recordBundles(
  project: string,
  folder: string,
  { builder, inputs, bundles }: Omit<BundleRecord, "fingerprint">,
): void {
  const record = { builder, inputs, fingerprint: fingerprintOrNone(project, inputs), bundles };
  if (record.fingerprint === undefined) return;
  const partial = `${fileOf(folder)}.${process.pid}.part`;
  writeFileSync(partial, JSON.stringify(record));
  renameSync(partial, fileOf(folder));
}

const fileOf = (folder: string) => join(folder, "made-from.json");
const isPackage = (path: string) => path.startsWith("node_modules/");

function fingerprintOrNone(project: string, inputs: readonly string[]): string | undefined {
  try {
    return fingerprint(project, inputs);
  } catch {
    return undefined;
  }
}

/** @throws Error when a file is gone, npm's list of what it installed included. */
function fingerprint(project: string, inputs: readonly string[]): string {
  const hash = createHash("sha256");
  const add = (name: string, content: Uint8Array) => hash.update(`${name}\0${content.length}\0`).update(content);
  const own = [...new Set(inputs.filter((path) => !isPackage(path)).map(dirname))].sort();
  for (const folder of own) add(folder, Buffer.from(readdirSync(join(project, folder)).sort().join("\0")));
  for (const path of ["node_modules/.package-lock.json", ...inputs]) add(path, readFileSync(join(project, path)));
  return hash.digest("hex");
}
