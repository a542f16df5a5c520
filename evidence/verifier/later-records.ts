/**
 * Whether a source holds records that were written after the moment at which it says it was taken. Nothing signs that
 * moment: said too early, it would excuse the absence of all records that were written since.
 */

import type { Digest } from "./digest";
import type { Findings } from "./findings";
import { type RecordSource, timeOf } from "./sources";

/** An export holds nothing later; the clocks of DynamoDB and of a function may differ by this. */
const CLOCKS_MS = 60 * 1000;

const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T/;

/** What one thread has counted of them. */
export interface LaterState {
  readonly count: number;
  readonly last: string;
}

export class LaterRecords {
  private readonly from: string;
  private readonly limit: string;
  private count = 0;
  private last = "";

  constructor(
    private readonly source: Pick<RecordSource, "table" | "name" | "takenAt" | "lastsMs">,
    settleMs: number,
  ) {
    const takenMs = timeOf(source);
    this.from = new Date(takenMs).toISOString();
    this.limit = new Date(takenMs + Math.max(settleMs, (source.lastsMs ?? 0) + CLOCKS_MS)).toISOString();
  }

  take({ writtenAt }: Digest): void {
    // RFC 3339 in UTC, as the ledger writes it, sorts by time.
    if (writtenAt <= this.from || !TIME.test(writtenAt)) return;
    this.count += 1;
    if (writtenAt > this.last) this.last = writtenAt;
  }

  get state(): LaterState {
    return { count: this.count, last: this.last };
  }

  addAll({ count, last }: LaterState): void {
    this.count += count;
    if (last > this.last) this.last = last;
  }

  report(findings: Findings): void {
    if (this.count === 0) return;
    const { table, takenAt } = this.source;
    const said = `It says it was taken at ${takenAt}, and ${this.count} of its records were written later, the last at ${this.last}.`;
    if (this.last <= this.limit) {
      findings.note(`${table}: ${said} Other records of that time need not be in it.`);
      return;
    }
    const message = `${said} What else was written since may be missing unnoticed.`;
    findings.add({ verdict: "incomplete", code: "SOURCE_NEWER_THAN_SAID", table, message });
  }
}
