/** The four ways into the ledger, over an AWS in memory: every answer must fit its published schema, and nothing secret may rest. */

import { gzipSync } from "node:zlib";
import { FILE_PREFIXES, FUNCTIONS, QUEUES } from "../../../contract";
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
import type { Services } from "../../../ledger/store/services";
import { changed, damagedText, type FuzzObject, fuzzCardNumber, holdsMarkedToken, TOKEN_MARK } from "./inputs";
import { BUCKET, LedgerWay, mustFit, Unexpected } from "./ledger-world";
import { damaged, type Random } from "./random";

function payment(random: Random): FuzzObject {
  const id = `pay-${random.below(400)}`;
  return {
    TransactionID: id,
    SecureToken: `${TOKEN_MARK}${id}`,
    Amount: random.pick(["10.50", "0.00", "1", "99999999999.99", "10.5"]),
    Currency: random.pick(["EUR", "USD", "JPY", "KWD", "XXX"]),
    ProcessorID: "acme",
    Status: random.pick(["Success", "Failure"]),
    Timestamp: "2026-11-20T10:00:00.000Z",
    Actor: random.pick(["checkout", "refunds", "sweep_audit_trail"]),
  };
}

function event(random: Random): FuzzObject {
  return {
    AuditID: `audit-${random.below(400)}`,
    TransactionID: `pay-${random.below(400)}`,
    Action: random.pick(["REFUND_VIEWED", "WRITE", "ALARM"]),
    Actor: "support",
    Timestamp: "2026-11-20T10:00:00.000Z",
    query_record_id: `pay-${random.below(400)}`,
    response_record_ids: [`pay-${random.below(400)}`],
    query_result: "found",
    QueryDetails: { reason: "call of a customer" },
  };
}

function row(random: Random): FuzzObject {
  return {
    transactionId: `txn-${random.below(4_000)}`,
    amount: random.pick(["10.50", "7.00", "1.2345"]),
    currency: "USD",
    cardLast4: random.pick(["4242", "0000"]),
    metadata: { order: random.below(1_000), rate: 109.5 / (1 + random.below(90)) },
  };
}

function fact(random: Random): FuzzObject {
  return {
    TransactionID: `pay-${random.below(20)}`,
    EventID: `event-${random.below(4_000)}`,
    Kind: random.pick(["FEE", "CAPTURED", "REFUNDED", "DISPUTED", "REFUND_HELD"]),
    Mode: random.pick(["fact", "fact", "grant"]),
    Amount: random.pick(["1.00", "0.50", "0.00"]),
    Currency: "EUR",
    Actor: "processor-feed",
  };
}

type Operation = (event: unknown, call: Call, services: Services) => Promise<object>;

/** Direct calls of every function that people and services call. */
export class DirectCallsWay extends LedgerWay {
  readonly name = "direct calls";
  readonly #functions: readonly (readonly [string, Operation, (random: Random) => FuzzObject])[] = [
    [FUNCTIONS.persistPaymentLedger.name, persistPayments, payment],
    [
      FUNCTIONS.persistPaymentLedger.name,
      persistPayments,
      (random) => ({ payments: [changed(payment(random), random), changed(payment(random), random)] }),
    ],
    [FUNCTIONS.persistPaymentAuditTrail.name, persistAuditEvents, event],
    [
      FUNCTIONS.updatePaymentStatus.name,
      updatePaymentStatus,
      (random) => ({
        TransactionID: `pay-${random.below(400)}`,
        ExpectedStatus: random.pick(["Success", "Failure"]),
        Status: random.pick(["Success", "Failure"]),
        Reason: "late approval",
        Actor: "support",
      }),
    ],
    [
      FUNCTIONS.queryPaymentLedger.name,
      queryLedger,
      (random) => ({ Query: "transaction", TransactionID: `pay-${random.below(400)}`, Actor: "support" }),
    ],
    [
      FUNCTIONS.queryPaymentLedger.name,
      queryLedger,
      () => ({ Query: "failures", From: "2026-11-20T00:00:00Z", To: "2026-11-21T00:00:00Z", Actor: "support" }),
    ],
    [
      FUNCTIONS.queryPaymentAuditTrail.name,
      queryAuditTrail,
      (random) => ({ Query: "transaction", TransactionID: `pay-${random.below(400)}`, Actor: "auditor" }),
    ],
    [
      FUNCTIONS.queryTransactions.name,
      queryTransactions,
      (random) => ({ transactionId: `txn-${random.below(400)}`, Actor: "support" }),
    ],
    [
      FUNCTIONS.revealPaymentToken.name,
      revealToken,
      (random) => ({ TransactionID: `pay-${random.below(400)}`, Reason: "refund of the customer", Actor: "refunds" }),
    ],
    [
      FUNCTIONS.paymentProcessor.name,
      (input, call, services) =>
        runPaymentProcessor(input, call, services, { files: this.world.files, removeCardDataFiles: true }),
      (random) => ({ payment_data: { ...row(random), actor: "partner" } }),
    ],
  ];

  async send(random: Random): Promise<string> {
    const [name, operation, good] = random.pick(this.#functions);
    // What Lambda hands over has been through JSON.
    const input: unknown = JSON.parse(JSON.stringify(changed(good(random), random)));
    const answer = JSON.parse(
      JSON.stringify(await operation(input, this.world.call(name), this.world.services)),
    ) as object;
    mustFit(`${name}.response`, answer);
    this.world.mustHaveNoFault();
    return outcomeOf(answer);
  }
}

function outcomeOf(answer: object): string {
  const { outcome, statusCode, results, code } = answer as Record<string, unknown>;
  if (typeof outcome === "string") return outcome;
  if (typeof statusCode === "number") return `status ${statusCode}`;
  if (Array.isArray(results)) return "results";
  return typeof code === "string" ? "refused" : "answered";
}

abstract class Queue extends LedgerWay {
  #sequence = 0;

  protected message(body: string, queue: string, random: Random): object {
    this.#sequence += 1;
    return {
      messageId: `message-${this.#sequence}`,
      body,
      eventSource: "aws:sqs",
      eventSourceARN: `arn:aws:sqs:us-east-1:111122223333:${queue}`,
      attributes: {
        SenderId: `AROAEXAMPLE:${random.chance(0.05) ? fuzzCardNumber(random) : "partner"}`,
        SentTimestamp: "1795514400000",
        SequenceNumber: String(1_000_000 + this.#sequence),
        MessageGroupId: `pay-${random.below(400)}`,
      },
    };
  }
}

export class PaymentQueue extends Queue {
  readonly name = QUEUES.paymentMessages.name;

  async send(random: Random): Promise<string> {
    const good = { paymentId: `msg-${random.below(4_000)}`, amount: random.pick(["10.50", 7]), currency: "EUR" };
    const Records = [this.message(damagedText(changed(good, random), random), this.name, random)];
    const name = FUNCTIONS.processPaymentMessages.name;
    const answer = await processMessages({ Records }, this.world.call(name), this.world.services);
    mustFit(`${name}.response`, answer);
    this.world.mustHaveNoFault();
    if (answer.batchItemFailures.length > 0) throw new Unexpected("A message was neither recorded nor refused.");
    return "settled";
  }
}

export class EventQueue extends Queue {
  readonly name = QUEUES.auditEvents.name;

  async send(random: Random): Promise<string> {
    const Records = [this.message(damagedText(changed(event(random), random), random), this.name, random)];
    const messages = queueMessages({ Records });
    if (messages === undefined) throw new Unexpected("A message of SQS is not taken for one.");
    const call = this.world.call(FUNCTIONS.persistPaymentAuditTrail.name);
    const answer = await persistQueuedEvents(messages, call, this.world.services);
    this.world.mustHaveNoFault();
    if (answer.batchItemFailures.length > 0) throw new Unexpected("A message was neither recorded nor refused.");
    return "settled";
  }
}

/** Files of payments and facts in the three forms, plain or compressed, sound or damaged. */
export class PaymentFileWay extends LedgerWay {
  readonly name = "payment files";
  #files = 0;

  async send(random: Random): Promise<string> {
    this.#files += 1;
    const good = () => (random.chance(0.3) ? fact(random) : row(random));
    const rows = Array.from({ length: 1 + random.below(5) }, () => changed(good(), random));
    const isWithToken = rows.some(holdsMarkedToken);
    // A CSV file has no column for a token, and damage could take the name of one.
    const form = random.pick(isWithToken ? ["json", "ndjson"] : ["csv", "json", "ndjson"]);
    let body: Buffer = Buffer.from(form === "csv" ? csvOf(rows, random) : jsonOf(form, rows, random));
    const isCompressed = random.chance(0.25);
    if (isCompressed) body = gzipSync(body);
    if (!isWithToken && random.chance(0.3)) body = damaged(body, random);
    const key = `${FILE_PREFIXES.payments}fuzz/${this.#files}.${form}${isCompressed ? ".gz" : ""}`;
    const versionId = `version-${this.#files}`;
    this.world.aws.objects.set(key, { bytes: body, versionId });
    const object = { key: encodeURIComponent(key).replaceAll("%2F", "/"), versionId };
    const record = {
      eventSource: "aws:s3",
      eventName: "ObjectCreated:Put",
      userIdentity: { principalId: "AWS:AROAEXAMPLE:partner" },
      s3: { bucket: { name: BUCKET }, object },
    };
    const name = FUNCTIONS.paymentProcessor.name;
    const settings = { files: this.world.files, removeCardDataFiles: true };
    const answer = await runPaymentProcessor(
      { Records: [record] },
      this.world.call(name),
      this.world.services,
      settings,
    );
    mustFit(`${name}.response`, JSON.parse(JSON.stringify(answer)));
    const report = [...this.world.aws.objects.keys()].find(
      (each) =>
        each.startsWith(FILE_PREFIXES.reports) && each.includes(`/fuzz/${this.#files}.`) && each.includes("summary"),
    );
    if (report === undefined) throw new Unexpected("A file has no report.");
    const summary: unknown = JSON.parse(this.world.aws.objects.get(report)?.bytes.toString() ?? "");
    mustFit("payment-files.report", summary);
    const { rows: rowCount, badRows, removed } = summary as { rows: number; badRows: string[]; removed: boolean };
    if (body.length > 0 && rowCount === 0 && badRows.length === 0 && body.toString().trim() !== "") {
      throw new Unexpected(`A file with text has neither a row nor a bad row: ${body.toString("base64")}`);
    }
    return removed ? "removed" : rowCount === 0 ? "refused whole" : "read";
  }
}

function csvOf(rows: readonly unknown[], random: Random): string {
  const header = ["transactionId", "amount", "currency", "cardLast4"];
  const cells = (value: unknown) => header.map((name) => cellOf((value as FuzzObject | null)?.[name]));
  const end = random.pick(["\n", "\n", "\r\n", "\r", "\u2028", "\u0085"]);
  return [header, ...rows.map(cells)].map((line) => line.join(",")).join(end) + random.pick([end, "", "\ufeff"]);
}

function cellOf(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value ?? "");
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function jsonOf(form: string, rows: readonly unknown[], random: Random): string {
  const texts = rows.map((value) => damagedText(value as FuzzObject, random));
  return form === "json" ? `[${texts.join(",")}]${random.pick(["", "\n", `[${texts[0]}]`])}` : `${texts.join("\n")}\n`;
}
