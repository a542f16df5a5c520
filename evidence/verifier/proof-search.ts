/** Finds entries in the bundles of an evidence folder, and makes the proofs of those that were found. */

import { CodedError } from "../../contract";
import { canonicalJson } from "../../ledger/rules/canonical-json";
import { type Checkpoint, parseCheckpoint } from "../log/checkpoint";
import type { HeartbeatEntry, LogEntry, RecordEntry } from "../log/entry";
import { leafHash } from "../log/hashing";
import { NoteError, type NoteSignature, parseNote, parseSignatureLine, signatureLine } from "../log/note";
import { bundlePath, TILE_WIDTH } from "../log/paths";
import { parseEntry } from "./entries";
import { EvidenceError, type EvidenceFolder, readBundle } from "./evidence";
import { inclusionProof, rootOfInclusion, type SubtreeHashes } from "./merkle-tree";
import { hintBytes, type TlogProof } from "./proof";

export interface FoundEntry<E extends LogEntry = RecordEntry> {
  readonly leaf: number;
  readonly entry: E;
}

/** A bundle is not there that a log of this size must have. */
export class MissingBundleError extends CodedError<"BUNDLE_MISSING"> {
  override readonly name = "MissingBundleError";

  constructor(
    readonly path: string,
    folder: string,
  ) {
    super(
      "BUNDLE_MISSING",
      `${path} is not in ${folder}, so not every entry can be searched. Fetch the evidence again.`,
    );
  }
}

/** The first part of an entry's key, as its bytes write it: only this text can follow an unescaped `"key":[`. */
const FIRST_OF_KEY = /"key":\[("(?:[^"\\]|\\.)*")/;
const HEARTBEAT = '"kind":"HEARTBEAT"';

/**
 * Entries whose key begins with one of these ids, and the heartbeats, in the log's order. Only what is found is read
 * whole. What it yields is what the bundles say: prove it before it is believed.
 */
export async function* findEntries(
  evidence: EvidenceFolder,
  size: number,
  ids: ReadonlySet<string>,
): AsyncGenerator<FoundEntry | FoundEntry<HeartbeatEntry>> {
  // One character for each byte, as the entries are searched.
  const wanted = new Set([...ids].map((id) => Buffer.from(canonicalJson(id)).toString("latin1")));
  for (let bundle = 0; bundle * TILE_WIDTH < size; bundle += 1) {
    const width = Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH);
    const entries = await readBundle(evidence, bundle, width);
    if (entries === undefined) throw new MissingBundleError(bundlePath(bundle, width), evidence.name);
    for (const [at, bytes] of entries.entries()) {
      const text = bytes.toString("latin1");
      const first = FIRST_OF_KEY.exec(text)?.[1];
      if (first === undefined ? !text.includes(HEARTBEAT) : !wanted.has(first)) continue;
      const entry = parseEntry(bytes);
      const leaf = bundle * TILE_WIDTH + at;
      yield entry.kind === "HEARTBEAT" ? { leaf, entry } : { leaf, entry };
    }
  }
}

/** The inclusion proof of an entry. @throws EvidenceError when tiles and bundle do not lead to the checkpoint's root. */
export async function provenPath(
  hashes: SubtreeHashes,
  { size, root }: Checkpoint,
  leaf: number,
  bytes: Uint8Array,
): Promise<Buffer[]> {
  const path = await inclusionProof(hashes, leaf, size);
  if (rootOfInclusion(leafHash(bytes), leaf, size, path)?.equals(root) === true) return path;
  const reason = `entry ${leaf} of it and the tiles do not lead to the root of the checkpoint.`;
  throw new EvidenceError(bundlePath(Math.floor(leaf / TILE_WIDTH)), reason);
}

/** @param checkpoint as it is stored, or with cosignatures behind it. */
export function proofOf({ leaf, entry }: FoundEntry, hashes: readonly Buffer[], checkpoint: Buffer): TlogProof {
  return { extra: hintBytes(entry), index: leaf, hashes, checkpoint };
}

/** The checkpoint with those of its signatures alone that are wanted; there is at least one. */
export function bearing(checkpoint: Buffer, isWanted: (signature: NoteSignature) => boolean): Buffer {
  const { text, signatures } = parseNote(checkpoint);
  return Buffer.from(`${text}\n${signatures.filter(isWanted).map(signatureLine).join("")}`);
}

/** The checkpoint with the cosignatures that lie in the folder for it, each once and each a whole signature line. */
export async function withCosignatures(evidence: EvidenceFolder, checkpoint: Buffer): Promise<Buffer> {
  const { note, size } = parseCheckpoint(checkpoint);
  const known = new Set(note.signatures.map(({ name, keyId }) => `${name} ${keyId}`));
  const lines: string[] = [];
  for await (const path of evidence.list(`cosignatures/${String(size).padStart(16, "0")}/`)) {
    const signature = await cosignatureAt(evidence, path);
    const name = `${signature.name} ${signature.keyId}`;
    if (!known.has(name)) lines.push(signatureLine(signature));
    known.add(name);
  }
  return Buffer.concat([checkpoint, Buffer.from(lines.join(""))]);
}

/** @throws EvidenceError when the object is no signature line. */
async function cosignatureAt(evidence: EvidenceFolder, path: string): Promise<NoteSignature> {
  const line = (await evidence.read(path))?.toString("utf8") ?? "";
  try {
    return parseSignatureLine(line.replace(/\n$/, ""));
  } catch (error) {
    if (error instanceof NoteError) throw new EvidenceError(path, "it is no signature line of a witness.");
    throw error;
  }
}
