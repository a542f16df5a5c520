/**
 * The README's first screen, typed literally, against the embedded AWS: from a clone to the first own payment and its audit.
 * Beside it, what else a stranger runs against such an embedded AWS: the client package, the example for Python, and imports of old rows.
 */

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AttributeValue, CreateTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { PAYLEDGER } from "../cli/payledger";
import { embeddedState } from "../local/embedded-state";
import { untilExportable } from "../local/main-job/exports";
import { ensureVenv } from "../local/python";
import { textOf } from "./support/documents";
import { installPackedClient } from "./support/packed-client";
import { walk } from "./support/program-walk";
import { PROJECT } from "./support/project-files";
import { runInProcess } from "./support/run-in-process";
import type { ScriptResult } from "./support/run-script";

const SECTION = textOf("README.md").split("## Try it, without an AWS account")[1]?.split("\n## ")[0] ?? "";
const [, ownPayment = ""] = [...SECTION.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
const LINES = ownPayment.trimEnd().split("\n");

const folder = mkdtempSync(join(tmpdir(), "payledger-readme-"));
afterAll(() => {
  type("npx payledger down");
  rmSync(folder, { recursive: true, force: true });
});

const bin = join(folder, "bin");

function environment() {
  return {
    PATH: [bin, join(process.execPath, ".."), "/usr/bin", "/bin"].join(":"),
    HOME: folder,
    PAYLEDGER_STATE: join(folder, "state"),
    CDKTF_OUTDIR: join(folder, "cdktf.out"),
  };
}

/** A shell with nothing of the caller's settings; `npx payledger` is this clone's program, as npx finds it. */
function type(line: string): { code: number | null; out: string; err: string } {
  mkdirSync(bin, { recursive: true });
  const npx = `#!/bin/sh\n[ "$1" = payledger ] || exit 127\nshift\nexec node "${PROJECT}/cli/launch.cjs" "$@"\n`;
  writeFileSync(join(bin, "npx"), npx, { mode: 0o755 });
  const env = environment();
  const { status, stdout, stderr } = spawnSync("bash", ["-c", line], { cwd: folder, env, encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
}

/** The same without a shell and without a separate process, for what no newcomer types. */
function run(words: string): Promise<ScriptResult> {
  return runInProcess(PAYLEDGER, words.split(" "), { surroundings: { folder, variables: environment() } });
}

/** What each line must end with and say, in the README's order. */
const EXPECTED: readonly (readonly [begins: string, code: number, says: RegExp])[] = [
  ["npx payledger up", 0, /with \d+ resources[\s\S]*It is an emulator/],
  ["npx payledger pay", 0, /^txn-0001: stored/],
  ["npx payledger read", 0, /txn-0001 +10\.50 +EUR +Success/],
  ["npx payledger trail", 0, /WRITE +checkout +txn-0001 +stored[\s\S]*READ +support:maria +txn-0001 +returned/],
  ["npx payledger key", 0, /SHA-256 [0-9a-f]{64}/],
  ["npx payledger audit --first-visit", 0, /^TAIL-NOT-PINNED[\s\S]*First visit/],
  ["npx payledger tamper", 0, /was changed in the table/],
  ["npx payledger audit", 10, /^ALTERED[\s\S]*RECORD_CHANGED PaymentLedger txn-0001/],
  ["npx payledger down", 0, /is gone/],
];

/** Types the lines, each once, and compares what they end with and say. */
function typeLines(lines: readonly string[], expected: readonly (readonly [string, number, RegExp])[]): void {
  for (const [position, line] of lines.entries()) {
    const [, code, says] = expected[position] ?? ["", 0, /x/];
    const ended = type(line);
    expect({ line, ...ended }).toMatchObject({ line, code, out: expect.stringMatching(says) });
    expect(ended.err).not.toMatch(/^\s+at |token|tok_5f2c9a/m);
  }
}

/** Before the audit of the README's lines comes what else is recorded, so that the audit covers it. */
const BEFORE_AUDIT = EXPECTED.findIndex(([begins]) => begins === "npx payledger key");

/** The README's payment is recorded. */
let firstRecordedAt: Date;

test("each line does what the README says, and no line is left out: up to the audit", () => {
  expect(LINES.map((line, position) => line.startsWith(EXPECTED[position]?.[0] ?? "?"))).toEqual(LINES.map(() => true));
  expect(LINES).toHaveLength(EXPECTED.length);
  typeLines(LINES.slice(0, BEFORE_AUDIT), EXPECTED);
  firstRecordedAt = new Date();
}, 600_000);

/** What both sample programs print: the same payment again is a duplicate, another one under its id a conflict, no amount refused. */
const SAMPLE_PRINTS = [
  /^first: stored, audit record W~/,
  /^again: duplicate/,
  /^other amount: conflict: .* it differs in Amount$/,
  /^no amount: refused: INVALID_AMOUNT: /,
];

function expectLines(program: { code: number | null; out: string; err: string }, lines: readonly RegExp[]): void {
  expect(program).toMatchObject({ code: 0, err: "" });
  const printed = program.out.trimEnd().split("\n");
  expect(printed).toEqual(lines.map((line) => expect.stringMatching(line)));
}

test("the packed client: installed into an empty project it type-checks and handles every answer", () => {
  const { files, program, faults } = installPackedClient(join(folder, "shop"));
  expect(faults).toEqual([]);
  const kinds = new Set(files.map((file) => file.replace(/^dist\/types\/.*\.d\.ts$/, "declarations")));
  expect([...kinds].sort()).toEqual(["README.md", "declarations", "dist/LICENSE", "dist/index.js", "package.json"]);
  expectLines(type(`eval "$(npx payledger env --as payment-service)" && node --no-warnings ${program} dev`), [
    ...SAMPLE_PRINTS,
    /^read: 25\.00 EUR Success$/,
    /^unknown: notFound$/,
    /^refund: stored 5\.00$/,
  ]);
}, 180_000);

test("the example for Python handles every answer", async () => {
  const { python } = await ensureVenv({
    name: "emulator",
    requirementsFile: join(PROJECT, "local", "requirements.txt"),
  });
  const program = join(PROJECT, "samples", "clients", "payments.py");
  expectLines(type(`eval "$(npx payledger env --as payment-service)" && ${python} ${program} dev`), [
    ...SAMPLE_PRINTS,
    /^read: 80\.00 USD Success$/,
    /^refund: stored 5\.00$/,
  ]);
});

test("show draws the life of the payment that a sample refunded", async () => {
  const shown = await run("show invoice-2001 --json");
  expect(shown.code).toBe(0);
  expect(JSON.parse(shown.out)).toMatchObject({
    life: { State: { Captured: "80.00", RefundHeld: "5.00" }, openHolds: [{ EventID: "refund-2001" }] },
  });
  expect((await run("show invoice-2001")).out).toMatch(/^Life\n.*\n1 +REFUND_HELD \(grant\) +5\.00 USD.*open hold$/m);
});

/** A table of the old design, in which a clear token and a card number rest. */
async function makeOldTable(name: string, items: readonly Record<string, AttributeValue>[]): Promise<void> {
  const {
    AWS_ENDPOINT_URL = "",
    AWS_REGION = "",
    ...keys
  } = JSON.parse((await run("env --json")).out) as Record<string, string>;
  const credentials = {
    accessKeyId: keys["AWS_ACCESS_KEY_ID"] ?? "",
    secretAccessKey: keys["AWS_SECRET_ACCESS_KEY"] ?? "",
  };
  const dynamo = new DynamoDBClient({ endpoint: AWS_ENDPOINT_URL, region: AWS_REGION, credentials });
  const key = "TransactionID";
  await dynamo.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [{ AttributeName: key, KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: key, AttributeType: "S" }],
    }),
  );
  for (const Item of items) await dynamo.send(new PutItemCommand({ TableName: name, Item }));
  dynamo.destroy();
}

async function importOf(words: string): Promise<{ code: number; counts: object; codes: object; err: string }> {
  const { code, out, err } = await run(`import ${words} --actor migration --json`);
  return { code, err, ...(JSON.parse(out || "{}") as { counts: object; codes: object }) };
}

test("an import of an old table: recorded once and marked, card data refused; again, only duplicates", async () => {
  const old = (id: string, token: string): Record<string, AttributeValue> => ({
    ...{ TransactionID: { S: id }, SecureToken: { S: token }, Amount: { N: "10.5" }, ProcessorID: { S: "acme" } },
    ...{ Status: { S: "Success" }, Timestamp: { S: "2024-03-01T10:00:00.123456" } },
  });
  await makeOldTable("Payments2024", [
    old("old-1", "tok_old_41x"),
    old("old-2", "tok_old_42x"),
    old("old-3", "5105105105105100"),
  ]);
  const words = "calls table:Payments2024 --from Payments2024 --set Currency=EUR";
  expect(await importOf(words)).toMatchObject({
    code: 1,
    counts: { stored: 2, duplicate: 0, refused: 1 },
    codes: { CARD_DATA: 1 },
  });
  expect(await importOf(words)).toMatchObject({ code: 1, counts: { stored: 0, duplicate: 2, refused: 1 } });
  const report = ["report.json", "not-recorded.ndjson"].map((name) =>
    readFileSync(join(folder, "import", "Payments2024", name), "utf8"),
  );
  expect(report.join()).not.toMatch(/tok_old|5105105105105100|10\.5/);
  const shown = JSON.parse((await run("show old-1 --json")).out) as {
    rows: { rows: object[] };
    trail: { records: object[] };
  };
  expect(shown.rows.rows).toEqual([
    expect.objectContaining({ Amount: "10.50", Timestamp: "2024-03-01T10:00:00.123Z", ImportedFrom: "Payments2024" }),
  ]);
  expect(shown.trail.records).toContainEqual(
    expect.objectContaining({ Action: "WRITE", Actor: "migration", ImportedFrom: "Payments2024" }),
  );
  expect((await run("reveal old-1 --reason refund --actor migration")).out).toBe("tok_old_41x\n");
});

test("an import of files into the other books", async () => {
  const fileOf = (name: string, row: object): string => {
    writeFileSync(join(folder, name), JSON.stringify(row));
    return name;
  };
  const processed = { timestamp: 1709287200123, status: "processed", processedAt: "2024-03-01T10:00:00.123" };
  const [files, messages, events] = [
    fileOf("files.ndjson", { transactionId: "old-f", amount: 7.5, currency: "USD", cardLast4: "4242", ...processed }),
    fileOf("messages.ndjson", { paymentId: "old-m", amount: 12.5, timestamp: 1709287200 }),
    fileOf("events.ndjson", {
      user_id: "crm",
      timestamp: "2024-03-01T10:00:00Z",
      query_record_id: "old-f",
      query_result: "success",
    }),
  ];
  const stored = { code: 0, counts: { stored: 1, duplicate: 0, conflict: 0, refused: 0 } };
  expect(await importOf(`files ${files} --from files-2024`)).toMatchObject(stored);
  expect(await importOf(`messages ${messages} --from messages-2024`)).toMatchObject(stored);
  expect(await importOf(`events ${events} --from events-2024`)).toMatchObject(stored);
  expect(await importOf(`events ${events} --from events-2024`)).toMatchObject({ code: 0, counts: { duplicate: 1 } });
  expect((await run("read old-f --book files --json")).out).toMatch(
    /"originallyProcessedAt": "2024-03-01T10:00:00.123Z"/,
  );
  expect((await run("trail old-m")).out).toMatch(/WRITE +migration +old-m +stored \(imported from messages-2024\)/);
});

test("the README's other lines: the audit finds all of it in order, and then the tampered payment alone", async () => {
  typeLines(LINES.slice(BEFORE_AUDIT, -1), EXPECTED.slice(BEFORE_AUDIT));
  const { entries } = JSON.parse((await run("show old-1 --json")).out) as { entries: object[] };
  const sealed = (table: string) => expect.objectContaining({ kind: "RECORD", table });
  expect(entries).toEqual(expect.arrayContaining([sealed("PaymentLedger"), sealed("PaymentAuditTrail")]));
}, 600_000);

test("every command of payledger answers as JSON, with its exit code, and without a stack trace", async () => {
  // The caller's path is used: `doctor` looks for programs there.
  const { PATH: _path, ...variables } = environment();
  const state = await embeddedState(variables.PAYLEDGER_STATE);
  if (state === undefined) throw new Error("The embedded AWS of the lines above is not up.");
  // A backup's check compares what is older than the full minute of the export.
  await untilExportable(firstRecordedAt);
  const place = mkdtempSync(join(folder, "walk-"));
  cpSync(join(folder, "audit"), join(place, "audit"), { recursive: true });
  const all = await walk(place, { state, variables });
  const wrong = all
    .map(([{ words, codes }, ended]) => ({ words, codes, ...foundIn(ended) }))
    .filter(({ codes, code, isJson, trace }) => !codes.includes(code) || !isJson || trace !== "");
  expect(all.length).toBeGreaterThan(50);
  expect(wrong).toEqual([]);
}, 300_000);

/** The answer is on standard output; of an error it is on the error channel, below what the command has told before. */
function foundIn({ code, out, err }: ScriptResult): { code: number; isJson: boolean; trace: string } {
  const answer = out !== "" ? out : (err.trimEnd().split("\n").at(-1) ?? "");
  const trace = `${out}\n${err}`
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .join("\n");
  try {
    JSON.parse(answer);
    return { code, isJson: true, trace };
  } catch {
    return { code, isJson: false, trace: trace || err || out };
  }
}

test("the last line ends it; the same again has nothing to end", () => {
  typeLines(LINES.slice(-1), EXPECTED.slice(-1));
  const again = type("npx payledger down --json");
  expect(again).toMatchObject({ code: 0, err: "" });
  expect(JSON.parse(again.out)).toEqual({ stopped: null });
});
