import { readdirSync, statSync } from "node:fs";
import { isBuiltin } from "node:module";
import { checkNode } from "../../../evidence/commands/program";
import { progressBar } from "../../../evidence/commands/screen";
import { buildVerifier } from "../../../tools/build-verifier";
import { auditRecord, paymentRow } from "../../support/stored-records";
import { Auditor, flipped, KEY, OTHER_WITNESS, SECOND_KEY, STRANGER, WITNESS } from "./fixture";

/** Known to the log as forged, changed, removed; and an id that is in two tables. */
const [FORGED, TAMPERED, REMOVED, TWICE] = ["forged-1", "tampered-1", "removed-1", "twice-1"];

let auditor: Auditor;
const run = (...words: string[]) => auditor.run(...words);

beforeAll(() => {
  auditor = new Auditor((world) => {
    world.put("PaymentLedger", paymentRow(FORGED, world.now()), "FORGED");
    world.pay("PaymentLedger", TAMPERED);
    world.put("PaymentLedger", { ...world.rows("PaymentLedger").get(TAMPERED), Amount: { S: "1.00" } }, "TAMPER");
    world.pay("PaymentLedger", REMOVED);
    world.remove("PaymentLedger", REMOVED);
    world.pay("PaymentLedger", TWICE);
    world.pay("payment-audit-trail", TWICE);
  });
});
afterAll(() => auditor.delete());

const EVIDENCE = ["--evidence", "evidence"];
const EXPORT = ["--export", "exports"];
const PINNED = ["--key", "log.vkey"];
/** Whatever signs a checkpoint or carries one: of another size than was signed. */
const resized = (bytes: Buffer) => bytes.toString().replace(/^(payment-ledger\S*\n)(\d+)/m, "$19$2");
/** The exports are of this moment, long ago. */
const THEN = ["--as-of", "2025-11-21T11:00:00Z"];
const VERIFY = ["verify", ...EVIDENCE, ...EXPORT, ...PINNED, ...THEN];

describe("the file", () => {
  test("is one, runs where nothing else is, and is the same at every build", async () => {
    expect(readdirSync(auditor.top).sort()).toEqual(["evidence", "evidence.js", "exports", "last", "log.vkey"]);
    expect((await auditor.runFile("keys", ...EVIDENCE)).code).toBe(0);
    const code = auditor.read("evidence.js");
    const requires = [...code.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name = ""]) => name);
    expect(requires.length).toBeGreaterThan(5);
    expect(requires.filter((name) => !isBuiltin(name))).toEqual([]);
    expect(buildVerifier(auditor.file("again.js")).bytes).toBeLessThan(470_000);
    expect(code).not.toContain("ZodError");
    expect(auditor.read("again.js")).toBe(code);
    expect(code.startsWith("#!/usr/bin/env node\n")).toBe(true);
    expect(statSync(auditor.file("again.js")).mode & 0o111).not.toBe(0);
  });

  test("says what it leaves to the project", async () => {
    for (const words of [
      ["fetch", "--bucket", "x", "--to", "y"],
      ["scan", "--to", "y"],
    ]) {
      const ended = await run(...words);
      expect(ended).toMatchObject({ code: 2, out: "" });
      expect(ended.err).toContain(`npx payledger ${words[0]}`);
    }
  });

  test.each<readonly string[]>([
    [...VERIFY, "--last-checkpoint", "last", "--threads", "2"],
    ["report", "--out", "page.html", ...VERIFY.slice(1), "--json"],
    ["prove", "nobody", ...EVIDENCE, ...EXPORT],
    ["verify-proof"],
  ])("says and ends as its commands do inside the tests: %j", async (...words) => {
    expect(await auditor.runFile(...words)).toEqual(await run(...words));
  });
});

describe("a wrong use ends with 2 and the usage", () => {
  test.each<[readonly string[], string]>([
    [[], "A command is missing"],
    [["polish"], 'no command "polish"'],
    [["constructor"], 'no command "constructor"'],
    [["witness"], "A command is missing"],
    [["witness", "sleep"], 'no command "witness sleep"'],
    [["verify"], "--evidence is missing"],
    [["verify", ...EVIDENCE, ...EXPORT], "--key is missing"],
    [["verify", ...EVIDENCE, ...PINNED], "--export is missing"],
    [[...VERIFY, "more"], '"more" is too much'],
    [[...VERIFY, "--loud"], "--loud"],
    [[...VERIFY, "--witness", KEY.vkey], "is no witness's key"],
    [["verify", ...EVIDENCE, ...EXPORT, "--key", WITNESS.vkey], "is a witness's key"],
    [["verify", ...EVIDENCE, ...EXPORT, "--key", "nothing"], "--key is a verifier key"],
    [["prove", ...EVIDENCE, ...EXPORT], "exactly one id"],
    [["prove", "pay-1", ...EVIDENCE], "--export or --record"],
    [["prove", "pay-1", ...EVIDENCE, ...EXPORT, "--record", "x"], "--export or --record"],
    [["prove", "pay-1", ...EVIDENCE, ...EXPORT, "--leaf", "first"], "--leaf is a whole number"],
    [["verify-proof", "--record", "x", ...PINNED], "exactly one proof"],
    [["consistency", "--from", "last"], "--evidence, or --to with --proof"],
    [["consistency", ...EVIDENCE], "--from is missing"],
    [["consistency", "--from", "last", "--to", "last", "--proof", "log.vkey"], "no consistency proof"],
    [["history", ...EVIDENCE, ...EXPORT], "exactly one TransactionID"],
    [["history", "pay-1", ...EVIDENCE, ...PINNED], "--export is missing"],
    [[...VERIFY, "--as-of", "yesterday"], "--as-of is a moment in the past"],
    [[...VERIFY, "--as-of", "2199-01-01T00:00:00Z"], "--as-of is a moment in the past"],
    [[...VERIFY, "--known", "log.vkey"], "Line 1 of the known findings is not"],
    [[...VERIFY, "--retired-key", WITNESS.vkey], "is a witness's key"],
    [["keys"], "--evidence is missing"],
    [["witness", "new-key", "--name", "x"], "--out is missing"],
    [["witness", "new-key", "--out", "x"], "--name is missing"],
    [["witness", "cosign", ...EVIDENCE, "--key", "log.vkey"], "--log-key is missing"],
    [["witness", "serve", "--key", "log.vkey"], "--port is missing"],
    [["witness", "serve", "--port", "70000"], "--port is a whole number from 0 to 65535"],
  ])("%j", async (words, what) => {
    const ended = await run(...words);
    // A file that is not a witness's key is reported before the missing option.
    expect({ ...ended, err: "" }).toEqual({ code: 2, out: "", err: "" });
    if (!ended.err.includes("no key of a witness")) {
      expect(ended.err).toContain(what);
      expect(ended.err).toContain("Usage: node evidence.js");
    }
  });

  test("a file or folder that does not exist is named in the error, without the usage", async () => {
    for (const words of [
      ["verify", "--evidence", "nowhere", ...EXPORT, ...PINNED],
      ["verify", ...EVIDENCE, "--export", "nowhere", ...PINNED],
      [...VERIFY, "--last-checkpoint", "nowhere"],
      ["verify-proof", "nowhere", "--record", "nowhere", ...PINNED],
      ["consistency", "--from", "nowhere", ...EVIDENCE],
      ["witness", "cosign", ...EVIDENCE, "--key", "nowhere", "--log-key", "log.vkey", "--state", "s"],
    ]) {
      const ended = await run(...words);
      expect(ended).toMatchObject({ code: 2, out: "" });
      expect(ended.err).toMatch(/There is no (folder|file) nowhere/);
      expect(ended.err).not.toContain("Usage");
    }
  });
});

describe("verify", () => {
  test("ends with the gravest verdict; the forged and altered records are named", async () => {
    const ended = await run(...VERIFY, "--last-checkpoint", "last");
    expect(ended).toMatchObject({ code: 10, err: "" });
    for (const id of [FORGED, TAMPERED, REMOVED]) expect(ended.out).toContain(id);
    const json = JSON.parse((await run(...VERIFY, "--last-checkpoint", "last", "--json")).out);
    expect(json).toMatchObject({
      verdict: "altered",
      pinnedBy: "last-checkpoint",
      verdicts: expect.arrayContaining(["forged"]),
    });
    expect((await run(...VERIFY, "--quiet")).out).toBe("ALTERED\n");
  });

  test("is ok only when somebody vouches for the log's end", async () => {
    const genuine = new Auditor();
    const verify = (...more: string[]) => genuine.run(...VERIFY, ...more);
    expect(await verify("--last-checkpoint", "last", "--quiet")).toEqual({ code: 0, out: "OK\n", err: "" });
    expect(await verify("--witness", WITNESS.vkey, "--quiet")).toEqual({ code: 0, out: "OK\n", err: "" });
    expect(await verify("--quiet")).toEqual({ code: 20, out: "TAIL-NOT-PINNED\n", err: "" });
    expect(await verify("--witness", OTHER_WITNESS.vkey)).toMatchObject({ code: 20 });
    // Both keys signed; each alone is enough, as a literal, and so are both in one file.
    genuine.write("both.vkey", `${SECOND_KEY.vkey}\n\n${KEY.vkey}\n`);
    for (const key of [SECOND_KEY.vkey, "both.vkey"]) {
      const words = [...EVIDENCE, ...EXPORT, ...THEN, "--key", key, "--last-checkpoint", "last"];
      expect((await genuine.run("verify", ...words)).out).toMatch(/^OK, as of 2025-11-21T11:00:00\.000Z\n/);
    }
    expect(await genuine.run("verify", ...EVIDENCE, ...EXPORT, "--key", STRANGER.vkey)).toMatchObject({ code: 18 });
    expect(await genuine.with("evidence/checkpoint", resized, ...VERIFY)).toMatchObject({ code: 17 });
    genuine.delete();
  });
});

describe("verify in pieces", () => {
  const WORDS = [...VERIFY, "--last-checkpoint", "last", "--json"];
  const piece = (number: string) => run("verify-piece", ...EVIDENCE, ...EXPORT, "--work", "pieces", "--piece", number);

  test("names the pieces that are left and ends with 1, until the report is there: that of the whole", async () => {
    const first = await run(...WORDS, "--work", "pieces", "--pieces", "2");
    expect(first).toMatchObject({ code: 1, err: "" });
    expect(JSON.parse(first.out)).toEqual({ round: 1, piecesLeft: [1, 2] });
    expect(await piece("1")).toMatchObject({ code: 0, out: "Round 1: piece 1 is read.\n" });
    expect(await piece("1")).toMatchObject({ code: 0, out: "It was read before.\n" });
    let merged = await run(...WORDS, "--work", "pieces");
    for (let round = 1; merged.code === 1 && round < 10; round++) {
      for (const number of JSON.parse(merged.out).piecesLeft) await piece(String(number));
      merged = await run(...WORDS, "--work", "pieces");
    }
    const [report, whole] = [JSON.parse(merged.out), JSON.parse((await run(...WORDS)).out)];
    expect(merged.code).toBe(10);
    expect(report).toEqual(whole);
  });

  test.each<[readonly string[], string]>([
    [[...WORDS, "--work", "pieces", "--pieces", "3"], "was begun in 2 pieces"],
    [[...WORDS, "--pieces", "3"], "Give --work too"],
    [[...WORDS, "--work", "others", "--pieces", "0"], "--pieces is a whole number from 1 to 1000"],
    [["verify-piece", ...EVIDENCE, ...EXPORT, "--work", "pieces", "--piece", "3"], "There are the pieces 1 to 2"],
    [["verify-piece", ...EVIDENCE, ...EXPORT, "--work", "none", "--piece", "1"], "Begin it with verify --work"],
  ])("%j ends with 2", async (words, what) => {
    const ended = await run(...words);
    expect(ended).toMatchObject({ code: 2, out: "" });
    expect(ended.err).toContain(what);
  });
});

describe("verify, of a settled incident", () => {
  interface Said {
    readonly finding?: { readonly leaf?: number; readonly leafHash?: string; readonly code: string };
    readonly acknowledged?: string;
    readonly report?: { readonly verdict: string; readonly acknowledgedCount: number };
  }
  const PINNED_BY_LAST = ["--last-checkpoint", "last"];

  test("--all prints every finding on a line, and --known acknowledges those that its file names", async () => {
    const all = await run(...VERIFY, ...PINNED_BY_LAST, "--all", "--json");
    const said = all.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Said);
    const findings = said.flatMap(({ finding }) => (finding === undefined ? [] : [finding]));
    expect(said.at(-1)?.report).toMatchObject({ verdict: "altered", acknowledgedCount: 0 });
    const settled = findings.filter(({ leafHash }) => leafHash !== undefined);
    expect(settled.length).toBeGreaterThanOrEqual(3);
    const lines = settled.map(({ leaf, leafHash, code }) => JSON.stringify({ leaf, leafHash, code, reason: "INC-7" }));
    auditor.write("known", `${lines.join("\n")}\n`);
    const known = await run(...VERIFY, ...PINNED_BY_LAST, "--known", "known");
    expect(known).toMatchObject({ code: 0, out: expect.stringMatching(/^OK, as of/) });
    expect(known.out).toContain(`acknowledged (INC-7) missing RECORD_REMOVED PaymentLedger ${REMOVED}`);
    auditor.write("known", `${lines.slice(1).join("\n")}\n`);
    const left = await run(...VERIFY, ...PINNED_BY_LAST, "--known", "known", "--all");
    expect(left.code).not.toBe(0);
    expect(left.out).toContain("acknowledged (INC-7)");
    expect(left.out).toContain(String(settled[0]?.code));
    auditor.write("known", `${lines.join("\n").replace(/"leaf":(\d+)/, '"leaf":1$1')}\n`);
    expect((await run(...VERIFY, ...PINNED_BY_LAST, "--known", "known")).out).toContain("KNOWN_UNMATCHED");
  });

  test("history takes the same file", async () => {
    const found = JSON.parse((await run(...VERIFY, ...PINNED_BY_LAST, "--json")).out) as {
      findings: Said["finding"][];
    };
    const own = found.findings.filter((each) => each?.leafHash !== undefined && each.code === "RECORD_CHANGED");
    expect(own).toHaveLength(1);
    const [first] = own;
    auditor.write(
      "known",
      JSON.stringify({ leaf: first?.leaf, leafHash: first?.leafHash, code: first?.code, reason: "x" }),
    );
    const words = ["history", TAMPERED, ...EVIDENCE, ...EXPORT, ...PINNED, ...THEN, ...PINNED_BY_LAST];
    expect(await run(...words)).toMatchObject({ code: 10 });
    const known = await run(...words, "--known", "known");
    expect(known).toMatchObject({ code: 0, out: expect.stringContaining("acknowledged (x) altered RECORD_CHANGED") });
  });

  test("old exports are stale, and a device is no file of keys", async () => {
    const now = VERIFY.filter((word) => !THEN.includes(word));
    expect(await run(...now, ...PINNED_BY_LAST, "--json")).toMatchObject({
      out: expect.stringContaining("SOURCE_OLD"),
    });
    const device = await run("verify", ...EVIDENCE, ...EXPORT, "--key", "/dev/zero");
    expect(device).toMatchObject({ code: 2, err: expect.stringContaining("no regular file") });
  });
});

describe("prove and verify-proof", () => {
  const prove = (id: string, ...more: string[]) => run("prove", id, ...EVIDENCE, ...PINNED, ...more);
  const check = (proof: string, record: string, ...more: string[]) =>
    run("verify-proof", proof, "--record", record, ...PINNED, ...more);

  test("a payment, its audit record, and an earlier version of a payment", async () => {
    const proven = await prove("pay-20", ...EXPORT);
    expect(proven).toMatchObject({ code: 0, err: "" });
    expect(proven.out).toMatch(
      /^pay-20\.tlog-proof: PaymentLedger pay-20, version 3, is entry \d+ \(RECORD\) of \d+; \d+ bytes\.\npay-20\.record\.json/,
    );
    expect(await check("pay-20.tlog-proof", "pay-20.record.json")).toMatchObject({ code: 0, err: "" });
    expect(await prove("event-3", ...EXPORT)).toMatchObject({ code: 0 });
    const audited = await check("event-3.tlog-proof", "event-3.record.json", "--json");
    expect(JSON.parse(audited.out)).toMatchObject({
      verdict: "ok",
      code: "PROVEN",
      entry: { table: "PaymentAuditTrail" },
    });
    expect(await prove("pay-20", ...EXPORT, "--version", "2", "--out", "second")).toMatchObject({ code: 0 });
    expect((await check("second", "second.record.json")).out).toContain("version 2");
    expect(await check("second", "pay-20.record.json")).toMatchObject({ code: 10 });
  });

  test("from a record that somebody has, as a line of either kind of export or as it is", async () => {
    await prove("pay-7", ...EXPORT);
    const { Item } = JSON.parse(auditor.read("pay-7.record.json"));
    const forms = [{ Item }, { Metadata: {}, Keys: {}, NewImage: Item, OldImage: { x: { S: "y" } } }, Item];
    for (const form of forms) {
      auditor.write("record", `${JSON.stringify(form, undefined, 1)}\n`);
      expect(await prove("pay-7", "--record", "record", "--out", "p")).toMatchObject({ code: 0 });
      expect(await check("p", "record")).toMatchObject({ code: 0 });
    }
  });

  test("says when the signature was not checked, and checks it when it can", async () => {
    const unpinned = ["prove", "pay-7", ...EVIDENCE, ...EXPORT];
    expect((await run(...unpinned)).err).toContain("signature was not checked");
    // It bears the signatures of both keys of the log, so both are needed.
    const checked = await check("pay-7.tlog-proof", "pay-7.record.json");
    expect(checked).toMatchObject({ code: 21, out: expect.stringContaining("UNCHECKED_SIGNATURE") });
    expect(await check("pay-7.tlog-proof", "pay-7.record.json", "--key", SECOND_KEY.vkey)).toMatchObject({ code: 0 });
    expect(await run(...unpinned, "--key", STRANGER.vkey)).toMatchObject({ code: 18, out: "" });
    const ended = await auditor.with(
      "evidence/checkpoint",
      resized,
      "prove",
      "pay-7",
      ...EVIDENCE,
      ...EXPORT,
      ...PINNED,
    );
    expect(ended).toMatchObject({ code: 17, out: "" });
  });

  test("carries the cosignatures of the witnesses that are given", async () => {
    await prove("pay-7", ...EXPORT, "--witness", WITNESS.vkey);
    expect(await check("pay-7.tlog-proof", "pay-7.record.json")).toMatchObject({ code: 21 });
    const seen = await check("pay-7.tlog-proof", "pay-7.record.json", "--witness", WITNESS.vkey);
    expect(seen).toMatchObject({ code: 0 });
    expect(seen.out).toContain("seen by witness.example/w1 at 2026-11-18T");
    const unseen = await check("pay-7.tlog-proof", "pay-7.record.json", "--witness", OTHER_WITNESS.vkey);
    expect(unseen).toMatchObject({ code: 20 });
  });

  test("an id in two tables needs the table's name", async () => {
    const ended = await prove(TWICE, ...EXPORT);
    expect(ended).toMatchObject({ code: 2, out: "" });
    const [, leaf = ""] = /entry (\d+) \(payment-audit-trail/.exec(ended.err) ?? [];
    expect((await prove(TWICE, ...EXPORT, "--table", "PaymentLedger")).out).toContain("PaymentLedger twice-1");
    expect((await prove(TWICE, ...EXPORT, "--leaf", leaf)).out).toContain("payment-audit-trail twice-1");
    expect(await check("twice-1.tlog-proof", "twice-1.record.json")).toMatchObject({ code: 0 });
  });

  test("what was sealed as forged or tampered with is proven to be that", async () => {
    await prove(FORGED, ...EXPORT);
    expect(await check("forged-1.tlog-proof", "forged-1.record.json")).toMatchObject({ code: 12 });
    await prove(TAMPERED, ...EXPORT);
    const tampered = await check("tampered-1.tlog-proof", "tampered-1.record.json");
    expect(tampered).toMatchObject({ code: 10 });
    expect(tampered.out).toContain("SEALED_AS_TAMPER");
  });

  test("nothing is written for what the log does not hold, or holds otherwise", async () => {
    const before = readdirSync(auditor.top).sort();
    expect(await prove("nobody", ...EXPORT)).toMatchObject({ code: 13, out: "" });
    expect((await prove("pay-7", ...EXPORT, "--version", "9")).err).toContain("There are: entry");
    expect(await prove("pay-7", ...EXPORT, "--table", "payment-transactions")).toMatchObject({ code: 13 });
    // Removed before the export was taken.
    expect(await prove(REMOVED, ...EXPORT)).toMatchObject({ code: 11, out: "" });
    const { Item } = JSON.parse(auditor.read("pay-7.record.json"));
    auditor.write("record", JSON.stringify({ Item: { ...Item, Amount: { S: "999999.00" } } }));
    const differs = await prove("pay-7", "--record", "record");
    expect(differs).toMatchObject({ code: 10, out: "" });
    expect(differs.err).toContain("No proof was written");
    expect(readdirSync(auditor.top).sort()).toEqual(before);
  });

  test("an evidence folder that lacks something, or whose tiles are altered, gives no proof", async () => {
    const words = ["prove", "pay-7", ...EVIDENCE, ...EXPORT, "--out", "never"];
    const names = readdirSync(auditor.file("evidence/tile/0"));
    expect(names).toContain("000");
    const gone = () => undefined;
    expect(await auditor.with("evidence/tile/0/000", gone, ...words)).toMatchObject({ code: 21, out: "" });
    expect(await auditor.with("evidence/tile/entries/000", gone, ...words)).toMatchObject({ code: 21, out: "" });
    expect(await auditor.with("evidence/checkpoint", gone, ...words)).toMatchObject({ code: 21, out: "" });
    expect(await auditor.with("evidence/tile/0/000", flipped(7000), ...words)).toMatchObject({ code: 10, out: "" });
    expect(await auditor.with("evidence/checkpoint", () => "x", ...words)).toMatchObject({ code: 2, out: "" });
  });

  test("a file that is not a proof or not a record is an error that says so", async () => {
    await prove("pay-7", ...EXPORT);
    const words = ["verify-proof", "pay-7.tlog-proof", "--record", "pay-7.record.json", ...PINNED];
    const altered = (text: Buffer) => text.toString().replace("index ", "index 0");
    expect(await auditor.with("pay-7.tlog-proof", altered, ...words)).toMatchObject({ code: 2, out: "" });
    for (const text of [
      "",
      "{}",
      "[]",
      '{"Item":{}}',
      '{"Item":{"a":1}}',
      '{"Item":{"a":{"X":"1"}}}',
      '{"a":{"S":"\\ud800"}}',
      '{"a":{"S":"1"},"a":{"S":"2"}}',
    ]) {
      const ended = await auditor.with("pay-7.record.json", () => text, ...words);
      expect({ text, ...ended }).toMatchObject({ code: 2, out: "", err: expect.stringContaining("holds no record") });
    }
    const changed = (text: Buffer) => text.toString().replace('"125.50"', '"125.51"');
    expect(await auditor.with("pay-7.record.json", changed, ...words)).toMatchObject({ code: 10 });
    expect(await run(...words.slice(0, 4), "--key", STRANGER.vkey)).toMatchObject({ code: 18 });
    expect(await auditor.with("pay-7.tlog-proof", resized, ...words)).toMatchObject({ code: 17 });
  });
});

describe("consistency", () => {
  const from = ["consistency", "--from", "last"];

  test("proves that the log begins with all that it had, and the proof is checked without the log", async () => {
    const ended = await run(...from, ...EVIDENCE, ...PINNED, "--out", "lines");
    expect(ended).toMatchObject({ code: 0, err: "" });
    expect(ended.out).toMatch(/^OK: the log \S+ of \d+ entries begins with all \d+ of the earlier checkpoint\.\n/);
    expect(ended.out.split("\n").slice(1).join("\n")).toBe(auditor.read("lines"));
    expect(await run(...from, "--to", "evidence/checkpoint", "--proof", "lines", ...PINNED)).toMatchObject({ code: 0 });
    const json = JSON.parse((await run(...from, ...EVIDENCE, "--json")).out);
    expect(json.proof.map((line: string) => `${line}\n`).join("")).toBe(auditor.read("lines"));
    const same = await run("consistency", "--from", "last", "--to", "last", ...EVIDENCE);
    expect(same).toMatchObject({ code: 0, err: expect.stringContaining("signature was not checked") });
  });

  test("between two earlier checkpoints needs only the tiles of the newest", async () => {
    const sizes = readdirSync(auditor.file("evidence/checkpoints")).sort();
    const [first = "", second = ""] = sizes.slice(-4, -2);
    const words = ["consistency", "--from", `evidence/checkpoints/${first}`, "--to", `evidence/checkpoints/${second}`];
    const tile = `evidence/tile/0/001.p/${Number(second) - 256}`;
    expect(await auditor.with(tile, () => undefined, ...words, ...EVIDENCE, ...PINNED)).toMatchObject({ code: 0 });
  });

  test("refuses a fork, a wrong proof, a log that went back, and another log", async () => {
    const words = [...from, "--to", "evidence/checkpoint", "--proof", "lines", ...PINNED];
    const withoutLast = (text: Buffer) => text.toString().replace(/[^\n]+\n$/, "");
    expect(await auditor.with("lines", withoutLast, ...words)).toMatchObject({ code: 16, out: "" });
    const size = Number(auditor.read("last").split("\n")[1]);
    const text =
      auditor
        .read("last")
        .split("\n\n")[0]
        ?.replace(/\n.*$/, `\n${Buffer.alloc(32, 7).toString("base64")}\n`) ?? "";
    const forked = await auditor.with("last", () => `${text}\n${KEY.sign(text)}`, ...from, ...EVIDENCE, ...PINNED);
    expect(forked).toMatchObject({ code: 16, out: "" });
    const back = await run("consistency", "--from", "evidence/checkpoint", "--to", "last", ...EVIDENCE);
    expect(back).toMatchObject({ code: 19, out: "", err: expect.stringContaining(`now ${size}`) });
    const other = (bytes: Buffer) => bytes.toString().replace("payment-ledger/", "payment-book/");
    expect(await auditor.with("last", other, ...from, ...EVIDENCE)).toMatchObject({ code: 18, out: "" });
    expect(await run(...from, ...EVIDENCE, "--key", STRANGER.vkey)).toMatchObject({ code: 18, out: "" });
    expect(await auditor.with("last", resized, ...from, ...EVIDENCE, ...PINNED)).toMatchObject({ code: 17, out: "" });
    expect(await auditor.with("last", () => "x", ...from, ...EVIDENCE)).toMatchObject({ code: 2, out: "" });
  });
});

describe("history", () => {
  const WORDS = [...EVIDENCE, ...EXPORT, ...PINNED, ...THEN, "--last-checkpoint", "last"];
  const history = (id: string, ...more: string[]) => run("history", id, ...WORDS, ...more);

  test("shows the versions of a payment and its audit records between heartbeats", async () => {
    const ended = await history("pay-20");
    expect(ended).toMatchObject({ code: 0, err: "" });
    const lines = ended.out.trimEnd().split("\n").slice(1);
    expect(lines.map((line) => line.trim().split(" ").slice(2, 4).join(" "))).toEqual([
      "RECORD PaymentLedger",
      "RECORD PaymentAuditTrail",
      "RECORD PaymentLedger",
      "RECORD PaymentAuditTrail",
      "RECORD PaymentLedger",
      "RECORD PaymentAuditTrail",
    ]);
    for (const what of ["version 2: Success", "version 3: Failure", "WRITE", "UPDATE"]) {
      expect(ended.out).toContain(what);
    }
    // The exports hold the rows of their time; the log also knows the version before.
    expect(lines[0]).toContain("version 1: not in the exports, sealed before");
    expect(lines[2]).toMatch(/recorded 2025-11-21T10:\S+, sealed before 2025-11-21T10:\S+, and after 2025-11-21T10:/);
    const json = JSON.parse((await history("pay-20", "--json")).out);
    expect(json).toMatchObject({ verdict: "ok", withoutEntry: [], findings: [] });
    expect(json.entries).toHaveLength(6);
    for (const { sealedAfter, recordedAt, sealedBefore } of json.entries.slice(1)) {
      expect([sealedAfter, recordedAt, sealedBefore].sort()).toEqual([sealedAfter, recordedAt, sealedBefore]);
    }
  });

  test("names what was forged, changed and removed", async () => {
    // It has no WRITE record either, which is graver.
    const forged = await history(FORGED);
    expect(forged).toMatchObject({ code: 11, out: expect.stringContaining("none of the functions wrote it") });
    expect(forged.out).toContain(`forged RECORD_FORGED PaymentLedger ${FORGED}`);
    expect(forged.out).toContain(`missing WRITE_RECORD_MISSING PaymentLedger ${FORGED}`);
    expect(await history(TAMPERED)).toMatchObject({
      code: 10,
      out: expect.stringContaining("the stored record was changed"),
    });
    const removed = await history(REMOVED);
    expect(removed).toMatchObject({ code: 11, out: expect.stringContaining("the stored record was removed") });
    expect(removed.out).toContain("not in the exports");
  });

  test.each(["2025-11-21T10:02:00.000Z", "2025-11-21T09:00:00.000Z", "2099-01-01T00:00:00.000Z", "soon"])(
    "a record of %s that the log does not hold is a finding, whatever time it says",
    async (at) => {
      const other = new Auditor((world) => {
        world.rows("PaymentAuditTrail").set("stray", auditRecord("stray", "READ", "PaymentLedger", "pay-20", at));
      });
      const ended = await other.run("history", "pay-20", ...WORDS);
      expect(ended.out).toContain("NO ENTRY PaymentAuditTrail stray version 1: READ, recorded");
      expect(ended.out).toContain("unsealed RECORD_UNSEALED PaymentAuditTrail stray");
      expect(ended.code).toBe(13);
      other.delete();
    },
  );

  test("an altered payment, and one whose records were all removed, are findings as in verify", async () => {
    const other = new Auditor();
    const change = (lines: (line: string) => string) => {
      for (const name of readdirSync(other.file("exports"), { recursive: true, encoding: "utf8" })) {
        if (name.endsWith(".json.gz")) other.rewriteData(`exports/${name}`, lines);
      }
    };
    change((line) =>
      line
        .replace(/("TransactionID":\{"S":"pay-5"\}.*"Amount":\{"S":")[^"]*/, "$11.00")
        .replace(/("Amount":\{"S":")[^"]*(".*"TransactionID":\{"S":"pay-5"\})/, "$11.00$2"),
    );
    const altered = await other.run("history", "pay-5", ...WORDS);
    expect(altered).toMatchObject({
      code: 10,
      out: expect.stringContaining("altered RECORD_ALTERED PaymentLedger pay-5"),
    });
    change((line) => (line.includes('{"S":"pay-6"}') ? "" : line));
    const removed = await other.run("history", "pay-6", ...WORDS);
    expect(removed).toMatchObject({
      code: 11,
      out: expect.stringContaining("missing RECORD_MISSING PaymentLedger pay-6"),
    });
    // Another payment's findings are no findings of this one.
    expect((await other.run("history", "pay-7", ...WORDS)).code).toBe(0);
    other.delete();
  });

  test("without a key, or without anybody who vouches for the log's end, is never ok", async () => {
    expect(await run("history", "pay-20", ...EVIDENCE, ...EXPORT, ...THEN)).toMatchObject({
      code: 2,
      err: expect.stringContaining("--key is missing"),
    });
    expect(await run("history", "pay-20", ...EVIDENCE, ...EXPORT, ...THEN, ...PINNED)).toMatchObject({ code: 20 });
    const old = [...EVIDENCE, ...EXPORT, ...PINNED, "--last-checkpoint", "last"];
    expect(await run("history", "pay-20", ...old)).toMatchObject({
      code: 19,
      out: expect.stringContaining("SOURCE_OLD"),
    });
  });

  test("of a payment whose export cannot be read whole is incomplete", async () => {
    const names = readdirSync(auditor.file("exports/PaymentAuditTrail"), { recursive: true, encoding: "utf8" });
    const data = names.find((name) => name.endsWith("part0.json.gz")) ?? "";
    const words = ["history", "pay-7", ...WORDS];
    const name = `exports/PaymentAuditTrail/${data}`;
    const ended = await auditor.with(name, (bytes) => bytes.subarray(0, bytes.length / 2), ...words);
    expect(ended.code).toBe(21);
  });

  test("of nothing is refused", async () => {
    const ended = await history("nobody");
    expect(ended).toMatchObject({ code: 13, out: "", err: expect.stringContaining("hold anything about nobody") });
    const stranger = ["history", "pay-7", ...EVIDENCE, ...EXPORT, "--key", STRANGER.vkey];
    expect(await run(...stranger)).toMatchObject({ code: 18, out: "" });
  });
});

describe("keys", () => {
  test("with fingerprints, and which of them signed", async () => {
    const { out, code } = await run("keys", ...EVIDENCE);
    expect(code).toBe(0);
    for (const { vkey } of [KEY, SECOND_KEY]) expect(out).toContain(vkey);
    expect(out.match(/ signed this checkpoint/g)).toHaveLength(2);
    auditor.write(`evidence/keys/${STRANGER.keyId}.vkey`, STRANGER.vkey);
    const json = JSON.parse((await run("keys", ...EVIDENCE, "--json")).out) as {
      keyId: string;
      signedCheckpoint: boolean;
    }[];
    expect(json.find(({ keyId }) => keyId === STRANGER.keyId)?.signedCheckpoint).toBe(false);
    const broken = await auditor.with(`evidence/keys/${STRANGER.keyId}.vkey`, () => "x", "keys", ...EVIDENCE);
    expect(broken).toMatchObject({ code: 10, err: expect.stringContaining("holds no verifier key") });
  });
});

test("an older Node.js is refused with a message", () => {
  for (const version of ["18.20.4", "20.9.0", "20.11.1"]) expect(() => checkNode(version)).toThrow("20.12 or newer");
  for (const version of ["20.12.0", "22.1.0", "24.0.0"]) expect(() => checkNode(version)).not.toThrow();
});

test("the progress bar draws over itself, not too often, and is gone in the end", () => {
  const written: string[] = [];
  let now = 0;
  const bar = progressBar(
    (text) => written.push(text),
    () => now,
  );
  for (let done = 1; done <= 1000; done += 1) {
    now += 1;
    bar.show(done, 1000, "entries");
  }
  bar.end();
  expect(written.length).toBeLessThan(15);
  expect(written.at(-2)).toContain("100% 1000 of 1000 entries");
  expect(written.at(-1)).toBe("\r\u001b[K");
});
