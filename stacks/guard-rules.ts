/**
 * The management calls that change or remove a protection: a policy, a key, a lock, a trail, a stream, a boundary, an event source
 * mapping, a schedule, an alarm. Every such call is reported within minutes, even if AWS refused it, and even if it is an apply.
 */

/** What the rules name. An ARN or a name is compared with what CloudTrail records about the call. */
export interface GuardedResources {
  readonly tableNames: readonly string[];
  readonly tableArns: readonly string[];
  readonly bucketNames: readonly string[];
  readonly keyArns: readonly string[];
  readonly queueNames: readonly string[];
  readonly trailName: string;
  readonly trailArn: string;
  readonly roleNames: readonly string[];
  readonly boundaryArns: readonly string[];
  readonly functionNames: readonly string[];
  readonly scheduleGroup: string;
  readonly backupVaultName: string;
  readonly backupPlanId: string;
  readonly topicArn: string;
  readonly securityGroupId: string;
  /** `null` where there is no private API. */
  readonly privateApiId: string | null;
  /** What the names of this project's alarms and rules begin with. */
  readonly namePrefix: string;
}

type Match = string | { readonly prefix: string } | { readonly suffix: string };

export interface GuardRule {
  readonly id: string;
  /** As in `dynamodb.amazonaws.com`. */
  readonly service: string;
  readonly eventNames: readonly Match[];
  /** Parts of the event's detail; one of them must match. */
  readonly where: readonly object[];
}

const parameter = (name: string, ...values: Match[]) => ({ requestParameters: { [name]: values } });
/** CloudTrail gives a function, a queue or a trail by name, by ARN or by URL, as the caller did. All of them end in the name. */
const endingIn = (names: readonly string[]): Match[] => names.map((suffix) => ({ suffix }));
/** Lambda's events carry the version of its API in their names. */
const startingWith = (...names: string[]): Match[] => names.map((prefix) => ({ prefix }));

export function guardRules(guarded: GuardedResources): GuardRule[] {
  return [...storageRules(guarded), ...identityRules(guarded), ...feedRules(guarded), ...reportingRules(guarded)];
}

function storageRules(guarded: GuardedResources): GuardRule[] {
  return [
    {
      id: "table-guards",
      service: "dynamodb",
      eventNames: [
        "DeleteResourcePolicy",
        "DeleteTable",
        "DeleteTableReplica",
        "CreateTableReplica",
        "PutResourcePolicy",
        "UpdateContinuousBackups",
        "UpdateTable",
        "UpdateTimeToLive",
      ],
      where: [
        parameter("tableName", ...guarded.tableNames, ...guarded.tableArns),
        parameter("resourceArn", ...guarded.tableArns),
      ],
    },
    {
      id: "bucket-guards",
      service: "s3",
      eventNames: [
        ...startingWith("DeleteBucket"),
        "PutBucketAcl",
        "PutBucketEncryption",
        ...startingWith("PutBucketLifecycle"),
        "PutBucketNotification",
        ...startingWith("PutBucketObjectLock", "PutObjectLockConfiguration"),
        "PutBucketOwnershipControls",
        "PutBucketPolicy",
        "PutBucketPublicAccessBlock",
        "PutBucketReplication",
        "PutBucketVersioning",
      ],
      where: [parameter("bucketName", ...guarded.bucketNames)],
    },
    {
      id: "queue-guards",
      service: "sqs",
      eventNames: ["AddPermission", "DeleteQueue", "PurgeQueue", "RemovePermission", "SetQueueAttributes"],
      where: [parameter("queueUrl", ...endingIn(guarded.queueNames))],
    },
    {
      id: "vault-guards",
      service: "backup",
      eventNames: [
        "DeleteBackupPlan",
        "DeleteBackupSelection",
        "DeleteBackupVault",
        ...startingWith("DeleteBackupVault", "PutBackupVault"),
        "DeleteRecoveryPoint",
        "UpdateBackupPlan",
        "UpdateRecoveryPointLifecycle",
      ],
      where: [parameter("backupVaultName", guarded.backupVaultName), parameter("backupPlanId", guarded.backupPlanId)],
    },
  ];
}

function identityRules(guarded: GuardedResources): GuardRule[] {
  return [
    {
      id: "key-guards",
      service: "kms",
      eventNames: [
        "DeleteAlias",
        "DisableKey",
        "DisableKeyRotation",
        "PutKeyPolicy",
        "ReplicateKey",
        "ScheduleKeyDeletion",
        "UpdateAlias",
      ],
      where: [{ resources: { ARN: guarded.keyArns } }, parameter("keyId", ...guarded.keyArns)],
    },
    {
      id: "role-guards",
      service: "iam",
      eventNames: [
        "AttachRolePolicy",
        "CreatePolicyVersion",
        "DeletePolicy",
        "DeleteRole",
        "DeleteRolePermissionsBoundary",
        "DeleteRolePolicy",
        "DetachRolePolicy",
        "PutRolePermissionsBoundary",
        "PutRolePolicy",
        "SetDefaultPolicyVersion",
        "UpdateAssumeRolePolicy",
      ],
      where: [parameter("roleName", ...guarded.roleNames), parameter("policyArn", ...guarded.boundaryArns)],
    },
    {
      id: "network-guards",
      service: "ec2",
      eventNames: ["AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress"],
      where: [parameter("groupId", guarded.securityGroupId)],
    },
  ];
}

function feedRules(guarded: GuardedResources): GuardRule[] {
  return [
    ...(guarded.privateApiId === null ? [] : [apiRule(guarded.privateApiId)]),
    {
      id: "function-guards",
      service: "lambda",
      eventNames: startingWith(
        "AddPermission",
        "DeleteEventSourceMapping",
        "DeleteFunction",
        "PutFunctionConcurrency",
        "UpdateEventSourceMapping",
        "UpdateFunction",
      ),
      where: [
        parameter("functionName", ...endingIn(guarded.functionNames)),
        // A mapping is named by its id alone; the answer names its function.
        { responseElements: { functionArn: endingIn(guarded.functionNames) } },
      ],
    },
    {
      id: "schedule-guards",
      service: "scheduler",
      eventNames: ["DeleteSchedule", "DeleteScheduleGroup", "UpdateSchedule"],
      where: [parameter("groupName", guarded.scheduleGroup), parameter("name", guarded.scheduleGroup)],
    },
  ];
}

/** Anyone who changes a method, an integration or the policy could let somebody in, or make up who calls. */
function apiRule(privateApiId: string): GuardRule {
  return {
    id: "api-guards",
    service: "apigateway",
    eventNames: [
      "CreateDeployment",
      "DeleteRestApi",
      "DeleteStage",
      ...startingWith("DeleteIntegration", "DeleteMethod"),
      ...startingWith("PutIntegration", "PutMethod"),
      "PutRestApi",
      ...startingWith("UpdateIntegration", "UpdateMethod"),
      "UpdateRestApi",
      "UpdateStage",
    ],
    where: [parameter("restApiId", privateApiId)],
  };
}

/** The trail, the topic, the alarms and these rules are protected too. */
function reportingRules(guarded: GuardedResources): GuardRule[] {
  const ours = { prefix: guarded.namePrefix };
  return [
    {
      id: "trail-guards",
      service: "cloudtrail",
      eventNames: ["DeleteTrail", "PutEventSelectors", "StopLogging", "UpdateTrail"],
      where: [
        parameter("name", guarded.trailName, guarded.trailArn),
        parameter("trailName", guarded.trailName, guarded.trailArn),
      ],
    },
    {
      id: "topic-guards",
      service: "sns",
      eventNames: ["AddPermission", "DeleteTopic", "RemovePermission", "SetTopicAttributes"],
      where: [parameter("topicArn", guarded.topicArn)],
    },
    {
      id: "alarm-guards",
      service: "monitoring",
      eventNames: ["DeleteAlarms", "DisableAlarmActions"],
      where: [parameter("alarmNames", ours)],
    },
    {
      id: "rule-guards",
      service: "events",
      eventNames: ["DeleteRule", "DisableRule", "PutRule", "RemoveTargets"],
      where: [parameter("name", ours), parameter("rule", ours)],
    },
  ];
}

/** The pattern of one rule, as EventBridge reads it. */
export function eventPattern({ service, eventNames, where }: GuardRule): object {
  const [only] = where;
  return {
    // Only AWS itself can send an event from such a source.
    source: [{ prefix: "aws." }],
    "detail-type": ["AWS API Call via CloudTrail"],
    detail: {
      eventSource: [`${service}.amazonaws.com`],
      eventName: eventNames,
      ...(where.length === 1 ? only : { $or: where }),
    },
  };
}
