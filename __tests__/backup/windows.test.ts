import fc from "fast-check";
import type { ExportService } from "../../backup/export-service";
import { type ExportRun, exportTable } from "../../backup/export-table";
import type { LoadedState, StateStore } from "../../backup/state-store";
import { type ExportEntry, type ExportState, planExports, restoreChain, WINDOW_MAX_MS } from "../../backup/windows";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 10, 21, 3);
const TABLE = { table: "PaymentLedger", arn: "arn:aws:dynamodb:us-east-1:111122223333:table/PaymentLedger" };

const iso = (milliseconds: number) => new Date(milliseconds).toISOString();
const reachAt = (nowMs: number) => ({ earliestMs: nowMs - 35 * DAY, latestMs: nowMs - 5 * MINUTE });

/** After its export has ended. */
const TOKEN_VALID_MS = 8 * HOUR;

/** DynamoDB's exports as documented: an export fails or completes some time later; a known token starts nothing for eight hours. */
class FakeService implements ExportService {
  readonly exports = new Map<string, { entry: ExportEntry; token: string; fails: boolean; doneMs: number }>();
  nowMs = START;
  /** Called before each call; throws where the run is to die, before or after the call has had its effect. */
  fault: (call: string) => "before" | "after" | undefined = () => undefined;
  fails: () => boolean = () => false;
  earliestMs = 0;

  async reach() {
    this.die("reach", "before");
    return reachAt(this.nowMs);
  }

  async start(_: unknown, entry: ExportEntry) {
    const when = this.die("start", "before");
    if (Date.parse(entry.from ?? entry.to) < this.earliestMs) return "outOfReach" as const;
    const token = tokenOf(entry);
    const known = [...this.exports].find(
      ([, { token: other, doneMs }]) => other === token && this.nowMs < doneMs + TOKEN_VALID_MS,
    );
    const exportArn = known?.[0] ?? `arn:export/${this.exports.size}`;
    if (known === undefined) {
      this.exports.set(exportArn, { entry, token, fails: this.fails(), doneMs: this.nowMs + 20 * MINUTE });
    }
    if (when === "after") throw new Error("the run died");
    return { exportArn };
  }

  async find(_: unknown, entry: ExportEntry) {
    return [...this.exports].find(([, { token }]) => token === tokenOf(entry))?.[0];
  }

  async status(exportArn: string) {
    const found = this.exports.get(exportArn);
    if (found === undefined || found.doneMs > this.nowMs) return "started" as const;
    return found.fails ? ("failed" as const) : ("completed" as const);
  }

  die(call: string, where: "before") {
    const when = this.fault(call);
    if (when === where) throw new Error("the run died");
    return when;
  }
}

const tokenOf = ({ kind, from, to, attempt }: ExportEntry) => JSON.stringify([kind, from, to, attempt]);

class FakeStates implements StateStore {
  state: ExportState | undefined;
  version = 0;
  fault: (call: string) => "before" | "after" | undefined = () => undefined;

  async load(): Promise<LoadedState> {
    return this.state === undefined ? {} : { state: this.state, version: String(this.version) };
  }

  async save(state: ExportState, version: string | undefined) {
    const when = this.fault("save");
    if (when === "before") throw new Error("the run died");
    if (version !== (this.state === undefined ? undefined : String(this.version))) return undefined;
    this.state = state;
    this.version += 1;
    if (when === "after") throw new Error("the run died");
    return String(this.version);
  }
}

function setUp() {
  const service = new FakeService();
  const states = new FakeStates();
  const failures: string[] = [];
  const run = (): ExportRun => ({
    service,
    states,
    now: new Date(service.nowMs),
    failure: (code) => failures.push(code),
  });
  return { service, states, failures, export: (kind: "full" | "incremental") => exportTable(TABLE, kind, run()) };
}

const good = (service: FakeService) =>
  [...service.exports.values()].filter(({ fails }) => !fails).map(({ entry }) => entry);

const later = (a: string, b: string) => [a, b].toSorted()[1] ?? a;

/** Everything from the first export on is in a window that did not fail, or in a full export after it. */
function gapsOf(entries: readonly ExportEntry[], until: string): string[] {
  const fulls = entries.filter(({ kind }) => kind === "full").map(({ to }) => to);
  const windows = entries
    .filter(({ kind }) => kind === "incremental")
    .sort((a, b) => ((a.from ?? "") < (b.from ?? "") ? -1 : 1));
  let covered = fulls.toSorted()[0] ?? "";
  const gaps: string[] = [];
  for (const { from = "", to } of windows) {
    if (from > covered && !fulls.some((full) => full >= from)) gaps.push(`${covered} to ${from}`);
    covered = later(covered, to);
  }
  covered = fulls.reduce(later, covered);
  return covered < until ? [...gaps, `${covered} to ${until}`] : gaps;
}

describe("one run", () => {
  test("the first takes a full export, and the next ones go on from its moment", async () => {
    const { service, states, export: run } = setUp();
    await run("incremental");
    service.nowMs += 6 * HOUR;
    await run("incremental");
    service.nowMs += 6 * HOUR;
    await run("incremental");
    const [full, first, second] = states.state?.exports ?? [];
    expect(full).toMatchObject({ kind: "full", to: iso(START - 5 * MINUTE), status: "completed" });
    expect(first).toMatchObject({ kind: "incremental", from: full?.to, status: "completed" });
    expect(second).toMatchObject({
      kind: "incremental",
      from: first?.to,
      to: states.state?.exportedUntil,
      status: "started",
    });
  });

  test("a full export is taken where the last window ended, so that the two fit together", async () => {
    const { service, states, export: run } = setUp();
    await run("full");
    service.nowMs += 7 * DAY;
    await run("full");
    const chain = restoreChain(states.state?.exports ?? []);
    const windows = states.state?.exports.filter(({ kind }) => kind === "incremental") ?? [];
    expect(windows.map(({ from, to }) => Date.parse(to) - Date.parse(from ?? ""))).toEqual(
      Array(7).fill(WINDOW_MAX_MS),
    );
    expect(states.state?.exports.at(-1)).toMatchObject({ kind: "full", to: windows.at(-1)?.to });
    // The new one has not ended yet, so a restore of now takes the old one and all windows.
    expect(chain).toHaveLength(8);
  });

  test("less than the smallest window is left for the next run", async () => {
    const { service, states, export: run } = setUp();
    await run("incremental");
    service.nowMs += 14 * MINUTE;
    expect(await run("incremental")).toMatchObject({ started: 0, exportedUntil: iso(START - 5 * MINUTE) });
    service.nowMs += MINUTE;
    expect(await run("incremental")).toMatchObject({ started: 1 });
    expect(states.state?.exportedUntil).toBe(iso(START + 10 * MINUTE));
  });

  test("what was missed is caught up in as many windows as it takes", async () => {
    const { service, states, failures, export: run } = setUp();
    await run("incremental");
    service.nowMs += 20 * DAY + 3 * HOUR;
    expect(await run("incremental")).toMatchObject({ started: 21, lost: 0 });
    expect(failures).toEqual([]);
    expect(gapsOf(good(service), states.state?.exportedUntil ?? "")).toEqual([]);
  });

  test("what is out of reach is reported as lost, and a full export takes its place", async () => {
    const { service, states, failures, export: run } = setUp();
    await run("incremental");
    service.nowMs += 36 * DAY;
    expect(await run("incremental")).toMatchObject({ started: 1, lost: 1 });
    expect(failures).toEqual(["WINDOW_LOST"]);
    expect(states.state?.exports.at(-1)).toMatchObject({ kind: "full", to: states.state?.exportedUntil });
  });

  test("what DynamoDB refuses although it should be within reach is replaced by a full export in the same run", async () => {
    const { service, states, failures, export: run } = setUp();
    await run("incremental");
    service.nowMs += 3 * DAY;
    // Point-in-time recovery was off for a while.
    service.earliestMs = service.nowMs - 2 * HOUR;
    expect(await run("incremental")).toMatchObject({ lost: 3 });
    expect(failures).toEqual(["WINDOW_LOST", "WINDOW_LOST", "WINDOW_LOST"]);
    expect(gapsOf(good(service), states.state?.exportedUntil ?? "")).toEqual([]);
    expect(good(service).filter(({ kind }) => kind === "full")).toHaveLength(2);
  });

  test("a failed export is repeated for the same window under another token, and said to have failed", async () => {
    const { service, states, failures, export: run } = setUp();
    await run("incremental");
    service.nowMs += DAY;
    service.fails = () => true;
    await run("incremental");
    service.nowMs += DAY;
    service.fails = () => false;
    expect(await run("incremental")).toMatchObject({ repeated: 1, started: 2 });
    expect(failures).toEqual(["EXPORT_FAILED"]);
    const [, first] = states.state?.exports ?? [];
    expect(first).toMatchObject({ kind: "incremental", attempt: 2, status: "started" });
  });

  test("a retry of the invocation starts nothing twice", async () => {
    const { service, export: run } = setUp();
    await run("full");
    await run("full");
    service.nowMs += DAY;
    await run("full");
    await run("full");
    expect(service.exports.size).toBe(3);
  });

  test.each(["before", "after"] as const)(
    "of a run that dies %s its request, the next run makes one export",
    async (when) => {
      const { service, states, export: run } = setUp();
      service.fault = (call) => (call === "start" ? when : undefined);
      await expect(run("incremental")).rejects.toThrow("the run died");
      expect(states.state?.exports[0]).toMatchObject({ status: "planned" });
      service.fault = () => undefined;
      // Longer than a client token is valid.
      service.nowMs += 10 * HOUR;
      await run("incremental");
      expect(good(service).filter(({ kind }) => kind === "full")).toHaveLength(1);
      expect(states.state?.exports[0]?.exportArn).toBe([...service.exports.keys()][0]);
    },
  );

  test("of two runs at once only one goes ahead, and both end well", async () => {
    const { service, states, export: run } = setUp();
    await run("incremental");
    service.nowMs += 5 * DAY;
    await Promise.all([run("incremental"), run("full"), run("incremental")]);
    expect(states.state?.exports.filter(({ status }) => status === "planned")).toEqual([]);
    expect(states.state?.exports.filter(({ kind }) => kind === "incremental")).toHaveLength(5);
    expect(service.exports.size).toBe(states.state?.exports.length);
    expect(gapsOf(good(service), states.state?.exportedUntil ?? "")).toEqual([]);
  });
});

/** One thing that happens: time passes, or a run of some kind, which may die or have its exports fail. */
const step = fc.oneof(
  fc.record({ pauseMinutes: fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 3000, max: 60_000 })) }),
  fc.record({
    run: fc.constantFrom("incremental" as const, "full" as const),
    fails: fc.boolean(),
    dies: fc.option(
      fc.record({
        call: fc.constantFrom("reach", "start", "save"),
        nth: fc.integer({ min: 1, max: 6 }),
        when: fc.constantFrom("before" as const, "after" as const),
      }),
      { nil: undefined },
    ),
    parallel: fc.boolean(),
  }),
);

test("any sequence of runs, failures, deaths and pauses leaves windows without a gap and nothing exported twice", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const { service, states, export: run } = setUp();
      for (const each of steps) {
        if ("pauseMinutes" in each) {
          service.nowMs += each.pauseMinutes * MINUTE;
          continue;
        }
        let calls = 0;
        const fault = (call: string) =>
          call === each.dies?.call && ++calls === each.dies.nth ? each.dies.when : undefined;
        service.fault = fault;
        states.fault = fault;
        service.fails = () => each.fails;
        await Promise.allSettled(each.parallel ? [run(each.run), run("incremental")] : [run(each.run)]);
      }
      service.fault = () => undefined;
      states.fault = () => undefined;
      service.fails = () => false;
      // Two quiet days: whatever failed is noticed in the first run and has ended before the last.
      for (let day = 0; day < 3; day++) {
        service.nowMs += DAY;
        await run("incremental");
      }
      const { exports = [], exportedUntil = "" } = states.state ?? {};
      expect(gapsOf(good(service), exportedUntil)).toEqual([]);
      expect(service.nowMs - Date.parse(exportedUntil)).toBeLessThan(25 * MINUTE);
      const tokens = [...service.exports.values()].map(({ token }) => token);
      expect(new Set(tokens).size).toBe(tokens.length);
      const windows = exports.filter(({ kind }) => kind === "incremental");
      for (const { from = "", to } of windows) {
        expect(Date.parse(to) - Date.parse(from)).toBeGreaterThanOrEqual(15 * MINUTE);
        expect(Date.parse(to) - Date.parse(from)).toBeLessThanOrEqual(DAY);
      }
      const [full, ...after] = restoreChain(exports);
      expect(full?.kind).toBe("full");
      expect([full?.to, ...after.slice(0, -1).map(({ to }) => to)]).toEqual(
        after.length === 0 ? [full?.to] : after.map(({ from }) => from),
      );
    }),
    { numRuns: 400 },
  );
});

test("old entries are forgotten, and never one that a restore needs", () => {
  let state: ExportState | undefined;
  for (let day = 0; day < 120; day++) {
    const { state: next } = planExports(
      "PaymentLedger",
      state,
      day === 0 ? "full" : "incremental",
      reachAt(START + day * DAY),
    );
    state = { ...next, exports: next.exports.map((entry) => ({ ...entry, status: "completed" })) };
  }
  // No second full export was ever taken, so everything is needed.
  expect(state?.exports).toHaveLength(120);
  const { state: after } = planExports("PaymentLedger", state, "full", reachAt(START + 120 * DAY));
  const done = { ...after, exports: after.exports.map((entry) => ({ ...entry, status: "completed" as const })) };
  const { state: pruned } = planExports("PaymentLedger", done, "incremental", reachAt(START + 121 * DAY));
  expect(pruned.exports.length).toBeLessThan(45);
});
