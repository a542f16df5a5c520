import { type ChildProcess, spawn } from "node:child_process";
import { hash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, statSync } from "node:fs";
import net from "node:net";
import { checkSignatures, parseNote, parseVerifierKey } from "../../../evidence/log/note";
import { cosignaturePath } from "../../../evidence/log/paths";
import { submissionBody } from "../../../evidence/verifier/witness";
import { ORIGIN } from "../../support/naive-log";
import { Auditor, KEY, SECOND_KEY, STRANGER } from "./fixture";

let auditor: Auditor;
let vkey: string;
const run = (...words: string[]) => auditor.run(...words);

beforeAll(async () => {
  auditor = new Auditor();
  vkey = (await run("witness", "new-key", "--name", "witness.example/own", "--out", "own.pem")).out.trim();
});
afterAll(() => auditor.delete());

const COSIGN = ["witness", "cosign", "--evidence", "evidence", "--key", "own.pem"];
const TRUSTED = ["--log-key", "log.vkey"];
/** Cosigns the checkpoint of a log whose key it trusts; what it remembers lies in the file `state`. */
const cosign = (state: string) => [...COSIGN, ...TRUSTED, "--state", state];
const cosignEarlier = (state: string) =>
  auditor.with("evidence/checkpoint", () => auditor.read("last"), ...cosign(state));
const sizeNow = () => Number(auditor.read("evidence/checkpoint").split("\n")[1]);
const lastSize = () => Number(auditor.read("last").split("\n")[1]);
const placeAt = (size: number) => `evidence/${cosignaturePath(size, parseVerifierKey(vkey).keyId)}`;

/** The checkpoint of this size and root under the log's keys. */
function signed(size: number, root: string): string {
  const text = `${ORIGIN}\n${size}\n${root}\n`;
  return `${text}\n${KEY.sign(text)}${SECOND_KEY.sign(text)}`;
}

describe("witness new-key", () => {
  test("makes a key that its owner alone can read, and says the other half", () => {
    expect(parseVerifierKey(vkey)).toMatchObject({ name: "witness.example/own", type: "cosignature" });
    expect(statSync(auditor.file("own.pem")).mode & 0o777).toBe(0o600);
    expect(auditor.read("own.pem")).toContain("-----BEGIN PRIVATE KEY-----");
  });

  test("overwrites nothing, and takes no name that a note cannot carry", async () => {
    const before = auditor.read("own.pem");
    const again = await run("witness", "new-key", "--name", "witness.example/own", "--out", "own.pem");
    expect(again).toMatchObject({ code: 2, out: "", err: expect.stringContaining("exists already") });
    expect(auditor.read("own.pem")).toBe(before);
    const named = await run("witness", "new-key", "--name", "a b", "--out", "other.pem");
    expect(named).toMatchObject({ code: 2, out: "" });
    expect(existsSync(auditor.file("other.pem"))).toBe(false);
  });
});

describe("witness cosign", () => {
  test("the first time, and each time after a proof; the signature lies where the log's readers look", async () => {
    const first = await cosignEarlier("s");
    expect(first).toMatchObject({ code: 0, err: "", out: expect.stringContaining("for the first time") });
    const next = await run(...cosign("s"));
    expect(next).toMatchObject({ code: 0, err: "", out: expect.stringContaining(`begins with all ${lastSize()}`) });
    const note = parseNote(Buffer.from(`${auditor.read("evidence/checkpoint")}${auditor.read(placeAt(sizeNow()))}`));
    expect(checkSignatures(note, [parseVerifierKey(vkey)]).good).toHaveLength(1);
    const before = auditor.read(placeAt(sizeNow()));
    expect(await run(...cosign("s"))).toMatchObject({
      code: 0,
      out: expect.stringContaining("is there already"),
    });
    expect(auditor.read(placeAt(sizeNow()))).toBe(before);
  });

  test("pins the log's end for every auditor", async () => {
    const then = ["--as-of", "2025-11-21T11:00:00Z"];
    const verify = ["verify", "--evidence", "evidence", "--export", "exports", "--key", "log.vkey", ...then, "--quiet"];
    expect(await run(...verify)).toMatchObject({ code: 20 });
    expect(await run(...verify, "--witness", vkey)).toMatchObject({ code: 0, out: "OK\n" });
  });

  test("refuses a log that went back", async () => {
    const ended = await cosignEarlier("s");
    expect(ended).toMatchObject({ code: 19, out: "", err: expect.stringContaining("does not cosign") });
  });

  test("refuses a fork: another root at the same size, or a past that is another", async () => {
    const other = Buffer.alloc(32, 3).toString("base64");
    const same = await auditor.with("evidence/checkpoint", () => signed(sizeNow(), other), ...cosign("s"));
    expect(same).toMatchObject({ code: 16, out: "" });
    await auditor.with("evidence/checkpoint", () => signed(lastSize(), other), ...cosign("forked"));
    const refused = await run(...cosign("forked"));
    expect(refused).toMatchObject({ code: 16, out: "" });
  });

  test("refuses a log that it does not know, and checkpoints that the log did not sign", async () => {
    const elsewhere = STRANGER.vkey.replace("payment-ledger/", "payment-book/");
    for (const [words, code] of [
      [["--log-key", STRANGER.vkey], 18],
      [["--log-key", elsewhere], 2],
    ] as const) {
      expect(await run(...COSIGN, ...words, "--state", "t")).toMatchObject({ code, out: "" });
    }
    const resized = (bytes: Buffer) => bytes.toString().replace(/^(payment-ledger\S*\n)(\d+)/m, "$19$2");
    const bad = await auditor.with("evidence/checkpoint", resized, ...cosign("t"));
    expect(bad).toMatchObject({ code: 17, out: "" });
    const another = (bytes: Buffer) => bytes.toString().replaceAll("payment-ledger/", "payment-book/");
    const unknown = await auditor.with("evidence/checkpoint", another, ...cosign("t"));
    expect(unknown).toMatchObject({ code: 18, out: "", err: expect.stringContaining("knows no log") });
    expect(existsSync(auditor.file("t"))).toBe(false);
  });

  test("does nothing without its key, its memory or the log's tiles", async () => {
    const key = await auditor.with("own.pem", (bytes) => bytes.toString().replace("own+", "other+"), ...cosign("s"));
    expect(key).toMatchObject({ code: 2, err: expect.stringContaining("no key of a witness") });
    const memory = await auditor.with("s", () => "{", ...cosign("s"));
    expect(memory).toMatchObject({ code: 2, err: expect.stringContaining("no memory of a witness") });
    expect(auditor.read("s")).not.toBe("{");
    await cosignEarlier("u");
    const names = readdirSync(auditor.file("evidence/tile/0/001.p"));
    const tile = `evidence/tile/0/001.p/${sizeNow() - 256}`;
    expect(names).toContain(String(sizeNow() - 256));
    const missing = await auditor.with(tile, () => undefined, ...cosign("u"));
    expect(missing).toMatchObject({ code: 21, out: "" });
  });

  test("processes at the same time all cosign, and the memory stays whole", async () => {
    const ended = await Promise.all(Array.from({ length: 4 }, () => auditor.runFile(...cosign("many"))));
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(JSON.parse(auditor.read("many")).logs[ORIGIN].size).toBe(sizeNow());
    expect(readdirSync(auditor.top).filter((name) => name.startsWith("many"))).toEqual(["many"]);
  });
});

describe("witness serve", () => {
  const started: ChildProcess[] = [];
  afterAll(() => {
    for (const child of started) child.kill("SIGKILL");
  });

  async function serve(state: string): Promise<{ url: string; child: ChildProcess; printed: string }> {
    const words = ["witness", "serve", "--port", "0", "--key", "own.pem", ...TRUSTED, "--state", state];
    const child = spawn(process.execPath, ["evidence.js", ...words], {
      cwd: auditor.top,
      stdio: ["ignore", "pipe", "ignore"],
    });
    started.push(child);
    let printed = "";
    for await (const chunk of child.stdout ?? []) {
      printed += String(chunk);
      if (/http:\S+\n/.test(printed)) break;
    }
    return { url: /http:\S+/.exec(printed)?.[0] ?? "", child, printed };
  }

  const post = (url: string, old: number, note: string) => {
    const body = Uint8Array.from(submissionBody(old, [], Buffer.from(note)));
    return fetch(`${url}/add-checkpoint`, { method: "POST", body });
  };

  test("answers only on this machine, remembers after a kill, and ends on SIGTERM", async () => {
    const first = await serve("served");
    expect(first.printed).toContain(vkey);
    expect(first.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await post(first.url, 0, auditor.read("last"))).status).toBe(200);
    first.child.kill("SIGKILL");
    await once(first.child, "exit");
    const second = await serve("served");
    const conflict = await post(second.url, 0, auditor.read("last"));
    expect([conflict.status, await conflict.text()]).toEqual([409, `${lastSize()}\n`]);
    const shown = await fetch(`${second.url}/${hash("sha256", ORIGIN, "hex")}/checkpoint`);
    expect(await shown.text()).toContain("witness.example/own");
    second.child.kill("SIGTERM");
    expect(await once(second.child, "exit")).toEqual([0, null]);
  });

  test("says when it cannot have its port", async () => {
    const taken = net.createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as net.AddressInfo;
    const words = ["witness", "serve", "--port", String(port), "--key", "own.pem", ...TRUSTED, "--state", "x"];
    expect(await run(...words)).toMatchObject({ code: 2, err: expect.stringContaining(`Port ${port}`) });
    taken.close();
  });
});
