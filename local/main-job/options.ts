/** What the job of `npm start` is given. */

import path from "node:path";

const PROJECT = path.join(__dirname, "..", "..");

export interface JobOptions {
  /** Payments, one JSON object a line. */
  readonly input: string;
  /** What must come of them, as `tools/samples/make.ts` writes it. */
  readonly expected: string;
  /** Where the Terraform is synthesized to. */
  readonly out: string;
  /** Where progress is shown; standard output unless that carries the answer alone. */
  readonly progress?: NodeJS.WriteStream;
}

export function jobOptions(given: Partial<Pick<JobOptions, "input" | "expected" | "out">> = {}): JobOptions {
  return {
    input: path.resolve(given.input ?? path.join(PROJECT, "samples", "payments.ndjson")),
    expected: path.resolve(given.expected ?? path.join(PROJECT, "samples", "payments.expected.json")),
    out: path.resolve(given.out ?? path.join(PROJECT, "cdktf.out")),
  };
}
