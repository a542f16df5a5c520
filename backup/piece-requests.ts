/**
 * What the state machine of a check sends to the function of the check (`stacks/constructs/piece-machine.ts`), and what that answers: it
 * is called to merge, then once for each piece that is left, and so on until the merging has a report.
 */

import type { S3Client } from "@aws-sdk/client-s3";
import * as z from "zod";
import { PIECES_MAX, PieceError, PiecesLeft } from "../ledger/pieces/plan";

/** A deployment whose checks run in pieces: into how many, and where these leave what they have read. */
export interface PiecesSetting {
  readonly count: number;
  readonly s3: S3Client;
  readonly bucket: string;
  /** ARN of the key under which it is put. */
  readonly keyArn: string;
  readonly prefix: string;
}

const run = z.string().regex(/^[A-Za-z0-9_-]{1,80}$/);
const pieceRequest = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("merge"), run }),
  z.strictObject({
    kind: z.literal("piece"),
    run,
    part: z.string().regex(/^[A-Za-z0-9:._-]{1,80}$/),
    piece: z
      .int()
      .min(0)
      .max(PIECES_MAX - 1),
  }),
]);

type PieceRequest = z.infer<typeof pieceRequest>;
export type MergeRequest = Extract<PieceRequest, { readonly kind: "merge" }>;
export type OnePieceRequest = Extract<PieceRequest, { readonly kind: "piece" }>;

/** Undefined for every other event. */
export function pieceRequestOf(event: unknown): PieceRequest | undefined {
  return pieceRequest.safeParse(event).data;
}

/** A merging that still needs pieces: the state machine has them read, and calls it again. */
export interface PiecesWanted {
  readonly outcome: "pieces-left";
  readonly run: string;
  /** Of the run: a check may look at its tables more than once. */
  readonly part: string;
  /** From 0. */
  readonly round: number;
  readonly pieces: readonly number[];
}

export interface PieceRead {
  readonly outcome: "piece-read";
  readonly piece: number;
}

/** @param part called when pieces are left: the part of the run that needs them. */
export async function mergedOr<Report>(
  { run: name }: MergeRequest,
  part: () => string,
  merge: () => Promise<Report>,
): Promise<Report | PiecesWanted> {
  try {
    return await merge();
  } catch (error) {
    if (!(error instanceof PiecesLeft)) throw error;
    return { outcome: "pieces-left", run: name, part: part(), round: error.round, pieces: error.left };
  }
}

/** Kept for what a piece has read. */
const RESERVED_MS = 20_000;

/** @returns what a piece calls often. It throws when the function's time is nearly over: the piece is then read anew. */
export function pieceDeadline({ remainingMs }: { readonly remainingMs: () => number }): () => void {
  return () => {
    if (remainingMs() >= RESERVED_MS) return;
    const message = "A piece takes longer than a function runs. Raise checkPieces in stacks/config/environments.ts.";
    throw new PieceError("OUT_OF_TIME", message);
  };
}
