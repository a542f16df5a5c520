/**
 * A verification in pieces, on as many machines or functions as there are: for a ledger that is too large for one. The work
 * comes in rounds. Each round is one reading of the log or of the records; a piece is the same share of each of them, and
 * leaves what it has read in a store. Who merges runs the whole verification, with these results in place of the readings: until
 * one is missing (`PiecesLeft`), or to its verdict. So the report is that of the whole, finding by finding.
 */

import { hash, randomBytes } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { CodedError } from "../../contract";
import { canonicalJson } from "../../ledger/rules/canonical-json";
import { CHECKPOINT_PATH } from "../log/paths";
import type { EvidenceFolder } from "./evidence";
import type { BlockRange, EntryFilter, LogChunk, LogReading, WantedEntry } from "./log-block";
import {
  type LogSums,
  linesIn,
  type PackedSums,
  packed,
  type ReadingRound,
  resultName,
  type Stream,
  unpackedBitSet,
  unpackedSums,
  unpackedTally,
  workName,
} from "./piece-results";
import type { PartResult, ReaderSums, Readings, RecordReading, SharedReading } from "./readings";
import type { DigestedChange } from "./record-pass";
import type { RecordTally } from "./record-tally";
import type { Finding } from "./report";
import type { RecordSource } from "./sources";

/** Keeps the plan and the results. What it gives back must be what was written: results decide the verdict. */
export interface PieceStore {
  /** Undefined when nothing is kept under this name. */
  read(name: string): Promise<Buffer | undefined>;
  write(name: string, bytes: Buffer): Promise<void>;
}

/** What all pieces and rounds of one verification have in common. */
export interface PiecePlan {
  readonly format: 1;
  readonly pieces: number;
  /** The key of this verification's sums: 32 random bytes in base64. */
  readonly runKey: string;
  /** The clock of the verification, RFC 3339 in UTC. */
  readonly now: string;
  /** SHA-256 in base64 of what is verified: the checkpoint and the sources. */
  readonly subject: string;
}

export interface PieceWork {
  readonly store: PieceStore;
  readonly plan: PiecePlan;
}

/** Some pieces of a round are still to be read. */
export class PiecesLeft extends CodedError<"PIECES_LEFT"> {
  override readonly name = "PiecesLeft";

  constructor(
    /** From 0. */
    readonly round: number,
    /** Numbers of the pieces, from 0. */
    readonly left: readonly number[],
  ) {
    super("PIECES_LEFT", `Round ${round + 1}: ${left.length} pieces are still to be read.`);
  }
}

/** The plan, or a piece's part of it, cannot be what this verification needs. */
export class PieceError extends CodedError<"OTHER_SUBJECT" | "NO_PLAN" | "NO_SUCH_PIECE"> {
  override readonly name = "PieceError";
}

export interface PieceSubject {
  readonly evidence: EvidenceFolder;
  readonly sources: readonly RecordSource[];
}

export const PIECES_MAX = 1000;
const PLAN = "plan.json";

/** The plan in the store, or a new one in an empty store. @throws PieceError for a plan of something else. */
export async function planIn(
  store: PieceStore,
  subject: PieceSubject,
  wanted: { readonly pieces: number; readonly now: Date },
): Promise<PiecePlan> {
  const stored = await storedPlan(store, subject);
  if (stored !== undefined) return stored;
  const runKey = randomBytes(32).toString("base64");
  const { pieces, now } = wanted;
  const plan: PiecePlan = {
    format: 1,
    pieces,
    runKey,
    now: now.toISOString(),
    subject: await subjectHash(subject),
  };
  await store.write(PLAN, Buffer.from(JSON.stringify(plan)));
  return plan;
}

/** Undefined where nothing was begun. @throws PieceError for a plan of something else. */
export async function storedPlan(store: PieceStore, subject: PieceSubject): Promise<PiecePlan | undefined> {
  const bytes = await store.read(PLAN);
  if (bytes === undefined) return undefined;
  const plan = JSON.parse(bytes.toString("utf8")) as PiecePlan;
  if (plan.subject === (await subjectHash(subject))) return plan;
  const message =
    "The pieces were begun with other evidence or other exports. Give the same ones, or begin in an empty folder.";
  throw new PieceError("OTHER_SUBJECT", message);
}

/** In how many pieces a verification was begun; for callers that need it before they have the sources. @throws PieceError */
export async function plannedPieces(store: PieceStore): Promise<number> {
  const bytes = await store.read(PLAN);
  if (bytes !== undefined) return (JSON.parse(bytes.toString("utf8")) as PiecePlan).pieces;
  throw new PieceError("NO_PLAN", "No verification in pieces was begun there.");
}

async function subjectHash({ evidence, sources }: PieceSubject): Promise<string> {
  const checkpoint = (await evidence.read(CHECKPOINT_PATH))?.toString("base64") ?? "";
  const described = sources.map(({ table, takenAt, parts = [], segments = [] }) => [
    table,
    takenAt,
    parts.map(({ file }) => [file.path, file.md5, file.itemCount]),
    segments.length,
  ]);
  return hash("sha256", canonicalJson([checkpoint, described]), "base64");
}

/** Merges a verification that was done in pieces: what they have read takes the place of readings. */
export class PiecedReadings implements Readings {
  private rounds = 0;
  /** They were read in the same round as the log. */
  readonly shared: SharedReading = {
    finish: async () => {
      const sums: ReaderSums[] = [];
      for await (const each of this.each<PackedSums>(0, "record-sums")) sums.push(unpackedSums(each));
      return sums;
    },
    resultsOf: async ({ table }) => {
      const parts: PartResult[] = [];
      for await (const each of this.stream<PartResult>(0, table)) parts.push(each);
      return parts;
    },
  };

  constructor(private readonly work: PieceWork) {}

  async *log(log: LogReading, tally: RecordTally): AsyncGenerator<LogChunk> {
    const round = await this.resultsOf({ kind: "first", log });
    yield* this.stream<LogChunk>(round, "log");
    for await (const { leaves, histories } of this.each<LogSums>(round, "log-sums")) {
      tally.leaves.addAll(unpackedTally(leaves));
      tally.histories.addAll(unpackedBitSet(histories).state);
    }
  }

  async *statements({ size, blockHeight }: BlockRange): AsyncGenerator<Finding> {
    const round = await this.resultsOf({ kind: "statements", log: { size, blockHeight } });
    yield* this.stream<Finding>(round, "log");
  }

  async *entriesAgain({ size, blockHeight }: BlockRange, filter: EntryFilter): AsyncGenerator<WantedEntry> {
    const round = await this.resultsOf({ kind: "entries", log: { size, blockHeight }, filter });
    yield* this.stream<WantedEntry>(round, "log");
  }

  async recordsAgain(
    { sources, filter }: RecordReading,
    take: (source: RecordSource, change: DigestedChange) => void,
  ): Promise<void> {
    const round = await this.resultsOf({ kind: "records", tables: sources.map(({ table }) => table), filter });
    for (const source of sources) {
      for await (const change of this.stream<DigestedChange>(round, source.table)) take(source, change);
    }
  }

  stop(): void {}

  /** @throws PiecesLeft unless every piece of it was read. */
  private async resultsOf(work: ReadingRound): Promise<number> {
    const { store, plan } = this.work;
    const round = this.rounds;
    this.rounds += 1;
    if ((await store.read(workName(round))) === undefined) await store.write(workName(round), packed(work));
    const left: number[] = [];
    for (let piece = 0; piece < plan.pieces; piece++) {
      if ((await store.read(resultName(round, piece, "done"))) === undefined) left.push(piece);
    }
    if (left.length > 0) throw new PiecesLeft(round, left);
    return round;
  }

  private async *stream<T>(round: number, stream: Stream): AsyncGenerator<T> {
    for (let piece = 0; piece < this.work.plan.pieces; piece++) {
      for await (const line of linesIn(await this.result(round, piece, stream))) yield JSON.parse(line) as T;
    }
  }

  private async *each<T>(round: number, what: "log-sums" | "record-sums"): AsyncGenerator<T> {
    for (let piece = 0; piece < this.work.plan.pieces; piece++) {
      yield JSON.parse(gunzipSync(await this.result(round, piece, what)).toString("utf8")) as T;
    }
  }

  private async result(round: number, piece: number, what: Stream | "log-sums" | "record-sums"): Promise<Buffer> {
    const name = resultName(round, piece, what);
    const bytes = await this.work.store.read(name);
    if (bytes === undefined) throw new Error(`${name} was there, and is not any more.`);
    return bytes;
  }
}
