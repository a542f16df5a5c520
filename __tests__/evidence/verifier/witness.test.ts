import { spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { type WitnessServer, witnessServer } from "../../../evidence/commands/witness-server";
import { parseCheckpoint } from "../../../evidence/log/checkpoint";
import { checkSignatures, cosignatureTime, parseNote, parseVerifierKey } from "../../../evidence/log/note";
import { checkpointPath } from "../../../evidence/log/paths";
import { localEvidence } from "../../../evidence/verifier/local-evidence";
import { consistencyProof, tileReader } from "../../../evidence/verifier/merkle-tree";
import {
  addCheckpoint,
  type SeenCheckpoint,
  submissionBody,
  type WitnessState,
} from "../../../evidence/verifier/witness";
import { submit } from "../../../evidence/verifier/witness-client";
import { cosignerOf, newWitnessKey } from "../../../evidence/verifier/witness-key";
import { fileState } from "../../../evidence/verifier/witness-state";
import { ORIGIN, signerOf, someEntries, WrittenLog } from "../../interop/written-log";

const NOW = Date.UTC(2026, 10, 21, 12);
const pair = newWitnessKey("witness.example/w1");
const cosigner = cosignerOf(pair.pem);
const top = mkdtempSync(path.join(tmpdir(), "payment-ledger-witness-"));
let files = 0;
const newFile = () => path.join(top, `state-${files++}.json`);

let log: WrittenLog;
/** The same log up to 100 entries, then another, signed by the same keys. */
let fork2: WrittenLog;

beforeAll(async () => {
  log = new WrittenLog([await signerOf("ed25519"), await signerOf("ecdsa")]);
  fork2 = new WrittenLog(log.signers);
  await log.publish();
  const [entries, same] = [someEntries(300), someEntries(300)];
  const take = (from: typeof entries, count: number) =>
    Array.from({ length: count }, () => from.next().value ?? fail());
  await log.add(take(entries, 100));
  await log.publish();
  await log.add(take(entries, 160));
  await log.publish();
  await fork2.add(take(same, 99));
  same.next();
  await fork2.add(take(same, 161));
  await fork2.publish();
});
afterAll(() => {
  log.delete();
  fork2.delete();
  rmSync(top, { recursive: true });
});

function fail(): never {
  throw new Error("There are no more entries.");
}

function memory(): WitnessState & { readonly seen: Map<string, SeenCheckpoint> } {
  const seen = new Map<string, SeenCheckpoint>();
  return {
    seen,
    latest: async (origin) => seen.get(origin),
    replace: async (origin, expected, next) => {
      if (seen.get(origin) !== expected) return false;
      seen.set(origin, next);
      return true;
    },
  };
}

const noteAt = (size: number, from = log) => from.read(checkpointPath(size));
const proofBetween = (first: number, second: number, from = log) =>
  consistencyProof(tileReader(localEvidence(from.top), 260), first, second);
const keys = () => log.signers.map(({ verifierKey }) => parseVerifierKey(verifierKey));
const ask = (state: WitnessState, body: Buffer | string, logKeys = keys()) =>
  addCheckpoint(Buffer.from(body), state, logKeys, cosigner, NOW);
const askFor = async (state: WitnessState, first: number, second: number, from = log) =>
  ask(state, submissionBody(first, await proofBetween(first, second, from), noteAt(second, from)));

describe("add-checkpoint", () => {
  test("cosigns the first checkpoint that it sees, and every one that goes on from the last", async () => {
    const state = memory();
    for (const [first, second] of [
      [0, 0],
      [0, 100],
      [100, 260],
      [260, 260],
    ] as const) {
      const answer = await askFor(state, first, second);
      expect(answer).toMatchObject({ status: 200 });
      const note = parseNote(Buffer.concat([noteAt(second), Buffer.from(answer.body)]));
      expect(checkSignatures(note, [cosigner.key]).good).toEqual([cosigner.key]);
      const signature = note.signatures.at(-1)?.signature ?? Buffer.alloc(0);
      expect(cosignatureTime(signature)).toBe(BigInt(NOW / 1000));
      const seen = state.seen.get(ORIGIN);
      expect(seen?.size).toBe(second);
      // What it shows to monitors is signed by the log and by itself.
      const shown = parseNote(Buffer.from(seen?.note ?? ""));
      expect(checkSignatures(shown, [...keys(), cosigner.key]).good).toHaveLength(3);
    }
  });

  test("signatures by keys that it does not know are ignored, and not shown to others", async () => {
    const state = memory();
    const stranger = await signerOf();
    const note = Buffer.concat([noteAt(100), Buffer.from(await stranger.sign(parseNote(noteAt(100)).text))]);
    expect(await ask(state, submissionBody(0, [], note))).toMatchObject({ status: 200 });
    const shown = parseNote(Buffer.from(state.seen.get(ORIGIN)?.note ?? ""));
    expect(shown.signatures.map(({ keyId }) => keyId)).not.toContain(stranger.keyId);
  });

  test("409 with the size that it has, when the request goes on from another", async () => {
    const state = memory();
    await askFor(state, 0, 100);
    for (const answer of [await askFor(state, 0, 260), await ask(state, submissionBody(99, [], noteAt(260)))]) {
      expect(answer).toEqual({ status: 409, contentType: "text/x.tlog.size", body: "100\n" });
    }
    const fresh = await ask(memory(), submissionBody(100, await proofBetween(100, 260), noteAt(260)));
    expect(fresh).toMatchObject({ status: 409, body: "0\n" });
  });

  test("409 too when another request came first", async () => {
    const state = memory();
    await askFor(state, 0, 100);
    const slow: WitnessState = {
      ...state,
      replace: async (origin, expected, next) => {
        const other = await askFor(state, 100, 260);
        expect(other.status).toBe(200);
        return state.replace(origin, expected, next);
      },
    };
    const lost = await ask(slow, submissionBody(100, [], noteAt(100)));
    expect(lost).toMatchObject({ status: 409, body: "260\n" });
    expect(state.seen.get(ORIGIN)?.size).toBe(260);
  });

  test("422 for a fork, and it remembers what it saw", async () => {
    const state = memory();
    await askFor(state, 0, 100);
    expect(await askFor(state, 100, 260, fork2)).toMatchObject({ status: 422 });
    expect(await ask(state, submissionBody(100, [], noteAt(260)))).toMatchObject({ status: 422 });
    const proof = await proofBetween(100, 260);
    expect(await ask(state, submissionBody(100, proof.slice(1), noteAt(260)))).toMatchObject({ status: 422 });
    expect(state.seen.get(ORIGIN)?.size).toBe(100);
    await askFor(state, 100, 260);
    // The same size with another root, which needs no proof to be a fork.
    expect(await ask(state, submissionBody(260, [], noteAt(260, fork2)))).toMatchObject({ status: 422 });
    expect(await ask(state, submissionBody(260, proof, noteAt(260)))).toMatchObject({ status: 422 });
  });

  test("422 for a proof from nothing, and for an empty log whose root is another", async () => {
    expect(await ask(memory(), submissionBody(0, await proofBetween(100, 260), noteAt(260)))).toMatchObject({
      status: 422,
    });
    const [signer] = log.signers;
    const text = `${ORIGIN}\n0\n${Buffer.alloc(32).toString("base64")}\n`;
    const wrong = Buffer.from(`${text}\n${await signer?.sign(text)}`);
    expect(await ask(memory(), submissionBody(0, [], wrong))).toMatchObject({ status: 422 });
  });

  test("404 for a log that it does not know", async () => {
    const other = parseVerifierKey((await signerOf("ed25519", "payment-ledger/other")).verifierKey);
    expect(await ask(memory(), submissionBody(0, [], noteAt(100)), [other])).toMatchObject({ status: 404 });
    expect(await ask(memory(), submissionBody(0, [], noteAt(100)), [])).toMatchObject({ status: 404 });
  });

  test("403 without a signature of the log, and with one that is not what it says", async () => {
    const stranger = parseVerifierKey((await signerOf()).verifierKey);
    expect(await ask(memory(), submissionBody(0, [], noteAt(100)), [stranger])).toMatchObject({ status: 403 });
    const resized = Buffer.from(noteAt(100).toString().replace("\n100\n", "\n101\n"));
    expect(await ask(memory(), submissionBody(0, [], resized))).toMatchObject({ status: 403 });
    // One of the log's two signatures is good, and the other is damaged: such a note is malformed.
    const damaged = Buffer.from(noteAt(100));
    const at = damaged.length - 10;
    // Another letter of base64: any other character would make it malformed instead of wrong.
    damaged.write(damaged.toString("latin1", at, at + 1) === "A" ? "B" : "A", at);
    expect(await ask(memory(), submissionBody(0, [], damaged))).toMatchObject({ status: 403 });
  });

  test.each<[string, (note: Buffer) => Buffer | string]>([
    ["nothing", () => ""],
    ["no old size", (note) => `\n\n${note}`],
    ["an old size with a leading zero", (note) => `old 00\n\n${note}`],
    ["an impossible old size", (note) => `old -1\n\n${note}`],
    ["an old size beyond the checkpoint's", (note) => submissionBody(101, [], note)],
    ["an old size beyond all numbers", (note) => `old 99999999999999999999\n\n${note}`],
    ["too many hashes", (note) => submissionBody(0, Array<Buffer>(64).fill(Buffer.alloc(32)), note)],
    ["a hash that is too short", (note) => submissionBody(0, [Buffer.alloc(31)], note)],
    ["a hash that is no base64", (note) => `old 0\n!!!!\n\n${note}`],
    ["no empty line", (note) => `old 0\n${note}`],
    ["no checkpoint", () => "old 0\n\n"],
    ["a malformed checkpoint", () => "old 0\n\nx\n\n— y AAAAAAAA\n"],
    ["carriage returns", (note) => `old 0\r\n\r\n${note}`],
  ])("400 for %s", async (_what, body) => {
    expect(await ask(memory(), body(noteAt(100)))).toMatchObject({ status: 400 });
  });
});

describe("a witness's key", () => {
  test("is found again behind its verifier key", () => {
    expect(pair.vkey).toMatch(/^witness\.example\/w1\+[0-9a-f]{8}\+/);
    expect(parseVerifierKey(pair.vkey).type).toBe("cosignature");
    expect(cosignerOf(pair.pem).key.vkey).toBe(pair.vkey);
    expect(newWitnessKey("witness.example/w1").vkey).not.toBe(pair.vkey);
  });

  test.each(["", "a b", "a+b", "a\u00a0b", "a\nb"])("has a name that a note can carry, not %j", (name) => {
    expect(() => newWitnessKey(name)).toThrow(expect.objectContaining({ code: "BAD_WITNESS_KEY" }));
  });

  test("is refused when its verifier key is another's, or missing, or when there is no key", () => {
    const other = newWitnessKey("witness.example/w1");
    const wrong = [
      pair.pem.replace(pair.vkey, other.vkey),
      pair.pem.replace("witness.example/w1+", "witness.example/w2+"),
      pair.pem.slice(pair.pem.indexOf("-----BEGIN")),
      pair.pem.replace(/^-----BEGIN[\s\S]*$/m, ""),
      pair.pem.replace(/[A-Za-z0-9]{20}/g, "x"),
      "",
    ];
    for (const pem of wrong)
      expect(() => cosignerOf(pem)).toThrow(expect.objectContaining({ code: "BAD_WITNESS_KEY" }));
  });
});

describe("what it remembers, in a file", () => {
  const seen = (size: number): SeenCheckpoint => ({ size, root: `root of ${size}`, note: "note" });

  test("is there after a restart, for each log by itself, whatever a log is called", async () => {
    const file = newFile();
    for (const origin of [ORIGIN, "constructor", "__proto__", "toString"]) {
      expect(await fileState(file).latest(origin)).toBeUndefined();
      expect(await fileState(file).replace(origin, undefined, seen(1))).toBe(true);
      expect(await fileState(file).replace(origin, seen(1), seen(2))).toBe(true);
      expect(await fileState(file).latest(origin)).toEqual(seen(2));
    }
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(top).filter((name) => name.startsWith(`${path.basename(file)}.`))).toEqual([]);
  });

  test("changes only from what was expected", async () => {
    const state = fileState(newFile());
    await state.replace(ORIGIN, undefined, seen(5));
    for (const expected of [undefined, seen(4), { ...seen(5), root: "other" }]) {
      expect(await state.replace(ORIGIN, expected, seen(6))).toBe(false);
    }
    expect(await state.latest(ORIGIN)).toEqual(seen(5));
  });

  test("of many at once from the same size exactly one goes on", async () => {
    const file = newFile();
    await fileState(file).replace(ORIGIN, undefined, seen(1));
    const attempts = Array.from({ length: 12 }, (_, each) => fileState(file).replace(ORIGIN, seen(1), seen(10 + each)));
    expect((await Promise.all(attempts)).filter(Boolean)).toHaveLength(1);
  });

  test.each([
    "",
    "{",
    "[]",
    '{"format":"payment-ledger/witness-state/1"}',
    '{"format":"other","logs":{}}',
    '{"format":"payment-ledger/witness-state/1","logs":{"x":{"size":-1,"root":"","note":""}}}',
    '{"format":"payment-ledger/witness-state/1","logs":{"x":null}}',
  ])("a file that holds %j is not taken for an empty memory", async (text) => {
    const file = newFile();
    writeFileSync(file, text);
    await expect(fileState(file).latest(ORIGIN)).rejects.toMatchObject({ code: "BAD_STATE" });
    await expect(fileState(file).replace(ORIGIN, undefined, seen(1))).rejects.toMatchObject({ code: "BAD_STATE" });
    expect(readFileSync(file, "utf8")).toBe(text);
    expect(existsSync(`${file}.lock`)).toBe(false);
  });

  const lockOf = (pid: number, host = hostname()) =>
    JSON.stringify({ pid, host, id: "0f8fad5b-d9cb-469f-a165-70867728950e" });

  test("the lock of a process that was killed does not stay", async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    const file = newFile();
    writeFileSync(`${file}.lock`, lockOf(pid));
    const attempts = Array.from({ length: 5 }, (_, each) => fileState(file).replace(ORIGIN, undefined, seen(each)));
    expect((await Promise.all(attempts)).filter(Boolean)).toHaveLength(1);
    expect(readdirSync(top).filter((name) => name.startsWith(`${path.basename(file)}.`))).toEqual([]);
  });

  test.each([
    ["of a process that lives", lockOf(process.pid)],
    ["of another machine", lockOf(1, "another.example")],
    ["of somebody else", "x"],
  ])("a lock %s is respected and reported", async (_what, lock) => {
    const file = newFile();
    writeFileSync(`${file}.lock`, lock);
    await expect(fileState(file, 40).replace(ORIGIN, undefined, seen(1))).rejects.toMatchObject({
      code: "STATE_LOCKED",
    });
    expect(readFileSync(`${file}.lock`, "utf8")).toBe(lock);
    expect(await fileState(file).latest(ORIGIN)).toBeUndefined();
  });
});

describe("submitting a folder's checkpoint", () => {
  const submission = async (state: WitnessState, from = log, size = 260, logKeys = keys()) => {
    const bytes = noteAt(size, from);
    const evidence = localEvidence(from.top);
    return submit({ evidence, checkpoint: { ...parseCheckpoint(bytes), bytes }, state, logKeys, cosigner, now: NOW });
  };

  test("goes on from what the witness saw", async () => {
    const state = memory();
    expect(await submission(state, log, 100)).toMatchObject({ cosignature: expect.stringContaining("w1") });
    expect(await submission(state)).toMatchObject({ seenBefore: 100 });
    expect(await submission(state)).toMatchObject({ seenBefore: 260 });
  });

  test("is refused for a fork, a smaller log, an unknown one, and signatures that are not its", async () => {
    const state = memory();
    await submission(state, log, 100);
    expect(await submission(state, fork2)).toMatchObject({ refusal: "forked" });
    await submission(state);
    expect(await submission(state, log, 100)).toMatchObject({ refusal: "went-back" });
    const other = parseVerifierKey((await signerOf("ed25519", "payment-ledger/other")).verifierKey);
    expect(await submission(state, log, 260, [other])).toMatchObject({ refusal: "unknown-log" });
    const stranger = parseVerifierKey((await signerOf()).verifierKey);
    expect(await submission(state, log, 260, [stranger])).toMatchObject({ refusal: "not-signed" });
    // A place of the signature whose letter stays one of base64 when its last bit changes.
    const note = noteAt(260).toString("latin1");
    const at = note.length - 10 + note.slice(-10).search(/[B-Yb-y0-9]/);
    await log.damaged(checkpointPath(260), at, async () => {
      expect(await submission(state)).toMatchObject({ refusal: "bad-signature" });
    });
    expect(state.seen.get(ORIGIN)?.size).toBe(260);
  });

  test("is tried again when another process was faster, and not for ever", async () => {
    const state = memory();
    let raced = 0;
    const racing: WitnessState = {
      ...state,
      replace: async (origin, expected, next) => (raced++ === 0 ? false : state.replace(origin, expected, next)),
    };
    expect(await submission(racing)).toMatchObject({ cosignature: expect.any(String) });
    const losing: WitnessState = { ...state, replace: async () => false };
    expect(await submission(losing)).toMatchObject({ refusal: "other" });
  });
});

describe("over HTTP", () => {
  let server: WitnessServer;
  let url: string;
  const told: string[] = [];
  const file = () => path.join(top, "served.json");

  beforeAll(async () => {
    const settings = { state: fileState(file()), logKeys: keys(), cosigner, now: () => NOW };
    server = witnessServer({ ...settings, tell: (text) => told.push(text) });
    url = `http://127.0.0.1:${await server.listen("127.0.0.1", 0)}`;
  });
  afterAll(() => server.close());

  const post = (body: Buffer | string) =>
    fetch(`${url}/add-checkpoint`, { method: "POST", body: Uint8Array.from(Buffer.from(body)) });
  test("a log submits, a monitor reads what was cosigned", async () => {
    const place = `${url}/${hash("sha256", ORIGIN, "hex")}/checkpoint`;
    expect((await fetch(place)).status).toBe(404);
    const first = await post(submissionBody(0, [], noteAt(100)));
    expect([first.status, await first.text()]).toEqual([200, expect.stringMatching(/^— witness\.example\/w1 \S+\n$/)]);
    const conflict = await post(submissionBody(0, [], noteAt(260)));
    expect([conflict.status, conflict.headers.get("content-type"), await conflict.text()]).toEqual([
      409,
      "text/x.tlog.size",
      "100\n",
    ]);
    const read = await fetch(place);
    expect(read.status).toBe(200);
    const note = parseNote(Buffer.from(await read.text()));
    expect(checkSignatures(note, [cosigner.key, ...keys()]).good).toHaveLength(3);
    expect(told).toContain("POST /add-checkpoint: 200");
  });

  test("anything else is refused", async () => {
    expect((await fetch(`${url}/add-checkpoint`)).status).toBe(405);
    expect((await fetch(`${url}/${"0".repeat(64)}/checkpoint`)).status).toBe(404);
    expect((await fetch(`${url}/${"0".repeat(64)}/checkpoint`, { method: "POST", body: "x" })).status).toBe(405);
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect((await fetch(`${url}/../../etc/passwd`)).status).toBe(404);
    expect((await post("x")).status).toBe(400);
    expect((await post(Buffer.alloc(1024 * 1024 + 1, 0x61))).status).toBe(413);
  });

  test("a memory that cannot be read is an error of the witness, and nothing is cosigned", async () => {
    const before = readFileSync(file());
    writeFileSync(file(), "{");
    const answer = await post(submissionBody(100, await proofBetween(100, 260), noteAt(260)));
    expect([answer.status, await answer.text()]).toEqual([500, "The witness cannot answer now.\n"]);
    expect(told.join("\n")).toContain("no memory of a witness");
    writeFileSync(file(), before);
    expect((await post(submissionBody(100, await proofBetween(100, 260), noteAt(260)))).status).toBe(200);
  });

  test("many at once: each size is cosigned once at most, and nothing goes back", async () => {
    const body = submissionBody(260, [], noteAt(260));
    const older = submissionBody(0, [], noteAt(100));
    const answers = await Promise.all(Array.from({ length: 16 }, (_, each) => post(each % 2 === 0 ? body : older)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((_, each) => each % 2 === 1)).toEqual(Array(8).fill(409));
    expect(new Set(statuses.filter((_, each) => each % 2 === 0))).toEqual(new Set([200]));
    expect((await fileState(file()).latest(ORIGIN))?.size).toBe(260);
  });
});
