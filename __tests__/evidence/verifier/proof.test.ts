import fc from "fast-check";
import { parseCheckpoint } from "../../../evidence/log/checkpoint";
import { entryBytes, type LogEntry, type RecordEntry } from "../../../evidence/log/entry";
import { NoteError, parseVerifierKey, signatureLine } from "../../../evidence/log/note";
import { CHECKPOINT_PATH, cosignaturePath } from "../../../evidence/log/paths";
import { localEvidence } from "../../../evidence/verifier/local-evidence";
import { tileReader } from "../../../evidence/verifier/merkle-tree";
import {
  checkProof,
  entryOfRecord,
  hintBytes,
  ProofError,
  parseHint,
  parseProof,
  proofBytes,
  type TlogProof,
} from "../../../evidence/verifier/proof";
import { bearing, findEntries, proofOf, provenPath, withCosignatures } from "../../../evidence/verifier/proof-search";
import { addCheckpoint, submissionBody } from "../../../evidence/verifier/witness";
import { cosignerOf, newWitnessKey } from "../../../evidence/verifier/witness-key";
import { heartbeat, ORIGIN, paymentItem, sealed, signerOf, someEntries, WrittenLog } from "../../interop/written-log";

const ID = "txn/slash:and+plus";
const item = paymentItem(ID);
const forged = paymentItem("txn-forged");
const changed = paymentItem("txn-changed", { Amount: { S: "99.00" } });
const witness = newWitnessKey("witness.example/w1");
const silent = newWitnessKey("witness.example/w2");
const keyOf = (vkey: string) => parseVerifierKey(vkey);

let log: WrittenLog;

beforeAll(async () => {
  const entries: LogEntry[] = [
    ...someEntries(300),
    sealed("PaymentLedger", item),
    sealed("PaymentLedger", forged, { kind: "FORGED" }),
    sealed("PaymentLedger", changed, { kind: "TAMPER", previous: sealed("PaymentLedger", item).commitment }),
    heartbeat("2026-11-21T12:00:00.000Z"),
  ];
  log = await WrittenLog.of(entries, [await signerOf("ed25519"), await signerOf("ecdsa")]);
  const note = log.read(CHECKPOINT_PATH);
  const state = { latest: async () => undefined, replace: async () => true };
  const now = Date.UTC(2026, 10, 21, 13);
  const answer = await addCheckpoint(
    submissionBody(0, [], note),
    state,
    [keyOf(log.vkey)],
    cosignerOf(witness.pem),
    now,
  );
  log.write(cosignaturePath(log.size, cosignerOf(witness.pem).key.keyId), answer.body);
});
afterAll(() => log.delete());

async function madeFor(id: string): Promise<TlogProof> {
  const evidence = localEvidence(log.top);
  const note = log.read(CHECKPOINT_PATH);
  for await (const { leaf, entry } of findEntries(evidence, log.size, new Set([id]))) {
    if (entry.kind === "HEARTBEAT") continue;
    const path = await provenPath(tileReader(evidence, log.size), parseCheckpoint(note), leaf, entryBytes(entry));
    return proofOf({ leaf, entry }, path, await withCosignatures(evidence, note));
  }
  throw new Error(`There is no entry of ${id}.`);
}

const bothKeys = () => log.signers.map(({ verifierKey }) => verifierKey);

const check = (proof: TlogProof, record = item, keys = bothKeys(), witnesses: readonly string[] = [witness.vkey]) =>
  checkProof(parseProof(proofBytes(proof)), record, keys.map(keyOf), witnesses.map(keyOf));

describe("a proof of a sealed record", () => {
  test("is proven by the record and either of the log's keys, and says who saw the checkpoint when", async () => {
    const proof = await madeFor(ID);
    for (const { verifierKey, keyId } of log.signers) {
      const witnessId = keyOf(witness.vkey).keyId;
      const borne = bearing(proof.checkpoint, (line) => [keyId, witnessId].includes(line.keyId));
      const checked = check({ ...proof, checkpoint: borne }, item, [verifierKey]);
      expect(checked).toMatchObject({ verdict: "ok", code: "PROVEN", index: 300, size: 304 });
    }
    const report = check(proof);
    expect(report.witnesses).toEqual([{ name: "witness.example/w1", time: "2026-11-21T13:00:00.000Z" }]);
    expect(report.entry).toMatchObject({ kind: "RECORD", table: "PaymentLedger", key: [ID], version: "1" });
  });

  test("is small, and reads as the specification says", async () => {
    const bytes = proofBytes(await madeFor(ID));
    expect(bytes.length).toBeLessThan(2048);
    const lines = bytes.toString().split("\n");
    expect(lines[0]).toBe("c2sp.org/tlog-proof@v1");
    expect(lines[1]).toMatch(/^extra [A-Za-z0-9+/]+=*$/);
    expect(lines[2]).toBe("index 300");
    expect(lines.slice(lines.indexOf("") + 1, lines.indexOf("") + 3)).toEqual([ORIGIN, "304"]);
  });

  test("of a later version needs nothing but that version", async () => {
    const next = paymentItem(ID, { Version: { N: "2" }, Status: { S: "SETTLED" } });
    const previous = sealed("PaymentLedger", item).commitment;
    const entry = sealed("PaymentLedger", next, { previous });
    expect(entryOfRecord(parseHint(hintBytes(entry)), next)).toEqual(entry);
  });
});

describe("is refused, by name", () => {
  test("another content of the same record: altered", async () => {
    const proof = await madeFor(ID);
    const altered = { ...item, Amount: { S: "10.51" } };
    expect(check(proof, altered)).toMatchObject({ verdict: "altered", code: "RECORD_ALTERED" });
  });

  test("another record, another version, another table's form: not this proof's", async () => {
    const proof = await madeFor(ID);
    const others = [paymentItem("txn-1"), { ...item, Version: { N: "2" } }, { paymentId: { S: ID } }];
    for (const other of others)
      expect(check(proof, other)).toMatchObject({ verdict: "altered", code: "PROOF_ALTERED" });
  });

  test("another kind, sequence number, predecessor, table, index or hash than was sealed", async () => {
    const proof = await madeFor(ID);
    const hint = parseHint(proof.extra);
    const [first = Buffer.alloc(0), ...rest] = proof.hashes;
    const flipped = Buffer.from(first);
    flipped[7] = (flipped[7] ?? 0) ^ 1;
    const wrong: TlogProof[] = [
      { ...proof, extra: hintBytes({ ...hint, kind: "LATE" }) },
      { ...proof, extra: hintBytes({ ...hint, sequence: "7" }) },
      { ...proof, extra: hintBytes({ ...hint, previous: hint.commitment }) },
      { ...proof, extra: hintBytes({ ...hint, table: "payment-transactions" }) },
      { ...proof, index: proof.index + 1 },
      { ...proof, index: 304 },
      { ...proof, hashes: [flipped, ...rest] },
      { ...proof, hashes: rest },
      { ...proof, hashes: [...proof.hashes, first] },
    ];
    for (const each of wrong) expect(check(each)).toMatchObject({ verdict: "altered", code: "PROOF_ALTERED" });
  });

  test("a hint of another commitment than the record's, or one that says the same in other bytes", async () => {
    const proof = await madeFor(ID);
    const hint = parseHint(proof.extra);
    const { commitment } = sealed("PaymentLedger", forged);
    expect(check({ ...proof, extra: hintBytes({ ...hint, commitment }) })).toMatchObject({ code: "PROOF_ALTERED" });
    expect(
      check({ ...proof, extra: hintBytes({ ...hint, commitment }) }, { ...item, Amount: { S: "1.00" } }),
    ).toMatchObject({ code: "PROOF_ALTERED" });
    const text = proof.extra.toString();
    const others = [
      JSON.stringify(JSON.parse(text), undefined, 1),
      text.replace("{", "{ "),
      JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text)).reverse())),
      text.replace("PaymentLedger", "\\u0050aymentLedger"),
      hintBytes({ ...hint, commitment: "" }).toString(),
      hintBytes({ ...hint, commitment: "anything" }).toString(),
      hintBytes({ ...hint, previous: "anything" }).toString(),
      hintBytes({ ...hint, sequence: "one" }).toString(),
    ];
    for (const extra of others) expect(() => check({ ...proof, extra: Buffer.from(extra) })).toThrow(ProofError);
  });

  test("a signature line that no given key checks, or one twice", async () => {
    const proof = await madeFor(ID);
    for (const name of ["stranger.example", ORIGIN]) {
      const line = signatureLine({ name, keyId: "00000000", signature: Buffer.alloc(64) });
      const checkpoint = Buffer.concat([proof.checkpoint, Buffer.from(line)]);
      expect(check({ ...proof, checkpoint })).toMatchObject({ verdict: "incomplete", code: "UNCHECKED_SIGNATURE" });
    }
    const twice = Buffer.concat([
      proof.checkpoint,
      Buffer.from(`${proof.checkpoint.toString().trimEnd().split("\n").at(-1)}\n`),
    ]);
    expect(check({ ...proof, checkpoint: twice })).toMatchObject({ code: "UNCHECKED_SIGNATURE" });
    for (const keys of bothKeys()) expect(check(proof, item, [keys])).toMatchObject({ code: "UNCHECKED_SIGNATURE" });
  });

  test("a change of any byte to any value", async () => {
    const bytes = proofBytes(await madeFor(ID));
    const [keys, witnesses] = [bothKeys().map(keyOf), [keyOf(witness.vkey)]];
    const codeOf = (changed: Buffer): string => {
      try {
        return checkProof(parseProof(changed), item, keys, witnesses).code;
      } catch (error) {
        if (error instanceof ProofError || error instanceof NoteError) return error.code;
        throw error;
      }
    };
    expect(codeOf(bytes)).toBe("PROVEN");
    for (const at of bytes.keys()) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      expect({ at, code: codeOf(changed) }).not.toMatchObject({ code: "PROVEN" });
    }
    const change = fc.record({ at: fc.nat(bytes.length - 1), to: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(change, ({ at, to }) => {
        fc.pre(bytes[at] !== to);
        const changed = Buffer.from(bytes);
        changed[at] = to;
        expect(codeOf(changed)).not.toBe("PROVEN");
      }),
      { numRuns: 500 },
    );
  });

  test("a record that was sealed as forged, or as tampered with", async () => {
    expect(check(await madeFor("txn-forged"), forged)).toMatchObject({ verdict: "forged", code: "SEALED_AS_FORGED" });
    expect(check(await madeFor("txn-changed"), changed)).toMatchObject({
      verdict: "altered",
      code: "SEALED_AS_TAMPER",
    });
  });

  test("a key that did not sign: wrong key; a signature under a pinned key's name that is not its: bad signature", async () => {
    const proof = await madeFor(ID);
    const stranger = (await signerOf()).verifierKey;
    const elsewhere = (await signerOf("ed25519", "payment-ledger/other")).verifierKey;
    for (const keys of [[stranger], [elsewhere], []]) {
      expect(check(proof, item, keys)).toMatchObject({ verdict: "wrong-key", code: "WRONG_KEY" });
    }
    const text = proof.checkpoint.toString().replace("\n304\n", "\n305\n");
    const resized = { ...proof, checkpoint: Buffer.from(text) };
    expect(check(resized)).toMatchObject({ verdict: "bad-signature", code: "BAD_SIGNATURE" });
  });

  test("a good signature of a pinned key of another log proves nothing about this one", async () => {
    const other = await WrittenLog.of(
      [sealed("PaymentLedger", item)],
      [await signerOf("ed25519", "payment-ledger/b")],
      ORIGIN,
    );
    const note = other.read(CHECKPOINT_PATH);
    const found = { leaf: 0, entry: sealed("PaymentLedger", item) };
    expect(check(proofOf(found, [], note), item, [other.vkey])).toMatchObject({ verdict: "wrong-key" });
    other.delete();
  });

  test("a witness that did not cosign, or whose cosignature was altered", async () => {
    const proof = await madeFor(ID);
    const missing = check(proof, item, bothKeys(), [witness.vkey, silent.vkey]);
    expect(missing).toMatchObject({ verdict: "tail-not-pinned", code: "WITNESS_MISSING" });
    expect(missing.message).toContain("witness.example/w2");
    const lines = proof.checkpoint.toString().trimEnd().split("\n");
    const [, name = "", signature = ""] = (lines.at(-1) ?? "").split(" ");
    const bytes = Buffer.from(signature, "base64");
    for (const at of [5, 11, 20]) {
      const altered = Buffer.from(bytes);
      altered[at] = (altered[at] ?? 0) ^ 1;
      const line = `— ${name} ${altered.toString("base64")}`;
      const checkpoint = Buffer.from(`${[...lines.slice(0, -1), line].join("\n")}\n`);
      const report = check({ ...proof, checkpoint }, item, bothKeys(), [witness.vkey]);
      expect(report).toMatchObject({ verdict: "bad-signature", code: "BAD_COSIGNATURE", witnesses: [] });
    }
  });
});

describe("the file is read strictly", () => {
  const bytesOf = async () => proofBytes(await madeFor(ID)).toString();
  const read = (text: string) => parseProof(Buffer.from(text));

  test("what was written is read, and written again with the same bytes", async () => {
    const text = await bytesOf();
    expect(proofBytes(read(text)).toString()).toBe(text);
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
    const extra = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    const proofs = fc.record({ extra, index: fc.maxSafeNat(), hashes: fc.array(hash, { maxLength: 63 }) });
    fc.assert(
      fc.property(proofs, (parts) => {
        const proof = { ...parts, checkpoint: Buffer.from("c\n") };
        expect(parseProof(proofBytes(proof))).toEqual(proof);
      }),
    );
  });

  test.each<[string, (text: string) => string]>([
    ["another format", (text) => text.replace("@v1", "@v2")],
    ["no empty line", (text) => text.replaceAll("\n\n", "\n")],
    ["an extra line that is no base64", (text) => text.replace(/^extra ..../m, "extra *")],
    ["an extra line of another base64", (text) => text.replace(/^extra .*$/m, "extra QUI")],
    ["an empty extra line", (text) => text.replace(/^extra .*$/m, "extra ")],
    ["two extra lines", (text) => text.replace(/^(extra .*)$/m, "$1\n$1")],
    ["no index", (text) => text.replace(/^index .*\n/m, "")],
    ["an index with a leading zero", (text) => text.replace("index 300", "index 0300")],
    ["a negative index", (text) => text.replace("index 300", "index -1")],
    ["an index that no number holds", (text) => text.replace("index 300", "index 99999999999999999999")],
    ["a hash that is too short", (text) => text.replace(/^(index .*\n)(.{43})=/m, "$1AAAA")],
    ["a hash of another base64", (text) => text.replace(/^(index .*\n.{42}).=/m, "$1B=")],
    ["a hash with a blank behind it", (text) => text.replace(/^(index .*\n.{44})/m, "$1 ")],
    ["carriage returns", (text) => text.replaceAll("\n", "\r\n")],
    [
      "too many hashes",
      (text) => text.replace(/^(index .*\n)(.{44}\n)/m, (_all, a: string, b: string) => a + b.repeat(64)),
    ],
    ["nothing", () => ""],
  ])("%s", async (_what, change) => {
    const text = await bytesOf();
    const other = change(text);
    expect(other).not.toBe(text);
    expect(() => read(other)).toThrow(ProofError);
  });

  test("more than any proof", () => {
    expect(() => parseProof(Buffer.alloc(1024 * 1024 + 1, 0x0a))).toThrow(ProofError);
  });

  test("a proof whose checkpoint is invalid", async () => {
    const proof = await madeFor(ID);
    for (const checkpoint of ["", "x\n", proof.checkpoint.toString().replace("304", "0304"), `${proof.checkpoint}\n`]) {
      expect(() => check({ ...proof, checkpoint: Buffer.from(checkpoint) })).toThrow(NoteError);
    }
  });

  test.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["another shape", "[]"],
    ["another application's", '{"package":"x"}'],
    [
      "a member too much",
      '{"commitment":"","kind":"RECORD","previous":"","sequence":"1","table":"PaymentLedger","x":""}',
    ],
    [
      "a kind that there is not",
      '{"commitment":"","kind":"HEARTBEAT","previous":"","sequence":"1","table":"PaymentLedger"}',
    ],
    ["a table that there is not", '{"commitment":"","kind":"RECORD","previous":"","sequence":"1","table":"Other"}'],
    ["a number for a text", '{"commitment":"","kind":"RECORD","previous":"","sequence":1,"table":"PaymentLedger"}'],
  ])("an extra line that holds %s", async (_what, extra) => {
    const proof = await madeFor(ID);
    expect(() => check({ ...proof, extra: Buffer.from(extra) })).toThrow(ProofError);
  });
});

describe("entries are found", () => {
  const found = async (...ids: string[]) => {
    const leaves: number[] = [];
    for await (const { leaf, entry } of findEntries(localEvidence(log.top), log.size, new Set(ids))) {
      if (entry.kind !== "HEARTBEAT") leaves.push(leaf);
    }
    return leaves;
  };

  test("by the whole id, and not by a part of it", async () => {
    expect(await found("txn-12", "txn-299")).toEqual([12, 299]);
    expect(await found("txn-1")).toEqual([1]);
    expect(await found("txn")).toEqual([]);
    expect(await found("PaymentLedger", "RECORD", "")).toEqual([]);
  });

  test("whatever the id is, a later part of a key is no first part", async () => {
    const odd = ['a"b', "ä\u2028", '"key":["x"', "\\"];
    const entries: RecordEntry[] = [
      ...odd.map((id) => sealed("PaymentLedger", paymentItem(id))),
      sealed("payment-transactions", { transactionId: { S: "t" }, timestamp: { N: "1795253400123" } }),
    ];
    const other = await WrittenLog.of(entries);
    const search = async (id: string) => {
      const leaves: number[] = [];
      for await (const each of findEntries(localEvidence(other.top), other.size, new Set([id]))) leaves.push(each.leaf);
      return leaves;
    };
    for (const [leaf, id] of odd.entries()) expect(await search(id)).toEqual([leaf]);
    expect(await search("t")).toEqual([4]);
    expect(await search("x")).toEqual([]);
    expect(await search("1795253400123")).toEqual([]);
    other.delete();
  });

  test("a missing or altered bundle is named, not passed over", async () => {
    const evidence = localEvidence(log.top);
    const without = {
      ...evidence,
      read: async (path: string) => (path.includes("entries/001") ? undefined : evidence.read(path)),
    };
    const drain = async (folder: typeof evidence) => {
      for await (const _each of findEntries(folder, log.size, new Set([ID])));
    };
    await expect(drain(without)).rejects.toMatchObject({ code: "BUNDLE_MISSING", path: "tile/entries/001.p/48" });
    await log.damaged("tile/entries/001.p/48", 0, async () => {
      await expect(drain(evidence)).rejects.toMatchObject({ code: "EVIDENCE_ALTERED" });
    });
  });

  test("an entry that the tiles do not have is not proven", async () => {
    const evidence = localEvidence(log.top);
    const checkpoint = parseCheckpoint(log.read(CHECKPOINT_PATH));
    const path = provenPath(tileReader(evidence, log.size), checkpoint, 3, entryBytes(sealed("PaymentLedger", item)));
    await expect(path).rejects.toMatchObject({ code: "EVIDENCE_ALTERED", path: "tile/entries/000" });
  });

  test("a malformed cosignature is named; one of a checkpoint of another size is left out", async () => {
    const evidence = localEvidence(log.top);
    const note = log.read(CHECKPOINT_PATH);
    const before = await withCosignatures(evidence, note);
    log.write(cosignaturePath(12, "ffffffff"), "— witness.example/w9 AAAAAAAA\n");
    expect(await withCosignatures(evidence, note)).toEqual(before);
    expect(await withCosignatures(evidence, before)).toEqual(before);
    log.write(cosignaturePath(log.size, "ffffffff"), "no signature\n");
    await expect(withCosignatures(evidence, note)).rejects.toMatchObject({ code: "EVIDENCE_ALTERED" });
    log.write(cosignaturePath(log.size, "ffffffff"), "— witness.example/w9 AAAAAAAA\n");
    expect((await withCosignatures(evidence, note)).toString()).toContain("w9");
  });
});
