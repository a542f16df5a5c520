/** What CloudTrail's events say of who called: invocations of functions, and the principals that appear anywhere. */

/** One `Invoke` of a Lambda function. */
export interface Invocation {
  readonly requestId: string;
  /** Name as deployed, from the function's ARN. */
  readonly functionName: string;
  /** RFC 3339 in UTC. */
  readonly time: string;
  /** The AWS service that called by itself, such as `s3.amazonaws.com`; absent for a call in a principal's name. */
  readonly service?: string;
  readonly principal: TrailPrincipal;
  readonly sourceAddress?: string;
  readonly vpcEndpoint?: string;
}

export interface TrailPrincipal {
  /** `AROA...:session`, `AIDA...`; empty for a service. */
  readonly id: string;
  readonly arn?: string;
  /** Set once when the session is made; the session's user cannot change it. */
  readonly sourceIdentity?: string;
}

export interface TrailEvents {
  readonly invocations: readonly Invocation[];
  readonly principals: readonly TrailPrincipal[];
}

/** The events of a log file. @throws SyntaxError for what is no JSON, which no file with the hash of its digest is. */
export function readEvents(content: string): TrailEvents {
  const { Records: records } = JSON.parse(content) as { readonly Records?: unknown };
  const events = Array.isArray(records) ? records.map(fieldsOf) : [];
  return {
    invocations: events.flatMap(invocationIn),
    principals: events
      .flatMap((event) => [principalIn(fieldsOf(event["userIdentity"])), sessionBegunIn(event)])
      .filter(({ id }) => id !== ""),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function invocationIn(event: Fields): Invocation[] {
  const [requestId, time] = [textOf(event, "requestID"), textOf(event, "eventTime")];
  const isInvoke = textOf(event, "eventSource") === "lambda.amazonaws.com" && textOf(event, "eventName") === "Invoke";
  if (!isInvoke || requestId === undefined || time === undefined) return [];
  const identity = fieldsOf(event["userIdentity"]);
  const service = textOf(identity, "type") === "AWSService" ? textOf(identity, "invokedBy") : undefined;
  return [
    {
      requestId,
      functionName: functionNameIn(event),
      time,
      principal: principalIn(identity),
      ...defined({
        service,
        sourceAddress: textOf(event, "sourceIPAddress"),
        vpcEndpoint: textOf(event, "vpcEndpointId"),
      }),
    },
  ];
}

/** `arn:aws:lambda:region:account:function:name`, with or without a version behind it. */
function functionNameIn(event: Fields): string {
  const resources = event["resources"];
  const arns = Array.isArray(resources) ? resources.map((resource) => textOf(fieldsOf(resource), "ARN") ?? "") : [];
  const [arn = ""] = arns.filter((each) => each.includes(":function:"));
  return arn.split(":")[6] ?? "";
}

function principalIn(identity: Fields): TrailPrincipal {
  const session = fieldsOf(identity["sessionContext"]);
  return {
    id: textOf(identity, "principalId") ?? "",
    ...defined({ arn: textOf(identity, "arn"), sourceIdentity: textOf(session, "sourceIdentity") }),
  };
}

/** The session that STS began: a caller who uses only the private API appears nowhere else in the trail. */
function sessionBegunIn(event: Fields): TrailPrincipal {
  const isBegun =
    textOf(event, "eventSource") === "sts.amazonaws.com" && event["eventName"]?.toString().startsWith("AssumeRole");
  const begun = fieldsOf(isBegun ? fieldsOf(event["responseElements"])["assumedRoleUser"] : undefined);
  return {
    id: textOf(begun, "assumedRoleId") ?? "",
    ...defined({
      arn: textOf(begun, "arn"),
      sourceIdentity: textOf(fieldsOf(event["requestParameters"]), "sourceIdentity"),
    }),
  };
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

type Defined<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends Readonly<Record<string, string | undefined>>>(texts: T): Defined<T> {
  return Object.fromEntries(Object.entries(texts).filter(([, value]) => value !== undefined)) as Defined<T>;
}
