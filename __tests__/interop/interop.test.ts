import path from "node:path";
import fc from "fast-check";
import { type WitnessServer, witnessServer } from "../../evidence/commands/witness-server";
import { parseCheckpoint } from "../../evidence/log/checkpoint";
import type { LogEntry } from "../../evidence/log/entry";
import { checkSignatures, parseNote, parseVerifierKey, type VerifierKey } from "../../evidence/log/note";
import { CHECKPOINT_PATH, checkpointPath } from "../../evidence/log/paths";
import { localEvidence } from "../../evidence/verifier/local-evidence";
import {
  consistencyProof,
  inclusionProof,
  isConsistent,
  tileReader,
  treeRoot,
} from "../../evidence/verifier/merkle-tree";
import { checkProof, parseProof, proofBytes } from "../../evidence/verifier/proof";
import { bearing, findEntries, proofOf, provenPath, withCosignatures } from "../../evidence/verifier/proof-search";
import { addCheckpoint, submissionBody } from "../../evidence/verifier/witness";
import { cosignerOf, newWitnessKey } from "../../evidence/verifier/witness-key";
import { fileState } from "../../evidence/verifier/witness-state";
import { type GoCheck, goCheck } from "./go-check";
import { heartbeat, paymentItem, signerOf, someEntries, WrittenLog } from "./written-log";

/** Around one leaf, one full tile, a full tile of tiles; and the example of the specification. */
const SIZES = [0, 1, 2, 255, 256, 257, 65_536, 70_000];
/** Where nothing is kept of it but for this test, it takes a compiler and its modules; then seconds. */
const BUILD_MS = 300_000;
const RIGHT = { code: 0, err: "" };
const WRONG = { code: 1 };

let go: GoCheck;
let log: WrittenLog;

beforeAll(async () => {
  go = await goCheck();
  log = new WrittenLog([await signerOf("ed25519"), await signerOf("ecdsa")]);
  const entries = someEntries(Math.max(...SIZES));
  for (const size of SIZES) {
    await log.add(Array.from({ length: size - log.size }, () => entries.next().value as LogEntry));
    await log.publish();
  }
}, BUILD_MS);
afterAll(() => log.delete());

/** The folder as it was when the log had this size: only the newest checkpoint is ever replaced. */
function backTo(size: number): void {
  log.write(CHECKPOINT_PATH, log.read(checkpointPath(size)));
}

const keys = () => log.signers.map(({ verifierKey }) => verifierKey);
const temporary = (name: string) => path.join(log.top, "temporary", name);
const fileOf = (name: string, bytes: Buffer | string) => {
  log.write(`temporary/${name}`, bytes);
  return temporary(name);
};

describe.each(SIZES)("our log of %i entries", (size) => {
  beforeAll(() => backTo(size));

  test("tessera's fsck derives our tiles and our root from our bundles, and opens our checkpoint", async () => {
    for (const vkey of keys()) expect(await go("log", log.top, vkey)).toMatchObject(RIGHT);
  });

  test("sumdb/tlog authenticates our tiles, and each entry as their leaf", async () => {
    for (const vkey of keys()) expect(await go("sumdb", log.top, vkey)).toMatchObject(RIGHT);
  });

  test("tessera's proofs from our tiles are our proofs", async () => {
    const indexes = size === 0 ? [] : [...new Set([0, size >> 1, Math.max(size - 2, 0), size - 1])];
    const older = SIZES.filter((each) => each > 0 && each <= size);
    const words = [...indexes, ...older.map((each) => -each)].map(String);
    const made = await go("prove", log.top, String(size), ...words);
    expect(made).toMatchObject(RIGHT);
    const theirs = JSON.parse(made.out) as Record<string, string[] | null>;
    const hashes = tileReader(localEvidence(log.top), size);
    for (const word of words) {
      const ours = word.startsWith("-")
        ? consistencyProof(hashes, -Number(word), size)
        : inclusionProof(hashes, Number(word), size);
      expect(theirs[word] ?? []).toEqual((await ours).map((hash) => hash.toString("base64")));
    }
  });
});

describe("proofs between our checkpoints", () => {
  const pairs = SIZES.flatMap((first) =>
    SIZES.filter((second) => first <= second).map((second) => ({ first, second })),
  );
  const files = (first: number, second: number) => [first, second].map((size) => log.file(checkpointPath(size)));
  const linesOf = (proof: readonly Buffer[]) => proof.map((hash) => `${hash.toString("base64")}\n`).join("");

  test("merkle and sumdb/tlog follow each", async () => {
    for (const { first, second } of pairs) {
      const proof = await consistencyProof(tileReader(localEvidence(log.top), 70_000), first, second);
      const checked = await go("consistency", ...files(first, second), fileOf("c", linesOf(proof)), log.vkey);
      expect(checked).toMatchObject(RIGHT);
    }
  });

  test("and refuse a wrong one, as we do", async () => {
    const [first, second] = [257, 70_000];
    const hashes = tileReader(localEvidence(log.top), second);
    const proof = await consistencyProof(hashes, first, second);
    const trees = await Promise.all(
      [first, second].map(async (size) => ({ size, root: await treeRoot(hashes, size) })),
    );
    const [from, to] = trees as [(typeof trees)[0], (typeof trees)[0]];
    const wrong = [proof.slice(1), [...proof, ...proof.slice(-1)], proof.toReversed(), []];
    for (const each of wrong) {
      const checked = await go("consistency", ...files(first, second), fileOf("c", linesOf(each)), log.vkey);
      expect(checked).toMatchObject(WRONG);
      expect(isConsistent(from, to, each)).toBe(false);
    }
  });
});

describe("our proof of a record", () => {
  const SIZE = 65_536;
  const ID = "txn-4711";
  const item = paymentItem(ID);
  const witness = newWitnessKey("witness.example/ours");
  let proof: Buffer;
  let cosigned: Buffer;

  beforeAll(async () => {
    backTo(SIZE);
    const evidence = localEvidence(log.top);
    const note = log.read(CHECKPOINT_PATH);
    const state = { latest: async () => undefined, replace: async () => true };
    const logKeys = keys().map(parseVerifierKey);
    const answer = await addCheckpoint(
      submissionBody(0, [], note),
      state,
      logKeys,
      cosignerOf(witness.pem),
      Date.now(),
    );
    expect(answer.status).toBe(200);
    log.write(`cosignatures/${String(SIZE).padStart(16, "0")}/ours`, answer.body);
    cosigned = await withCosignatures(evidence, note);
    const pinned = [log.vkey, witness.vkey].map((vkey) => parseVerifierKey(vkey).keyId);
    const borne = bearing(cosigned, ({ keyId }) => pinned.includes(keyId));
    for await (const found of findEntries(evidence, SIZE, new Set([ID]))) {
      if (found.entry.kind === "HEARTBEAT") continue;
      const bytes = log.entries[found.leaf] ?? Buffer.alloc(0);
      const hashes = await provenPath(tileReader(evidence, SIZE), parseCheckpoint(note), found.leaf, bytes);
      proof = proofBytes(proofOf({ leaf: found.leaf, entry: found.entry }, hashes, borne));
    }
  });

  const entryFile = () => fileOf("entry", log.entries[4711] ?? "");
  const check = (bytes: Buffer, ...witnesses: string[]) =>
    go("proof", fileOf("p.tlog-proof", bytes), entryFile(), log.vkey, ...witnesses);

  test("formats reads it, and writes it with the same bytes; merkle and sumdb/tlog follow it; the cosignature is good", async () => {
    expect(await check(proof, witness.vkey)).toMatchObject(RIGHT);
    expect(await go("cosigned", fileOf("cp", cosigned), log.vkey, witness.vkey)).toMatchObject(RIGHT);
    const report = checkProof(parseProof(proof), item, keys().map(parseVerifierKey), [parseVerifierKey(witness.vkey)]);
    expect(report).toMatchObject({ verdict: "ok", index: 4711, size: SIZE });
  });

  test("we refuse a proof with any changed character; so do they, except for another base64 text of the same bytes", async () => {
    const start = proof.indexOf("index ");
    const positions = fc.sample(fc.integer({ min: start, max: proof.length - 2 }), { numRuns: 60, seed: 5 });
    for (const at of positions) {
      const changed = Buffer.from(proof);
      changed[at] = changed[at] === 0x41 ? 0x42 : 0x41;
      const { code } = await check(changed, witness.vkey);
      expect({ at, verdict: ourVerdict(changed) }).not.toEqual({ at, verdict: "ok" });
      // The bits before the padding that belong to no byte are ignored by Go's decoder, and refused by ours.
      const isBeforePadding = proof[at + 1] === 0x3d;
      if (!isBeforePadding) expect({ at, code }).toEqual({ at, code: 1 });
    }
  });

  function ourVerdict(bytes: Buffer): string {
    try {
      const [pinned, theWitness] = [log.vkey, witness.vkey].map(parseVerifierKey) as [VerifierKey, VerifierKey];
      return checkProof(parseProof(bytes), item, [pinned], [theWitness]).verdict;
    } catch (error) {
      return (error as Error).name;
    }
  }

  test("another entry, key or witness is refused", async () => {
    const others = [newWitnessKey("witness.example/ours").vkey, newWitnessKey("witness.example/other").vkey];
    for (const other of others) expect(await check(proof, other)).toMatchObject(WRONG);
    expect(
      await go("proof", temporary("p.tlog-proof"), fileOf("entry", log.entries[4712] ?? ""), log.vkey),
    ).toMatchObject(WRONG);
    const stranger = (await signerOf()).verifierKey;
    expect(await go("proof", temporary("p.tlog-proof"), entryFile(), stranger)).toMatchObject(WRONG);
  });
});

test("we take the cosignature of another author's witness", async () => {
  backTo(257);
  const answer = await go("cosign", log.file(CHECKPOINT_PATH), "witness.example/theirs");
  expect(answer).toMatchObject(RIGHT);
  const [vkey = "", line = ""] = answer.out.split("\n");
  const note = parseNote(Buffer.concat([log.read(CHECKPOINT_PATH), Buffer.from(`${line}\n`)]));
  const theirs = parseVerifierKey(vkey);
  expect(theirs.type).toBe("cosignature");
  expect(checkSignatures(note, [theirs])).toEqual({ good: [theirs], bad: [] });
  expect(checkSignatures({ ...note, text: note.text.replace("257", "258") }, [theirs]).bad).toEqual([theirs]);
});

describe("another author's log client, at our witness", () => {
  const witness = newWitnessKey("witness.example/served");
  const settings = { cosigner: cosignerOf(witness.pem), now: Date.now, tell: () => {} };
  let server: WitnessServer;
  let url: string;

  beforeAll(async () => {
    const state = fileState(temporary("witness-state.json"));
    server = witnessServer({ ...settings, state, logKeys: keys().map(parseVerifierKey) });
    url = `http://127.0.0.1:${await server.listen("127.0.0.1", 0)}`;
  });
  afterAll(() => server.close());
  const submit = (old: number, vkey = witness.vkey) => go("submit", url, log.top, String(old), log.vkey, vkey);

  test("gets cosignatures for our log from its first entry to its last, with its own proofs", async () => {
    let old = 0;
    for (const size of SIZES) {
      backTo(size);
      expect(await submit(old)).toMatchObject(RIGHT);
      old = size;
    }
    const conflict = await submit(257);
    expect(conflict.err).toContain("status 409 text/x.tlog.size: 70000");
    expect((await submit(70_000, newWitnessKey("witness.example/served").vkey)).code).toBe(1);
  });

  test("the witness does not cosign a fork", async () => {
    const fork = new WrittenLog(log.signers);
    await fork.add(someEntries(70_001));
    await fork.add([heartbeat("2026-12-01T00:00:00.000Z")]);
    await fork.publish();
    expect(await go("submit", url, fork.top, "70000", log.vkey, witness.vkey)).toMatchObject(RIGHT);
    const other = new WrittenLog(log.signers);
    await other.add(someEntries(70_001));
    await other.add([heartbeat("2026-12-01T00:00:01.000Z")]);
    await other.publish();
    const refused = await go("submit", url, other.top, "70002", log.vkey, witness.vkey);
    expect(refused.err).toContain("status 422");
    fork.delete();
    other.delete();
  });
});

describe("the checker catches", () => {
  beforeAll(() => backTo(70_000));

  test.each([
    ["a flipped bit in a full tile", "tile/0/100", 4_000],
    ["a flipped bit in a partial tile", "tile/0/273.p/112", 40],
    ["a flipped bit in a tile of tiles", "tile/1/001.p/17", 3],
    ["a flipped bit in the uppermost tile", "tile/2/000.p/1", 0],
    ["a flipped bit in an entry", "tile/entries/000", 50],
    ["a flipped bit in the last entry", "tile/entries/273.p/112", 20_000],
    ["a flipped bit in the checkpoint's root", "checkpoint", 55],
    ["a flipped bit in the checkpoint's signature", "checkpoint", 200],
  ])("%s", async (_what, name, at) => {
    const results = await log.damaged(name, at, () =>
      Promise.all([go("log", log.top, log.vkey), go("sumdb", log.top, log.vkey)]),
    );
    expect(results.some(({ code }) => code === 1)).toBe(true);
    expect(await go("log", log.top, log.vkey)).toMatchObject(RIGHT);
  });

  test("an earlier checkpoint's root under a later size, well signed", async () => {
    const text = `${log.origin}\n70000\n${log.read(checkpointPath(65_536)).toString().split("\n")[2]}\n`;
    const [signer] = log.signers;
    log.write(CHECKPOINT_PATH, `${text}\n${await signer?.sign(text)}`);
    expect(await go("log", log.top, log.vkey)).toMatchObject(WRONG);
    expect(await go("sumdb", log.top, log.vkey)).toMatchObject(WRONG);
    backTo(70_000);
  });

  test("another key, and a wrong use", async () => {
    expect(await go("log", log.top, (await signerOf()).verifierKey)).toMatchObject(WRONG);
    expect(await go("log", log.top, (await signerOf("ed25519", "payment-ledger/other")).verifierKey)).toMatchObject(
      WRONG,
    );
    expect(await go("log", log.top)).toMatchObject(WRONG);
    expect(await go("polish")).toMatchObject(WRONG);
  });
});
