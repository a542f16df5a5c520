/** The calls that a fault proxy noted. */

/** One call as it arrived, kept for the test to look at. */
export interface RecordedCall {
  /** Position among all calls, from 1. */
  readonly number: number;
  /** `DynamoDB.PutItem`, `KMS.Decrypt`; `METHOD /path` for services without X-Amz-Target. */
  readonly target: string;
  /** The request's JSON; undefined where the body is not JSON. */
  readonly input: Readonly<Record<string, unknown>> | undefined;
  /** What the client got: `forwarded`, or the name of the fault. */
  outcome: string;
  /** HTTP status that the client got; undefined while unanswered or when the answer was withheld. */
  status: number | undefined;
}

/** What is noted of a call as it arrives. */
export interface ArrivingCall {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body?: unknown;
}

/** Notes the call among the others. */
export function recordCall(calls: RecordedCall[], { body, ...arriving }: ArrivingCall): RecordedCall {
  const call: RecordedCall = {
    number: calls.length + 1,
    target: targetOf(arriving),
    // Few look at it.
    get input() {
      return parseInput(body);
    },
    outcome: "forwarded",
    status: undefined,
  };
  calls.push(call);
  return call;
}

const SERVICE_OF_TARGET: Readonly<Record<string, string>> = { DynamoDB_20120810: "DynamoDB", TrentService: "KMS" };

function targetOf({ method, path, headers }: Omit<ArrivingCall, "body">): string {
  const header = headers["x-amz-target"];
  if (typeof header !== "string") return `${method} ${path.split("?")[0]}`;
  const [service = "", operation = ""] = header.split(".");
  return `${SERVICE_OF_TARGET[service] ?? service}.${operation}`;
}

function parseInput(body: unknown): RecordedCall["input"] {
  try {
    // The SDK's own class of bytes warns when it is turned into a text by itself, as Buffer.from() does.
    const text = typeof body === "string" ? body : new TextDecoder().decode(body as Uint8Array);
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
