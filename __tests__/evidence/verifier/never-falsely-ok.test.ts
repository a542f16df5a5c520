/**
 * What somebody who may do everything in the account can try, one after the other, on one ledger with two auditors. Each keeps
 * the checkpoint of his first visit and comes again; each act is named, and no verification says that all is well.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fetchEvidence } from "../../../evidence/commands/fetch";
import { exportSources } from "../../../evidence/verifier/export-source";
import { localEvidence } from "../../../evidence/verifier/local-evidence";
import type { VerificationReport } from "../../../evidence/verifier/report";
import { type VerifyOptions, verifyLog } from "../../../evidence/verifier/verify";
import { at, type BuiltWorld, buildWorld, onDisk } from "../../support/log-world";
import { type Files, memoryEvidence, NaiveLog, type Step } from "../../support/naive-log";
import { Draft, key, NOW, witness } from "../../support/verified-world";

const top = mkdtempSync(path.join(tmpdir(), "payment-ledger-auditors-"));
afterAll(() => rmSync(top, { recursive: true }));

const genuine: BuiltWorld = buildWorld([key], witness, false);

/** Copies the evidence as `fetch` does, and verifies as `verify` does. */
class Auditor {
  kept: string | undefined;

  constructor(private readonly name: string) {}

  private get folder(): string {
    return path.join(top, this.name);
  }

  /** @returns the code with which the bucket was not copied, beside the report on what is there. */
  async visit(bucket: Files, exports: Files, options: Partial<VerifyOptions> = {}) {
    let fetched = "copied";
    try {
      await fetchEvidence(memoryEvidence(bucket), this.folder, () => {}, 1);
    } catch (error) {
      fetched = (error as { code: string }).code;
    }
    const evidence = localEvidence(this.folder);
    const report = await onDisk(exports, async (folder) =>
      verifyLog({
        evidence,
        ...(await exportSources(folder)),
        keys: [key.vkey],
        settleMs: 0,
        now: NOW,
        ...(this.kept === undefined ? {} : { lastCheckpoint: this.kept }),
        ...options,
      }),
    );
    return { fetched, report };
  }

  async keep(): Promise<void> {
    this.kept = (await localEvidence(this.folder).read("checkpoint"))?.toString();
  }
}

function named(report: VerificationReport): string[] {
  return report.findings.map(({ code, key: own }) => (own === undefined ? code : `${code} ${own.join(" ")}`));
}

/** The bucket as it was at the checkpoint of this size; what lies there under object lock stays. */
function setBack(bucket: Files, size: number): Files {
  const back = new Map(bucket);
  back.set("checkpoint", bucket.get(`checkpoints/${String(size).padStart(16, "0")}`) as Buffer);
  return back;
}

const sizes = [...genuine.evidence.keys()]
  .filter((name) => name.startsWith("checkpoints/"))
  .map((name) => Number(name.slice(12)))
  .sort((a, b) => a - b);
const SIZE = sizes.at(-1) ?? 0;
const EARLIER = sizes.at(-3) ?? 0;
const first = new Auditor("first");
const second = new Auditor("second");

/** The bucket as it was when both came for the first time. */
const early = new Map(
  [...setBack(genuine.evidence, EARLIER)].filter(
    ([name]) => Number(/^(?:checkpoints|cosignatures)\/([0-9]+)/.exec(name)?.[1] ?? 0) <= EARLIER,
  ),
);

beforeAll(async () => {
  for (const auditor of [first, second]) {
    expect((await auditor.visit(early, genuine.exports)).fetched).toBe("copied");
    await auditor.keep();
  }
});

test("an honest ledger is ok to both", async () => {
  for (const auditor of [new Auditor("honest one"), new Auditor("honest two")]) {
    auditor.kept = first.kept;
    const { fetched, report } = await auditor.visit(genuine.evidence, genuine.exports);
    expect({ fetched, verdict: report.verdict }).toEqual({ fetched: "copied", verdict: "ok" });
  }
});

test("the log is cut in its bucket: the copy is refused and holds the proof; an auditor who saw the end says so too", async () => {
  const between = sizes.at(-2) ?? 0;
  const cut = setBack(genuine.evidence, between);
  const { fetched, report } = await first.visit(cut, genuine.exports);
  expect(fetched).toBe("LOG_WENT_BACK");
  expect(report.verdict).not.toBe("ok");
  expect(named(report)).toContain("CHECKPOINT_REPLAYED");
  const late = new Auditor("late");
  late.kept = genuine.world.log.checkpointAt(SIZE);
  expect(named((await late.visit(cut, genuine.exports)).report)).toContain("LOG_WENT_BACK");
});

test("the log is cut and goes on otherwise: one auditor's checkpoint and the bucket's own prove the fork", async () => {
  const place = genuine.world.log.steps.findLastIndex(({ kind }) => kind === "heartbeat");
  const steps: Step[] = [...genuine.world.log.steps.slice(0, place - 4)];
  for (let each = 0; each < 30; each++) steps.push({ kind: "heartbeat", time: at(300 + each) }, { kind: "publish" });
  const fork = NaiveLog.replay(steps, [key]);
  const bucket: Files = new Map([
    ...fork.files,
    [`checkpoints/${String(SIZE).padStart(16, "0")}`, genuine.evidence.get("checkpoint") as Buffer],
  ]);
  const { report } = await second.visit(bucket, genuine.exports);
  expect(report.verdict).toBe("forked");
  const late = new Auditor("late, forked");
  late.kept = genuine.world.log.checkpointAt(SIZE);
  expect((await late.visit(new Map(fork.files), genuine.exports)).report.verdict).toBe("forked");
});

test("empty exports that say they were taken before the first payment: nothing was compared", async () => {
  const draft = new Draft(genuine);
  for (const { logicalName } of draft.tables) draft.changeLines(logicalName, () => []);
  for (const name of draft.exports.keys()) {
    if (!name.endsWith("manifest-summary.json")) continue;
    const summary = JSON.parse((draft.exports.get(name) ?? "").toString()) as object;
    draft.setManifest(name, JSON.stringify({ ...summary, exportTime: at(1.5) }));
  }
  const auditor = new Auditor("empty");
  auditor.kept = first.kept;
  const { report } = await auditor.visit(genuine.evidence, draft.exports);
  expect(report.verdict).not.toBe("ok");
  expect(named(report).filter((each) => each === "NOTHING_COMPARED")).toHaveLength(4);
  const told = report.sources.filter(({ table }) => table !== "PaymentEvents");
  for (const { compared, entries } of told) expect([compared, entries > 0]).toEqual([0, true]);
});

test("old exports and an old copy: stale, unless that moment is meant", async () => {
  const auditor = new Auditor("old");
  auditor.kept = first.kept;
  const monthLater = new Date(NOW.getTime() + 30 * 86_400_000);
  const { report } = await auditor.visit(genuine.evidence, genuine.exports, { now: monthLater });
  expect(report.verdict).toBe("stale");
  expect(named(report)).toEqual(expect.arrayContaining(["SOURCE_OLD", "EVIDENCE_OLD"]));
  const meant = await auditor.visit(genuine.evidence, genuine.exports, { now: monthLater, asOf: NOW });
  expect(meant.report).toMatchObject({ verdict: "ok", asOf: NOW.toISOString() });
});

test("150 decoys in the log, and one payment really gone: it is named first, by both", async () => {
  const { steps } = genuine.world.log;
  const place = steps.findLastIndex(({ kind }) => kind === "heartbeat");
  const decoys = Array.from(
    { length: 150 },
    (_, each): Step => ({
      kind: "entry",
      entry: {
        kind: each % 3 === 0 ? "FORGED" : "TAMPER",
        table: "PaymentLedger",
        key: [`decoy-${each}`],
        version: "1",
        sequence: String(300_000_000_000_000_000_000n + BigInt(each)),
        commitment: each % 3 === 2 ? "" : "A".repeat(43),
        previous: each % 3 === 0 ? "" : `${"B".repeat(42)}A`,
      },
    }),
  );
  const flooded = NaiveLog.replay([...steps.slice(0, place), ...decoys, ...steps.slice(place)], [key]);
  const draft = new Draft(genuine);
  draft.changeItem("PaymentLedger", "pay-60", () => undefined);
  for (const auditor of [new Auditor("flooded one"), new Auditor("flooded two")]) {
    auditor.kept = first.kept;
    const { report } = await auditor.visit(new Map(flooded.files), draft.exports);
    expect(report.verdict).not.toBe("ok");
    const records = named(report).filter((each) => each.includes(" "));
    expect(records[0]).toBe("RECORD_MISSING pay-60");
    expect(records).toHaveLength(new Set(records).size);
  }
});
