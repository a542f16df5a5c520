/** The bucket of the log of proofs. Each object is put once, is kept, and can be read by those who verify the log. */

import type { ITerraformDependable } from "cdktf";
import type { Construct } from "constructs";
import { EVIDENCE_PREFIX, IDENTITIES_PREFIX, SWEPT_PREFIX } from "../../contract";
import type { ObjectLock } from "../config/types";
import { AUDITOR_KIT_PREFIX, type AuditorKit, addAuditorKit } from "./auditor-kit";
import { addBucket, type Bucket, onlyUnderKey } from "./bucket";
import { accountRootsOf, arnEquals, arnNotEquals, EVERYBODY, notGiven, type Statement } from "./policy";

export interface EvidenceBucketProps {
  readonly name: string;
  /** The `Name` tag. */
  readonly label: string;
  readonly kmsKeyArn: string;
  readonly lock: ObjectLock;
  readonly emptyOnDestroy: boolean;
  /** What an auditor needs, put beside the log; if absent, nothing is. The archive and local providers are needed for it alone. */
  readonly auditorKit?: AuditorKit;
  /** The role that puts the log. */
  readonly publisherArn: string;
  /** The role that puts what sweeps verified; if absent, nobody may. */
  readonly sweeperArn?: string;
  /** The role that puts who called; if absent, nobody may. */
  readonly attesterArn?: string;
  /** Roles of this account or another that put cosignatures. */
  readonly witnessArns: readonly string[];
  /** Roles that read; principals of this account need not be among them. */
  readonly readerArns: readonly string[];
}

/** The largest number that S3 accepts. */
const CHECKPOINT_VERSIONS = 100;

/** @param id the logical id in the stack: it must be unique there, and a change of it replaces the resource. */
export function addEvidenceBucket(scope: Construct, id: string, props: EvidenceBucketProps): Bucket {
  return addBucket(scope, id, {
    name: props.name,
    label: props.label,
    kmsKeyArn: props.kmsKeyArn,
    bucketKey: true,
    // Nothing expires: a proof is worth as much as the oldest tile that it needs.
    expiry: {},
    oldVersionDays: null,
    // One a minute. Each checkpoint is also kept by its size, under `checkpoints/`, which has the same beginning and is put once.
    replaced: { prefix: `${EVIDENCE_PREFIX}checkpoint`, keepNewest: CHECKPOINT_VERSIONS, days: props.lock.days },
    emptyOnDestroy: props.emptyOnDestroy,
    lock: props.lock,
    contents: (bucket, dependsOn) => kitIn(scope, bucket, props, dependsOn),
    statements: (bucketArn) => [
      ...onlyUnderKey(bucketArn, props.kmsKeyArn),
      keyIsNamed(bucketArn),
      neverRemoved(bucketArn),
      ...writers(bucketArn, props),
      ...putOnce(bucketArn),
      ...outsiders(bucketArn, props),
    ],
  });
}

function kitIn(scope: Construct, bucket: string, props: EvidenceBucketProps, dependsOn: ITerraformDependable[]) {
  const { auditorKit: kit, kmsKeyArn, lock, emptyOnDestroy } = props;
  if (kit === undefined) return [];
  return [addAuditorKit(scope, { bucket, kmsKeyArn, kit, lock, forceDestroy: emptyOnDestroy, dependsOn })];
}

const under = (bucketArn: string, ...paths: string[]) => paths.map((path) => `${bucketArn}/${EVIDENCE_PREFIX}${path}`);
const denyPut = { effect: "Deny" as const, principals: EVERYBODY, actions: ["s3:PutObject"] };

/** Without it, who changes the bucket's default key would have later evidence under a key that he can destroy. */
function keyIsNamed(bucketArn: string): Statement {
  return {
    ...denyPut,
    sid: "KeyIsNamed",
    resources: [`${bucketArn}/*`],
    conditions: [notGiven("s3:x-amz-server-side-encryption-aws-kms-key-id")],
  };
}

/**
 * The lock keeps versions for its time; this keeps them afterwards, and keeps the newest in sight. Replication writes
 * without `PutObject`, a lifecycle deletes without a caller. A destroy takes this policy off before anything else, and who
 * does so by hand leaves a line in CloudTrail.
 */
function neverRemoved(bucketArn: string): Statement {
  return {
    sid: "NeverRemoved",
    effect: "Deny",
    principals: EVERYBODY,
    actions: [
      "s3:BypassGovernanceRetention",
      "s3:DeleteObject",
      "s3:DeleteObjectVersion",
      "s3:PutLifecycleConfiguration",
      "s3:ReplicateDelete",
      "s3:ReplicateObject",
    ],
    resources: [bucketArn, `${bucketArn}/*`],
  };
}

function writers(
  bucketArn: string,
  { publisherArn, sweeperArn, attesterArn, witnessArns }: EvidenceBucketProps,
): Statement[] {
  const cosignatures = under(bucketArn, "cosignatures/*");
  const swept = under(bucketArn, `${SWEPT_PREFIX}*`);
  const identities = under(bucketArn, `${IDENTITIES_PREFIX}*`);
  return [
    {
      ...denyPut,
      sid: "OnlyPublisher",
      resources: [],
      // The deployment puts the kit; an auditor compares its fingerprint.
      notResources: [...cosignatures, ...swept, ...identities, `${bucketArn}/${AUDITOR_KIT_PREFIX}*`],
      conditions: [arnNotEquals("aws:PrincipalArn", publisherArn)],
    },
    onlyPutBy("OnlySweep", swept, sweeperArn === undefined ? [] : [sweeperArn]),
    onlyPutBy("OnlyAttester", identities, attesterArn === undefined ? [] : [attesterArn]),
    onlyPutBy("OnlyWitnesses", cosignatures, witnessArns),
  ];
}

/** If no role is given, nobody may put. */
function onlyPutBy(sid: string, resources: string[], roleArns: readonly string[]): Statement {
  const others = roleArns.length === 0 ? {} : { conditions: [arnNotEquals("aws:PrincipalArn", ...roleArns)] };
  return { ...denyPut, sid, resources, ...others };
}

/** Not even the publisher can put something else in the place of what is published; the newest checkpoint only knowing which one it replaces. */
function putOnce(bucketArn: string): Statement[] {
  return [
    {
      ...denyPut,
      sid: "NeverReplaced",
      resources: under(
        bucketArn,
        "checkpoints/*",
        "keys/*",
        `${IDENTITIES_PREFIX}*`,
        `${SWEPT_PREFIX}*`,
        "packs/*",
        "tile/*",
      ),
      conditions: [notGiven("s3:if-none-match")],
    },
    {
      ...denyPut,
      sid: "NeverBlindly",
      resources: under(bucketArn, "checkpoint"),
      conditions: [notGiven("s3:if-none-match"), notGiven("s3:if-match")],
    },
  ];
}

/** Their own accounts' policies must allow it too. */
function outsiders(bucketArn: string, { witnessArns, readerArns }: EvidenceBucketProps): Statement[] {
  const allow = (sid: string, action: string, resources: string[], arns: readonly string[]): Statement[] => {
    if (arns.length === 0) return [];
    return [
      {
        sid,
        principals: [{ type: "AWS", identifiers: accountRootsOf(arns) }],
        actions: [action],
        resources,
        conditions: [arnEquals("aws:PrincipalArn", ...arns)],
      },
    ];
  };
  const readers = [...new Set([...witnessArns, ...readerArns])];
  return [
    ...allow(
      "ReadersRead",
      "s3:GetObject",
      [`${bucketArn}/${EVIDENCE_PREFIX}*`, `${bucketArn}/${AUDITOR_KIT_PREFIX}*`],
      readers,
    ),
    ...allow("ReadersList", "s3:ListBucket", [bucketArn], readers),
    ...allow("WitnessesPut", "s3:PutObject", [`${bucketArn}/${EVIDENCE_PREFIX}cosignatures/*`], witnessArns),
  ];
}
