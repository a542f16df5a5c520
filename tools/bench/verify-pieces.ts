/**
 * A damaged ledger, verified as a whole and in pieces: the reports must be equal, byte for byte. The whole, each piece and each
 * merging run in separate processes, one after the other, so that each is measured alone.
 * `npm run bench -- verify-pieces [payments] [pieces]`; each payment is two records. The ledger is made once, under `.local/`.
 */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { folderStore } from "../../evidence/commands/pieces";
import { exportSources } from "../../evidence/verifier/export-source";
import { localEvidence } from "../../evidence/verifier/local-evidence";
import { readPiece } from "../../evidence/verifier/piece-reader";
import { planIn } from "../../evidence/verifier/pieces";
import { type VerifyOptions, verifyLog } from "../../evidence/verifier/verify";
import { PiecesLeft } from "../../ledger/pieces/plan";
import { makeRecords, RECORDS_FORM, signer, timeAt } from "./million-records";

const [, , PAYMENTS_TEXT = "50000", PIECES_TEXT = "8", job, pieceText] = process.argv;
const [PAYMENTS, PIECES] = [Number(PAYMENTS_TEXT), Number(PIECES_TEXT)];
const FOLDER = path.join(".local", `verify-pieces-${RECORDS_FORM}-${PAYMENTS}`);
const WORK = path.join(FOLDER, "work");

/** One row is gone, one is altered, and one is there that was never sealed. */
const DAMAGES = { lost: 3, altered: Math.floor(PAYMENTS / 2), added: PAYMENTS - 1 };

interface Measured {
  readonly seconds: number;
  readonly peakMb: number;
  /** Of a whole or a merging that came to its end. */
  readonly report?: string;
  readonly left?: readonly number[];
}

async function options(): Promise<VerifyOptions> {
  return {
    evidence: localEvidence(path.join(FOLDER, "evidence")),
    ...(await exportSources(path.join(FOLDER, "exports"))),
    keys: [signer.vkey],
    lastCheckpoint: readFileSync(path.join(FOLDER, "last-checkpoint"), "utf8"),
    settleMs: 0,
    now: new Date(timeAt(PAYMENTS + 7200)),
  };
}

async function merge(): Promise<Pick<Measured, "report" | "left">> {
  const subject = await options();
  const store = folderStore(WORK);
  const plan = await planIn(store, subject, { pieces: PIECES, now: subject.now ?? new Date() });
  try {
    return { report: JSON.stringify(await verifyLog({ ...subject, pieces: { store, plan } })) };
  } catch (error) {
    if (error instanceof PiecesLeft) return { left: error.left };
    throw error;
  }
}

const JOBS: Readonly<Record<string, () => Promise<Pick<Measured, "report" | "left">>>> = {
  make: async () => {
    if (existsSync(FOLDER)) return {};
    const unfinished = `${FOLDER}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    makeRecords(unfinished, PAYMENTS, DAMAGES);
    renameSync(unfinished, FOLDER);
    return {};
  },
  whole: async () => ({ report: JSON.stringify(await verifyLog(await options())) }),
  merge,
  piece: async () => {
    await readPiece({ ...(await options()), store: folderStore(WORK), piece: Number(pieceText) });
    return {};
  },
};

/** This process stays small: a child begins with its parent's peak. */
function inOwnProcess(name: string, piece = 0): Measured {
  const own = [...process.execArgv, process.argv[1] ?? "", String(PAYMENTS), String(PIECES), name, String(piece)];
  return JSON.parse(execFileSync(process.execPath, own, { encoding: "utf8", maxBuffer: 2 ** 30 })) as Measured;
}

const took = ({ seconds, peakMb }: Measured) => `${seconds.toFixed(1)} s, ${peakMb.toFixed(0)} MB`;
const longest = (all: readonly Measured[]) => all.reduce((one, other) => (other.seconds > one.seconds ? other : one));
const largest = (all: readonly Measured[]) => Math.max(...all.map(({ peakMb }) => peakMb));

function inPieces(): Measured {
  rmSync(WORK, { recursive: true, force: true });
  let atOnce = 0;
  for (let round = 1; ; round++) {
    const merged = inOwnProcess("merge");
    atOnce += merged.seconds;
    console.log(`merging ${round}: ${took(merged)}`);
    if (merged.left === undefined) {
      console.log(`with each piece on a separate machine: ${atOnce.toFixed(1)} s`);
      return merged;
    }
    const pieces = merged.left.map((piece) => inOwnProcess("piece", piece));
    atOnce += longest(pieces).seconds;
    console.log(
      `round ${round}: ${pieces.length} pieces, the longest ${took(longest(pieces))}, at most ${largest(pieces).toFixed(0)} MB`,
    );
  }
}

async function main(): Promise<void> {
  const run = job === undefined ? undefined : JOBS[job];
  if (run !== undefined) {
    const started = process.hrtime.bigint();
    const done = await run();
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    const measured: Measured = { ...done, seconds, peakMb: process.resourceUsage().maxRSS / 1024 };
    console.log(JSON.stringify(measured));
    return;
  }
  inOwnProcess("make");
  const whole = inOwnProcess("whole");
  const { counts, verdict, findings } = JSON.parse(whole.report ?? "") as Awaited<ReturnType<typeof verifyLog>>;
  console.log(
    `whole: ${counts.records.toLocaleString("en")} records, ${counts.leaves.toLocaleString("en")} entries: ${took(whole)}`,
  );
  console.log(`verdict ${verdict}: ${findings.map(({ code, key }) => [code, ...(key ?? [])].join(" ")).join("; ")}`);
  const merged = inPieces();
  const isEqual = merged.report === whole.report;
  console.log(`the reports are ${isEqual ? "equal, byte for byte" : "NOT EQUAL"}`);
  if (!isEqual || findings.length < Object.keys(DAMAGES).length) process.exitCode = 1;
}

void main();
