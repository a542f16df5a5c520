/**
 * A verification by the program that auditors get, `dist/evidence.js`, beside what any reader of such exports must do at least:
 * gunzip, JSON.parse, and one SHA-256 a line. Each runs in a separate process. The records are made once, under `.local/`.
 */

import { execFileSync } from "node:child_process";
import { existsSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { VERIFIER_FILE, verifierFolder } from "../build-verifier";
import { measuredNode, type NodeCost, PROJECT } from "./measured-node";
import { makeRecords, RECORDS_FORM, timeAt } from "./million-records";

const folderOf = (payments: number) => path.join(PROJECT, ".local", `verify-million-${RECORDS_FORM}-${payments}`);

export interface VerifiedRecords {
  /** Whole files, no checksums, no order, nothing compared. Its output is the number of records. */
  bare(): Promise<NodeCost>;
  /** Its output is the report, as JSON. */
  verification(threads: number): Promise<NodeCost>;
}

export function verifiedRecords(payments: number): VerifiedRecords {
  const folder = folderOf(payments);
  if (!existsSync(folder)) {
    // A process begins with the peak memory of the one that starts it, so another process makes them.
    const program = ["--import", "tsx", path.join(__dirname, "verify-million.ts"), String(payments), "make"];
    execFileSync(process.execPath, program, { stdio: "inherit" });
  }
  const of = (name: string) => path.join(folder, name);
  const program = path.join(verifierFolder(), VERIFIER_FILE);
  const words = ["--evidence", of("evidence"), "--export", of("exports"), "--key", of("log.vkey")];
  const end = ["--last-checkpoint", of("last-checkpoint"), "--as-of", timeAt(payments + 7200), "--json"];
  return {
    bare: () => measuredNode([path.join(__dirname, "peers", "read-export.cjs"), of("exports")]),
    verification: (threads) => measuredNode([program, "verify", ...words, ...end, "--threads", String(threads)]),
  };
}

export function makeVerifiedRecords(payments: number): void {
  const unfinished = `${folderOf(payments)}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  makeRecords(unfinished, payments);
  renameSync(unfinished, folderOf(payments));
}
