/** A comparison with the log in pieces: what all its calls go by. */

import { PieceError, type PieceStore } from "../../ledger/pieces/plan";
import { asOfHead, type EvidenceFolder, storedHead } from "../verifier/evidence";
import type { VerifiedCheckpoint } from "./verification";

const RUN = "run.json";

/** The moment at which it began, and the log as it was then. */
export interface LogRun {
  readonly now: Date;
  readonly seen: VerifiedCheckpoint | undefined;
  readonly evidence: EvidenceFolder;
}

interface StoredRun {
  readonly now: string;
  readonly seen: VerifiedCheckpoint | null;
  readonly head: { readonly checkpoint: string | null; readonly larger: readonly string[] };
}

/** The run in the store, or a new one in an empty store. Of several that begin at once all go by the same. */
export async function openRun(
  store: PieceStore,
  evidence: EvidenceFolder,
  begin: { readonly now: Date; readonly seen: () => Promise<VerifiedCheckpoint | undefined> },
): Promise<LogRun> {
  const stored = await store.read(RUN);
  if (stored !== undefined) return runOf(JSON.parse(stored.toString("utf8")) as StoredRun, evidence);
  const seen = await begin.seen();
  const { checkpoint, larger } = await storedHead(evidence);
  const run: StoredRun = {
    now: begin.now.toISOString(),
    seen: seen ?? null,
    head: { checkpoint: checkpoint?.toString("base64") ?? null, larger },
  };
  const kept = await store.create(RUN, Buffer.from(JSON.stringify(run)));
  return runOf(JSON.parse(kept.toString("utf8")) as StoredRun, evidence);
}

/** @throws PieceError for a run that nothing has begun. */
export async function begunRun(store: PieceStore, evidence: EvidenceFolder): Promise<LogRun> {
  const stored = await store.read(RUN);
  if (stored !== undefined) return runOf(JSON.parse(stored.toString("utf8")) as StoredRun, evidence);
  throw new PieceError("NO_PLAN", "No check in pieces of this name was begun. The state machine begins each one.");
}

function runOf({ now, seen, head }: StoredRun, evidence: EvidenceFolder): LogRun {
  const checkpoint = head.checkpoint === null ? undefined : Buffer.from(head.checkpoint, "base64");
  return {
    now: new Date(now),
    seen: seen ?? undefined,
    evidence: asOfHead(evidence, { checkpoint, larger: head.larger }),
  };
}
