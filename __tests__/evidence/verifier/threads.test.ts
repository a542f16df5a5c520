/** The report is the same, finding by finding, for any number of threads: over worlds that were changed in every way. */

import { hash } from "node:crypto";
import path from "node:path";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { exportSources } from "../../../evidence/verifier/export-source";
import { localEvidence } from "../../../evidence/verifier/local-evidence";
import type { StartThread, ThreadMessage } from "../../../evidence/verifier/parallel-reading";
import { readShared } from "../../../evidence/verifier/part-reader";
import { type VerifyOptions, verifyLog } from "../../../evidence/verifier/verify";
import { buildVerifier } from "../../../tools/build-verifier";
import { FolderOnDisk, onDisk, at as timeAt } from "../../support/log-world";
import { type Files, NaiveLog, recordEntry } from "../../support/naive-log";
import { Draft, genuineDraft, incrementalDraft, key, NOW } from "../../support/verified-world";

/** Folder of the evidence, beside the exports. */
const EVIDENCE = "evidence";

/** Of all tests, one after the other: their worlds differ in a file or two. */
const disk = new FolderOnDisk();
afterAll(() => disk.remove());

const genuine = genuineDraft();
const incremental = incrementalDraft();

/** A thread as the verifier starts it, in this process: what it reports is copied as between threads. */
const inProcess: StartThread = (work, onResult) => ({
  sums: readShared(structuredClone(work), (result) => onResult(structuredClone(result))).then((sums) =>
    structuredClone(sums),
  ),
  stop: () => {},
});

/** The report, and every finding in the order in which it was found, for each number of threads. */
async function reports(draft: Draft, threadCounts: readonly number[], options: Partial<VerifyOptions> = {}) {
  const { folder } = disk;
  const evidence = new Map([...draft.evidence].map(([name, bytes]) => [`${EVIDENCE}/${name}`, bytes]));
  disk.write(new Map([...draft.exports, ...evidence]));
  const found = [];
  for (const count of threadCounts) {
    const streamed: unknown[] = [];
    const report = await verifyLog({
      evidence: localEvidence(path.join(folder, EVIDENCE)),
      ...(await exportSources(path.join(folder, "exports"))),
      keys: [key.vkey],
      settleMs: 0,
      now: NOW,
      blockHeight: 8,
      ...draft.options,
      threads: { count, start: inProcess, unitsEach: 0 },
      onFinding: (finding, reason) => streamed.push([finding, reason]),
      ...options,
    });
    found.push({ report, streamed });
  }
  return found;
}

/** Fewer than there are parts and blocks, and as many as take one each or none. */
const threadCounts = fc.constantFrom(2, 3, 3, 9);

type Change = (lines: string[], at: number) => string[];
/** What somebody may do to the lines of a data file. */
const CHANGES: Readonly<Record<string, Change>> = {
  dropped: (lines, at) => lines.filter((_, index) => index !== at),
  doubled: (lines, at) => [...lines, lines[at] ?? ""],
  altered: (lines, at) => lines.map((line, index) => (index === at ? line.replace(/"S":"/, '"S":"x') : line)),
  broken: (lines, at) => lines.map((line, index) => (index === at ? line.slice(1) : line)),
  "not an item": (lines, at) => lines.map((line, index) => (index === at ? '{"Item":{"a":1}}' : line)),
  reversed: (lines) => [...lines].reverse(),
  emptied: () => [],
};

const change = fc.record({
  file: fc.nat(),
  line: fc.nat(),
  what: fc.constantFrom(...Object.keys(CHANGES)),
  /** Whether the manifests say the same, or the damage shows. */
  isHidden: fc.boolean(),
});

/** What somebody may do to a file of the evidence. */
const DAMAGES: Readonly<Record<string, (bytes: Buffer, at: number) => Buffer | undefined>> = {
  flipped: (bytes, at) => {
    const changed = Buffer.from(bytes);
    changed[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 1;
    return changed;
  },
  cut: (bytes, at) => bytes.subarray(0, at % bytes.length),
  gone: () => undefined,
};

const damage = fc.record({ file: fc.nat(), at: fc.nat(), what: fc.constantFrom(...Object.keys(DAMAGES)) });
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

function inflict(files: Files, { file, at, what }: Damage): void {
  const name = [...files.keys()][file % files.size] ?? "";
  const bytes = DAMAGES[what]?.(files.get(name) ?? Buffer.alloc(1), at);
  if (bytes === undefined) files.delete(name);
  else files.set(name, bytes);
}

test("any damage of a log of many blocks: the same report and the same findings in the same order", async () => {
  const log = new NaiveLog([key]);
  for (let minute = 0; minute < 8; minute++) {
    for (let at = 0; at < 170 + minute * 20; at++) {
      const kind = at % 30 === 0 ? "FORGED" : "RECORD";
      const commitment = hash("sha256", `${minute} ${at}`, "base64url");
      log.add(recordEntry({ kind, table: "PaymentLedger", key: [`payment-${minute}-${at}`], commitment }));
    }
    log.heartbeat(timeAt(minute * 60));
    log.publish();
  }
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { maxLength: 3 }), threadCounts, async (damages, count) => {
      const draft = new Draft({ ...genuine.built, evidence: new Map(log.files) });
      for (const each of damages) inflict(draft.evidence, each);
      const [one, many] = await reports(draft, [1, count], { lastCheckpoint: log.checkpointAt(300) });
      expect(one?.streamed.length).toBeGreaterThan(0);
      expect(many).toEqual(one);
    }),
    { numRuns: 10 },
  );
  const draft = new Draft({ ...genuine.built, evidence: log.files });
  const [one, two] = await reports(draft, [1, 2]);
  const [three] = await reports(draft, [1], { threads: { count: 3, unitsEach: 0 } });
  expect(one?.streamed.filter((each) => JSON.stringify(each).includes("RECORD_FORGED")).length).toBeGreaterThan(50);
  expect(two).toEqual(one);
  // In threads of Node.js.
  expect(three).toEqual(one);
});

test("a block that a thread cannot read ends the verification with its error", async () => {
  const failing: StartThread = () => ({ sums: Promise.reject(new Error("no memory is left")), stop: () => {} });
  const draft = new Draft(genuine.built);
  // It takes the first block, and ends.
  const taking: StartThread = (work, onResult) => {
    Atomics.add(new Int32Array(work.taken), 0, 1);
    return failing(work, onResult);
  };
  const reading = reports(draft, [2], { threads: { count: 2, start: taking, unitsEach: 0 } });
  await expect(reading).rejects.toThrow("no memory is left");
});

test("any changes of the exports: the same report and the same findings in the same order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(genuine, incremental),
      fc.array(change, { maxLength: 6 }),
      threadCounts,
      async ({ built }, changes, count) => {
        const draft = new Draft(built);
        const files = [...draft.exports.keys()].filter((name) => name.includes("/data/"));
        for (const { file, line, what, isHidden } of changes) {
          const name = files[file % files.length] ?? "";
          const lines = draft.linesOf(name);
          draft.setLines(name, CHANGES[what]?.(lines, line % Math.max(1, lines.length)) ?? []);
          if (isHidden) draft.rewriteManifests(name);
        }
        const [one, many] = await reports(draft, [1, count]);
        expect(many).toEqual(one);
      },
    ),
    { numRuns: 15 },
  );
});

test("a data file that is damaged or gone, and more bad lines than a thread keeps", async () => {
  const draft = new Draft(incremental.built);
  const [first = "", second = "", third = ""] = [...draft.exports.keys()].filter((name) => name.includes("/data/"));
  draft.setLines(
    first,
    Array.from({ length: 1_500 }, (_, index) => `{"Item":{"bad":${index}}}`),
  );
  draft.rewriteManifests(first);
  draft.exports.set(second, Buffer.from("no gzip"));
  draft.exports.delete(third);
  const [one, ...others] = await reports(draft, [1, 2, 3, 8]);
  expect(one?.streamed.length).toBeGreaterThan(1_500);
  for (const other of others) expect(other).toEqual(one);
});

test("a log that is not the signed one ends the reading of the records, whatever the threads have read", async () => {
  const draft = new Draft(genuine.built);
  draft.evidence.set("tile/entries/000", Buffer.from(draft.evidence.get("tile/entries/000") ?? "").fill(0, 2, 3));
  const [one, two] = await reports(draft, [1, 2]);
  expect(one?.report.counts.records).toBe(0);
  expect(two).toEqual(one);
});

test("threads of Node.js report the same, and their end is waited for", async () => {
  const draft = new Draft(incremental.built);
  draft.changeItem("PaymentLedger", "pay-5", () => undefined);
  const [one] = await reports(draft, [1]);
  const [three] = await reports(draft, [3], { threads: { count: 3, unitsEach: 0 } });
  expect(three).toEqual(one);
  expect(one?.report.verdict).toBe("missing");
});

test("the bundled program, started in a thread, reads the shared parts and runs no command", async () => {
  await onDisk(genuine.exports, async (folder) => {
    const program = path.join(folder, "evidence.js");
    buildVerifier(program);
    const { sources } = await exportSources(folder);
    const parts = sources.flatMap((source) => source.parts ?? []);
    const work = { parts, runKey: Buffer.alloc(32, 1), taken: new SharedArrayBuffer(4) };
    const worker = new Worker(program, {
      workerData: { sharedWork: work },
      argv: ["verify"],
      stdout: true,
      stderr: true,
    });
    const messages: ThreadMessage[] = [];
    worker.on("message", (message: ThreadMessage) => messages.push(message));
    const code = await new Promise((resolve) => worker.on("exit", resolve));
    expect(code).toBe(0);
    expect(messages.flatMap((each) => ("index" in each ? [each.index] : []))).toEqual(parts.map((_, index) => index));
    expect(messages.at(-1)).toHaveProperty("sums");
    expect(worker.stdout.read() ?? worker.stderr.read()).toBeNull();
  });
});
