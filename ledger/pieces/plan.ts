/**
 * A check in pieces, on as many machines or functions as there are: for tables that are too large for one. The work comes in rounds. Each
 * round is one reading of what is checked; a piece is the same share of each of them, and leaves what it has read in a store. Who merges
 * runs the whole check, with these results in place of the readings: until one is missing (`PiecesLeft`), or to its verdict. So
 * the report is that of the whole, finding by finding.
 */

import { randomBytes } from "node:crypto";
import { CodedError } from "../../contract";

/** Keeps the plan and the results. What it gives back must be what was written: results decide the verdict. */
export interface PieceStore {
  /** Undefined when nothing is kept under this name. */
  read(name: string): Promise<Buffer | undefined>;
  write(name: string, bytes: Buffer): Promise<void>;
  /** Writes if nothing is kept under this name. Of several callers at once only one writes. @returns what is kept afterwards. */
  create(name: string, bytes: Buffer): Promise<Buffer>;
}

/** What all pieces and rounds of one check have in common. */
export interface PiecePlan {
  readonly format: 1;
  readonly pieces: number;
  /** The key of this check's sums: 32 random bytes in base64. */
  readonly runKey: string;
  /** The clock of the check, RFC 3339 in UTC. */
  readonly now: string;
  /** Says what is checked; a plan of another subject is refused. */
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

/** The plan, or what a piece has left, cannot be what this check needs; or a piece takes too long. */
export class PieceError extends CodedError<
  "OTHER_SUBJECT" | "OTHER_WORK" | "NO_PLAN" | "NO_SUCH_PIECE" | "PIECE_FORGED" | "OUT_OF_TIME"
> {
  override readonly name = "PieceError";
}

export const PIECES_MAX = 1000;
const PLAN = "plan.json";

/**
 * The plan in the store, or a new one in an empty store. Of several that begin at once all get the same plan: sums under different keys
 * cannot be added up.
 * @throws PieceError for a plan of something else.
 */
export async function openPlan(
  store: PieceStore,
  subject: string,
  { pieces, now }: { readonly pieces: number; readonly now: Date },
): Promise<PiecePlan> {
  const kept = await keptPlan(store, subject);
  if (kept !== undefined) return kept;
  const runKey = randomBytes(32).toString("base64");
  const plan: PiecePlan = { format: 1, pieces, runKey, now: now.toISOString(), subject };
  return ofSubject(planOf(await store.create(PLAN, Buffer.from(JSON.stringify(plan)))), subject);
}

/** Undefined where nothing was begun. @throws PieceError for a plan of something else. */
export async function keptPlan(store: PieceStore, subject: string): Promise<PiecePlan | undefined> {
  const plan = await planAt(store);
  return plan && ofSubject(plan, subject);
}

function ofSubject(plan: PiecePlan, subject: string): PiecePlan {
  if (plan.subject === subject) return plan;
  const message =
    "The pieces were begun with other evidence or other exports. Give the same ones, or begin in an empty folder.";
  throw new PieceError("OTHER_SUBJECT", message);
}

/** In how many pieces a check was begun; for callers that need it before they have the sources. @throws PieceError */
export async function plannedPieces(store: PieceStore): Promise<number> {
  const plan = await planAt(store);
  if (plan !== undefined) return plan.pieces;
  throw new PieceError("NO_PLAN", "No check in pieces was begun there.");
}

/** What pieces and merging share of one part of a run. */
export function partOf(store: PieceStore, part: string): PieceStore {
  const nameOf = (name: string) => `${part}/${name}`;
  return {
    read: (name) => store.read(nameOf(name)),
    write: (name, bytes) => store.write(nameOf(name), bytes),
    create: (name, bytes) => store.create(nameOf(name), bytes),
  };
}

async function planAt(store: PieceStore): Promise<PiecePlan | undefined> {
  const bytes = await store.read(PLAN);
  return bytes && planOf(bytes);
}

function planOf(bytes: Buffer): PiecePlan {
  return JSON.parse(bytes.toString("utf8")) as PiecePlan;
}
