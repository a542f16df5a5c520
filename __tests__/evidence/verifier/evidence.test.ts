import {
  asOfNow,
  EvidenceError,
  type EvidenceFolder,
  endsOf,
  entriesOf,
  readBundle,
  readTile,
  storedHead,
} from "../../../evidence/verifier/evidence";
import { localEvidence } from "../../../evidence/verifier/local-evidence";
import { onDisk } from "../../support/log-world";
import { bundleOf, type Files, logKey, memoryEvidence, NaiveLog } from "../../support/naive-log";

const log = new NaiveLog([logKey("log")]);
for (let each = 0; each < 300; each++) {
  log.heartbeat("2026-11-21T10:00:00.000Z");
  if (each === 99 || each === 299) log.publish();
}

async function listed(evidence: EvidenceFolder, prefix: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const path of evidence.list(prefix)) paths.push(path);
  return paths.sort();
}

test("a folder on disk is read and listed by prefix; what is not there is undefined", async () => {
  await onDisk(log.files, async (folder) => {
    const evidence = localEvidence(folder);
    expect(await evidence.read("checkpoint")).toEqual(log.files.get("checkpoint"));
    expect(await evidence.read("tile/0/000.p/100")).toEqual(log.files.get("tile/0/000.p/100"));
    for (const absent of ["nothing", "tile/9/000", "tile", "checkpoint/x", "tile/0/000.p"]) {
      expect(await evidence.read(absent)).toBeUndefined();
    }
    expect(await listed(evidence, "")).toEqual([...log.files.keys()].sort());
    expect(await listed(evidence, "tile/entries/0")).toEqual(
      [...log.files.keys()].filter((path) => path.startsWith("tile/entries/0")).sort(),
    );
    expect(await listed(evidence, "checkpoints/")).toHaveLength(2);
    expect(await listed(evidence, "cosignatures/")).toEqual([]);
  });
  expect(await listed(localEvidence("/nowhere/at/all"), "")).toEqual([]);
});

describe("tiles and bundles", () => {
  const evidence = memoryEvidence(log.files);

  test("are read at the width that is asked for", async () => {
    expect(await readTile(evidence, 0, 0)).toHaveLength(8192);
    expect(await readTile(evidence, 0, 1, 44)).toHaveLength(44 * 32);
    expect(await readTile(evidence, 1, 0, 1)).toHaveLength(32);
    expect(await readBundle(evidence, 0)).toEqual(log.entries.slice(0, 256));
    expect(await readBundle(evidence, 1, 44)).toEqual(log.entries.slice(256));
  });

  test("that are partial fall back to the full one", async () => {
    expect(await readTile(evidence, 0, 0, 77)).toEqual(log.files.get("tile/0/000")?.subarray(0, 77 * 32));
    expect(await readBundle(evidence, 0, 77)).toEqual(log.entries.slice(0, 77));
  });

  test("that are not there are undefined", async () => {
    expect(await readTile(evidence, 0, 7)).toBeUndefined();
    expect(await readTile(evidence, 0, 1, 45)).toBeUndefined();
    expect(await readBundle(evidence, 7)).toBeUndefined();
    expect(await readBundle(evidence, 1, 45)).toBeUndefined();
  });

  test("of another length are errors with their path", async () => {
    const files: Files = new Map([
      ["tile/0/000", Buffer.alloc(8191)],
      ["tile/0/001.p/3", Buffer.alloc(64)],
      ["tile/entries/000", bundleOf(log.entries.slice(0, 255))],
      ["tile/entries/001.p/2", bundleOf(log.entries.slice(0, 3))],
    ]);
    const broken = memoryEvidence(files);
    const isEvidenceError = (path: string) =>
      expect.objectContaining({ name: "EvidenceError", code: "EVIDENCE_ALTERED", path });
    await expect(readTile(broken, 0, 0)).rejects.toThrow(isEvidenceError("tile/0/000"));
    await expect(readTile(broken, 0, 0, 9)).rejects.toThrow(isEvidenceError("tile/0/000"));
    await expect(readTile(broken, 0, 1, 3)).rejects.toThrow(isEvidenceError("tile/0/001.p/3"));
    await expect(readBundle(broken, 0)).rejects.toThrow(isEvidenceError("tile/entries/000"));
    await expect(readBundle(broken, 0, 9)).rejects.toThrow(isEvidenceError("tile/entries/000"));
    await expect(readBundle(broken, 1, 2)).rejects.toThrow(isEvidenceError("tile/entries/001.p/2"));
  });
});

test("a bundle is its entries to the last byte", () => {
  const entries = [Buffer.from("a"), Buffer.alloc(0), Buffer.alloc(300, 1)];
  const bundle = bundleOf(entries);
  expect(entriesOf(bundle, 3, "x")).toEqual(entries);
  expect(endsOf(bundle, 3, "x")).toEqual([3, 5, bundle.length]);
  expect(entriesOf(Buffer.alloc(0), 0, "x")).toEqual([]);
  for (const [bytes, width] of [
    [bundle, 2],
    [bundle, 4],
    [bundle.subarray(0, -1), 3],
    [Buffer.concat([bundle, Buffer.from([0])]), 3],
    [Buffer.from([0]), 0],
  ] as const) {
    expect(() => entriesOf(bytes, width, "x")).toThrow(EvidenceError);
  }
});

test("as of now, later checkpoints are not seen, and the checkpoint stays", async () => {
  const files = new Map(log.files);
  const later = files.get("checkpoints/0000000000000300") as Buffer;
  files.delete("checkpoints/0000000000000300");
  files.set("checkpoint", files.get("checkpoints/0000000000000100") as Buffer);
  files.set("cosignatures/0000000000000100/aaaaaaaa", Buffer.from("x"));
  files.set("cosignatures/0000000000000300/aaaaaaaa", Buffer.from("x"));
  const evidence = await asOfNow(memoryEvidence(files));
  files.set("checkpoints/0000000000000300", later);
  files.set("checkpoint", later);
  expect(await evidence.read("checkpoint")).toEqual(files.get("checkpoints/0000000000000100"));
  expect(await listed(evidence, "checkpoints/")).toEqual(["checkpoints/0000000000000100"]);
  expect(await listed(evidence, "cosignatures/")).toEqual(["cosignatures/0000000000000100/aaaaaaaa"]);
  expect(await evidence.read("checkpoints/0000000000000300")).toBeUndefined();
  expect(await evidence.read("tile/0/000")).toBeDefined();
  const empty = await asOfNow(memoryEvidence(new Map()));
  expect(await listed(empty, "checkpoints/")).toEqual([]);
  expect(await empty.read("checkpoint")).toBeUndefined();
});

describe("a checkpoint of a larger tree that was published before the newest one was read", () => {
  const [small, large] = ["checkpoints/0000000000000100", "checkpoints/0000000000000300"];

  test("is seen: the log was set back", async () => {
    const files = new Map(log.files);
    files.set("checkpoint", files.get(small) as Buffer);
    const evidence = await asOfNow(memoryEvidence(files), 1);
    expect(await listed(evidence, "checkpoints/")).toEqual(expect.arrayContaining([small, large]));
    expect(await evidence.read(large)).toEqual(files.get(large));
  });

  test("is only being published when the newest one follows", async () => {
    const files = new Map(log.files);
    const stored = memoryEvidence(files);
    let reads = 0;
    const publishing = {
      ...stored,
      read: async (name: string) => {
        reads += 1;
        return stored.read(reads === 1 ? small : name);
      },
    };
    const head = await storedHead(publishing, 1);
    expect(head).toMatchObject({ checkpoint: files.get("checkpoint"), larger: [] });
    expect(reads).toBe(2);
  });

  test("does not matter beside a malformed checkpoint: the verification says so", async () => {
    const files = new Map(log.files).set("checkpoint", Buffer.from("no note"));
    expect((await storedHead(memoryEvidence(files), 60_000)).larger).toEqual([]);
  });
});
