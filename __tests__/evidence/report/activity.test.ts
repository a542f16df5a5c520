import fc from "fast-check";
import { ActivityTally, GROUPS, type Group, groupOf, sumOfGroups } from "../../../evidence/report/activity";
import { changesSince, type ReportSummary, summaryIn } from "../../../evidence/report/changes";
import { scriptJson } from "../../../evidence/report/html";
import { lagSummary } from "../../../evidence/report/sealing-lag";
import { LEDGER_ACTIONS } from "../../../ledger/rules/audit-entry";

test("each action of the ledger has its group, and each action that others report counts as an event", () => {
  const groups = Object.fromEntries(LEDGER_ACTIONS.map((action) => [action, groupOf(action, "LEDGER")]));
  expect(groups).toMatchObject({
    WRITE: "write",
    REVEAL: "read",
    REFUSAL: "refusal",
    ALARM: "alarm",
    LOG_CHECK: "check",
  });
  expect(Object.values(groups)).not.toContain("event");
  for (const action of ["WRITE", "constructor", "SHIPPED"]) expect(groupOf(action, "EVENT")).toBe("event");
});

test("however long the time and however many the actors, nothing is lost from the sums, and little is held", () => {
  const times = fc.date({ min: new Date("2020-01-01"), max: new Date("2030-01-01"), noInvalidDate: true });
  const happened = fc.tuple(fc.constantFrom<Group>(...GROUPS), times, fc.string({ maxLength: 2 }));
  fc.assert(
    fc.property(fc.array(happened, { maxLength: 300 }), (all) => {
      const tally = new ActivityTally();
      for (const [group, time, actor] of all) tally.add(group, time.toISOString(), actor);
      const { periods, actors, totals, furtherActors } = tally.activity();
      expect(sumOfGroups(totals)).toBe(all.length);
      expect(periods.reduce((sum, { counts }) => sum + sumOfGroups(counts), 0)).toBe(all.length);
      expect(periods.length).toBeLessThanOrEqual(40);
      expect(periods.map(({ from }) => from)).toEqual(periods.map(({ from }) => from).toSorted());
      expect(actors.length + furtherActors).toBe(new Set(all.map(([, , actor]) => actor)).size);
    }),
    { numRuns: 50 },
  );
});

test("entries without a time count in the sums; 50 actors are listed, and the others are counted", () => {
  const tally = new ActivityTally();
  tally.add("alarm", "");
  for (let actor = 0; actor < 2_100; actor += 1) tally.add("read", "2026-01-01T00:00:00.000Z", `actor-${actor}`);
  const { totals, periods, actors, furtherActors } = tally.activity();
  expect([totals.alarm, periods.length, actors.length, furtherActors]).toEqual([1, 1, 50, 1_951]);
});

test("the lag has a median, a tail and steps; a clock that is ahead makes no lag negative", () => {
  const lags = [-5, ...Array.from({ length: 98 }, (_, at) => (at + 1) * 1_000), 2_000_000];
  expect(lagSummary(lags, 3)).toEqual({
    ...{ measured: 100, open: 3, medianMs: 49_000, p95Ms: 94_000, longestMs: 2_000_000 },
    steps: [11, 20, 30, 38, 0, 0, 1],
  });
  expect(lagSummary([], 0)).toMatchObject({ measured: 0, medianMs: 0, longestMs: 0 });
});

describe("the summary for the next report", () => {
  const summary: ReportSummary = {
    ...{ madeAt: "2026-01-01T00:00:00.000Z", verdict: "ok", origin: "log", size: 5, records: 4, coveredUntil: "" },
    ...{ keys: ["k"], actors: ["</script>"], findings: ["RECORD_MISSING x"], checkpoint: "log\n5\n" },
  };
  const pageOf = (value: unknown) =>
    `<script type="application/json" id="report-summary">${scriptJson(value)}</script>`;

  test("is read back as it was written", () => {
    expect(summaryIn(`<main></main>${pageOf(summary)}`)).toEqual(summary);
  });

  test.each([
    ["no report", ""],
    ["no JSON", '<script type="application/json" id="report-summary">{</script>'],
    ["null", pageOf(null)],
    ["an unknown verdict", pageOf({ ...summary, verdict: "fine" })],
    ["a size that is no number", pageOf({ ...summary, size: "5" })],
    ["findings that are no texts", pageOf({ ...summary, findings: [{}] })],
    ["keys that are no list", pageOf({ ...summary, keys: "k" })],
  ])("is not read from a file with %s", (_, page) => {
    expect(summaryIn(page)).toBeUndefined();
  });

  test("gives what is new and what is gone", () => {
    const now = { ...summary, size: 9, keys: ["k2"], findings: ["RECORD_MISSING y"], actors: ["</script>", "new"] };
    expect(changesSince(summary, now)).toMatchObject({
      ...{ entries: 4, records: 0, newFindings: ["RECORD_MISSING y"], goneFindings: ["RECORD_MISSING x"] },
      ...{ newKeys: ["k2"], goneKeys: ["k"], newActors: ["new"] },
    });
  });
});
