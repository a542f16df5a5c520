/** Readings of the sources: every record of every one, as its digest. */

import type { LogicalTableName } from "../../contract";
import { ItemError } from "../../ledger/exports/lines";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import { type Digest, ItemDigester, parseItem } from "./digest";
import type { Finding } from "./report";
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
  const onFault = (fault: ChangeFault) => {
    if (reportFaults) findings.add(faultFinding(fault, source.table));
  };
  const onBatch = (done: number) => {
    run.checkDeadline();
    run.progress(done, source.expected ?? 0, `${what} of ${source.table}`);
  };
  try {
    await digestChanges(source.batches(), source.table, { take, onFault, onBatch });
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    if (reportFaults)
      findings.add({ verdict: "incomplete", code: error.code, table: source.table, message: error.message });
  }
}

/** A change that could not be digested. */
export interface ChangeFault {
  /** Which change it is, from 1. */
  readonly position: number;
  readonly message: string;
  /** The source says itself that something could not be read here. */
  readonly isOfSource: boolean;
}

export interface ChangeReader {
  readonly take: (change: DigestedChange) => void;
  readonly onFault: (fault: ChangeFault) => void;
  /** Called after each batch with the number of changes so far. */
  readonly onBatch?: (done: number) => void;
}

/** @returns the number of changes. */
export async function digestChanges(
  batches: AsyncIterable<readonly RecordChange[]>,
  table: LogicalTableName,
  { take, onFault, onBatch }: ChangeReader,
): Promise<number> {
  const digester = new ItemDigester(table);
  let position = 0;
  for await (const batch of batches) {
    for (const change of batch) {
      position += 1;
      const digested = change.fault === undefined ? digest(digester, change) : change.fault;
      if (typeof digested !== "string") take(digested);
      else onFault({ position, message: digested, isOfSource: change.fault !== undefined });
    }
    onBatch?.(position);
  }
  return position;
}

/** In words why not, where it cannot be done. */
function digest(digester: ItemDigester, change: RecordChange): DigestedChange | string {
  try {
    const { now, before } = change;
    // Written out for the only form that a full export has; there are millions.
    if (now !== undefined && before === undefined) return { change, now: digester.take(now) };
    return {
      change,
      ...(now === undefined ? {} : { now: digester.take(now) }),
      ...(before === undefined ? {} : { before: digester.take(before) }),
    };
  } catch (error) {
    if (error instanceof ItemError) return error.message;
    throw error;
  }
}

export function faultFinding({ position, message, isOfSource }: ChangeFault, table: LogicalTableName): Finding {
  if (isOfSource) return { verdict: "incomplete", code: "SOURCE_DAMAGED", table, message };
  return { verdict: "altered", code: "BAD_RECORD", table, message: `Record ${position} of the source: ${message}` };
}

/** The item that a change leaves, parsed. */
export function itemIn(form: ItemJson | string): ItemJson {
  return typeof form === "string" ? parseItem(form) : form;
}
