/**
 * The embedded AWS: one emulator process on loopback with its own credentials, for a laptop and for tests.
 * Nothing of the user's AWS set-up reaches it or the functions that it runs, and its state ends with it.
 *
 * With AWS_ENDPOINT_URL set beforehand nothing is started: that endpoint is used, with the user's own credentials.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { KMSClient } from "@aws-sdk/client-kms";
import { LocalError } from "./errors";
import { ensureVenv } from "./python";

/** The account of AWS's own documentation examples. As an access key it is one that no real AWS accepts; the emulator reads it as the account. */
const EMBEDDED_ACCOUNT = "111122223333";
const DEFAULT_REGION = "us-east-1";
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const START_ATTEMPTS_MAX = 3;
const HEALTH_POLL_MS = 20;
const ERROR_TAIL_CHARS = 4_000;

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What every AWS SDK client of this project's tooling is constructed with. */
export interface AwsClientConfig {
  readonly endpoint: string;
  readonly region: string;
  /** Absent for the user's own endpoint: the SDK's normal chain finds them. */
  readonly credentials?: Credentials;
  readonly useFipsEndpoint?: false;
  readonly useDualstackEndpoint?: false;
  readonly forcePathStyle?: true;
}

export interface EmbeddedAws {
  readonly endpoint: string;
  readonly region: string;
  /** Undefined for the user's own endpoint. */
  readonly credentials: Credentials | undefined;
  /** `embedded`: started here, on loopback, dies with this process. `external`: given by AWS_ENDPOINT_URL, never stopped or emptied by us. */
  readonly kind: "embedded" | "external";
  /** Process id of the emulator's supervisor; undefined for the user's own endpoint. */
  readonly pid: number | undefined;
  clientConfig(region?: string): AwsClientConfig;
  /** Work that belongs to what runs here and ends with it. */
  beforeStop(work: () => Promise<void>): void;
  /** Resolves when no process and no folder is left. Safe to call twice. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Region of `clientConfig()`; the emulator itself serves every region. */
  readonly region?: string;
  /** Where the Python packages are kept; `.local/venv` unless a test says otherwise. */
  readonly venvDirectory?: string;
  /** Told about the one slow step, the first installation of the Python packages. */
  readonly onInstall?: (message: string) => void;
}

export async function startEmbeddedAws(options: StartOptions = {}): Promise<EmbeddedAws> {
  const given = process.env["AWS_ENDPOINT_URL"];
  if (given) return useGivenEndpoint(given, options.region);
  const { python } = await ensureVenv({
    name: "emulator",
    requirementsFile: path.join(__dirname, "requirements.txt"),
    ...(options.venvDirectory !== undefined && { directory: options.venvDirectory }),
    ...(options.onInstall !== undefined && { onInstall: options.onInstall }),
  });
  for (let attempt = 1; ; attempt++) {
    const port = await freeLoopbackPort();
    const emulator = spawnEmulator(python, port);
    try {
      await emulator.healthy();
      return embedded(emulator, options.region ?? DEFAULT_REGION);
    } catch (error) {
      await emulator.stop();
      // Another process may have taken the port between our asking for a free one and the emulator's binding it.
      if (attempt === START_ATTEMPTS_MAX) throw error;
    }
  }
}

/** Throws unless the URL is plain HTTP to this machine. The embedded AWS and the fault proxy talk to nothing else. */
export function assertLoopback(endpoint: string): void {
  const { protocol, hostname } = new URL(endpoint);
  if (protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname)) return;
  throw new LocalError(
    "ENDPOINT_NOT_LOOPBACK",
    `The endpoint ${endpoint} is not on this machine. The embedded mode talks to http://127.0.0.1 only, so that it can never ` +
      "reach AWS. To use another endpoint on purpose, set AWS_ENDPOINT_URL before the start.",
  );
}

async function useGivenEndpoint(endpoint: string, region: string | undefined): Promise<EmbeddedAws> {
  const resolved = region ?? (await new KMSClient({ endpoint }).config.region());
  return {
    endpoint,
    region: resolved,
    credentials: undefined,
    kind: "external",
    pid: undefined,
    clientConfig: (other = resolved) => ({ endpoint, region: other, forcePathStyle: true }),
    beforeStop: () => {},
    stop: async () => {},
  };
}

function embedded(emulator: Emulator, region: string): EmbeddedAws {
  const { endpoint } = emulator;
  assertLoopback(endpoint);
  const credentials = { accessKeyId: EMBEDDED_ACCOUNT, secretAccessKey: "embedded" };
  const endings: (() => Promise<void>)[] = [];
  return {
    endpoint,
    region,
    credentials,
    kind: "embedded",
    pid: emulator.pid,
    // With the FIPS and dual-stack switches of the user's environment the SDK would refuse any configured endpoint.
    clientConfig: (other = region) => ({
      endpoint,
      region: other,
      credentials,
      useFipsEndpoint: false,
      useDualstackEndpoint: false,
      forcePathStyle: true,
    }),
    beforeStop: (work) => endings.push(work),
    stop: async () => {
      await Promise.all(endings.splice(0).map((work) => work()));
      await emulator.stop();
    },
  };
}

interface Emulator {
  readonly endpoint: string;
  readonly pid: number;
  healthy(): Promise<void>;
  stop(): Promise<void>;
}

function spawnEmulator(python: string, port: number): Emulator {
  const child = spawn(python, ["-I", path.join(__dirname, "emulator_supervisor.py")], {
    env: emulatorEnvironment(port),
    stdio: ["pipe", "pipe", "pipe"],
    // A separate session: Ctrl-C reaches this process only, which then ends the emulator in its own order.
    detached: true,
  });
  const exited = once(child, "exit").catch(() => undefined);
  const errorTail = collectTail(child);
  // An emulator that nobody stopped must not keep this process alive; it ends when this process does.
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as net.Socket).unref();
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    pid: child.pid ?? 0,
    healthy: () => waitUntilHealthy(child, endpoint, errorTail),
    stop: () => stopChild(child, exited),
  };
}

/**
 * Everything that the emulator and its functions may see, and nothing else: no AWS_*, no profile, no proxy, no
 * NODE_OPTIONS of the user. HOME and TMPDIR are set by the supervisor to the private folder.
 */
function emulatorEnvironment(port: number): NodeJS.ProcessEnv {
  return {
    PATH: [path.dirname(process.execPath), "/usr/bin", "/bin"].join(path.delimiter),
    LANG: "C.UTF-8",
    TZ: "UTC",
    BIND_HOST: "127.0.0.1",
    GATEWAY_PORT: String(port),
    LOG_LEVEL: "WARNING",
    PERSIST_STATE: "0",
    S3_PERSIST: "0",
    SFTP_ENABLED: "0",
    IOT_MTLS_ENABLED: "0",
    LAMBDA_EXECUTOR: "local",
    MINISTACK_ACCOUNT_ID: EMBEDDED_ACCOUNT,
    AWS_ACCESS_KEY_ID: EMBEDDED_ACCOUNT,
    AWS_SECRET_ACCESS_KEY: "embedded",
    AWS_CONFIG_FILE: "/nonexistent/aws-config",
    AWS_SHARED_CREDENTIALS_FILE: "/nonexistent/aws-credentials",
    AWS_EC2_METADATA_DISABLED: "true",
    NO_PROXY: "*",
    // Functions run on this machine's Node, not on the runtime that the plan names, so the SDK's advice on it is noise in their logs.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
    // The supervisor makes its private folder inside the user's temporary directory.
    ...(process.env["TMPDIR"] !== undefined && { TMPDIR: process.env["TMPDIR"] }),
  };
}

async function waitUntilHealthy(child: ChildProcess, endpoint: string, errorTail: () => string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    if (await answersHealth(endpoint)) return;
    await delay(HEALTH_POLL_MS);
  }
  const reason =
    child.exitCode === null ? `did not answer within ${START_TIMEOUT_MS / 1000} s` : "ended while starting";
  throw new LocalError(
    "EMULATOR_START_FAILED",
    `The embedded AWS on ${endpoint} ${reason}. It needs a free port on 127.0.0.1 and the packages under .local/venv; ` +
      `remove .local and run the command again to have them installed anew. Its last words:\n${errorTail()}`,
  );
}

/** Asked with a separate agent, so that no proxy setting of Node or of the user applies. */
function answersHealth(endpoint: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get(
      `${endpoint}/_ministack/health`,
      { agent: new http.Agent(), timeout: 2_000 },
      (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode === 200));
      },
    );
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}

async function stopChild(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  child.stdin?.destroy();
  const timeout = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timeout);
}

function collectTail(child: ChildProcess): () => string {
  let tail = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      tail = (tail + chunk.toString()).slice(-ERROR_TAIL_CHARS);
    });
  }
  return () => tail.trim();
}

async function freeLoopbackPort(): Promise<number> {
  const server = net.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("a listening TCP server has an address");
  return address.port;
}
