/** The licences of the packages whose code is in a bundle, from what esbuild says that it took. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Metafile } from "esbuild";
import { CodedError } from "../../contract";

/** Beside a bundle, wherever it is shipped. */
export const NOTICES_FILE = "THIRD-PARTY-NOTICES.txt";

/** They permit use and redistribution and ask for no more than their text, as SPDX names them. */
export const ALLOWED_LICENCES = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0"];

/** Texts of licences that packages name without shipping them. MIT-0 lets them. */
const STANDARD_TEXTS: Readonly<Record<string, string>> = { "MIT-0": "mit-0.txt" };

export class LicenceError extends CodedError<"LICENCE_NOT_ALLOWED" | "LICENCE_TEXT_MISSING"> {
  override readonly name = "LicenceError";
}

export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** As SPDX names it. */
  readonly licence: string;
  readonly text: string;
}

/** The packages of which code is in the output, by name. @throws LicenceError */
export function bundledPackages(output: Metafile["outputs"][string] | undefined, project: string): BundledPackage[] {
  const taken = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const folders = new Set(taken.flatMap(([path]) => /^(.*\/)?node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  return [...folders]
    .map((folder) => packageIn(join(project, folder)))
    .toSorted((a, b) => (nameAndVersion(a) < nameAndVersion(b) ? -1 : 1));
}

/** Every package with its licence, and each text once. */
export function noticesText(packages: readonly BundledPackage[]): string {
  const byText = new Map<string, BundledPackage[]>();
  for (const each of packages) byText.set(each.text, [...(byText.get(each.text) ?? []), each]);
  const parts = [...byText].map(([text, users]) => `${users.map(headOf).join("\n")}\n\n${text}`);
  const rule = `\n\n${"-".repeat(80)}\n\n`;
  return `This file lists the packages of others whose code is in the bundle beside it, and their licences.${rule}${parts.join(rule)}\n`;
}

function headOf({ name, version, licence }: BundledPackage): string {
  return `${name} ${version} (${licence})`;
}

function nameAndVersion({ name, version }: BundledPackage): string {
  return `${name} ${version}`;
}

function packageIn(folder: string): BundledPackage {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, unknown>;
  const { name, version, license: licence } = manifest;
  const what = `${name} ${version}`;
  if (typeof licence !== "string" || !ALLOWED_LICENCES.includes(licence)) {
    throw new LicenceError(
      "LICENCE_NOT_ALLOWED",
      `${what} is bundled and has the licence ${JSON.stringify(licence)}.\n  Rule:   bundled packages have one of ${ALLOWED_LICENCES.join(", ")}.\n` +
        "  Remedy: take another package, or have the licence reviewed and add it to tools/licences/notices.ts.",
    );
  }
  return { name: String(name), version: String(version), licence, text: textIn(folder, what, licence) };
}

function textIn(folder: string, what: string, licence: string): string {
  const own = readdirSync(folder)
    .filter((name) => /^(licen[cs]e|notice)([.-].*)?$/i.test(name))
    .sort()
    .map((name) => readFileSync(join(folder, name), "utf8"));
  const standard = STANDARD_TEXTS[licence];
  const texts = own.length === 0 && standard !== undefined ? [readFileSync(join(__dirname, standard), "utf8")] : own;
  if (texts.length === 0) {
    throw new LicenceError(
      "LICENCE_TEXT_MISSING",
      `${what} is bundled and ships no text of its licence.\n  Rule:   a bundle is shipped with the licence text of each package in it.\n` +
        "  Remedy: take another version or package, or add the standard text to tools/licences/.",
    );
  }
  return texts.map((text) => text.replaceAll("\r\n", "\n").trim()).join("\n\n");
}
