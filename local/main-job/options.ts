/** The command line of `npm start`. */

import path from "node:path";
import { parseArgs } from "node:util";
import { JobError } from "./errors";

const PROJECT = path.join(__dirname, "..", "..");

export interface JobOptions {
  /** Payments, one JSON object a line. */
  readonly input: string;
  /** What must come of them, as `tools/samples/make.ts` writes it. */
  readonly expected: string;
  /** Where the Terraform is synthesized to. */
  readonly out: string;
}

export const USAGE = [
  "Usage: npm start [-- --input <file> --expected <file> --out <folder>]",
  "  --input     payments, one JSON object a line (samples/payments.ndjson)",
  "  --expected  what must come of them (samples/payments.expected.json)",
  "  --out       folder for the synthesized Terraform (cdktf.out)",
].join("\n");

/** @returns undefined when only help was asked for. */
export function parseOptions(argv: readonly string[]): JobOptions | undefined {
  const values = parsed(argv);
  if (values.help) return undefined;
  return {
    input: path.resolve(values.input ?? path.join(PROJECT, "samples", "payments.ndjson")),
    expected: path.resolve(values.expected ?? path.join(PROJECT, "samples", "payments.expected.json")),
    out: path.resolve(values.out ?? path.join(PROJECT, "cdktf.out")),
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        input: { type: "string" },
        expected: { type: "string" },
        out: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new JobError(
      "OPTION_UNKNOWN",
      error instanceof Error ? error.message : String(error),
      "npm start knows --input, --expected, --out and --help.",
      `call it like this:\n${USAGE}`,
    );
  }
}
