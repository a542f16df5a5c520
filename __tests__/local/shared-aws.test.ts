import { rmSync } from "node:fs";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { IAMClient, ListRolesCommand } from "@aws-sdk/client-iam";
import { KMSClient, ListAliasesCommand } from "@aws-sdk/client-kms";
import { LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, ListBucketsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { deploy } from "../../local/deploy";
import type { AwsClientConfig, EmbeddedAws } from "../../local/embedded-aws";
import { sharedEmbeddedAws } from "../support/shared-aws";
import { REGION, writeProbeApp } from "./fixture";

let aws: EmbeddedAws;
let app: string;
beforeAll(() => {
  app = writeProbeApp();
});
afterAll(async () => {
  await aws?.stop();
  rmSync(app, { recursive: true });
});

async function namesAt(config: AwsClientConfig): Promise<Record<string, unknown[]>> {
  const { TableNames = [] } = await new DynamoDBClient(config).send(new ListTablesCommand({}));
  const { Buckets = [] } = await new S3Client(config).send(new ListBucketsCommand({}));
  const { QueueUrls = [] } = await new SQSClient(config).send(new ListQueuesCommand({}));
  const { Aliases = [] } = await new KMSClient(config).send(new ListAliasesCommand({}));
  const { Functions = [] } = await new LambdaClient(config).send(new ListFunctionsCommand({}));
  const { Roles = [] } = await new IAMClient(config).send(new ListRolesCommand({}));
  return { TableNames, Buckets, QueueUrls, Aliases: Aliases.filter(isOurs), Functions, Roles };
}

const isOurs = ({ AliasName = "" }) => !AliasName.startsWith("alias/aws/");

test("the next test file finds the same process and nothing in it, so that it can deploy the same names", async () => {
  aws = await sharedEmbeddedAws();
  const { pid } = aws;
  const config = aws.clientConfig(REGION);
  const before = await namesAt(config);
  await deploy({ aws, outputDirectory: app });
  const s3 = new S3Client(config);
  await s3.send(new CreateBucketCommand({ Bucket: "left-over" }));
  await s3.send(new PutObjectCommand({ Bucket: "left-over", Key: "object", Body: "x" }));
  const deployed = await namesAt(config);
  for (const names of Object.values(deployed)) expect(names).not.toEqual([]);
  await aws.stop();

  aws = await sharedEmbeddedAws();
  expect(aws.pid).toBe(pid);
  expect(await namesAt(config)).toEqual(before);
  const again = await deploy({ aws, outputDirectory: app });
  expect(await again.invoke("persistPaymentLedger", { mode: "put", ids: ["again"] })).toEqual({ put: 1 });
});

test("a file that still uses it cannot have it emptied by asking for it again", async () => {
  await expect(sharedEmbeddedAws()).rejects.toThrow("uses the shared embedded AWS already");
});
