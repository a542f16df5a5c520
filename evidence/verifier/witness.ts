/**
 * A witness, by C2SP tlog-witness: it remembers the latest checkpoint of each log that it knows, and cosigns a newer one
 * only after a proof that the log still begins with all that it had. So nobody can be shown another log than it was.
 */

import { type Checkpoint, parseCheckpoint } from "../log/checkpoint";
import { EMPTY_ROOT, HASH_BYTES } from "../log/hashing";
import {
  checkSignatures,
  cosignedMessage,
  type Note,
  NoteError,
  type NoteSignature,
  signatureLine,
  strictBase64,
  type VerifierKey,
} from "../log/note";
import { isConsistent } from "./merkle-tree";

/** The latest checkpoint that the witness cosigned. */
export interface SeenCheckpoint {
  readonly size: number;
  /** Base64. */
  readonly root: string;
  /** Signed by the log and by the witness: what it shows to monitors. */
  readonly note: string;
}

/** What the witness remembers. It must survive the process: a witness that forgets can be shown two logs. */
export interface WitnessState {
  latest(origin: string): Promise<SeenCheckpoint | undefined>;
  /** False, and nothing is stored, when `expected` is no longer the latest. */
  replace(origin: string, expected: SeenCheckpoint | undefined, next: SeenCheckpoint): Promise<boolean>;
}

export interface Cosigner {
  readonly key: VerifierKey;
  sign(message: Buffer): Buffer;
}

export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  readonly contentType: string;
  readonly body: string;
}

/** Whether a request can be answered with a cosignature at all, before the witness looks into its memory. */
interface Submission {
  readonly oldSize: number;
  readonly proof: readonly Buffer[];
  readonly checkpoint: Checkpoint;
}

const PROOF_LINES_MAX = 63;
const MILLISECONDS = 1000;
const TEXT = "text/plain; charset=utf-8";
const TREE_SIZE = "text/x.tlog.size";

/**
 * Answers an `add-checkpoint` request.
 * @param logKeys the logs that it knows: a key's name is its log's origin.
 * @param now in milliseconds.
 */
export async function addCheckpoint(
  body: Buffer,
  state: WitnessState,
  logKeys: readonly VerifierKey[],
  cosigner: Cosigner,
  now: number,
): Promise<WitnessAnswer> {
  const submission = parseSubmission(body);
  if (typeof submission === "string") return refused(400, submission);
  const { checkpoint } = submission;
  const keys = logKeys.filter(({ name }) => name === checkpoint.origin);
  if (keys.length === 0) return refused(404, "This witness knows no such log.");
  const { good, bad } = checkSignatures(checkpoint.note, keys);
  if (good.length === 0) return refused(403, "No key that this witness trusts for the log signed the checkpoint.");
  if (bad.length > 0) return refused(403, "A signature under the name and id of the log's key is not that key's.");
  const latest = await state.latest(checkpoint.origin);
  const refusal = refusalOf(submission, latest);
  if (refusal !== undefined) return refusal;
  const cosignature = cosign(cosigner, checkpoint.note.text, now);
  const { origin, size, root } = checkpoint;
  const note = shownNote(checkpoint.note, good, cosignature);
  const isStored = await state.replace(origin, latest, { size, root: root.toString("base64"), note });
  if (isStored) return { status: 200, contentType: TEXT, body: cosignature };
  return conflict(await state.latest(origin));
}

function refused(status: WitnessAnswer["status"], reason: string): WitnessAnswer {
  return { status, contentType: TEXT, body: `${reason}\n` };
}

/** The body of an `add-checkpoint` request. */
export function submissionBody(oldSize: number, proof: readonly Buffer[], checkpoint: Buffer): Buffer {
  const lines = [`old ${oldSize}`, ...proof.map((hash) => hash.toString("base64"))];
  return Buffer.concat([Buffer.from(`${lines.join("\n")}\n\n`), checkpoint]);
}

/** @returns in words what is wrong with the request. */
function parseSubmission(body: Buffer): Submission | string {
  const end = body.indexOf("\n\n");
  const [first = "", ...lines] = body.toString("latin1", 0, Math.max(end, 0)).split("\n");
  const oldText = /^old (0|[1-9][0-9]*)$/.exec(first)?.[1];
  const oldSize = Number(oldText);
  if (oldText === undefined || !Number.isSafeInteger(oldSize)) return "The request does not begin with an old size.";
  if (lines.length > PROOF_LINES_MAX) return `A proof has at most ${PROOF_LINES_MAX} hashes.`;
  const proof = lines.map(strictBase64).filter((hash) => hash?.length === HASH_BYTES) as Buffer[];
  if (proof.length < lines.length) return "A line of the proof is no hash of 32 bytes in base64.";
  try {
    const checkpoint = parseCheckpoint(body.subarray(end + 2));
    return oldSize > checkpoint.size
      ? "The old size is larger than that of the checkpoint."
      : { oldSize, proof, checkpoint };
  } catch (error) {
    if (error instanceof NoteError) return error.message;
    throw error;
  }
}

/** Why the witness refuses this checkpoint; undefined when it does not. */
function refusalOf(submission: Submission, latest: SeenCheckpoint | undefined): WitnessAnswer | undefined {
  const { oldSize, proof, checkpoint } = submission;
  if (oldSize !== (latest?.size ?? 0)) return conflict(latest);
  if (checkpoint.size === 0 && !checkpoint.root.equals(EMPTY_ROOT)) {
    return refused(422, "The root of an empty log is the hash of nothing.");
  }
  const first = { size: oldSize, root: latest === undefined ? EMPTY_ROOT : Buffer.from(latest.root, "base64") };
  return isConsistent(first, checkpoint, proof)
    ? undefined
    : refused(422, "The proof does not lead from the checkpoint that this witness cosigned last to this one.");
}

function conflict(latest: SeenCheckpoint | undefined): WitnessAnswer {
  return { status: 409, contentType: TREE_SIZE, body: `${latest?.size ?? 0}\n` };
}

/** The signature line for this text at this time. */
function cosign({ key, sign }: Cosigner, text: string, now: number): string {
  const seconds = BigInt(Math.floor(now / MILLISECONDS));
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(seconds);
  const signature = Buffer.concat([time, sign(Buffer.from(cosignedMessage(seconds, text)))]);
  return signatureLine({ name: key.name, keyId: key.keyId, signature });
}

/** With the log's signatures that were found good, and the witness's own; all other lines are left out. */
function shownNote({ text, signatures }: Note, good: readonly VerifierKey[], cosignature: string): string {
  const isGood = ({ name, keyId }: NoteSignature) => good.some((key) => key.name === name && key.keyId === keyId);
  return `${text}\n${signatures.filter(isGood).map(signatureLine).join("")}${cosignature}`;
}
