/**
 * A record of what bundles were made from, so that a synth of unchanged code can take the bundles that exist. It holds every
 * file that esbuild read, by its content; the names beside the project's own files, because a new one can take the place of
 * another; what npm installed; and the program that builds.
 */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { version } from "esbuild";
import { writeWhole } from "../evidence/commands/files";

/** Where a program of `tools/` writes what it makes of a project. */
export interface Build {
  readonly project: string;
  readonly folder: string;
  /** Name of the record's file in `folder`. */
  readonly record: string;
  /** Whatever decides on the bytes beside the files that esbuild reads. */
  readonly builder: string;
}

/** SHA-256 of the files that a build made, in hex, by their names in its folder. */
export type Made = Readonly<Record<string, string>>;

interface BundleRecord {
  readonly builder: string;
  /** Paths from the project's folder. */
  readonly inputs: readonly string[];
  readonly fingerprint: string;
  readonly made: Made;
}

/** @param program the file that calls esbuild. */
export function builderOf(program: string, settings: readonly string[] = []): string {
  const licences = join(__dirname, "licences");
  const files = [program, ...readdirSync(licences).map((name) => join(licences, name))].sort();
  return JSON.stringify([version, ...settings, ...files.map((path) => readFileSync(path, "utf8"))]);
}

/** @returns undefined unless the files of the folder are what this builder would make now. */
export function recordedBuild({ project, folder, record: name, builder }: Build): Made | undefined {
  try {
    const record = JSON.parse(readFileSync(join(folder, name), "utf8")) as BundleRecord;
    if (record.builder !== builder) return undefined;
    const isWhole = Object.entries(record.made).every(
      ([file, hash]) => fileHash(readFileSync(join(folder, file))) === hash,
    );
    return isWhole && fingerprint(project, record.inputs) === record.fingerprint ? record.made : undefined;
  } catch {
    // No record, a damaged one, or a file of it is gone: build again.
    return undefined;
  }
}

/** @param inputs paths from the project's folder. A project whose packages npm did not install gets no record. */
export function recordBuild(
  { project, folder, record: name, builder }: Build,
  inputs: readonly string[],
  made: Made,
): void {
  const record = { builder, inputs, fingerprint: fingerprintOrNone(project, inputs), made };
  if (record.fingerprint === undefined) return;
  writeWhole(join(folder, name), JSON.stringify(record));
}

export function fileHash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

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
  for (const name of namesLike(project, inputs)) add(name, Buffer.of());
  // esbuild reads it too, and does not name it.
  const settings = existsSync(join(project, "package.json")) ? ["package.json"] : [];
  for (const path of [...settings, "node_modules/.package-lock.json", ...inputs]) {
    add(path, readFileSync(join(project, path)));
  }
  return hash.digest("hex");
}

/** The project's files and folders that have the name of an input or of a folder above it, with any ending. */
function namesLike(project: string, inputs: readonly string[]): string[] {
  const stems = new Map<string, Set<string>>();
  for (const input of inputs.filter((path) => !path.startsWith("node_modules/"))) {
    for (let path = input; path !== "."; path = dirname(path)) {
      const folder = dirname(path);
      stems.set(folder, (stems.get(folder) ?? new Set()).add(stemOf(path)));
    }
  }
  return [...stems]
    .flatMap(([folder, wanted]) =>
      readdirSync(join(project, folder))
        .filter((name) => wanted.has(stemOf(name)))
        .map((name) => join(folder, name)),
    )
    .sort();
}

const stemOf = (path: string) => basename(path).split(".")[0] as string;
