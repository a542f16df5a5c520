/**
 * The gate in front of the emulator: it asks of every call what AWS would ask, and refuses in AWS's own words what the plan's
 * policies do not allow. Each function has its own port, which is how the gate knows who calls; people have one port and
 * are known by their access key id.
 *
 * It is there to show what AWS will say, and protects nothing: the emulator's own port is open to this machine.
 */

import { once } from "node:events";
import http from "node:http";
import { performance } from "node:perf_hooks";
import { assertLoopback } from "../embedded-aws";
import { LocalError } from "../errors";
import { type ApiCall, readApiCall } from "./api-call";
import { type Authorisation, type CallingIdentity, THE_CALL } from "./authorisation";
import { absenceOf, authorisationsOf } from "./authorize";
import type { EffectivePolicies } from "./effective";
import { followChange, isNotFollowed } from "./follow";
import { isPerson, PEOPLE } from "./identities";
import { addPeople, personArn } from "./people";
import { functionPrincipal, platformAuthorisations } from "./platform";
import { type AwsRefusal, refusalOf, unrecognised, writeRefusal } from "./refusals";

export interface DeniedCall {
  readonly authorisation: Authorisation;
  /** As AWS words it. */
  readonly message: string;
}

export interface GateCounts {
  readonly calls: number;
  readonly authorisations: number;
  readonly denied: readonly DeniedCall[];
  /** Time that the questions took, call by call, of the last calls. */
  readonly decisionMicroseconds: readonly number[];
}

export interface Gate {
  /** For people. */
  readonly url: string;
  readonly counts: GateCounts;
  /** Those in force; undefined until the gate is armed. */
  readonly policies: EffectivePolicies | undefined;
  /** Given each authorisation that was allowed, for `npm run permissions`. */
  onAllowed: ((authorisation: Authorisation) => void) | undefined;
  urlOf(functionName: string): Promise<string>;
  /**
   * Opens the gate. @throws LocalError `PERMISSION_MISSING` where a service could not do what the deployed resources need,
   * `POLICY_UNSUPPORTED` where a policy says what cannot be evaluated here.
   */
  arm(policies: EffectivePolicies): void;
  stop(): Promise<void>;
}

const TIMES_KEPT = 20_000;
const DENIED_KEPT = 1_000;

export async function startGate(upstream: string): Promise<Gate> {
  assertLoopback(upstream);
  const gate = new RunningGate(upstream);
  await gate.start();
  return gate;
}

class RunningGate implements Gate {
  onAllowed: Gate["onAllowed"];
  private peopleUrl = "";
  policies: EffectivePolicies | undefined;
  private readonly servers: http.Server[] = [];
  private readonly functionUrls = new Map<string, Promise<string>>();
  private readonly agent = new http.Agent({ keepAlive: true });
  private readonly counted = {
    calls: 0,
    authorisations: 0,
    denied: [] as DeniedCall[],
    decisionMicroseconds: [] as number[],
  };

  constructor(private readonly upstream: string) {}

  get url(): string {
    return this.peopleUrl;
  }

  get counts(): GateCounts {
    return this.counted;
  }

  async start(): Promise<void> {
    this.peopleUrl = await this.listen((call) => this.personOf(call));
  }

  urlOf(functionName: string): Promise<string> {
    const existing = this.functionUrls.get(functionName);
    const url = existing ?? this.listen(() => this.functionCaller(functionName));
    this.functionUrls.set(functionName, url);
    return url;
  }

  arm(policies: EffectivePolicies): void {
    addPeople(policies);
    const refused = platformAuthorisations(policies).flatMap((each) => {
      const decision = policies.decide(each);
      return decision.allowed ? [] : [`${each.address}: ${refusalOf(each, decision.reason).message} (${each.because})`];
    });
    if (refused.length > 0) throw permissionMissing(refused);
    this.policies = policies;
  }

  async stop(): Promise<void> {
    for (const server of this.servers) {
      server.closeAllConnections();
      server.close();
    }
    this.agent.destroy();
  }

  private async listen(callerOf: (call: ApiCall) => CallingIdentity | undefined): Promise<string> {
    const server = http.createServer((request, response) => {
      this.serve(request, response, callerOf).catch(() => request.socket.destroy());
    });
    server.keepAliveTimeout = 60_000;
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    // A gate that nobody stopped must not keep its process alive.
    server.unref();
    this.servers.push(server);
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("a listening TCP server has an address");
    return `http://127.0.0.1:${address.port}`;
  }

  private functionCaller(name: string): CallingIdentity | undefined {
    const deployed = this.policies?.functions.get(name);
    if (deployed === undefined) return undefined;
    const principal = functionPrincipal(deployed.roleArn, name);
    return { principal, functionArn: deployed.arn, inVpc: deployed.inVpc };
  }

  private personOf({ accessKeyId }: ApiCall): CallingIdentity | undefined {
    if (this.policies === undefined || accessKeyId === undefined || !isPerson(accessKeyId)) return undefined;
    return { principal: { kind: "user", arn: personArn(accessKeyId, this.policies) } };
  }

  private async serve(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    callerOf: (call: ApiCall) => CallingIdentity | undefined,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk as Buffer));
    const body = Buffer.concat(chunks);
    const { method = "GET", url = "/", headers } = request;
    const call = readApiCall(method, url, headers, body);
    const policies = this.policies;
    if (policies === undefined) return writeRefusal(response, call, NOT_READY);
    const caller = callerOf(call);
    if (caller === undefined) return writeRefusal(response, call, unrecognised(call, PEOPLE));
    const asked = this.judge(call, caller, policies);
    if ("refusal" in asked) return writeRefusal(response, call, asked.refusal);
    const incoming = await this.forward(request, body);
    const status = incoming.statusCode ?? 502;
    if (status === 404 && call.protocol === "rest-xml") {
      const hidden = this.decide(absenceOf(call, caller, policies), policies);
      if (hidden !== undefined) {
        incoming.resume();
        return writeRefusal(response, call, hidden);
      }
    }
    if (status < 300) for (const action of asked.actions) followChange(action, call, policies);
    answer(response, incoming, status);
  }

  /** What the call needs, all of it decided. */
  private judge(
    call: ApiCall,
    caller: CallingIdentity,
    policies: EffectivePolicies,
  ): { readonly refusal: AwsRefusal } | { readonly actions: readonly string[] } {
    const startedAt = performance.now();
    const wanted = authorisationsOf(call, caller, policies);
    const refusal = this.decide(wanted, policies);
    this.counted.calls += 1;
    keepLast(this.counted.decisionMicroseconds, (performance.now() - startedAt) * 1000, TIMES_KEPT);
    if (refusal !== undefined) return { refusal };
    // Not what a service does in the caller's name: the emulator does that itself.
    const actions = wanted.filter(({ because }) => because === THE_CALL).map(({ action }) => action);
    const unfollowed = actions.find(isNotFollowed);
    return unfollowed === undefined ? { actions } : { refusal: notFollowed(unfollowed) };
  }

  private decide(wanted: readonly Authorisation[], policies: EffectivePolicies): AwsRefusal | undefined {
    this.counted.authorisations += wanted.length;
    for (const authorisation of wanted) {
      const decision = policies.decide(authorisation);
      if (!decision.allowed) {
        const refusal = refusalOf(authorisation, decision.reason);
        keepLast(this.counted.denied, { authorisation, message: refusal.message }, DENIED_KEPT);
        return refusal;
      }
    }
    if (this.onAllowed !== undefined) wanted.forEach(this.onAllowed);
    return undefined;
  }

  private async forward(request: http.IncomingMessage, body: Buffer): Promise<http.IncomingMessage> {
    const { "transfer-encoding": _, ...headers } = request.headers;
    const outgoing = http.request(new URL(request.url ?? "/", this.upstream), {
      method: request.method,
      // The host stays the gate's: the URLs of queues that the emulator answers with lead here.
      headers: { ...headers, "content-length": body.length },
      agent: this.agent,
    });
    outgoing.end(body);
    const [incoming] = (await once(outgoing, "response")) as [http.IncomingMessage];
    return incoming;
  }
}

const NOT_READY: AwsRefusal = {
  status: 503,
  code: "ServiceUnavailable",
  message: "The embedded AWS is being deployed. Try again.",
};

function notFollowed(action: string): AwsRefusal {
  return {
    status: 501,
    code: "NotImplemented",
    message: `${action} is allowed, but the embedded AWS cannot follow what it changes about permissions, so it is not carried out.`,
  };
}

function answer(response: http.ServerResponse, incoming: http.IncomingMessage, status: number): void {
  const { "transfer-encoding": _, connection: __, ...headers } = incoming.headers;
  response.writeHead(status, headers);
  incoming.on("error", () => response.destroy());
  incoming.pipe(response);
}

function keepLast<T>(list: T[], item: T, max: number): void {
  list.push(item);
  if (list.length > max) list.shift();
}

function permissionMissing(refused: readonly string[]): LocalError {
  return new LocalError(
    "PERMISSION_MISSING",
    `AWS would refuse what these resources need:\n${refused.map((each) => `  ${each}`).join("\n")}\n` +
      "Add the permission to the policy in stacks/, or take the resource out.",
  );
}
