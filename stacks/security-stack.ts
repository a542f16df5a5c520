/** Keys by purpose, the functions' roles under one boundary, and the topic that alarms go to. */

import { IamPolicy } from "@cdktf/provider-aws/lib/iam-policy";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { SnsTopic } from "@cdktf/provider-aws/lib/sns-topic";
import { SnsTopicPolicy } from "@cdktf/provider-aws/lib/sns-topic-policy";
import type { Construct } from "constructs";
import type { KeyId } from "../config/names";
import type { AppConfig } from "../config/types";
import { ENCRYPTION_CONTEXT, ROLES, type RoleId, TABLES, type TableId } from "../contract";
import { BaseStack } from "./base-stack";
import { boundaryStatements } from "./boundary";
import { addKey, THIS_KEY } from "./constructs/key";
import {
  arnEquals,
  type Condition,
  denyWithoutTls,
  equals,
  policy,
  type Statement,
  service,
} from "./constructs/policy";
import type { SecurityOutputs } from "./contracts";

/** What each role is for, as the IAM console shows it. */
const ROLE_DESCRIPTIONS: Record<RoleId, string> = {
  ledger: "Records payments and audit events",
  status: "Changes the status of a recorded payment, and nothing else of it",
  query: "Reads payments, tokens masked",
  reveal: "Reads one payment's token in clear",
  auditor: "Reads the audit trail",
};

export class SecurityStack extends BaseStack {
  readonly outputs: SecurityOutputs;

  constructor(scope: Construct, id: string, config: AppConfig) {
    super(scope, id, config);
    const dataKey = this.addPurposeKey(
      "data",
      "Tables, queues, alarm topic and function environments",
      this.dataKeyUse(),
    );
    const logsKey = this.addPurposeKey("logs", "Log groups", this.logsKeyUse());
    const tokenKey = this.addPurposeKey("token", "Wraps the data keys of SecureToken", this.tokenKeyUse());
    const auditKey = this.addPurposeKey(
      "audit",
      "Wraps the data keys of QueryDetails and Response",
      this.auditKeyUse(),
    );
    const macKey = this.addPurposeKey("mac", "Record MACs", this.macKeyUse());
    const roles = this.addRoles();
    const topic = this.addAlarmTopic(dataKey.arn);
    this.outputs = {
      dataKeyArn: dataKey.arn,
      logsKeyArn: logsKey.arn,
      tokenKeyArn: tokenKey.arn,
      auditKeyArn: auditKey.arn,
      macKeyArn: macKey.arn,
      roleArns: mapRoles(roles, (role) => role.arn),
      roleNames: mapRoles(roles, (role) => role.name),
      alarmTopicArn: topic.arn,
    };
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

  /**
   * Lets principals of this account use the key, when their own IAM policies allow it too. Roles are named by
   * `aws:PrincipalArn` and not as principals, because KMS resolves a principal to the role's inner id: a role made anew
   * would be locked out, and the key could not be made before the role.
   */
  private use(sid: string, actions: string[], ...conditions: Condition[]): Statement {
    return {
      sid,
      principals: [{ type: "AWS", identifiers: [this.iamArn("root")] }],
      actions,
      resources: THIS_KEY,
      conditions,
    };
  }

  private via(...services: string[]): Condition {
    return equals("kms:ViaService", ...services.map((name) => `${name}.${this.config.region}.amazonaws.com`));
  }

  /** The key is used by AWS services for this account, and never by a call of anybody's own. */
  private dataKeyUse(): Statement[] {
    const fromThisAccount = equals("kms:CallerAccount", this.accountId);
    const tableActions = [
      "kms:CreateGrant",
      "kms:Decrypt",
      "kms:DescribeKey",
      "kms:Encrypt",
      "kms:GenerateDataKey",
      "kms:GenerateDataKeyWithoutPlaintext",
      "kms:ReEncryptFrom",
      "kms:ReEncryptTo",
    ];
    const queueUsers = [...this.allRoleArns(), ...this.config.failureQueueReaderArns];
    return [
      this.use("TablesThroughDynamoDB", tableActions, this.via("dynamodb"), fromThisAccount),
      this.use(
        "EnvironmentsThroughLambda",
        ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"],
        this.via("lambda"),
        fromThisAccount,
      ),
      this.use(
        "FailureQueueThroughSqs",
        ["kms:Decrypt", "kms:GenerateDataKey"],
        this.via("sqs"),
        arnEquals("aws:PrincipalArn", ...queueUsers),
      ),
      {
        sid: "AlarmsToTopic",
        principals: service("cloudwatch.amazonaws.com"),
        actions: ["kms:Decrypt", "kms:GenerateDataKey"],
        resources: THIS_KEY,
        conditions: [equals("aws:SourceAccount", this.accountId)],
      },
    ];
  }

  private logsKeyUse(): Statement[] {
    const groups = [...Object.values(this.names.functionLogGroups), this.names.flowLogGroup];
    const groupArns = groups.map((name) => this.arn("logs", `log-group:${name}`));
    return [
      {
        sid: "LogGroupsOfThisProject",
        principals: service(`logs.${this.config.region}.amazonaws.com`),
        actions: [
          "kms:Decrypt",
          "kms:DescribeKey",
          "kms:Encrypt",
          "kms:GenerateDataKey",
          "kms:GenerateDataKeyWithoutPlaintext",
          "kms:ReEncryptFrom",
          "kms:ReEncryptTo",
        ],
        resources: THIS_KEY,
        conditions: [arnEquals("kms:EncryptionContext:aws:logs:arn", ...groupArns)],
      },
    ];
  }

  /** What the code puts into every call: a data key wrapped for one table cannot be unwrapped for another. */
  private forFieldsOf(table: TableId): Condition[] {
    return [
      equals("kms:EncryptionContext:application", ENCRYPTION_CONTEXT.application),
      equals(`kms:EncryptionContext:${ENCRYPTION_CONTEXT.tableName}`, TABLES[table].logicalName),
    ];
  }

  private byRoles(...roles: RoleId[]): Condition {
    return arnEquals("aws:PrincipalArn", ...roles.map((role) => this.roleArn(role)));
  }

  /** Whoever writes tokens cannot read them back. */
  private tokenKeyUse(): Statement[] {
    return [
      this.use("WrapTokens", ["kms:Encrypt"], this.byRoles("ledger"), ...this.forFieldsOf("paymentLedger")),
      this.use("RevealTokens", ["kms:Decrypt"], this.byRoles("reveal"), ...this.forFieldsOf("paymentLedger")),
    ];
  }

  private auditKeyUse(): Statement[] {
    const everyRole = Object.keys(ROLES) as RoleId[];
    return [
      this.use(
        "WrapAuditDetails",
        ["kms:Encrypt"],
        this.byRoles(...everyRole),
        ...this.forFieldsOf("paymentAuditTrail"),
      ),
      this.use(
        "ReadAuditDetails",
        ["kms:Decrypt"],
        this.byRoles("ledger", "auditor"),
        ...this.forFieldsOf("paymentAuditTrail"),
      ),
    ];
  }

  /** MAC calls take no encryption context; the algorithm is what can be pinned. */
  private macKeyUse(): Statement[] {
    const everyRole = Object.keys(ROLES) as RoleId[];
    const algorithm = equals("kms:MacAlgorithm", "HMAC_SHA_256");
    return [this.use("RecordMacs", ["kms:GenerateMac"], this.byRoles(...everyRole), algorithm)];
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
    return boundaryStatements({
      tableArns: [this.tableArn("paymentLedger"), this.tableArn("paymentAuditTrail")],
      indexArns: [...this.indexArns("paymentLedger"), ...this.indexArns("paymentAuditTrail")],
      keyArns: this.arn("kms", "key/*"),
      logStreamArns: Object.values(this.names.functionLogGroups).map((name) => this.arn("logs", `log-group:${name}:*`)),
      failureQueueArn: this.arn("sqs", this.names.failureQueue),
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
