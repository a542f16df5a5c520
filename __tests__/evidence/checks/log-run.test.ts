/** A comparison with the log in pieces: all its calls go by the same moment and the same log, also when two begin it. */

import { begunRun, openRun } from "../../../evidence/checks/log-run";
import { logKey, memoryEvidence, NaiveLog, recordEntry } from "../../support/naive-log";
import { memoryStore } from "../../support/pieces";

test("of two that begin a run at once both get one moment and one checkpoint", async () => {
  const key = logKey("runs");
  const log = new NaiveLog([key]);
  log.add(recordEntry({ table: "PaymentLedger", key: ["payment-1"], commitment: "c".repeat(43) }));
  log.publish();
  const earlier = memoryEvidence(new Map(log.files));
  log.add(recordEntry({ table: "PaymentLedger", key: ["payment-2"], commitment: "c".repeat(43) }));
  log.publish();
  const later = memoryEvidence(log.files);
  const store = memoryStore();
  const begin = (now: string) => ({ now: new Date(now), seen: async () => undefined });
  const runs = await Promise.all([
    openRun(store, earlier, begin("2026-11-21T12:00:00.000Z")),
    openRun(store, later, begin("2026-11-21T12:00:01.000Z")),
  ]);
  const kept = await begunRun(store, later);
  for (const { now, evidence } of runs) {
    expect(now).toEqual(kept.now);
    expect(await evidence.read("checkpoint")).toEqual(await kept.evidence.read("checkpoint"));
  }
});
