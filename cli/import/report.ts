/** The folder of one import: how far it is, what came of the rows, and which were not recorded. It holds no value of any row. */

import { existsSync, mkdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { OutcomeCounts } from "../../ledger/rules/responses";
import { CommandError } from "../errors";
import type { Resume } from "./sources";

/** A row that was not recorded: its number, the code, the fields where they are known, and the payment where the ledger names it. */
export interface NotRecorded {
  readonly row: number;
  readonly outcome: "conflict" | "refused";
  readonly code: string;
  readonly field?: string;
  readonly TransactionID?: string;
}

/** `report.json`. */
export interface ImportState {
  readonly version: 1;
  readonly book: string;
  readonly source: string;
  readonly importedFrom: string;
  readonly finished: boolean;
  readonly counts: OutcomeCounts;
  /** How many rows were not recorded for each code. */
  readonly codes: Readonly<Record<string, number>>;
  /** Where to go on. */
  readonly done: Resume;
  /** Length of `not-recorded.ndjson` when this was written; what is behind it is of a chunk that was not finished. */
  readonly notRecordedBytes: number;
}

const NONE: OutcomeCounts = { stored: 0, duplicate: 0, conflict: 0, refused: 0 };

export class ImportReport {
  private constructor(
    private readonly folder: string,
    private state: ImportState,
  ) {}

  /**
   * Goes on where an unfinished import of the same source stopped; else begins anew.
   * @throws CommandError REPORT_OF_ANOTHER if the folder is that of another import.
   */
  static open(folder: string, what: Pick<ImportState, "book" | "source" | "importedFrom">): ImportReport {
    mkdirSync(folder, { recursive: true });
    const fresh: ImportState = {
      ...{ version: 1, ...what, finished: false, counts: NONE, codes: {} },
      ...{ done: { rows: 0 }, notRecordedBytes: 0 },
    };
    const file = join(folder, "report.json");
    const earlier = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as ImportState) : undefined;
    if (earlier === undefined || earlier.finished) return new ImportReport(folder, fresh).withFiles();
    if (earlier.book !== what.book || earlier.source !== what.source || earlier.importedFrom !== what.importedFrom) {
      throw new CommandError(
        "REPORT_OF_ANOTHER",
        `${folder} is the report of an unfinished import of another source, or the source has changed since. Give another folder with --report.`,
      );
    }
    return new ImportReport(folder, earlier).withFiles();
  }

  get current(): ImportState {
    return this.state;
  }

  get notRecordedFile(): string {
    return join(this.folder, "not-recorded.ndjson");
  }

  /** Notes a chunk that was sent as a whole. */
  add(counts: OutcomeCounts, notRecorded: readonly NotRecorded[], done: Resume): void {
    const text = notRecorded.map((each) => `${JSON.stringify(each)}\n`).join("");
    writeFileSync(this.notRecordedFile, text, { flag: "a" });
    const codes: Record<string, number> = { ...this.state.codes };
    for (const { code } of notRecorded) codes[code] = (codes[code] ?? 0) + 1;
    const { stored, duplicate, conflict, refused } = this.state.counts;
    this.save({
      ...this.state,
      done,
      codes,
      counts: {
        stored: stored + counts.stored,
        duplicate: duplicate + counts.duplicate,
        conflict: conflict + counts.conflict,
        refused: refused + counts.refused,
      },
      notRecordedBytes: this.state.notRecordedBytes + Buffer.byteLength(text),
    });
  }

  finish(): void {
    this.save({ ...this.state, finished: true });
  }

  private withFiles(): this {
    writeFileSync(this.notRecordedFile, "", { flag: "a" });
    truncateSync(this.notRecordedFile, this.state.notRecordedBytes);
    this.save(this.state);
    return this;
  }

  private save(state: ImportState): void {
    this.state = state;
    const file = join(this.folder, "report.json");
    writeFileSync(`${file}.part`, `${JSON.stringify(state, undefined, 2)}\n`);
    renameSync(`${file}.part`, file);
  }
}
