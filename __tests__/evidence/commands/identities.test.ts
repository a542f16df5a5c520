/** `verify --identities`: the file against the record that seals it, and against the records of its day. */

import { checkIdentities, graverOf, identityText } from "../../../evidence/commands/identities";
import { type Attestation, attestationHash, attestationText } from "../../../evidence/identity/attestation";
import type { RecordSource } from "../../../evidence/verifier/sources";
import type { ItemJson } from "../../../ledger/rules/attribute-value";

const DAY = "2026-11-27";
const CONTRADICTED = {
  request: "r-2",
  function: "process_payment_messages",
  verdict: "contradicted",
  reason: "NOT_BY_SERVICE",
  records: 1,
  via: "queue",
  toldPrincipal: "AROACFO:cfo",
  principalArn: "arn:aws:sts::111122223333:assumed-role/reporting/m1",
} as const;
const ATTESTATION: Attestation = {
  day: DAY,
  problems: [],
  calls: [{ request: "r-1", function: "persist_payment_ledger", verdict: "attested", records: 2 }],
};

const record = (AuditID: string, requestId: string, more: ItemJson = {}): ItemJson => ({
  AuditID: { S: AuditID },
  Action: { S: "WRITE" },
  Origin: { S: "LEDGER" },
  RecordedAt: { S: `${DAY}T10:00:00.000Z` },
  Caller: { M: { RequestID: { S: requestId }, Function: { S: "persist_payment_ledger" } } },
  ...more,
});
const MADE_UP = record("a-3", "r-2", {
  Caller: {
    M: {
      RequestID: { S: "r-2" },
      Function: { S: "process_payment_messages" },
      Principal: { S: "AROACFO:cfo" },
      Via: { S: "queue" },
    },
  },
});
const OF_DAY = [record("a-1", "r-1"), record("a-2", "r-1"), record("a-2.00", "r-1", { PartOf: { S: "a-2" } })];

function check(attestation: Attestation, items: readonly ItemJson[], asText = true) {
  const file = Buffer.from(attestationText(attestation));
  const seal = record("a-9", "r-9", {
    Action: { S: "IDENTITY_CHECK" },
    RecordedAt: { S: "2026-11-28T05:30:00.000Z" },
    EvidenceHash: { S: attestationHash(file) },
  });
  const source: RecordSource = {
    table: "PaymentAuditTrail",
    name: "export",
    takenAt: "2026-11-28T06:00:00.000Z",
    batches: async function* () {
      for (const item of [...items, seal]) yield [{ now: asText ? JSON.stringify(item) : item }];
    },
  };
  return { file, report: checkIdentities(file, [source]), source };
}

test.each([true, false])("a sealed file about all records of its day is ok (items as text: %s)", async (asText) => {
  expect(await check(ATTESTATION, OF_DAY, asText).report).toMatchObject({
    verdict: "ok",
    findings: [],
    counts: { attested: 2 },
  });
});

test("a record that exports tell twice counts once", async () => {
  expect((await check(ATTESTATION, [...OF_DAY, ...OF_DAY]).report).verdict).toBe("ok");
});

test("a contradicted call is named, with its records and who made it", async () => {
  const calls = [...ATTESTATION.calls, CONTRADICTED];
  const report = await check({ ...ATTESTATION, calls }, [...OF_DAY, MADE_UP]).report;
  expect(report).toMatchObject({ verdict: "forged", contradicted: [{ request: "r-2", auditIds: ["a-3"] }] });
  expect(identityText(report)).toContain("assumed-role/reporting/m1; records a-3");
});

test("a file that was changed afterwards is altered: no record seals it", async () => {
  const { source } = check(ATTESTATION, OF_DAY);
  const other = Buffer.from(attestationText({ ...ATTESTATION, problems: ["x"] }));
  expect(await checkIdentities(other, [source])).toMatchObject({
    verdict: "altered",
    findings: [expect.stringContaining("No IDENTITY_CHECK record"), "x"],
  });
});

test("an event of another service that calls itself an identity check seals nothing", async () => {
  const { file } = check(ATTESTATION, OF_DAY);
  const claimed = record("a-8", "r-8", {
    Action: { S: "IDENTITY_CHECK" },
    Origin: { S: "EVENT" },
    EvidenceHash: { S: attestationHash(file) },
    RecordedAt: { S: "2026-11-28T05:30:00.000Z" },
  });
  const source: RecordSource = {
    table: "PaymentAuditTrail",
    name: "export",
    takenAt: "2026-11-28T06:00:00.000Z",
    batches: async function* () {
      yield [...OF_DAY, claimed].map((now) => ({ now }));
    },
  };
  expect((await checkIdentities(file, [source])).verdict).toBe("altered");
});

test("a record that the file leaves out is named", async () => {
  const report = await check(ATTESTATION, [...OF_DAY, record("a-4", "r-4")]).report;
  expect(report).toMatchObject({ verdict: "altered", findings: [expect.stringContaining("r-4")] });
});

test.each([
  ["a day whose trail was not whole", { ...ATTESTATION, problems: ["No digest covers an hour."] }, OF_DAY],
  ["exports without the day's records", ATTESTATION, OF_DAY.slice(0, 1)],
])("%s is incomplete, never ok", async (_, attestation, items) => {
  expect((await check(attestation, items).report).verdict).toBe("incomplete");
});

test("a file of another form is a wrong use", async () => {
  await expect(checkIdentities(Buffer.from("{}\n"), [])).rejects.toMatchObject({ name: "UsageError" });
});

test("of two verdicts the graver one counts", () => {
  expect([graverOf("ok", "forged"), graverOf("forged", "tail-not-pinned"), graverOf("ok", "ok")]).toEqual([
    "forged",
    "forged",
    "ok",
  ]);
});
