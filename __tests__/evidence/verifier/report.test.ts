import { Findings } from "../../../evidence/verifier/findings";
import {
  EXIT_CODES,
  type Finding,
  VERDICTS,
  type VerificationReport,
  verificationText,
} from "../../../evidence/verifier/report";
import { buildWorld } from "../../support/log-world";
import { Draft, key, witness } from "../../support/verified-world";

const finding = (verdict: Finding["verdict"], message = ""): Finding => ({ verdict, code: "RECORD_ALTERED", message });

test("each verdict has its own exit code, and none is that of a wrong use or of a crash", () => {
  const codes = Object.values(EXIT_CODES);
  expect(new Set(codes).size).toBe(VERDICTS.length);
  expect(EXIT_CODES.ok).toBe(0);
  for (const code of [1, 2]) expect(codes).not.toContain(code);
});

test("the gravest verdict comes first, and ok only alone", () => {
  const findings = new Findings();
  expect(findings.verdicts).toEqual(["ok"]);
  for (const verdict of ["tail-not-pinned", "unsealed", "wrong-key", "missing"] as const)
    findings.add(finding(verdict));
  expect(findings.verdicts).toEqual(["wrong-key", "missing", "unsealed", "tail-not-pinned"]);
});

test("findings beyond the limit are counted, those of each verdict for themselves", () => {
  const findings = new Findings({ namedMax: 2 });
  for (let each = 0; each < 5; each++) findings.add(finding("altered"));
  findings.add(finding("missing"));
  expect(findings.list).toHaveLength(3);
  expect(findings.further).toMatchObject({ altered: 3, missing: 0 });
  const other = findings.another();
  for (let each = 0; each < 4; each++) other.add(finding("missing"));
  other.note("x");
  findings.addAll(other);
  expect(findings.list).toHaveLength(4);
  expect(findings.further).toMatchObject({ altered: 3, missing: 3 });
  expect(findings.notes).toEqual(["x"]);
});

const report = (changes: Partial<VerificationReport>): VerificationReport => ({
  verdict: "altered",
  verdicts: ["altered", "stale"],
  findings: [],
  further: new Findings().further,
  notes: [],
  origin: "log",
  size: 7,
  root: "AAAA",
  acknowledged: [],
  acknowledgedCount: 0,
  asOf: "2025-11-22T10:00:00.000Z",
  checkpointSigners: ["log+1"],
  pinnedBy: null,
  pinnedSize: 0,
  sources: [],
  counts: {
    records: 0,
    leaves: 7,
    repeatedEntries: 0,
    pairs: 0,
    lives: 0,
    openHolds: 0,
    oldHolds: 0,
    openBreaches: 0,
    heartbeats: 0,
    checkpoints: 0,
  },
  coveredUntil: "",
  ...changes,
});

test("the text of a report about nothing but the log and its counts is five lines", () => {
  const counts = "  0 records, 7 entries (0 repeated), 0 pairs, 0 heartbeats, 0 earlier checkpoints";
  expect(verificationText(report({ verdicts: ["altered"], origin: "", root: "", checkpointSigners: [] }))).toBe(
    [
      "ALTERED, as of 2025-11-22T10:00:00.000Z",
      "  log unknown: 7 entries",
      "  signed by no pinned key; last heartbeat never",
      "  nobody outside the log vouches for its entries",
      counts,
    ].join("\n"),
  );
});

test("the text names what was found and where, what is left unsaid, and what is acknowledged", () => {
  const place = { table: "payment-transactions", key: ["txn", "5"], version: "1", leaf: 12 };
  const found = { ...finding("altered", "It is other."), ...place };
  const text = verificationText(
    report({
      findings: [found, finding("missing", "It is gone.")],
      further: { ...new Findings().further, altered: 9 },
      acknowledged: [{ ...found, leafHash: "", reason: "INC-7" }],
      acknowledgedCount: 5,
      notes: ["So it is."],
      checkpointSigners: ["log+1", "log+2"],
      coveredUntil: "2025-11-22T09:00:00.000Z",
      sources: [{ table: "PaymentLedger", name: "x", takenAt: "2025-11-21", records: 3, entries: 5, compared: 4 }],
      counts: { ...report({}).counts, lives: 2 },
    }),
  );
  expect(text.split("\n")).toEqual([
    "ALTERED (also stale), as of 2025-11-22T10:00:00.000Z",
    "  log log: 7 entries, root AAAA",
    "  signed by log+1, log+2; last heartbeat 2025-11-22T09:00:00.000Z",
    "  nobody outside the log vouches for its entries",
    "  PaymentLedger: 3 records at 2025-11-21; 4 of 5 entries compared (x)",
    "  0 records, 7 entries (0 repeated), 0 pairs, 2 lives, 0 heartbeats, 0 earlier checkpoints",
    "  altered RECORD_ALTERED payment-transactions txn 5 version 1 entry 12: It is other.",
    "  missing RECORD_ALTERED: It is gone.",
    "  altered: 9 more; --all names every one",
    "  acknowledged (INC-7) altered RECORD_ALTERED payment-transactions txn 5 version 1 entry 12: It is other.",
    "  acknowledged: 4 more",
    "  note: So it is.",
  ]);
});

test.each<[string, VerificationReport["pinnedBy"], number]>([
  ["nobody outside the log vouches for its entries", null, 0],
  ["a witness vouches for the first 7 entries", "witness", 7],
  ["the last checkpoint vouches for the first 5 entries, and nobody for the 2 from entry 5 on", "last-checkpoint", 5],
])("the text says that %s", (said, pinnedBy, pinnedSize) => {
  expect(verificationText(report({ pinnedBy, pinnedSize })).split("\n")).toContain(`  ${said}`);
});

describe("however little is held at once, the findings are the same", () => {
  const built = buildWorld([key], witness, false, ({ log }) => {
    const again = log.steps[7];
    if (again !== undefined) log.take(again);
  });
  const changed = () => {
    const draft = new Draft(built);
    for (const id of ["pay-1", "pay-22", "pay-60"]) {
      draft.changeItem("PaymentLedger", id, (item) => ({ ...item, Amount: { S: "1.00" } }));
    }
    draft.changeItem("payment-audit-trail", "msg-3", () => undefined);
    draft.changeItem("PaymentAuditTrail", "event-3", (item) => ({ ...item, AuditID: { S: "event-33" } }));
    return draft;
  };
  const sorted = ({ findings }: VerificationReport) => findings.map(({ code, key: own }) => `${code} ${own}`).sort();

  test("in one reading", async () => {
    const whole = await changed().verify();
    expect(sorted(whole)).toEqual([
      "RECORD_ALTERED pay-1",
      "RECORD_ALTERED pay-22",
      "RECORD_ALTERED pay-60",
      "RECORD_MISSING event-3",
      "RECORD_MISSING msg-3",
      "RECORD_UNSEALED event-33",
      expect.stringMatching(/^ROW_MISSING W~/),
    ]);
    expect(whole.counts.repeatedEntries).toBe(1);
  });

  test.each([1000, 20, 7])("in slices of %s", async (heldMax) => {
    const [whole, sliced] = [await changed().verify(), await changed().verify({ heldMax })];
    expect(sorted(sliced)).toEqual(sorted(whole));
    expect(sliced.counts).toEqual(whole.counts);
  });

  test("and where it would take too many readings, that is said", async () => {
    const draft = new Draft(built);
    draft.changeLines("PaymentAuditTrail", () => []);
    const report = await draft.verify({ heldMax: 5 });
    expect(report.findings).toContainEqual(
      expect.objectContaining({ verdict: "incomplete", code: "TOO_MANY_DIFFERENCES" }),
    );
    expect(report.verdict).toBe("missing");
  });
});

describe("evidence or sources that change while they are read", () => {
  test("a source that tells something else the second time", async () => {
    const draft = new Draft(buildWorld([key], witness, false));
    const items = [...draft.world.rows("payment-audit-trail").values()];
    let readings = 0;
    const source = {
      table: "payment-audit-trail" as const,
      name: "x",
      takenAt: draft.built.takenAt,
      batches: async function* () {
        readings += 1;
        yield items.slice(readings === 1 ? 1 : 0).map((now) => ({ now }));
      },
    };
    const report = await draft.verify({ sources: [source], problems: [], only: ["payment-audit-trail"] });
    expect(readings).toBe(2);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ verdict: "incomplete", code: "EVIDENCE_CHANGED" }),
    );
  });

  test("a bundle that tells something else the second time", async () => {
    const draft = new Draft(buildWorld([key], witness, false));
    const path = [...draft.evidence.keys()].find((each) => each === "tile/entries/000") ?? "";
    const other = Buffer.from(
      draft.evidence.get(path)?.toString("latin1").replaceAll('"key":["pay-1"', '"key":["pay-X"') ?? "",
      "latin1",
    );
    const genuine = draft.evidence.get(path) as Buffer;
    let readings = 0;
    const evidence = {
      name: "x",
      read: async (name: string) => (name === path ? (readings++ < 2 ? genuine : other) : draft.evidence.get(name)),
      list: async function* (prefix: string) {
        for (const name of draft.evidence.keys()) if (name.startsWith(prefix)) yield name;
      },
    };
    draft.changeItem("PaymentLedger", "pay-1", () => undefined);
    const report = await draft.verify({ evidence, leftovers: false });
    expect(readings).toBeGreaterThan(2);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ verdict: "incomplete", code: "EVIDENCE_CHANGED" }),
    );
  });
});
