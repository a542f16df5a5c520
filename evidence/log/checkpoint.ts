/** Checkpoints, by C2SP tlog-checkpoint: what a signed note says of the log's tree. */

import { HASH_BYTES } from "./hashing";
import { type Note, NoteError, parseNote, strictBase64 } from "./note";

export interface Checkpoint {
  readonly note: Note;
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  /** Lines after the third. This log writes none. */
  readonly extensions: readonly string[];
}

/** With its bytes as they were read: other signatures may be put behind them. */
export interface ReadCheckpoint extends Checkpoint {
  readonly bytes: Buffer;
}

/** @throws NoteError. Its signatures are still to be checked. */
export function readCheckpoint(bytes: Buffer): ReadCheckpoint {
  return { ...parseCheckpoint(bytes), bytes };
}

/** @throws NoteError. Its signatures are still to be checked. */
export function parseCheckpoint(bytes: Uint8Array): Checkpoint {
  const note = parseNote(bytes);
  const [origin = "", sizeText = "", rootText = "", ...extensions] = note.text.slice(0, -1).split("\n");
  const size = Number(sizeText);
  const root = strictBase64(rootText);
  if (origin === "") throw notACheckpoint("its first line, the origin, is empty");
  if (!/^(0|[1-9][0-9]*)$/.test(sizeText) || !Number.isSafeInteger(size)) {
    throw notACheckpoint("its second line is no tree size");
  }
  if (root?.length !== HASH_BYTES) throw notACheckpoint("its third line is no hash of 32 bytes in base64");
  if (extensions.includes("")) throw notACheckpoint("one of its further lines is empty");
  return { note, origin, size, root, extensions };
}

/**
 * A checkpoint as this log writes it: without further lines.
 * @returns in words why it is not one. Its signatures are still to be checked.
 */
export function parseOwnCheckpoint(bytes: Uint8Array): Checkpoint | string {
  try {
    const checkpoint = parseCheckpoint(bytes);
    return checkpoint.extensions.length === 0 ? checkpoint : "It has lines that this log does not write.";
  } catch (error) {
    if (error instanceof NoteError) return error.message;
    throw error;
  }
}

/** What the checkpoint says, without its signatures; undefined for bytes that are not a checkpoint of this log's form. */
export function textOfCheckpoint(bytes: Uint8Array): string | undefined {
  const checkpoint = parseOwnCheckpoint(bytes);
  return typeof checkpoint === "string" ? undefined : checkpoint.note.text;
}

/** The text of a checkpoint without further lines: what is signed, and by whose equality checkpoints are equal. */
export function checkpointText(origin: string, size: number, root: Buffer): string {
  return `${origin}\n${size}\n${root.toString("base64")}\n`;
}

function notACheckpoint(reason: string): NoteError {
  return new NoteError(
    "NOT_A_CHECKPOINT",
    `It is no checkpoint: ${reason}. Fetch it again from where it was published.`,
  );
}
