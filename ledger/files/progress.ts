/** How far a payment file has come: counted in memory, reported in the bucket, and carried to the next run of a long file. */

import { createHash } from "node:crypto";
import * as z from "zod";
import { FILE_PREFIXES } from "../../contract";
import type { RefusalCode } from "../rules/refusals";
import type { FileVersion, PaymentFiles } from "./payment-files";

/** Keys hold at most 1,024 bytes, and a report's key is longer than its file's. */
const REPORTED_KEY_BYTES_MAX = 800;

/** Each hop is a whole run of the function; a file that needs more is no file for this way in. */
export const HOPS_MAX = 20;
/** Lines of one report part; memory never holds more bad rows than this. */
const REPORT_PART_LINES = 10_000;

const count = z.int().min(0);
const counts = { stored: count, duplicate: count, conflict: count, refused: count };
const progressSchema = z.strictObject({
  schemaVersion: z.literal(1),
  key: z.string(),
  versionId: z.string().optional(),
  /** Who AWS says put the file there; the runs that go on are started by the processor itself. */
  principal: z.string().optional(),
  /** The request that began to process the file; S3 may send an event twice, and then two of them do. */
  request: z.string(),
  /** The file's checksums were verified, of the content that S3 calls by this ETag. */
  verified: z.strictObject({ etag: z.string().optional() }).optional(),
  hop: count,
  rows: count,
  counts: z.strictObject(counts),
  /** Of the rows that are facts about payments, which are in `counts` too; absent where the file has none so far. */
  facts: z.exactOptional(z.strictObject({ ...counts, breached: count })),
  reportParts: count,
  cardDataRows: count,
  /** Rows that leave a record beside the payment's own, by its result; absent in a continuation of an earlier release. */
  attempts: z.record(z.string(), count).default({}),
});
type State = z.infer<typeof progressSchema>;

export type RowCounts = State["counts"];
export type FactCounts = NonNullable<State["facts"]>;

export interface BadRow {
  readonly row: number;
  /** `duplicate`: its id was in an earlier row of the same file. */
  readonly outcome: "conflict" | "duplicate" | "refused";
  readonly code: RefusalCode | "DUPLICATE";
  readonly field?: string;
  /** The payment, of a row whose id can be read and is harmless. */
  readonly transactionId?: string;
  /** Of a fact about a payment, in the same case. */
  readonly eventId?: string;
}

/** What became of rows that follow each other. */
export interface DoneRows {
  readonly rows: number;
  readonly counts: Readonly<RowCounts>;
  /** Absent where none of the rows is a fact. */
  readonly facts?: Readonly<FactCounts> | undefined;
  readonly badRows: readonly BadRow[];
  readonly cardDataRows: number;
}

/** The report about a file, as it is written beside its parts. */
export interface FileReport {
  readonly key: string;
  readonly versionId?: string;
  /** The request that processed the file. */
  readonly request: string;
  readonly rows: number;
  readonly counts: RowCounts;
  /** Facts about payments among the rows, which `counts` counts too; `breached`: recorded, and a rule was broken. */
  readonly facts?: FactCounts;
  readonly cardDataRows: number;
  /** The file held card data and was removed. */
  readonly removed: boolean;
  /** Objects that list the bad rows, one JSON object a line. */
  readonly badRows: readonly string[];
}

const CONTINUATION_KEY = new RegExp(`^${FILE_PREFIXES.continuations}[0-9a-f]{64}/[0-9]{1,2}\\.json$`);

/**
 * Whether the key has the form of those that `continueLater` makes. Such a key is not searched for card numbers: the digits of
 * one hash in two thousand look like one.
 */
export const isContinuationKey = (key: string): boolean => CONTINUATION_KEY.test(key);

export class FileProgress {
  private readonly badRows: BadRow[] = [];

  private constructor(
    private readonly files: PaymentFiles,
    private readonly state: State,
  ) {}

  static start(
    files: PaymentFiles,
    { key, versionId }: FileVersion,
    request: string,
    principal?: string,
  ): FileProgress {
    return new FileProgress(files, {
      schemaVersion: 1,
      key,
      ...(versionId === undefined ? {} : { versionId }),
      ...(principal === undefined ? {} : { principal }),
      request,
      hop: 0,
      rows: 0,
      counts: { stored: 0, duplicate: 0, conflict: 0, refused: 0 },
      reportParts: 0,
      cardDataRows: 0,
      attempts: {},
    });
  }

  /** @throws Error when the object is no continuation of ours: nobody else writes under that prefix. */
  static async resume(files: PaymentFiles, continuationKey: string): Promise<FileProgress> {
    const parsed = progressSchema.safeParse(JSON.parse(await files.readText(continuationKey)));
    if (!parsed.success) throw new Error("The continuation object has an unknown form.");
    return new FileProgress(files, parsed.data);
  }

  get file(): FileVersion {
    const { key, versionId } = this.state;
    return versionId === undefined ? { key } : { key, versionId };
  }

  get principal(): string | undefined {
    return this.state.principal;
  }

  /** Rows that are done; the next run begins behind them. */
  get rows(): number {
    return this.state.rows;
  }

  get counts(): Readonly<RowCounts> {
    return this.state.counts;
  }

  get cardDataRows(): number {
    return this.state.cardDataRows;
  }

  get attempts(): Readonly<State["attempts"]> {
    return this.state.attempts;
  }

  /** @returns how many rows with this result the file had so far, with this one. */
  countAttempt(result: string): number {
    const rows = (this.state.attempts[result] ?? 0) + 1;
    this.state.attempts[result] = rows;
    return rows;
  }

  /** The request that began to process the file. */
  get request(): string {
    return this.state.request;
  }

  /** The ETag is absent where S3 named none. Undefined until the file was verified. */
  get verified(): { readonly etag?: string | undefined } | undefined {
    return this.state.verified;
  }

  markVerified(etag: string | undefined): void {
    this.state.verified = etag === undefined ? {} : { etag };
  }

  /** The first report about this version of the file. */
  get summaryKey(): string {
    return `${this.reportPrefix}/summary.json`;
  }

  /** The finished report; it may be another request's. */
  async finishedReport(): Promise<FileReport | undefined> {
    const text = await this.files.readTextIfThere(this.summaryKey);
    return text === undefined ? undefined : (JSON.parse(text) as FileReport);
  }

  /** Whether the report is this request's, which an earlier try has written. */
  isOwn(report: FileReport): boolean {
    return report.request === this.state.request;
  }

  /** Adds a finished batch. Batches are added in the order of the file. */
  async add({ rows, counts, facts, badRows, cardDataRows }: DoneRows): Promise<void> {
    this.state.rows += rows;
    this.state.cardDataRows += cardDataRows;
    addTo(this.state.counts, counts);
    if (facts !== undefined) {
      this.state.facts ??= { stored: 0, duplicate: 0, conflict: 0, refused: 0, breached: 0 };
      addTo(this.state.facts, facts);
    }
    this.badRows.push(...badRows);
    if (this.badRows.length >= REPORT_PART_LINES) await this.flush();
  }

  /** Puts the mark from which the next run goes on; putting it starts that run. */
  async continueLater(): Promise<void> {
    if (this.state.hop >= HOPS_MAX) {
      throw new Error(
        `The file needs more than ${HOPS_MAX} runs. Split it; rows already recorded answer as duplicates.`,
      );
    }
    await this.flush();
    const digest = createHash("sha256")
      .update(JSON.stringify([this.state.key, this.state.versionId ?? "", this.state.request]))
      .digest("hex");
    const next = { ...this.state, hop: this.state.hop + 1 };
    await this.files.writeText(
      `${FILE_PREFIXES.continuations}${digest}/${next.hop}.json`,
      JSON.stringify(next),
      "application/json",
    );
  }

  /** Writes the report. One that is there stays as it is: then this one is written into the request's own folder. */
  async report(removed: boolean): Promise<void> {
    await this.flush();
    const { key, versionId, request, rows, counts, facts, cardDataRows, reportParts } = this.state;
    const report: FileReport = {
      key,
      ...(versionId === undefined ? {} : { versionId }),
      request,
      rows,
      counts,
      ...(facts === undefined ? {} : { facts }),
      cardDataRows,
      removed,
      badRows: Array.from({ length: reportParts }, (_, index) => this.partKey(index + 1)),
    };
    const text = JSON.stringify(report, null, 2);
    if (await this.files.writeTextOnce(this.summaryKey, text)) return;
    await this.files.writeText(`${this.requestPrefix}/summary.json`, text, "application/json");
  }

  private async flush(): Promise<void> {
    if (this.badRows.length === 0) return;
    this.state.reportParts += 1;
    const lines = this.badRows.splice(0).map((row) => JSON.stringify(row));
    await this.files.writeText(this.partKey(this.state.reportParts), `${lines.join("\n")}\n`, "application/x-ndjson");
  }

  private partKey(part: number): string {
    return `${this.requestPrefix}/bad-rows-${String(part).padStart(5, "0")}.ndjson`;
  }

  private get requestPrefix(): string {
    return `${this.reportPrefix}/${this.state.request}`;
  }

  private get reportPrefix(): string {
    const { key, versionId = "unversioned" } = this.state;
    const name = Buffer.byteLength(key) <= REPORTED_KEY_BYTES_MAX ? key : digestOf(key);
    return `${FILE_PREFIXES.reports}${name}/${versionId}`;
  }
}

function addTo<Name extends string>(sums: Record<Name, number>, added: Readonly<Record<Name, number>>): void {
  for (const name of Object.keys(added) as Name[]) sums[name] += added[name];
}

/** Names a file in records where its key must not be: a key is whatever its sender chose. */
export function digestOf(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
