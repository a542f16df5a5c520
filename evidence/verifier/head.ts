/** The checkpoint that is verified: by which pinned keys it is signed, and the cosignatures on it. */

import { type Checkpoint, parseOwnCheckpoint } from "../log/checkpoint";
import {
  checkSignatures,
  isSignedBy,
  type Note,
  type NoteSignature,
  parseSignatureLine,
  type VerifierKey,
} from "../log/note";
import { CHECKPOINT_PATH, cosignaturePath } from "../log/paths";
import type { Finding } from "./report";
import type { Run } from "./run";

export interface SignedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly signers: readonly VerifierKey[];
}

/** Undefined, with findings, when nothing of the log may be believed. */
export async function signedHead(run: Run): Promise<SignedCheckpoint | undefined> {
  const bytes = await run.evidence.read(CHECKPOINT_PATH);
  if (bytes === undefined) {
    const message = `There is no checkpoint in ${run.evidence.name}. Fetch the evidence again.`;
    run.findings.add({ verdict: "incomplete", code: "NO_CHECKPOINT", message });
    return undefined;
  }
  return signedCheckpoint(bytes, "The checkpoint", run, "BAD_CHECKPOINT");
}

/** @param what how messages name it. @param trusted keys that may sign it. */
export function signedCheckpoint(
  bytes: Uint8Array,
  what: string,
  run: Run,
  badCode: "BAD_CHECKPOINT" | "BAD_LAST_CHECKPOINT",
  trusted: readonly VerifierKey[] = run.keys,
): SignedCheckpoint | undefined {
  const checkpoint = parseOwnCheckpoint(bytes);
  if (typeof checkpoint === "string") {
    run.findings.add({ verdict: "altered", code: badCode, message: `${what}: ${checkpoint}` });
    return undefined;
  }
  const { good: made, bad } = checkSignatures(checkpoint.note, [...run.keys, ...run.retiredKeys]);
  const good = made.filter((key) => trusted.includes(key));
  if (good.length === 0 && made.length > 0) {
    const message = `${what} is signed by ${named(made)} alone, which is retired and vouches for earlier checkpoints only.`;
    run.findings.add({ verdict: "wrong-key", code: "RETIRED_KEY", message });
    return undefined;
  }
  const fault = signatureFault(checkpoint, good, bad, what);
  if (fault === undefined) return { checkpoint, signers: good };
  run.findings.add(fault);
  return undefined;
}

function signatureFault(
  { origin }: Checkpoint,
  good: readonly VerifierKey[],
  bad: readonly VerifierKey[],
  what: string,
): Finding | undefined {
  if (bad.length > 0) {
    const message = `${what} bears a signature of ${named(bad)} that this key did not make.`;
    return { verdict: "bad-signature", code: "BAD_SIGNATURE", message };
  }
  if (good.length === 0) {
    const message = `${what} is signed by none of the keys that were given. Give the key of this log, from where it was handed over.`;
    return { verdict: "wrong-key", code: "WRONG_KEY", message };
  }
  if (good.some(({ name }) => name !== origin)) {
    const message = `${what} is that of another log than the one that ${named(good)} is the key of.`;
    return { verdict: "wrong-key", code: "WRONG_ORIGIN", message };
  }
  return undefined;
}

export function named(keys: readonly VerifierKey[]): string {
  return keys.map(({ name, keyId }) => `${name}+${keyId}`).join(", ");
}

export function badCosignature(witness: VerifierKey, size: number): Finding {
  const message = `The cosignature of ${named([witness])} on the checkpoint of ${size} entries is not its own.`;
  return { verdict: "bad-signature", code: "BAD_COSIGNATURE", message };
}

/** A witness's signature is in the note itself or in a file beside it. */
export async function cosignature(
  note: Note,
  size: number,
  witness: VerifierKey,
  { evidence }: Run,
): Promise<"good" | "bad" | "none"> {
  const file = await evidence.read(cosignaturePath(size, witness.keyId));
  const lines = note.signatures.filter(({ name, keyId }) => name === witness.name && keyId === witness.keyId);
  const all = file === undefined ? lines : [...lines, lineOf(file)];
  if (all.length === 0) return "none";
  return all.every((line) => line !== undefined && isSignedBy(witness, note.text, line)) ? "good" : "bad";
}

function lineOf(file: Buffer): NoteSignature | undefined {
  try {
    const line = new TextDecoder("utf-8", { fatal: true }).decode(file);
    return line.endsWith("\n") ? parseSignatureLine(line.slice(0, -1)) : undefined;
  } catch {
    return undefined;
  }
}
