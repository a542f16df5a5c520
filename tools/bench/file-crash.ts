/**
 * A payment file whose processor is killed at a random AWS call and whose event is then delivered again, round after
 * round on the embedded AWS: every row must be stored and audited exactly once, and the facts of each payment in the file's order.
 * `npm run soak:file-crash [-- rows rounds]`.
 */

import "../../local/sdk-warning";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import { PutBucketNotificationConfigurationCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { TABLES, type TableId } from "../../contract";
import { groupedBy } from "../../ledger/rules/grouped";
import { type Deployment, deploy } from "../../local/deploy";
import { type EmbeddedAws, startEmbeddedAws } from "../../local/embedded-aws";
import { FAULTS, type FaultProxy, startFaultProxy } from "../../local/fault-proxy";
import { type BundleResult, startBundle } from "../../local/run-bundle";
import { synthesize } from "../../local/synthesize";

const ROWS = Number(process.argv[2] ?? 20_000);
const ROUNDS = Number(process.argv[3] ?? 20);
const ROWS_PER_CALL = 50;
/** Of so many rows one is a fact, so that the facts of each of these payments are spread over the file. */
const ROWS_PER_FACT = 25;
const PAYMENTS_WITH_FACTS = 20;
const FACTS = Math.floor(ROWS / ROWS_PER_FACT);

interface Setup {
  readonly aws: EmbeddedAws;
  readonly proxy: FaultProxy;
  readonly deployment: Deployment;
}

async function round(number: number, outputDirectory: string): Promise<string> {
  const aws = await startEmbeddedAws();
  try {
    const deployment = await deploy({ aws, outputDirectory });
    const proxy = await startFaultProxy(deployment.functionEnvironment("paymentProcessor")["AWS_ENDPOINT_URL"] ?? "");
    try {
      return await crashAndRetry(number, { aws, proxy, deployment });
    } finally {
      await proxy.stop();
    }
  } finally {
    await aws.stop();
  }
}

async function crashAndRetry(number: number, setup: Setup): Promise<string> {
  const event = await upload(number, setup);
  // Each fact makes several calls, so a run makes more calls than this.
  const at = randomInt(5, Math.floor(ROWS / ROWS_PER_CALL) + FACTS);
  const crashed = await run(event, setup, at);
  if (crashed.outcome !== "killed")
    throw new Error(`Round ${number}: the processor was not killed but ${crashed.outcome}.`);
  const afterCrash = await count("paymentTransactions", setup);
  const retried = await run(event, setup);
  if (retried.outcome !== "answered")
    throw new Error(`Round ${number}: the retry ended as ${JSON.stringify(retried)}.`);
  const rows = await count("paymentTransactions", setup);
  const writes = await count("paymentAuditTrail", setup);
  const payments = ROWS - FACTS;
  if (rows !== payments || writes !== ROWS)
    throw new Error(`Round ${number}: ${rows} payments of ${payments} and ${writes} WRITE records of ${ROWS}.`);
  await checkFacts(number, setup);
  return `killed at call ${at} with ${afterCrash.toLocaleString("en")} rows stored; after the retry ${rows.toLocaleString("en")} rows, ${FACTS.toLocaleString("en")} facts in order, ${writes.toLocaleString("en")} WRITE records`;
}

async function upload(number: number, { deployment }: Setup): Promise<object> {
  const rows = Array.from({ length: ROWS }, (_, row) => JSON.stringify(rowOf(number, row)));
  const s3 = new S3Client({ ...deployment.clientConfig(), forcePathStyle: true });
  const bucket = bucketOf(deployment);
  // The bench delivers the event itself, so that it can kill the processor; the bucket must not deliver it too.
  await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket: bucket, NotificationConfiguration: {} }));
  const key = `payments/crash-${number}.ndjson`;
  const { VersionId } = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: rows.join("\n") }));
  s3.destroy();
  const object = VersionId === undefined ? { key } : { key, versionId: VersionId };
  return {
    Records: [{ eventSource: "aws:s3", eventName: "ObjectCreated:Put", s3: { bucket: { name: bucket }, object } }],
  };
}

function rowOf(number: number, row: number): object {
  if (row % ROWS_PER_FACT !== ROWS_PER_FACT - 1)
    return { transactionId: `crash-${number}-${row}`, amount: "10.00", currency: "USD", cardLast4: "4242" };
  const fact = Math.floor(row / ROWS_PER_FACT);
  return {
    TransactionID: paymentOf(number, fact),
    EventID: eventOf(number, fact),
    Kind: "FEE",
    Mode: "fact",
    Amount: "0.10",
    Currency: "USD",
    Actor: "processor-feed",
  };
}

const paymentOf = (number: number, fact: number) => `crash-${number}-of-${fact % PAYMENTS_WITH_FACTS}`;
const eventOf = (number: number, fact: number) => `crash-${number}-fact-${fact}`;

/** @throws Error unless each payment has its facts once, in the order of the file. */
async function checkFacts(number: number, { deployment }: Setup): Promise<void> {
  const dynamo = new DynamoDBClient(deployment.clientConfig());
  const found: { payment: string; place: number; event: string }[] = [];
  const input = { TableName: deployment.tableName("paymentEvents"), ConsistentRead: true };
  for await (const page of paginateScan({ client: dynamo }, input))
    for (const { TransactionID, Place, EventID } of page.Items ?? [])
      found.push({ payment: TransactionID?.S ?? "", place: Number(Place?.N), event: EventID?.S ?? "" });
  dynamo.destroy();
  const lives = groupedBy(found, ({ payment }) => payment);
  const facts = Array.from({ length: FACTS }, (_, fact) => fact);
  const expected = groupedBy(facts, (fact) => paymentOf(number, fact));
  for (const [payment, ofPayment] of expected) {
    const life = (lives.get(payment) ?? []).sort((a, b) => a.place - b.place).map(({ event }) => event);
    if (life.join() !== ofPayment.map((fact) => eventOf(number, fact)).join())
      throw new Error(`Round ${number}: the facts of ${payment} are ${life.join(", ")}.`);
  }
  if (lives.size !== expected.size) throw new Error(`Round ${number}: facts of ${lives.size} payments.`);
}

function bucketOf(deployment: Deployment): string {
  const bucket = deployment.functionEnvironment("paymentProcessor")["S3_BUCKET"];
  if (bucket === undefined) throw new Error("The processor has no bucket.");
  return bucket;
}

/** @param killAtCall the AWS call during which the process is killed. */
async function run(event: object, { aws, proxy, deployment }: Setup, killAtCall?: number): Promise<BundleResult> {
  if (aws.credentials === undefined) throw new Error("The crash rounds run on the embedded AWS only.");
  proxy.reset();
  const running = startBundle({
    bundle: deployment.functionCode("paymentProcessor"),
    event,
    functionName: deployment.functionName("paymentProcessor"),
    environment: {
      ...deployment.functionEnvironment("paymentProcessor"),
      AWS_ENDPOINT_URL_DYNAMODB: proxy.url,
      AWS_ENDPOINT_URL_KMS: proxy.url,
    },
    credentials: aws.credentials,
    region: deployment.region,
    timeoutMs: 15 * 60 * 1000,
  });
  if (killAtCall !== undefined) {
    const moment = killAtCall % 2 === 0 ? FAULTS.before(() => running.kill()) : FAULTS.after(() => running.kill());
    proxy.inject({ target: "*", calls: { from: killAtCall }, fault: moment });
  }
  return running.result;
}

async function count(table: TableId, { deployment }: Setup): Promise<number> {
  const dynamo = new DynamoDBClient(deployment.clientConfig());
  const filter =
    table === "paymentAuditTrail"
      ? {
          FilterExpression: "#action = :write",
          ExpressionAttributeNames: { "#action": "Action" },
          ExpressionAttributeValues: { ":write": { S: "WRITE" } },
        }
      : {};
  let items = 0;
  const input = { TableName: deployment.tableName(table), Select: "COUNT" as const, ConsistentRead: true, ...filter };
  for await (const page of paginateScan({ client: dynamo }, input)) items += page.Count ?? 0;
  dynamo.destroy();
  return items;
}

async function main(): Promise<void> {
  const outputDirectory = mkdtempSync(join(tmpdir(), "payment-ledger-file-crash-"));
  const startedAt = Date.now();
  try {
    await synthesize(outputDirectory);
    for (let number = 1; number <= ROUNDS; number++) {
      console.log(`round ${number} of ${ROUNDS}: ${await round(number, outputDirectory)}`);
    }
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
    console.log(
      `${ROUNDS} crashes of a file of ${ROWS.toLocaleString("en")} rows: no count of ${TABLES.paymentTransactions.logicalName} or of WRITE records changed, and no order of facts (${seconds} s)`,
    );
  } finally {
    rmSync(outputDirectory, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
