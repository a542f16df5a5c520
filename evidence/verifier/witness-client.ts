/** Submits the checkpoint of an evidence folder to a witness of this process, with the proof that the folder's tiles give. */

import type { Checkpoint, ReadCheckpoint } from "../log/checkpoint";
import { checkSignatures, type VerifierKey } from "../log/note";
import type { EvidenceFolder } from "./evidence";
import { consistencyProof, tileReader } from "./merkle-tree";
import { addCheckpoint, type Cosigner, submissionBody, type WitnessState } from "./witness";

export interface Submission {
  readonly evidence: EvidenceFolder;
  readonly checkpoint: ReadCheckpoint;
  readonly state: WitnessState;
  readonly logKeys: readonly VerifierKey[];
  readonly cosigner: Cosigner;
  /** In milliseconds. */
  readonly now: number;
}

export type WitnessRefusal = "unknown-log" | "not-signed" | "bad-signature" | "went-back" | "forked" | "other";

export interface SubmittedCheckpoint {
  /** The witness's signature line; absent when it refused. */
  readonly cosignature?: string;
  readonly refusal?: WitnessRefusal;
  readonly reason?: string;
  /** How many entries the log had when the witness saw it last. */
  readonly seenBefore?: number;
}

/** Another process may cosign between the look into the memory and the change of it. */
const ATTEMPTS_MAX = 5;

export async function submit(submission: Submission): Promise<SubmittedCheckpoint> {
  const { evidence, checkpoint, state, logKeys, cosigner, now } = submission;
  const unsigned = signatureRefusal(checkpoint, logKeys);
  if (unsigned !== undefined) return unsigned;
  let reason = "";
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const seenBefore = (await state.latest(checkpoint.origin))?.size;
    if ((seenBefore ?? 0) > checkpoint.size) {
      return {
        refusal: "went-back",
        reason: `it saw the log with ${seenBefore} entries, and here are ${checkpoint.size}.`,
      };
    }
    const proof = await consistencyProof(tileReader(evidence, checkpoint.size), seenBefore ?? 0, checkpoint.size);
    const body = submissionBody(seenBefore ?? 0, proof, checkpoint.bytes);
    const answer = await addCheckpoint(body, state, logKeys, cosigner, now);
    const seen = seenBefore === undefined ? {} : { seenBefore };
    if (answer.status === 200) return { cosignature: answer.body, ...seen };
    reason = answer.body.trim();
    if (answer.status === 422) return { refusal: "forked", reason, ...seen };
    if (answer.status !== 409) break;
  }
  return { refusal: "other", reason };
}

function signatureRefusal(
  { origin, note }: Checkpoint,
  logKeys: readonly VerifierKey[],
): SubmittedCheckpoint | undefined {
  const keys = logKeys.filter(({ name }) => name === origin);
  if (keys.length === 0) return { refusal: "unknown-log", reason: `it knows no log ${origin}; its keys name others.` };
  const { good, bad } = checkSignatures(note, keys);
  if (bad.length > 0) return { refusal: "bad-signature", reason: "a signature under the log's key is not that key's." };
  return good.length > 0
    ? undefined
    : { refusal: "not-signed", reason: "no key that it trusts signed the checkpoint." };
}
