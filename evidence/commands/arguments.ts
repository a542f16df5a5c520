/** What the options of the evidence commands name: folders, keys, records, checkpoints. */

import { existsSync, statSync } from "node:fs";
import { isItem } from "../../ledger/exports/lines";
import { FileError, readRegularFile } from "../../ledger/files/regular-file";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import { canonicalJson } from "../../ledger/rules/canonical-json";
import { type Checkpoint, type ReadCheckpoint, readCheckpoint } from "../log/checkpoint";
import { checkSignatures, NoteError, parseVerifierKey, type VerifierKey } from "../log/note";
import { CHECKPOINT_PATH } from "../log/paths";
import { parseItem } from "../verifier/digest";
import type { EvidenceFolder } from "../verifier/evidence";
import { localEvidence } from "../verifier/local-evidence";
import type { CommandArguments, Options } from "./command";
import { EvidenceToolError, UsageError } from "./errors";

/** Options that several commands take alike. */
export const OPTIONS = {
  evidence: {
    kind: "one",
    value: "DIR",
    required: true,
    about: "Folder with a copy of the log's evidence (fetch writes it).",
  },
  export: { kind: "many", value: "DIR", required: true, about: "Folder with exported tables (scan writes one)." },
  key: {
    kind: "many",
    value: "KEY",
    required: true,
    about: "The log's public key, as the operator handed it over: a verifier key, or a file with one or more.",
  },
  retiredKey: {
    kind: "many",
    value: "KEY",
    about: "A key that signed earlier checkpoints of the log and signs no more.",
  },
  witness: { kind: "many", value: "KEY", about: "Verifier key of a witness, or a file with such keys." },
  logKey: { kind: "many", value: "KEY", required: true, about: "Public key of a log that the witness knows." },
  witnessKey: { kind: "one", value: "FILE", required: true, about: "The witness's private key, which new-key made." },
  state: { kind: "one", value: "FILE", required: true, about: "File in which the witness keeps what it has seen." },
} as const satisfies Options;

/** @throws EvidenceToolError FOLDER_MISSING */
export function folderAt(place: string, what: string): string {
  if (existsSync(place) && statSync(place).isDirectory()) return place;
  throw new EvidenceToolError("FOLDER_MISSING", `There is no folder ${place}. --${what} names one; correct the path.`);
}

/** Keys, proofs, checkpoints, one record, known findings: none is longer. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** @throws EvidenceToolError FILE_MISSING, for what is no regular file or too long too. */
export function fileAt(place: string, what: string, maxBytes: number = FILE_BYTES_MAX): Buffer {
  try {
    const bytes = readRegularFile(place, maxBytes);
    if (bytes !== undefined) return bytes;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new EvidenceToolError("FILE_MISSING", `${place} cannot be read for ${what}: ${error.message}`);
  }
  throw new EvidenceToolError("FILE_MISSING", `There is no file ${place} for ${what}. Correct the path.`);
}

export function evidenceAt(args: CommandArguments): EvidenceFolder {
  return localEvidence(folderAt(args.needed("evidence"), "evidence"));
}

/** Verifier keys, each as it is or in a file with one or more, a line each. @throws UsageError */
export function verifierKeys(words: readonly string[], option: string): VerifierKey[] {
  return words.flatMap((word) => {
    const lines = existsSync(word) ? fileAt(word, `--${option}`).toString("utf8").split("\n") : [word];
    return lines.filter((line) => line.trim() !== "").map((line) => verifierKey(line.trim(), option));
  });
}

function verifierKey(text: string, option: string): VerifierKey {
  try {
    return parseVerifierKey(text);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new UsageError(
      `--${option} is a verifier key (name+keyid+base64) or a file with such keys. ${error.message}`,
    );
  }
}

/** Keys of logs sign notes, keys of witnesses cosign checkpoints; the one in place of the other would find nothing. */
export function logKeys(args: CommandArguments, option = "key"): VerifierKey[] {
  const keys = verifierKeys(args.many(option), option);
  const other = keys.find(({ type }) => type === "cosignature");
  if (other !== undefined) throw new UsageError(`${other.name} is a witness's key; --${option} takes the log's.`);
  return keys;
}

/** Keys that the log had before; they vouch for its earlier checkpoints only. */
export function retiredKeys(args: CommandArguments): VerifierKey[] {
  return logKeys(args, "retired-key");
}

export function witnessKeys(args: CommandArguments): VerifierKey[] {
  const keys = verifierKeys(args.many("witness"), "witness");
  const other = keys.find(({ type }) => type !== "cosignature");
  if (other !== undefined) throw new UsageError(`${other.name} is no witness's key; --witness takes keys that cosign.`);
  return keys;
}

/** The folder's newest checkpoint. Its signatures are still to be checked. */
export async function newestCheckpoint(evidence: EvidenceFolder): Promise<ReadCheckpoint> {
  const bytes = await evidence.read(CHECKPOINT_PATH);
  if (bytes !== undefined) return readCheckpoint(bytes);
  throw new EvidenceToolError(
    "CHECKPOINT_MISSING",
    `${evidence.name} holds no checkpoint: it is no evidence folder, or nothing was published yet. Fetch the evidence.`,
    "incomplete",
  );
}

export function checkpointFile(place: string, option: string): ReadCheckpoint {
  return readCheckpoint(fileAt(place, `--${option}`));
}

/** @throws EvidenceToolError when keys are pinned and none of them signed, or one of them did not sign what bears its name. */
export function checkSigned({ origin, note }: Checkpoint, keys: readonly VerifierKey[]): readonly VerifierKey[] {
  if (keys.length === 0) return [];
  const { good, bad } = checkSignatures(note, keys);
  const [forged] = bad;
  if (forged !== undefined) {
    const message = `The checkpoint names the key ${forged.name} (${forged.keyId}), which did not sign it.`;
    throw new EvidenceToolError("BAD_SIGNATURE", message, "bad-signature");
  }
  const signers = good.filter(({ name }) => name === origin);
  if (signers.length > 0) return signers;
  const message = `No key given with --key signed the checkpoint of ${origin}. Pin the key that the log's operator handed over.`;
  throw new EvidenceToolError("WRONG_KEY", message, "wrong-key");
}

/** Said where no key was given, so that nobody takes the rest for more than it is. */
export const UNSIGNED_NOTE = "The checkpoint's signature was not checked: no --key was given.";

// ------------------------------------------------------------------------------------------------------------ records

/**
 * A record as exports write it: a line of a data file (`Item`, or an incremental export's `NewImage`), or the item itself.
 * @throws EvidenceToolError NOT_A_RECORD
 */
export function recordFile(place: string): ItemJson {
  const item = itemIn(fileAt(place, "--record").toString("utf8"));
  if (item !== undefined) return item;
  throw new EvidenceToolError(
    "NOT_A_RECORD",
    `${place} holds no record. It is one line of an export's data file, with Item or NewImage in typed DynamoDB JSON. ` +
      "Take the line of this record alone, unchanged.",
  );
}

function itemIn(text: string): ItemJson | undefined {
  try {
    const line: Readonly<Record<string, unknown>> = parseItem(text);
    const item = line["NewImage"] ?? line["Item"] ?? line;
    const isRecord = isItem(item) && Object.keys(item).length > 0 && Object.values(item).every(isTyped);
    // What has no canonical form was never sealed.
    return isRecord && canonicalJson(item) !== "" ? item : undefined;
  } catch {
    return undefined;
  }
}

const TYPES: ReadonlySet<string> = new Set(["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"]);

function isTyped(attribute: object): boolean {
  const types = Object.keys(attribute);
  return types.length === 1 && TYPES.has(types[0] ?? "");
}
