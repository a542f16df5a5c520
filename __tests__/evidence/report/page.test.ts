import fc from "fast-check";
import type { IdentityReport } from "../../../evidence/identity/identity-report";
import type { ReportModel } from "../../../evidence/report/model";
import { PAGE_SCRIPT } from "../../../evidence/report/page";
import type { PageEvidence } from "../../../evidence/report/page-evidence";
import { checkEvidence } from "../../../evidence/report/proof-check";
import type { Finding } from "../../../evidence/verifier/report";
import { reportScript } from "../../../tools/build-report-script";
import { ALL_TEST_NUMBERS } from "../../ledger/rules/card-test-numbers";
import { anyCharacter } from "../../support/any-character";
import type { World } from "../../support/log-world";
import { auditRecord, paymentRow } from "../../support/stored-records";
import { dataIn, IDENTITIES, ReportWorld, reportPage } from "./fixture";

const worlds: ReportWorld[] = [];
function worldWith(between?: (world: World) => void): ReportWorld {
  const world = new ReportWorld(between);
  worlds.push(world);
  return world;
}
afterAll(() => {
  for (const world of worlds) world.delete();
});

/** That of the tests that change nothing. */
const plain = worldWith();

test("the script in the repository is that of its source", () => {
  expect(PAGE_SCRIPT.split("\n")).toEqual(reportScript());
});

test("the policy forbids everything but the script and the style of the page", async () => {
  const page = reportPage(await plain.model());
  const [, policy = ""] = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(page) ?? [];
  expect(policy).toMatch(
    /^default-src 'none'; script-src 'sha256-[\w+/=]{44}'; style-src 'sha256-[\w+/=]{44}'; base-uri 'none'; form-action 'none'$/,
  );
  expect(page.indexOf("Content-Security-Policy")).toBeLessThan(page.indexOf("<style"));
  // Nothing that a browser would load, and no style or handler that the policy would refuse.
  expect(page).not.toMatch(/<[^>]* (src|srcset|action|style|on\w+|xlink:href)=/);
  expect([...page.matchAll(/ href="([^"]*)"/g)].every(([, target = ""]) => target.startsWith("#"))).toBe(true);
});

test("nothing in it is a token, a key or a ciphertext that is shown; a card number is in no byte of it", async () => {
  const [card = ""] = ALL_TEST_NUMBERS;
  const world = worldWith((between) => {
    between.put("PaymentLedger", { ...paymentRow("card-1", between.now()), Note: { S: `card ${card}` } }, "RECORD");
    between.put("PaymentLedger", { ...paymentRow("forged-1", between.now()), Note: { S: "made up" } }, "FORGED");
  });
  const [row, forged] = [
    await world.model({}, { paymentId: "card-1" }),
    await world.model({}, { paymentId: "forged-1" }),
  ];
  expect(row.problems).toEqual([expect.stringContaining("looks like a card number")]);
  const page = reportPage(row);
  expect(page).not.toContain(card);
  expect(page).toContain("card-1");
  // A forger may have put anything into a record, so its content stays outside.
  expect(reportPage(forged)).not.toContain("made up");
  const genuine = reportPage(await world.model({}, { paymentId: "pay-3" }));
  const { SecureToken, Salt } = paymentRow("pay-3", "2025-11-21T10:00:00.000Z") as Record<string, { B: string }>;
  const [main = ""] = genuine.split('id="report-evidence">');
  expect(main).toContain('<dt data-text="">SecureToken</dt><dd data-text="">encrypted, 60 bytes</dd>');
  for (const secret of [SecureToken?.B ?? "", Salt?.B ?? ""]) expect(main).not.toContain(secret);
});

/** Every tag of the page, with its attributes, in order. */
function tagsOf(page: string): string[] {
  return page.slice(page.indexOf("<body>"), page.lastIndexOf("<script>")).match(/<[^>]*>/g) ?? [];
}

/** The same report with every text that somebody else chose replaced. */
function withTexts(model: ReportModel, text: string): ReportModel {
  const finding: Finding = {
    verdict: "altered",
    code: "RECORD_ALTERED",
    message: text,
    table: text,
    key: [text],
    version: text,
    leaf: 1,
  };
  const record = {
    Action: { S: text },
    Actor: { S: text },
    TransactionID: { S: text },
    Caller: { M: { a: { S: text } } },
  };
  const entries = model.latest.map((each) =>
    each.entry.kind === "HEARTBEAT" ? each : { ...each, entry: { ...each.entry, key: [text], version: text }, record },
  );
  const [drawn] = entries.filter(({ entry }) => entry.kind !== "HEARTBEAT");
  const identities: IdentityReport = {
    ...IDENTITIES,
    days: IDENTITIES.days.map((day) => ({ ...day, findings: [text] })),
    contradicted: IDENTITIES.contradicted.map((call) => ({
      ...{ ...call, toldPrincipal: text, principalArn: text },
      claims: [{ auditId: text, actor: text }],
    })),
    actors: IDENTITIES.actors.map((each) => ({ ...each, actor: text, principals: [{ principal: text, records: 1 }] })),
  };
  const actors = model.activity.actors.map((actor) => ({ ...actor, actor: text, first: text, last: text }));
  const sources = model.verification.sources.map((source) => ({ ...source, name: text, takenAt: text }));
  const known = { ...finding, reason: text };
  return {
    ...model,
    verification: {
      ...model.verification,
      findings: [finding],
      acknowledged: [known],
      acknowledgedCount: 1,
      notes: [text],
      sources,
      origin: text,
    },
    identities,
    latest: entries,
    activity: { ...model.activity, actors },
    ...(drawn && { story: { id: text, entries, drawn } }),
    summary: { ...model.summary, actors: [text], findings: [text] },
    changes: {
      ...{ before: { ...model.summary, madeAt: text }, entries: 1, records: 1 },
      ...{ newFindings: [text], goneFindings: [text], newKeys: [text], goneKeys: [text], newActors: [text] },
    },
    problems: [text],
  };
}

test("whatever a record, a finding, an actor or an earlier report says, the page has the same elements", async () => {
  const model = await plain.model();
  const tags = tagsOf(reportPage(withTexts(model, "x")));
  expect(tags.length).toBeGreaterThan(500);
  const part = fc.constantFrom(
    "</script>",
    "</td><script>x()</script>",
    '" onload="x()',
    "<img src=x>",
    "<!--",
    "&lt;",
    "'",
    "\u202e",
    "\n",
    "a",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(part).map((parts) => parts.join("")),
        fc.string({ unit: anyCharacter }),
      ),
      (text) => {
        fc.pre(text !== "");
        expect(tagsOf(reportPage(withTexts(model, text)))).toEqual(tags);
      },
    ),
    { numRuns: 25 },
  );
});

/** The page's section about who called, its tags left out: a bar between elements. */
function callersIn(page: string): string {
  const [, inner = ""] = /<section id="callers"[^>]*>(.*?)<\/section>/s.exec(page) ?? [];
  return inner.replace(/(<[^>]*>)+/g, "|");
}

describe("who called", () => {
  test("was not checked where nobody asked, and the page says so in one line", async () => {
    const page = reportPage(await plain.model());
    expect(callersIn(page)).toBe("|Who called|Who called was not checked; give |--identities|.|");
    expect(page).not.toContain('<a href="#callers">Who called</a>: ');
  });

  test("is shown with each outcome, each day, each contradicted record and each actor's callers", async () => {
    const model = await plain.model({}, { identities: IDENTITIES });
    expect([model.verification.verdict, model.verdict, model.summary.verdict]).toEqual(["ok", "forged", "forged"]);
    const page = reportPage(model);
    expect(page).toContain('<p class="verdict">FORGED</p>');
    const callers = callersIn(page);
    const [contradicted] = IDENTITIES.contradicted;
    for (const part of [
      "1405 records attested, 7 unattested, 1 contradicted",
      "2 days were checked, 1 of them incomplete; 1 day has no file.",
      "|2025-11-19|forged|1 400|4|1|",
      "|2025-11-20|missing|unknown|unknown|unknown|No file is about this day.|",
      "|2025-11-21|incomplete|5|3|0|No digest covers 03:00 to 04:00.|",
      `|1 contradicted record|Record|Claimed actor|Named by the event|Named by CloudTrail|Reason|made-up-1|cfo|AROACFO:cfo|${contradicted?.principalArn}|NOT_BY_SERVICE|`,
      "|checkout-service|1 405|7|0|arn:aws:sts::111122223333:assumed-role/checkout/m7 (1 405)|",
      `|cfo|0|0|1|${contradicted?.principalArn} (1)|`,
    ])
      expect(callers).toContain(part);
    // No more of a person than the text answer of verify says.
    for (const kept of ["mallory", "203.0.113.9", "vpce-0a1b2c3d"]) expect(page).not.toContain(kept);
  });

  test("is listed up to a bound, and the page says how much is left out", async () => {
    const [call] = IDENTITIES.contradicted;
    const claims = Array.from({ length: 250 }, (_, at) => ({ auditId: `made-up-${at}`, actor: "cfo" }));
    const many = { ...IDENTITIES, contradicted: call === undefined ? [] : [{ ...call, claims }] };
    const callers = callersIn(reportPage(await plain.model({}, { identities: many })));
    expect(callers).toContain("|250 contradicted records|");
    expect(callers).toContain("|50 further records: |");
    expect(callers.match(/\|made-up-\d+\|/g)?.length).toBe(200);
  });

  test("has no effect on a graver verdict of the records", async () => {
    const world = worldWith((between) => {
      between.pay("PaymentLedger", "tampered-1");
      between.put("PaymentLedger", { ...paymentRow("tampered-1", between.now()), Amount: { S: "1.00" } }, "TAMPER");
    });
    const page = reportPage(await world.model({}, { identities: IDENTITIES }));
    expect(page).toContain('<p class="verdict">ALTERED</p>');
    expect(page).toContain('<a href="#callers">Who called</a>: forged.');
  });
});

test("of evidence that cannot be read, or that nobody signed, there is a report that says so", async () => {
  const world = worldWith();
  const empty = await world.model({ evidence: { name: "nothing", read: async () => undefined, async *list() {} } });
  expect(empty).toMatchObject({ latest: [], verification: { verdict: "incomplete" } });
  expect(reportPage(empty)).toContain("NOTHING TO CHECK");
  const { evidence } = await world.verifyOptions();
  const read = async (name: string) => (name.startsWith("tile/0/") ? undefined : evidence.read(name));
  const torn = await world.model({ evidence: { ...evidence, read } });
  expect(torn.problems.join()).toContain("tile/0/");
  expect(reportPage(torn)).toContain("NOTHING TO CHECK");
});

test("of evidence with a bad signature there is a report whose check fails", async () => {
  const world = worldWith();
  const { evidence } = await world.verifyOptions();
  const read = async (name: string) => {
    const bytes = await evidence.read(name);
    return name === "checkpoint" ? Buffer.from(String(bytes).replace(/(\S+\n)(\d+)/, "$19")) : bytes;
  };
  const { problems, proof, verification } = await world.model({ evidence: { ...evidence, read } });
  expect(verification.verdict).toBe("bad-signature");
  expect([proof?.result.state ?? "invalid", problems.length > 0 || proof !== undefined]).toEqual(["invalid", true]);
});

test("a report says what changed since the one before it, and proves that the log goes on from there", async () => {
  const world = worldWith();
  const first = await world.model();
  const before = {
    ...first.summary,
    size: 245,
    records: 100,
    actors: [],
    findings: ["RECORD_ALTERED PaymentLedger x"],
    checkpoint: world.built.lastCheckpoint,
  };
  const second = await world.model({}, { before });
  expect(second.changes).toMatchObject({
    entries: second.verification.size - 245,
    goneFindings: ["RECORD_ALTERED PaymentLedger x"],
    newActors: ["checkout-service"],
    newKeys: [],
  });
  expect(reportPage(second)).toContain("The log begins with all that it had then; the check of this page proves it.");
  const data = JSON.parse(dataIn(reportPage(second))) as PageEvidence;
  expect(data.earlier?.checkpoint).toBe(before.checkpoint);
  expect((await checkEvidence(data)).state).toBe("valid");
  const unsigned = await world.model({ lastCheckpoint: "" }, { before: { ...before, checkpoint: "x\n" } });
  expect(reportPage(unsigned)).toContain("Nothing proves that the log begins with all that it had then");
});

test("the story is that of the payment that a finding names, and each of its entries is there", async () => {
  const world = worldWith((between) => {
    between.put("PaymentLedger", paymentRow("forged-1", between.now()), "FORGED");
    between.pay("PaymentLedger", "tampered-1");
    between.put("PaymentAuditTrail", auditRecord("read-1", "READ", "PaymentLedger", "tampered-1", between.now()));
    between.put("PaymentLedger", { ...paymentRow("tampered-1", between.now()), Amount: { S: "1.00" } }, "TAMPER");
  });
  const { story, lag, activity } = await world.model();
  expect(story?.id).toBe("tampered-1");
  expect(story?.entries.map(({ entry }) => entry.kind)).toEqual(["RECORD", "RECORD", "RECORD", "TAMPER"]);
  expect(lag.measured).toBeGreaterThan(300);
  expect(lag.longestMs).toBeGreaterThan(lag.medianMs);
  expect(activity.totals).toMatchObject({ alarm: 2, read: 13, seal: 8 });
});
