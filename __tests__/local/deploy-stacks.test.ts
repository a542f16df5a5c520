/** What the real stacks say of queues, files and schedules is there on the embedded AWS, and is wired. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  DeleteResourcePolicyCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ExecuteStatementCommand,
  GetResourcePolicyCommand,
  PutItemCommand,
  PutResourcePolicyCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import {
  GetFunctionRecursionConfigCommand,
  GetPolicyCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
} from "@aws-sdk/client-lambda";
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { ListSchedulesCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { ENV, FUNCTIONS, type FunctionId, TABLES, type TableId } from "../../contract";
import { type Deployment, deploy } from "../../local/deploy";
import type { EmbeddedAws } from "../../local/embedded-aws";
import type { Authorisation } from "../../local/iam/authorisation";
import { EffectivePolicies } from "../../local/iam/effective";
import type { PersonId } from "../../local/iam/identities";
import { PLAN_ONLY } from "../../local/resources/plan-only";
import { synthesize } from "../../local/synthesize";
import { removeSingly } from "../../tools/permissions/control";
import { sharedEmbeddedAws } from "../support/shared-aws";

const SYNTH_TIMEOUT_MS = 240_000;
const REPORT_TIMEOUT_MS = 20_000;

const folder = mkdtempSync(path.join(tmpdir(), "deploy-stacks-test-"));
/** What the functions and the tests below asked and were allowed. */
const asked = new Map<string, Authorisation>();
let aws: EmbeddedAws;
let deployment: Deployment;
let s3: S3Client;
let sqs: SQSClient;
let lambda: LambdaClient;

beforeAll(async () => {
  [aws] = await Promise.all([sharedEmbeddedAws(), synthesize(folder)]);
  deployment = await deploy({ aws, outputDirectory: folder });
  if (deployment.gate !== undefined) deployment.gate.onAllowed = (each) => asked.set(JSON.stringify(each), each);
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
    for (const id of ["publishCheckpoint", "sweepAuditTrail"] as const) {
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

  test("the auditor's kit is locked for as long as the bucket locks by default", async () => {
    const Bucket = `payment-evidence-dev-${deployment.account}`;
    const Key = "kit/payment-ledger-auditor-kit.zip";
    const { ObjectLockMode, ObjectLockRetainUntilDate, LastModified } = await s3.send(
      new HeadObjectCommand({ Bucket, Key }),
    );
    expect(ObjectLockMode).toBe("GOVERNANCE");
    const lockedMs = Number(ObjectLockRetainUntilDate) - Number(LastModified);
    expect(Math.abs(lockedMs - 24 * 60 * 60 * 1000)).toBeLessThan(60_000);
  });

  test("a heartbeat publishes a checkpoint under the log's name, signed by the deployed key", async () => {
    expect(await deployment.invoke("publishCheckpoint", { kind: "heartbeat" })).toMatchObject({ outcome: "published" });
    const Bucket = `payment-evidence-dev-${deployment.account}`;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "log/checkpoint" }));
    const [origin, size, , , signature] = ((await Body?.transformToString()) ?? "").split("\n");
    expect(origin).toBe(deployment.functionEnvironment("publishCheckpoint")[ENV.logOrigin]);
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

describe("permissions", () => {
  const evidence = () => `payment-evidence-dev-${deployment.account}`;
  const as = (person: PersonId) => {
    const config = deployment.clientConfig(person);
    return { dynamo: new DynamoDBClient(config), s3: new S3Client(config), sqs: new SQSClient(config) };
  };
  const DENIED_BY_RESOURCE = "with an explicit deny in a resource-based policy";
  const update = () =>
    new UpdateItemCommand({
      TableName: deployment.tableName("paymentLedger"),
      Key: { TransactionID: { S: "anything" } },
      UpdateExpression: "SET Amount = :amount",
      ExpressionAttributeValues: { ":amount": { S: "0.01" } },
    });

  test("an administrator cannot change, add or remove a record: the tables' policies refuse it, in AWS's form", async () => {
    const { dynamo } = as("administrator");
    const TableName = deployment.tableName("paymentAuditTrail");
    const Item = { AuditID: { S: "forged" } };
    for (const command of [
      update(),
      new PutItemCommand({ TableName, Item }),
      new DeleteItemCommand({ TableName, Key: Item }),
      new BatchWriteItemCommand({ RequestItems: { [TableName]: [{ PutRequest: { Item } }] } }),
      new ExecuteStatementCommand({ Statement: `INSERT INTO "${TableName}" VALUE {'AuditID': 'forged'}` }),
      new TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName, Item } }] }),
    ]) {
      await expect(dynamo.send(command as PutItemCommand)).rejects.toMatchObject({
        name: "AccessDeniedException",
        $metadata: { httpStatusCode: 400 },
        message: expect.stringContaining(DENIED_BY_RESOURCE),
      });
    }
    dynamo.destroy();
  });

  test("an administrator who takes a table's policy off can, as on AWS; with the policy back, no more", async () => {
    const { dynamo } = as("administrator");
    const TableName = deployment.tableName("paymentLedger");
    const { Table } = await dynamo.send(new DescribeTableCommand({ TableName }));
    const ResourceArn = Table?.TableArn;
    const { Policy } = await dynamo.send(new GetResourcePolicyCommand({ ResourceArn }));
    await dynamo.send(new DeleteResourcePolicyCommand({ ResourceArn }));
    await dynamo.send(update());
    await dynamo.send(new PutResourcePolicyCommand({ ResourceArn, Policy }));
    await expect(dynamo.send(update())).rejects.toThrow(DENIED_BY_RESOURCE);
    dynamo.destroy();
  });

  test("an administrator cannot put or delete evidence: S3 says so in its own form", async () => {
    const { s3: objects } = as("administrator");
    const object = { Bucket: evidence(), Key: "log/checkpoint" };
    for (const sending of [
      objects.send(new PutObjectCommand({ ...object, Body: "another tree" })),
      objects.send(new DeleteObjectCommand(object)),
      objects.send(new DeleteObjectsCommand({ Bucket: evidence(), Delete: { Objects: [{ Key: object.Key }] } })),
    ]) {
      await expect(sending).rejects.toMatchObject({
        name: "AccessDenied",
        $metadata: { httpStatusCode: 403 },
        message: expect.stringContaining(DENIED_BY_RESOURCE),
      });
    }
    objects.destroy();
  });

  test("an auditor reads evidence and tables and changes nothing; what is absent is absent to who may list", async () => {
    const { dynamo, s3: objects } = as("auditor");
    const absent = (Bucket: string) => objects.send(new GetObjectCommand({ Bucket, Key: "log/absent" }));
    await expect(absent(evidence())).rejects.toMatchObject({ name: "NoSuchKey" });
    await dynamo.send(new ScanCommand({ TableName: deployment.tableName("paymentAuditTrail") }));
    await expect(dynamo.send(update())).rejects.toMatchObject({ name: "AccessDeniedException" });
    await expect(absent(filesBucket())).rejects.toMatchObject({ name: "AccessDenied" });
    await expect(deployment.invoke("revealPaymentToken", {}, "auditor")).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: expect.stringContaining("because no identity-based policy allows the lambda:InvokeFunction action"),
    });
    for (const client of [dynamo, objects]) client.destroy();
  });

  test("a payment service sends messages, and nobody but the function receives them", async () => {
    const { sqs: queues } = as("payment-service");
    const QueueUrl = deployment.queueUrl("audit-trail-queue-dev");
    await queues.send(
      new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify({ paymentId: "sent-by-service" }) }),
    );
    await expect(sqs.send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toThrow(DENIED_BY_RESOURCE);
    queues.destroy();
  });

  test("the functions are refused nothing", () => {
    const denied = deployment.gate?.counts.denied ?? [];
    expect(denied.filter(({ authorisation }) => authorisation.caller.kind !== "user")).toEqual([]);
    expect(deployment.gate?.counts.calls).toBeGreaterThan(20);
  });

  test("each permission that a function used, taken away singly, is missed", () => {
    const policies = deployment.gate?.policies;
    if (policies === undefined) throw new Error("The embedded AWS has a gate.");
    const { removals, undetected } = removeSingly(policies, [...asked.values()]);
    expect(removals).toBeGreaterThan(40);
    expect(undetected).toEqual([]);
  });

  test("without one permission of its role, a function is refused by name, and the platform's needs stop the deployment", () => {
    const gate = deployment.gate;
    if (gate === undefined) throw new Error("The embedded AWS has a gate.");
    const without = (type: string, name: string, action: string) =>
      deployment.resources.map((resource) => {
        const { block, attributes } = resource;
        if (block.type !== type || block.name !== name) return resource;
        const policy = String(attributes["policy"]).replaceAll(`"${action}"`, '"none:None"');
        return { ...resource, attributes: { ...attributes, policy } };
      });
    const place = { account: deployment.account, region: deployment.region };
    const armed =
      (...broken: Parameters<typeof without>) =>
      () =>
        gate.arm(new EffectivePolicies(place, without(...broken)));
    for (const [name, action, address] of [
      ["paymentledger-role-access", "sqs:ReceiveMessage", "aws_lambda_event_source_mapping"],
      ["payment-sealer-role-access", "dynamodb:GetRecords", "aws_lambda_event_source_mapping"],
      ["payment-query-role-platform", "ec2:CreateNetworkInterface", "aws_lambda_function.query-payment-ledger"],
      ["payment-query-role-access", "sqs:SendMessage", "aws_lambda_function_event_invoke_config"],
      ["scheduler-access", "lambda:InvokeFunction", "aws_scheduler_schedule"],
    ] as const) {
      expect(armed("aws_iam_role_policy", name, action)).toThrow(
        expect.objectContaining({
          code: "PERMISSION_MISSING",
          message: expect.stringMatching(`${address}.*${action}`),
        }),
      );
    }
  });
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
    ["payment-identity-check-dev", "DISABLED"],
    ["payment-log-heartbeat-dev", "ENABLED"],
    ["payment-log-sweep-dev", "DISABLED"],
    ["payment-restore-drill-dev", "DISABLED"],
  ]);
  scheduler.destroy();
});

test("no function can reach another AWS, over any service", async () => {
  for (const id of Object.keys(FUNCTIONS) as FunctionId[]) {
    const environment = deployment.functionEnvironment(id);
    const endpoints = Object.entries(environment).filter(([name]) => name.startsWith("AWS_ENDPOINT_URL"));
    const own = await deployment.gate?.urlOf(deployment.functionName(id));
    expect(own).toMatch(/^http:\/\/127\.0\.0\.1:/);
    expect(Object.fromEntries(endpoints)).toMatchObject({ AWS_ENDPOINT_URL: own });
    expect([...new Set(endpoints.map(([, url]) => url))]).toEqual([own]);
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
    "aws_cloudwatch_event_rule",
    "aws_cloudwatch_event_target",
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
