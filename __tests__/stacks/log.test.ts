/** The log of proofs: who signs, who puts evidence, and that nobody takes any away. */

import { ENV, ROLES, type RoleId } from "../../contract";
import type { AppConfig } from "../../stacks/config/types";
import {
  conditionOf,
  configOf,
  type JsonObject,
  lastParts,
  only,
  prodName,
  published,
  reference,
  type StackJson,
  type Statement,
  statement,
  statements,
  synthesize,
} from "../support/synth";

const { security, data, functions } = synthesize(configOf("prod")).stacks;
const dev = synthesize(configOf("dev")).stacks.data;

const ACCOUNT = reference("data.aws_caller_identity.current.account_id");
const PARTITION = reference("data.aws_partition.partition.partition");
const EVIDENCE = `arn:${PARTITION}:s3:::payment-evidence-prod-${ACCOUNT}`;
const roleArn = (name: string) => `arn:${PARTITION}:iam::${ACCOUNT}:role/${name}`;
const WITNESS = "arn:aws:iam::444455556666:role/witness";
const READER = "arn:aws:iam::777788889999:role/auditor";

const withRotation = (checkpointKeys: AppConfig["checkpointKeys"], more: Partial<AppConfig> = {}) =>
  synthesize(configOf("prod", { checkpointKeys, ...more })).stacks;

/** Statements of a role's policy that allow an action. */
function allowing(stack: StackJson, role: RoleId, action: string): Statement[] {
  return statements(stack, `${ROLES[role]}-access-policy`).filter(
    ({ effect, actions }) => effect === "Allow" && actions.includes(action),
  );
}

/** The roles that are allowed an action on a resource that fits. */
function rolesWith(action: string, resource: RegExp): RoleId[] {
  return (Object.keys(ROLES) as RoleId[]).filter((role) =>
    allowing(functions, role, action).some(({ resources }) => resources.some((each) => resource.test(each))),
  );
}

// ------------------------------------------------------------------------------------------------- keys of checkpoints

describe("the key that signs checkpoints", () => {
  test("is an Ed25519 key pair, kept as long as KMS keeps one", () => {
    expect(only(security, "aws_kms_key", "checkpoint-1-key")).toMatchObject({
      customer_master_key_spec: "ECC_NIST_EDWARDS25519",
      key_usage: "SIGN_VERIFY",
      deletion_window_in_days: 30,
    });
    expect(only(security, "aws_kms_alias", "checkpoint-1-key-alias")).toMatchObject({
      name: "alias/payment-checkpoint-1-prod",
    });
  });

  test.each([
    ["ECC_NIST_EDWARDS25519", "ED25519_SHA_512"],
    ["ECC_NIST_P256", "ECDSA_SHA_256"],
  ] as const)("%s signs for the publisher alone, with %s over the text itself", (checkpointKeySpec, algorithm) => {
    const stack = withRotation({ signing: ["1"], retired: [] }, { checkpointKeySpec }).security;
    expect(only(stack, "aws_kms_key", "checkpoint-1-key")["customer_master_key_spec"]).toBe(checkpointKeySpec);
    const signing = statements(stack, "checkpoint-1-key-policy").filter(({ actions }) => actions.includes("kms:Sign"));
    expect(signing).toEqual([
      {
        sid: "SignCheckpoints",
        effect: "Allow",
        principals: [{ type: "AWS", identifiers: [`arn:${PARTITION}:iam::${ACCOUNT}:root`] }],
        actions: ["kms:Sign"],
        resources: ["*"],
        condition: [
          { test: "ArnEquals", variable: "aws:PrincipalArn", values: [roleArn(ROLES.publisher)] },
          { test: "StringEquals", variable: "kms:SigningAlgorithm", values: [algorithm] },
          { test: "StringEquals", variable: "kms:MessageType", values: ["RAW"] },
        ],
      },
    ]);
  });

  test("gives its public key to every principal of the account whose own policy asks for it", () => {
    expect(statement(security, "checkpoint-1-key-policy", "PublicKey")).toMatchObject({
      actions: ["kms:GetPublicKey"],
      condition: [{ test: "StringEquals", variable: "kms:CallerAccount", values: [ACCOUNT] }],
    });
  });

  test("is administered without rotation, whose status Terraform still asks for", () => {
    const { actions } = statement(security, "checkpoint-1-key-policy", "Administration");
    expect(actions.filter((action) => action.includes("Rotat"))).toEqual(["kms:GetKeyRotationStatus"]);
    const ofOthers = statement(security, "data-key-policy", "Administration").actions;
    expect(ofOthers.filter((action) => !actions.includes(action))).toEqual([
      "kms:DisableKeyRotation",
      "kms:EnableKeyRotation",
      "kms:ListKeyRotations",
      "kms:RotateKeyOnDemand",
    ]);
  });

  test("is used by no role but the publisher's, and by no other role's policy", () => {
    const anything = /./;
    expect(rolesWith("kms:Sign", anything)).toEqual(["publisher"]);
    expect(rolesWith("kms:GetPublicKey", anything)).toEqual(["publisher", "sweeper", "drill"]);
  });
});

describe("a rotation", () => {
  const keyArn = (generation: string) => published("security", "aws_kms_key", `checkpoint-${generation}-key`, "arn");
  const keysOf = (stack: StackJson, entry: string) => {
    const { variables } = only(stack, "aws_lambda_function", entry)["environment"] as { variables: JsonObject };
    return String(variables[ENV.checkpointKeyArns]).split(",");
  };
  const signed = (stack: StackJson, generation: string) =>
    statements(stack, `checkpoint-${generation}-key-policy`).some(({ actions }) => actions.includes("kms:Sign"));

  test("has both generations sign while it lasts", () => {
    const stacks = withRotation({ signing: ["1", "2"], retired: [] });
    expect([signed(stacks.security, "1"), signed(stacks.security, "2")]).toEqual([true, true]);
    expect(keysOf(stacks.functions, "publish-checkpoint")).toEqual([keyArn("1"), keyArn("2")]);
    expect(allowing(stacks.functions, "publisher", "kms:Sign").map(({ resources }) => resources)).toEqual([
      [keyArn("1"), keyArn("2")],
    ]);
    expect(String(stacks.security.output["CheckpointKeyArns"]?.["value"]).split(",")).toHaveLength(2);
  });

  test("keeps the key of a retired generation, and nobody may sign with it any more", () => {
    const stacks = withRotation({ signing: ["2"], retired: ["1"] });
    expect([signed(stacks.security, "1"), signed(stacks.security, "2")]).toEqual([false, true]);
    // The same key as before, by its address: nothing is replaced.
    expect(only(stacks.security, "aws_kms_key", "checkpoint-1-key")).toEqual(
      only(security, "aws_kms_key", "checkpoint-1-key"),
    );
    expect(keysOf(stacks.functions, "publish-checkpoint")).toEqual([keyArn("2")]);
    expect(allowing(stacks.functions, "publisher", "kms:Sign").map(({ resources }) => resources)).toEqual([
      [keyArn("2")],
    ]);
    expect(stacks.security.output["CheckpointKeyArns"]?.["value"]).toBe(reference("aws_kms_key.checkpoint-2-key.arn"));
  });

  test("leaves its public key to those who check, since what it signed stays in the log", () => {
    const stacks = withRotation({ signing: ["2"], retired: ["1"] });
    for (const [role, entry] of [
      ["sweeper", "sweep-audit-trail"],
      ["drill", "drill-restore"],
    ] as const) {
      expect(keysOf(stacks.functions, entry)).toEqual([keyArn("2"), keyArn("1")]);
      expect(allowing(stacks.functions, role, "kms:GetPublicKey")[0]?.resources).toEqual([keyArn("2"), keyArn("1")]);
    }
    expect(statement(stacks.network, "kms-endpoint-policy", "SignCheckpoints").resources).toEqual([keyArn("2")]);
    expect(statement(stacks.network, "kms-endpoint-policy", "PublicKeys").resources).toEqual([
      keyArn("2"),
      keyArn("1"),
    ]);
  });
});

// ------------------------------------------------------------------------------------------------------------ evidence

describe("the evidence bucket", () => {
  const named = synthesize(configOf("prod", { witnessArns: [WITNESS], evidenceReaderArns: [READER] })).stacks;
  const POLICY = "payment-evidence-policy-document";

  test("is locked for 400 days without exception in production, for a day in dev", () => {
    const retention = (stack: StackJson) =>
      only(stack, "aws_s3_bucket_object_lock_configuration", "payment-evidence-lock")["rule"];
    expect(only(data, "aws_s3_bucket", "payment-evidence")["object_lock_enabled"]).toBe(true);
    expect(retention(data)).toEqual({ default_retention: { mode: "COMPLIANCE", days: 400 } });
    expect(retention(dev)).toEqual({ default_retention: { mode: "GOVERNANCE", days: 1 } });
  });

  test("lets nothing expire but broken-off uploads and old versions of the newest checkpoint", () => {
    expect(only(data, "aws_s3_bucket_lifecycle_configuration", "payment-evidence-lifecycle")["rule"]).toEqual([
      {
        id: "log-checkpoint-versions",
        status: "Enabled",
        filter: [{ prefix: "log/checkpoint" }],
        noncurrent_version_expiration: [{ noncurrent_days: 400, newer_noncurrent_versions: 100 }],
      },
      {
        id: "broken-uploads",
        status: "Enabled",
        filter: [{ prefix: "" }],
        abort_incomplete_multipart_upload: [{ days_after_initiation: 7 }],
      },
    ]);
  });

  test("gets its policy last, and loses it first: that policy forbids another lifecycle", () => {
    expect(only(data, "aws_s3_bucket_policy", "payment-evidence-policy")["depends_on"]).toContain(
      "aws_s3_bucket_lifecycle_configuration.payment-evidence-lifecycle",
    );
  });

  interface Request {
    readonly by: string;
    readonly action: string;
    readonly key?: string;
    /** Condition keys of the request. */
    readonly says?: Readonly<Record<string, string>>;
  }

  const matches = (pattern: string, text: string) =>
    new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`).test(text);

  function holds({ test, variable, values }: NonNullable<Statement["condition"]>[number], request: Request): boolean {
    const given = variable === "aws:PrincipalArn" ? request.by : request.says?.[variable];
    if (test === "Null") return (given === undefined) === (values[0] === "true");
    if (test === "Bool") return given !== undefined && values.includes(given);
    const found = given !== undefined && values.some((value) => matches(value, given));
    return /Not/.test(test) ? !found : found;
  }

  /** The statements of the bucket's policy that refuse a request. */
  function refusals(stack: StackJson, request: Request): string[] {
    const bucket = reference("aws_s3_bucket.payment-evidence.arn");
    const resource = request.key === undefined ? bucket : `${bucket}/${request.key}`;
    return statements(stack, POLICY)
      .filter(({ effect, actions }) => effect === "Deny" && actions.some((action) => matches(action, request.action)))
      .filter((found) => {
        const not = (found as unknown as { not_resources?: string[] }).not_resources;
        return not === undefined
          ? found.resources.some((each) => matches(each, resource))
          : !not.some((each) => matches(each, resource));
      })
      .filter(({ condition = [] }) => condition.every((each) => holds(each, request)))
      .map(({ sid }) => sid);
  }

  const PUBLISHER = roleArn(ROLES.publisher);
  const ADMIN = roleArn("administrator");
  const underKey = {
    "s3:x-amz-server-side-encryption": "aws:kms",
    "s3:x-amz-server-side-encryption-aws-kms-key-id": published("security", "aws_kms_key", "evidence-key", "arn"),
  };
  const first = { "s3:if-none-match": "*" };
  const put = (by: string, key: string, says: Request["says"] = first): Request => ({
    by,
    action: "s3:PutObject",
    key,
    says: { ...underKey, ...says },
  });

  test.each([
    "log/checkpoint",
    "log/checkpoints/0000000000000042",
    "log/keys/0a1b2c3d.vkey",
    "log/packs/x001/234",
    "log/tile/0/000.p/42",
    "log/tile/entries/x001/234",
  ])("takes %s from the publisher, and from nobody else", (key) => {
    expect(refusals(data, put(PUBLISHER, key))).toEqual([]);
    for (const other of Object.values(ROLES).map(prodName).map(roleArn)) {
      expect([other, refusals(data, put(other, key))]).toEqual([other, other === PUBLISHER ? [] : ["OnlyPublisher"]]);
    }
    for (const other of [ADMIN, WITNESS, READER])
      expect(refusals(named.data, put(other, key))).toEqual(["OnlyPublisher"]);
  });

  test("takes nothing elsewhere from anybody but the publisher", () => {
    for (const key of ["anything", "log/x", "log/cosignature/x", "cosignatures/x"]) {
      expect(refusals(named.data, put(WITNESS, key))).toEqual(["OnlyPublisher"]);
    }
  });

  test("takes who called from the attestation alone, once", () => {
    const key = "log/identities/2026-11-27-0123456789abcdef.ndjson";
    const attester = roleArn(ROLES.attester);
    expect(refusals(named.data, put(attester, key))).toEqual([]);
    expect(refusals(named.data, put(attester, key, {}))).toEqual(["NeverReplaced"]);
    for (const other of [PUBLISHER, ADMIN, WITNESS, READER, roleArn(ROLES.sweeper)]) {
      expect(refusals(named.data, put(other, key))).toEqual(["OnlyAttester"]);
    }
  });

  test("takes what sweeps have verified from the sweep alone, once", () => {
    const key = "log/sweeps/0000000000000042";
    const sweep = roleArn(ROLES.sweeper);
    expect(refusals(named.data, put(sweep, key))).toEqual([]);
    expect(refusals(named.data, put(sweep, key, {}))).toEqual(["NeverReplaced"]);
    for (const other of [PUBLISHER, ADMIN, WITNESS, READER]) {
      expect(refusals(named.data, put(other, key))).toEqual(["OnlySweep"]);
    }
  });

  test("takes cosignatures from the witnesses, and from nobody while no witness is configured", () => {
    const key = "log/cosignatures/0000000000000042/0a1b2c3d";
    expect(refusals(named.data, put(WITNESS, key))).toEqual([]);
    for (const other of [PUBLISHER, ADMIN, READER]) {
      expect(refusals(named.data, put(other, key))).toEqual(["OnlyWitnesses"]);
    }
    for (const anybody of [PUBLISHER, ADMIN, WITNESS]) {
      expect(refusals(data, put(anybody, key))).toEqual(["OnlyWitnesses"]);
    }
  });

  test("lets even the publisher replace nothing that is published, and the newest checkpoint only knowing which", () => {
    const keys = ["log/tile/0/000", "log/packs/000", "log/checkpoints/0000000000000042", "log/keys/0a1b2c3d.vkey"];
    for (const key of keys) {
      expect(refusals(data, put(PUBLISHER, key, {}))).toEqual(["NeverReplaced"]);
      expect(refusals(data, put(PUBLISHER, key, { "s3:if-match": "etag" }))).toEqual(["NeverReplaced"]);
    }
    expect(refusals(data, put(PUBLISHER, "log/checkpoint", {}))).toEqual(["NeverBlindly"]);
    expect(refusals(data, put(PUBLISHER, "log/checkpoint", { "s3:if-match": "etag" }))).toEqual([]);
  });

  test("refuses a put that does not name the evidence key: the bucket's default may be another one by then", () => {
    const unnamed: Request = { by: PUBLISHER, action: "s3:PutObject", key: "log/tile/0/000", says: first };
    expect(refusals(data, unnamed)).toEqual(["KeyIsNamed"]);
    const another = {
      ...underKey,
      "s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:us-east-1:1:key/other",
    };
    expect(refusals(data, put(PUBLISHER, "log/tile/0/000", { ...first, ...another }))).toEqual(["NoOtherKey"]);
  });

  test.each([
    ["s3:DeleteObject", "log/checkpoint"],
    ["s3:DeleteObjectVersion", "log/tile/0/000"],
    ["s3:BypassGovernanceRetention", "log/tile/0/000"],
    ["s3:ReplicateObject", "log/tile/0/000"],
    ["s3:ReplicateDelete", "log/tile/0/000"],
    ["s3:PutLifecycleConfiguration", undefined],
  ])("refuses %s to everybody, in dev too", (action, key) => {
    for (const by of [PUBLISHER, ADMIN, WITNESS, READER]) {
      const request: Request = { by, action, ...(key === undefined ? {} : { key }) };
      expect(refusals(named.data, request)).toEqual(["NeverRemoved"]);
      expect(refusals(dev, request)).toEqual(["NeverRemoved"]);
    }
  });

  test("leaves Terraform what it needs to change and to destroy the bucket", () => {
    for (const action of [
      "s3:PutBucketPolicy",
      "s3:DeleteBucketPolicy",
      "s3:PutBucketObjectLockConfiguration",
      "s3:PutEncryptionConfiguration",
      "s3:DeleteBucket",
    ]) {
      expect(refusals(data, { by: ADMIN, action })).toEqual([]);
    }
  });

  test("lets named outsiders read and named witnesses put cosignatures, and nobody else do either", () => {
    const allowed = (stack: StackJson) => statements(stack, POLICY).filter(({ effect }) => effect === "Allow");
    expect(allowed(data)).toEqual([]);
    const roots = ["arn:aws:iam::444455556666:root", "arn:aws:iam::777788889999:root"];
    const bucket = reference("aws_s3_bucket.payment-evidence.arn");
    const byNamed = (...arns: string[]) => [{ test: "ArnEquals", variable: "aws:PrincipalArn", values: arns }];
    expect(allowed(named.data)).toEqual([
      {
        sid: "ReadersRead",
        effect: "Allow",
        principals: [{ type: "AWS", identifiers: roots }],
        actions: ["s3:GetObject"],
        resources: [`${bucket}/log/*`, `${bucket}/kit/*`],
        condition: byNamed(WITNESS, READER),
      },
      {
        sid: "ReadersList",
        effect: "Allow",
        principals: [{ type: "AWS", identifiers: roots }],
        actions: ["s3:ListBucket"],
        resources: [bucket],
        condition: byNamed(WITNESS, READER),
      },
      {
        sid: "WitnessesPut",
        effect: "Allow",
        principals: [{ type: "AWS", identifiers: [roots[0]] }],
        actions: ["s3:PutObject"],
        resources: [`${bucket}/log/cosignatures/*`],
        condition: byNamed(WITNESS),
      },
    ]);
  });

  test("has its own key, used through S3 for this bucket alone", () => {
    const uses = statements(named.security, "evidence-key-policy").filter(({ sid }) => sid !== "Administration");
    expect(uses.map(({ sid, actions }) => [sid, actions])).toEqual([
      ["WritersThroughS3", ["kms:Decrypt", "kms:GenerateDataKey"]],
      ["ReadersThroughS3", ["kms:Decrypt"]],
      ["DeployersThroughS3", ["kms:GenerateDataKey"]],
      ["WitnessesThroughS3", ["kms:Decrypt", "kms:GenerateDataKey"]],
      ["NamedReadersThroughS3", ["kms:Decrypt"]],
    ]);
    for (const use of uses) {
      expect(conditionOf(use, "kms:ViaService")?.values).toEqual(["s3.us-east-1.amazonaws.com"]);
      expect(conditionOf(use, "kms:EncryptionContext:aws:s3:arn")?.values).toEqual([EVIDENCE, `${EVIDENCE}/*`]);
    }
    expect(uses.map((use) => conditionOf(use, "aws:PrincipalArn")?.values)).toEqual([
      [roleArn(ROLES.publisher), roleArn(ROLES.sweeper), roleArn(ROLES.attester)],
      undefined,
      undefined,
      [WITNESS],
      [READER],
    ]);
    expect(statements(security, "evidence-key-policy").map(({ sid }) => sid)).toEqual([
      "Administration",
      "WritersThroughS3",
      "ReadersThroughS3",
      "DeployersThroughS3",
    ]);
  });
});

// ------------------------------------------------------------------------------------------------ the log's own table

describe("the log-state table", () => {
  test("is encrypted, recoverable, protected in production, and tells nobody of its changes", () => {
    const table = only(data, "aws_dynamodb_table", "log-state");
    expect(table).toMatchObject({
      name: "payment-log-state",
      billing_mode: "PAY_PER_REQUEST",
      hash_key: "LogID",
      range_key: "Item",
      attribute: [
        { name: "LogID", type: "S" },
        { name: "Item", type: "S" },
      ],
      server_side_encryption: { enabled: true, kms_key_arn: published("security", "aws_kms_key", "data-key", "arn") },
      point_in_time_recovery: { enabled: true, recovery_period_in_days: 35 },
      deletion_protection_enabled: true,
    });
    expect([table["stream_enabled"], table["global_secondary_index"]]).toEqual([undefined, undefined]);
    expect(only(dev, "aws_dynamodb_table", "log-state")).toMatchObject({
      name: "payment-log-state-dev",
      deletion_protection_enabled: false,
    });
  });

  test("the sealer, the publisher and the sweep may put items into it; nobody may update, empty or rewrite it", () => {
    const [never, onlyPut, ...rest] = statements(data, "log-state-guard-policy");
    expect(rest).toEqual([]);
    expect(never?.condition).toBeUndefined();
    expect(never?.actions).toEqual([
      "dynamodb:BatchWriteItem",
      "dynamodb:DeleteItem",
      "dynamodb:PartiQLDelete",
      "dynamodb:PartiQLInsert",
      "dynamodb:PartiQLUpdate",
      "dynamodb:UpdateTimeToLive",
      "dynamodb:UpdateItem",
    ]);
    expect(onlyPut).toMatchObject({ effect: "Deny", actions: ["dynamodb:PutItem"] });
    const writers = onlyPut === undefined ? undefined : conditionOf(onlyPut, "aws:PrincipalArn");
    expect([writers?.test, lastParts(writers?.values ?? [])]).toEqual([
      "ArnNotEquals",
      [ROLES.sealer, ROLES.publisher, ROLES.sweeper],
    ]);
  });
});

// --------------------------------------------------------------------------------------------------------------- roles

describe("around the log", () => {
  const resources = (role: RoleId, sid: string) =>
    statement(functions, `${ROLES[role]}-access-policy`, sid).resources.map((arn) =>
      arn
        .replace(/\$\{data\.terraform_remote_state\.[^}]*cross-stack-output-aws_dynamodb_table([^}]+)\}/g, "<$1>")
        .replace(/^.*:(?:dynamodb|logs):us-east-1:[^:]+:/, "")
        .replace(/^.*:s3:::/, "")
        .replace(`-prod-${ACCOUNT}`, ""),
    );
  const TABLES = [
    "payment-ledger",
    "payment-audit-trail",
    "payment-messages-trail",
    "payment-transactions",
    "payment-events",
  ];

  test("each role reaches exactly this", () => {
    const tables = TABLES.map((table) => `<${table}arn>`);
    const expected: [RoleId, string, string[]][] = [
      ["attester", "AuditTrail", ["<payment-audit-trailarn>"]],
      ["attester", "AuditTrailByTime", ["table/PaymentAuditTrail/index/by-time"]],
      ["attester", "TrailFiles", [`payment-cloudtrail/AWSLogs/${ACCOUNT}/*`]],
      ["attester", "ListTrail", ["payment-cloudtrail", "payment-evidence"]],
      ["attester", "Identities", ["payment-evidence/log/identities/*"]],
      ["sealer", "Streams", TABLES.map((table) => `<${table}stream_arn>`)],
      ["sealer", "LogState", ["<log-statearn>"]],
      ["sealer", "Tables", tables],
      ["publisher", "LogState", ["<log-statearn>"]],
      ["publisher", "DescribeTables", tables],
      ["publisher", "Evidence", ["payment-evidence/log/*"]],
      ["publisher", "ListEvidence", ["payment-evidence"]],
      ["sweeper", "Tables", tables],
      ["sweeper", "LogState", ["<log-statearn>"]],
      ["sweeper", "Evidence", ["payment-evidence/log/*"]],
      ["sweeper", "Swept", ["payment-evidence/log/sweeps/*"]],
      ["sweeper", "AuditTrail", ["<payment-audit-trailarn>"]],
      ["drill", "ReadExports", ["exports", "state", "drills"].map((prefix) => `payment-exports/${prefix}/*`)],
      ["drill", "WriteReports", ["payment-exports/drills/*"]],
      ["drill", "DescribeTables", tables],
      ["drill", "ScratchTables", TABLES.map((table) => `table/scratch-drill-<${table}name>`)],
      ["drill", "DescribeImports", TABLES.map((table) => `table/scratch-drill-<${table}name>/import/*`)],
      ["drill", "ImportLogs", ["log-group:/aws-dynamodb/*"]],
      ["drill", "FindImportLogs", ["log-group:*"]],
      ["drill", "Evidence", ["payment-evidence/log/*"]],
      ["drill", "AuditTrail", ["<payment-audit-trailarn>"]],
    ];
    expect(expected.map(([role, sid]) => [role, sid, resources(role, sid)])).toEqual(expected);
  });

  test("only a drill makes or deletes tables, and no other than its own", () => {
    expect(rolesWith("dynamodb:DeleteTable", /./)).toEqual(["drill"]);
    expect(rolesWith("dynamodb:ImportTable", /./)).toEqual(["drill"]);
    for (const { resources: named } of allowing(functions, "drill", "dynamodb:DeleteTable")) {
      expect(named.filter((arn) => !/:table\/scratch-drill-\$/.test(arn))).toEqual([]);
    }
    const grants = allowing(functions, "drill", "kms:CreateGrant");
    expect(grants.map((grant) => conditionOf(grant, "kms:ViaService")?.values)).toEqual([
      ["dynamodb.us-east-1.amazonaws.com"],
    ]);
  });

  test("only publisher, sweep and attestation put evidence, and only the sealer reads streams; the first two and the sealer append to the log", () => {
    expect(rolesWith("s3:PutObject", /payment-evidence/)).toEqual(["publisher", "sweeper", "attester"]);
    expect(rolesWith("dynamodb:GetRecords", /./)).toEqual(["sealer"]);
    expect(rolesWith("dynamodb:PutItem", /log-state/)).toEqual(["sealer", "publisher", "sweeper"]);
    // What is sealed is nothing that a sealer could have made.
    for (const role of ["sealer", "publisher"] as const) {
      expect(allowing(functions, role, "dynamodb:PutItem").map(({ sid }) => sid)).toEqual(["LogState"]);
    }
  });

  test("the functions know the log by its name, which holds region, account and suffix", () => {
    for (const entry of ["publish-checkpoint", "sweep-audit-trail", "drill-restore"]) {
      expect((only(functions, "aws_lambda_function", entry)["environment"] as JsonObject)["variables"]).toMatchObject({
        LOG_ORIGIN: `payment-ledger/us-east-1/${ACCOUNT}/prod`,
        EVIDENCE_BUCKET: published("data", "aws_s3_bucket", "payment-evidence", "id"),
      });
    }
    expect(
      (only(functions, "aws_lambda_function", "drill-restore")["environment"] as JsonObject)["variables"],
    ).toMatchObject({
      DRILL_EVERY_DAYS: "3",
      EXPORT_BUCKET: published("data", "aws_s3_bucket", "payment-exports", "id"),
    });
  });
});
