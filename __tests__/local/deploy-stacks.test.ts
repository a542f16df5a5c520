/** What the real stacks say of queues, files and schedules is there on the embedded AWS, and is wired. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  GetFunctionRecursionConfigCommand,
  GetPolicyCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
} from "@aws-sdk/client-lambda";
import {
  GetBucketNotificationConfigurationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { ListSchedulesCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { ENV, FUNCTIONS, type FunctionId, TABLES, type TableId } from "../../contract";
import { type Deployment, deploy } from "../../local/deploy";
import { type EmbeddedAws, startEmbeddedAws } from "../../local/embedded-aws";
import { PLAN_ONLY } from "../../local/resources/plan-only";
import { synthesize } from "../../local/synthesize";

const SYNTH_TIMEOUT_MS = 90_000;
const REPORT_TIMEOUT_MS = 20_000;

const folder = mkdtempSync(path.join(tmpdir(), "deploy-stacks-test-"));
let aws: EmbeddedAws;
let deployment: Deployment;
let s3: S3Client;
let sqs: SQSClient;
let lambda: LambdaClient;

beforeAll(async () => {
  [aws] = await Promise.all([startEmbeddedAws(), synthesize(folder)]);
  deployment = await deploy({ aws, outputDirectory: folder });
  const config = deployment.clientConfig();
  s3 = new S3Client(config);
  sqs = new SQSClient(config);
  lambda = new LambdaClient(config);
}, SYNTH_TIMEOUT_MS);

afterAll(async () => {
  for (const client of [s3, sqs, lambda]) client?.destroy();
  await aws?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const filesBucket = () => `payment-files-dev-${deployment.account}`;
const arnOf = (id: FunctionId) =>
  `arn:aws:lambda:${deployment.region}:${deployment.account}:function:${deployment.functionName(id)}`;

describe("queues", () => {
  test.each([
    ["payment-audit-trail-dev.fifo", "payment-audit-trail-dlq-dev.fifo"],
    ["audit-trail-queue-dev", "audit-trail-queue-dlq-dev"],
  ])("%s gives up after ten receives, to %s", async (queue, deadLetters) => {
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: deployment.queueUrl(queue), AttributeNames: ["All"] }),
    );
    const deadLetterTargetArn = `arn:aws:sqs:${deployment.region}:${deployment.account}:${deadLetters}`;
    expect(JSON.parse(Attributes?.["RedrivePolicy"] ?? "")).toEqual({ deadLetterTargetArn, maxReceiveCount: 10 });
    expect(Attributes?.["KmsMasterKeyId"]).toBe(deployment.keyArn("alias/payment-processing-dev"));
    if (!queue.endsWith(".fifo")) return;
    expect(Attributes).toMatchObject({
      FifoQueue: "true",
      DeduplicationScope: "messageGroup",
      FifoThroughputLimit: "perMessageGroupId",
    });
  });

  test("each has its function, which names the messages to deliver again", async () => {
    const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({}));
    const mappings = EventSourceMappings.map(({ EventSourceArn = "", ...mapping }) => ({
      queue: EventSourceArn.slice(EventSourceArn.lastIndexOf(":") + 1),
      ...mapping,
    }));
    const FunctionResponseTypes = ["ReportBatchItemFailures"];
    expect(mappings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          queue: "payment-audit-trail-dev.fifo",
          FunctionArn: arnOf("persistPaymentAuditTrail"),
          FunctionResponseTypes,
        }),
        expect.objectContaining({
          queue: "audit-trail-queue-dev",
          FunctionArn: arnOf("processPaymentMessages"),
          FunctionResponseTypes,
        }),
      ]),
    );
    const sealed = mappings.filter(({ FunctionArn }) => FunctionArn === arnOf("sealAuditTrail"));
    expect(mappings).toHaveLength(2 + sealed.length);
  });
});

describe("the log of proofs", () => {
  test("every table of payments and the audit trail have their streams sealed, from the oldest change on", async () => {
    const FunctionName = deployment.functionName("sealAuditTrail");
    const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({ FunctionName }));
    const streams = EventSourceMappings.map(({ EventSourceArn = "", StartingPosition, MaximumRetryAttempts }) => [
      /:table\/([^/]+)\/stream\//.exec(EventSourceArn)?.[1],
      StartingPosition,
      MaximumRetryAttempts,
    ]);
    const tables = (Object.keys(TABLES) as TableId[]).map((id) => deployment.tableName(id));
    expect(streams.sort()).toEqual(tables.map((table) => [table, "TRIM_HORIZON", -1]).sort());
  });

  test("its functions find its table, its bucket and its keys where the plan made them", async () => {
    const bucket = `payment-evidence-dev-${deployment.account}`;
    for (const id of ["sealAuditTrail", "sweepAuditTrail"] as const) {
      expect(deployment.functionEnvironment(id)).toMatchObject({
        [ENV.logStateTable]: "payment-log-state-dev",
        [ENV.evidenceBucket]: bucket,
        [ENV.logOrigin]: `payment-ledger/${deployment.region}/${deployment.account}/dev`,
        [ENV.checkpointKeyArns]: deployment.keyArn("alias/payment-checkpoint-1-dev"),
      });
    }
    const { ObjectLockConfiguration } = await s3.send(new GetObjectLockConfigurationCommand({ Bucket: bucket }));
    expect(ObjectLockConfiguration?.Rule?.DefaultRetention).toEqual({ Mode: "GOVERNANCE", Days: 1 });
    const dynamo = new DynamoDBClient(deployment.clientConfig());
    const { Table } = await dynamo.send(new DescribeTableCommand({ TableName: "payment-log-state-dev" }));
    expect(Table?.KeySchema?.map(({ AttributeName }) => AttributeName)).toEqual(["LogID", "Item"]);
    dynamo.destroy();
  });

  test("a heartbeat publishes a checkpoint under the log's name, signed by the deployed key", async () => {
    expect(await deployment.invoke("sealAuditTrail", { kind: "heartbeat" })).toMatchObject({ outcome: "published" });
    const Bucket = `payment-evidence-dev-${deployment.account}`;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "log/checkpoint" }));
    const [origin, size, , , signature] = ((await Body?.transformToString()) ?? "").split("\n");
    expect(origin).toBe(deployment.functionEnvironment("sealAuditTrail")[ENV.logOrigin]);
    expect(Number(size)).toBeGreaterThan(0);
    expect(signature).toMatch(`— ${origin} `);
  });
});

describe("payment files", () => {
  test("the bucket keeps versions and tells the processor of payments and continuations only", async () => {
    const Bucket = filesBucket();
    expect(await s3.send(new GetBucketVersioningCommand({ Bucket }))).toMatchObject({ Status: "Enabled" });
    const { LambdaFunctionConfigurations = [] } = await s3.send(
      new GetBucketNotificationConfigurationCommand({ Bucket }),
    );
    const wired = LambdaFunctionConfigurations.map(({ LambdaFunctionArn, Filter }) => [
      LambdaFunctionArn,
      ...(Filter?.Key?.FilterRules ?? []).map(({ Name, Value }) => `${Name}=${Value}`),
    ]);
    const processor = arnOf("paymentProcessor");
    expect(wired).toEqual([
      [processor, "prefix=payments/"],
      [processor, "prefix=continue/"],
    ]);
  });

  test("S3 may invoke the processor for this bucket alone, and Lambda lets it continue its own files", async () => {
    const FunctionName = deployment.functionName("paymentProcessor");
    const { Policy = "" } = await lambda.send(new GetPolicyCommand({ FunctionName }));
    expect(Policy).toContain("s3.amazonaws.com");
    expect(Policy).toContain(`arn:aws:s3:::${filesBucket()}`);
    expect(await lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName }))).toMatchObject({
      RecursiveLoop: "Allow",
    });
  });

  test("a file under payments/ is processed, one under another prefix is not", async () => {
    const Bucket = filesBucket();
    const Body = JSON.stringify({ transactionId: "wired-1", amount: "1.00", currency: "EUR", cardLast4: "4242" });
    await s3.send(new PutObjectCommand({ Bucket, Key: "elsewhere/one.json", Body }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "payments/été + 1.json", Body }));
    const deadline = Date.now() + REPORT_TIMEOUT_MS;
    let reports: (string | undefined)[] = [];
    while (reports.length === 0 && Date.now() < deadline) {
      await delay(100);
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "reports/" }));
      reports = Contents.map(({ Key }) => Key);
    }
    expect(reports).toEqual([expect.stringMatching(/^reports\/payments\/été \+ 1\.json\/.+\/summary\.json$/)]);
  }, 30_000);
});

test("payment-transactions has its sort key", async () => {
  const dynamo = new DynamoDBClient(deployment.clientConfig());
  const TableName = deployment.tableName("paymentTransactions");
  const { Table } = await dynamo.send(new DescribeTableCommand({ TableName }));
  expect(Table).toMatchObject({
    TableName: "payment-transactions-dev",
    KeySchema: [
      { AttributeName: "transactionId", KeyType: "HASH" },
      { AttributeName: "timestamp", KeyType: "RANGE" },
    ],
  });
  dynamo.destroy();
});

test("schedules by the calendar are switched off, so none fires during a run; the log's heartbeat is on", async () => {
  const scheduler = new SchedulerClient(deployment.clientConfig());
  const { Schedules = [] } = await scheduler.send(new ListSchedulesCommand({}));
  expect(Schedules.map(({ Name, State }) => [Name, State]).sort()).toEqual([
    ["payment-backup-check-dev", "DISABLED"],
    ["payment-export-full-dev", "DISABLED"],
    ["payment-export-incremental-dev", "DISABLED"],
    ["payment-log-heartbeat-dev", "ENABLED"],
    ["payment-log-sweep-dev", "DISABLED"],
    ["payment-restore-drill-dev", "DISABLED"],
  ]);
  scheduler.destroy();
});

test("no function can reach another AWS, over any service", () => {
  for (const id of Object.keys(FUNCTIONS) as FunctionId[]) {
    const environment = deployment.functionEnvironment(id);
    const endpoints = Object.entries(environment).filter(([name]) => name.startsWith("AWS_ENDPOINT_URL"));
    expect(Object.fromEntries(endpoints)).toMatchObject({ AWS_ENDPOINT_URL: aws.endpoint });
    expect([...new Set(endpoints.map(([, url]) => url))]).toEqual([aws.endpoint]);
  }
});

test("what is not created here is listed", () => {
  const types = deployment.resources.filter(({ block }) => block.mode === "resource").map(({ block }) => block.type);
  const planOnly = [...new Set(types)].filter((type) => type in PLAN_ONLY).sort();
  expect(planOnly).toEqual([
    "aws_backup_plan",
    "aws_backup_selection",
    "aws_backup_vault",
    "aws_cloudtrail",
    "aws_cloudwatch_dashboard",
    "aws_cloudwatch_metric_alarm",
    "aws_default_security_group",
    "aws_flow_log",
    "aws_route_table",
    "aws_route_table_association",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_security_group",
    "aws_subnet",
    "aws_vpc",
    "aws_vpc_endpoint",
    "aws_vpc_security_group_egress_rule",
    "aws_vpc_security_group_ingress_rule",
  ]);
});
