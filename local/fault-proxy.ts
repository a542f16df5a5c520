/**
 * An HTTP proxy on loopback in front of the embedded AWS that fails on command. No emulator ever answers with a
 * transaction conflict, a throttle or a lost answer, so without it the retry paths would run for the first time in
 * production. Functions are pointed at it by AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL_KMS.
 */
import { once } from "node:events";
import http from "node:http";
import { assertLoopback } from "./embedded-aws";
import { type ArrivingCall, type RecordedCall, recordCall } from "./recorded-calls";

/** An error as the AWS services with JSON protocols write it. */
export interface AwsErrorAnswer {
  readonly status: number;
  /** Value of `__type`; the SDK takes what follows the `#`. */
  readonly type: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export type Hook = (call: RecordedCall) => void | Promise<void>;

export type Fault =
  /** Answer with an error and never forward. */
  | { readonly kind: "answer"; readonly answer: (call: RecordedCall) => AwsErrorAnswer; readonly name: string }
  /** Close the connection before forwarding: nothing happened, and the client cannot know. */
  | { readonly kind: "disconnect" }
  /** Forward, wait for the complete answer, then close the connection: it happened, and the client cannot know. */
  | { readonly kind: "loseAnswer" }
  /** Forward and answer as usual, with something done before or after (kill the caller, hold it, look at a table). */
  | { readonly kind: "hook"; readonly before?: Hook; readonly after?: Hook };

export interface Rule {
  /** `DynamoDB.TransactWriteItems`, `KMS.*` or `*`. */
  readonly target: string;
  /** Which of the matching calls, counted from 1 since the rule was added. Without `to` only that one; absent means every one. */
  readonly calls?: { readonly from: number; readonly to?: number };
  /** A further condition, for example on the table name in the input. */
  readonly where?: (call: RecordedCall) => boolean;
  readonly fault: Fault;
}

export interface ActiveRule {
  /** How many calls matched, and how many of those got the fault. */
  readonly matched: number;
  readonly fired: number;
  remove(): void;
}

export interface FaultProxy {
  readonly url: string;
  /** The service that calls go to. */
  readonly upstream: string;
  readonly calls: readonly RecordedCall[];
  /** The first rule that applies to a call decides; rules are asked in the order they were added. */
  inject(rule: Rule): ActiveRule;
  count(target: string): number;
  /**
   * For a client in this process: notes a call that the client sends to the service itself, which takes half the processor time.
   * Returns undefined where the call must come to the proxy: while there is a rule, or while connecting is refused.
   */
  notePassing(call: ArrivingCall): RecordedCall | undefined;
  /** Forgets all rules and calls. */
  reset(): void;
  /** Closes the listening port, so that connecting is refused, until `acceptConnections()`. */
  refuseConnections(): Promise<void>;
  acceptConnections(): Promise<void>;
  stop(): Promise<void>;
}

const DYNAMODB_PREFIX = "com.amazonaws.dynamodb.v20120810#";

/** The faults that AWS documents for DynamoDB and KMS, in the form in which it sends them. */
export const FAULTS = {
  /** Another transaction holds an item. `items` are the positions that report the conflict; the others say `None`. */
  transactionConflict: (items: readonly number[] = [0]): Fault => ({
    kind: "answer",
    name: "TransactionCanceledException",
    answer: (call) => transactionCanceled(call, items),
  }),
  /** While another transaction commits the same pair, one item may be reported as there and the other as in conflict. */
  partlyDecided: (exists: number, conflicting: number): Fault => ({
    kind: "answer",
    name: "TransactionCanceledException",
    answer: (call) => transactionCanceled(call, [conflicting], [exists]),
  }),
  provisionedThroughputExceeded: (): Fault =>
    awsError(400, `${DYNAMODB_PREFIX}ProvisionedThroughputExceededException`, {
      message: "The level of configured provisioned throughput for the table was exceeded.",
    }),
  throttling: (): Fault =>
    awsError(400, "com.amazon.coral.availability#ThrottlingException", {
      message: "Rate of requests exceeds the limit.",
    }),
  transactionInProgress: (): Fault =>
    awsError(400, `${DYNAMODB_PREFIX}TransactionInProgressException`, {
      Message: "The transaction with the given request token is already in progress.",
    }),
  accessDenied: (): Fault =>
    awsError(400, "com.amazon.coral.service#AccessDeniedException", {
      Message: "User is not authorized to perform this.",
    }),
  internalError: (): Fault =>
    awsError(500, `${DYNAMODB_PREFIX}InternalServerError`, { message: "The request processing has failed." }),
  disconnect: (): Fault => ({ kind: "disconnect" }),
  loseAnswer: (): Fault => ({ kind: "loseAnswer" }),
  before: (before: Hook): Fault => ({ kind: "hook", before }),
  after: (after: Hook): Fault => ({ kind: "hook", after }),
} as const;

/** Any other error of a JSON protocol. */
export function awsError(status: number, type: string, body: Readonly<Record<string, unknown>>): Fault {
  const name = type.slice(type.indexOf("#") + 1);
  return { kind: "answer", name, answer: () => ({ status, type, body }) };
}

function transactionCanceled(
  call: RecordedCall,
  conflicting: readonly number[],
  existing: readonly number[] = [],
): AwsErrorAnswer {
  const items = call.input?.["TransactItems"];
  const length = Array.isArray(items) ? items.length : 1;
  const reasons = Array.from({ length }, (_, index) => {
    if (conflicting.includes(index))
      return { Code: "TransactionConflict", Message: "Transaction is ongoing for the item" };
    if (existing.includes(index)) return { Code: "ConditionalCheckFailed", Message: "The conditional request failed" };
    return { Code: "None" };
  });
  const codes = reasons.map(({ Code }) => Code).join(", ");
  return {
    status: 400,
    type: `${DYNAMODB_PREFIX}TransactionCanceledException`,
    body: {
      Message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
      CancellationReasons: reasons,
    },
  };
}

export async function startFaultProxy(upstream: string): Promise<FaultProxy> {
  assertLoopback(upstream);
  const calls: RecordedCall[] = [];
  const rules: LiveRule[] = [];
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer((request, response) => {
    serve({ upstream, agent, calls, rules }, request, response).catch(() => request.socket.destroy());
  });
  const port = await listen(server, 0);
  return {
    url: `http://127.0.0.1:${port}`,
    upstream,
    calls,
    inject: (rule) => {
      const live = new LiveRule(rule, (self) => {
        if (rules.includes(self)) rules.splice(rules.indexOf(self), 1);
      });
      rules.push(live);
      return live;
    },
    count: (target) => calls.filter((call) => matches(target, call.target)).length,
    notePassing: (call) => (rules.length === 0 && server.listening ? recordCall(calls, call) : undefined),
    reset: () => {
      rules.length = 0;
      calls.length = 0;
    },
    refuseConnections: () => close(server),
    acceptConnections: async () => {
      if (!server.listening) await listen(server, port);
    },
    stop: async () => {
      await close(server);
      agent.destroy();
    },
  };
}

class LiveRule implements ActiveRule {
  matched = 0;
  fired = 0;

  constructor(
    readonly rule: Rule,
    private readonly onRemove: (self: LiveRule) => void,
  ) {}

  /** Counts a matching call and says whether the fault is for it. */
  claims(call: RecordedCall): boolean {
    if (!matches(this.rule.target, call.target) || this.rule.where?.(call) === false) return false;
    this.matched += 1;
    const { from = 1, to = from } = this.rule.calls ?? { to: Number.POSITIVE_INFINITY };
    if (this.matched < from || this.matched > to) return false;
    this.fired += 1;
    return true;
  }

  remove(): void {
    this.onRemove(this);
  }
}

interface ProxyState {
  readonly upstream: string;
  readonly agent: http.Agent;
  readonly calls: RecordedCall[];
  readonly rules: readonly LiveRule[];
}

async function serve(state: ProxyState, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const body = await readAll(request);
  const { method = "", url: path = "/", headers } = request;
  const call = recordCall(state.calls, { method, path, headers, body });
  const fault = state.rules.find((rule) => rule.claims(call))?.rule.fault;
  if (fault === undefined) return answerWith(call, response, await forward(state, request, body));
  switch (fault.kind) {
    case "answer":
      call.outcome = fault.name;
      return answerWith(call, response, errorAnswer(request, fault.answer(call)));
    case "disconnect":
      call.outcome = fault.kind;
      request.socket.destroy();
      return;
    case "loseAnswer":
      call.outcome = fault.kind;
      await forward(state, request, body);
      request.socket.destroy();
      return;
    case "hook": {
      await fault.before?.(call);
      const answer = await forward(state, request, body);
      await fault.after?.(call);
      return answerWith(call, response, answer);
    }
  }
}

function matches(pattern: string, target: string): boolean {
  if (pattern.endsWith("*")) return target.startsWith(pattern.slice(0, -1));
  return pattern === target;
}

interface Answer {
  readonly status: number;
  readonly headers: http.OutgoingHttpHeaders;
  readonly body: Buffer;
}

function answerWith(call: RecordedCall, response: http.ServerResponse, answer: Answer): void {
  call.status = answer.status;
  response.writeHead(answer.status, { ...answer.headers, "content-length": answer.body.length });
  response.end(answer.body);
}

function errorAnswer(request: http.IncomingMessage, { status, type, body }: AwsErrorAnswer): Answer {
  const contentType = request.headers["content-type"] ?? "application/x-amz-json-1.0";
  const requestId = `fault-proxy-${Date.now()}`;
  return {
    status,
    headers: { "content-type": contentType, "x-amzn-requestid": requestId },
    body: Buffer.from(JSON.stringify({ __type: type, ...body })),
  };
}

/** Sends the request on and reads the whole answer, so that "after" means that the service is done with it. */
function forward(state: ProxyState, request: http.IncomingMessage, body: Buffer): Promise<Answer> {
  const { "transfer-encoding": _chunked, ...headers } = request.headers;
  return new Promise((resolve, reject) => {
    const outgoing = http.request(
      new URL(request.url ?? "/", state.upstream),
      { method: request.method, headers: { ...headers, "content-length": body.length }, agent: state.agent },
      (incoming) => {
        readAll(incoming).then((answer) => {
          const { "transfer-encoding": _encoding, connection: _connection, ...answerHeaders } = incoming.headers;
          resolve({ status: incoming.statusCode ?? 502, headers: answerHeaders, body: answer });
        }, reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

async function readAll(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function listen(server: http.Server, port: number): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a listening TCP server has an address");
  return address.port;
}

async function close(server: http.Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
