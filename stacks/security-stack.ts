/** A key for each purpose, the functions' roles under their permission boundaries, and the topic of the alarms. */

import { IamPolicy } from "@cdktf/provider-aws/lib/iam-policy";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { SnsTopic } from "@cdktf/provider-aws/lib/sns-topic";
import { SnsTopicPolicy } from "@cdktf/provider-aws/lib/sns-topic-policy";
import { TerraformOutput } from "cdktf";
import type { Construct } from "constructs";
import {
  DRILL_TABLE_PREFIX,
  FUNCTIONS,
  type FunctionId,
  QUEUES,
  type QueueId,
  ROLES,
  type RoleId,
  TABLES,
  type TableId,
} from "../contract";
import { BaseStack } from "./base-stack";
import { boundaryStatements, type SharedBoundaryArns } from "./boundary";
import type { KeyId } from "./config/names";
import type { AppConfig } from "./config/types";
import { addKey } from "./constructs/key";
import {
  accountRootsOf,
  assumedBy,
  denyWithoutTls,
  equals,
  policy,
  type Statement,
  service,
} from "./constructs/policy";
import type { SecurityOutputs } from "./contracts";
import { KeyPolicies, type KeyUsers } from "./key-policies";
import { IMPORT_LOG_GROUPS, LOG_ROLES, logBoundaryStatements } from "./log-boundary";
import { notByTheCodeItself, platformStatements } from "./platform-permissions";

/** What each role is for, as the IAM console shows it. */
const ROLE_DESCRIPTIONS: Record<RoleId, string> = {
  ledger: "Records payments and audit events",
  status: "Changes the status of a recorded payment, and nothing else of it",
  events: "Records what happens to payments",
  query: "Reads payments and their lives, tokens masked",
  reveal: "Reads one payment's token in clear",
  auditor: "Reads the audit trail",
  messages: "Records the payments that arrive as messages",
  processor: "Records the payments that arrive as files",
  transactionQuery: "Reads the payments that arrived as files and as messages",
  export: "Exports the tables to S3",
  backupCheck: "Checks the exports",
  sealer: "Appends what the streams tell to the log of proofs",
  publisher: "Publishes the log of proofs and signs its checkpoints",
  sweeper: "Compares the tables with the sealed log",
  drill: "Restores exports into scratch tables and compares them with the sealed log",
  attester: "Joins CloudTrail's files with the audit trail",
};

export class SecurityStack extends BaseStack {
  readonly outputs: SecurityOutputs;

  constructor(scope: Construct, id: string, config: AppConfig) {
    super(scope, id, config);
    const users = new KeyPolicies(this.keyUsers());
    const dataKey = this.addPurposeKey(
      "data",
      "Tables, queues, files, exports, schedules and function environments",
      users.data(),
    );
    const logsKey = this.addPurposeKey("logs", "Log groups", users.logs());
    const tokenKey = this.addPurposeKey("token", "Wraps the data keys of SecureToken", users.token());
    const auditKey = this.addPurposeKey("audit", "Wraps the data keys of QueryDetails and Response", users.audit());
    const macKey = this.addPurposeKey("mac", "Record MACs", users.mac());
    const trailKey = this.addPurposeKey("trail", "What CloudTrail writes", users.trail());
    const backupKey = this.addPurposeKey("backup", "Backups of the tables", users.backup());
    const evidenceKey = this.addPurposeKey("evidence", "Evidence of the log of proofs", users.evidence());
    const alarmKey = this.addPurposeKey("alarms", "Alarm topic", users.alarms());
    const { signing, retired } = config.checkpointKeys;
    const checkpointKeyArns = signing.map((generation) => this.addCheckpointKey(generation, users.checkpoint(true)));
    const retiredKeyArns = retired.map((generation) => this.addCheckpointKey(generation, users.checkpoint(false)));
    const roles = this.addRoles();
    const topic = this.addAlarmTopic(alarmKey.arn);
    this.outputs = {
      dataKeyArn: dataKey.arn,
      logsKeyArn: logsKey.arn,
      tokenKeyArn: tokenKey.arn,
      auditKeyArn: auditKey.arn,
      macKeyArn: macKey.arn,
      trailKeyArn: trailKey.arn,
      backupKeyArn: backupKey.arn,
      evidenceKeyArn: evidenceKey.arn,
      alarmKeyArn: alarmKey.arn,
      checkpointKeyArns,
      retiredCheckpointKeyArns: retiredKeyArns,
      roleArns: mapRoles(roles, (role) => role.arn),
      roleNames: mapRoles(roles, (role) => role.name),
      alarmTopicArn: topic.arn,
    };
    new TerraformOutput(this, "KMSKeyId", { description: "Key of the stored data", value: dataKey.keyId });
    new TerraformOutput(this, "CheckpointKeyArns", {
      description: "Keys that sign the checkpoints of the log of proofs, separated by commas",
      value: checkpointKeyArns.join(","),
    });
  }

  /** Its logical id names the generation, so that a change of another generation does not touch it. */
  private addCheckpointKey(generation: string, use: Statement[]): string {
    return addKey(this, `checkpoint-${generation}-key`, {
      accountRootArn: this.iamArn("root"),
      alias: this.names.checkpointKeyAliases[generation] as string,
      description: `Checkpoints of the log of proofs, generation ${generation}`,
      deletionWindowDays: this.config.protections.kmsDeletionWindowDays,
      usage: { sign: this.config.checkpointKeySpec },
      use,
    }).arn;
  }

  private addPurposeKey(purpose: KeyId, description: string, use: Statement[]) {
    return addKey(this, `${purpose}-key`, {
      accountRootArn: this.iamArn("root"),
      alias: this.names.keyAliases[purpose],
      description,
      deletionWindowDays: this.config.protections.kmsDeletionWindowDays,
      usage: purpose === "mac" ? "mac" : "encrypt",
      use,
    });
  }

  private keyUsers(): KeyUsers {
    const { eventSenderArns, paymentSenderArns, failureQueueReaderArns } = this.config;
    const senders = [...eventSenderArns, ...paymentSenderArns];
    const logGroups = [
      ...Object.values(this.names.functionLogGroups),
      this.names.flowLogGroup,
      ...this.piecedChecks.map((check) => this.names.pieceMachineLogGroups[check]),
      ...(this.config.privateApi.state === "on" ? [this.names.privateApiLogGroup] : []),
    ];
    return {
      region: this.config.region,
      accountId: this.accountId,
      accountRootArn: this.iamArn("root"),
      roleArn: (role) => this.roleArn(role),
      auditingRoleArns: this.auditingRoles().map((role) => this.roleArn(role)),
      backupRoleArns: [this.names.backupRole, this.names.restoreRole].map((name) => this.iamArn(`role/${name}`)),
      macRoleArns: this.macRoles().map((role) => this.roleArn(role)),
      queueUserArns: [...this.allRoleArns(), this.schedulerRoleArn(), ...failureQueueReaderArns, ...senders],
      senderRootArns: accountRootsOf(senders),
      anySenders: eventSenderArns.length === 0 || paymentSenderArns.length === 0,
      scheduleArns: this.scheduleArns(),
      bucketArns: [this.bucketArn("files"), this.bucketArn("exports")],
      evidenceBucketArn: this.bucketArn("evidence"),
      witnessArns: this.config.witnessArns,
      evidenceReaderArns: this.config.evidenceReaderArns,
      checkpointKeySpec: this.config.checkpointKeySpec,
      logGroupArns: logGroups.map((name) => this.arn("logs", `log-group:${name}`)),
      pieceMachineArns: this.piecedChecks.map((check) => this.pieceMachineArn(check)),
      logDeliveryArns: this.arn("logs", "*"),
      trailArn: this.trailArn(),
      anyTrailArn: `arn:${this.partition}:cloudtrail:*:${this.accountId}:trail/${this.names.trail}`,
    };
  }

  private addRoles(): Record<RoleId, IamRole> {
    const trust = policy(this, "function-trust", [
      assumedBy("lambda.amazonaws.com", this.accountId, "FunctionsOfThisAccount"),
    ]);
    const boundary = new IamPolicy(this, "permissions-boundary", {
      name: this.names.permissionsBoundary,
      description: "The most that any function role of the payment ledger may ever do",
      policy: policy(this, "permissions-boundary-policy", this.boundary()),
    });
    const logBoundary = new IamPolicy(this, "log-permissions-boundary", {
      name: this.names.logPermissionsBoundary,
      description: "The most that any role of the log of proofs may ever do",
      policy: policy(this, "log-permissions-boundary-policy", this.logBoundary()),
    });
    return mapRoles(ROLES, (baseName, role) => {
      const iamRole = new IamRole(this, baseName, {
        name: this.names.roles[role],
        description: ROLE_DESCRIPTIONS[role],
        assumeRolePolicy: trust,
        permissionsBoundary: (LOG_ROLES.includes(role) ? logBoundary : boundary).arn,
        tags: { Name: this.names.roles[role] },
      });
      this.addPlatformAccess(baseName, role, iamRole);
      return iamRole;
    });
  }

  private addPlatformAccess(baseName: string, role: RoleId, iamRole: IamRole): void {
    const functions = (Object.keys(FUNCTIONS) as FunctionId[]).filter((id) => FUNCTIONS[id].role === role);
    new IamRolePolicy(this, `${baseName}-platform`, {
      name: "platform-access",
      role: iamRole.name,
      policy: policy(this, `${baseName}-platform-policy`, [
        ...platformStatements(this.networkInterfaceArns()),
        notByTheCodeItself(functions.map((id) => this.functionArn(id))),
      ]),
    });
  }

  private boundary(): Statement[] {
    const tables = Object.keys(TABLES) as TableId[];
    return boundaryStatements({
      ...this.sharedBoundaryArns((role) => !LOG_ROLES.includes(role)),
      indexArns: tables.flatMap((table) => this.indexArns(table)),
      queueArns: (Object.keys(QUEUES) as QueueId[]).map((queue) => this.queueArn(queue)),
      filesArn: this.bucketArn("files"),
    });
  }

  private logBoundary(): Statement[] {
    return logBoundaryStatements({
      ...this.sharedBoundaryArns((role) => LOG_ROLES.includes(role)),
      auditTrailArn: this.tableArn("paymentAuditTrail"),
      logStateArn: this.logStateTableArn(),
      evidenceArn: this.bucketArn("evidence"),
      trailFilesArn: this.trailFilesArn(),
      trailBucketArn: this.bucketArn("trail"),
      auditTrailByTimeArn: this.auditTrailByTimeArn(),
      scratchArn: this.arn("dynamodb", `table/${DRILL_TABLE_PREFIX}*`),
      importLogArn: this.arn("logs", IMPORT_LOG_GROUPS),
      anyLogGroupArn: this.arn("logs", "log-group:*"),
      region: this.config.region,
    });
  }

  private sharedBoundaryArns(under: (role: RoleId) => boolean): SharedBoundaryArns {
    const functions = (Object.keys(FUNCTIONS) as FunctionId[]).filter((id) => under(FUNCTIONS[id].role));
    return {
      tableArns: this.allTableArns(),
      keyArns: this.arn("kms", "key/*"),
      logStreamArns: functions.map((id) => this.arn("logs", `log-group:${this.names.functionLogGroups[id]}:*`)),
      failureQueueArn: this.arn("sqs", this.names.failureQueue),
      exportsArn: this.bucketArn("exports"),
      networkInterfaceArns: this.networkInterfaceArns(),
    };
  }

  /** The topic has no subscription: the operator decides who is called at night. */
  private addAlarmTopic(alarmKeyArn: string): SnsTopic {
    const topic = new SnsTopic(this, "alarm-topic", { name: this.names.alarmTopic, kmsMasterKeyId: alarmKeyArn });
    new SnsTopicPolicy(this, "alarm-topic-policy", {
      arn: topic.arn,
      policy: policy(this, "alarm-topic-policy-document", [
        {
          sid: "AlarmsOfThisAccount",
          principals: service("cloudwatch.amazonaws.com"),
          actions: ["sns:Publish"],
          resources: [topic.arn],
          conditions: [equals("aws:SourceAccount", this.accountId)],
        },
        // EventBridge supports no condition in the policy of a topic, nor in that of its key.
        {
          sid: "EventsOfThisAccount",
          principals: service("events.amazonaws.com"),
          actions: ["sns:Publish"],
          resources: [topic.arn],
        },
        denyWithoutTls(["sns:Publish", "sns:Subscribe"], topic.arn),
      ]),
    });
    return topic;
  }
}

function mapRoles<V, T>(source: Readonly<Record<RoleId, V>>, change: (value: V, role: RoleId) => T): Record<RoleId, T> {
  return Object.fromEntries(
    (Object.keys(ROLES) as RoleId[]).map((role) => [role, change(source[role], role)]),
  ) as Record<RoleId, T>;
}
