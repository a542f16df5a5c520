/** A bucket: encrypted under a customer's key, versioned, closed to the public, reached over TLS only. */

import { S3Bucket } from "@cdktf/provider-aws/lib/s3-bucket";
import {
  S3BucketLifecycleConfiguration,
  type S3BucketLifecycleConfigurationRule,
} from "@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration";
import { S3BucketObjectLockConfigurationA } from "@cdktf/provider-aws/lib/s3-bucket-object-lock-configuration";
import { S3BucketOwnershipControls } from "@cdktf/provider-aws/lib/s3-bucket-ownership-controls";
import { S3BucketPolicy } from "@cdktf/provider-aws/lib/s3-bucket-policy";
import { S3BucketPublicAccessBlock } from "@cdktf/provider-aws/lib/s3-bucket-public-access-block";
import { S3BucketServerSideEncryptionConfigurationA } from "@cdktf/provider-aws/lib/s3-bucket-server-side-encryption-configuration";
import { S3BucketVersioningA } from "@cdktf/provider-aws/lib/s3-bucket-versioning";
import type { ITerraformDependable } from "cdktf";
import type { Construct } from "constructs";
import type { ObjectLock } from "../config/types";
import {
  arnNotEquals,
  denyWithoutTls,
  EVERYBODY,
  equals,
  given,
  notEquals,
  notGiven,
  policy,
  type Statement,
} from "./policy";

/** The parts of an aborted upload are billed until they are removed. */
const BROKEN_UPLOAD_DAYS = 7;

export interface BucketProps {
  readonly name: string;
  /** The `Name` tag: the name without the account's number. */
  readonly label: string;
  readonly kmsKeyArn: string;
  /** One data key serves many objects. Not for CloudTrail's bucket: its key policy names each file's own context. */
  readonly bucketKey: boolean;
  /** Days after which the objects under a prefix expire. */
  readonly expiry: Readonly<Record<string, number>>;
  /** Days after which replaced and deleted versions are removed; `null` keeps them forever. */
  readonly oldVersionDays: number | null;
  /** Days after which they are moved to Glacier; absent where they are not moved. */
  readonly archiveOldVersionsAfterDays?: number;
  /** Objects that are replaced very often, in a bucket that keeps old versions: the newest versions are kept, older ones expire. */
  readonly replaced?: { readonly prefix: string; readonly keepNewest: number; readonly days: number };
  readonly emptyOnDestroy: boolean;
  readonly lock?: ObjectLock;
  /** Objects that are put before the policy, which may forbid to remove them; they need what is given to them. */
  readonly contents?: (bucket: string, dependsOn: ITerraformDependable[]) => ITerraformDependable[];
  /** In addition to the statement that refuses everything but TLS. */
  readonly statements: (bucketArn: string) => Statement[];
}

export interface Bucket {
  readonly resource: S3Bucket;
  /** Resources that need what the policy allows depend on it. */
  readonly policy: S3BucketPolicy;
}

export function addBucket(scope: Construct, id: string, props: BucketProps): Bucket {
  const resource = new S3Bucket(scope, id, {
    bucket: props.name,
    forceDestroy: props.emptyOnDestroy,
    ...(props.lock === undefined ? {} : { objectLockEnabled: true }),
    tags: { Name: props.label },
  });
  resource.overrideLogicalId(id);
  const bucket = resource.id;
  const versioning = new S3BucketVersioningA(scope, `${id}-versioning`, {
    bucket,
    versioningConfiguration: { status: "Enabled" },
  });
  const encryption = addEncryption(scope, id, bucket, props);
  const closed = addClosure(scope, id, bucket);
  const lifecycle = new S3BucketLifecycleConfiguration(scope, `${id}-lifecycle`, {
    bucket,
    rule: lifecycleRules(props),
    dependsOn: [versioning],
  });
  const lock = addLock(scope, id, bucket, versioning, props.lock);
  const contents = props.contents?.(bucket, [encryption, closed, versioning, ...lock]) ?? [];
  const bucketPolicy = new S3BucketPolicy(scope, `${id}-policy`, {
    bucket,
    policy: policy(scope, `${id}-policy-document`, [
      // Only a wildcard includes every call. The statement denies and allows nothing.
      denyWithoutTls(["s3:*"], resource.arn, `${resource.arn}/*`),
      ...props.statements(resource.arn),
    ]),
    // Both change who may reach the bucket, and S3 refuses two such changes at once. A policy can also forbid
    // later calls, so it is put last and removed first.
    dependsOn: [closed, lifecycle, ...contents],
  });
  return { resource, policy: bucketPolicy };
}

function addEncryption(scope: Construct, id: string, bucket: string, { kmsKeyArn, bucketKey }: BucketProps) {
  return new S3BucketServerSideEncryptionConfigurationA(scope, `${id}-encryption`, {
    bucket,
    rule: [
      {
        applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: kmsKeyArn },
        bucketKeyEnabled: bucketKey,
      },
    ],
  });
}

/** No object has a separate owner or access list, and nothing can be made public. */
function addClosure(scope: Construct, id: string, bucket: string): S3BucketPublicAccessBlock {
  new S3BucketOwnershipControls(scope, `${id}-ownership`, { bucket, rule: { objectOwnership: "BucketOwnerEnforced" } });
  return new S3BucketPublicAccessBlock(scope, `${id}-public-access`, {
    bucket,
    blockPublicAcls: true,
    blockPublicPolicy: true,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
  });
}

function addLock(
  scope: Construct,
  id: string,
  bucket: string,
  versioning: S3BucketVersioningA,
  lock: ObjectLock | undefined,
): S3BucketObjectLockConfigurationA[] {
  if (lock === undefined) return [];
  return [
    new S3BucketObjectLockConfigurationA(scope, `${id}-lock`, {
      bucket,
      rule: { defaultRetention: { mode: lock.mode, days: lock.days } },
      dependsOn: [versioning],
    }),
  ];
}

function lifecycleRules({
  expiry,
  oldVersionDays,
  archiveOldVersionsAfterDays,
  replaced,
}: BucketProps): S3BucketLifecycleConfigurationRule[] {
  const bounded = replaced === undefined ? [] : [boundedVersions(replaced)];
  const expiring = Object.entries(expiry).map(([prefix, days]) => ({
    id: `${prefix.replace(/\/$/, "")}-expire`,
    status: "Enabled",
    filter: [{ prefix }],
    expiration: [{ days }],
  }));
  const everywhere = {
    status: "Enabled",
    filter: [{ prefix: "" }],
    abortIncompleteMultipartUpload: [{ daysAfterInitiation: BROKEN_UPLOAD_DAYS }],
  };
  if (oldVersionDays === null) return [...expiring, ...bounded, { id: "broken-uploads", ...everywhere }];
  const oldVersions = {
    id: "old-versions",
    ...everywhere,
    ...(archiveOldVersionsAfterDays === undefined
      ? {}
      : { noncurrentVersionTransition: [{ noncurrentDays: archiveOldVersionsAfterDays, storageClass: "GLACIER" }] }),
    noncurrentVersionExpiration: [{ noncurrentDays: oldVersionDays }],
    expiration: [{ expiredObjectDeleteMarker: true }],
  };
  return [...expiring, ...bounded, oldVersions];
}

/** S3 slows down the requests to an object that has millions of versions. */
function boundedVersions({ prefix, keepNewest, days }: NonNullable<BucketProps["replaced"]>) {
  return {
    id: `${prefix.replaceAll("/", "-")}-versions`,
    status: "Enabled",
    filter: [{ prefix }],
    noncurrentVersionExpiration: [{ noncurrentDays: days, newerNoncurrentVersions: keepNewest }],
  };
}

/** A put without encryption headers gets the bucket's key. A put with encryption headers must name that key by its ARN. */
export function onlyUnderKey(bucketArn: string, kmsKeyArn: string): Statement[] {
  const encryption = "s3:x-amz-server-side-encryption";
  const key = "s3:x-amz-server-side-encryption-aws-kms-key-id";
  const put = {
    effect: "Deny" as const,
    principals: EVERYBODY,
    actions: ["s3:PutObject"],
    resources: [`${bucketArn}/*`],
  };
  return [
    { ...put, sid: "NoOtherEncryption", conditions: [given(encryption), notEquals(encryption, "aws:kms")] },
    { ...put, sid: "NoOtherKey", conditions: [given(key), arnNotEquals(key, kmsKeyArn)] },
    // `aws:kms` without a key means the account's AWS managed key, not the bucket's.
    { ...put, sid: "NoManagedKey", conditions: [equals(encryption, "aws:kms"), notGiven(key)] },
    { ...put, sid: "NoCustomerKey", conditions: [given("s3:x-amz-server-side-encryption-customer-algorithm")] },
  ];
}

/** Denies a prefix's puts to everybody but its writer. */
export function onlyWrittenBy(sid: string, writerArn: string, resources: string[]): Statement {
  return {
    sid,
    effect: "Deny",
    principals: EVERYBODY,
    actions: ["s3:PutObject"],
    resources,
    conditions: [arnNotEquals("aws:PrincipalArn", writerArn)],
  };
}
