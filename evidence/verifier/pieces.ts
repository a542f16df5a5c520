/**
 * A verification in pieces, on as many machines or functions as there are: for a ledger that is too large for one. The work
 * comes in rounds. Each round is one reading of the log or of the records; a piece is the same share of each of them, and
 * leaves what it has read in a store. Who merges runs the whole verification, with these results in place of the readings: until
 * one is missing (`PiecesLeft`), or to its verdict. So the report is that of the whole, finding by finding.
 */

import { hash, randomBytes } from "node:crypto";
import { CodedError } from "../../contract";
import { canonicalJson } from "../../ledger/rules/canonical-json";
import { CHECKPOINT_PATH } from "../log/paths";
import type { EvidenceFolder } from "./evidence";
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
