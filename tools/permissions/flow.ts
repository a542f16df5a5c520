/**
 * Drives every function and every command that talks to AWS once, each as somebody whose policy allows it, so that the gate in
 * front of the embedded AWS sees every kind of call that this project makes.
 */

import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { PAYLEDGER } from "../../cli/payledger";
import { FILE_PREFIXES, TABLES } from "../../contract";
import { runCommand } from "../../evidence/commands/program";
import { asPerson } from "../../local/as-person";
import type { Deployment } from "../../local/deploy";
import { writeRequestedExports } from "../../local/export-stand-in";
import { readArrivalSamples, startArrivals } from "../../local/main-job/arrivals";
import { LedgerCalls } from "../../local/main-job/calls";
import { readExpected, readInput } from "../../local/main-job/input";
import { Invariants } from "../../local/main-job/invariants";
import { type JobEnvironment, jobEnvironmentOf } from "../../local/main-job/job-environment";
import { ACTORS, changeStatus, readBack, readTransactions, sendPortalEvents } from "../../local/main-job/ledger-usage";
import { jobOptions } from "../../local/main-job/options";
import { awaitReports, dropFiles } from "../../local/main-job/partner-files";
import { pickSamplePayment, type SamplePayment, storedPayments } from "../../local/main-job/payments";
import { Progress } from "../../local/main-job/progress";
import { sendMessages, untilSettled } from "../../local/main-job/queues";
import { Reader } from "../../local/main-job/reader";
import { sendLines } from "../../local/main-job/send-lines";
import { namesOf } from "../../stacks/config/names";

const LINES = 220;
const SUFFIX = "dev";
const DRILL_STEPS_MAX = 60;
const DAY_MS = 24 * 60 * 60 * 1000;

/** @param folder for what the commands write. */
export async function driveEverything(
  deployment: Deployment,
  folder: string,
  say: (step: string) => void,
): Promise<void> {
  const environment = jobEnvironmentOf(deployment);
  const calls = new LedgerCalls(deployment);
  try {
    say("payments by files, messages and calls; status, reads, events");
    await drivePayments(environment, calls);
    say("exports, their check, checkpoints, the sweep and a restore drill");
    await driveJobs(environment, calls);
    say("the commands: evidence, backup, drill, redrive");
    await driveCommands(environment, folder);
  } finally {
    environment.destroy();
  }
}

/** What holds of all this is checked by the main job; here it only has to happen. */
async function drivePayments(environment: JobEnvironment, calls: LedgerCalls): Promise<void> {
  const options = jobOptions();
  const lines = readInput(options.input).slice(0, LINES);
  const expected = readExpected(options.expected);
  const [reader, unread, startedAt] = [new Reader(calls), new Invariants(), new Date()];
  const finishArrivals = await startArrivals(environment, calls, readArrivalSamples());
  const { endings } = await sendLines(lines, calls, new Progress({ write: () => true } as never, false));
  await finishArrivals();
  const payments = storedPayments(lines, endings, expected);
  const samplePayment = await changeStatus(calls, pickSamplePayment(payments, lines, expected), unread);
  await readBack(reader, samplePayment, payments, unread);
  await readTransactions(reader, unread);
  await sendPortalEvents(calls, samplePayment, new Date());
  await driveLife(environment, calls, startedAt);
  await readTrail(reader, samplePayment, startedAt);
  await readRows(calls, startedAt);
}

/** A payment's life: facts by queue and by file, a hold and its settlement, and each way to read them. */
async function driveLife(environment: JobEnvironment, calls: LedgerCalls, since: Date): Promise<void> {
  const [TransactionID, Currency] = ["permissions-life", "EUR"];
  const payment = { TransactionID, Amount: "10.00", Currency, ProcessorID: "acme-pay", Status: "Success" };
  await calls.persistPayments({ ...payment, SecureToken: "tok_of_a_payment_that_lives", Actor: ACTORS.support });
  const fee = {
    TransactionID: "permissions-fee",
    EventID: "permissions-fee",
    Kind: "FEE",
    Mode: "fact",
    Amount: "0.10",
    Currency,
  };
  const MessageBody = JSON.stringify({ ...fee, Actor: ACTORS.refunds });
  // It begins a life, and the second one is read as a repeat.
  await sendMessages(environment, "paymentMessages", [{ MessageBody }, { MessageBody }]);
  await untilSettled(environment, "paymentMessages");
  const inFile = { ...fee, Actor: ACTORS.refunds, TransactionID: "permissions-file", EventID: "permissions-file" };
  const bytes = Buffer.from(`${JSON.stringify(inFile)}\n${JSON.stringify(inFile)}\n`);
  const file = { name: "facts", key: `${FILE_PREFIXES.payments}permissions-facts.ndjson`, bytes };
  await awaitReports(environment, await dropFiles(environment, [file], calls));
  const hold = { TransactionID, EventID: "permissions-hold", Kind: "REFUND_HELD", Mode: "grant", Currency };
  const small = { Amount: "1.00", Actor: ACTORS.refunds };
  await calls.recordEvents({ ...hold, ...small });
  const failed = { EventID: "permissions-failed", Kind: "REFUND_FAILED", Mode: "fact", Of: hold.EventID };
  await calls.recordEvents([
    { ...hold, ...small },
    { ...hold, ...small, ...failed },
  ]);
  const range = { From: since.toISOString(), To: new Date().toISOString(), Actor: ACTORS.refunds };
  await calls.queryLedger({ Query: "life", TransactionID, Actor: ACTORS.refunds });
  await calls.queryLedger({ Query: "open-holds", ...range });
  await calls.queryLedger({ Query: "open-breaches", ...range });
}

async function readTrail(reader: Reader, samplePayment: SamplePayment, since: Date): Promise<void> {
  const range = {
    From: new Date(since.getTime() - DAY_MS / 24).toISOString(),
    To: new Date().toISOString(),
    Limit: 20,
  };
  await reader.trail(ACTORS.auditor, { Query: "transaction", TransactionID: samplePayment.TransactionID });
  await reader.trail(ACTORS.auditor, { Query: "actor", OfActor: ACTORS.refunds, ...range });
  await reader.trail(ACTORS.auditor, { Query: "time", ...range });
}

/** The rows of files and messages, by id and by time. */
async function readRows(calls: LedgerCalls, since: Date): Promise<void> {
  const asking = { Reason: "to see every kind of call", Actor: ACTORS.support };
  const range = { From: since.toISOString(), To: new Date().toISOString(), Limit: 20 };
  await calls.queryTransactions({ Query: "payment", paymentId: "no-such-payment", ...asking });
  for (const Table of [TABLES.paymentTransactions.logicalName, TABLES.paymentMessages.logicalName]) {
    await calls.queryTransactions({ Query: "time", Table, ...range, ...asking });
  }
}

async function driveJobs(environment: JobEnvironment, calls: LedgerCalls): Promise<void> {
  const { deployment, pastPermissions } = environment;
  await calls.exportTables({ kind: "full" });
  await writeRequestedExports(pastPermissions);
  await calls.exportTables({ kind: "incremental" });
  await calls.checkBackup();
  await calls.publishCheckpoint();
  await deployment.invoke("sweepAuditTrail", { kind: "sweep" }, "operator");
  await deployment.invoke("attestCallers", { kind: "attest" }, "operator");
  await deployment.invoke("drillRestore", { kind: "start" }, "operator");
  for (let step = 0; step < DRILL_STEPS_MAX; step++) {
    const stands = (await deployment.invoke("drillRestore", { kind: "step" }, "operator")) as { outcome: string };
    if (stands.outcome === "idle") return;
    await delay(200);
  }
  throw new Error(`The restore drill was not over after ${DRILL_STEPS_MAX} steps.`);
}

async function driveCommands(environment: JobEnvironment, folder: string): Promise<void> {
  const { deployment, evidenceBucket } = environment;
  const evidence = path.join(folder, "evidence");
  await asPerson("auditor", deployment, async () => {
    await payledger("fetch", "--bucket", evidenceBucket, "--to", evidence);
    await payledger("scan", "--to", path.join(folder, "tables"));
  });
  const keys = await payledger("keys", "--evidence", evidence, "--json");
  const key = /[^\s"]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+/.exec(keys)?.[0] ?? "";
  await fillFailureQueues(deployment);
  await asPerson("operator", deployment, async () => {
    await driveBackups(environment);
    await payledger("drill", "--here", "--key", key, "--poll-seconds", "0.2");
    await payledger("drill", "--poll-seconds", "0.2");
    const { deadLetterQueues, failureQueue } = namesOf({ suffix: SUFFIX });
    for (const queue of [deadLetterQueues.paymentMessages, failureQueue]) await redrive(queue);
  });
}

/** @returns what the command printed. */
async function payledger(...words: string[]): Promise<string> {
  const said: string[] = [];
  await runCommand(words, PAYLEDGER.commands, { print: (text) => said.push(text), tell: () => {} });
  return said.join("\n");
}

async function driveBackups({ deployment, exportBucket }: JobEnvironment): Promise<void> {
  const table = deployment.tableName("paymentMessages");
  const run = (...words: string[]) => payledger("backup", ...words);
  await run("check", `s3://${exportBucket}/exports/`, "--table", table);
  await run("now", "--table", table);
  const listed = await run("list", "--table", table);
  const backup = /arn:aws:dynamodb:\S+\/backup\/\S+/.exec(listed)?.[0] ?? "";
  await run("restore", "--table", table, "--into", "scratch-time");
  await run("restore", "--table", table, "--into", "scratch-backup", "--backup", backup);
  await run("restore", "--table", table, "--into", "scratch-export", "--export", `s3://${exportBucket}/exports/`);
  for (const scratch of ["scratch-time", "scratch-backup", "scratch-export"]) await run("remove-scratch", scratch);
}

/** SQS and Lambda put failed messages and calls there; no policy applies to them. */
async function fillFailureQueues(deployment: Deployment): Promise<void> {
  const sqs = new SQSClient(deployment.pastPermissions());
  const { deadLetterQueues, failureQueue } = namesOf({ suffix: SUFFIX });
  const message = { paymentId: randomUUID(), amount: "1.00", currency: "EUR" };
  const failed = {
    version: "1.0",
    requestContext: {
      requestId: randomUUID(),
      functionArn: `arn:aws:lambda:${deployment.region}:${deployment.account}:function:${deployment.functionName("persistPaymentAuditTrail")}:$LATEST`,
      condition: "RetriesExhausted",
    },
    requestPayload: { TransactionID: randomUUID(), Actor: ACTORS.orders, Action: "READ" },
  };
  const send = (queue: string, body: object) =>
    sqs.send(new SendMessageCommand({ QueueUrl: deployment.queueUrl(queue), MessageBody: JSON.stringify(body) }));
  await send(deadLetterQueues.paymentMessages, message);
  await send(failureQueue, failed);
  sqs.destroy();
}

async function redrive(queue: string): Promise<void> {
  const tsx = path.join(path.dirname(require.resolve("tsx/package.json")), "dist", "cli.mjs");
  for (const words of [["--dry-run"], []]) {
    await promisify(execFile)(process.execPath, [
      tsx,
      path.join(__dirname, "..", "..", "cli", "redrive.ts"),
      queue,
      ...words,
    ]);
  }
}
