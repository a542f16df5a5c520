import {
  type BucketLocationConstraint,
  type BucketVersioningStatus,
  type ChecksumAlgorithm,
  CreateBucketCommand,
  type Event,
  type ObjectLockMode,
  type ObjectLockRetentionMode,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
  type ServerSideEncryption,
} from "@aws-sdk/client-s3";
import type { Arguments } from "./arguments";
import type { CreateByType } from "./context";

export const STORAGE: CreateByType = {
  aws_s3_bucket: async (args, context) => {
    args.withoutEffect("tags", "force_destroy", "timeouts");
    const bucket = args.text("bucket");
    await context.client(S3Client).send(
      new CreateBucketCommand({
        Bucket: bucket,
        ObjectLockEnabledForBucket: args.flag("object_lock_enabled"),
        CreateBucketConfiguration:
          context.region === "us-east-1"
            ? undefined
            : { LocationConstraint: context.region as BucketLocationConstraint },
      }),
    );
    const domain = `${bucket}.s3.${context.region}.amazonaws.com`;
    return {
      id: bucket,
      arn: `arn:${context.partition}:s3:::${bucket}`,
      bucket_domain_name: `${bucket}.s3.amazonaws.com`,
      bucket_regional_domain_name: domain,
    };
  },

  aws_s3_bucket_versioning: async (args, context) => {
    const bucket = args.text("bucket");
    const status = args.block("versioning_configuration")?.choice<BucketVersioningStatus>("status");
    await context
      .client(S3Client)
      .send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: status } }));
    return { id: bucket };
  },

  aws_s3_bucket_object_lock_configuration: async (args, context) => {
    args.withoutEffect("object_lock_enabled");
    const bucket = args.text("bucket");
    const retention = args.block("rule")?.block("default_retention");
    await context.client(S3Client).send(
      new PutObjectLockConfigurationCommand({
        Bucket: bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: "Enabled",
          Rule: retention && {
            DefaultRetention: {
              Mode: retention.choice<ObjectLockRetentionMode>("mode"),
              Days: retention.number("days"),
              Years: retention.number("years"),
            },
          },
        },
      }),
    );
    return { id: bucket };
  },

  aws_s3_object: async (args, context) => {
    args.withoutEffect("force_destroy");
    const [bucket, key] = [args.text("bucket"), args.text("key")];
    const retainUntil = args.optionalText("object_lock_retain_until_date");
    const answer = await context.client(S3Client).send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: Buffer.from(args.text("content_base64"), "base64"),
        ContentType: args.optionalText("content_type"),
        ServerSideEncryption: args.choice<ServerSideEncryption>("server_side_encryption"),
        SSEKMSKeyId: args.optionalText("kms_key_id"),
        ChecksumAlgorithm: args.choice<ChecksumAlgorithm>("checksum_algorithm"),
        ObjectLockMode: args.choice<ObjectLockMode>("object_lock_mode"),
        ObjectLockRetainUntilDate: retainUntil === undefined ? undefined : new Date(retainUntil),
      }),
    );
    return { id: `${bucket}/${key}`, version_id: answer.VersionId ?? null };
  },

  aws_s3_bucket_notification: async (args, context) => {
    const bucket = args.text("bucket");
    await context.client(S3Client).send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: bucket,
        NotificationConfiguration: {
          LambdaFunctionConfigurations: args
            .blocks("lambda_function")
            .map((block) => ({ LambdaFunctionArn: block.text("lambda_function_arn"), ...events(block) })),
          QueueConfigurations: args
            .blocks("queue")
            .map((block) => ({ QueueArn: block.text("queue_arn"), ...events(block) })),
        },
      }),
    );
    return { id: bucket };
  },
};

function events(block: Arguments) {
  const rules = (["prefix", "suffix"] as const).flatMap((name) => {
    const value = block.optionalText(`filter_${name}`);
    return value === undefined ? [] : [{ Name: name, Value: value }];
  });
  return {
    Id: block.optionalText("id"),
    Events: block.texts("events") as Event[],
    Filter: rules.length === 0 ? undefined : { Key: { FilterRules: rules } },
  };
}
