/** The evaluator answers as IAM's documentation says: small policies with known answers, and laws that hold for all. */

import fc from "fast-check";
import {
  type AccessRequest,
  type ApplicablePolicies,
  compilePolicy,
  decide,
  type PolicyDocument,
  type PolicyStatement,
  type Principal,
} from "../../../local/iam/evaluate";

const ACCOUNT = "111122223333";
const OTHER = "444455556666";
const TABLE = `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/PaymentLedger`;
const KEY = `arn:aws:kms:us-east-1:${ACCOUNT}:key/0a1b2c3d`;
const QUEUE = `arn:aws:sqs:us-east-1:${ACCOUNT}:work`;
const BUCKET = "arn:aws:s3:::evidence";
const FUNCTION = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:processor`;
const S3 = "s3.us-east-1.amazonaws.com";

const roleArn = (name: string, account = ACCOUNT) => `arn:aws:iam::${account}:role/${name}`;
const sessionArn = (name: string, account = ACCOUNT) => `arn:aws:sts::${account}:assumed-role/${name}/session`;
const role = (name: string, account = ACCOUNT): Principal => ({
  kind: "role",
  arn: roleArn(name, account),
  sessionArn: sessionArn(name, account),
});
const service = (name: string): Principal => ({ kind: "service", name: `${name}.amazonaws.com` });
const ROOT: Principal = { kind: "root", arn: `arn:aws:iam::${ACCOUNT}:root` };
const USER: Principal = { kind: "user", arn: `arn:aws:iam::${ACCOUNT}:user/auditor` };

type Conditions = PolicyStatement["Condition"];
const allow = (Action: string, Resource: string, Condition?: Conditions): PolicyStatement => ({
  Effect: "Allow",
  Action,
  Resource,
  ...(Condition && { Condition }),
});
const deny = (Action: string, Resource: string, Condition?: Conditions): PolicyStatement => ({
  ...allow(Action, Resource, Condition),
  Effect: "Deny",
});
const to = (Principal: NonNullable<PolicyStatement["Principal"]>, statement: PolicyStatement): PolicyStatement => ({
  ...statement,
  Principal,
});
const ACCOUNT_ROOT = { AWS: `arn:aws:iam::${ACCOUNT}:root` };
const STAR = [allow("*", "*")];

interface Case {
  readonly by?: Principal;
  readonly action: string;
  readonly on: string;
  readonly account?: string;
  readonly context?: AccessRequest["context"];
  readonly identity?: PolicyStatement[];
  readonly boundary?: PolicyStatement[];
  readonly resource?: PolicyStatement[];
  readonly endpoint?: PolicyStatement[];
}

function document(Statement: PolicyStatement[]): PolicyDocument {
  return { Version: "2012-10-17", Statement };
}

function answer({ by = role("writer"), action, on, account = ACCOUNT, context = {}, ...policies }: Case): string {
  const compiled = (statements: PolicyStatement[] | undefined) =>
    statements === undefined ? undefined : compilePolicy(document(statements), "a test's policy");
  const applicable: ApplicablePolicies = {
    identity: policies.identity === undefined ? [] : [compilePolicy(document(policies.identity), "identity")],
    boundary: compiled(policies.boundary),
    resource: compiled(policies.resource),
    endpoint: compiled(policies.endpoint),
  };
  const decision = decide({ principal: by, action, resource: on, account, context }, applicable);
  return decision.allowed ? "allowed" : decision.reason;
}

const NO_IDENTITY = /^because no identity-based policy allows the/;
const NO_RESOURCE = /^because no resource-based policy allows the/;
const NO_BOUNDARY = /^because no permissions boundary allows the/;
const NO_ENDPOINT = /^because no VPC endpoint policy allows the/;
const BY_RESOURCE = /^with an explicit deny in a resource-based policy$/;
const ALLOWED = /^allowed$/;

const onlyWriter = [
  to("*", deny("dynamodb:PutItem", TABLE, { ArnNotEquals: { "aws:PrincipalArn": [roleArn("writer")] } })),
];
const onceOnly = [to("*", deny("s3:PutObject", `${BUCKET}/log/*`, { Null: { "s3:if-none-match": "true" } }))];
const notCosignatures: PolicyStatement[] = [
  {
    Effect: "Deny",
    Principal: "*",
    Action: "s3:PutObject",
    NotResource: `${BUCKET}/log/cosignatures/*`,
    Condition: { ArnNotEquals: { "aws:PrincipalArn": [roleArn("sealer")] } },
  },
];
const trailWrites = [
  to(
    { Service: "cloudtrail.amazonaws.com" },
    allow("s3:PutObject", `${BUCKET}/AWSLogs/*`, {
      StringEquals: { "aws:SourceArn": "arn:aws:cloudtrail:us-east-1:1:trail/t" },
    }),
  ),
];
const scanOfTwo = allow("dynamodb:Scan", TABLE, {
  "ForAllValues:StringEquals": { "dynamodb:Attributes": ["a", "b"] },
  StringEquals: { "dynamodb:Select": "SPECIFIC_ATTRIBUTES" },
});
const scan = (attributes: string[]): Pick<Case, "action" | "on" | "context" | "identity"> => ({
  action: "dynamodb:Scan",
  on: TABLE,
  context: { "dynamodb:Attributes": attributes, "dynamodb:Select": "SPECIFIC_ATTRIBUTES" },
  identity: [scanOfTwo],
});
const foreignRead = to({ AWS: `arn:aws:iam::${OTHER}:root` }, allow("s3:GetObject", `${BUCKET}/*`));
const throughS3 = to(ACCOUNT_ROOT, allow("kms:Decrypt", "*", { StringEquals: { "kms:ViaService": S3 } }));
const forLedger = to(
  ACCOUNT_ROOT,
  allow("kms:Decrypt", "*", { StringEquals: { "kms:EncryptionContext:Table": ["PaymentLedger"] } }),
);
const forBucket = to(
  ACCOUNT_ROOT,
  allow("kms:Decrypt", "*", { ArnLike: { "kms:EncryptionContext:aws:s3:arn": [BUCKET, `${BUCKET}/*`] } }),
);

test.each<[string, RegExp, Case]>([
  [
    "an identity policy allows",
    ALLOWED,
    { action: "dynamodb:PutItem", on: TABLE, identity: [allow("dynamodb:PutItem", TABLE)] },
  ],
  ["nothing says anything", NO_IDENTITY, { action: "dynamodb:PutItem", on: TABLE }],
  [
    "another action is allowed",
    NO_IDENTITY,
    { action: "dynamodb:ConditionCheckItem", on: TABLE, identity: [allow("dynamodb:PutItem", TABLE)] },
  ],
  [
    "another resource is allowed",
    NO_IDENTITY,
    { action: "dynamodb:PutItem", on: `${TABLE}-2`, identity: [allow("dynamodb:PutItem", TABLE)] },
  ],
  [
    "an index is not its table",
    NO_IDENTITY,
    { action: "dynamodb:Query", on: `${TABLE}/index/by-time`, identity: [allow("dynamodb:Query", TABLE)] },
  ],
  [
    "an explicit deny wins over every allow",
    /identity-based policy$/,
    { action: "s3:GetObject", on: `${BUCKET}/x`, identity: [...STAR, deny("s3:GetObject", "*")] },
  ],
  [
    "the boundary is silent",
    NO_BOUNDARY,
    { action: "dynamodb:DeleteItem", on: TABLE, identity: STAR, boundary: [allow("dynamodb:PutItem", TABLE)] },
  ],
  [
    "the boundary denies",
    /permissions boundary$/,
    { action: "dynamodb:PutItem", on: TABLE, identity: STAR, boundary: [...STAR, deny("dynamodb:PutItem", "*")] },
  ],
  [
    "a table's policy denies all but one role",
    BY_RESOURCE,
    { by: role("administrator"), action: "dynamodb:PutItem", on: TABLE, identity: STAR, resource: onlyWriter },
  ],
  ["and spares that role", ALLOWED, { action: "dynamodb:PutItem", on: TABLE, identity: STAR, resource: onlyWriter }],
  [
    "it denies the root user too",
    BY_RESOURCE,
    { by: ROOT, action: "dynamodb:PutItem", on: TABLE, resource: onlyWriter },
  ],
  [
    "it denies another account too",
    BY_RESOURCE,
    { by: role("writer", OTHER), action: "dynamodb:PutItem", on: TABLE, identity: STAR, resource: onlyWriter },
  ],
  ["the root user needs no policy of an identity", ALLOWED, { by: ROOT, action: "dynamodb:DeleteTable", on: TABLE }],
  [
    "a user's own policy allows",
    ALLOWED,
    { by: USER, action: "dynamodb:Scan", on: TABLE, identity: [allow("dynamodb:Scan", TABLE)] },
  ],
  [
    "across accounts, the bucket's policy alone",
    NO_IDENTITY,
    { by: role("reader", OTHER), action: "s3:GetObject", on: `${BUCKET}/x`, resource: [foreignRead] },
  ],
  [
    "across accounts, the identity's policy alone",
    NO_RESOURCE,
    { by: role("reader", OTHER), action: "s3:GetObject", on: `${BUCKET}/x`, identity: STAR },
  ],
  [
    "across accounts, both",
    ALLOWED,
    { by: role("reader", OTHER), action: "s3:GetObject", on: `${BUCKET}/x`, identity: STAR, resource: [foreignRead] },
  ],
  [
    "a key whose policy is silent",
    NO_RESOURCE,
    { action: "kms:Encrypt", on: KEY, identity: STAR, resource: [to({ AWS: roleArn("other") }, allow("kms:*", "*"))] },
  ],
  [
    "a key whose policy lets the account, and the identity too",
    ALLOWED,
    { action: "kms:Encrypt", on: KEY, identity: STAR, resource: [to(ACCOUNT_ROOT, allow("kms:Encrypt", "*"))] },
  ],
  [
    "a key whose policy lets the account, and the identity not",
    NO_IDENTITY,
    { action: "kms:Encrypt", on: KEY, resource: [to(ACCOUNT_ROOT, allow("kms:Encrypt", "*"))] },
  ],
  [
    "a key's policy that names the role is enough",
    ALLOWED,
    { action: "kms:Encrypt", on: KEY, resource: [to({ AWS: roleArn("writer") }, allow("kms:Encrypt", "*"))] },
  ],
  ["a key without any policy", NO_RESOURCE, { action: "kms:Encrypt", on: KEY, identity: STAR }],
  [
    "a key for one service, called directly",
    NO_RESOURCE,
    { action: "kms:Decrypt", on: KEY, identity: STAR, resource: [throughS3] },
  ],
  [
    "and through the service",
    ALLOWED,
    { action: "kms:Decrypt", on: KEY, identity: STAR, resource: [throughS3], context: { "kms:ViaService": S3 } },
  ],
  [
    "an encryption context that fits",
    ALLOWED,
    {
      action: "kms:Decrypt",
      on: KEY,
      identity: STAR,
      resource: [forLedger],
      context: { "kms:EncryptionContext:Table": "PaymentLedger" },
    },
  ],
  [
    "an encryption context that does not",
    NO_RESOURCE,
    {
      action: "kms:Decrypt",
      on: KEY,
      identity: STAR,
      resource: [forLedger],
      context: { "kms:EncryptionContext:Table": "Other" },
    },
  ],
  [
    "a context key that contains colons",
    ALLOWED,
    {
      action: "kms:Decrypt",
      on: KEY,
      identity: STAR,
      resource: [forBucket],
      context: { "kms:EncryptionContext:aws:s3:arn": `${BUCKET}/log/tile/0/000` },
    },
  ],
  [
    "the endpoint's policy is silent",
    NO_ENDPOINT,
    { action: "dynamodb:GetItem", on: TABLE, identity: STAR, endpoint: [to("*", allow("dynamodb:PutItem", TABLE))] },
  ],
  [
    "the endpoint's policy allows by the caller's ARN",
    ALLOWED,
    {
      action: "dynamodb:GetItem",
      on: TABLE,
      identity: STAR,
      endpoint: [
        to(
          "*",
          allow("dynamodb:GetItem", TABLE, {
            ArnEquals: { "aws:PrincipalArn": [roleArn("writer")] },
            StringEquals: { "aws:PrincipalAccount": ACCOUNT },
          }),
        ),
      ],
    },
  ],
  [
    "the endpoint's policy grants nothing by itself",
    NO_IDENTITY,
    { action: "dynamodb:GetItem", on: TABLE, endpoint: [to("*", allow("dynamodb:GetItem", TABLE))] },
  ],
  ["all values are among those allowed", ALLOWED, scan(["a"])],
  ["one value is not", NO_IDENTITY, scan(["a", "c"])],
  [
    "no value at all satisfies ForAllValues",
    ALLOWED,
    {
      action: "dynamodb:Scan",
      on: TABLE,
      identity: [allow("dynamodb:Scan", TABLE, { "ForAllValues:StringEquals": { "dynamodb:Attributes": ["a"] } })],
    },
  ],
  [
    "a header that must be there is missing",
    BY_RESOURCE,
    { action: "s3:PutObject", on: `${BUCKET}/log/x`, identity: STAR, resource: onceOnly },
  ],
  [
    "and is there",
    ALLOWED,
    {
      action: "s3:PutObject",
      on: `${BUCKET}/log/x`,
      identity: STAR,
      resource: onceOnly,
      context: { "s3:if-none-match": "*" },
    },
  ],
  [
    "a queue's policy that names the role is enough",
    ALLOWED,
    {
      action: "sqs:SendMessage",
      on: QUEUE,
      resource: [to({ AWS: roleArn("writer") }, allow("sqs:SendMessage", QUEUE))],
    },
  ],
  [
    "but within the role's boundary",
    NO_BOUNDARY,
    {
      action: "sqs:SendMessage",
      on: QUEUE,
      boundary: [allow("s3:*", "*")],
      resource: [to({ AWS: roleArn("writer") }, allow("sqs:SendMessage", QUEUE))],
    },
  ],
  [
    "naming the session is stronger than the boundary",
    ALLOWED,
    {
      action: "sqs:SendMessage",
      on: QUEUE,
      boundary: [allow("s3:*", "*")],
      resource: [to({ AWS: sessionArn("writer") }, allow("sqs:SendMessage", QUEUE))],
    },
  ],
  [
    "a queue's policy for the account needs the identity's",
    NO_IDENTITY,
    { action: "sqs:SendMessage", on: QUEUE, resource: [to(ACCOUNT_ROOT, allow("sqs:SendMessage", QUEUE))] },
  ],
  [
    "code is refused what the platform may do",
    /identity-based policy$/,
    {
      action: "ec2:DescribeSubnets",
      on: "*",
      context: { "lambda:SourceFunctionArn": FUNCTION },
      identity: [...STAR, deny("ec2:DescribeSubnets", "*", { ArnEquals: { "lambda:SourceFunctionArn": [FUNCTION] } })],
    },
  ],
  [
    "and the platform is not",
    ALLOWED,
    {
      action: "ec2:DescribeSubnets",
      on: "*",
      identity: [...STAR, deny("ec2:DescribeSubnets", "*", { ArnEquals: { "lambda:SourceFunctionArn": [FUNCTION] } })],
    },
  ],
  [
    "a deny of all resources but one, hit",
    BY_RESOURCE,
    {
      by: role("administrator"),
      action: "s3:PutObject",
      on: `${BUCKET}/log/x`,
      identity: STAR,
      resource: notCosignatures,
    },
  ],
  [
    "a deny of all resources but one, spared",
    ALLOWED,
    {
      by: role("administrator"),
      action: "s3:PutObject",
      on: `${BUCKET}/log/cosignatures/x`,
      identity: STAR,
      resource: notCosignatures,
    },
  ],
  [
    "a service for its own source",
    ALLOWED,
    {
      by: service("cloudtrail"),
      action: "s3:PutObject",
      on: `${BUCKET}/AWSLogs/x`,
      resource: trailWrites,
      context: { "aws:SourceArn": "arn:aws:cloudtrail:us-east-1:1:trail/t" },
    },
  ],
  [
    "a service for somebody else's source",
    NO_RESOURCE,
    {
      by: service("cloudtrail"),
      action: "s3:PutObject",
      on: `${BUCKET}/AWSLogs/x`,
      resource: trailWrites,
      context: { "aws:SourceArn": "arn:aws:cloudtrail:us-east-1:2:trail/t" },
    },
  ],
  [
    "another service",
    NO_RESOURCE,
    {
      by: service("config"),
      action: "s3:PutObject",
      on: `${BUCKET}/AWSLogs/x`,
      resource: trailWrites,
      context: { "aws:SourceArn": "arn:aws:cloudtrail:us-east-1:1:trail/t" },
    },
  ],
  [
    "a trust policy names no resource",
    ALLOWED,
    {
      by: service("lambda"),
      action: "sts:AssumeRole",
      on: roleArn("writer"),
      resource: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
    },
  ],
  [
    "actions and condition keys in any case",
    ALLOWED,
    {
      action: "DynamoDB:putitem",
      on: TABLE,
      identity: [allow("dynamodb:PutItem", TABLE, { ArnEquals: { "AWS:principalARN": [roleArn("writer")] } })],
    },
  ],
  [
    "a pattern of resources",
    ALLOWED,
    {
      action: "dynamodb:DescribeImport",
      on: `${TABLE}-drill/import/1`,
      identity: [allow("dynamodb:DescribeImport", `${TABLE}-drill*`)],
    },
  ],
  [
    "ArnEquals takes patterns too",
    ALLOWED,
    {
      action: "s3:GetObject",
      on: `${BUCKET}/x`,
      identity: [allow("s3:GetObject", "*", { ArnEquals: { "aws:PrincipalArn": `arn:aws:iam::${ACCOUNT}:role/*` } })],
    },
  ],
  [
    "which do not reach over the colon of an ARN",
    NO_IDENTITY,
    {
      action: "s3:GetObject",
      on: `${BUCKET}/x`,
      identity: [allow("s3:GetObject", "*", { ArnLike: { "aws:PrincipalArn": "arn:aws:*:role/writer" } })],
    },
  ],
  [
    "a flag",
    ALLOWED,
    {
      action: "kms:CreateGrant",
      on: KEY,
      identity: STAR,
      context: { "kms:GrantIsForAWSResource": "true" },
      resource: [to(ACCOUNT_ROOT, allow("kms:CreateGrant", "*", { Bool: { "kms:GrantIsForAWSResource": "true" } }))],
    },
  ],
  [
    "every call comes over TLS",
    ALLOWED,
    {
      action: "s3:GetObject",
      on: `${BUCKET}/x`,
      identity: STAR,
      resource: [to("*", deny("s3:*", "*", { Bool: { "aws:SecureTransport": "false" } }))],
    },
  ],
])("%s", (_case, expected, request) => {
  expect(answer(request)).toMatch(expected);
});

test.each<[string, PolicyStatement | object]>([
  ["an operator that is not carried out", allow("s3:GetObject", "*", { NumericLessThan: { "s3:max-keys": "10" } })],
  ["an operator with IfExists", allow("s3:GetObject", "*", { StringEqualsIfExists: { "aws:PrincipalArn": "x" } })],
  [
    "a condition key that gets no value here",
    allow("s3:GetObject", "*", { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }),
  ],
  ["a policy variable", allow("s3:GetObject", `${BUCKET}/\${aws:username}/*`)],
  ["NotAction", { Effect: "Allow", NotAction: "iam:*", Resource: "*" }],
  ["NotPrincipal", { Effect: "Deny", NotPrincipal: { AWS: "*" }, Action: "s3:*", Resource: "*" }],
  ["a federated principal", to({ Federated: "accounts.google.com" }, allow("sts:AssumeRoleWithWebIdentity", "*"))],
])("%s is refused with the policy's name, not passed over", (_case, statement) => {
  expect(() => compilePolicy(document([statement as PolicyStatement]), "aws_iam_policy.mine")).toThrow(
    expect.objectContaining({ code: "POLICY_UNSUPPORTED", message: expect.stringContaining("aws_iam_policy.mine") }),
  );
});

describe("for all policies", () => {
  const action = fc.constantFrom("dynamodb:PutItem", "dynamodb:GetItem", "kms:Decrypt", "s3:GetObject");
  const resource = fc.constantFrom(TABLE, KEY, `${BUCKET}/x`, `${BUCKET}/y`);
  const conditions = fc.option(
    fc.record({ StringEquals: fc.record({ "kms:ViaService": fc.constantFrom(S3, "sqs.us-east-1.amazonaws.com") }) }),
    { nil: undefined },
  );
  const statement = fc
    .record({
      Effect: fc.constantFrom("Allow" as const, "Deny" as const),
      Action: fc.oneof(action, fc.constantFrom("*", "dynamodb:*", "kms:Decryp?")),
      Resource: fc.oneof(resource, fc.constantFrom("*", `${BUCKET}/*`)),
    })
    .chain((made) => conditions.map((Condition) => ({ ...made, ...(Condition && { Condition }) }) as PolicyStatement));
  const statements = fc.array(statement, { maxLength: 4 });
  const request = fc.record({
    action,
    on: resource,
    context: fc.constantFrom<AccessRequest["context"]>({}, { "kms:ViaService": S3 }),
    identity: statements,
    boundary: fc.option(statements, { nil: undefined }),
    resource: fc.option(
      statements.map((all) => all.map((each) => to(ACCOUNT_ROOT, each))),
      { nil: undefined },
    ),
    endpoint: fc.option(
      statements.map((all) => all.map((each) => to("*", each))),
      { nil: undefined },
    ),
  }) as fc.Arbitrary<Case>;
  const LAYERS = ["identity", "boundary", "resource", "endpoint"] as const;
  const isAllowed = (each: Case) => answer(each) === "allowed";

  test("a deny of everything, in any layer, refuses everything", () => {
    fc.assert(
      fc.property(request, fc.constantFrom(...LAYERS), (each, layer) => {
        const all = [...(each[layer] ?? []), to("*", deny("*", "*"))];
        return !isAllowed({
          ...each,
          [layer]: layer === "identity" || layer === "boundary" ? all.map(withoutPrincipal) : all,
        });
      }),
    );
  });

  test("one more deny never allows more, and one more allow in a layer that is there never less", () => {
    fc.assert(
      fc.property(request, statement, fc.constantFrom(...LAYERS), (each, extra, layer) => {
        const added = layer === "identity" || layer === "boundary" ? extra : to("*", extra);
        const more = { ...each, [layer]: [...(each[layer] ?? []), added] };
        if (each[layer] === undefined) return;
        expect(
          extra.Effect === "Deny" ? !isAllowed(more) || isAllowed(each) : isAllowed(more) || !isAllowed(each),
        ).toBe(true);
      }),
    );
  });

  test("the order of statements does not matter", () => {
    fc.assert(
      fc.property(request, (each) => {
        const turned = Object.fromEntries(LAYERS.map((layer) => [layer, each[layer]?.toReversed()]));
        expect(isAllowed({ ...each, ...turned } as Case)).toBe(isAllowed(each));
      }),
    );
  });

  test("nobody uses a key whose policy is silent, and nobody passes a boundary or an endpoint that is", () => {
    fc.assert(
      fc.property(request, (each) => {
        expect(isAllowed({ ...each, boundary: [] })).toBe(false);
        expect(isAllowed({ ...each, endpoint: [] })).toBe(false);
        expect(isAllowed({ ...each, action: "kms:Decrypt", on: KEY, resource: [] })).toBe(false);
      }),
    );
  });
});

function withoutPrincipal({ Principal: _, ...statement }: PolicyStatement): PolicyStatement {
  return statement;
}
