/** Puts files of the evidence, several at the same time. One that is there already must have the same bytes. */

import { logForked } from "./errors";
import type { EvidenceBucket, EvidenceFile } from "./evidence-bucket";

export const PARALLEL_PUTS = 16;

/** @throws SealingError LOG_FORKED where a file is there with other bytes. */
export async function putAll(files: readonly EvidenceFile[], evidence: EvidenceBucket): Promise<void> {
  for (let start = 0; start < files.length; start += PARALLEL_PUTS) {
    await Promise.all(files.slice(start, start + PARALLEL_PUTS).map((file) => putEqual(file, evidence)));
  }
}

async function putEqual(file: EvidenceFile, evidence: EvidenceBucket): Promise<void> {
  const standing = await evidence.putOnce(file);
  if (standing === undefined || standing.equals(file.bytes)) return;
  throw logForked(`${file.path} of the evidence has other bytes than the committed entries give`);
}
