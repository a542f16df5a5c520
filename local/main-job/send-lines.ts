/** Sends payments to `persist_payment_ledger`: a few alone, the rest in lists, in the order of the file. */

import type { EntryResult } from "../../ledger/rules/responses";
import type { LedgerCalls } from "./calls";
import type { InputLine, LineOutcome } from "./input";
import type { Progress } from "./progress";

/** Sender of the lines that name none. */
export const LINES_ACTOR = "checkout-service";
const SENT_ALONE = 20;
const LIST_LENGTH = 100;

export interface SentLines {
  /** By line number. */
  readonly endings: ReadonlyMap<number, LineOutcome>;
  readonly calls: number;
}

export async function sendLines(
  lines: readonly InputLine[],
  calls: LedgerCalls,
  progress: Progress,
): Promise<SentLines> {
  const endings = new Map<number, LineOutcome>();
  for (const { number, broken } of lines) if (broken) endings.set(number, "broken");
  const batches = batchesOf(lines.filter(({ broken }) => !broken));
  for (const batch of batches) {
    const { results } = await calls.persistPayments(requestOf(batch));
    for (const [position, { number }] of batch.entries()) {
      const result = results[position];
      if (result?.position === position) endings.set(number, endingOf(result));
    }
    progress.update(endings.size, lines.length);
  }
  return { endings, calls: batches.length };
}

function batchesOf(lines: readonly InputLine[]): InputLine[][] {
  const alone = lines.slice(0, SENT_ALONE).map((line) => [line]);
  const lists: InputLine[][] = [];
  for (let start = SENT_ALONE; start < lines.length; start += LIST_LENGTH) {
    lists.push(lines.slice(start, start + LIST_LENGTH));
  }
  return [...alone, ...lists];
}

/** A single payment names its sender itself; a list names its sender once. */
function requestOf(batch: readonly InputLine[]): object {
  const [only] = batch;
  if (batch.length === 1 && isPlainObject(only?.entry)) return { Actor: LINES_ACTOR, ...only.entry };
  return { schemaVersion: 1, Actor: LINES_ACTOR, payments: batch.map(({ entry }) => entry) };
}

function isPlainObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function endingOf({ outcome, code }: EntryResult): LineOutcome {
  return outcome === "refused" ? (code ?? "refused without a code") : outcome;
}

/** How a line must end when it is sent once more: what was stored is a duplicate then; nothing else changes. */
export function endingOnRetry(first: LineOutcome): LineOutcome {
  return first === "stored" ? "duplicate" : first;
}
