import type { VerifyOptions } from "../../../evidence/verifier/verify";
import { at } from "../../support/log-world";
import { Draft, genuineDraft, NOW } from "../../support/verified-world";

const genuine = genuineDraft();
const HOUR_MS = 3_600_000;
const laterBy = (hours: number) => new Date(NOW.getTime() + hours * HOUR_MS);

async function codes(draft: Draft, options: Partial<VerifyOptions> = {}): Promise<string[]> {
  const { findings, verdict } = await draft.verify(options);
  expect(verdict === "ok").toBe(findings.length === 0);
  return [...new Set(findings.map(({ code }) => code))].sort();
}

/** The exports say that they were taken at another time; their manifests agree. */
function redated(draft: Draft, time: string, isChanged: (path: string) => boolean = () => true): Draft {
  for (const path of draft.exports.keys()) {
    if (!path.endsWith("manifest-summary.json") || !isChanged(path)) continue;
    const summary = JSON.parse((draft.exports.get(path) ?? "").toString()) as object;
    draft.setManifest(path, JSON.stringify({ ...summary, exportTime: time }));
  }
  return draft;
}

describe("the age of exports and evidence against the auditor's clock", () => {
  const draft = new Draft(genuine.built);

  test("of two days is no finding", async () => {
    expect(await codes(draft, { now: laterBy(46) })).toEqual([]);
    expect(await draft.verify()).toMatchObject({ verdict: "ok", asOf: NOW.toISOString() });
  });

  test("of more is stale", async () => {
    expect(await codes(draft, { now: laterBy(48) })).toEqual(["EVIDENCE_OLD", "SOURCE_OLD"]);
    expect((await draft.verify({ now: laterBy(2_000) })).verdict).toBe("stale");
  });

  test("is judged against the moment that is meant, where one is stated", async () => {
    const asOf = new Date(at(400));
    expect(await draft.verify({ now: laterBy(9_000), asOf })).toMatchObject({
      verdict: "ok",
      asOf: asOf.toISOString(),
    });
    expect(await codes(draft, { now: laterBy(9_000), asOf: laterBy(100) })).toEqual(["EVIDENCE_OLD", "SOURCE_OLD"]);
  });

  test("may be more for a source that is made seldom, not for the evidence", async () => {
    expect(await codes(draft, { now: laterBy(100), sourceAgeMaxMs: 192 * HOUR_MS })).toEqual(["EVIDENCE_OLD"]);
  });

  test("is the default clock's where none is given", async () => {
    const { now: _now, ...options } = { now: NOW };
    const report = await new Draft(genuine.built).verify({ ...options, now: new Date() });
    expect(report.verdict).toBe("stale");
  });
});

/** In the genuine world no payment has events, so the log has no entry of their table and nothing of it must be compared. */
const WITHOUT_ENTRIES = "PaymentEvents";

describe("how much was compared", () => {
  test("is counted for each table", async () => {
    const { sources } = await new Draft(genuine.built).verify();
    const all = new Map<string, number>();
    for (const bytes of genuine.world.log.entries) {
      const { table } = JSON.parse(bytes.toString()) as { table?: string };
      if (table !== undefined) all.set(table, (all.get(table) ?? 0) + 1);
    }
    for (const { table, entries, compared } of sources.filter(({ table }) => table !== WITHOUT_ENTRIES)) {
      expect(entries).toBe(all.get(table));
      expect(compared).toBeGreaterThan(0);
    }
    expect(all.has(WITHOUT_ENTRIES)).toBe(false);
    expect(sources.find(({ table }) => table === WITHOUT_ENTRIES)).toMatchObject({ entries: 0, compared: 0 });
    // Payments and status changes after the export were sealed and need not be in it.
    expect(sources.find(({ table }) => table === "PaymentLedger")?.compared).toBeLessThan(
      all.get("PaymentLedger") ?? 0,
    );
  });

  test("empty exports that say they were taken before the first payment are not ok", async () => {
    const draft = new Draft(genuine.built);
    for (const { logicalName } of genuine.tables) draft.changeLines(logicalName, () => []);
    redated(draft, at(1.5));
    const report = await draft.verify();
    expect(report.verdict).not.toBe("ok");
    expect(
      report.findings
        .filter(({ code }) => code === "NOTHING_COMPARED")
        .map(({ table }) => table)
        .sort(),
    ).toEqual(
      genuine.tables
        .map(({ logicalName }) => logicalName)
        .filter((table) => table !== WITHOUT_ENTRIES)
        .sort(),
    );
  });

  test("tables of different moments are not ok", async () => {
    const old = redated(new Draft(genuine.built), at(-4_000), (path) => path.includes("/payment-audit-trail/"));
    expect(await codes(old)).toEqual(expect.arrayContaining(["SOURCES_APART"]));
  });
});

describe("records later than the moment of their export", () => {
  const withLater = (seconds: number) => {
    const draft = new Draft(genuine.built);
    return redated(draft, new Date(Date.parse(genuine.built.takenAt) - seconds * 1000).toISOString());
  };

  test("within a minute are a note: clocks differ", async () => {
    const { notes, findings } = await withLater(12).verify();
    expect(findings).toEqual([]);
    expect(notes.join()).toMatch(
      /PaymentLedger: It says it was taken at \S+, and \d+ of its records were written later/,
    );
  });

  test("beyond that are a finding", async () => {
    expect(await codes(withLater(100))).toContain("SOURCE_NEWER_THAN_SAID");
  });

  test("are noted in a scan for as long as it says it went on, and no longer", async () => {
    const draft = new Draft(genuine.built);
    const takenAt = new Date(Date.parse(genuine.built.takenAt) - 100_000).toISOString();
    const scanned = (seconds: number) => {
      for (const path of draft.exports.keys()) {
        if (!path.endsWith("manifest-summary.json")) continue;
        const { exportArn, ...summary } = JSON.parse((draft.exports.get(path) ?? "").toString()) as Record<
          string,
          string
        >;
        const scan = `${exportArn?.replace(/\/export\/.*/, "")}/export/0179-scan`;
        const endTime = new Date(Date.parse(takenAt) + seconds * 1000).toISOString();
        draft.setManifest(path, JSON.stringify({ ...summary, exportArn: scan, exportTime: takenAt, endTime }));
      }
      return draft;
    };
    expect(await codes(scanned(60))).not.toContain("SOURCE_NEWER_THAN_SAID");
    expect(await codes(scanned(10))).toContain("SOURCE_NEWER_THAN_SAID");
  });
});

describe("heartbeats of the future", () => {
  test("are findings from a quarter of an hour on", async () => {
    const end = Date.parse(at(genuine.world.clock));
    expect(await codes(genuine, { now: new Date(end - 14 * 60_000) })).toEqual([]);
    expect(await codes(genuine, { now: new Date(end - 16 * 60_000) })).toEqual(["HEARTBEAT_IN_FUTURE"]);
  });

  test("one of years ahead does not cover what is missing after it", async () => {
    const draft = new Draft(genuine.built);
    draft.reseal((steps) =>
      steps.map((step, place) => {
        const isLast = place === steps.findLastIndex(({ kind }) => kind === "heartbeat");
        return isLast && step.kind === "heartbeat" ? { ...step, time: "2999-01-01T00:00:00.000Z" } : step;
      }),
    );
    const report = await draft.verify({ lastCheckpoint: draft.earlierCheckpoint() });
    expect(report.findings).toContainEqual(
      expect.objectContaining({ verdict: "altered", code: "HEARTBEAT_IN_FUTURE" }),
    );
  });
});
