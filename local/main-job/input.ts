/** Reads the payments and what must come of them. Lines that are no JSON are counted here and never repeated. */

import { readFileSync } from "node:fs";
import * as z from "zod";
import { JobError } from "./errors";

/** How a line ended: an outcome of the ledger, `broken`, or the refusal code of a refused line. */
export type LineOutcome = string;

export interface InputLine {
  /** From 1, as editors count. */
  readonly number: number;
  /** Absent when the line is no JSON. */
  readonly entry?: unknown;
  readonly broken: boolean;
}

export interface ExpectedCounts {
  readonly lines: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly refusals: Readonly<Record<string, number>>;
  readonly distinctConflicts: number;
  readonly sums: Readonly<Record<string, { readonly payments: number; readonly total: string }>>;
  readonly storedFailures: number;
  readonly cardNumbers: readonly string[];
  endingOf(lineNumber: number): LineOutcome;
}

export function readInput(file: string): InputLine[] {
  const lines = textOf(file).split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((text, index) => ({ number: index + 1, ...parsedLine(text) }));
}

function parsedLine(text: string): Omit<InputLine, "number"> {
  try {
    return { entry: JSON.parse(text) as unknown, broken: false };
  } catch {
    return { broken: true };
  }
}

const count = z.int().min(0);
const expectedSchema = z.strictObject({
  lines: count,
  outcomes: z.strictObject({ stored: count, duplicate: count, conflict: count, refused: count, broken: count }),
  refusals: z.record(z.string(), count),
  distinctConflicts: count,
  sums: z.record(z.string(), z.strictObject({ payments: count, total: z.string().regex(/^\d+(\.\d{1,4})?$/) })),
  storedFailures: count,
  cardNumbers: z.string(),
  lineNumbers: z.record(z.string(), z.string().regex(/^(\d+( \d+)*)?$/)),
});

export function readExpected(file: string): ExpectedCounts {
  const parsed = expectedSchema.safeParse(parsedLine(textOf(file)).entry);
  if (!parsed.success) {
    throw new JobError(
      "EXPECTED_INVALID",
      `${file} is not in the form of payments.expected.json (${parsed.error.issues[0]?.path.join(".") || "no JSON"}).`,
      "The file is written together with the payments, by tools/samples/make.ts.",
      "run npx tsx tools/samples/make.ts again, or name another file with --expected.",
    );
  }
  const { lineNumbers, cardNumbers, ...counts } = parsed.data;
  const endings = new Map<number, LineOutcome>();
  for (const [ending, numbers] of Object.entries(lineNumbers)) {
    for (const number of listed(numbers)) endings.set(Number(number), ending);
  }
  return { ...counts, cardNumbers: listed(cardNumbers), endingOf: (line) => endings.get(line) ?? "stored" };
}

function listed(text: string): string[] {
  return text.split(" ").filter((part) => part !== "");
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new JobError(
      "INPUT_UNREADABLE",
      `${file} cannot be read (${error instanceof Error && "code" in error ? String(error.code) : "unknown"}).`,
      "The job reads a file of payments and the file of what must come of them.",
      "name existing files with --input and --expected; the shipped ones lie in samples/.",
    );
  }
}
