/**
 * Creates on an endpoint what the synthesized stacks say, with the real function bundles. The stacks are the only
 * source: a laptop never runs something that the plan does not say.
 */
import { DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { ENV, FUNCTIONS, type FunctionId, TABLES, type TableId } from "../contract";
import type { AwsClientConfig, EmbeddedAws } from "./embedded-aws";
import { LocalError } from "./errors";
import { EffectivePolicies } from "./iam/effective";
import { type Gate, startGate } from "./iam/gate";
import { credentialsOf, DEFAULT_PERSON, type PersonId } from "./iam/identities";
import { type DeployContext, present } from "./resources/context";
import { type Deployed, environmentExists, StackGraph } from "./stack-graph";
import { readSynthesized, type Stack } from "./synthesized";
import type { TerraformObject } from "./terraform-expression";

export interface DeployOptions {
  readonly aws: EmbeddedAws;
  /** The folder that `cdktf synth` wrote (`cdktf.out`). */
  readonly outputDirectory: string;
  /** Environment variables that replace or add to those of the plan, by function; `*` is every function. */
  readonly environmentOverrides?: Partial<Record<FunctionId | "*", Readonly<Record<string, string>>>>;
}

export interface Deployment {
  readonly region: string;
  readonly account: string;
  readonly resources: readonly Deployed[];
  /** Outputs of the stacks, by stack and name. */
  readonly outputs: Readonly<Record<string, TerraformObject>>;
  /** For clients that talk to this deployment as somebody: its region is the one that the plan names. */
  clientConfig(as?: PersonId): AwsClientConfig;
  /** For what AWS itself does, or a broken disk: past all permissions. */
  pastPermissions(): AwsClientConfig;
  /** Asks of every call what AWS would ask. Undefined on an endpoint that the user gave, which has its own permissions or none. */
  readonly gate: Gate | undefined;
  functionName(id: FunctionId): string;
  /** Path of the function's zip file. */
  functionCode(id: FunctionId): string;
  /** The environment that the function really got. */
  functionEnvironment(id: FunctionId): Readonly<Record<string, string>>;
  tableName(id: TableId): string;
  /** By alias name, as `alias/payment-ledger-data-dev`. */
  keyArn(alias: string): string;
  /** By deployed queue name. */
  queueUrl(name: string): string;
  /** Invokes as somebody and waits. Returns the parsed answer; throws `FunctionFailed` when the function threw. */
  invoke(id: FunctionId, payload: unknown, as?: PersonId): Promise<unknown>;
}

/** The function ran and threw. `errorType` on the embedded AWS is always Runtime.HandlerError; real AWS gives the error's name. */
export class FunctionFailed extends LocalError {
  override readonly name = "FunctionFailed";

  constructor(
    functionName: string,
    readonly errorType: string,
    readonly errorMessage: string,
  ) {
    super("FUNCTION_FAILED", `The function ${functionName} threw ${errorType}: ${errorMessage}`);
  }
}

export async function deploy(options: DeployOptions): Promise<Deployment> {
  const { aws } = options;
  const stacks = readSynthesized(options.outputDirectory);
  const region = aws.kind === "embedded" ? regionOf(stacks) : aws.region;
  const clients = clientCache(aws.clientConfig(region));
  await assertNothingThere(stacks, clients);
  const gate = aws.kind === "embedded" ? await startGate(aws.endpoint) : undefined;
  try {
    const deployment = await deployBehind(gate, { options, stacks, region, clients });
    if (gate !== undefined) aws.beforeStop(() => gate.stop());
    return deployment;
  } catch (error) {
    await gate?.stop();
    throw error;
  }
}

interface Deploying {
  readonly options: DeployOptions;
  readonly stacks: readonly Stack[];
  readonly region: string;
  readonly clients: DeployContext["client"];
}

/** Resources are created past the gate: the permissions of who deploys are not part of the plan. */
async function deployBehind(gate: Gate | undefined, deploying: Deploying): Promise<Deployment> {
  const { options, stacks, region, clients } = deploying;
  const { aws } = options;
  const environments = new Map<string, Record<string, string>>();
  const waits: (() => Promise<unknown>)[] = [];
  const context: DeployContext = {
    account: await accountOf(aws, clients),
    region,
    partition: "aws",
    client: clients,
    archives: new Map(),
    afterwards: (wait) => waits.push(wait),
    functionEnvironment: async (name, planned) => {
      const endpoint = (await gate?.urlOf(name)) ?? aws.endpoint;
      const environment = { ...localEnvironment(aws, endpoint, planned), ...overridesFor(options, name) };
      environments.set(name, environment);
      return environment;
    },
  };
  const graph = new StackGraph(stacks, context);
  const resources = await graph.deploy();
  await Promise.all(waits.map((wait) => wait()));
  gate?.arm(new EffectivePolicies({ account: context.account, region }, resources));
  const outputs = await graph.outputs();
  return deployment({ aws, region, account: context.account, resources, outputs, environments, gate });
}

/** Every endpoint of the plan becomes the function's own, so that no function can reach another AWS. */
function localEnvironment(
  aws: EmbeddedAws,
  endpoint: string,
  planned: Readonly<Record<string, string>>,
): Record<string, string> {
  const endpoints = Object.keys(planned).filter((name) => name.startsWith("AWS_ENDPOINT_URL"));
  return {
    ...planned,
    ...Object.fromEntries(["AWS_ENDPOINT_URL", ...endpoints].map((name) => [name, endpoint])),
    [ENV.connectivity]: aws.kind,
  };
}

function overridesFor(options: DeployOptions, deployedName: string): Readonly<Record<string, string>> {
  const overrides = options.environmentOverrides ?? {};
  const ids = Object.keys(FUNCTIONS) as FunctionId[];
  const id = ids.find((candidate) => isDeployedName(deployedName, FUNCTIONS[candidate].name));
  return { ...overrides["*"], ...(id !== undefined && overrides[id]) };
}

interface DeployedParts {
  readonly aws: EmbeddedAws;
  readonly region: string;
  readonly account: string;
  readonly resources: readonly Deployed[];
  readonly outputs: Readonly<Record<string, TerraformObject>>;
  readonly environments: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly gate: Gate | undefined;
}

function deployment({ aws, region, account, resources, outputs, environments, gate }: DeployedParts): Deployment {
  const functionName = (id: FunctionId) =>
    lookUp(resources, "aws_lambda_function", "function_name", (name) => isDeployedName(name, FUNCTIONS[id].name), "arn")
      .named;
  const clientConfig = (as: PersonId = DEFAULT_PERSON): AwsClientConfig => ({
    ...aws.clientConfig(region),
    ...(gate !== undefined && { endpoint: gate.url, credentials: credentialsOf(as) }),
  });
  const invokers = new Map<PersonId, LambdaClient>();
  const invoker = (as: PersonId): LambdaClient => {
    const client = invokers.get(as) ?? new LambdaClient(clientConfig(as));
    invokers.set(as, client);
    return client;
  };
  return {
    region,
    account,
    resources,
    outputs,
    gate,
    clientConfig,
    pastPermissions: () => aws.clientConfig(region),
    functionName,
    functionCode: (id) =>
      lookUp(resources, "aws_lambda_function", "function_name", (name) => name === functionName(id), "filename").value,
    functionEnvironment: (id) => present(environments.get(functionName(id)), `the environment of ${id}`),
    tableName: (id) => {
      const logical = TABLES[id].logicalName;
      return lookUp(resources, "aws_dynamodb_table", "name", (name) => isDeployedName(name, logical), "arn").named;
    },
    keyArn: (alias) => {
      const key = lookUp(resources, "aws_kms_alias", "name", (name) => name === alias, "target_key_id").value;
      return lookUp(resources, "aws_kms_key", "key_id", (id) => id === key || key.endsWith(`/${id}`), "arn").value;
    },
    queueUrl: (queue) => {
      const { value } = lookUp(resources, "aws_sqs_queue", "name", (name) => name === queue, "url");
      return gate === undefined ? value : new URL(new URL(value).pathname, gate.url).href;
    },
    invoke: (id, payload, as = DEFAULT_PERSON) => invoke(invoker(as), functionName(id), payload),
  };
}

async function invoke(lambda: LambdaClient, functionName: string, payload: unknown): Promise<unknown> {
  const answer = await lambda.send(
    new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(payload)) }),
  );
  const body: unknown = JSON.parse(answer.Payload?.transformToString() || "null");
  if (answer.FunctionError === undefined) return body;
  const { errorType = "unknown", errorMessage = "" } = (body ?? {}) as { errorType?: string; errorMessage?: string };
  throw new FunctionFailed(functionName, errorType, errorMessage);
}

/** `PaymentLedger` is deployed as `PaymentLedger` or with its environment's suffix, `PaymentLedger-dev`. */
function isDeployedName(deployed: string, name: string): boolean {
  return deployed === name || (deployed.startsWith(`${name}-`) && /^[a-z0-9]+$/.test(deployed.slice(name.length + 1)));
}

function lookUp(
  resources: readonly Deployed[],
  type: string,
  nameAttribute: string,
  wanted: (name: string) => boolean,
  valueAttribute: string,
): { named: string; value: string } {
  const ofType = resources.filter(({ block }) => block.mode === "resource" && block.type === type);
  const found = ofType.filter(({ attributes }) => wanted(String(attributes[nameAttribute])));
  const [only] = found;
  if (only !== undefined && found.length === 1) {
    return { named: String(only.attributes[nameAttribute]), value: String(only.attributes[valueAttribute]) };
  }
  const names = ofType.map(({ attributes }) => attributes[nameAttribute]).join(", ") || "none";
  throw new LocalError(
    "LOOKUP_FAILED",
    `The deployment has ${found.length} resources of type ${type} that fit; there must be one. Deployed: ${names}.`,
  );
}

/** Asks for the tables and functions first, so that an endpoint in use is left as it was found. */
async function assertNothingThere(stacks: readonly Stack[], clients: DeployContext["client"]): Promise<void> {
  for (const block of stacks.flatMap((stack) => [...stack.blocks.values()])) {
    const name = block.arguments[block.type === "aws_dynamodb_table" ? "name" : "function_name"];
    if (block.mode === "data" || typeof name !== "string" || name.includes("${")) continue;
    const question =
      block.type === "aws_dynamodb_table"
        ? clients(DynamoDBClient).send(new DescribeTableCommand({ TableName: name }))
        : block.type === "aws_lambda_function"
          ? clients(LambdaClient).send(new GetFunctionConfigurationCommand({ FunctionName: name }))
          : undefined;
    if (question !== undefined && (await exists(question))) throw environmentExists(name);
  }
}

async function exists(question: Promise<unknown>): Promise<boolean> {
  try {
    await question;
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === "ResourceNotFoundException") return false;
    throw error;
  }
}

function regionOf(stacks: readonly Stack[]): string {
  const regions = [...new Set(stacks.map(({ region }) => region))];
  const [only] = regions;
  if (only !== undefined && regions.length === 1) return only;
  throw new LocalError(
    "SYNTH_OUTPUT_MISSING",
    `The stacks name ${regions.length} regions (${regions.join(", ")}); one deployment lies in one region.`,
  );
}

async function accountOf(aws: EmbeddedAws, clients: DeployContext["client"]): Promise<string> {
  if (aws.credentials !== undefined) return aws.credentials.accessKeyId;
  const { Account } = await clients(STSClient).send(new GetCallerIdentityCommand({}));
  return present(Account, "Account");
}

function clientCache(config: AwsClientConfig): DeployContext["client"] {
  const clients = new Map<unknown, unknown>();
  return <Client>(type: new (config: AwsClientConfig) => Client): Client => {
    const existing = clients.get(type) as Client | undefined;
    const client = existing ?? new type(config);
    clients.set(type, client);
    return client;
  };
}
