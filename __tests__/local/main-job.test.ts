/**
 * `npm start` as its user runs it: with the shipped sample, without Python, and interrupted. What it says of a promise that is
 * broken, `main-job-checks.test.ts` and `cli/demo.test.ts` hold.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import type { PageEvidence } from "../../evidence/report/page-evidence";
import { checkEvidence } from "../../evidence/report/proof-check";
import { EXIT_CODES, type Verdict } from "../../evidence/verifier/report";
import { makeSampleFiles } from "../../local/samples/files";
import { makeSampleMessages } from "../../local/samples/messages";
import { makeSample } from "../../tools/samples/make";
import { dataIn } from "../evidence/report/fixture";

const PROJECT = path.join(__dirname, "..", "..");
/** The words of the npm command itself: what lies between it and the job decides whether a signal reaches the job. */
const START: readonly string[] = JSON.parse(
  readFileSync(path.join(PROJECT, "package.json"), "utf8"),
).scripts.start.split(" ");
/** About a minute of work, on a machine that does much else, and up to a minute of waiting for a full minute to export. */
const JOB_TIMEOUT_MS = 480_000;

const folder = mkdtempSync(path.join(tmpdir(), "main-job-test-"));

interface JobResult {
  readonly exitCode: number | null;
  readonly out: string;
  readonly err: string;
}

function start(
  name: string,
  args: readonly string[],
): { child: ChildProcess; ended: Promise<JobResult>; said(text: string): Promise<void> } {
  const { AWS_ENDPOINT_URL: _endpoint, ...environment } = process.env;
  const [, ...words] = START;
  const command = [...words, "--out", path.join(folder, name), ...args];
  const child = spawn(process.execPath, command, { cwd: PROJECT, env: environment });
  const text = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    text.out += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    text.err += chunk;
  });
  const ended = once(child, "close").then(([exitCode]: (number | null)[]) => ({ exitCode: exitCode ?? null, ...text }));
  const said = async (wanted: string) => {
    while (!text.out.includes(wanted) && child.exitCode === null) await once(child.stdout, "data");
  };
  return { child, ended, said };
}

function endpointIn(out: string): string {
  return /http:\/\/127\.0\.0\.1:\d+/.exec(out)?.[0] ?? "";
}

function answers(endpoint: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get(endpoint, (response) => {
      response.resume();
      resolve(true);
    });
    request.on("error", () => resolve(false));
  });
}

/** No token, card number or broken line of the sample. */
function expectNothingRepeated(said: string): void {
  const { ndjson, expected } = makeSample();
  const tokens = [...ndjson.matchAll(/"SecureToken":"([^"]{10,})"/g)].map(([, token]) => token ?? "");
  expect(tokens.length).toBeGreaterThan(expected.outcomes.stored);
  expect(tokens.filter((token) => said.includes(token))).toEqual([]);
  expect(expected.cardNumbers.split(" ").filter((pan) => said.includes(pan))).toEqual([]);
  expect(said).not.toContain("bad-json");
}

/** The report's lines about files, messages, events and the export, against what their generators meant. */
function expectArrivals(out: string): void {
  for (const { name, rows, counts, cardDataRows } of makeSampleFiles().expected.files) {
    const { stored, duplicate, conflict, refused } = counts;
    const line =
      out
        .split("\n")
        .find((each) => each.includes(`${name} `))
        ?.trim()
        .split(/ {2,}/) ?? [];
    const note = cardDataRows > 0 ? ["held a card number: removed"] : [];
    expect(line).toEqual([name, ...[rows, stored, duplicate, conflict, refused].map(String), ...note]);
  }
  const { messages, stored, duplicate } = makeSampleMessages().expected;
  expect(out).toContain("payment_data: 5 calls answered 2 x 200, 2 x 400, 1 x 409");
  expect(out).toContain(`${messages} messages, ${stored} payments stored, ${duplicate} sent again`);
  expect(out).toContain("1 invalid message in between that left a GAP, 1 event held back by the client (CARD_DATA)");
  expect(out).toMatch(/backup check: good; after one byte was changed: faulty \(.*WRONG_CHECKSUM/);
}

/** The auditor's verdicts, and that each act of the administrator is named by the entry that sealed it. */
function expectProven(out: string): void {
  expect(out).toMatch(/first visit +tail-not-pinned; its checkpoint of [\d,]+ entries is kept/);
  expect(out).toMatch(/second visit +ok: [\d,]+ records, [\d,]+ payments with their WRITE records/);
  const [, bytes = "0"] = /proof of ([\d,]+) bytes, checked in [\d.]+ ms/.exec(out) ?? [];
  expect(Number(bytes.replace(",", ""))).toBeLessThan(2048);
  expect(out).toMatch(/third visit +altered, missing, forged/);
  for (const [verdict, code, table] of [
    ["altered", "RECORD_CHANGED", "PaymentLedger"],
    ["missing", "RECORD_REMOVED", "PaymentAuditTrail"],
    ["forged", "RECORD_FORGED", "PaymentLedger"],
  ]) {
    expect(out).toMatch(new RegExp(`${verdict} +${code} +${table} .*, entry \\d+`));
  }
  expect(out).toMatch(/tail cut off +stale.*: The log had \d+ entries before and has \d+ now/);
}

/** The page of the last visit: valid by its own check, with the visit's verdict, and without anything secret. */
async function expectPage(out: string, page: string): Promise<void> {
  expect(out).toContain("as a page that checks its own proofs in a browser: ");
  expectNothingRepeated(page);
  expect(page).toContain('<p class="verdict">ALTERED</p>');
  const { state, proven } = await checkEvidence(JSON.parse(dataIn(page)) as PageEvidence);
  expect(state).toBe("valid");
  expect(proven.size).toBeGreaterThan(50);
}

/** The verifications that a text says to type, without the name of the program. */
function commandsIn(text: string): string[] {
  return [...text.matchAll(/^ +npx payledger (verify .*)$/gm)].map(([, words = ""]) => words);
}

/** What the report says to type shows the same verdict again. */
function expectCommandsAgain(report: string): void {
  const exitCodes = commandsIn(report).map((words) => {
    const command = ["cli/launch.cjs", ...words.split(" "), "--quiet"];
    return spawnSync(process.execPath, command, { cwd: PROJECT }).status;
  });
  const verdicts: readonly Verdict[] = ["ok", "altered", "stale"];
  expect(exitCodes).toEqual(verdicts.map((verdict) => EXIT_CODES[verdict]));
}

/** The figures that the job wrote beside its story. */
function reportOf(name: string): string {
  return readFileSync(path.join(folder, name, "report.txt"), "utf8");
}

let whole: ReturnType<typeof start>;
beforeAll(() => {
  whole = start("whole", []);
});
afterAll(async () => {
  if (whole.child.exitCode === null) whole.child.kill("SIGINT");
  await whole.ended;
  rmSync(folder, { recursive: true, force: true });
}, JOB_TIMEOUT_MS);

test(
  "the shipped sample ends in success, and the report's figures are the generator's",
  async () => {
    const { exitCode, out, err } = await whole.ended;
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    const { expected } = makeSample();
    const report = reportOf("whole");
    const figure = (name: string) =>
      Number(new RegExp(`^ +${name} +([0-9,]+)`, "m").exec(report)?.[1]?.replace(",", ""));
    expect(figure("stored")).toBe(expected.outcomes.stored);
    expect(figure("duplicates")).toBe(expected.outcomes.duplicate);
    expect(figure("conflicts")).toBe(expected.outcomes.conflict);
    expect(figure("refused")).toBe(expected.outcomes.refused);
    expect(figure("broken lines \\(no JSON\\)")).toBe(expected.outcomes.broken);
    for (const [code, count] of Object.entries(expected.refusals)) expect([code, figure(code)]).toEqual([code, count]);
    expect(report).toContain("22 reads audited: 14 READ, 1 REVEAL, 7 AUDIT_READ");
    expectArrivals(report);
    expectProven(report);
    expectCommandsAgain(report);
    await expectPage(report, readFileSync(path.join(folder, "whole", "report.html"), "utf8"));
    for (const action of ["WRITE", "CONFLICT", "UPDATE", "READ", "REVEAL", "EXPORT"]) {
      expect(report).toMatch(new RegExp(`^ +\\d\\d:\\d\\d:\\d\\d\\.\\d{3} +${action} `, "m"));
    }
    expect(report).toContain("Promises: all hold");
    expect(await answers(endpointIn(out))).toBe(false);
    expectNothingRepeated(out + report);
  },
  JOB_TIMEOUT_MS,
);

test(
  "the story on the screen is under 60 lines, ends with the next command, and says nothing of how fast an emulator is",
  async () => {
    const { out } = await whole.ended;
    // On a slow machine, lines such as "200 of 1,278" show life; they are no part of the story.
    const lines = out
      .trimEnd()
      .split("\n")
      .filter((line) => !/: [\d,]+ of [\d,]+$/.test(line));
    expect(lines.length).toBeLessThan(60);
    expect(lines.at(-1)).toBe("  npx payledger up");
    expect(out).toMatch(/(\d+) of \1 promises hold/);
    for (const code of ["RECORD_CHANGED", "RECORD_REMOVED", "RECORD_FORGED"]) expect(out).toContain(code);
    expect(out).not.toMatch(/a second|per second|write units|BROKEN/);
    expect(out).toContain(path.relative("", path.join(folder, "whole", "report.txt")));
    const commands = commandsIn(out);
    expect(commands).toHaveLength(1);
    expect(commandsIn(reportOf("whole"))).toContain(commands[0]);
  },
  JOB_TIMEOUT_MS,
);

test("without Python it says so in words, and ends with 2", () => {
  const [, ...words] = START;
  const bin = path.join(folder, "bin");
  mkdirSync(bin);
  symlinkSync(process.execPath, path.join(bin, "node"));
  const env = { PATH: bin, HOME: folder };
  const command = [...words, "--out", path.join(folder, "without")];
  const { status, stderr } = spawnSync(process.execPath, command, { cwd: PROJECT, env, encoding: "utf8" });
  expect(status).toBe(2);
  expect(stderr).toContain("Python");
  expect(stderr).not.toMatch(/^\s+at |Node\.js v/m);
});

test(
  "Ctrl-C ends the job and the embedded AWS",
  async () => {
    const { child, ended, said } = start("interrupted", []);
    await said("http://127.0.0.1:");
    child.kill("SIGINT");
    const { exitCode, out } = await ended;
    expect(exitCode).toBe(130);
    expect(out).toContain("SIGINT: stopping the embedded AWS");
    expect(await answers(endpointIn(out))).toBe(false);
  },
  JOB_TIMEOUT_MS,
);
