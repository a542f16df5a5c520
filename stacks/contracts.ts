/**
 * What each stack publishes to those after it. Strings only: CDKTF turns every field that another stack uses into a
 * Terraform output, and whole objects come out as references to outputs that do not exist. Never a secret: the
 * consumer's plan shows these values.
 */

import type { QueueId, RoleId, TableId } from "../contract";
import type { BucketId } from "./config/names";

export interface SecurityOutputs {
  /** Encrypts tables, queues, files, exports, schedules and the functions' environment. */
  readonly dataKeyArn: string;
  /** Encrypts log groups. */
  readonly logsKeyArn: string;
  /** Wraps the data keys of `SecureToken`. */
  readonly tokenKeyArn: string;
  /** Wraps the data keys of `QueryDetails` and `Response`. */
  readonly auditKeyArn: string;
  /** HMAC key of the records' `Mac`. */
  readonly macKeyArn: string;
  /** Encrypts what CloudTrail writes. */
  readonly trailKeyArn: string;
  /** Encrypts backups, which so outlive the data key. */
  readonly backupKeyArn: string;
  /** Encrypts the evidence, which so outlives the data key. */
  readonly evidenceKeyArn: string;
  /** Encrypts the alarm topic, which so works when another key is gone. */
  readonly alarmKeyArn: string;
  /** Sign checkpoints: one, or two while one replaces the other. */
  readonly checkpointKeyArns: readonly string[];
  /** Signed checkpoints once; their public keys are still asked for. */
  readonly retiredCheckpointKeyArns: readonly string[];
  readonly roleArns: Readonly<Record<RoleId, string>>;
  readonly roleNames: Readonly<Record<RoleId, string>>;
  readonly alarmTopicArn: string;
}

/** Of every key of the deployment. */
export function allKeyArns(security: SecurityOutputs): string[] {
  return [
    security.dataKeyArn,
    security.logsKeyArn,
    security.tokenKeyArn,
    security.auditKeyArn,
    security.macKeyArn,
    security.trailKeyArn,
    security.backupKeyArn,
    security.evidenceKeyArn,
    security.alarmKeyArn,
    ...security.checkpointKeyArns,
    ...security.retiredCheckpointKeyArns,
  ];
}

/** The keys that permissions name, by what each is for. */
export function keyArnsByPurpose(security: SecurityOutputs) {
  return {
    data: security.dataKeyArn,
    token: security.tokenKeyArn,
    audit: security.auditKeyArn,
    mac: security.macKeyArn,
    evidence: security.evidenceKeyArn,
    trail: security.trailKeyArn,
    signing: security.checkpointKeyArns,
    retired: security.retiredCheckpointKeyArns,
  };
}

export interface NetworkOutputs {
  readonly privateSubnetIds: readonly string[];
  readonly functionSecurityGroupId: string;
  /** Host of the DynamoDB interface endpoint: PrivateLink to DynamoDB has no private DNS. `null` with connectivity `nat`. */
  readonly dynamodbEndpointHost: string | null;
  /** Endpoint of the private API; `null` without that API. */
  readonly apiEndpointId: string | null;
}

export interface DataOutputs {
  readonly tableNames: Readonly<Record<TableId, string>>;
  readonly tableArns: Readonly<Record<TableId, string>>;
  readonly streamArns: Readonly<Record<TableId, string>>;
  readonly logStateTableName: string;
  readonly logStateTableArn: string;
  readonly bucketNames: Readonly<Record<BucketId, string>>;
  readonly queueArns: Readonly<Record<QueueId, string>>;
  readonly queueNames: Readonly<Record<QueueId, string>>;
  readonly deadLetterQueueNames: Readonly<Record<QueueId, string>>;
  readonly failureQueueArn: string;
  readonly failureQueueName: string;
  readonly scheduleGroupName: string;
  /** Role in whose name every schedule starts its function. */
  readonly schedulerRoleArn: string;
  readonly backupPlanId: string;
}
