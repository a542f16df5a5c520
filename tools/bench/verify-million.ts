/**
 * A million records, exported and sealed, compared with their log; and, in the same run, what any reader of such an export
 * must do at least: gunzip, JSON.parse, and one SHA-256 a line. Each in a separate process on one thread, and once more on two.
 * `npm run bench -- verify-million [payments]`; the records are made once, under `.local/`.
 */

import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { exportSources } from "../../evidence/verifier/export-source";
import { localEvidence } from "../../evidence/verifier/local-evidence";
import { verificationText } from "../../evidence/verifier/report";
import { verifyLog } from "../../evidence/verifier/verify";
import { makeRecords, signer, timeAt } from "./million-records";

const PAYMENTS = Number(process.argv[2] ?? 500_000);
const RATIO_MAX = 2;
const PEAK_MAX_MB = 300;
const PEAK_MAX_TWO_MB = 350;
/** Of the generator: records made by an earlier one are made anew. */
const FORM = 3;
const FOLDER = path.join(".local", `verify-million-${FORM}-${PAYMENTS}`);
const UNFINISHED = `${FOLDER}.unfinished`;

interface Measured {
  readonly lines: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMb: number;
  readonly report?: string;
  readonly verdict?: string;
}

async function measured(work: () => Promise<Pick<Measured, "lines" | "report" | "verdict">>): Promise<Measured> {
  const started = process.hrtime.bigint();
  const cpuBefore = process.cpuUsage();
  const done = await work();
  const { user, system } = process.cpuUsage(cpuBefore);
  const wallSeconds = Number(process.hrtime.bigint() - started) / 1e9;
  return { ...done, wallSeconds, cpuSeconds: (user + system) / 1e6, peakMb: process.resourceUsage().maxRSS / 1024 };
}

/** What cannot be left out: whole files, no checksums, no order, nothing compared. */
async function bare(): Promise<{ lines: number }> {
  let lines = 0;
  let last = "";
  for (const file of dataFiles()) {
    const plain = gunzipSync(readFileSync(file));
    for (let start = 0, end = plain.indexOf(10); end >= 0; start = end + 1, end = plain.indexOf(10, start)) {
      const line = plain.toString("utf8", start, end);
      JSON.parse(line);
      last = hash("sha256", line, "hex");
      lines += 1;
    }
  }
  if (last === "") throw new Error("There are no records.");
  return { lines };
}

function dataFiles(): string[] {
  const names = readdirSync(path.join(FOLDER, "exports"), { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".json.gz")).map((name) => path.join(FOLDER, "exports", name));
}

async function full(threads: number) {
  const report = await verifyLog({
    evidence: localEvidence(path.join(FOLDER, "evidence")),
    ...(await exportSources(path.join(FOLDER, "exports"))),
    keys: [signer.vkey],
    lastCheckpoint: readFileSync(path.join(FOLDER, "last-checkpoint"), "utf8"),
    settleMs: 0,
    threads: { count: threads },
    now: new Date(timeAt(PAYMENTS + 7200)),
  });
  return { lines: report.counts.records, verdict: report.verdict, report: verificationText(report) };
}

function makeOnce(): void {
  if (existsSync(FOLDER)) return;
  rmSync(UNFINISHED, { recursive: true, force: true });
  makeRecords(UNFINISHED, PAYMENTS);
  renameSync(UNFINISHED, FOLDER);
}

/** This process stays small: a child begins with its parent's peak. */
function inOwnProcess(work: "make" | "bare" | "full" | "two"): string {
  const own = [...process.execArgv, process.argv[1] ?? "", String(PAYMENTS), work];
  return execFileSync(process.execPath, own, { encoding: "utf8", maxBuffer: 2 ** 26 });
}

function line(name: string, { lines, wallSeconds, cpuSeconds, peakMb }: Measured): string {
  const rate = Math.round(lines / wallSeconds).toLocaleString("en");
  return `${name}: ${lines.toLocaleString("en")} records in ${wallSeconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of processor time), ${rate} a second, peak ${peakMb.toFixed(0)} MB`;
}

async function main(): Promise<void> {
  const [, , , work] = process.argv;
  if (work === "make") return makeOnce();
  if (work === "bare") return console.log(JSON.stringify(await measured(bare)));
  if (work === "full" || work === "two") {
    return console.log(JSON.stringify(await measured(() => full(work === "two" ? 2 : 1))));
  }
  inOwnProcess("make");
  const least = JSON.parse(inOwnProcess("bare")) as Measured;
  const all = JSON.parse(inOwnProcess("full")) as Measured;
  const two = JSON.parse(inOwnProcess("two")) as Measured;
  const ratio = all.wallSeconds / least.wallSeconds;
  const cpuRatio = all.cpuSeconds / least.cpuSeconds;
  console.log(all.report);
  console.log(line("gunzip, JSON.parse and SHA-256", least));
  console.log(line("verification", all));
  console.log(line("verification with two threads", two));
  console.log(
    `ratio of processor time, whatever else the machine does: ${cpuRatio.toFixed(2)} (limit ${RATIO_MAX}); of time: ${ratio.toFixed(2)}`,
  );
  console.log(
    `two threads: ${(all.wallSeconds / two.wallSeconds).toFixed(2)} times as fast, the same report: ${two.report === all.report}`,
  );
  console.log(
    `peak memory: ${all.peakMb.toFixed(0)} MB (limit ${PEAK_MAX_MB}), with two threads ${two.peakMb.toFixed(0)} MB (limit ${PEAK_MAX_TWO_MB})`,
  );
  const isWhole = all.verdict === "ok" && all.lines === least.lines && two.report === all.report;
  const isSmall = all.peakMb < PEAK_MAX_MB && two.peakMb < PEAK_MAX_TWO_MB;
  if (!isWhole || cpuRatio > RATIO_MAX || !isSmall) process.exitCode = 1;
}

void main();
