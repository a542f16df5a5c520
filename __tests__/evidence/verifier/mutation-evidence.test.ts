/** Every way to change the evidence without a key of the log: each has its verdict, and none passes. */

import type { FindingCode, Verdict, VerificationReport } from "../../../evidence/verifier/report";
import { type Files, logKey, NaiveLog } from "../../support/naive-log";
import { Draft, genuineDraft, isNeeded, key, otherKey, witness } from "../../support/verified-world";

const genuine = genuineDraft();
const { log } = genuine.world;
const SIZE = log.entries.length;
const LAST = SIZE % 256;
const digits = (size: number) => String(size).padStart(16, "0");
const sizes = [...genuine.evidence.keys()]
  .filter((path) => path.startsWith("checkpoints/"))
  .map((path) => Number(path.slice(12)))
  .sort((a, b) => a - b);
const EARLIER = sizes.at(-3) ?? 0;

function draft(): Draft {
  return new Draft(genuine.built);
}

function found(report: VerificationReport, verdict: Verdict, code?: FindingCode): void {
  expect(report.findings).toContainEqual(expect.objectContaining({ verdict, ...(code && { code }) }));
  expect(report.verdict).not.toBe("ok");
}

function edit(files: Files, path: string, change: (bytes: Buffer) => Buffer | undefined): void {
  const bytes = files.get(path);
  if (bytes === undefined) throw new Error(`There is no ${path}.`);
  const changed = change(Buffer.from(bytes));
  if (changed === undefined) files.delete(path);
  else files.set(path, changed);
}

const flipped = (at: number) => (bytes: Buffer) => {
  const place = at < 0 ? bytes.length + at : at;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  return bytes;
};

const NEEDED_TILES = ["tile/0/000", `tile/0/001.p/${LAST}`, "tile/1/000.p/1"];
const NEEDED_BUNDLES = ["tile/entries/000", `tile/entries/001.p/${LAST}`];
const OLD_PARTIALS = [...genuine.evidence.keys()].filter(
  (path) => path.includes(".p/") && !NEEDED_TILES.includes(path) && !NEEDED_BUNDLES.includes(path),
);

test("the world has full and partial tiles, two levels, and partial ones of earlier checkpoints", () => {
  for (const path of [...NEEDED_TILES, ...NEEDED_BUNDLES]) expect(genuine.evidence.has(path)).toBe(true);
  expect(OLD_PARTIALS.length).toBeGreaterThan(8);
  expect(EARLIER).toBeGreaterThan(256);
});

describe.each(NEEDED_TILES)("%s", (path) => {
  const width = (genuine.evidence.get(path)?.length ?? 0) / 32;

  test.each([0, 31, Math.floor(width / 2) * 32, -1])("byte %s flipped: altered, and nothing else", async (at) => {
    const changed = draft();
    edit(changed.evidence, path, flipped(at));
    const report = await changed.verify();
    expect(report.findings).toEqual([
      expect.objectContaining({ verdict: "altered", code: "EVIDENCE_ALTERED", message: expect.stringContaining(path) }),
    ]);
  });

  test.each<[string, Verdict, (bytes: Buffer) => Buffer | undefined]>([
    ["truncated", "altered", (bytes) => bytes.subarray(0, -1)],
    ["without its last hash", "altered", (bytes) => bytes.subarray(0, -32)],
    ["longer", "altered", (bytes) => Buffer.concat([bytes, bytes.subarray(0, 32)])],
    ["empty", "altered", () => Buffer.alloc(0)],
    ["of zeros", "altered", (bytes) => Buffer.alloc(bytes.length)],
    ["gone", "incomplete", () => undefined],
  ])("%s: %s", async (_name, verdict, change) => {
    const changed = draft();
    edit(changed.evidence, path, change);
    const report = await changed.verify();
    expect(report.verdicts).toEqual([verdict]);
  });

  test("two hashes swapped", async () => {
    const changed = draft();
    edit(changed.evidence, path, (bytes) =>
      width < 2
        ? flipped(5)(bytes)
        : Buffer.concat([bytes.subarray(32, 64), bytes.subarray(0, 32), bytes.subarray(64)]),
    );
    found(await changed.verify(), "altered", "EVIDENCE_ALTERED");
  });
});

describe.each(NEEDED_BUNDLES)("%s", (path) => {
  const bundle = genuine.evidence.get(path) as Buffer;
  const first = bundle.readUInt16BE(0);

  test.each([2, 3, 20, 100, first, first + 4, Math.floor(bundle.length / 2), -1, -10])(
    "byte %s flipped: altered",
    async (at) => {
      const changed = draft();
      edit(changed.evidence, path, flipped(at));
      const report = await changed.verify();
      expect(report.verdict).toBe("altered");
      expect(report.notes).toContainEqual(expect.stringContaining("were not held against the log"));
    },
  );

  test.each<[string, Verdict, (bytes: Buffer) => Buffer | undefined]>([
    ["a length flipped", "altered", flipped(1)],
    ["truncated", "altered", (bytes) => bytes.subarray(0, -1)],
    ["without its first entry", "altered", (bytes) => bytes.subarray(first + 2)],
    ["with its first entry twice", "altered", (bytes) => Buffer.concat([bytes.subarray(0, first + 2), bytes])],
    ["empty", "altered", () => Buffer.alloc(0)],
    ["with bytes behind its end", "altered", (bytes) => Buffer.concat([bytes, Buffer.from([0])])],
    ["gone", "incomplete", () => undefined],
    [
      "replaced by the other one",
      "altered",
      () => genuine.evidence.get(NEEDED_BUNDLES.find((other) => other !== path) ?? ""),
    ],
  ])("%s: %s", async (_name, verdict, change) => {
    const changed = draft();
    edit(changed.evidence, path, change);
    const report = await changed.verify();
    expect(report.verdict).toBe(verdict);
    expect(report.notes).toContainEqual(expect.stringContaining("were not held against the log"));
  });

  test("two entries swapped", async () => {
    const changed = draft();
    const second = bundle.readUInt16BE(first + 2);
    const [a, b] = [bundle.subarray(0, first + 2), bundle.subarray(first + 2, first + second + 4)];
    edit(changed.evidence, path, (bytes) => Buffer.concat([b, a, bytes.subarray(first + second + 4)]));
    found(await changed.verify(), "altered", "ROOT_DIFFERS");
  });
});

const ENTRY_FIELDS: readonly [string, RegExp, string][] = [
  ["format", /entry\/1/, "entry/2"],
  ["kind", /"RECORD"/, '"FORGED"'],
  ["kind of tampering", /"RECORD"/, '"TAMPER"'],
  ["table", /"table":"P/, '"table":"Q'],
  ["key", /"key":\["pay-/, '"key":["pax-'],
  ["version", /"version":"1"/, '"version":"2"'],
  ["sequence", /"sequence":"1/, '"sequence":"2'],
  ["commitment", /"commitment":"./, '"commitment":"_'],
  ["heartbeat's time", /"time":"2025/, '"time":"2024'],
  ["heartbeat's counts", /"RECORD":"0"/, '"RECORD":"1"'],
];

test.each(ENTRY_FIELDS)(
  "an entry's %s changed in its bundle: altered, nothing it says is believed",
  async (_name, from, to) => {
    const changed = draft();
    edit(changed.evidence, "tile/entries/000", (bytes) =>
      Buffer.from(bytes.toString("latin1").replace(from, to), "latin1"),
    );
    const report = await changed.verify();
    expect(report.verdicts).toEqual(["altered", "tail-not-pinned"]);
  },
);

describe("partial tiles and bundles of earlier checkpoints", () => {
  test.each(OLD_PARTIALS)("%s changed: altered", async (path) => {
    const changed = draft();
    edit(changed.evidence, path, flipped(path.includes("entries") ? 30 : 3));
    const report = await changed.verify();
    expect(report.findings).toEqual([
      expect.objectContaining({ code: "EVIDENCE_ALTERED", message: expect.stringContaining(path) }),
    ]);
  });

  test("are not looked at where that was asked for, and the report says so", async () => {
    const changed = draft();
    edit(changed.evidence, OLD_PARTIALS[0] ?? "", flipped(3));
    const report = await changed.verify({ leftovers: false });
    expect(report).toMatchObject({ verdict: "ok", notes: [expect.stringContaining("were not looked at")] });
  });

  test("of a larger tree are named as not looked at", async () => {
    const changed = draft();
    changed.evidence.set("tile/0/007", Buffer.alloc(8192));
    changed.evidence.set("tile/no-tile", Buffer.alloc(1));
    expect((await changed.verify()).notes).toEqual([expect.stringContaining("2 objects under tile/")]);
  });
});

describe("every file of the folder", () => {
  const files = [...genuine.evidence.keys()];
  const pins: readonly (readonly [string, Draft["options"]])[] = [
    ["a checkpoint that was kept", genuine.options],
    ["a witness", { witnessKeys: [witness.vkey] }],
  ];

  test.each(pins)(
    "with the end pinned by %s, each missing one is named but for those that are documented",
    async (by, options) => {
      const missed: string[] = [];
      for (const path of files) {
        const changed = draft();
        changed.options = options;
        changed.evidence.delete(path);
        if ((await changed.verify()).verdict === "ok") missed.push(path);
      }
      expect(missed).toEqual(files.filter((path) => !isNeeded(path, genuine.evidence, by === "a witness")));
      expect(missed).toEqual(expect.arrayContaining([...OLD_PARTIALS, `keys/${key.keyId}.vkey`]));
    },
  );

  test.each(pins)(
    "with the end pinned by %s, each changed one is named; cosignatures where a witness is",
    async (by, options) => {
      for (const path of files) {
        const changed = draft();
        changed.options = options;
        edit(changed.evidence, path, flipped(Math.floor((changed.evidence.get(path)?.length ?? 0) / 2)));
        const isRead = by === "a witness" || !path.startsWith("cosignatures/");
        expect([path, (await changed.verify()).verdict === "ok"]).toEqual([path, !isRead]);
      }
    },
  );
});

describe("the checkpoint", () => {
  const text = genuine.evidence.get("checkpoint") as Buffer;

  test.each([...text.keys()])("byte %s flipped: never ok", async (at) => {
    const changed = draft();
    edit(changed.evidence, "checkpoint", flipped(at));
    // Nothing of the log is read then, so the exports need not be either.
    const report = await changed.verify({ sources: [] });
    const own = report.findings.filter(({ code }) => code !== "SOURCE_MISSING");
    expect(own).toHaveLength(1);
    expect(["bad-signature", "wrong-key", "altered"]).toContain(own[0]?.verdict);
  });

  const line = (index: number, change: (line: string) => string) => (bytes: Buffer) =>
    Buffer.from(
      bytes
        .toString()
        .split("\n")
        .map((each, at) => (at === index ? change(each) : each))
        .join("\n"),
    );
  const signed = (body: string, by = key) => Buffer.from(`${body}\n${by.sign(body)}`);
  const body = log.textAt(SIZE);

  test.each<[string, Verdict, FindingCode, (bytes: Buffer) => Buffer | undefined]>([
    ["is gone", "incomplete", "NO_CHECKPOINT", () => undefined],
    ["is empty", "altered", "BAD_CHECKPOINT", () => Buffer.alloc(0)],
    ["is truncated", "altered", "BAD_CHECKPOINT", (bytes) => bytes.subarray(0, -5)],
    ["has another origin", "bad-signature", "BAD_SIGNATURE", line(0, (each) => `${each}x`)],
    ["has another size", "bad-signature", "BAD_SIGNATURE", line(1, (each) => String(Number(each) - 1))],
    ["has another root", "bad-signature", "BAD_SIGNATURE", line(2, () => Buffer.alloc(32).toString("base64"))],
    ["has an empty line more", "altered", "BAD_CHECKPOINT", line(2, (each) => `${each}\n`)],
    [
      "has its signature by another key name",
      "wrong-key",
      "WRONG_KEY",
      line(4, (each) => each.replace("payment", "Payment")),
    ],
    ["is signed by another key", "wrong-key", "WRONG_KEY", () => signed(body, otherKey)],
    ["is signed by another key under the pinned key's id", "bad-signature", "BAD_SIGNATURE", () => disguised(body)],
    [
      "is signed for another root",
      "bad-signature",
      "BAD_SIGNATURE",
      () => Buffer.from(`${body}\n${key.sign(log.textAt(SIZE - 1))}`),
    ],
    [
      "has the good signature and a bad one of the same key",
      "bad-signature",
      "BAD_SIGNATURE",
      (bytes) => Buffer.concat([bytes, disguised(body).subarray(body.length + 1)]),
    ],
    ["lost its signature line", "altered", "BAD_CHECKPOINT", (bytes) => bytes.subarray(0, body.length + 1)],
    [
      "is of an earlier time",
      "stale",
      "CHECKPOINT_REPLAYED",
      () => genuine.evidence.get(`checkpoints/${digits(EARLIER)}`),
    ],
  ])("%s: %s", async (_name, verdict, code, change) => {
    const changed = draft();
    edit(changed.evidence, "checkpoint", change);
    found(await changed.verify(), verdict, code);
  });

  test("may bear signatures of keys that nobody pinned", async () => {
    const changed = draft();
    edit(changed.evidence, "checkpoint", (bytes) => Buffer.concat([bytes, Buffer.from(otherKey.sign(body))]));
    expect((await changed.verify()).verdict).toBe("ok");
  });

  test("signed by the pinned key with lines that this log does not write", async () => {
    const changed = draft();
    changed.evidence.set("checkpoint", signed(`${body}extension\n`));
    found(await changed.verify(), "altered", "BAD_CHECKPOINT");
  });

  test("of another log, signed by the same key under another name", async () => {
    const other = logKey("log", "ed25519", "another/log");
    const changed = draft();
    changed.evidence.set("checkpoint", signed(body, other));
    found(await changed.verify({ keys: [other.vkey] }), "wrong-key", "WRONG_ORIGIN");
  });

  test("of an earlier time, with all traces of later ones removed, is behind the export and behind what was seen", async () => {
    const changed = draft();
    edit(changed.evidence, "checkpoint", () => genuine.evidence.get(`checkpoints/${digits(EARLIER)}`));
    for (const size of sizes) if (size > EARLIER) changed.evidence.delete(`checkpoints/${digits(size)}`);
    found(await changed.verify(), "stale", "SOURCE_NEWER_THAN_LOG");
    const seen = await changed.verify({ lastCheckpoint: text.toString() });
    found(seen, "stale", "LOG_WENT_BACK");
    expect(seen.pinnedBy).toBeNull();
  });
});

/** A signature of another key, with the pinned key's name and id. */
function disguised(body: string): Buffer {
  const [start = "", name = "", base64 = ""] = otherKey.sign(body).trimEnd().split(" ");
  const bytes = Buffer.from(base64, "base64");
  bytes.write(key.keyId, "hex");
  return Buffer.from(`${body}\n${start} ${name} ${bytes.toString("base64")}\n`);
}

describe("an earlier checkpoint", () => {
  const path = `checkpoints/${digits(EARLIER)}`;
  const body = log.textAt(EARLIER);
  const forked = `${log.textAt(EARLIER - 1).replace(String(EARLIER - 1), String(EARLIER))}`;

  test.each<[string, Verdict, FindingCode, (bytes: Buffer) => Buffer | undefined]>([
    ["is gone, and a heartbeat names it", "incomplete", "EVIDENCE_MISSING", () => undefined],
    ["is empty", "altered", "EVIDENCE_ALTERED", () => Buffer.alloc(0)],
    ["is truncated", "altered", "EVIDENCE_ALTERED", (bytes) => bytes.subarray(0, -3)],
    [
      "has another root",
      "bad-signature",
      "BAD_SIGNATURE",
      (bytes) => Buffer.from(bytes.toString().replace(body, forked)),
    ],
    [
      "is signed by another key",
      "incomplete",
      "CHECKPOINT_UNKNOWN_SIGNER",
      () => Buffer.from(`${body}\n${otherKey.sign(body)}`),
    ],
    [
      "is signed and of another tree",
      "forked",
      "CHECKPOINT_FORKED",
      () => Buffer.from(`${forked}\n${key.sign(forked)}`),
    ],
    [
      "is that of another size",
      "forked",
      "CHECKPOINT_FORKED",
      () => genuine.evidence.get(`checkpoints/${digits(sizes[0] ?? 0)}`),
    ],
    ["is the current one", "forked", "CHECKPOINT_FORKED", () => genuine.evidence.get("checkpoint")],
  ])("%s: %s", async (_name, verdict, code, change) => {
    const changed = draft();
    edit(changed.evidence, path, change);
    found(await changed.verify(), verdict, code);
  });

  test.each([...(genuine.evidence.get(path) as Buffer).keys()].filter((at) => at % 7 === 0))(
    "byte %s flipped: never ok",
    async (at) => {
      const changed = draft();
      edit(changed.evidence, path, flipped(at));
      const report = await changed.verify({ sources: [], only: [] });
      expect(report.findings.filter(({ code }) => code !== "SUBSET")).not.toEqual([]);
    },
  );

  test("is not read again where an earlier verification has read it, and the report says so", async () => {
    const changed = draft();
    edit(changed.evidence, path, flipped(3));
    const report = await changed.verify({ publishedFrom: EARLIER + 1 });
    expect(report).toMatchObject({
      verdict: "ok",
      notes: [expect.stringContaining(`fewer than ${EARLIER + 1} entries`)],
    });
    expect((await changed.verify({ publishedFrom: EARLIER })).verdict).not.toBe("ok");
  });

  test("the current one's own copy is gone: incomplete", async () => {
    const changed = draft();
    changed.evidence.delete(`checkpoints/${digits(SIZE)}`);
    found(await changed.verify(), "incomplete", "EVIDENCE_MISSING");
  });

  test("a second history of the log lies beside the first: forked", async () => {
    const changed = draft();
    const other = NaiveLog.replay(log.steps.slice(0, 60), [key]);
    other.publish();
    changed.evidence.set(`checkpoints/${digits(other.entries.length)}`, other.files.get("checkpoint") as Buffer);
    const fork = new NaiveLog([key]);
    for (let each = 0; each < 17; each++) fork.heartbeat("2025-11-21T10:00:00.000Z");
    fork.publish();
    changed.evidence.set(`checkpoints/${digits(17)}`, fork.files.get("checkpoint") as Buffer);
    const report = await changed.verify();
    expect(report.findings.filter(({ verdict }) => verdict === "forked")).toHaveLength(1);
    expect(report.verdict).toBe("forked");
  });
});

describe("the last checkpoint that was seen", () => {
  const last = genuine.built.lastCheckpoint;

  test.each<[string, Verdict, FindingCode, string]>([
    ["is no checkpoint", "altered", "BAD_LAST_CHECKPOINT", "seen\n"],
    ["was changed", "bad-signature", "BAD_SIGNATURE", last.replace(/^(.*)\n(\d+)/, "$1\n1$2")],
    ["is signed by another key", "wrong-key", "WRONG_KEY", NaiveLog.replay(log.steps, [otherKey]).checkpointAt(40)],
    ["is of a tree that this log never was", "forked", "CHECKPOINT_FORKED", forkedAt(40)],
  ])("%s: %s", async (_name, verdict, code, lastCheckpoint) => {
    const report = await draft().verify({ lastCheckpoint });
    found(report, verdict, code);
    expect(report.pinnedBy).toBeNull();
  });

  test("is that of the empty log, which every log continues: not pinned", async () => {
    const empty = NaiveLog.replay([{ kind: "publish" }], [key]);
    const report = await draft().verify({ lastCheckpoint: empty.files.get("checkpoint")?.toString() ?? "" });
    expect(report).toMatchObject({ verdicts: ["tail-not-pinned"], pinnedBy: null });
  });

  test("was not given, and no witness either: not pinned", async () => {
    const changed = draft();
    changed.options = {};
    expect(await changed.verify()).toMatchObject({
      verdicts: ["tail-not-pinned"],
      pinnedBy: null,
      findings: [{ code: "NOT_PINNED" }],
    });
  });
});

/** Signed by the log's own key, of another history. */
function forkedAt(size: number): string {
  const fork = new NaiveLog([key]);
  for (let each = 0; each < size; each++) fork.heartbeat("2025-11-21T10:00:00.000Z");
  return fork.checkpointAt(size);
}

/** Of the checkpoint that the witness saw before the last one. */
const EARLIER_COSIGNED = Number(
  [...genuine.evidence.keys()]
    .filter((each) => each.startsWith("cosignatures/"))
    .sort()[0]
    ?.split("/")[1],
);

describe("cosignatures", () => {
  const path = `cosignatures/${digits(SIZE)}/${witness.keyId}`;
  const withWitness = (changed: Draft) => {
    changed.options = { witnessKeys: [witness.vkey] };
    return changed;
  };

  test("of the witness pin the end", async () => {
    expect(await withWitness(draft()).verify()).toMatchObject({ verdict: "ok", pinnedBy: "witness" });
  });

  test("may be in the checkpoint itself", async () => {
    const changed = withWitness(draft());
    changed.evidence.delete(path);
    edit(changed.evidence, "checkpoint", (bytes) =>
      Buffer.concat([bytes, Buffer.from(witness.sign(log.textAt(SIZE)))]),
    );
    expect(await changed.verify()).toMatchObject({ verdict: "ok", pinnedBy: "witness" });
  });

  test.each<[string, Verdict, FindingCode, (bytes: Buffer) => Buffer | undefined]>([
    ["gone", "tail-not-pinned", "WITNESS_MISSING", () => undefined],
    [
      "of an earlier checkpoint",
      "bad-signature",
      "BAD_COSIGNATURE",
      () => Buffer.from(witness.sign(log.textAt(EARLIER))),
    ],
    [
      "of another witness",
      "bad-signature",
      "BAD_COSIGNATURE",
      () => Buffer.from(logKey("w2", "cosignature", "witness.example/w2").sign(log.textAt(SIZE))),
    ],
    ["without its newline", "bad-signature", "BAD_COSIGNATURE", (bytes) => bytes.subarray(0, -1)],
    ["truncated", "bad-signature", "BAD_COSIGNATURE", (bytes) => bytes.subarray(0, 60)],
    ["of no bytes", "bad-signature", "BAD_COSIGNATURE", () => Buffer.alloc(0)],
    ["not UTF-8", "bad-signature", "BAD_COSIGNATURE", () => Buffer.from([0xff, 0xfe])],
    ["with another time", "bad-signature", "BAD_COSIGNATURE", timeChanged],
  ])("%s: %s", async (_name, verdict, code, change) => {
    const changed = withWitness(draft());
    edit(changed.evidence, path, change);
    const report = await changed.verify();
    found(report, verdict, code);
    // The witness's earlier cosignature is still good for what it covers.
    expect(report).toMatchObject({ pinnedBy: "witness", pinnedSize: EARLIER_COSIGNED });
  });

  test("of an earlier checkpoint are checked too", async () => {
    const changed = withWitness(draft());
    const earlier =
      [...changed.evidence.keys()].find((each) => each.startsWith("cosignatures/") && each !== path) ?? "";
    edit(changed.evidence, earlier, timeChanged);
    found(await changed.verify(), "bad-signature", "BAD_COSIGNATURE");
  });

  test("one witness of two is not enough", async () => {
    const other = logKey("w2", "cosignature", "witness.example/w2");
    const report = await draft().verify({ witnessKeys: [witness.vkey, other.vkey] });
    found(report, "tail-not-pinned", "WITNESS_MISSING");
  });

  function timeChanged(bytes: Buffer): Buffer {
    const [start = "", name = "", base64 = ""] = bytes.toString().trimEnd().split(" ");
    return Buffer.from(`${start} ${name} ${flipped(11)(Buffer.from(base64, "base64")).toString("base64")}\n`);
  }
});

describe("the list of keys", () => {
  const path = `keys/${key.keyId}.vkey`;

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ["with another key under a pinned key's name", () => Buffer.from(otherKey.vkey)],
    ["with what is no key", () => Buffer.from("no key")],
    ["with a key of another log", () => Buffer.from(logKey("log", "ed25519", "another/log").vkey)],
  ])("%s: altered", async (_name, change) => {
    const changed = draft();
    edit(changed.evidence, path, change);
    found(await changed.verify(), "altered", "EVIDENCE_ALTERED");
  });
});
