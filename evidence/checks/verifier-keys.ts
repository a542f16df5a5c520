/**
 * The verifier keys under which a sweep or a drill accepts checkpoints: asked of KMS, by the ARNs that the
 * deployment names. Those in the evidence pin nothing: who can forge a checkpoint there can put its key there too.
 */

import type { KMSClient } from "@aws-sdk/client-kms";
import { checkpointSigners } from "../sealing/signers";

/** @param name of the keys: the log's origin. Keys that sign no more belong among them for as long as their checkpoints lie in the evidence. */
export function verifierKeysOf(
  kms: KMSClient,
  keyArns: readonly string[],
  name: string,
): () => Promise<readonly string[]> {
  const signers = checkpointSigners(kms, keyArns, name);
  return async () => (await signers()).map(({ verifierKey }) => verifierKey);
}
