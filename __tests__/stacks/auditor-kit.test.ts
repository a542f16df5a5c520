import { configOf, only, published, reference, STACK_IDS, statement, synthesize } from "../support/synth";

const { stacks, files } = synthesize(configOf("prod"));
const { data } = stacks;
const BUCKET = reference("aws_s3_bucket.payment-evidence.arn");

test("the kit's bytes are part of the plan: nothing reads a file at apply", () => {
  expect(data.data["archive_file"]?.["auditor-kit-archive"]).toEqual({
    type: "zip",
    source_dir: `${reference("path.module")}/assets/auditor-kit-files/${"6".repeat(64)}`,
    output_path: `${reference("path.module")}/auditor-kit.zip`,
    output_file_mode: "0644",
  });
  expect(data.data["local_file"]?.["auditor-kit-bytes"]).toEqual({
    filename: reference("data.archive_file.auditor-kit-archive.output_path"),
  });
  expect(only(data, "aws_s3_object", "auditor-kit")).toMatchObject({
    bucket: reference("aws_s3_bucket.payment-evidence.id"),
    key: "kit/payment-ledger-auditor-kit.zip",
    content_base64: reference("data.local_file.auditor-kit-bytes.content_base64"),
    kms_key_id: published("security", "aws_kms_key", "evidence-key", "arn"),
  });
  // Terraform calls these once more at apply.
  const text = STACK_IDS.map((id) => files.get(`stacks/${id}/cdk.tf.json`)).join();
  expect(text.match(/\b(file|filebase64|filesha256|filebase64sha256|fileexists|templatefile)\(/g)).toBeNull();
});

test("the kit is put under lock and key, and before the policy that lets nobody remove it", () => {
  const { depends_on: before } = only(data, "aws_s3_object", "auditor-kit");
  expect(before).toEqual(
    expect.arrayContaining([
      "aws_s3_bucket_object_lock_configuration.payment-evidence-lock",
      "aws_s3_bucket_server_side_encryption_configuration.payment-evidence-encryption",
    ]),
  );
  const { depends_on: policyAfter } = only(data, "aws_s3_bucket_policy", "payment-evidence-policy");
  expect(policyAfter).toContain("aws_s3_object.auditor-kit");
  expect(statement(data, "payment-evidence-policy-document", "NeverRemoved").resources).toContain(`${BUCKET}/*`);
});

/**
 * The provider reads mode and end of the lock back from S3 and does not treat them as computed: an object without them differs from
 * the plan for ever, and one that ignores them puts the next kit under an end that may have passed.
 */
test.each(["dev", "prod"] as const)(
  "%s: the kit names its lock, whose end changes only with the kit",
  (environment) => {
    const config = configOf(environment);
    const stack = environment === "prod" ? data : synthesize(config).stacks.data;
    const { mode, days } = config.protections.evidenceLock;
    const kit = only(stack, "aws_s3_object", "auditor-kit");
    expect(kit).toMatchObject({
      object_lock_mode: mode,
      object_lock_retain_until_date: reference("terraform_data.auditor-kit-retention.output"),
    });
    expect(kit).not.toHaveProperty("lifecycle");
    expect(only(stack, "terraform_data", "auditor-kit-retention")).toEqual({
      input: `\${timeadd(timestamp(), "${days * 24}h")}`,
      lifecycle: { ignore_changes: ["input"] },
      triggers_replace: {
        sha256: reference("data.archive_file.auditor-kit-archive.output_sha256"),
        kmsKeyArn: kit["kms_key_id"],
      },
      depends_on: kit["depends_on"],
    });
    const lock = only(stack, "aws_s3_bucket_object_lock_configuration", "payment-evidence-lock");
    expect(lock).toMatchObject({ rule: { default_retention: { mode, days } } });
  },
);

test("who deploys may put the kit, and nothing of the log", () => {
  const { not_resources: open } = statement(data, "payment-evidence-policy-document", "OnlyPublisher") as unknown as {
    not_resources: string[];
  };
  expect(open).toContain(`${BUCKET}/kit/*`);
  expect(open.filter((path) => !/\/(kit|cosignatures|identities|sweeps)\//.test(path))).toEqual([]);
});
