/** The synthesized policies, evaluated: what AWS would allow whom, for dev and prod in every layout of the network. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { FUNCTIONS, ROLES, type RoleId } from "../../../contract";
import type { Authorisation } from "../../../local/iam/authorisation";
import type { EffectivePolicies } from "../../../local/iam/effective";
import type { Principal } from "../../../local/iam/evaluate";
import { personArn } from "../../../local/iam/people";
import { plannedPolicies, renaming } from "../../../local/iam/planned";
import { functionPrincipal, platformAuthorisations } from "../../../local/iam/platform";
import { buildApp } from "../../../stacks/build-app";
import { CONNECTIVITIES } from "../../../stacks/config/types";
import { administratorMatrix } from "../../../tools/permissions/administrator";
import { removeSingly } from "../../../tools/permissions/control";
import { remarkable, type UnusedReason, unusedGrants } from "../../../tools/permissions/grants";
import { type PlanResult, permissionsPage } from "../../../tools/permissions/page";
import { configOf, prodName, STUB_ARTIFACTS } from "../../support/synth";

const ACCOUNT = "111122223333";
const REASONS_FILE = path.join(__dirname, "..", "..", "..", "tools", "permissions", "unused.json");
const folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-plans-"));
const plans = new Map<string, EffectivePolicies>();

beforeAll(async () => {
  for (const environment of ["dev", "prod"] as const) {
    for (const connectivity of CONNECTIVITIES) {
      const name = `${environment} ${connectivity}`;
      const outdir = path.join(folder, name.replace(" ", "-"));
      buildApp(configOf(environment, { connectivity }), STUB_ARTIFACTS, outdir).synth();
      plans.set(name, await plannedPolicies(outdir, ACCOUNT));
    }
  }
}, 240_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function planOf(name: string): EffectivePolicies {
  const found = plans.get(name);
  if (found === undefined) throw new Error(`There is no plan ${name}.`);
  return found;
}

const PROD = () => planOf("prod privatelink");
const NAMES = ["dev", "prod"].flatMap((environment) => CONNECTIVITIES.map((each) => `${environment} ${each}`));

/** The decision's words. */
function decided(
  policies: EffectivePolicies,
  authorisation: Omit<Authorisation, "because" | "context"> & Partial<Authorisation>,
) {
  const decision = policies.decide({ context: {}, because: "the test", ...authorisation });
  return decision.allowed ? "allowed" : decision.reason;
}

const roleOf = (role: RoleId): Principal =>
  functionPrincipal(`arn:aws:iam::${ACCOUNT}:role/${prodName(ROLES[role])}`, "test");
const object = (bucket: string, key: string) => `arn:aws:s3:::${bucket}-prod-${ACCOUNT}/${key}`;

test.each(NAMES)("%s: services may do all that the deployed resources need of them", (name) => {
  const policies = planOf(name);
  const needs = platformAuthorisations(policies);
  expect(needs.length).toBeGreaterThan(400);
  expect(
    needs.filter((each) => !policies.decide(each).allowed).map(({ address, action }) => [address, action]),
  ).toEqual([]);
});

test.each(NAMES)("%s: each of those permissions of a role, taken away singly, is missed", (name) => {
  const { removals, undetected } = removeSingly(planOf(name), platformAuthorisations(planOf(name)));
  expect(removals).toBeGreaterThan(400);
  expect(undetected).toEqual([]);
});

describe("what an administrator with every permission may do in production", () => {
  const allowedTo = (who: 0 | 1 | 2) =>
    administratorMatrix(PROD())
      .filter(({ allowed }) => allowed[who])
      .map(({ kind, action }) => `${kind} ${action}`);
  const ALLOWED = [
    "tables dynamodb:Scan",
    "tables dynamodb:PutResourcePolicy",
    "tables dynamodb:DeleteResourcePolicy",
    "tables dynamodb:UpdateTable",
    "tables dynamodb:DeleteTable",
    "tables dynamodb:UpdateContinuousBackups",
    "evidence s3:GetObject",
    "evidence s3:PutBucketPolicy",
    "evidence s3:DeleteBucketPolicy",
    "evidence s3:PutEncryptionConfiguration",
    "evidence s3:PutBucketObjectLockConfiguration",
    "evidence s3:DeleteBucket",
    ...["PutObject", "DeleteObject", "DeleteObjectVersion", "BypassGovernanceRetention"].map(
      (each) => `trail s3:${each}`,
    ),
    ...["ReplicateObject", "ReplicateDelete", "GetObject", "PutLifecycleConfiguration"].map(
      (each) => `trail s3:${each}`,
    ),
    ...["PutBucketPolicy", "DeleteBucketPolicy", "PutEncryptionConfiguration"].map((each) => `trail s3:${each}`),
    ...["PutBucketObjectLockConfiguration", "DeleteBucket"].map((each) => `trail s3:${each}`),
    "keys, through S3 kms:Decrypt",
    // Of the evidence key: the deployment puts the auditor's kit. The bucket's policy denies every other put.
    "keys, through S3 kms:GenerateDataKey",
    "keys kms:PutKeyPolicy",
    "keys kms:ScheduleKeyDeletion",
    "keys kms:DisableKey",
    "keys kms:GetPublicKey",
  ];

  test("is this and nothing else: SECURITY.md names each", () => {
    expect(allowedTo(0).sort()).toEqual([...ALLOWED].sort());
  });

  test("the root user may no more, and another account nothing", () => {
    expect(allowedTo(1).sort()).toEqual([...ALLOWED].sort());
    expect(allowedTo(2)).toEqual([]);
  });

  test("DynamoDB's own role may write to no table, so no replica can be added while a table has its policy", () => {
    const name = "aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication";
    const arn = `arn:aws:iam::${ACCOUNT}:role/${name}`;
    const policies = PROD();
    const role = {
      name,
      arn,
      boundaryArn: undefined,
      policies: new Map(policies.roles.values().next().value?.policies),
    };
    for (const table of policies.tableKeys.keys()) {
      for (const action of ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"]) {
        policies.roles.set(arn, role);
        const caller: Principal = {
          kind: "role",
          arn,
          sessionArn: `arn:aws:sts::${ACCOUNT}:assumed-role/replication/x`,
        };
        const decision = decided(policies, { caller, action: `dynamodb:${action}`, resource: table });
        policies.roles.delete(arn);
        expect([table, action, decision]).toEqual([table, action, "with an explicit deny in a resource-based policy"]);
      }
    }
  });
});

describe("changed code of a function", () => {
  test("cannot put an export, which DynamoDB writes past the endpoint", () => {
    const put = {
      caller: roleOf("export"),
      action: "s3:PutObject",
      resource: object("payment-exports", "exports/forged.json.gz"),
    };
    expect(decided(PROD(), { ...put, via: "s3" })).toBe(
      "because no VPC endpoint policy allows the s3:PutObject action",
    );
    expect(decided(PROD(), put)).toBe("allowed");
  });

  test("cannot publish evidence under another key than the one of the log", () => {
    const policies = PROD();
    const caller = roleOf("publisher");
    const resource = object("payment-evidence", "log/tile/0/000");
    const put = { caller, action: "s3:PutObject", resource, via: "s3" as const };
    const evidenceKey = policies.keyArn(`alias/payment-evidence-prod`);
    const named = (keyArn: string) => ({
      "s3:if-none-match": "*",
      "s3:x-amz-server-side-encryption": "aws:kms",
      "s3:x-amz-server-side-encryption-aws-kms-key-id": keyArn,
    });
    expect(decided(policies, { ...put, context: named(evidenceKey) })).toBe("allowed");
    const denied = "with an explicit deny in a resource-based policy";
    expect(decided(policies, { ...put, context: { "s3:if-none-match": "*" } })).toBe(denied);
    expect(decided(policies, { ...put, context: named(policies.keyArn("alias/payment-processing-prod")) })).toBe(
      denied,
    );
  });

  test("cannot make network interfaces, which Lambda does with the same role", () => {
    const make = {
      caller: roleOf("query"),
      action: "ec2:CreateNetworkInterface",
      resource: PROD().arn("ec2", "subnet/s"),
    };
    const functionArn = PROD().arn("lambda", `function:${prodName(FUNCTIONS.queryPaymentLedger.name)}`);
    expect(decided(PROD(), make)).toBe("allowed");
    expect(decided(PROD(), { ...make, context: { "lambda:SourceFunctionArn": functionArn } })).toBe(
      "with an explicit deny in an identity-based policy",
    );
  });
});

test("Lambda assumes the roles for functions of this account only", () => {
  const assume = (account: string) =>
    decided(PROD(), {
      caller: { kind: "service", name: "lambda.amazonaws.com" },
      action: "sts:AssumeRole",
      resource: `arn:aws:iam::${ACCOUNT}:role/${ROLES.ledger}`,
      context: { "aws:SourceAccount": account },
    });
  expect([assume(ACCOUNT), assume("444455556666")]).toEqual([
    "allowed",
    "because no resource-based policy allows the sts:AssumeRole action",
  ]);
});

const WITHOUT_CONDITION = [
  "DynamoDbDescribes: dynamodb.amazonaws.com",
  "EventsOfThisAccount: events.amazonaws.com",
  "EventsToTopic: events.amazonaws.com",
];

test("no service may act for anybody's resource but where it supports no condition, and no statement allows every action", () => {
  const { wildcards, unconditioned } = remarkable(PROD());
  // EventBridge supports no condition, and DynamoDB looks at its key: docs/decisions.md has the reasons.
  expect(unconditioned.map((each) => each.replace(/^.*, /, "")).sort()).toEqual(WITHOUT_CONDITION);
  expect(wildcards.filter((each) => !each.endsWith(" on *"))).toEqual([]);
  expect(remarkable(weakened(PROD())).unconditioned).toHaveLength(Object.keys(ROLES).length + WITHOUT_CONDITION.length);
});

/** The trust in Lambda without its condition. */
function weakened(policies: EffectivePolicies): EffectivePolicies {
  const resourcePolicies = new Map(
    [...policies.resourcePolicies].map(([arn, policy]) => {
      const Statement = policy.document.Statement.map(({ Condition, ...rest }) =>
        JSON.stringify(rest.Principal ?? "").includes("lambda.amazonaws.com")
          ? rest
          : { ...rest, ...(Condition && { Condition }) },
      );
      return [arn, { ...policy, document: { ...policy.document, Statement } }];
    }),
  );
  return Object.assign(Object.create(Object.getPrototypeOf(policies) as object), policies, { resourcePolicies });
}

test("a grant that nothing uses is named, unless it has a reason; a reason without such a grant is named too", () => {
  const policies = PROD();
  const asked = platformAuthorisations(policies);
  const { granted, unexplained } = unusedGrants(policies, asked, []);
  expect(granted).toBeGreaterThan(unexplained.length);
  const isOf = (sid: string, action: string) => (grant: (typeof unexplained)[number]) =>
    grant.role === ROLES.query && grant.sid === sid && grant.action === action;
  const ofLedger = unexplained.filter(isOf("Ledger", "dynamodb:GetItem"));
  expect(ofLedger).toContainEqual({
    role: ROLES.query,
    sid: "Ledger",
    action: "dynamodb:GetItem",
    resource: policies.tableArn("PaymentLedger"),
  });
  const reason = { roles: [ROLES.query], sid: "Ledger", actions: ["dynamodb:GetItem"], reason: "a test" };
  const stale = [
    { ...reason, actions: ["dynamodb:*"] },
    { ...reason, roles: ["*"] },
    { ...reason, sid: "*" },
  ];
  expect(unusedGrants(policies, asked, [reason, ...stale, { ...reason, resourceEnd: "/elsewhere" }])).toEqual({
    granted,
    explained: ofLedger.length,
    unexplained: unexplained.filter((grant) => !ofLedger.includes(grant)),
    stale: [
      `${ROLES.query} Ledger dynamodb:*`,
      "* Ledger dynamodb:GetItem",
      `${ROLES.query} * dynamodb:GetItem`,
      `${ROLES.query} Ledger dynamodb:GetItem /elsewhere`,
    ],
  });
});

test.each(NAMES)(
  "%s: each reason for an unused grant names a role, a statement and an action that the plan has",
  (name) => {
    const reasons = JSON.parse(readFileSync(REASONS_FILE, "utf8")) as UnusedReason[];
    expect(reasons.length).toBeGreaterThan(0);
    expect(unusedGrants(planOf(name), platformAuthorisations(planOf(name)), reasons).stale).toEqual([]);
  },
);

test("a reason for what only some runs use is right in those too, and names a grant that exists", () => {
  const policies = PROD();
  const used = { roles: [ROLES.query], sid: "Traces", actions: ["xray:PutTraceSegments"], reason: "a test" };
  const staleOf = (...reasons: UnusedReason[]) =>
    unusedGrants(policies, platformAuthorisations(policies), reasons).stale;
  expect(staleOf(used, { ...used, inSomeRuns: true })).toEqual([`${ROLES.query} Traces xray:PutTraceSegments`]);
  expect(staleOf({ ...used, inSomeRuns: true, sid: "None" })).toEqual([`${ROLES.query} None xray:PutTraceSegments`]);
});

describe("the page for an auditor", () => {
  const counts = { calls: 1, authorisations: 1, denied: [], decisionMicroseconds: [1] };
  const overhead = { extra: 0.5, throughGate: 2, atEmulator: 1.5 };
  const good: PlanResult = {
    ...{ name: "prod nat-privatelink", questions: 1373, denied: [], granted: 648, explained: 151, unexplained: [] },
    ...{ stale: [], removals: 1858, undetected: [] },
  };

  test("is a page that ends in success where nothing is wrong", () => {
    const { problems, lines } = permissionsPage(
      { authorisations: [], counts, overhead },
      NAMES.map(() => good),
      PROD(),
    );
    expect(problems).toEqual([]);
    expect(lines.at(-1)).toBe("Success");
    expect(lines.length).toBeLessThanOrEqual(60);
    expect(lines.filter((line) => line.length > 120)).toEqual([]);
  });

  test("names each kind of problem", () => {
    const grant = { role: "a-role", sid: "Sid", action: "s3:GetObject", resource: "arn:aws:s3:::b/*" };
    const bad = { ...good, denied: ["d"], unexplained: [grant], stale: ["s"], undetected: ["u"] };
    const { problems, lines } = permissionsPage({ authorisations: [], counts, overhead }, [bad], weakened(PROD()));
    expect(problems.slice(0, 4)).toEqual([
      "prod nat-privatelink: denied: d",
      "prod nat-privatelink: granted, and neither used nor explained: a-role Sid s3:GetObject arn:aws:s3:::b/*",
      "prod nat-privatelink: missed by nobody: u",
      "a reason for what is not granted, or is used: s",
    ]);
    expect(problems).toHaveLength(4 + Object.keys(ROLES).length);
    expect(problems[4]).toMatch(/^allowed to a service for anybody's resource: .+: lambda\.amazonaws\.com$/);
    expect(lines.at(-1)).toBe(`${problems.length} problems`);
  });
});

describe("the policies for people", () => {
  const may = (person: "auditor" | "operator" | "payment-service", action: string, resource: string) =>
    decided(PROD(), { caller: { kind: "user", arn: personArn(person, PROD()) }, action, resource });
  const lambda = (id: keyof typeof FUNCTIONS) => PROD().arn("lambda", `function:${prodName(FUNCTIONS[id].name)}`);

  test.each([
    ["payment-service", "persistPaymentLedger", "allowed"],
    [
      "payment-service",
      "revealPaymentToken",
      "because no identity-based policy allows the lambda:InvokeFunction action",
    ],
    [
      "payment-service",
      "queryPaymentAuditTrail",
      "because no identity-based policy allows the lambda:InvokeFunction action",
    ],
    ["auditor", "queryPaymentAuditTrail", "allowed"],
    ["auditor", "persistPaymentLedger", "because no identity-based policy allows the lambda:InvokeFunction action"],
    ["operator", "drillRestore", "allowed"],
    ["operator", "revealPaymentToken", "because no identity-based policy allows the lambda:InvokeFunction action"],
  ] as const)("%s calls %s: %s", (person, id, expected) => {
    expect(may(person, "lambda:InvokeFunction", lambda(id))).toBe(expected);
  });

  test("an operator makes and removes scratch tables and no others, and reads failed calls only where it is named", () => {
    const remove = (table: string) => may("operator", "dynamodb:DeleteTable", PROD().tableArn(table));
    expect([remove("scratch-x"), remove("PaymentLedger")]).toEqual([
      "allowed",
      "because no identity-based policy allows the dynamodb:DeleteTable action",
    ]);
    expect(may("operator", "sqs:ReceiveMessage", PROD().arn("sqs", "payment-ledger-failures"))).toBe(
      "with an explicit deny in a resource-based policy",
    );
  });

  test("fit into a managed policy", () => {
    for (const [arn, { document }] of PROD().managed) {
      expect([arn, JSON.stringify(document).length < 6144]).toEqual([arn, true]);
    }
  });
});

test("what one deployment asked can be asked of another by their names", () => {
  const rename = renaming(planOf("dev privatelink").resources, PROD().resources);
  expect(rename("arn:aws:dynamodb:us-east-1:111122223333:table/scratch-drill-PaymentLedger-dev/import/1")).toBe(
    "arn:aws:dynamodb:us-east-1:111122223333:table/scratch-drill-PaymentLedger/import/1",
  );
  expect(rename(`arn:aws:s3:::payment-files-dev-${ACCOUNT}/payments/x`)).toBe(
    `arn:aws:s3:::payment-files-prod-${ACCOUNT}/payments/x`,
  );
  expect(rename("payment-audit-trail-dev.fifo payment-audit-trail-dev")).toBe(
    "payment-audit-trail.fifo payment-audit-trail",
  );
});
