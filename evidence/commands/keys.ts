/** `keys`: the verifier keys that an evidence folder names, with what tells one from another, and what each has signed. */

import { checkSignatures, fingerprintOf, type Note, parseVerifierKey, type VerifierKey } from "../log/note";
import { EvidenceError, type EvidenceFolder } from "../verifier/evidence";
import { evidenceAt, newestCheckpoint, OPTIONS } from "./arguments";
import type { Command } from "./command";

interface NamedKey {
  readonly path: string;
  readonly key: VerifierKey;
  /** SHA-256 of its SubjectPublicKeyInfo in DER, which is what KMS and OpenSSL hand out. */
  readonly fingerprint: string;
  readonly signedCheckpoint: boolean;
}

export const keys: Command = {
  summary: "List the verifier keys of an evidence folder, with their fingerprints",
  details: `Also says which of them signed the folder's checkpoint. They are no proof of themselves: pin a key only after its fingerprint was compared with what the log's operator handed over.`,
  options: { evidence: OPTIONS.evidence },
  run: async (args, { answer }) => {
    args.noOperand();
    const evidence = evidenceAt(args);
    const checkpoint = await newestCheckpoint(evidence);
    const named = await keysIn(evidence, checkpoint.note);
    const text = [`${checkpoint.origin}, ${checkpoint.size} entries`, ...named.map(keyText)].join("\n");
    answer(named.map(keyJson), text);
    return 0;
  },
};

async function keysIn(evidence: EvidenceFolder, note: Note): Promise<NamedKey[]> {
  const named: NamedKey[] = [];
  for await (const path of evidence.list("keys/")) {
    const text = (await evidence.read(path))?.toString("utf8").trim() ?? "";
    const key = keyAt(path, text);
    named.push({
      path,
      key,
      fingerprint: fingerprintOf(key),
      signedCheckpoint: checkSignatures(note, [key]).good.length > 0,
    });
  }
  return named;
}

function keyAt(path: string, text: string): VerifierKey {
  try {
    return parseVerifierKey(text);
  } catch {
    throw new EvidenceError(path, "it holds no verifier key.");
  }
}

function keyJson({ path, key, fingerprint, signedCheckpoint }: NamedKey): object {
  const { vkey, name, keyId, type } = key;
  return { path, vkey, name, keyId, type, fingerprint, signedCheckpoint };
}

function keyText({ key, fingerprint, signedCheckpoint }: NamedKey): string {
  return `  ${key.keyId} ${key.type} ${signedCheckpoint ? "signed this checkpoint" : "did not sign this checkpoint"}\n    SHA-256 ${fingerprint}\n    ${key.vkey}`;
}
