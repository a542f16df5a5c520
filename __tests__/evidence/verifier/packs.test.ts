/** Packs in place of bundles and beside them: the same findings, every damage named or made up for, and few requests. */

import { hash } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fetchEvidence } from "../../../evidence/commands/fetch";
import { PACK_BYTES_MAX, packPath } from "../../../evidence/log/paths";
import { type EvidenceFolder, endsOf } from "../../../evidence/verifier/evidence";
import { Findings } from "../../../evidence/verifier/findings";
import { localEvidence } from "../../../evidence/verifier/local-evidence";
import { tileReader, treeRoot } from "../../../evidence/verifier/merkle-tree";
import { checkPacksFollow, packsListed, withPacks } from "../../../evidence/verifier/packs";
import type { Run } from "../../../evidence/verifier/run";
import { verifyLog } from "../../../evidence/verifier/verify";
import { bundleOf, type Files, logKey, memoryEvidence, NaiveLog, recordEntry, treeHash } from "../../support/naive-log";

const key = logKey("packs");
const PACK = 65_536;
const SIZE = PACK + 600;

/** A pack, and entries behind it. */
const log = new NaiveLog([key]);
for (let at = 0; at < SIZE; at++) {
  const commitment = hash("sha256", String(at), "base64url");
  log.add(recordEntry({ table: "PaymentLedger", key: [`payment-${at}`], commitment }));
}
log.publish();
const ALL: Files = log.files;

const isUnderPack = (name: string) => {
  const [, index] = /^tile\/(?:0|entries)\/([0-9]{3})$/.exec(name) ?? [];
  return index !== undefined && Number(index) < 256;
};
/** As `fetch` copies it. */
const ONLY_PACKS: Files = new Map([...ALL].filter(([name]) => !isUnderPack(name)));

const FOLDERS = {
  "packs beside bundles": (files: Files) => withPacks(memoryEvidence(files)),
  "packs in place of bundles that are there": (files: Files) => withPacks(memoryEvidence(files), () => true),
  "packs alone": (files: Files) =>
    withPacks(memoryEvidence(new Map([...files].filter(([name]) => !isUnderPack(name))))),
};

/** What was found about the evidence; nothing else can be, without exports. */
async function found(evidence: EvidenceFolder, blockHeight = 16): Promise<string[]> {
  const { findings } = await verifyLog({ evidence, sources: [], keys: [key.vkey], blockHeight, namedMax: 5 });
  const about = findings.filter(({ code }) => code !== "NOT_PINNED" && !code.startsWith("NOTHING"));
  return about.map(({ verdict, code, message }) => `${verdict} ${code} ${message}`);
}

const BASE = found(memoryEvidence(ALL));

test("a verifier accepts every entry of the log that these tests damage", async () => {
  expect((await BASE).filter((finding) => /BAD_ENTRY|^altered/.test(finding))).toEqual([]);
});

type Damage = (files: Files) => void;
function edited(change: Damage): Files {
  const files = new Map(ALL);
  change(files);
  return files;
}
const changed = (name: string, change: (bytes: Buffer) => Buffer): Damage => {
  return (files) => files.set(name, change(Buffer.from(files.get(name) ?? "")));
};
const flipped = (place: number) => (bytes: Buffer) => {
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  return bytes;
};

/** What is found beyond that of an undamaged log. */
async function beyondBase(evidence: EvidenceFolder, blockHeight?: number): Promise<string[]> {
  const base = new Set(await BASE);
  return (await found(evidence, blockHeight)).filter((finding) => !base.has(finding));
}

test.each([
  ["packs beside bundles", 16],
  ["packs in place of bundles that are there", 16],
  ["packs alone", 16],
  ["packs alone", 8],
] as const)("%s: the findings are those of the bundles, in blocks of 2^%i entries", async (name, blockHeight) => {
  expect(await found(FOLDERS[name](ALL), blockHeight)).toEqual(await BASE);
});

const FORM = "altered EVIDENCE_ALTERED packs/000: it does not consist of 65536 entries, each behind its length.";
const DAMAGES: readonly [string, Damage][] = [
  ["a flipped bit in an entry", changed("packs/000", flipped(1_000_000))],
  ["a flipped bit in a length", changed("packs/000", flipped(1))],
  ["the last entry cut off", changed("packs/000", (bytes) => bytes.subarray(0, bytes.length - 230))],
  ["a byte more", changed("packs/000", (bytes) => Buffer.concat([bytes, Buffer.from([0])]))],
  ["other entries of the same log", changed("packs/000", () => bundleOf(log.entries.slice(600)))],
];

// The length is checked in one place, for all readers; fetch meets every kind below.
describe.each(DAMAGES.filter(([what]) => !/cut off|byte more/.test(what)))("a pack with %s", (what, damage) => {
  test("beside its bundles: named as altered, and the entries are still checked", async () => {
    const findings = await beyondBase(FOLDERS["packs beside bundles"](edited(damage)));
    expect(findings.length).toBeGreaterThan(0);
    for (const finding of findings) expect(finding).toMatch(/^altered EVIDENCE_ALTERED packs\/000: /);
  });

  test("in place of its bundles: altered, and from the bundles where it has another form", async () => {
    const findings = await beyondBase(FOLDERS["packs in place of bundles that are there"](edited(damage)));
    if (/flipped bit in an entry|other entries/.test(what)) {
      expect(findings).toContainEqual(
        expect.stringMatching(/^altered EVIDENCE_ALTERED tile\/1\/000: .*packs\/000 holds/),
      );
      expect(findings).toContainEqual(expect.stringMatching(/^altered ROOT_DIFFERS/));
    } else expect(findings).toEqual([FORM]);
  });

  test("alone: altered, and nothing passes as read", async () => {
    const findings = await beyondBase(FOLDERS["packs alone"](edited(damage)));
    expect(findings).toContainEqual(expect.stringMatching(/^altered (EVIDENCE_ALTERED .*packs\/000|ROOT_DIFFERS)/));
    expect(findings.length).toBeGreaterThan(1);
  });
});

test("a pack that is gone: its bundles are read where there are any", async () => {
  const without = edited((files) => files.delete("packs/000"));
  expect(await beyondBase(FOLDERS["packs in place of bundles that are there"](without))).toEqual([]);
  const alone = await beyondBase(FOLDERS["packs alone"](without));
  expect(alone).toContainEqual(
    expect.stringMatching(/^incomplete EVIDENCE_MISSING tile\/entries\/[0-9]+ is not there/),
  );
});

test("bundles and tiles beside a pack are looked at, unless packs are read in their place", async () => {
  const bundle = edited(changed("tile/entries/007", flipped(100)));
  const tile = edited(changed("tile/0/030", flipped(100)));
  const lost = edited((files) => files.delete("tile/0/030"));
  const beside = FOLDERS["packs beside bundles"];
  expect(await beyondBase(beside(bundle))).toContainEqual(expect.stringMatching(/^altered ROOT_DIFFERS/));
  expect(await beyondBase(beside(tile))).toEqual([
    "altered EVIDENCE_ALTERED tile/0/030: its hashes are not those of the entries.",
  ]);
  // It follows from the entries, as in a copy that has packs alone.
  expect(await beyondBase(beside(lost))).toEqual([]);
  const all = new Map([...bundle, ["tile/0/030", Buffer.from("no tile")] as const]);
  expect(await beyondBase(FOLDERS["packs in place of bundles that are there"](all))).toEqual([]);
});

test("a pack that is not there is missing where an earlier one is, unless its entries are too large for one", async () => {
  const missing = async (packs: readonly number[], bundleBytes: number) => {
    const findings = new Findings({ namedMax: 5, acknowledge: () => undefined });
    const evidence: EvidenceFolder = {
      name: "a bucket",
      read: async () => Buffer.alloc(bundleBytes),
      list: async function* () {
        for (const pack of packs) yield packPath(pack);
      },
    };
    await checkPacksFollow({ evidence, findings, checkDeadline: () => {} } as unknown as Run, 4 * PACK + 300);
    return findings.list.map(({ verdict, code, message }) => [verdict, code, message.slice(0, 9)]);
  };
  expect(await missing([0, 1, 2, 3], 9)).toEqual([]);
  expect(await missing([0, 2], 9)).toEqual([
    ["incomplete", "EVIDENCE_MISSING", "packs/001"],
    ["incomplete", "EVIDENCE_MISSING", "packs/003"],
  ]);
  // A log that is older than packs has none for its first entries.
  expect(await missing([2, 3, 4], 9)).toEqual([]);
  expect(await missing([], 9)).toEqual([]);
  expect(await missing([0, 3], PACK_BYTES_MAX / 256 + 1)).toEqual([]);
  expect(await missing([0, 3], PACK_BYTES_MAX / 256)).toHaveLength(2);
});

test("other names below packs/, and packs behind the end of the tree, are ignored", async () => {
  const names = [
    "packs/001",
    "packs/000",
    "packs/003",
    "packs/x001/002",
    "packs/0.5",
    "packs/1",
    "packs/000.p/7",
    "packs/../000",
    "packs/",
  ];
  expect(
    await packsListed(memoryEvidence(new Map(names.map((name) => [name, Buffer.alloc(0)]))), 3 * PACK - 1),
  ).toEqual(new Set([0, 1]));
  expect([...(await packsListed(memoryEvidence(new Map([["packs/x001/002", Buffer.alloc(0)]])), 1003 * PACK))]).toEqual(
    [1002],
  );
});

test("of a pack of millions of empty entries no more lengths are read than a pack has", () => {
  const hostile = Buffer.alloc(1_000_000);
  const reading = jest.spyOn(hostile, "readUInt16BE");
  expect(() => endsOf(hostile, 1_000, "packs/000")).toThrow("packs/000: it does not consist of 1000 entries");
  expect(reading).toHaveBeenCalledTimes(1_000);
});

describe("on a disk", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-packs-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The bucket with changes, and how often an object of it was asked for. */
  function watched(files: Files = ALL): EvidenceFolder & { readonly reads: string[] } {
    const reads: string[] = [];
    const evidence = memoryEvidence(files);
    const read = (name: string) => {
      reads.push(name);
      return evidence.read(name);
    };
    return { ...evidence, reads, read };
  }

  test("fetch takes a pack in place of 512 objects; the copy proves what the bucket does", async () => {
    const source = watched();
    const to = path.join(folder, "packs");
    const { fetched } = await fetchEvidence(source, to);
    expect(fetched).toBe(ONLY_PACKS.size - 1);
    expect(source.reads.length).toBeLessThan(20);
    expect(existsSync(path.join(to, "tile/entries/000"))).toBe(false);
    const copy = localEvidence(to);
    expect(await found(copy)).toEqual(await BASE);
    expect(await treeRoot(tileReader(copy, SIZE), 65_001)).toEqual(treeHash(log.entries.slice(0, 65_001)));
    expect((await fetchEvidence(watched(), to)).fetched).toBe(0);
  });

  test("fetch with tiles copies every object, into a copy of packs too", async () => {
    const to = path.join(folder, "packs");
    expect((await fetchEvidence(watched(), to, undefined, undefined, true)).fetched).toBe(512);
    for (const name of ALL.keys()) expect([name, existsSync(path.join(to, name))]).toEqual([name, true]);
    expect(await found(localEvidence(to))).toEqual(await BASE);
  });

  test("a bundle that was changed in the copy is named with its pack; without both, fetch repairs the copy", async () => {
    const to = path.join(folder, "packs");
    writeFileSync(path.join(to, "tile/entries/007"), flipped(100)(Buffer.from(ALL.get("tile/entries/007") ?? "")));
    const message = expect.stringMatching(/^packs\/000: .* tile\/entries\/007\. Remove the files that are named here/);
    await expect(fetchEvidence(watched(), to)).rejects.toMatchObject({ code: "COPY_DAMAGED", message });
    for (const name of ["packs/000", "tile/entries/007"]) rmSync(path.join(to, name));
    expect((await fetchEvidence(watched(), to)).fetched).toBe(1);
    expect(await found(localEvidence(to))).toEqual(await BASE);
  });

  test.each(DAMAGES)("fetch refuses a bucket that holds a pack with %s, and names it", async (_, damage) => {
    const fetching = fetchEvidence(watched(edited(damage)), path.join(folder, "damaged"));
    const message = expect.stringMatching(/packs\/000/);
    await expect(fetching).rejects.toMatchObject({ code: "COPY_DAMAGED", message });
    rmSync(path.join(folder, "damaged"), { recursive: true });
  });
});
