/**
 * Somebody who holds a key writes a whole log anew: every hash fits, every signature is good. Only what the entries say, or
 * what others have seen of the log before, can then show it.
 */

import type { HeartbeatEntry, RecordEntry } from "../../../evidence/log/entry";
import type { FindingCode, Verdict, VerificationReport } from "../../../evidence/verifier/report";
import { commitmentOf } from "../../../ledger/rules/commitment";
import { at } from "../../support/log-world";
import { recordEntry, type Step } from "../../support/naive-log";
import { type Item, messageRow } from "../../support/stored-records";
import { Draft, genuineDraft, key, otherKey, witness } from "../../support/verified-world";

const genuine = genuineDraft();
const STEPS = genuine.world.log.steps;

function recordOf(step: Step | undefined): RecordEntry {
  if (step?.kind !== "entry" || step.entry.kind === "HEARTBEAT") throw new Error("That step adds no record.");
  return step.entry;
}

/** Where the entry of this version of this key is added. */
function placeOf(keyText: string, version = "1"): number {
  const place = STEPS.findIndex((step) => {
    if (step.kind !== "entry" || step.entry.kind === "HEARTBEAT") return false;
    return step.entry.key[0] === keyText && step.entry.version === version;
  });
  if (place < 0) throw new Error(`There is no entry of ${keyText}.`);
  return place;
}

const changed = (place: number, change: Partial<RecordEntry>) => (steps: Step[]) =>
  steps.map((step, index): Step => {
    if (index !== place) return step;
    return { kind: "entry", entry: { ...recordOf(step), ...change } };
  });

/** Verified with the key that signed it, and as if nobody had seen the log before. */
function verify(change: (steps: Step[]) => Step[], keys = [key]): Promise<VerificationReport> {
  const draft = new Draft(genuine.built);
  draft.reseal(change, keys);
  return draft.verify({
    keys: keys.map(({ vkey }) => vkey),
    lastCheckpoint: draft.earlierCheckpoint(),
  });
}

function found(report: VerificationReport, verdict: Verdict, code: FindingCode, keyText?: string): void {
  const expected = { verdict, code, ...(keyText === undefined ? {} : { key: keyText.split("\n") }) };
  expect(report.findings).toContainEqual(expect.objectContaining(expected));
}

test("written anew as it was, it is ok", async () => {
  expect(await verify((steps) => steps)).toMatchObject({ verdict: "ok", findings: [] });
});

describe("another history of the log", () => {
  // In every one of them the attacker changed the payment in the export too.
  const attack = (draft: Draft, keys = [key]) => {
    draft.changeItem("PaymentLedger", "pay-5", (item) => ({ ...item, Amount: { S: "1.00" } }));
    const item = { ...(genuine.world.rows("PaymentLedger").get("pay-5") as Item), Amount: { S: "1.00" } };
    draft.reseal(changed(placeOf("pay-5"), { commitment: commitmentOf("PaymentLedger", item) }), keys);
    return draft;
  };

  test("by somebody else's key: wrong key", async () => {
    const report = await attack(new Draft(genuine.built), [otherKey]).verify();
    expect(report.verdicts).toEqual(["wrong-key"]);
  });

  test("by the log's own key, held against the last checkpoint: forked", async () => {
    const report = await attack(new Draft(genuine.built)).verify();
    found(report, "forked", "CHECKPOINT_FORKED");
    expect(report).toMatchObject({ verdict: "forked", pinnedBy: null });
  });

  test("by the log's own key, with one genuine checkpoint left: forked", async () => {
    const draft = attack(new Draft(genuine.built));
    const names = [...draft.evidence.keys()].filter((path) => path.startsWith("checkpoints/")).sort();
    const [left = ""] = names.slice(2);
    draft.evidence.set(left, genuine.evidence.get(left) as Buffer);
    found(await draft.verify({ lastCheckpoint: draft.earlierCheckpoint() }), "forked", "CHECKPOINT_FORKED");
  });

  test("by the log's own key, where a witness is asked for: not pinned", async () => {
    const draft = attack(new Draft(genuine.built));
    draft.options = { witnessKeys: [witness.vkey] };
    expect((await draft.verify()).verdicts).toEqual(["tail-not-pinned"]);
  });

  test("under the genuine checkpoint: its root is another", async () => {
    const draft = attack(new Draft(genuine.built));
    for (const [path, bytes] of genuine.evidence) if (path.startsWith("checkpoint")) draft.evidence.set(path, bytes);
    const report = await draft.verify();
    expect(report.verdict).toBe("altered");
    found(report, "altered", "ROOT_DIFFERS");
  });
});

describe("one entry changed", () => {
  const five = placeOf("pay-5");
  const status = placeOf("pay-41", "2");
  const other = "A".repeat(43);

  test.each<[string, Verdict, FindingCode, string | undefined, (steps: Step[]) => Step[]]>([
    ["its kind to FORGED", "forged", "RECORD_FORGED", "pay-5", changed(five, { kind: "FORGED" })],
    ["its kind to TAMPER", "altered", "RECORD_CHANGED", "pay-5", changed(five, { kind: "TAMPER" })],
    ["its table", "missing", "RECORD_MISSING", "pay-5", changed(five, { table: "payment-audit-trail" })],
    ["its key", "missing", "RECORD_MISSING", "pay-5x", changed(five, { key: ["pay-5x"] })],
    [
      "its key, so that the record has none",
      "unsealed",
      "RECORD_UNSEALED",
      "pay-5",
      changed(five, { key: ["pay-5x"] }),
    ],
    ["its version", "altered", "WRONG_VERSION", "pay-5", changed(five, { version: "7" })],
    ["its commitment", "altered", "RECORD_ALTERED", "pay-5", changed(five, { commitment: other })],
    [
      "what it replaced, where there was nothing",
      "unsealed",
      "VERSION_UNSEALED",
      "pay-5",
      changed(five, { previous: other }),
    ],
    ["the version of a status change", "altered", "WRONG_VERSION", "pay-41", changed(status, { version: "4" })],
    ["what a status change replaced", "unsealed", "VERSION_UNSEALED", "pay-41", changed(status, { previous: other })],
    [
      "a status change to a first version",
      "altered",
      "CONTRADICTING_ENTRIES",
      "pay-41",
      changed(status, { previous: "" }),
    ],
    [
      "the sequence number of a status change",
      "out-of-order",
      "SEQUENCE_BACK",
      "pay-41",
      changed(status, { sequence: "5" }),
    ],
    [
      "the commitment of a status change",
      "altered",
      "RECORD_ALTERED",
      "pay-41",
      changed(status, { commitment: other }),
    ],
  ])("%s: %s", async (_name, verdict, code, keyText, change) => {
    const report = await verify(change);
    found(report, verdict, code, keyText);
    expect(report.verdict).not.toBe("ok");
  });

  test("its sequence number alone, where nothing follows, is what nobody can tell", async () => {
    expect((await verify(changed(five, { sequence: "5" }))).verdict).toBe("ok");
  });

  test("a superseded version's own version", async () => {
    const report = await verify(changed(placeOf("pay-41"), { version: "3" }));
    expect(report.verdict).not.toBe("ok");
    found(report, "altered", "WRONG_VERSION", "pay-41");
  });

  test("its bytes to another text of the same meaning", async () => {
    const report = await verify((steps) =>
      steps.map((step, index) => {
        if (index !== five) return step;
        const { format: _format, ...entry } = { format: "", ...recordOf(step) };
        const text = JSON.stringify({ ...entry, format: "payment-ledger/entry/1" });
        return { kind: "bytes", bytes: Buffer.from(text), as: "RECORD" };
      }),
    );
    found(report, "altered", "BAD_ENTRY");
    found(report, "unsealed", "RECORD_UNSEALED", "pay-5");
  });

  test("its bytes to anything", async () => {
    const garbage = ["", "{}", "null", '{"kind":"RECORD"}', "\u0000\u00ff", "x".repeat(65_535)];
    const report = await verify((steps) => [
      ...steps.slice(0, -1),
      ...garbage.map((text): Step => ({ kind: "bytes", bytes: Buffer.from(text, "latin1"), as: "RECORD" })),
      { kind: "publish" },
    ]);
    expect(report.findings.filter(({ code }) => code === "BAD_ENTRY")).toHaveLength(garbage.length);
  });
});

describe("entries that come and go", () => {
  const five = placeOf("pay-5");
  const status = placeOf("pay-41", "2");
  const without = (place: number) => (steps: Step[]) => steps.filter((_, index) => index !== place);
  const moved = (from: number, to: number) => (steps: Step[]) => {
    const rest = without(from)(steps);
    return [...rest.slice(0, to), steps[from] as Step, ...rest.slice(to)];
  };
  const added =
    (place: number, ...more: Step[]) =>
    (steps: Step[]) => [...steps.slice(0, place), ...more, ...steps.slice(place)];

  test("one dropped: its record was never sealed", async () => {
    const report = await verify(without(five));
    expect(report.verdicts).toEqual(["unsealed"]);
    found(report, "unsealed", "RECORD_UNSEALED", "pay-5");
  });

  test("a status change dropped: the current version was never sealed", async () => {
    const report = await verify(without(status));
    expect(report.findings).toEqual([
      expect.objectContaining({ code: "RECORD_UNSEALED", key: ["pay-41"], version: "2" }),
    ]);
    expect(report.findings[0]?.lastCommitment).toBe(recordOf(STEPS[placeOf("pay-41")]).commitment);
  });

  test("one of three status changes dropped: the next one replaced what was never sealed", async () => {
    found(await verify(without(placeOf("pay-3", "3"))), "unsealed", "VERSION_UNSEALED", "pay-3");
  });

  test("the first version dropped", async () => {
    found(await verify(without(placeOf("pay-41"))), "unsealed", "VERSION_UNSEALED", "pay-41");
  });

  test("a status change before the version that it replaced: out of order", async () => {
    const report = await verify(moved(status, 2));
    expect(report.verdicts).toEqual(["out-of-order"]);
    found(report, "out-of-order", "OUT_OF_ORDER", "pay-41");
  });

  test("two status changes of one payment swapped: out of order", async () => {
    const report = await verify(moved(placeOf("pay-3", "3"), placeOf("pay-3", "2")));
    expect(report.verdicts).toEqual(["out-of-order"]);
    found(report, "out-of-order", "OUT_OF_ORDER", "pay-3");
  });

  test("records in another order than that of their streams are no fault: each table has its own stream", async () => {
    expect((await verify(moved(five, five + 7))).verdict).toBe("ok");
  });

  test("a record's entry again under another sequence number: repeated", async () => {
    const again: Step = { kind: "entry", entry: { ...recordOf(STEPS[five]), sequence: "999999999999999999999999" } };
    const report = await verify(added(five + 9, again));
    expect(report.verdicts).toEqual(["repeated"]);
    found(report, "repeated", "REPEATED_ENTRY", "pay-5");
  });

  test("a status change's entry again under another sequence number: repeated", async () => {
    const again: Step = { kind: "entry", entry: { ...recordOf(STEPS[status]), sequence: "999999999999999999999999" } };
    found(await verify(added(status + 9, again)), "repeated", "REPEATED_ENTRY", "pay-41");
  });

  test("a second first version of another content: the entries contradict each other", async () => {
    const twin: Step = {
      kind: "entry",
      entry: { ...recordOf(STEPS[five]), commitment: "A".repeat(43), sequence: "999999999999999999999999" },
    };
    const report = await verify(added(five + 9, twin));
    found(report, "altered", "CONTRADICTING_ENTRIES", "pay-5");
  });

  test("an entry about a record that is nowhere: missing", async () => {
    const entry = recordEntry({ table: "PaymentLedger", key: ["pay-none"], commitment: "A".repeat(43), sequence: "7" });
    found(await verify(added(five, { kind: "entry", entry })), "missing", "RECORD_MISSING", "pay-none");
  });

  test("a removal and a change that the stream told are findings, each with its entry", async () => {
    const tampered = genuineDraft((world) => {
      world.remove("payment-audit-trail", "msg-7");
      world.put("payment-audit-trail", { ...messageRow("msg-8", at(1)), amount: { S: "1.00" } }, "TAMPER");
      world.put("payment-audit-trail", messageRow("msg-forged", at(2)), "FORGED");
    });
    const report = await tampered.verify();
    expect(report.verdict).toBe("altered");
    found(report, "missing", "RECORD_REMOVED", "msg-7");
    found(report, "altered", "RECORD_CHANGED", "msg-8");
    found(report, "forged", "RECORD_FORGED", "msg-forged");
    for (const finding of report.findings.filter(
      ({ code }) => code !== "ROW_MISSING" && code !== "WRITE_RECORD_MISSING",
    )) {
      expect(finding.leaf).toBeGreaterThan(200);
    }
    // Its WRITE record stands alone, and the forged row has none.
    expect(report.findings.map(({ code }) => code).sort()).toEqual([
      "RECORD_CHANGED",
      "RECORD_FORGED",
      "RECORD_REMOVED",
      "ROW_MISSING",
      "WRITE_RECORD_MISSING",
    ]);
  });

  test("a removed record that is put back stays a finding", async () => {
    const tampered = genuineDraft((world) => {
      const row = world.rows("payment-audit-trail").get("msg-7") as Item;
      world.remove("payment-audit-trail", "msg-7");
      world.put("payment-audit-trail", row);
    });
    const report = await tampered.verify();
    expect(report.verdicts).toEqual(["missing"]);
    found(report, "missing", "RECORD_REMOVED", "msg-7");
    expect(report.findings).toHaveLength(1);
  });
});

describe("heartbeats", () => {
  const places = STEPS.flatMap((step, index) => (step.kind === "heartbeat" ? [index] : []));
  const third = places[3] ?? 0;
  const beat = (place: number, changes: Partial<HeartbeatEntry>, time?: string) => (steps: Step[]) =>
    steps.map((step, index): Step => {
      if (index !== place || step.kind !== "heartbeat") return step;
      return { ...step, changes, ...(time === undefined ? {} : { time }) };
    });
  const counts = { RECORD: 1, FORGED: 0, TAMPER: 0, LATE: 0, HEARTBEAT: 0 };

  test.each<[string, Verdict, FindingCode, (steps: Step[]) => Step[]]>([
    ["with other counts", "altered", "HEARTBEAT_WRONG", beat(third, { counts })],
    ["earlier than the one before", "altered", "HEARTBEAT_WRONG", beat(third, {}, at(0))],
    ["naming a larger tree than there was", "altered", "HEARTBEAT_WRONG", beat(third, { previousSize: 100_000 })],
    ["naming an older checkpoint than the one before", "altered", "HEARTBEAT_WRONG", beat(third, { previousSize: 1 })],
    [
      "naming no checkpoint after others",
      "altered",
      "HEARTBEAT_WRONG",
      beat(third, { previousSize: 0, previousCheckpoint: "" }),
    ],
    ["naming a checkpoint that is not there", "incomplete", "EVIDENCE_MISSING", beat(third, { previousSize: 100 })],
    [
      "naming another checkpoint of that size",
      "forked",
      "HEARTBEAT_FORKED",
      beat(third, { previousCheckpoint: "A".repeat(43) }),
    ],
  ])("one %s: %s", async (_name, verdict, code, change) => {
    const report = await verify(change);
    found(report, verdict, code);
    expect(report.verdict).toBe(verdict);
  });

  test("none at all: nobody knows what the log covers", async () => {
    const report = await verify((steps) => steps.filter(({ kind }) => kind !== "heartbeat"));
    found(report, "stale", "NO_HEARTBEAT");
  });

  test("none after the export: the evidence is older than the export", async () => {
    const report = await verify((steps) => [...steps.slice(0, places.at(-1)), { kind: "publish" }]);
    found(report, "stale", "SOURCE_NEWER_THAN_LOG");
  });

  test("all later than the export: then the log demands nothing of it", async () => {
    const later = (step: Step): Step => (step.kind === "heartbeat" ? { ...step, time: at(3600) } : step);
    found(await verify((steps) => steps.map(later)), "incomplete", "SOURCE_OLDER_THAN_LOG");
  });
});

test("the empty log", async () => {
  const draft = new Draft(genuine.built);
  draft.reseal(() => [{ kind: "publish" }]);
  const report = await draft.verify({ lastCheckpoint: draft.earlierCheckpoint() });
  expect(report.size).toBe(0);
  found(report, "stale", "NO_HEARTBEAT");
  found(report, "unsealed", "RECORD_UNSEALED");
  expect(report.further.unsealed).toBe(367 - 100);
});

describe("what was not looked at is never ok", () => {
  test("tables left out", async () => {
    const draft = new Draft(genuine.built);
    for (const path of draft.exports.keys()) if (path.includes("/payment-transactions/")) draft.exports.delete(path);
    const report = await draft.verify();
    expect(report.verdicts).toEqual(["incomplete"]);
    expect(report.findings).toEqual([
      expect.objectContaining({ code: "SOURCE_MISSING", table: "payment-transactions" }),
    ]);
    const asked = await draft.verify({ only: ["PaymentLedger", "PaymentAuditTrail", "payment-audit-trail"] });
    expect(asked.findings).toEqual([expect.objectContaining({ code: "SUBSET" })]);
  });

  test("problems that were found before", async () => {
    const report = await new Draft(genuine.built).verify({ problems: ["a file was missing"] });
    expect(report.findings).toEqual([
      expect.objectContaining({ verdict: "incomplete", code: "SOURCE_PROBLEM", message: "a file was missing" }),
    ]);
  });

  test("the time was up, wherever it was", async () => {
    for (const calls of [0, 1, 2, 3, 5, 8]) {
      let left = calls;
      const report = await new Draft(genuine.built).verify({ outOfTime: () => left-- <= 0 });
      found(report, "incomplete", "OUT_OF_TIME");
    }
  });

  test("two sources of one table are refused", async () => {
    const draft = new Draft(genuine.built);
    const source = { table: "PaymentLedger" as const, name: "x", takenAt: at(0), batches: async function* () {} };
    await expect(draft.verify({ sources: [source, source] })).rejects.toMatchObject({ name: "SourceError" });
    await expect(draft.verify({ sources: [{ ...source, takenAt: "noon" }] })).rejects.toMatchObject({
      name: "SourceError",
    });
    await expect(draft.verify({ keys: ["no key"] })).rejects.toMatchObject({ code: "NOT_A_VERIFIER_KEY" });
  });
});
