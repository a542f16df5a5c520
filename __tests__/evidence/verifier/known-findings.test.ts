import { type KnownFinding, parseKnownFindings } from "../../../evidence/verifier/known-findings";
import { FINDING_CODES, type Finding } from "../../../evidence/verifier/report";
import { buildWorld, type World } from "../../support/log-world";
import { paymentRow } from "../../support/stored-records";
import { Draft, key, witness } from "../../support/verified-world";

/** A payment removed with its WRITE record, one removed alone, one changed, one inserted. */
const incident = buildWorld([key], witness, false, (world: World) => {
  for (const id of ["gone", "row-gone", "changed"]) world.pay("PaymentLedger", id);
  const writeOf = (id: string) =>
    [...world.rows("PaymentAuditTrail")].find(([, item]) => JSON.stringify(item).includes(`"${id}"`))?.[0] ?? "";
  world.remove("PaymentAuditTrail", writeOf("gone"));
  world.remove("PaymentLedger", "gone");
  world.remove("PaymentLedger", "row-gone");
  world.put("PaymentLedger", { ...world.rows("PaymentLedger").get("changed"), Amount: { S: "1.00" } }, "TAMPER");
  world.put("PaymentLedger", paymentRow("slipped-in", world.now()), "FORGED");
});
const knownOf = (findings: readonly Finding[]): KnownFinding[] =>
  findings.flatMap(({ leaf, leafHash, code }) =>
    leaf === undefined || leafHash === undefined ? [] : [{ leaf, leafHash, code, reason: "INC-7: settled" }],
  );

let findings: readonly Finding[];
beforeAll(async () => {
  findings = (await new Draft(incident).verify()).findings;
});

test("a settled incident is reported as acknowledged, with what follows from it, and the verdict is ok again", async () => {
  const report = await new Draft(incident).verify({ known: knownOf(findings) });
  expect(report).toMatchObject({ verdict: "ok", findings: [] });
  expect(report.acknowledgedCount).toBe(findings.length);
  expect(report.acknowledged).toContainEqual(
    expect.objectContaining({ code: "RECORD_REMOVED", key: ["gone"], reason: "INC-7: settled" }),
  );
  // Its WRITE record stands alone because of the removal that is acknowledged.
  expect(report.acknowledged).toContainEqual(expect.objectContaining({ code: "ROW_MISSING" }));
});

test("each line acknowledges its own finding alone", async () => {
  const known = knownOf(findings);
  for (const left of known) {
    const report = await new Draft(incident).verify({ known: known.filter((each) => each !== left) });
    expect(report.verdict).not.toBe("ok");
    expect(report.findings).toContainEqual(expect.objectContaining({ leaf: left.leaf, code: left.code }));
  }
});

describe("never hides a new finding", () => {
  test("of the same record", async () => {
    const draft = new Draft(incident);
    draft.changeItem("PaymentLedger", "changed", (item) => ({ ...item, Amount: { S: "2.00" } }));
    const report = await draft.verify({ known: knownOf(findings) });
    expect(report.findings).toMatchObject([{ verdict: "altered", code: "RECORD_ALTERED", key: ["changed"] }]);
  });

  test("of another record", async () => {
    const draft = new Draft(incident);
    draft.changeItem("PaymentLedger", "pay-5", () => undefined);
    const report = await draft.verify({ known: knownOf(findings) });
    expect(report.findings.map(({ code }) => code).sort()).toEqual(["RECORD_MISSING", "ROW_MISSING"]);
  });

  test("where the entry has another hash, another number or the finding another code", async () => {
    const [first, ...others] = knownOf(findings) as [KnownFinding, ...KnownFinding[]];
    const wrong: KnownFinding[] = [
      { ...first, leafHash: `${"A".repeat(43)}=` },
      { ...first, leaf: first.leaf + 1 },
      { ...first, code: first.code === "RECORD_FORGED" ? "RECORD_CHANGED" : "RECORD_FORGED" },
    ];
    for (const each of wrong) {
      const report = await new Draft(incident).verify({ known: [each, ...others] });
      const codes = report.findings.map(({ code }) => code);
      expect(codes).toContain(first.code);
      expect(codes).toContain("KNOWN_UNMATCHED");
    }
  });

  test("of a log that was written anew", async () => {
    const draft = new Draft(incident);
    draft.reseal((steps) => steps.filter((_step, place) => place !== 5));
    const report = await draft.verify({ known: knownOf(findings), lastCheckpoint: draft.earlierCheckpoint() });
    expect(report.findings.filter(({ code }) => code === "RECORD_REMOVED")).toHaveLength(3);
  });
});

describe("the file", () => {
  const good = { leaf: 3, leafHash: `${"A".repeat(43)}=`, code: "RECORD_REMOVED", reason: "INC-7" };
  const lines = (...all: object[]) => all.map((each) => `${JSON.stringify(each)}\n`).join("");

  test("holds a known finding a line", () => {
    expect(parseKnownFindings(`\n${lines(good, { ...good, leaf: 4 })}`)).toEqual([good, { ...good, leaf: 4 }]);
    expect(parseKnownFindings("")).toEqual([]);
  });

  test.each<[string, string]>([
    ["no JSON", "leaf 3"],
    ["a list", "[]"],
    ["a reason that says nothing", lines({ ...good, reason: " " })],
    ["no reason", lines({ leaf: 3, leafHash: good.leafHash, code: good.code })],
    ["a member too much", lines({ ...good, all: true })],
    ["a leaf that cannot exist", lines({ ...good, leaf: -1 })],
    ["a malformed hash", lines({ ...good, leafHash: "AAAA" })],
    ["a code that there is not", lines({ ...good, code: "ANY" })],
    ["the same finding twice", lines(good, { ...good, reason: "again" })],
  ])("with %s is refused", (_name, text) => {
    expect(() => parseKnownFindings(text)).toThrow(expect.objectContaining({ code: "BAD_KNOWN_FINDINGS" }));
  });

  test("cannot acknowledge the present content of a table or of the evidence", () => {
    const refused = FINDING_CODES.filter((code) => {
      try {
        parseKnownFindings(lines({ ...good, code }));
        return false;
      } catch {
        return true;
      }
    });
    for (const code of [
      "RECORD_MISSING",
      "RECORD_ALTERED",
      "ROLLED_BACK",
      "RECORD_UNSEALED",
      "EVIDENCE_ALTERED",
      "CHECKPOINT_FORKED",
      "SOURCE_OLD",
    ])
      expect(refused).toContain(code);
  });
});
