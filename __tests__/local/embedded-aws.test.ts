import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { deploy } from "../../local/deploy";
import { assertLoopback, type EmbeddedAws, startEmbeddedAws } from "../../local/embedded-aws";
import { REGION, writeProbeApp } from "./fixture";
import { eventually, isRunning, processTree, type Script, startScript } from "./processes";

const started: EmbeddedAws[] = [];
const scripts: Script[] = [];
let scratch: string;
let app: string;

async function start(): Promise<EmbeddedAws> {
  const aws = await startEmbeddedAws();
  started.push(aws);
  return aws;
}

function startParent(environment: NodeJS.ProcessEnv): Script {
  const script = startScript(path.join(__dirname, "probe-parent.ts"), [app], environment);
  scripts.push(script);
  return script;
}

/** What a plain shell has; nothing about AWS. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"], HOME: process.env["HOME"], TMPDIR: path.join(scratch, "tmp") };
}

/** The emulator's own folders; other tools (tsx) keep caches beside them. */
function privateFolders(): string[] {
  return readdirSync(path.join(scratch, "tmp")).filter((name) => name.startsWith("payment-ledger-aws-"));
}

interface ParentReport {
  readonly endpoint: string;
  /** Where people's calls are authorised before they reach the endpoint. */
  readonly gate: string;
  /** The same for the calls of the function. */
  readonly functionEndpoint: string;
  readonly pid: number;
  readonly reach: { readonly tables: string[]; readonly keyArn: string; readonly accessKeyId: string };
  readonly environment: Record<string, string>;
}

beforeAll(() => {
  app = writeProbeApp();
});

afterAll(() => rmSync(app, { recursive: true }));

beforeEach(() => {
  scratch = mkdtempSync(path.join(tmpdir(), "embedded-aws-test-"));
  for (const folder of ["tmp", "home/.aws"]) mkdirSync(path.join(scratch, folder), { recursive: true });
});

afterEach(async () => {
  for (const script of scripts.splice(0)) script.kill();
  await Promise.all(started.splice(0).map((aws) => aws.stop()));
  rmSync(scratch, { recursive: true, force: true });
});

describe("life cycle", () => {
  const tmpdirBefore = process.env["TMPDIR"];
  beforeEach(() => {
    process.env["TMPDIR"] = path.join(scratch, "tmp");
  });
  afterEach(() => {
    if (tmpdirBefore === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = tmpdirBefore;
  });

  test("stop() leaves no process and no folder, workers of functions included; a second stop() is harmless", async () => {
    const aws = await start();
    const deployment = await deploy({ aws, outputDirectory: app });
    await deployment.invoke("persistPaymentLedger", { mode: "environment" });
    const processes = processTree(aws.pid ?? 0);
    expect(processes.length).toBeGreaterThanOrEqual(3);
    expect(privateFolders()).toHaveLength(1);

    await aws.stop();
    await aws.stop();

    expect(readdirSync(path.join(scratch, "tmp"))).toEqual([]);
    await eventually("all processes are gone", () => !processes.some(isRunning));
  });

  test("it dies with a parent that is killed with SIGKILL, and its folder goes too", async () => {
    const script = startParent(plainEnvironment());
    const { pid } = (await script.said) as ParentReport;
    const processes = processTree(pid);
    expect(processes.length).toBeGreaterThanOrEqual(3);
    expect(privateFolders()).toHaveLength(1);

    script.kill();

    await eventually("all processes are gone", () => !processes.some(isRunning));
    await eventually("the folder is gone", () => privateFolders().length === 0);
  });

  test("two at once and one after the other share nothing", async () => {
    const [first, second] = await Promise.all([start(), start()]);
    await createTable(first);
    expect(first.endpoint).not.toBe(second.endpoint);
    expect(await tablesOf(first)).toEqual(["only-here"]);
    expect(await tablesOf(second)).toEqual([]);

    await first.stop();

    expect(await tablesOf(await start())).toEqual([]);
  });
});

describe("isolation", () => {
  test("with real-looking AWS settings around it, only the endpoint on loopback and the gate before it are ever contacted, with its own credentials", async () => {
    const trap = await startTrap();
    try {
      const connections = path.join(scratch, "connections");
      writeFileSync(connections, "");
      const script = startParent(hostileEnvironment(trap.url, connections));
      const { endpoint, gate, functionEndpoint, reach, environment } = (await script.said) as ParentReport;

      for (const url of [endpoint, gate, functionEndpoint]) assertLoopback(url);
      const contacted = new Set(readFileSync(connections, "utf8").split("\n").filter(Boolean));
      expect(contacted).toEqual(new Set([endpoint, gate].map((url) => new URL(url).host)));
      expect(trap.requests).toEqual([]);
      expect(existsSync(path.join(scratch, "profile-was-used"))).toBe(false);
      expect(reach).toEqual({
        tables: ["PaymentLedger-test"],
        keyArn: expect.stringMatching(`^arn:aws:kms:${REGION}:111122223333:key/`),
        accessKeyId: "111122223333",
      });
      assertFunctionSeesNothing(environment, functionEndpoint);
    } finally {
      await trap.stop();
    }
  });

  test("AWS_ENDPOINT_URL set beforehand is used as it is, with the user's credentials, and nothing is started", async () => {
    const theirs = await start();
    await createTable(theirs);
    const given = { AWS_ENDPOINT_URL: theirs.endpoint, AWS_REGION: theirs.region };
    await withEnvironment(
      { ...given, AWS_ACCESS_KEY_ID: "111122223333", AWS_SECRET_ACCESS_KEY: "theirs" },
      async () => {
        const aws = await startEmbeddedAws();
        expect(aws).toMatchObject({
          kind: "external",
          endpoint: theirs.endpoint,
          region: theirs.region,
          pid: undefined,
        });
        expect(aws.credentials).toBeUndefined();
        expect(aws.clientConfig()).not.toHaveProperty("credentials");
        expect(await tablesOf(aws)).toEqual(["only-here"]);
        await aws.stop();
      },
    );
    expect(await tablesOf(theirs)).toEqual(["only-here"]);
  });

  test.each(["https://dynamodb.us-east-1.amazonaws.com", "http://192.0.2.1:4566", "http://127.0.0.1.example.com"])(
    "%s is refused as an embedded endpoint",
    (endpoint) => {
      expect(() => assertLoopback(endpoint)).toThrow(expect.objectContaining({ code: "ENDPOINT_NOT_LOOPBACK" }));
    },
  );
});

/** Everything that usually steers an AWS client to the real AWS. The profile leaves a mark if anybody asks it for credentials. */
function hostileEnvironment(trapUrl: string, connectionsFile: string): NodeJS.ProcessEnv {
  const home = path.join(scratch, "home");
  writeFileSync(
    path.join(home, ".aws", "config"),
    `[profile production]\nregion = us-west-2\ncredential_process = touch ${path.join(scratch, "profile-was-used")}\n`,
  );
  return {
    ...plainEnvironment(),
    HOME: home,
    AWS_PROFILE: "production",
    AWS_CONFIG_FILE: path.join(home, ".aws", "config"),
    AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
    AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    AWS_SESSION_TOKEN: "real-looking-session-token",
    AWS_REGION: "us-west-2",
    AWS_USE_FIPS_ENDPOINT: "true",
    AWS_ENDPOINT_URL_DYNAMODB: trapUrl,
    AWS_ENDPOINT_URL_KMS: trapUrl,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: trapUrl,
    HTTP_PROXY: trapUrl,
    HTTPS_PROXY: trapUrl,
    ALL_PROXY: trapUrl,
    http_proxy: trapUrl,
    https_proxy: trapUrl,
    NODE_USE_ENV_PROXY: "1",
    NODE_OPTIONS: `--require ${path.join(__dirname, "record-connections.cjs")}`,
    CONNECTIONS_FILE: connectionsFile,
  };
}

function assertFunctionSeesNothing(environment: Record<string, string>, endpoint: string): void {
  const text = JSON.stringify(environment);
  for (const leaked of ["AKIA", "wJalr", "real-looking", "production", "NODE_OPTIONS", "us-west-2"]) {
    expect(text).not.toContain(leaked);
  }
  expect(Object.keys(environment).filter((name) => /proxy/i.test(name))).toEqual(["NO_PROXY"]);
  expect(environment).toMatchObject({
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    AWS_ACCESS_KEY_ID: "111122223333",
    AWS_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: "true",
    CONNECTIVITY: "embedded",
  });
}

async function startTrap() {
  const requests: string[] = [];
  const server = http.createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.writeHead(500).end();
  });
  server.on("connect", (request, socket) => {
    requests.push(`CONNECT ${request.url}`);
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const stop = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${port}`, requests, stop };
}

async function withEnvironment(variables: Record<string, string>, action: () => Promise<void>): Promise<void> {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    await action();
  } finally {
    for (const name of Object.keys(variables)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}

async function createTable(aws: EmbeddedAws): Promise<void> {
  await new DynamoDBClient(aws.clientConfig()).send(
    new CreateTableCommand({
      TableName: "only-here",
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    }),
  );
}

async function tablesOf(aws: EmbeddedAws): Promise<string[] | undefined> {
  return (await new DynamoDBClient(aws.clientConfig()).send(new ListTablesCommand({}))).TableNames;
}
