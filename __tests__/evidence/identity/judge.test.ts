/** The same role claims to be somebody else by every way in; CloudTrail says who it was, and which event was made up. */

import {
  type Attestation,
  AttestationError,
  attestationHash,
  attestationText,
  countsOf,
  outcomeOf,
  parseAttestation,
} from "../../../evidence/identity/attestation";
import { type CallOnRecord, DayOfCalls, judgeCalls } from "../../../evidence/identity/judge";
import { readTrailDay } from "../../../evidence/identity/trail-day";
import { assumedRole, begunSession, invokedByRole, invokedByService } from "../../../local/trail-files";
import { DAY, filesOfDay, folderOf, functionArn, MALLORY, MALLORYS } from "./trail-world";

const at = (requestId: string, name: string) => ({
  requestId,
  time: `${DAY}T09:00:00Z`,
  functionArn: functionArn(name),
});

const EVENTS = [
  invokedByRole(at("direct", "persist_payment_ledger"), MALLORY),
  invokedByService(at("queued", "process_payment_messages"), "lambda.amazonaws.com"),
  invokedByService(at("filed", "payment-processor-dev"), "s3.amazonaws.com"),
  // Mallory invokes the queue's function with a message that she made up.
  invokedByRole(at("shaped", "process_payment_messages"), MALLORY),
  // Through a service that calls in her role's name it is still hers.
  {
    ...invokedByRole(at("relayed", "process_payment_messages"), MALLORY),
    sourceIPAddress: "states.amazonaws.com",
  },
  invokedByService(at("api", "query_payment_ledger"), "apigateway.amazonaws.com"),
  // Mallory invokes the function with an event like those of API Gateway.
  invokedByRole(at("shaped-api", "query_payment_ledger"), MALLORY),
  invokedByRole(at("other-function", "query_payment_ledger"), MALLORY),
  assumedRole(MALLORY, `${DAY}T08:00:00Z`),
];

const CFO = "AROACFO:cfo";
const RECORDS: readonly CallOnRecord[] = [
  { requestId: "direct", functionName: "persist_payment_ledger" },
  { requestId: "direct", functionName: "persist_payment_ledger" },
  { requestId: "queued", functionName: "process_payment_messages", via: "queue", principal: "AROAMALLORY:m1" },
  { requestId: "filed", functionName: "payment-processor-dev", via: "file", principal: "AWS:AROAMALLORY:m1" },
  { requestId: "shaped", functionName: "process_payment_messages", via: "queue", principal: CFO },
  { requestId: "relayed", functionName: "process_payment_messages", via: "queue", principal: CFO },
  { requestId: "api", functionName: "query_payment_ledger", via: "api", principal: "AROAMALLORY:m1" },
  { requestId: "shaped-api", functionName: "query_payment_ledger", via: "api", principal: CFO },
  { requestId: "other-function", functionName: "persist_payment_ledger" },
  { requestId: "unknown", functionName: "persist_payment_ledger" },
];

async function judged(records = RECORDS, events: readonly { eventTime: string }[] = EVENTS): Promise<Attestation> {
  const calls = new DayOfCalls();
  for (const record of records) calls.add(record);
  const trail = await readTrailDay(folderOf(filesOfDay(events)), DAY);
  return { day: DAY, problems: trail.problems, calls: judgeCalls(calls, trail) };
}

const callOf = ({ calls }: Attestation, request: string) => calls.find((call) => call.request === request);

test.each(["direct", "queued", "filed", "api"])("the true principal of a %s call is attested", async (request) => {
  expect(callOf(await judged(), request)).toMatchObject({ verdict: "attested", ...MALLORYS });
});

test.each([
  ["shaped", "NOT_BY_SERVICE"],
  ["shaped-api", "NOT_BY_SERVICE"],
  ["relayed", "NOT_BY_SERVICE"],
  ["other-function", "OTHER_FUNCTION"],
])("the %s call is contradicted, and who made it is named", async (request, reason) => {
  expect(callOf(await judged(), request)).toMatchObject({
    verdict: "contradicted",
    reason,
    principalArn: MALLORYS.principalArn,
  });
});

test("an event of the shape of a file is contradicted too, also where it names nobody", async () => {
  const events = [invokedByRole(at("shaped-file", "payment-processor-dev"), MALLORY)];
  const record = { requestId: "shaped-file", functionName: "payment-processor-dev", via: "file" } as const;
  expect(callOf(await judged([record], events), "shaped-file")).toMatchObject({ reason: "NOT_BY_SERVICE" });
});

test("of who only called the private API, the trail has the session that STS began", async () => {
  const events = [
    invokedByService(at("api", "query_payment_ledger"), "apigateway.amazonaws.com"),
    begunSession(MALLORY, `${DAY}T08:00:00Z`),
  ];
  expect(callOf(await judged(RECORDS, events), "api")).toMatchObject({ verdict: "attested", ...MALLORYS });
});

test("a session that STS refused names nobody", async () => {
  const refusedSession = { ...begunSession(MALLORY, `${DAY}T08:00:00Z`), responseElements: null };
  const events = [invokedByService(at("api", "query_payment_ledger"), "apigateway.amazonaws.com"), refusedSession];
  const call = callOf(await judged(RECORDS, events), "api");
  expect(call).toMatchObject({ verdict: "attested", principalId: "AROAMALLORY:m1" });
  expect(call).not.toHaveProperty("principalArn");
});

test("a queue's event that another service delivered is contradicted", async () => {
  const events = [invokedByService(at("by-s3", "process_payment_messages"), "s3.amazonaws.com")];
  const record = {
    requestId: "by-s3",
    functionName: "process_payment_messages",
    via: "queue",
    principal: CFO,
  } as const;
  expect(callOf(await judged([record], events), "by-s3")?.verdict).toBe("contradicted");
});

test("a record from before the way in was kept is judged by the sender that it names", async () => {
  const record = { requestId: "shaped", functionName: "process_payment_messages", principal: CFO };
  expect(callOf(await judged([record]), "shaped")?.verdict).toBe("contradicted");
});

test("the counts are of records, and a contradiction decides the outcome", async () => {
  const attestation = await judged();
  expect(countsOf(attestation.calls)).toEqual({ attested: 5, unattested: 1, contradicted: 4 });
  expect(outcomeOf(attestation)).toBe("contradicted");
});

test("a trail with a problem is incomplete, never good", async () => {
  const good = await judged(RECORDS.slice(0, 4));
  expect(outcomeOf(good)).toBe("good");
  expect(outcomeOf({ ...good, problems: ["No digest covers an hour."] })).toBe("incomplete");
  expect(outcomeOf(await judged(RECORDS.slice(-1)))).toBe("unattested");
});

test("the file reads back as it was written, and the same day gives the same bytes in any order of records", async () => {
  const attestation = await judged();
  const text = attestationText(attestation);
  expect(parseAttestation(text)).toEqual(attestation);
  expect(attestationHash(attestationText(await judged(RECORDS.toReversed())))).toBe(attestationHash(text));
});

test.each([
  ["an empty file", () => ""],
  ["a file without its last line end", (text: string) => text.slice(0, -1)],
  ["another format", (text: string) => text.replace("identities/1", "identities/9")],
  ["a line that is no JSON", (text: string) => `${text}x\n`],
  ["a call without records", (text: string) => text.replace(/"records":"2"/, '"records":"0"')],
  ["an unknown verdict", (text: string) => text.replace('"verdict":"attested"', '"verdict":"perhaps"')],
])("%s is refused", async (_, damage) => {
  const text = damage(attestationText(await judged()));
  expect(() => parseAttestation(text)).toThrow(AttestationError);
});
