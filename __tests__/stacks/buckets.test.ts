import { EXPORT_PREFIXES, FILE_PREFIXES } from "../../contract";
import {
  conditionOf,
  configOf,
  type JsonObject,
  lastParts,
  only,
  published,
  reference,
  statement,
  statements,
  synthesize,
} from "../support/synth";

const { data } = synthesize(configOf("prod")).stacks;
const dev = synthesize(configOf("dev")).stacks.data;

const ACCOUNT = reference("data.aws_caller_identity.current.account_id");
const DATA_KEY = published("security", "aws_kms_key", "data-key", "arn");
const TRAIL_KEY = published("security", "aws_kms_key", "trail-key", "arn");

const BUCKETS = [
  { id: "payment-files", key: DATA_KEY, bucketKey: true },
  { id: "payment-exports", key: DATA_KEY, bucketKey: true },
  { id: "payment-cloudtrail", key: TRAIL_KEY, bucketKey: false },
  { id: "payment-evidence", key: published("security", "aws_kms_key", "evidence-key", "arn"), bucketKey: true },
];

test.each(BUCKETS)(
  "$id is encrypted, versioned, owned by its account and closed to the public",
  ({ id, key, bucketKey }) => {
    const bucket = reference(`aws_s3_bucket.${id}.id`);
    expect(only(data, "aws_s3_bucket", id)["bucket"]).toBe(`${id}-prod-${ACCOUNT}`);
    expect(only(dev, "aws_s3_bucket", id)["bucket"]).toBe(`${id}-dev-${ACCOUNT}`);
    expect(only(data, "aws_s3_bucket_server_side_encryption_configuration", `${id}-encryption`)).toEqual({
      bucket,
      rule: [
        {
          apply_server_side_encryption_by_default: { sse_algorithm: "aws:kms", kms_master_key_id: key },
          bucket_key_enabled: bucketKey,
        },
      ],
    });
    expect(only(data, "aws_s3_bucket_versioning", `${id}-versioning`)).toEqual({
      bucket,
      versioning_configuration: { status: "Enabled" },
    });
    expect(only(data, "aws_s3_bucket_ownership_controls", `${id}-ownership`)).toEqual({
      bucket,
      rule: { object_ownership: "BucketOwnerEnforced" },
    });
    expect(only(data, "aws_s3_bucket_public_access_block", `${id}-public-access`)).toEqual({
      bucket,
      block_public_acls: true,
      block_public_policy: true,
      ignore_public_acls: true,
      restrict_public_buckets: true,
    });
  },
);

test.each(BUCKETS)("$id refuses everything but TLS", ({ id }) => {
  expect(only(data, "aws_s3_bucket_policy", `${id}-policy`)).toMatchObject({
    policy: reference(`data.aws_iam_policy_document.${id}-policy-document.json`),
  });
  expect(statement(data, `${id}-policy-document`, "DenyWithoutTls")).toEqual({
    sid: "DenyWithoutTls",
    effect: "Deny",
    principals: [{ type: "*", identifiers: ["*"] }],
    actions: ["s3:*"],
    resources: [reference(`aws_s3_bucket.${id}.arn`), `${reference(`aws_s3_bucket.${id}.arn`)}/*`],
    condition: [{ test: "Bool", variable: "aws:SecureTransport", values: ["false"] }],
  });
});

test("no bucket answers to other sites, and only dev's are emptied when they are destroyed", () => {
  expect(data.resource["aws_s3_bucket_cors_configuration"]).toBeUndefined();
  for (const { id } of BUCKETS) {
    expect(only(data, "aws_s3_bucket", id)["force_destroy"]).toBe(false);
    expect(only(dev, "aws_s3_bucket", id)["force_destroy"]).toBe(true);
  }
});

const ENCRYPTION_GUARDS = ["NoOtherEncryption", "NoOtherKey", "NoManagedKey", "NoCustomerKey"];

/** Whether a denied put would be refused, by what the request says of encryption. */
function refusedPuts(id: string, headers: Record<string, string>): string[] {
  const guards = statements(data, `${id}-policy-document`).filter(({ sid }) => ENCRYPTION_GUARDS.includes(sid));
  const holds = (condition: { test: string; variable: string; values: string[] }): boolean => {
    const given = headers[condition.variable];
    if (condition.test === "Null") return (given === undefined) === (condition.values[0] === "true");
    if (condition.test === "StringEquals") return given !== undefined && condition.values.includes(given);
    return given === undefined || !condition.values.includes(given);
  };
  for (const guard of guards) {
    expect(guard).toMatchObject({ effect: "Deny", actions: ["s3:PutObject"] });
  }
  return guards.filter(({ condition }) => condition?.every(holds)).map(({ sid }) => sid);
}

test.each([
  ["payment-files", DATA_KEY],
  ["payment-exports", DATA_KEY],
  ["payment-evidence", published("security", "aws_kms_key", "evidence-key", "arn")],
])("%s takes objects under its own key only", (id, ownKey) => {
  const encryption = "s3:x-amz-server-side-encryption";
  const key = "s3:x-amz-server-side-encryption-aws-kms-key-id";
  expect(refusedPuts(id, {})).toEqual([]);
  expect(refusedPuts(id, { [encryption]: "aws:kms", [key]: ownKey })).toEqual([]);
  expect(refusedPuts(id, { [encryption]: "AES256" })).toEqual(["NoOtherEncryption"]);
  expect(refusedPuts(id, { [encryption]: "aws:kms:dsse" })).toEqual(["NoOtherEncryption"]);
  expect(refusedPuts(id, { [encryption]: "aws:kms", [key]: TRAIL_KEY })).toEqual(["NoOtherKey"]);
  // Without a key it would be the account's AWS managed one.
  expect(refusedPuts(id, { [encryption]: "aws:kms" })).toEqual(["NoManagedKey"]);
  expect(refusedPuts(id, { "s3:x-amz-server-side-encryption-customer-algorithm": "AES256" })).toEqual([
    "NoCustomerKey",
  ]);
});

test.each([
  ["payment-files", "OnlyProcessorReports", "payment-lambda-role-prod", ["continue/*", "reports/*"]],
  ["payment-exports", "OnlyExports", "payment-export-role", ["exports/*", "state/*"]],
  ["payment-exports", "OnlyChecks", "payment-backup-check-role", ["checks/*"]],
  ["payment-exports", "OnlyDrills", "payment-drill-role", ["drills/*"]],
])("%s, %s: one role writes there", (id, sid, role, prefixes) => {
  const guard = statement(data, `${id}-policy-document`, sid);
  expect(guard).toMatchObject({ effect: "Deny", actions: ["s3:PutObject"] });
  expect(conditionOf(guard, "aws:PrincipalArn")?.test).toBe("ArnNotEquals");
  expect(lastParts(conditionOf(guard, "aws:PrincipalArn")?.values ?? [])).toEqual([role]);
  expect(guard.resources).toEqual(prefixes.map((prefix) => `${reference(`aws_s3_bucket.${id}.arn`)}/${prefix}`));
});

function expiry(stack: typeof data, id: string): Record<string, number | undefined> {
  const rules = only(stack, "aws_s3_bucket_lifecycle_configuration", `${id}-lifecycle`)["rule"] as JsonObject[];
  return Object.fromEntries(
    rules.map(({ filter, expiration }) => [
      (filter as { prefix: string }[])[0]?.prefix,
      (expiration as { days?: number }[])[0]?.days,
    ]),
  );
}

test("what serves its time expires: continuations, reports, exports and their checks, the trail", () => {
  expect(expiry(data, "payment-files")).toEqual({
    [FILE_PREFIXES.continuations]: 30,
    [FILE_PREFIXES.reports]: 400,
    "": undefined,
  });
  expect(expiry(data, "payment-exports")).toEqual({
    [EXPORT_PREFIXES.exports]: 400,
    [EXPORT_PREFIXES.checks]: 400,
    [EXPORT_PREFIXES.drills]: 400,
    "": undefined,
  });
  expect(expiry(data, "payment-cloudtrail")).toEqual({ "AWSLogs/": 400, "": undefined });
  expect(expiry(dev, "payment-cloudtrail")["AWSLogs/"]).toBe(90);
});

test("old versions of payment files move to Glacier where the configuration says so, and stay there for its days", () => {
  const base = configOf("prod");
  const archived = synthesize({
    ...base,
    retention: { ...base.retention, oldFileVersionArchive: { afterDays: 30, keptDays: 400 } },
  }).stacks.data;
  const oldVersions = (stack: typeof data, id: string) =>
    (only(stack, "aws_s3_bucket_lifecycle_configuration", `${id}-lifecycle`)["rule"] as JsonObject[]).at(-1);
  expect(oldVersions(archived, "payment-files")).toMatchObject({
    noncurrent_version_transition: [{ noncurrent_days: 30, storage_class: "GLACIER" }],
    noncurrent_version_expiration: [{ noncurrent_days: 400 }],
  });
  expect(oldVersions(archived, "payment-exports")).toEqual(oldVersions(data, "payment-exports"));
  expect(oldVersions(data, "payment-files")?.["noncurrent_version_transition"]).toBeUndefined();
});

const KEEPING_ALL = "payment-evidence";

test.each(BUCKETS.filter(({ id }) => id !== KEEPING_ALL))("$id drops old versions and broken-off uploads", ({ id }) => {
  const rules = only(data, "aws_s3_bucket_lifecycle_configuration", `${id}-lifecycle`)["rule"] as JsonObject[];
  expect(rules.at(-1)).toMatchObject({
    noncurrent_version_expiration: [{ noncurrent_days: 30 }],
    abort_incomplete_multipart_upload: [{ days_after_initiation: 7 }],
  });
});

test("CloudTrail's files are locked: a year without exception in production, a day in dev", () => {
  expect(only(data, "aws_s3_bucket", "payment-cloudtrail")["object_lock_enabled"]).toBe(true);
  const retention = (stack: typeof data) =>
    only(stack, "aws_s3_bucket_object_lock_configuration", "payment-cloudtrail-lock")["rule"];
  expect(retention(data)).toEqual({ default_retention: { mode: "COMPLIANCE", days: 365 } });
  expect(retention(dev)).toEqual({ default_retention: { mode: "GOVERNANCE", days: 1 } });
});
