/** What somebody under audit may hand over instead of files: each ends in a verdict, soon and in bounded memory. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { ItemDigester } from "../../../evidence/verifier/digest";
import { maxBytesOf } from "../../../evidence/verifier/evidence";
import { exportSources } from "../../../evidence/verifier/export-source";
import { localEvidence } from "../../../evidence/verifier/local-evidence";
import type { VerificationReport } from "../../../evidence/verifier/report";
import { verifyLog } from "../../../evidence/verifier/verify";
import { ItemError, parseStrictly } from "../../../ledger/exports/lines";
import { FileError, readRegularFile } from "../../../ledger/files/regular-file";
import { type BuiltWorld, buildWorld, md5Of } from "../../support/log-world";
import { type Files, NaiveLog } from "../../support/naive-log";
import { paymentRow } from "../../support/stored-records";
import { Draft, key, NOW, witness } from "../../support/verified-world";

const top = mkdtempSync(path.join(tmpdir(), "payment-ledger-hostile-"));
afterAll(() => rmSync(top, { recursive: true }));

const built: BuiltWorld = buildWorld([key], witness, false);

/** The world's files in a folder of this name. */
function onDisk(name: string): { readonly folder: string; readonly evidence: string } {
  const folder = path.join(top, name);
  const put = (files: Files, under: string) => {
    for (const [file, bytes] of files) {
      const place = path.join(folder, under, ...file.split("/"));
      mkdirSync(path.dirname(place), { recursive: true });
      writeFileSync(place, bytes);
    }
  };
  put(built.evidence, "evidence");
  put(built.exports, "");
  return { folder, evidence: path.join(folder, "evidence") };
}

const sound = onDisk("sound");

async function verify({ folder, evidence }: ReturnType<typeof onDisk>): Promise<VerificationReport> {
  return verifyLog({
    evidence: localEvidence(evidence),
    ...(await exportSources(path.join(folder, "exports"))),
    keys: [key.vkey],
    witnessKeys: [witness.vkey],
    settleMs: 0,
    now: NOW,
  });
}

type Replace = (place: string) => void;
const REPLACEMENTS: readonly [string, Replace][] = [
  ["a pipe", (place) => execFileSync("mkfifo", [place])],
  ["a link to an endless device", (place) => symlinkSync("/dev/zero", place)],
  ["a link to a file", (place) => symlinkSync("/etc/hostname", place)],
  ["a link to nothing", (place) => symlinkSync("/nowhere/at/all", place)],
  ["a folder", (place) => mkdirSync(place)],
  [
    "a file of a terabyte",
    (place) => {
      writeFileSync(place, "");
      truncateSync(place, 2 ** 40);
    },
  ],
];
const EVIDENCE = [
  "checkpoint",
  [...built.evidence.keys()].find((name) => name.startsWith("checkpoints/")) ?? "",
  [...built.evidence.keys()].findLast((name) => name.startsWith("cosignatures/")) ?? "",
  `keys/${key.keyId}.vkey`,
  "tile/0/000",
  "tile/entries/000",
];
const EXPORT = ["data/part0.json.gz", "manifest-summary.json", "manifest-files.json", "manifest-summary.md5"].map(
  (ending) => [...built.exports.keys()].find((name) => name.endsWith(ending)) ?? "",
);

test("the files are sound before", async () => {
  expect((await verify(sound)).verdict).toBe("ok");
});

describe.each(REPLACEMENTS)("%s instead of", (what, replace) => {
  // Keys in the evidence are no keys to trust: a folder without them is as good.
  const needed = EVIDENCE.filter((name) => !(what === "a folder" && name.startsWith("keys/")));
  /** The verdict while another thing is in this place. */
  async function verdictWith(place: string): Promise<string> {
    const bytes = readFileSync(place);
    rmSync(place);
    replace(place);
    const { verdict } = await verify(sound);
    rmSync(place, { recursive: true });
    writeFileSync(place, bytes);
    return verdict;
  }

  test.each(needed)("%s of the evidence is never ok, and never waited for", async (name) => {
    expect(await verdictWith(path.join(sound.evidence, ...name.split("/")))).not.toBe("ok");
  });

  test.each(EXPORT)("%s of an export is never ok, and never waited for", async (name) => {
    expect(await verdictWith(path.join(sound.folder, ...name.split("/")))).not.toBe("ok");
  });
});

test("a folder that is a link is not followed, and one of great depth is not walked", async () => {
  const linked = onDisk("linked");
  rmSync(path.join(linked.evidence, "tile"), { recursive: true });
  symlinkSync(path.join(sound.evidence, "tile"), path.join(linked.evidence, "tile"));
  const report = await verify(linked);
  expect(report.verdict).toBe("altered");
  expect(report.findings[0]?.message).toContain("links are not followed");
  const deep = onDisk("deep");
  const levels = Array(300).fill("d").join("/");
  mkdirSync(path.join(deep.evidence, "tile", levels), { recursive: true });
  mkdirSync(path.join(deep.folder, "exports", levels), { recursive: true });
  const walked = await verify(deep);
  expect(walked.findings).toMatchObject([
    { code: "SOURCE_PROBLEM", message: expect.stringContaining("deeper than any") },
  ]);
});

test("each kind of object has its own greatest length", () => {
  expect(maxBytesOf("tile/0/000")).toBe(8192);
  expect(maxBytesOf("tile/entries/000")).toBe(256 * 65_537);
  expect(maxBytesOf("checkpoint")).toBe(1024 * 1024);
  const place = path.join(top, "file");
  writeFileSync(place, "12345");
  expect(readRegularFile(place, 5)?.toString()).toBe("12345");
  expect(() => readRegularFile(place, 4)).toThrow(FileError);
  expect(readRegularFile(path.join(top, "absent"), 5)).toBeUndefined();
});

describe("a line of an export", () => {
  const item = paymentRow("pay-1", "2025-11-21T10:00:00.000Z");
  const digester = () => new ItemDigester("PaymentLedger");

  /** The report on an export whose first data file holds this line in place of its first line. */
  async function reportOn(line: string): Promise<VerificationReport> {
    const draft = new Draft(built);
    draft.changeLines("PaymentLedger", ([_first, ...rest]) => [line, ...rest]);
    return draft.verify();
  }

  test("of a text of nine million characters is a finding", async () => {
    const report = await reportOn(JSON.stringify({ Item: { ...item, Amount: { S: "9".repeat(9_000_000) } } }));
    expect(report.verdict).not.toBe("ok");
    expect(report.findings.map(({ message }) => message).join()).toContain("longer than any item");
  });

  test("of seven million characters, quotes or backslashes is a record as any other", () => {
    for (const character of ["9", '"', "\\", "é", "\u0001"]) {
      const text = JSON.stringify({ ...item, Amount: { S: character.repeat(1_200_000) } });
      expect(digester().take(text).keyText).toBe("pay-1");
    }
  });

  test("of 200,000 attributes takes one pass, and so does each line after it", () => {
    const many = Object.fromEntries(Array.from({ length: 200_000 }, (_, each) => [`a${each}`, { S: "" }]));
    const text = JSON.stringify({ ...item, ...many });
    const each = digester();
    for (let time = 0; time < 2; time++) expect(each.take(text).commitment).toMatch(/^.{43}$/);
  });

  test.each([
    ["lists", "[".repeat(100_000) + "]".repeat(100_000)],
    ["maps", `${'{"M":'.repeat(100_000)}1${"}".repeat(100_000)}`],
  ])("nested 100,000 %s deep is refused", (_what, nested) => {
    expect(() => digester().take(`{"TransactionID":${nested}}`)).toThrow(ItemError);
    expect(() => parseStrictly(nested)).toThrow(ItemError);
  });

  test("is counted: a file of many more lines than items is not read to its end", async () => {
    const draft = new Draft(built);
    const data = [...draft.exports.keys()].find((name) => name.endsWith("part0.json.gz")) ?? "";
    const bytes = gzipSync("\n".repeat(5_000_000));
    draft.exports.set(data, bytes);
    expect(md5Of(bytes)).toMatch(/=$/);
    const report = await draft.verify();
    expect(report.findings.map(({ message }) => message).join()).toContain("many more lines than its manifest says");
  });
});

test("names twice in a line are found, wherever quotes and escapes are", () => {
  for (const text of [
    '{"a":"\\"","a":1}',
    '{"a":{"b":1, "b" :2}}',
    '{"\\\\":1,"\\\\":2}',
    '{"a":"x:y","b":"\\\\\\"","b":0}',
  ]) {
    expect(() => parseStrictly(text)).toThrow("It names a member twice.");
  }
  for (const text of ['{"a":"\\":\\":"}', '{"a":["b","c"],"d":"e\\\\"}', '{"":""}', '"a"', '{"a\\"":1,"a":2}'])
    expect(parseStrictly(text)).toEqual(JSON.parse(text));
});

test("150 planted entries push no real finding out of the report", async () => {
  const draft = new Draft(built);
  const steps = [...draft.world.log.steps];
  const last = steps.findLastIndex(({ kind }) => kind === "heartbeat");
  const planted = Array.from({ length: 150 }, (_, each) => ({
    kind: "entry" as const,
    entry: {
      kind: "TAMPER" as const,
      table: "PaymentLedger" as const,
      key: [`never-was-${each}`],
      version: "1",
      sequence: String(300_000_000_000_000_000_000n + BigInt(each)),
      commitment: each % 2 === 0 ? "" : "A".repeat(43),
      previous: `${"B".repeat(42)}A`,
    },
  }));
  draft.evidence = new Map(NaiveLog.replay([...steps.slice(0, last), ...planted, ...steps.slice(last)], [key]).files);
  draft.changeItem("PaymentLedger", "pay-60", () => undefined);
  const streamed: string[] = [];
  const report = await draft.verify({
    lastCheckpoint: draft.earlierCheckpoint(),
    onFinding: ({ code, key: own }) => streamed.push(`${code} ${own}`),
  });
  const [first] = report.findings.filter(({ key: own }) => own !== undefined);
  expect(first).toMatchObject({ verdict: "missing", code: "RECORD_MISSING", key: ["pay-60"] });
  expect(report.further.missing + report.further.altered).toBe(0);
  for (let each = 0; each < 150; each++) {
    const code = each % 2 === 0 ? "RECORD_REMOVED" : "RECORD_CHANGED";
    expect(streamed).toContain(`${code} never-was-${each}`);
  }
  const few = await draft.verify({ lastCheckpoint: draft.earlierCheckpoint(), namedMax: 3 });
  expect(few.findings).toContainEqual(expect.objectContaining({ code: "RECORD_MISSING", key: ["pay-60"] }));
  expect(few.further.missing).toBeGreaterThan(60);
});
