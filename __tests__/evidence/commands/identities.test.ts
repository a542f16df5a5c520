/** `verify --identities`: the file against the record that seals it, and against the records of its day. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseWords } from "../../../evidence/commands/command";
import { UsageError } from "../../../evidence/commands/errors";
import {
  attestedDay,
  attestedDays,
  checkIdentities,
  IDENTITIES_OPTION,
  identitiesOf,
} from "../../../evidence/commands/identities";
import { type Attestation, attestationHash, attestationText } from "../../../evidence/identity/attestation";
import { identityText } from "../../../evidence/identity/identity-report";
import { graverOf } from "../../../evidence/verifier/report";
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
  calls: [
    {
      request: "r-1",
      function: "persist_payment_ledger",
      verdict: "attested",
      records: 2,
      principalArn: "arn:aws:sts::111122223333:assumed-role/checkout/m7",
    },
  ],
};

const record = (AuditID: string, requestId: string, more: ItemJson = {}): ItemJson => ({
  AuditID: { S: AuditID },
  Action: { S: "WRITE" },
  Actor: { S: "checkout-service" },
  Origin: { S: "LEDGER" },
  RecordedAt: { S: `${DAY}T10:00:00.000Z` },
  Caller: { M: { RequestID: { S: requestId }, Function: { S: "persist_payment_ledger" } } },
  ...more,
});
const MADE_UP = record("a-3", "r-2", {
  Actor: { S: "cfo" },
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

function sourceOf(items: readonly ItemJson[], asText = true): RecordSource {
  return {
    table: "PaymentAuditTrail",
    name: "export",
    takenAt: "2026-11-28T06:00:00.000Z",
    batches: async function* () {
      for (const item of items) yield [{ now: asText ? JSON.stringify(item) : item }];
    },
  };
}

const fileOf = (attestation: Attestation, name = "file.ndjson") =>
  attestedDay({ name, bytes: Buffer.from(attestationText(attestation)) });

function sealOf(attestation: Attestation, more: ItemJson = {}): ItemJson {
  return record(`seal-${attestationHash(attestationText(attestation))}`, "r-9", {
    Action: { S: "IDENTITY_CHECK" },
    RecordedAt: { S: "2026-11-30T05:30:00.000Z" },
    EvidenceHash: { S: attestationHash(attestationText(attestation)) },
    ...more,
  });
}

function check(attestation: Attestation, items: readonly ItemJson[], asText = true) {
  const source = sourceOf([...items, sealOf(attestation)], asText);
  return { report: checkIdentities([fileOf(attestation)], [source]), source };
}

test.each([true, false])("a sealed file about all records of its day is ok (items as text: %s)", async (asText) => {
  expect(await check(ATTESTATION, OF_DAY, asText).report).toMatchObject({
    verdict: "ok",
    days: [{ day: DAY, verdict: "ok", findings: [] }],
    counts: { attested: 2 },
  });
});

test("a record that exports tell twice counts once", async () => {
  expect((await check(ATTESTATION, [...OF_DAY, ...OF_DAY]).report).verdict).toBe("ok");
});

test("a contradicted call is named, with its records and who made it", async () => {
  const calls = [...ATTESTATION.calls, CONTRADICTED];
  const report = await check({ ...ATTESTATION, calls }, [...OF_DAY, MADE_UP]).report;
  expect(report).toMatchObject({
    verdict: "forged",
    contradicted: [{ request: "r-2", claims: [{ auditId: "a-3", actor: "cfo" }] }],
  });
  expect(identityText(report)).toContain("assumed-role/reporting/m1; records a-3 (actor cfo)");
});

test("who called as which actor is listed, and an unattested record names nobody", async () => {
  const calls = [
    ...ATTESTATION.calls,
    CONTRADICTED,
    { request: "r-5", function: "persist_payment_ledger", verdict: "unattested", reason: "NO_INVOCATION", records: 1 },
  ] as const;
  const report = await check({ ...ATTESTATION, calls }, [...OF_DAY, MADE_UP, record("a-5", "r-5")]).report;
  expect(report.actors).toEqual([
    {
      actor: "checkout-service",
      counts: { attested: 2, unattested: 1, contradicted: 0 },
      principals: [{ principal: "arn:aws:sts::111122223333:assumed-role/checkout/m7", records: 2 }],
    },
    {
      actor: "cfo",
      counts: { attested: 0, unattested: 0, contradicted: 1 },
      principals: [{ principal: CONTRADICTED.principalArn, records: 1 }],
    },
  ]);
  expect(identityText(report)).toContain("actor checkout-service: 2 records attested, 1 unattested, 0 contradicted");
});

test("no text of an export reaches the terminal as a command to it", async () => {
  const hostile = record("a-1", "r-1", { Actor: { S: "\u001b[2Jcfo\u202e" } });
  const report = await check(ATTESTATION, [hostile, record("a-2", "r-1")]).report;
  expect(report.actors.map(({ actor }) => actor)).toContain("\u001b[2Jcfo\u202e");
  expect(identityText(report).replaceAll("\n", "")).not.toMatch(/\p{C}/u);
});

test("a day between two files that has none is incomplete", async () => {
  const later: Attestation = { day: "2026-11-29", problems: [], calls: [] };
  const files = [fileOf(later), fileOf(ATTESTATION)];
  const report = await checkIdentities(files, [sourceOf([...OF_DAY, sealOf(ATTESTATION), sealOf(later)])]);
  expect(report).toMatchObject({
    verdict: "incomplete",
    days: [
      { day: DAY, verdict: "ok" },
      { day: "2026-11-28", verdict: "incomplete", findings: ["No file is about this day."] },
      { day: "2026-11-29", verdict: "ok" },
    ],
  });
  expect(identityText(report)).toContain("Callers of 3 days: INCOMPLETE");
});

describe("of two sealed files of a day", () => {
  const incomplete = { ...ATTESTATION, problems: ["No digest covers an hour."] };
  const sealedAt = (attestation: Attestation, time: string) =>
    sealOf(attestation, { RecordedAt: { S: `2026-11-28T${time}.000Z` } });

  test.each([
    ["the complete one, sealed later, counts", "05:30:00", "06:30:00", "ok"],
    ["the incomplete one, sealed later, counts", "06:30:00", "05:30:00", "incomplete"],
  ])("%s", async (_, incompleteAt, completeAt, verdict) => {
    const source = sourceOf([...OF_DAY, sealedAt(incomplete, incompleteAt), sealedAt(ATTESTATION, completeAt)]);
    expect((await checkIdentities([fileOf(incomplete), fileOf(ATTESTATION)], [source])).verdict).toBe(verdict);
  });

  test("one with a contradiction counts, whatever was sealed after it", async () => {
    const contradicted = { ...ATTESTATION, calls: [...ATTESTATION.calls, CONTRADICTED] };
    const seals = [sealedAt(contradicted, "05:30:00"), sealedAt(incomplete, "06:30:00")];
    const report = await checkIdentities(
      [fileOf(incomplete), fileOf(contradicted)],
      [sourceOf([...OF_DAY, MADE_UP, ...seals])],
    );
    expect(report).toMatchObject({ verdict: "forged", counts: { contradicted: 1 } });
  });

  test("a third that no record seals makes the day altered, and never counts", async () => {
    const unsealed = { ...ATTESTATION, calls: [CONTRADICTED] };
    const report = await checkIdentities(
      [fileOf(unsealed, "third.ndjson"), fileOf(ATTESTATION)],
      [sourceOf([...OF_DAY, sealOf(ATTESTATION)])],
    );
    expect(report).toMatchObject({
      verdict: "altered",
      counts: { attested: 2, contradicted: 0 },
      days: [{ findings: [expect.stringContaining("third.ndjson")] }],
    });
  });
});

describe("the option", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-identities-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const given = (...places: readonly string[]) =>
    parseWords(
      places.flatMap((place) => ["--identities", place]),
      IDENTITIES_OPTION,
    );
  const source = sourceOf([...OF_DAY, sealOf(ATTESTATION)]);

  test("takes a file, and a folder of them", async () => {
    const file = path.join(folder, `${DAY}.ndjson`);
    writeFileSync(file, attestationText(ATTESTATION));
    for (const place of [file, folder])
      expect(await identitiesOf(attestedDays(given(place)), [source])).toMatchObject({
        verdict: "ok",
        days: [{ day: DAY }],
      });
  });

  test("left out, there is nothing to say", async () => {
    expect(await identitiesOf(attestedDays(given()), [source])).toBeUndefined();
  });

  test("refuses a folder without files", () => {
    const empty = path.join(folder, "empty");
    mkdirSync(empty);
    expect(() => attestedDays(given(empty))).toThrow(UsageError);
  });
});

test("a file that was changed afterwards is altered: no record seals it", async () => {
  const { source } = check(ATTESTATION, OF_DAY);
  expect(await checkIdentities([fileOf({ ...ATTESTATION, problems: ["x"] })], [source])).toMatchObject({
    verdict: "altered",
    days: [{ findings: [expect.stringContaining("No IDENTITY_CHECK record"), "x"] }],
  });
});

test("an event of another service that calls itself an identity check seals nothing", async () => {
  const source = sourceOf([...OF_DAY, sealOf(ATTESTATION, { Origin: { S: "EVENT" } })]);
  expect((await checkIdentities([fileOf(ATTESTATION)], [source])).verdict).toBe("altered");
});

test("a record that the file leaves out is named", async () => {
  const report = await check(ATTESTATION, [...OF_DAY, record("a-4", "r-4")]).report;
  expect(report).toMatchObject({ verdict: "altered", days: [{ findings: [expect.stringContaining("r-4")] }] });
});

test.each([
  ["a day whose trail was not whole", { ...ATTESTATION, problems: ["No digest covers an hour."] }, OF_DAY],
  ["exports without the day's records", ATTESTATION, OF_DAY.slice(0, 1)],
])("%s is incomplete, never ok", async (_, attestation, items) => {
  expect((await check(attestation, items).report).verdict).toBe("incomplete");
});

test.each([
  ["a file of another form", "{}\n"],
  ["a file about a day that is not in the calendar", attestationText({ ...ATTESTATION, day: "2026-02-31" })],
])("%s is a wrong use", (_, text) => {
  const file = { name: "file.ndjson", bytes: Buffer.from(text) };
  expect(() => attestedDay(file)).toThrow(UsageError);
});

test("days more than a century apart are a wrong use", async () => {
  const files = [fileOf(ATTESTATION), fileOf({ ...ATTESTATION, day: "1026-11-27" })];
  await expect(checkIdentities(files, [])).rejects.toMatchObject({ name: "UsageError" });
});

test("of two verdicts the graver one counts", () => {
  expect([graverOf("ok", "forged"), graverOf("forged", "tail-not-pinned"), graverOf("ok", "ok")]).toEqual([
    "forged",
    "forged",
    "ok",
  ]);
});
