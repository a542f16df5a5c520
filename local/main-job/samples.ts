/** The shipped samples of files and messages, and what must come of them. tools/samples/ writes them, and knows nothing of the ledger. */

import { readFileSync } from "node:fs";
import path from "node:path";
import type { ExpectedFile, ExpectedFiles } from "../samples/files";
import type { ExpectedMessages } from "../samples/messages";

const SAMPLES = path.join(__dirname, "..", "..", "samples");

export interface PartnerFile extends ExpectedFile {
  readonly bytes: Uint8Array;
}

export interface FileSamples extends Omit<ExpectedFiles, "files"> {
  readonly files: readonly PartnerFile[];
}

export interface MessageSamples extends ExpectedMessages {
  readonly bodies: readonly string[];
}

export function readFileSamples(): FileSamples {
  const expected = readJson<ExpectedFiles>("files.expected.json");
  const files = expected.files.map((file) => ({
    ...file,
    bytes: readFileSync(path.join(SAMPLES, "files", file.name)),
  }));
  return { ...expected, files };
}

export function readMessageSamples(): MessageSamples {
  const expected = readJson<ExpectedMessages>("messages.expected.json");
  const bodies = readFileSync(path.join(SAMPLES, "messages.ndjson"), "utf8").trimEnd().split("\n");
  return { ...expected, bodies };
}

/** Our own file, held to its generator by a test. */
function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(path.join(SAMPLES, name), "utf8")) as T;
}
