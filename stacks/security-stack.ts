/** Keys by purpose, the functions' roles under one boundary, and the topic that alarms go to. */

import { IamPolicy } from "@cdktf/provider-aws/lib/iam-policy";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { SnsTopic } from "@cdktf/provider-aws/lib/sns-topic";
import { SnsTopicPolicy } from "@cdktf/provider-aws/lib/sns-topic-policy";
import { TerraformOutput } from "cdktf";
import type { Construct } from "constructs";
import type { KeyId } from "../config/names";
import type { AppConfig } from "../config/types";
import { QUEUES, type QueueId, ROLES, type RoleId, TABLES, type TableId } from "../contract";
import { BaseStack } from "./base-stack";
import { boundaryStatements } from "./boundary";
import { addKey } from "./constructs/key";
import { accountRootsOf, denyWithoutTls, equals, policy, type Statement, service } from "./constructs/policy";
import type { SecurityOutputs } from "./contracts";
import { KeyPolicies, type KeyUsers } from "./key-policies";

/** What each role is for, as the IAM console shows it. */
const ROLE_DESCRIPTIONS: Record<RoleId, string> = {
  ledger: "Records payments and audit events",
  status: "Changes the status of a recorded payment, and nothing else of it",
  query: "Reads payments, tokens masked",
  reveal: "Reads one payment's token in clear",
  auditor: "Reads the audit trail",
  messages: "Records the payments that arrive as messages",
  processor: "Records the payments that arrive as files",
  transactionQuery: "Reads the payments that arrived as files",
  export: "Exports the tables to S3",
  backupCheck: "Checks the exports",
};

export class SecurityStack extends BaseStack {
  readonly outputs: SecurityOutputs;

  constructor(scope: Construct, id: string, config: AppConfig) {
    super(scope, id, config);
    const users = new KeyPolicies(this.keyUsers());
    const dataKey = this.addPurposeKey(
      "data",
      "Tables, queues, files, exports, schedules, alarm topic and function environments",
      users.data(),
    );
    const logsKey = this.addPurposeKey("logs", "Log groups", users.logs());
    const tokenKey = this.addPurposeKey("token", "Wraps the data keys of SecureToken", users.token());
    const auditKey = this.addPurposeKey("audit", "Wraps the data keys of QueryDetails and Response", users.audit());
    const macKey = this.addPurposeKey("mac", "Record MACs", users.mac());
    const trailKey = this.addPurposeKey("trail", "What CloudTrail writes", users.trail());
    const backupKey = this.addPurposeKey("backup", "Backups of the tables", users.backup());
    const roles = this.addRoles();
    const topic = this.addAlarmTopic(dataKey.arn);
    this.outputs = {
      dataKeyArn: dataKey.arn,
      logsKeyArn: logsKey.arn,
      tokenKeyArn: tokenKey.arn,
      auditKeyArn: auditKey.arn,
      macKeyArn: macKey.arn,
      trailKeyArn: trailKey.arn,
      backupKeyArn: backupKey.arn,
      roleArns: mapRoles(roles, (role) => role.arn),
      roleNames: mapRoles(roles, (role) => role.name),
      alarmTopicArn: topic.arn,
    };
    new TerraformOutput(this, "KMSKeyId", { description: "Key of the stored data", value: dataKey.keyId });
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
      this.names.trailLogGroup,
    ];
    return {
      region: this.config.region,
      accountId: this.accountId,
      accountRootArn: this.iamArn("root"),
      roleArn: (role) => this.roleArn(role),
      auditingRoleArns: this.auditingRoles().map((role) => this.roleArn(role)),
      queueUserArns: [...this.allRoleArns(), this.schedulerRoleArn(), ...failureQueueReaderArns, ...senders],
      senderRootArns: accountRootsOf(senders),
      anySenders: eventSenderArns.length === 0 || paymentSenderArns.length === 0,
      scheduleArns: this.scheduleArns(),
      bucketArns: [this.bucketArn("files"), this.bucketArn("exports")],
      logGroupArns: logGroups.map((name) => this.arn("logs", `log-group:${name}`)),
      trailArn: this.trailArn(),
      anyTrailArn: `arn:${this.partition}:cloudtrail:*:${this.accountId}:trail/${this.names.trail}`,
    };
  }

  private addRoles(): Record<RoleId, IamRole> {
    const trust = policy(this, "function-trust", [
      { sid: "Lambda", principals: service("lambda.amazonaws.com"), actions: ["sts:AssumeRole"], resources: [] },
    ]);
    const boundary = new IamPolicy(this, "permissions-boundary", {
      name: this.names.permissionsBoundary,
      description: "The most that any function role of the payment ledger may ever do",
      policy: policy(this, "permissions-boundary-policy", this.boundary()),
    });
    return mapRoles(ROLES, (baseName, role) => {
      return new IamRole(this, baseName, {
        name: this.names.roles[role],
        description: ROLE_DESCRIPTIONS[role],
        assumeRolePolicy: trust,
        permissionsBoundary: boundary.arn,
      });
    });
  }

  private boundary(): Statement[] {
    const tables = Object.keys(TABLES) as TableId[];
    return boundaryStatements({
      tableArns: tables.map((table) => this.tableArn(table)),
      indexArns: tables.flatMap((table) => this.indexArns(table)),
      keyArns: this.arn("kms", "key/*"),
      logStreamArns: Object.values(this.names.functionLogGroups).map((name) => this.arn("logs", `log-group:${name}:*`)),
      failureQueueArn: this.arn("sqs", this.names.failureQueue),
      queueArns: (Object.keys(QUEUES) as QueueId[]).map((queue) => this.queueArn(queue)),
      filesArn: this.bucketArn("files"),
      exportsArn: this.bucketArn("exports"),
      networkInterfaceArns: this.arn("ec2", "*/*"),
    });
  }

  /** Nobody is subscribed: who is called at night is the operator's to say. */
  private addAlarmTopic(dataKeyArn: string): SnsTopic {
    const topic = new SnsTopic(this, "alarm-topic", { name: this.names.alarmTopic, kmsMasterKeyId: dataKeyArn });
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
