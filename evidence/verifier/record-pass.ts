/** Readings of the sources: every record of every one, as its digest. */

import type { LogicalTableName } from "../../contract";
import { ItemError } from "../../ledger/exports/lines";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import { type Digest, ItemDigester, parseItem } from "./digest";
import type { Run } from "./run";
import { type RecordChange, type RecordSource, SourceError } from "./sources";

export interface DigestedChange {
  readonly now?: Digest;
  readonly before?: Digest;
  readonly change: RecordChange;
}

/** Whatever could not be read is a finding, once, in the first reading. */
export interface ReadingOptions {
  readonly reportFaults: boolean;
  readonly what: string;
}

/** @param take told each change; kept free of promises, because there are millions. */
export async function readSource(
  source: RecordSource,
  run: Run,
  { reportFaults, what }: ReadingOptions,
  take: (change: DigestedChange) => void,
): Promise<void> {
  const { findings } = run;
  const digester = new ItemDigester(source.table);
  let done = 0;
  try {
    for await (const batch of source.batches()) {
      run.goOn();
      for (const change of batch) {
        done += 1;
        const digested = change.fault === undefined ? digest(digester, change) : change.fault;
        if (typeof digested !== "string") take(digested);
        else if (reportFaults) findings.add(faultOf(change, source.table, done, digested));
      }
      run.progress(done, source.expected ?? 0, `${what} of ${source.table}`);
    }
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    if (reportFaults)
      findings.add({ verdict: "incomplete", code: error.code, table: source.table, message: error.message });
  }
}

/** In words why not, where it cannot be done. */
function digest(digester: ItemDigester, change: RecordChange): DigestedChange | string {
  try {
    return {
      change,
      ...(change.now === undefined ? {} : { now: digester.take(change.now) }),
      ...(change.before === undefined ? {} : { before: digester.take(change.before) }),
    };
  } catch (error) {
    if (error instanceof ItemError) return error.message;
    throw error;
  }
}

function faultOf(change: RecordChange, table: LogicalTableName, position: number, message: string) {
  return change.fault === undefined
    ? ({
        verdict: "altered",
        code: "BAD_RECORD",
        table,
        message: `Record ${position} of the source: ${message}`,
      } as const)
    : ({ verdict: "incomplete", code: "SOURCE_DAMAGED", table, message } as const);
}

/** The item that a change leaves, parsed. */
export function itemIn(form: ItemJson | string): ItemJson {
  return typeof form === "string" ? parseItem(form) : form;
}
