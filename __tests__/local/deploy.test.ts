import { rmSync } from "node:fs";
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ListTablesCommand,
} from "@aws-sdk/client-dynamodb";
import { GetRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { DescribeKeyCommand, GetKeyPolicyCommand, KMSClient } from "@aws-sdk/client-kms";
import { CreateFunctionCommand, GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { strToU8, zipSync } from "fflate";
import { type Deployment, deploy, FunctionFailed } from "../../local/deploy";
import { type EmbeddedAws, startEmbeddedAws } from "../../local/embedded-aws";
import type { TerraformObject } from "../../local/terraform-expression";
import { sharedEmbeddedAws } from "../support/shared-aws";
import { REGION, writeProbeApp, writeStacks } from "./fixture";

const folders: string[] = [];
let aws: EmbeddedAws;
let deployment: Deployment;

beforeAll(async () => {
  aws = await sharedEmbeddedAws();
  deployment = await deploy({
    aws,
    outputDirectory: kept(writeProbeApp()),
    environmentOverrides: { "*": { EVERYWHERE: "1" }, persistPaymentLedger: { LITERAL: "overridden" } },
  });
});

afterAll(async () => {
  await aws?.stop();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function kept(folder: string): string {
  folders.push(folder);
  return folder;
}

/** Deploys one stack with this body to the same endpoint. */
function deployBody(body: TerraformObject): Promise<Deployment> {
  return deploy({ aws, outputDirectory: kept(writeStacks({ only: { body } })) });
}

describe("what the stacks say is there", () => {
  test("the table, with index, stream, backups, key and protection", async () => {
    const dynamodb = new DynamoDBClient(deployment.clientConfig());
    const TableName = deployment.tableName("paymentLedger");
    expect(TableName).toBe("PaymentLedger-test");
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }));
    expect(Table).toMatchObject({
      KeySchema: [{ AttributeName: "TransactionID", KeyType: "HASH" }],
      GlobalSecondaryIndexes: [{ IndexName: "by-processor", Projection: { ProjectionType: "KEYS_ONLY" } }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
      SSEDescription: { KMSMasterKeyArn: deployment.keyArn("alias/probe-data") },
      DeletionProtectionEnabled: true,
    });
    const backups = await dynamodb.send(new DescribeContinuousBackupsCommand({ TableName }));
    expect(backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription).toMatchObject({
      PointInTimeRecoveryStatus: "ENABLED",
    });
  });

  test("keys of the kind asked for, with the rendered policy", async () => {
    const kms = new KMSClient(deployment.clientConfig());
    const mac = deployment.resources.find(({ block }) => block.address === "aws_kms_key.mac")?.attributes["key_id"];
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: String(mac) }));
    expect(KeyMetadata).toMatchObject({ KeyUsage: "GENERATE_VERIFY_MAC", KeySpec: "HMAC_256" });
    const KeyId = deployment.keyArn("alias/probe-data");
    const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: "default" }));
    expect(Policy).toContain(`"AWS":["arn:aws:iam::${deployment.account}:root"]`);
  });

  test("the role, and the queue with its dead-letter queue", async () => {
    const { Role } = await new IAMClient(deployment.clientConfig()).send(
      new GetRoleCommand({ RoleName: "paymentledger-role-test" }),
    );
    expect(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? "")).toContain("lambda.amazonaws.com");
    const { Attributes } = await new SQSClient(deployment.clientConfig()).send(
      new GetQueueAttributesCommand({ QueueUrl: deployment.queueUrl("work.fifo"), AttributeNames: ["All"] }),
    );
    expect(JSON.parse(Attributes?.["RedrivePolicy"] ?? "")).toEqual({
      deadLetterTargetArn: `arn:aws:sqs:${REGION}:${deployment.account}:failures.fifo`,
      maxReceiveCount: 10,
    });
  });

  test("the function, with the plan's environment pointed at its own port of the gate", async () => {
    const name = deployment.functionName("persistPaymentLedger");
    const lambda = new LambdaClient(deployment.clientConfig());
    const configuration = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
    expect(configuration).toMatchObject({ Runtime: "nodejs24.x", Timeout: 20, Handler: "index.handler" });
    const ownEndpoint = await deployment.gate?.urlOf(name);
    const expected = {
      PAYMENT_LEDGER_TABLE: "PaymentLedger-test",
      TOKEN_KEY_ARN: deployment.keyArn("alias/probe-data"),
      AWS_ENDPOINT_URL: ownEndpoint,
      AWS_ENDPOINT_URL_DYNAMODB: ownEndpoint,
      CONNECTIVITY: "embedded",
      LITERAL: "overridden",
      EVERYWHERE: "1",
    };
    expect(configuration.Environment?.Variables).toEqual(expected);
    expect(deployment.functionEnvironment("persistPaymentLedger")).toEqual(expected);
  });

  test("the plan's region, whatever region the embedded AWS was started for", async () => {
    expect(aws.region).not.toBe(REGION);
    expect(deployment.region).toBe(REGION);
    const { TableNames } = await new DynamoDBClient(aws.clientConfig()).send(new ListTablesCommand({}));
    expect(TableNames).toEqual([]);
  });
});

describe("invoking", () => {
  test("returns the parsed answer of the real bundle", async () => {
    expect(await deployment.invoke("persistPaymentLedger", { mode: "put", ids: ["1", "2"] })).toEqual({ put: 2 });
  });

  test("throws what the function threw", async () => {
    const error = await deployment.invoke("persistPaymentLedger", { mode: "nonsense" }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(FunctionFailed);
    expect(error).toMatchObject({
      code: "FUNCTION_FAILED",
      errorMessage: expect.stringContaining("unknown mode nonsense"),
    });
  });

  test("a function or key that was not deployed is named together with what is there", async () => {
    expect(() => deployment.functionName("revealPaymentToken")).toThrow("Deployed: persist_payment_ledger-test");
    expect(() => deployment.keyArn("alias/none")).toThrow("Deployed: alias/probe-data");
  });
});

test("on an endpoint that the user gave, functions learn so, and what is there is never replaced", async () => {
  const before = { ...process.env };
  try {
    // A separate account in the emulator: nothing of the deployment above is in it.
    const credentials = { AWS_ACCESS_KEY_ID: "444455556666", AWS_SECRET_ACCESS_KEY: "theirs" };
    Object.assign(process.env, { AWS_ENDPOINT_URL: aws.endpoint, AWS_REGION: "ap-south-1", ...credentials });
    const external = await startEmbeddedAws();
    const outputDirectory = kept(writeProbeApp());
    const given = await deploy({ aws: external, outputDirectory });
    expect(given).toMatchObject({ region: "ap-south-1", account: "444455556666" });
    expect(given.functionEnvironment("persistPaymentLedger")).toMatchObject({
      CONNECTIVITY: "external",
      AWS_ENDPOINT_URL_DYNAMODB: aws.endpoint,
    });
    await given.invoke("persistPaymentLedger", { mode: "put", ids: ["kept"] });
    await expect(deploy({ aws: external, outputDirectory })).rejects.toMatchObject({ code: "ENVIRONMENT_EXISTS" });
    await external.stop();
    expect(await given.invoke("persistPaymentLedger", { mode: "put", ids: ["again"] })).toEqual({ put: 1 });
  } finally {
    process.env = before;
  }
});

/** When this fails with another version of the emulator, look again whether the private API can be deployed to it. */
describe("why the private API is plan only: the emulator's own API Gateway", () => {
  const STATEMENT = { Effect: "Deny", Principal: "*", Action: "execute-api:Invoke", Resource: "*" };

  /** @param key an access key id. The signature is invalid. */
  async function post(path: string, body: object, key: string, method = "POST"): Promise<Response> {
    const authorization = `AWS4-HMAC-SHA256 Credential=${key}/20261128/${REGION}/apigateway/aws4_request, SignedHeaders=host, Signature=00`;
    return fetch(`${aws.endpoint}${path}`, { method, headers: { authorization }, body: JSON.stringify(body) });
  }
  async function made(path: string, body: object, method = "POST"): Promise<Record<string, unknown>> {
    const answer = await post(path, body, deployment.account, method);
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Record<string, unknown>;
  }

  /** A private API whose policy denies everybody, with a function that it has no permission to invoke. The answer is the caller's identity. */
  async function privateApi(): Promise<string> {
    const code =
      "exports.handler = async ({ requestContext: { identity } }) => ({ statusCode: 200, body: JSON.stringify(identity) });";
    const { FunctionArn } = await new LambdaClient(deployment.clientConfig()).send(
      new CreateFunctionCommand({
        FunctionName: "who-called",
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        Role: `arn:aws:iam::${deployment.account}:role/paymentledger-role-test`,
        Code: { ZipFile: zipSync({ "index.js": strToU8(code) }) },
      }),
    );
    const api = await made("/restapis", {
      name: "private",
      endpointConfiguration: { types: ["PRIVATE"], vpcEndpointIds: ["vpce-0"] },
      policy: JSON.stringify({ Version: "2012-10-17", Statement: [STATEMENT] }),
    });
    const resource = await made(`/restapis/${api["id"]}/resources/${api["rootResourceId"]}`, { pathPart: "who" });
    const method = `/restapis/${api["id"]}/resources/${resource["id"]}/methods/POST`;
    await made(method, { authorizationType: "AWS_IAM" }, "PUT");
    await made(`${method}/integration`, { type: "AWS_PROXY", httpMethod: "POST", uri: FunctionArn }, "PUT");
    const { id: deploymentId } = await made(`/restapis/${api["id"]}/deployments`, {});
    await made(`/restapis/${api["id"]}/stages`, { stageName: "v1", deploymentId });
    return `/restapis/${api["id"]}/v1/_user_request_/who`;
  }

  test("it checks no signature, policy, endpoint or permission, and names no caller for a person of the embedded AWS", async () => {
    const url = await privateApi();
    const answer = await post(url, {}, "auditor");
    expect(answer.status).toBe(200);
    const identity = await answer.json();
    expect(identity).toHaveProperty("sourceIp");
    expect(identity).not.toHaveProperty("caller");
    const byAccount = await post(url, {}, deployment.account);
    expect(await byAccount.json()).toMatchObject({ userArn: `arn:aws:iam::${deployment.account}:root` });
  });
});

describe("refusals", () => {
  const queue = (name: string, more: TerraformObject = {}) => ({
    resource: { aws_sqs_queue: { q: { name, ...more } } },
  });

  test("a second deployment over the first is refused, and the first stays as it was", async () => {
    await expect(deploy({ aws, outputDirectory: kept(writeProbeApp()) })).rejects.toMatchObject({
      code: "ENVIRONMENT_EXISTS",
      message: expect.stringContaining("PaymentLedger-test"),
    });
    expect(await deployment.invoke("persistPaymentLedger", { mode: "put", ids: ["3"] })).toEqual({ put: 1 });
  });

  test.each<[string, string, string, TerraformObject]>([
    [
      "an unknown type",
      "TYPE_UNKNOWN",
      "aws_quantum_ledger",
      { resource: { aws_quantum_ledger: { x: { name: "x" } } } },
    ],
    ["an unknown data source", "TYPE_UNKNOWN", "data.aws_oracle.x", { data: { aws_oracle: { x: {} } } }],
    ["an unknown argument", "ARGUMENT_UNKNOWN", "invented", queue("a", { invented: true })],
    ["an unknown argument of a block", "ARGUMENT_UNKNOWN", "ttl[0]", tableWithTtl({ enabled: false, invented: 1 })],
    ["an argument of another kind", "ARGUMENT_INVALID", '"name" must be a text', queue("b", { name: 7 })],
    [
      "a missing argument",
      "ARGUMENT_INVALID",
      '"name" a text is required',
      { resource: { aws_iam_role: { r: { name_prefix: "x" } } } },
    ],
    ["a reference to nothing", "EXPRESSION_UNRESOLVED", "aws_kms_key.none", queue(`\${aws_kms_key.none.arn}`)],
    ["a variable", "EXPRESSION_UNRESOLVED", "var.name", queue(`\${var.name}`)],
    [
      "an unknown attribute",
      "EXPRESSION_UNRESOLVED",
      '"nope"',
      { ...queue(`\${data.aws_region.r.nope}`), data: { aws_region: { r: {} } } },
    ],
    [
      "another stack that is not there",
      "EXPRESSION_UNRESOLVED",
      "remote",
      queue(`\${data.terraform_remote_state.remote.outputs.x}`),
    ],
    ["a counted resource", "EXPRESSION_UNRESOLVED", '"count"', queue("c", { count: 2 })],
    ["a provisioner", "EXPRESSION_UNRESOLVED", '"provisioner"', queue("d", { provisioner: [] })],
    ["a cycle", "REFERENCE_CYCLE", "->", cycle()],
  ])("%s is refused by name", async (_case, code, words, body) => {
    await expect(deployBody(body)).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test("an unknown type is refused before anything is created", async () => {
    const body = { resource: { aws_sqs_queue: { q: { name: "not-made" } }, aws_quantum_ledger: { x: {} } } };
    await expect(deployBody(body)).rejects.toMatchObject({ code: "TYPE_UNKNOWN" });
    const next = await deployBody(queue("made"));
    expect(() => next.queueUrl("not-made")).toThrow("Deployed: made");
  });

  test("what the endpoint refuses carries the address and AWS's words", async () => {
    const body = { resource: { aws_kms_alias: { a: { name: "no-alias-prefix", target_key_id: "none" } } } };
    await expect(deployBody(body)).rejects.toMatchObject({
      code: "RESOURCE_FAILED",
      message: expect.stringContaining("aws_kms_alias.a"),
    });
  });

  test("a folder that was never synthesized is refused with the command to run", async () => {
    await expect(deploy({ aws, outputDirectory: "/nonexistent" })).rejects.toMatchObject({
      code: "SYNTH_OUTPUT_MISSING",
      message: expect.stringContaining("npx cdktf synth"),
    });
  });
});

function tableWithTtl(ttl: TerraformObject): TerraformObject {
  const table = { name: "ttl", hash_key: "id", attribute: [{ name: "id", type: "S" }], ttl };
  return { resource: { aws_dynamodb_table: { t: table } } };
}

function cycle(): TerraformObject {
  return {
    resource: {
      aws_sqs_queue: {
        a: { name: "cycle-a", redrive_policy: `\${aws_sqs_queue.b.arn}` },
        b: { name: "cycle-b", redrive_policy: `\${aws_sqs_queue.a.arn}` },
      },
    },
  };
}
