/**
 * The checkpoints that sweeps have verified, as objects of the evidence bucket beside those of the log. Nobody can put them
 * back to an earlier state: so a log-state table that is put back, with what the sweep remembers in it, hides nothing.
 */

import { SWEPT_PREFIX } from "../../contract";
import { sweptPath } from "../log/paths";
import type { EvidenceBucket } from "../sealing/evidence-bucket";
import type { EvidenceFolder } from "../verifier/evidence";
import type { CheckpointMemory } from "./checkpoint-memory";
import type { VerifiedCheckpoint } from "./verification";

/** The largest one; undefined before the first. */
export async function sweptCheckpoint(evidence: EvidenceFolder): Promise<VerifiedCheckpoint | undefined> {
  let size = -1;
  for await (const path of evidence.list(SWEPT_PREFIX)) {
    const [, digits] = /^sweeps\/([0-9]{16})$/.exec(path) ?? [];
    size = Math.max(size, digits === undefined ? -1 : Number(digits));
  }
  const text = size < 0 ? undefined : await evidence.read(sweptPath(size));
  return text && { size, text: text.toString("utf8") };
}

/** What the sweep remembers, in its table and beside the evidence: of the two the larger tree counts. */
export function memoryBeside(
  table: CheckpointMemory,
  evidence: EvidenceFolder,
  bucket: Pick<EvidenceBucket, "putOnce">,
): CheckpointMemory {
  return {
    load: async () => largerOf(await table.load(), await sweptCheckpoint(evidence)),
    save: async (checkpoint, now) => {
      // One that is there already says the same: both were verified.
      await bucket.putOnce({ path: sweptPath(checkpoint.size), bytes: Buffer.from(checkpoint.text) });
      await table.save(checkpoint, now);
    },
  };
}

export function largerOf(
  a: VerifiedCheckpoint | undefined,
  b: VerifiedCheckpoint | undefined,
): VerifiedCheckpoint | undefined {
  return a === undefined || (b !== undefined && b.size > a.size) ? b : a;
}
