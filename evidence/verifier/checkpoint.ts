/** Checkpoints, by C2SP tlog-checkpoint: what a signed note says of the log's tree. */

import { HASH_BYTES } from "../log/hashing";
import { type Note, NoteError, parseNote, strictBase64 } from "./note";

export interface Checkpoint {
  readonly note: Note;
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  /** Lines after the third. This log writes none. */
  readonly extensions: readonly string[];
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
