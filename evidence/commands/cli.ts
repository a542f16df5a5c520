/** The evidence commands that read files and nothing else, and what their errors mean to the user. */

import { PieceError } from "../../ledger/pieces/plan";
import { NoteError } from "../log/note";
import { EntryError } from "../verifier/entries";
import { EvidenceError } from "../verifier/evidence";
import { MissingTileError } from "../verifier/merkle-tree";
import { ProofError } from "../verifier/proof";
import { MissingBundleError } from "../verifier/proof-search";
import { EXIT_CODES } from "../verifier/report";
import { SourceError } from "../verifier/sources";
import { WitnessKeyError } from "../verifier/witness-key";
import { WitnessStateError } from "../verifier/witness-state";
import type { Commands } from "./command";
import { EvidenceToolError, NOT_DONE } from "./errors";
import { history } from "./history";
import { keys } from "./keys";
import { verifyPiece } from "./pieces";
import type { Explained } from "./program";
import { consistency, proveRecord, verifyProof } from "./proofs";
import { writeHtmlReport } from "./report";
import { verify } from "./verify";
import { cosign, newKey, serveWitness } from "./witness";

export const OFFLINE: Commands = {
  verify,
  "verify-piece": verifyPiece,
  report: writeHtmlReport,
  prove: proveRecord,
  "verify-proof": verifyProof,
  consistency,
  history,
  keys,
  witness: {
    summary: "Be a witness of the log: make a key, cosign checkpoints, serve",
    commands: { "new-key": newKey, cosign, serve: serveWitness },
  },
};

/** Lines under a list of commands that end with verdicts. */
export const EXIT_CODE_LINES: readonly string[] = [
  "",
  "Exit codes: 0 done, or the verdict ok; 1 the answer is no (a payment refused, an export damaged);",
  "  2 a wrong use, or something that could not be done; verdicts:",
  `  ${Object.entries(EXIT_CODES)
    .filter(([verdict]) => verdict !== "ok")
    .map(([verdict, code]) => `${verdict} ${code}`)
    .join(", ")}.`,
];

/** Undefined for an error that only a defect of the code can cause. */
export function explainEvidence(error: unknown): Explained | undefined {
  const exitCode = exitCodeOf(error);
  return exitCode === undefined || !(error instanceof Error) ? undefined : { message: error.message, exitCode };
}

function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof EvidenceToolError) return error.exitCode;
  if (error instanceof EvidenceError || error instanceof EntryError) return EXIT_CODES.altered;
  if (error instanceof SourceError && error.code === "SOURCE_DAMAGED") return EXIT_CODES.incomplete;
  if (error instanceof MissingTileError || error instanceof MissingBundleError) return EXIT_CODES.incomplete;
  const isInput =
    error instanceof NoteError ||
    error instanceof ProofError ||
    error instanceof WitnessKeyError ||
    error instanceof WitnessStateError ||
    error instanceof PieceError ||
    error instanceof SourceError;
  return isInput ? NOT_DONE : undefined;
}
