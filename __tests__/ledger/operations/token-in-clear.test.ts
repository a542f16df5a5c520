/** Every way in: a token outside its place is refused, and no table, answer or report holds it afterwards. */

import { gzipSync } from "node:zlib";
import type { Call } from "../../../ledger/operations/call";
import { runPaymentProcessor } from "../../../ledger/operations/payment-processor";
import { persistAuditEvents } from "../../../ledger/operations/persist-audit-events";
import { persistPayments } from "../../../ledger/operations/persist-payments";
import { persistQueuedEvents } from "../../../ledger/operations/persist-queued-events";
import { processMessages } from "../../../ledger/operations/process-messages";
import { queryAuditTrail } from "../../../ledger/operations/query-audit-trail";
import { queryLedger } from "../../../ledger/operations/query-ledger";
import { queryTransactions } from "../../../ledger/operations/query-transactions";
import { queueMessages } from "../../../ledger/operations/queue";
import { revealToken } from "../../../ledger/operations/reveal-token";
import { updatePaymentStatus } from "../../../ledger/operations/update-status";
import { auditView } from "../../../ledger/store/audit-record";
import { everythingIn, freshId, type Harness, paymentInput, startHarness } from "../../support/ledger-harness";
import { queueRecord } from "../../support/queue-records";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());

type Send = (token: string, call: Call) => Promise<unknown>;

const services = () => harness.services;
const direct = (row: object, call: Call) => processor({ payment_data: row }, call);
const processor = (event: unknown, call: Call) =>
  runPaymentProcessor(event, call, services(), { files: harness.files, removeCardDataFiles: true });
const row = (rest: object) => ({
  transactionId: freshId("row"),
  amount: "1.00",
  currency: "EUR",
  cardLast4: "4242",
  ...rest,
});
const message = (body: object, call: Call) => processMessages({ Records: [queueRecord(body)] }, call, services());
const queued = (body: object, call: Call, groupId = freshId("group")) =>
  persistQueuedEvents(queueMessages({ Records: [queueRecord(body, { groupId })] }) ?? [], call, services());
const event = (rest: object) => ({ Actor: "support", Action: "READ", ...rest });

/** Uploads a file of these lines. @returns all that its reports say. */
async function file(name: string, lines: readonly string[], call: Call): Promise<string> {
  const key = freshId("file");
  const body = `${lines.join("\n")}\n`;
  await processor(await harness.upload(`payments/${key}.${name}`, name.endsWith(".gz") ? gzipSync(body) : body), call);
  const reports = (await harness.objectKeys("reports/")).filter((each) => each.includes(key));
  return (await Promise.all(reports.map((each) => harness.readObject(each)))).join("\n");
}

const WAYS: Readonly<Record<string, Send>> = {
  "a payment whose actor is its token": (token, call) =>
    persistPayments(paymentInput({ SecureToken: token, Actor: token }), call, services()),
  "a payment whose id holds its token": (token, call) =>
    persistPayments(paymentInput({ SecureToken: token, TransactionID: `pay:${token}` }), call, services()),
  "a payment whose processor is its token": (token, call) =>
    persistPayments(paymentInput({ SecureToken: token, ProcessorID: token }), call, services()),
  "a payment with its token in an unknown field": (token, call) =>
    persistPayments(paymentInput({ SecureToken: token, Metadata: { note: token } }), call, services()),
  "a malformed payment that claims its token as actor": (token, call) =>
    persistPayments({ SecureToken: [token], Actor: token }, call, services()),
  "a payment of a list": (token, call) =>
    persistPayments([paymentInput({ SecureToken: token, Actor: token })], call, services()),
  "a list whose actor is a token of it": (token, call) =>
    persistPayments({ Actor: token, payments: [paymentInput({ SecureToken: token })] }, call, services()),
  "a list with a token around it": (token, call) =>
    persistPayments({ Actor: token, SecureToken: token, payments: [paymentInput()] }, call, services()),
  "a status change": (token, call) =>
    updatePaymentStatus(
      {
        TransactionID: token,
        ExpectedStatus: "Failure",
        Status: "Success",
        Reason: token,
        Actor: token,
        SecureToken: token,
      },
      call,
      services(),
    ),
  "a query of the ledger": (token, call) =>
    queryLedger({ Query: "transaction", TransactionID: token, Actor: token, SecureToken: token }, call, services()),
  "a query of the trail": (token, call) =>
    queryAuditTrail({ Query: "transaction", TransactionID: token, Actor: token, SecureToken: token }, call, services()),
  "a query of the transactions": (token, call) =>
    queryTransactions({ transactionId: token, Actor: token, SecureToken: token }, call, services()),
  "a reveal": (token, call) =>
    revealToken({ TransactionID: token, Actor: token, Reason: "refund", SecureToken: token }, call, services()),
  "an event with a token in its details": (token, call) =>
    persistAuditEvents(event({ QueryDetails: { SecureToken: token }, TransactionID: token }), call, services()),
  "an event with a token in a text of JSON": (token, call) =>
    persistAuditEvents(event({ Response: `{"SecureToken":"${token}"}` }), call, services()),
  "an event of a list with the token of another": (token, call) =>
    persistAuditEvents([event({ Actor: token }), event({ Response: { SecureToken: token } })], call, services()),
  "an event of the FIFO queue": (token, call) =>
    queued(event({ QueryDetails: { SecureToken: token }, Actor: token }), call, token),
  "a payment message": (token, call) => message({ paymentId: token, amount: "1.00", SecureToken: token }, call),
  "payment_data with a token in its metadata": (token, call) => direct(row({ metadata: { SecureToken: token } }), call),
  "payment_data with the token of another entry": (token, call) =>
    direct([row({ actor: token }), row({ metadata: { SecureToken: token } })], call),
  "an event that the processor does not handle": (token, call) =>
    processor({ transactionId: token, actor: token, SecureToken: token }, call),
  "a row of a JSON file": (token, call) =>
    file("ndjson", [JSON.stringify(row({ transactionId: token, metadata: { SecureToken: token } }))], call),
  "a row of a compressed file": (token, call) =>
    file("ndjson.gz", [JSON.stringify(row({ actor: token, SecureToken: token }))], call),
  "a row of a CSV file with a token in its metadata": (token, call) =>
    file(
      "csv",
      ["transactionId,amount,currency,cardLast4,metadata", `${token},1.00,EUR,4242,"{""SecureToken"":""${token}""}"`],
      call,
    ),
};

/** What rests in the tables, the encrypted details of the call's own records in clear. */
async function atRest(call: Call): Promise<string> {
  const audit = await harness.scan("audit");
  const own = audit.filter((item) => everythingIn([item]).includes(call.caller.requestId));
  const views = await Promise.all(own.map((item) => auditView(item, services())));
  const others = await Promise.all((["ledger", "messages", "transactions"] as const).map(harness.scan));
  return JSON.stringify(views) + everythingIn([...audit, ...others.flat()]);
}

/** Ways whose answer or report says why; a queue is answered only that its message is settled. */
const isQueue = (way: string) => way.includes("message") || way.includes("queue");

test.each(Object.entries(WAYS))("%s: the token is refused and not kept", async (way, send) => {
  const token = `tok_${freshId("secret")}`;
  const call = harness.call("some_function");
  const answer = JSON.stringify(await send(token, call));
  expect(answer).not.toContain(token);
  if (!isQueue(way)) expect(answer).toContain("TOKEN_IN_CLEAR");
  const rest = await atRest(call);
  expect(rest).not.toContain(token);
  if (!way.startsWith("a row")) expect(rest).toContain('"query_result":"TOKEN_IN_CLEAR"');
});

test("one payment with its token in clear stops no other of its list", async () => {
  const [good, bad] = [paymentInput(), paymentInput()];
  const answer = await persistPayments([good, { ...bad, Actor: good.SecureToken }], harness.call(), services());
  expect(answer).toMatchObject({
    results: [
      { position: 0, outcome: "stored" },
      { position: 1, outcome: "refused", code: "TOKEN_IN_CLEAR", TransactionID: bad.TransactionID },
    ],
  });
});

test("a claim that holds no token is kept: the refusal is found by its payment and its actor", async () => {
  const payment = paymentInput({ Actor: "checkout" });
  const call = harness.call();
  await persistPayments({ ...payment, ProcessorID: payment.SecureToken }, call, services());
  const [record] = await harness.trailOf(payment.TransactionID);
  expect(record).toMatchObject({ Action: { S: "REFUSAL" }, Actor: { S: "checkout" } });
});
