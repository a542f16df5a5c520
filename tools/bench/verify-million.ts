/**
 * `npm run bench -- verify-million [payments]`: the auditor's program verifies a million records, with one thread and with two;
 * its processor time is compared with that of reading them alone. Ends with 1 when a limit is broken.
 */

import type { NodeCost } from "./measured-node";
import { makeVerifiedRecords, verifiedRecords } from "./verification";

const [, , payments = "500000", work] = process.argv;
const RATIO_MAX = 2;
const PEAK_MAX_MB = 300;
const PEAK_MAX_TWO_MB = 350;

function line(name: string, records: number, { wallMs, cpuMs, peakMb }: NodeCost): string {
  const rate = Math.round((records * 1000) / wallMs).toLocaleString("en");
  const times = `${(wallMs / 1000).toFixed(1)} s (${(cpuMs / 1000).toFixed(1)} s of processor time)`;
  return `${name}: ${records.toLocaleString("en")} records in ${times}, ${rate} a second, peak ${peakMb.toFixed(0)} MB`;
}

async function check(): Promise<boolean> {
  const records = verifiedRecords(Number(payments));
  const least = await records.bare();
  const one = await records.verification(1);
  const two = await records.verification(2);
  const { verdict, counts } = JSON.parse(one.output) as { verdict: string; counts: { records: number } };
  const ratio = one.cpuMs / least.cpuMs;
  console.log(`verdict: ${verdict}`);
  console.log(line("gunzip, JSON.parse and SHA-256", Number(least.output), least));
  console.log(line("verification", counts.records, one));
  console.log(line("verification with two threads", counts.records, two));
  console.log(`ratio of processor time: ${ratio.toFixed(2)} (limit ${RATIO_MAX})`);
  console.log(
    `two threads: ${(one.wallMs / two.wallMs).toFixed(2)} times as fast, the same report: ${two.output === one.output}`,
  );
  console.log(`peak memory: limit ${PEAK_MAX_MB} MB, with two threads ${PEAK_MAX_TWO_MB} MB`);
  const isWhole = verdict === "ok" && counts.records === Number(least.output) && two.output === one.output;
  return isWhole && ratio <= RATIO_MAX && one.peakMb < PEAK_MAX_MB && two.peakMb < PEAK_MAX_TWO_MB;
}

async function main(): Promise<void> {
  if (work === "make") return makeVerifiedRecords(Number(payments));
  if (!(await check())) process.exitCode = 1;
}

void main();
