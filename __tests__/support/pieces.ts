/** A verification in pieces, from its first round to its verdict, as people or a state machine would drive it. */

import { readPiece } from "../../evidence/verifier/piece-reader";
import { planIn } from "../../evidence/verifier/pieces";
import type { VerificationReport } from "../../evidence/verifier/report";
import { type VerifyOptions, verifyLog } from "../../evidence/verifier/verify";
import { type PieceStore, PiecesLeft } from "../../ledger/pieces/plan";

export interface MemoryStore extends PieceStore {
  readonly kept: Map<string, Buffer>;
}

export function memoryStore(): MemoryStore {
  const kept = new Map<string, Buffer>();
  return {
    kept,
    read: async (name) => kept.get(name),
    write: async (name, bytes) => {
      kept.set(name, Buffer.from(bytes));
    },
    create: async (name, bytes) => {
      const before = kept.get(name);
      if (before !== undefined) return before;
      kept.set(name, Buffer.from(bytes));
      return bytes;
    },
  };
}

/** More rounds than any of the tests' worlds needs. */
const ROUNDS_MAX = 60;

/** @param onFinding called with the findings of the last merging alone. */
export async function verifyInPieces(
  { onFinding, ...options }: VerifyOptions,
  pieces: number,
  store: PieceStore = memoryStore(),
): Promise<VerificationReport> {
  const plan = await planIn(store, options, { pieces, now: options.now ?? new Date() });
  for (let round = 0; round < ROUNDS_MAX; round++) {
    let found: Parameters<NonNullable<VerifyOptions["onFinding"]>>[] = [];
    try {
      const report = await verifyLog({
        ...options,
        pieces: { store, plan },
        ...(onFinding === undefined ? {} : { onFinding: (...finding) => found.push(finding) }),
      });
      for (const finding of found) onFinding?.(...finding);
      return report;
    } catch (error) {
      if (!(error instanceof PiecesLeft)) throw error;
      found = [];
      // In any order: each is read apart from the others.
      for (const piece of error.left.toReversed()) await readPiece({ ...options, store, piece });
    }
  }
  throw new Error(`The verification has not ended in ${ROUNDS_MAX} rounds.`);
}
