import { type Attestation, attestationHash, attestationText } from "../../../evidence/identity/attestation";
import type { IdentityReport } from "../../../evidence/identity/identity-report";
import type { PageEvidence } from "../../../evidence/report/page-evidence";
import { checkEvidence } from "../../../evidence/report/proof-check";
import { auditRecord, paymentRow } from "../../support/stored-records";
import { dataIn } from "../report/fixture";
import { Auditor, STRANGER } from "./fixture";

/** Of the day of the exports' records, of which it names two. */
const CALLERS: Attestation = {
  day: "2025-11-21",
  problems: [],
  calls: [
    {
      ...{ request: "7c3a1f0e-0001", function: "persist_payment_ledger", verdict: "attested", records: 100_000 },
      principalArn: "arn:aws:sts::111122223333:assumed-role/checkout/m7",
    },
    {
      ...{ request: "r-2", function: "process_payment_messages", verdict: "contradicted", reason: "NOT_BY_SERVICE" },
      ...{ records: 1, via: "queue", toldPrincipal: "AROACFO:cfo" },
      principalArn: "arn:aws:sts::111122223333:assumed-role/reporting/m1",
    },
  ],
};

let auditor: Auditor;

beforeAll(() => {
  auditor = new Auditor((world) => {
    world.put("PaymentLedger", paymentRow("forged-1", world.now()), "FORGED");
    const seal = auditRecord("check-1", "IDENTITY_CHECK", "PaymentLedger", "pay-1", world.now());
    world.put("PaymentAuditTrail", { ...seal, EvidenceHash: { S: attestationHash(attestationText(CALLERS)) } });
  });
  auditor.write(`identities/${CALLERS.day}.ndjson`, attestationText(CALLERS));
});
afterAll(() => auditor.delete());

const VERIFIED = [
  "--evidence",
  "evidence",
  "--export",
  "exports",
  "--as-of",
  "2025-11-21T11:00:00Z",
  "--last-checkpoint",
  "last",
];
const PINNED = [...VERIFIED, "--key", "log.vkey"];

function stateOf(page: string): Promise<string> {
  return checkEvidence(JSON.parse(dataIn(page)) as PageEvidence).then(({ state }) => state);
}

test("report writes one file that proves itself, ends as verify does, and compares with the file it replaces", async () => {
  const words = ["report", "--out", "pages/report.html", ...PINNED];
  const verified = await auditor.run("verify", ...PINNED, "--quiet");
  const first = await auditor.runFile(...words, "--payment", "pay-3");
  expect(first).toEqual({
    code: verified.code,
    out: expect.stringMatching(/^pages\/report\.html: MISSING, \d+ bytes\. Open it in a browser\.\n$/),
    err: "",
  });
  const page = auditor.read("pages/report.html");
  expect(page).toContain("There is no earlier report to compare with.");
  expect(page).toContain("One payment: pay-3");
  expect(await stateOf(page)).toBe("valid");
  await auditor.run(...words);
  const second = auditor.read("pages/report.html");
  expect(second).toContain("Entries: +0. Records: +0.");
  expect(second).toContain("One payment: forged-1");
  expect(await stateOf(second)).toBe("valid");
});

test("verify --html writes the same page beside its usual answer", async () => {
  const ended = await auditor.run("verify", ...PINNED, "--json", "--html", "v.html");
  expect((JSON.parse(ended.out) as { verdict: string }).verdict).toBe("missing");
  expect(ended.err).toMatch(/^v\.html: MISSING, \d+ bytes/);
  expect(await stateOf(auditor.read("v.html"))).toBe("valid");
});

test("who called is the same in the page, in the text and in JSON", async () => {
  const words = ["--identities", "identities", ...PINNED];
  const page = async (...command: readonly string[]) => {
    const ended = await auditor.run(...command, "--identities", "identities", ...PINNED);
    expect(ended.code).toBe(11);
    return auditor.read("who.html");
  };
  const { out: text } = await auditor.run("verify", ...words);
  const json = JSON.parse((await auditor.run("verify", ...words, "--json")).out) as { identities: IdentityReport };
  const { identities } = json;
  expect(identities).toMatchObject({ verdict: "forged", counts: { attested: 100_000, contradicted: 1 } });
  const [day] = identities.days;
  expect(day?.findings).toEqual(["The exports lack records of 2 calls that the file is about."]);
  for (const said of [text, await page("report", "--out", "who.html"), await page("verify", "--html", "who.html")]) {
    expect(said).toContain("100000 records attested, 0 unattested, 1 contradicted");
    for (const part of ["AROACFO:cfo", "assumed-role/reporting/m1", "assumed-role/checkout/m7", day?.findings[0]])
      expect(said).toContain(part);
  }
  expect(await stateOf(auditor.read("who.html"))).toBe("valid");
});

test("as JSON it answers with the verdict and the file", async () => {
  const ended = await auditor.run("report", "--out", "j.html", ...PINNED, "--json");
  expect(JSON.parse(ended.out)).toEqual({ verdict: "missing", file: "j.html" });
});

test("under a stranger's key there is a page, and nothing in it that could be taken for a proof", async () => {
  const ended = await auditor.run("report", "--out", "w.html", ...VERIFIED, "--key", STRANGER.vkey);
  expect(ended.code).toBe(18);
  const page = auditor.read("w.html");
  expect(page).toContain('<p class="verdict">WRONG-KEY</p>');
  expect(await stateOf(page)).toBe("invalid");
});

test("a wrong use is refused", async () => {
  auditor.write("no-report.html", "<html></html>");
  for (const [words, what] of [
    [["report", ...PINNED], "--out is missing"],
    [["report", "--out", "x.html", ...PINNED, "--since", "no-report.html"], "--since names a file that `report` wrote"],
    [["report", "--out", "x.html", ...PINNED, "--since", "nowhere"], "There is no file nowhere"],
  ] as const) {
    const ended = await auditor.run(...words);
    expect({ code: ended.code, out: ended.out }).toEqual({ code: 2, out: "" });
    expect(ended.err).toContain(what);
  }
});
