/**
 * A record's proof as one file, by C2SP tlog-proof: written, read strictly, and checked with the record and pinned keys
 * alone. Its `extra` line says of the log's entry what the record does not; it is only ever a proposal, because the leaf
 * is computed from it and from the record.
 */

import { CodedError, type LogicalTableName, TABLES } from "../../contract";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import { canonicalJson } from "../../ledger/rules/canonical-json";
import { commitmentOf } from "../../ledger/rules/commitment";
import { type Checkpoint, parseCheckpoint } from "../log/checkpoint";
import { entryBytes, RECORD_KINDS, type RecordEntry, type RecordKind } from "../log/entry";
import { HASH_BYTES, leafHash } from "../log/hashing";
import { keyValuesOf, versionOf } from "../log/identity";
import { checkSignatures, cosignatureTime, strictBase64, type VerifierKey } from "../log/note";
import { rootOfInclusion } from "./merkle-tree";
import type { Verdict } from "./report";

/** What a text is not: no proof, or a proof of something else. */
export class ProofError extends CodedError<"NOT_A_PROOF"> {
  override readonly name = "ProofError";

  constructor(message: string) {
    super("NOT_A_PROOF", message);
  }
}

export interface TlogProof {
  /** Empty where the file has none. */
  readonly extra: Buffer;
  readonly index: number;
  readonly hashes: readonly Buffer[];
  /** Signed note, to the byte. */
  readonly checkpoint: Buffer;
}

const FORMAT = "c2sp.org/tlog-proof@v1";
/** A tree of 2^63 leaves has no longer path. */
const HASHES_MAX = 63;
const PROOF_BYTES_MAX = 1024 * 1024;

export function proofBytes({ extra, index, hashes, checkpoint }: TlogProof): Buffer {
  const lines = [
    FORMAT,
    ...(extra.length === 0 ? [] : [`extra ${extra.toString("base64")}`]),
    `index ${index}`,
    ...hashes.map((hash) => hash.toString("base64")),
  ];
  return Buffer.concat([Buffer.from(`${lines.join("\n")}\n\n`), checkpoint]);
}

/** @throws ProofError for anything that is not a proof to the byte. The checkpoint in it is still to be read. */
export function parseProof(bytes: Buffer): TlogProof {
  if (bytes.length > PROOF_BYTES_MAX) throw notAProof(`it has more than ${PROOF_BYTES_MAX} bytes`);
  const end = bytes.indexOf("\n\n");
  if (end < 0) throw notAProof("it has no empty line before its checkpoint");
  const [format, ...lines] = bytes.toString("latin1", 0, end).split("\n");
  if (format !== FORMAT) throw notAProof(`it does not begin with ${FORMAT}`);
  const extraText = lines[0]?.startsWith("extra ") ? lines.shift()?.slice("extra ".length) : undefined;
  const extra = extraText === undefined ? Buffer.alloc(0) : strictBase64(extraText);
  if (extra === undefined) throw notAProof("its extra line is no base64");
  const indexText = /^index (0|[1-9][0-9]*)$/.exec(lines.shift() ?? "")?.[1];
  const index = Number(indexText);
  if (indexText === undefined || !Number.isSafeInteger(index)) throw notAProof("it has no index line");
  return { extra, index, hashes: hashesOf(lines), checkpoint: bytes.subarray(end + 2) };
}

function hashesOf(lines: readonly string[]): Buffer[] {
  if (lines.length > HASHES_MAX) throw notAProof(`it has more than ${HASHES_MAX} hashes`);
  return lines.map((line) => {
    const hash = strictBase64(line);
    if (hash?.length !== HASH_BYTES) throw notAProof("one of its lines is no hash of 32 bytes in base64");
    return hash;
  });
}

function notAProof(reason: string): ProofError {
  return new ProofError(`It is no proof: ${reason}. Take the file as \`prove\` wrote it.`);
}

// --------------------------------------------------------------------------------------------- the entry of a record

/** What a record does not say of its entry; the commitment only tells an altered record from another one. */
export type EntryHint = Pick<RecordEntry, "table" | "kind" | "sequence" | "previous" | "commitment">;

export function hintBytes({ table, kind, sequence, previous, commitment }: EntryHint): Buffer {
  return Buffer.from(canonicalJson({ table, kind, sequence, previous, commitment }));
}

const COMMITMENT = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
const COMMITMENT_OR_NONE = /^(|[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])$/;
const SEQUENCE = /^[0-9]{0,64}$/;
const HINT_MEMBERS = ["commitment", "kind", "previous", "sequence", "table"];
const TABLE_NAMES: readonly string[] = Object.values(TABLES).map(({ logicalName }) => logicalName);

/** @throws ProofError for another application's extra line, and for one that `hintBytes` would write otherwise. */
export function parseHint(extra: Buffer): EntryHint {
  let value: unknown;
  try {
    value = JSON.parse(extra.toString("utf8"));
  } catch {
    value = undefined;
  }
  const members = typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  const isHint =
    Object.keys(members).sort().join() === HINT_MEMBERS.join() &&
    Object.values(members).every((member) => typeof member === "string") &&
    (RECORD_KINDS as readonly unknown[]).includes(members["kind"]) &&
    TABLE_NAMES.includes(String(members["table"]));
  if (!isHint) throw notAProof("its extra line does not describe an entry of the payment ledger's log");
  const [commitment = "", kind, previous = "", sequence = "", table] = HINT_MEMBERS.map((name) =>
    String(members[name]),
  );
  const hint: EntryHint = {
    table: table as LogicalTableName,
    kind: kind as RecordKind,
    sequence,
    previous,
    commitment,
  };
  const isWellFormed = COMMITMENT.test(commitment) && COMMITMENT_OR_NONE.test(previous) && SEQUENCE.test(sequence);
  if (!isWellFormed || !hintBytes(hint).equals(extra)) {
    throw notAProof("its extra line is not the canonical form of what it says of an entry");
  }
  return hint;
}

/** The entry that the log must hold if it sealed this record with what the hint says. */
export function entryOfRecord({ table, kind, sequence, previous }: EntryHint, item: ItemJson): RecordEntry {
  const [key, version] = [keyValuesOf(table, item), versionOf(item)];
  return { kind, table, key, version, sequence, commitment: commitmentOf(table, item), previous };
}

// ----------------------------------------------------------------------------------------------------------- checking

type ProofCode =
  | "PROVEN"
  | "WRONG_KEY"
  | "BAD_SIGNATURE"
  | "PROOF_ALTERED"
  | "RECORD_ALTERED"
  | "SEALED_AS_FORGED"
  | "SEALED_AS_TAMPER"
  | "BAD_COSIGNATURE"
  | "WITNESS_MISSING"
  | "UNCHECKED_SIGNATURE";

export interface ProofReport {
  readonly verdict: Verdict;
  readonly code: ProofCode;
  readonly message: string;
  readonly origin: string;
  readonly size: number;
  readonly index: number;
  /** The entry that the record makes; believe it only when the verdict is `ok`, `forged` or `tail-not-pinned`. */
  readonly entry: RecordEntry;
  readonly signers: readonly VerifierKey[];
  /** Pinned witnesses that saw the checkpoint, and when (RFC 3339). */
  readonly witnesses: readonly { readonly name: string; readonly time: string }[];
}

type Judgement = Pick<ProofReport, "verdict" | "code" | "message">;

/**
 * Whether the log sealed this record: nothing but the proof, the record and pinned keys is needed.
 * @throws ProofError, NoteError for what is no proof or holds no checkpoint.
 */
export function checkProof(
  proof: TlogProof,
  item: ItemJson,
  keys: readonly VerifierKey[],
  witnesses: readonly VerifierKey[] = [],
): ProofReport {
  const checkpoint = parseCheckpoint(proof.checkpoint);
  const hint = parseHint(proof.extra);
  const entry = entryOfRecord(hint, item);
  const { good, bad } = checkSignatures(checkpoint.note, keys);
  const signers = good.filter(({ name }) => name === checkpoint.origin);
  const judgement =
    judgeSignatures(checkpoint, signers, bad) ??
    judgeInclusion(checkpoint, proof, entry, hint) ??
    judgeKind(entry) ??
    judgeWitnesses(checkpoint, witnesses) ??
    judgeOthers(checkpoint, [...keys, ...witnesses]) ??
    PROVEN;
  const { origin, size } = checkpoint;
  const seen = judgement.code === "WRONG_KEY" ? [] : sightings(checkpoint, witnesses);
  return { ...judgement, origin, size, index: proof.index, entry, signers, witnesses: seen };
}

const PROVEN: Judgement = {
  verdict: "ok",
  code: "PROVEN",
  message: "The log sealed exactly this record, and a pinned key signed that log.",
};

function judgeSignatures(
  { origin }: Checkpoint,
  signers: readonly VerifierKey[],
  bad: readonly VerifierKey[],
): Judgement | undefined {
  const [forged] = bad;
  if (forged !== undefined) {
    const message = `The checkpoint names the key ${forged.name} (${forged.keyId}), which did not sign it.`;
    return { verdict: "bad-signature", code: "BAD_SIGNATURE", message };
  }
  if (signers.length > 0) return undefined;
  const message = `No pinned key of the log ${origin} signed the checkpoint. Pin the key that the log's operator handed over.`;
  return { verdict: "wrong-key", code: "WRONG_KEY", message };
}

function judgeInclusion(
  checkpoint: Checkpoint,
  proof: TlogProof,
  entry: RecordEntry,
  { commitment }: EntryHint,
): Judgement | undefined {
  const leads = (each: RecordEntry) => leadsToRoot(checkpoint, proof, each);
  if (leads(entry)) return commitment === entry.commitment ? undefined : PROOF_ALTERED;
  if (commitment !== entry.commitment && leads({ ...entry, commitment })) {
    const message = `The log sealed this key and version with other content: entry ${proof.index} commits to ${commitment}, the record has ${entry.commitment}.`;
    return { verdict: "altered", code: "RECORD_ALTERED", message };
  }
  return PROOF_ALTERED;
}

const PROOF_ALTERED: Judgement = {
  verdict: "altered",
  code: "PROOF_ALTERED",
  message: "Record and proof do not lead to the signed root: the proof is of another record, or was altered.",
};

function leadsToRoot({ size, root }: Checkpoint, { index, hashes }: TlogProof, entry: RecordEntry): boolean {
  return rootOfInclusion(leafHash(entryBytes(entry)), index, size, hashes)?.equals(root) === true;
}

function judgeKind({ kind }: RecordEntry): Judgement | undefined {
  if (kind === "FORGED") {
    const message = "The log holds this record as one that none of the ledger's functions wrote.";
    return { verdict: "forged", code: "SEALED_AS_FORGED", message };
  }
  if (kind !== "TAMPER") return undefined;
  const message = "The log holds this record as the result of a change that the ledger does not allow.";
  return { verdict: "altered", code: "SEALED_AS_TAMPER", message };
}

/** The reader of a proof must be able to check all of it: a line that no key checks could say anything. */
function judgeOthers({ note }: Checkpoint, keys: readonly VerifierKey[]): Judgement | undefined {
  const names = note.signatures.map(({ name, keyId }) => `${name}+${keyId}`);
  const known = new Set(keys.map(({ name, keyId }) => `${name}+${keyId}`));
  const other = names.find((name) => !known.has(name)) ?? names.find((name, at) => names.indexOf(name) < at);
  if (other === undefined) return undefined;
  const message = known.has(other)
    ? `The checkpoint bears two signatures of ${other}. Take the proof as \`prove\` wrote it.`
    : `The checkpoint bears a signature of ${other}, and no key that was given checks it. Give its key, with --key or --witness.`;
  return { verdict: "incomplete", code: "UNCHECKED_SIGNATURE", message };
}

function judgeWitnesses(checkpoint: Checkpoint, witnesses: readonly VerifierKey[]): Judgement | undefined {
  const { good, bad } = checkSignatures(checkpoint.note, witnesses);
  const [forged] = bad;
  if (forged !== undefined) {
    const message = `The cosignature under the name ${forged.name} (${forged.keyId}) is not that witness's.`;
    return { verdict: "bad-signature", code: "BAD_COSIGNATURE", message };
  }
  const missing = witnesses.filter((key) => !good.includes(key)).map(({ name }) => name);
  if (missing.length === 0) return undefined;
  const message = `The record is proven, but ${missing.join(", ")} did not cosign this checkpoint. Have a proof made that carries the cosignature.`;
  return { verdict: "tail-not-pinned", code: "WITNESS_MISSING", message };
}

const MILLISECONDS = 1000;

function sightings({ note }: Checkpoint, witnesses: readonly VerifierKey[]) {
  const { good } = checkSignatures(note, witnesses);
  return note.signatures.flatMap(({ name, keyId, signature }) => {
    const isPinned = good.some((key) => key.name === name && key.keyId === keyId && key.type === "cosignature");
    const seconds = isPinned ? cosignatureTime(signature) : undefined;
    const time = new Date(Number(seconds ?? -1n) * MILLISECONDS);
    // A witness may have signed a time beyond the calendar of `Date`.
    return seconds === undefined || Number.isNaN(time.getTime()) ? [] : [{ name, time: time.toISOString() }];
  });
}
