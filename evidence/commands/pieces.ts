/** `verify --work` and `verify-piece`: a verification in pieces, which machines that share a folder read side by side. */

import path from "node:path";
import { readRegularFile } from "../../ledger/files/regular-file";
import { PIECES_MAX, type PieceStore, PiecesLeft, type PieceWork } from "../../ledger/pieces/plan";
import { readPiece } from "../verifier/piece-reader";
import { planIn } from "../verifier/pieces";
import type { VerificationReport } from "../verifier/report";
import { type VerifyOptions, verifyLog } from "../verifier/verify";
import { evidenceAt, OPTIONS } from "./arguments";
import type { Command, CommandArguments, Options } from "./command";
import { UsageError } from "./errors";
import { createWhole, writeWhole } from "./files";
import { DONE } from "./program";
import { exportedSources } from "./records";

const WORK = {
  kind: "one",
  value: "DIR",
  about: "Folder of a verification in pieces: its plan, and what the pieces have read. Only you may write to it.",
} as const;

export const PIECE_OPTIONS: Options = {
  work: WORK,
  pieces: {
    kind: "one",
    value: "N",
    about: "Into how many pieces a new verification with --work is parted. Default: 8.",
  },
};

const PIECES = 8;
/** The largest result of a piece, compressed. */
const RESULT_BYTES_MAX = 2 ** 31 - 1;

/** The plan and the results as files. */
export function folderStore(folder: string): PieceStore {
  const placeOf = (name: string) => path.join(folder, ...name.split("/"));
  return {
    read: async (name) => readRegularFile(placeOf(name), RESULT_BYTES_MAX),
    write: async (name, bytes) => writeWhole(placeOf(name), bytes),
    create: async (name, bytes) => {
      if (createWhole(placeOf(name), bytes)) return bytes;
      const kept = readRegularFile(placeOf(name), RESULT_BYTES_MAX);
      if (kept !== undefined) return kept;
      throw new Error(`${placeOf(name)} was there, and is not any more.`);
    },
  };
}

/** @param text of an option. @throws UsageError */
function numberUpTo(max: number, text: string, option: string): number {
  const number = Number(text);
  if (/^[0-9]{1,4}$/.test(text) && number >= 1 && number <= max) return number;
  throw new UsageError(`--${option} is a whole number from 1 to ${max}.`);
}

async function workOf(args: CommandArguments, options: VerifyOptions): Promise<PieceWork | undefined> {
  const [folder, pieces] = [args.one("work"), args.one("pieces")];
  if (folder === undefined) {
    if (pieces !== undefined) throw new UsageError("--pieces parts a verification that has a folder. Give --work too.");
    return undefined;
  }
  const count = pieces === undefined ? PIECES : numberUpTo(PIECES_MAX, pieces, "pieces");
  const store = folderStore(folder);
  const plan = await planIn(store, options, { pieces: count, now: options.now ?? new Date() });
  if (pieces === undefined || plan.pieces === count) return { store, plan };
  throw new UsageError(
    `The verification in ${folder} was begun in ${plan.pieces} pieces. Leave out --pieces, or name another folder.`,
  );
}

/** The report of the whole, or what is still to be read before there is one. */
export async function verifyHereOrInPieces(
  args: CommandArguments,
  options: VerifyOptions,
): Promise<VerificationReport | PiecesLeft> {
  const pieces = await workOf(args, options);
  if (pieces === undefined) return verifyLog(options);
  try {
    // Findings of a verification that has not ended are not printed.
    if (options.onFinding !== undefined) await verifyLog({ ...options, pieces, onFinding: () => {} });
    return await verifyLog({ ...options, pieces });
  } catch (error) {
    if (error instanceof PiecesLeft) return error;
    throw error;
  }
}

/** What is to be done next, for a person. */
export function leftText({ round, left }: PiecesLeft): string {
  const numbers = left.map((piece) => piece + 1).join(", ");
  return `Round ${round + 1}: to be read with verify-piece, on any machines: --piece ${numbers}. Then give this command again.`;
}

export const verifyPiece: Command = {
  summary: "Read one piece of a verification that verify --work has begun",
  details:
    "Each piece reads its share of the evidence and of the exports, and leaves what it has read in the folder. Pieces may be read at the same time and on several machines that see the same folders. A piece that was ended is read anew.",
  options: {
    evidence: OPTIONS.evidence,
    export: OPTIONS.export,
    work: { ...WORK, required: true },
    piece: { kind: "one", value: "N", required: true, about: "Which piece, from 1." },
  },
  examples: ["verify-piece --evidence audit/evidence --export audit/tables --work pieces --piece 3"],
  run: async (args, { answer, progress }) => {
    args.noOperand();
    const evidence = evidenceAt(args);
    const store = folderStore(args.needed("work"));
    const number = numberUpTo(PIECES_MAX, args.needed("piece"), "piece");
    const { sources } = await exportedSources(args);
    const watch = progress === undefined ? {} : { onProgress: progress };
    const round = await readPiece({ evidence, sources, store, piece: number - 1, ...watch });
    const text = round === undefined ? "It was read before." : `Round ${round + 1}: piece ${number} is read.`;
    answer({ piece: number, ...(round === undefined ? {} : { round: round + 1 }) }, text);
    return DONE;
  },
};
