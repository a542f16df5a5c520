import { localEvidence } from "../../../evidence/verifier/local-evidence";
import { EXIT_CODES, verificationText } from "../../../evidence/verifier/report";
import { at, buildWorld, onDisk, type World } from "../../support/log-world";
import { logKey, memoryEvidence, type Step } from "../../support/naive-log";
import { nextVersion } from "../../support/stored-records";
import { Draft, genuineDraft, incrementalDraft, key, witness } from "../../support/verified-world";

test("a genuine world is ok, with every count of it", async () => {
  const draft = genuineDraft();
  const report = await draft.verify();
  const { log } = draft.world;
  expect(report).toMatchObject({
    verdict: "ok",
    verdicts: ["ok"],
    findings: [],
    notes: [],
    size: log.entries.length,
    pinnedBy: "last-checkpoint",
    checkpointSigners: [expect.stringContaining(key.keyId)],
    counts: { records: 367, leaves: 392, repeatedEntries: 0, pairs: 173, heartbeats: 8, checkpoints: 8 },
  });
  expect(report.coveredUntil).toBe(draft.world.tables && at(draft.world.clock));
  expect(EXIT_CODES[report.verdict]).toBe(0);
  for (const { compared, entries, table } of report.sources) {
    // No payment of this world has an event.
    if (table === "PaymentEvents") continue;
    expect(compared).toBeGreaterThan(20);
    expect(compared).toBeLessThanOrEqual(entries);
  }
});

test("so is one whose exports are a full one and an increment", async () => {
  const report = await incrementalDraft().verify();
  expect(report).toMatchObject({ verdict: "ok", notes: [], counts: { records: 367, pairs: 173 } });
});

test("a window that begins before its full export may tell records again", async () => {
  const draft = incrementalDraft();
  for (const [path, bytes] of draft.exports) {
    if (!path.includes("inc") || !path.endsWith("manifest-summary.json")) continue;
    const summary = { ...JSON.parse(bytes.toString()), exportFromTime: at(5) };
    const text = JSON.stringify(summary);
    draft.exports.set(path, Buffer.from(text));
    draft.exports.delete(path.replace(".json", ".md5"));
    // Records from before the full export, as the window has them.
    const data = path.replace("manifest-summary.json", "data/part0.json.gz");
    const table = summary.tableArn.split("/")[1].replace("-dev", "");
    const fullData = [...draft.exports.keys()].find((each) => each.includes(`/${table}/`) && /full.*part0/.test(each));
    const again = draft.linesOf(fullData ?? "").slice(0, 5);
    const lines = again.map((line) => {
      const { Item: NewImage } = JSON.parse(line);
      const Keys = Object.fromEntries(
        Object.entries(NewImage).filter(([name]) =>
          /^(transactionId|timestamp|TransactionID|AuditID|paymentId)$/.test(name),
        ),
      );
      return JSON.stringify({ Keys, NewImage });
    });
    const known = new Set(draft.linesOf(data).map((line) => JSON.stringify(JSON.parse(line).Keys)));
    draft.setLines(data, [
      ...lines.filter((line) => !known.has(JSON.stringify(JSON.parse(line).Keys))),
      ...draft.linesOf(data),
    ]);
    draft.rewriteManifests(data);
  }
  const report = await draft.verify();
  expect(report.findings).toEqual([]);
  expect(report.verdict).toBe("ok");
});

test("evidence is read from a disk too", async () => {
  const draft = genuineDraft();
  const report = await onDisk(draft.evidence, (folder) => draft.verify({ evidence: localEvidence(folder) }));
  expect(report.verdict).toBe("ok");
});

test("a log with two keys, one of them ECDSA, is verified with either or both", async () => {
  const ecdsa = logKey("", "ecdsa");
  const draft = new Draft(buildWorld([key, ecdsa], witness, false));
  for (const keys of [[key.vkey], [ecdsa.vkey], [key.vkey, ecdsa.vkey]]) {
    const report = await draft.verify({ keys });
    expect(report).toMatchObject({ verdict: "ok", checkpointSigners: { length: keys.length } });
  }
});

test("partial tiles of earlier checkpoints may be gone, and the list of keys", async () => {
  const draft = genuineDraft();
  const needed = ["tile/0/001.p/136", "tile/1/000.p/1", "tile/entries/001.p/136"];
  for (const path of draft.evidence.keys()) {
    if (path.includes(".p/") && !needed.includes(path)) draft.evidence.delete(path);
    if (path.startsWith("keys/")) draft.evidence.delete(path);
  }
  expect(needed.filter((path) => !draft.evidence.has(path))).toEqual([]);
  expect((await draft.verify()).verdict).toBe("ok");
});

test("a full tile replaces a partial one that is gone", async () => {
  const draft = genuineDraft();
  // The log as it was verified when its first tile was not full yet.
  const names = [...draft.evidence.keys()].filter((path) => path.startsWith("checkpoints/")).sort();
  const earlier = names.findLast((path) => Number(path.slice(12)) < 256) ?? "";
  draft.evidence.set("checkpoint", draft.evidence.get(earlier) as Buffer);
  for (const path of draft.evidence.keys()) {
    if (path.includes(".p/") || (path.startsWith("checkpoints/") && path > earlier)) draft.evidence.delete(path);
  }
  const report = await draft.verify({ sources: [], problems: [], lastCheckpoint: draft.earlierCheckpoint() });
  expect(report.findings.map(({ code }) => code)).toEqual(Array(5).fill("SOURCE_MISSING"));
  expect(report.size).toBe(Number(earlier.slice(12)));
});

describe("repeated entries are harmless and counted", () => {
  const repeats: [string, (world: World) => void][] = [
    [
      "the stream delivered a record again",
      ({ log }) => {
        const again = log.steps[5];
        if (again !== undefined) log.take(again);
      },
    ],
    [
      "and a status change",
      (world) => {
        const change = world.log.steps.findLast(
          (step) => step.kind === "entry" && step.entry.kind === "RECORD" && step.entry.previous !== "",
        );
        if (change !== undefined) world.log.take(change);
      },
    ],
    [
      "a sweep had sealed what the stream tells now",
      (world) => {
        const [entry] = world.log.steps.flatMap((step) =>
          step.kind === "entry" && step.entry.kind === "RECORD" ? [step.entry] : [],
        );
        if (entry !== undefined) world.log.add({ ...entry, kind: "LATE", sequence: "" });
      },
    ],
  ];

  test.each(repeats)("%s", async (_name, repeat) => {
    const report = await genuineDraft(repeat).verify();
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({ verdict: "ok", counts: { repeatedEntries: 1, records: 367 } });
  });

  test("even where a sweep sealed the latest version before the stream told any", async () => {
    const draft = genuineDraft();
    draft.reseal((steps) => {
      const last = steps.findLast(
        (step) => step.kind === "entry" && step.entry.kind === "RECORD" && step.entry.key[0] === "pay-41",
      );
      if (last?.kind !== "entry" || last.entry.kind !== "RECORD") throw new Error("There is no such entry.");
      const late: Step = { kind: "entry", entry: { ...last.entry, kind: "LATE", sequence: "", previous: "" } };
      return [...steps.slice(0, 3), late, ...steps.slice(3)];
    });
    const report = await draft.verify({ lastCheckpoint: draft.earlierCheckpoint() });
    expect(report.findings).toEqual([]);
    expect(report.counts).toMatchObject({ repeatedEntries: 1, records: 367 });
  });
});

test("records that a sweep sealed late are noted, and no fault", async () => {
  const draft = genuineDraft();
  let done = false;
  draft.reseal((steps) =>
    steps.map((step) => {
      if (done || step.kind !== "entry" || step.entry.kind !== "RECORD" || !step.entry.key.includes("pay-79"))
        return step;
      done = true;
      return { kind: "entry", entry: { ...step.entry, kind: "LATE", sequence: "" } };
    }),
  );
  const report = await draft.verify({ lastCheckpoint: draft.earlierCheckpoint() });
  expect(report).toMatchObject({ verdict: "ok", notes: [expect.stringContaining("1 entries were sealed late")] });
});

test("a scan of a living table may hold what its stream has not told yet", async () => {
  const draft = genuineDraft();
  const { world } = draft;
  const now = at(world.clock + 1);
  const row = nextVersion(world.rows("PaymentLedger").get("pay-7") as never, now);
  const table = "PaymentLedger" as const;
  const items = [...world.rows(table).values()].map((item) => ({
    now: item === world.rows(table).get("pay-7") ? row : item,
  }));
  const source = {
    table,
    name: "scan",
    takenAt: at(world.clock),
    batches: async function* () {
      yield items;
    },
  };
  const options = { sources: [source], problems: [], only: [table] };
  const settled = await draft.verify({ ...options, settleMs: 60_000 });
  expect(settled).toMatchObject({
    verdicts: ["incomplete"],
    notes: [
      expect.stringContaining("1 of its records were written later"),
      expect.stringContaining("1 records were written just before"),
    ],
  });
  const strict = await draft.verify(options);
  expect(strict.findings).toEqual([
    expect.objectContaining({ code: "SUBSET" }),
    expect.objectContaining({
      verdict: "unsealed",
      key: ["pay-7"],
      version: "2",
      item: row,
      recordedAt: now,
      lastCommitment: expect.stringMatching(/^.{43}$/),
    }),
  ]);
});

test("the report tells people the same", async () => {
  const text = verificationText(await genuineDraft().verify());
  expect(text.split("\n")[0]).toBe("OK, as of 2025-11-21T11:00:00.000Z");
  expect(text).toContain("367 records, 392 entries (0 repeated), 173 pairs, 8 heartbeats");
  expect(text).toMatch(
    /the last checkpoint vouches for the first \d+ entries, and nobody for the \d+ from entry \d+ on/,
  );
  expect(text).toMatch(/PaymentLedger: 93 records at \S+; \d+ of \d+ entries compared/);
});

test("progress is reported for the log and for each source", async () => {
  const told: string[] = [];
  await genuineDraft().verify({ onProgress: (done, total, what) => told.push(`${what} ${done}/${total}`) });
  expect(told).toContain("log entries 392/392");
  expect(told).toContain("records of PaymentLedger 93/93");
});

test("memory evidence is that of the disk", async () => {
  const draft = genuineDraft();
  const listed: string[] = [];
  for await (const path of memoryEvidence(draft.evidence).list("tile/")) listed.push(path);
  const onDisks = await onDisk(draft.evidence, async (folder) => {
    const paths: string[] = [];
    for await (const path of localEvidence(folder).list("tile/")) paths.push(path);
    return paths;
  });
  expect(onDisks.sort()).toEqual(listed.sort());
});
