/** The functions: code, permissions, alarms and the dashboard. */

import { ArchiveProvider } from "@cdktf/provider-archive/lib/provider";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { TerraformOutput } from "cdktf";
import type { Construct } from "constructs";
import type { AppConfig } from "../config/types";
import { ENV, FUNCTIONS, type FunctionId, ROLES, type RoleId } from "../contract";
import { BaseStack } from "./base-stack";
import { addAlarms, addDashboard } from "./constructs/alarms";
import { addFunction, type LedgerFunction } from "./constructs/function";
import type { HandlerCode } from "./constructs/handler-code";
import { policy, type Statement } from "./constructs/policy";
import type { DataOutputs, NetworkOutputs, SecurityOutputs } from "./contracts";
import { permissionsOf } from "./permissions";

/** Sized for a list of payments where one is accepted; a read answers one page. */
const SIZES: Record<FunctionId, { readonly memoryMb: number; readonly timeoutSeconds: number }> = {
  persistPaymentLedger: { memoryMb: 1024, timeoutSeconds: 60 },
  updatePaymentStatus: { memoryMb: 512, timeoutSeconds: 30 },
  queryPaymentLedger: { memoryMb: 512, timeoutSeconds: 30 },
  revealPaymentToken: { memoryMb: 512, timeoutSeconds: 30 },
  persistPaymentAuditTrail: { memoryMb: 1024, timeoutSeconds: 60 },
  queryPaymentAuditTrail: { memoryMb: 512, timeoutSeconds: 30 },
};

export interface FunctionsStackProps {
  readonly security: SecurityOutputs;
  readonly network: NetworkOutputs;
  readonly data: DataOutputs;
  readonly handlerCode: HandlerCode;
}

export class FunctionsStack extends BaseStack {
  constructor(
    scope: Construct,
    id: string,
    config: AppConfig,
    private readonly props: FunctionsStackProps,
  ) {
    super(scope, id, config);
    new ArchiveProvider(this, "archive");
    const access = this.addRolePolicies();
    const functions = (Object.keys(FUNCTIONS) as FunctionId[]).map((functionId) => {
      return this.addLedgerFunction(functionId, access[FUNCTIONS[functionId].role]);
    });
    addAlarms(this, {
      functions,
      names: this.names.alarms,
      failureQueueName: props.data.failureQueueName,
      topicArn: props.security.alarmTopicArn,
    });
    addDashboard(this, this.names.dashboard, this.config.region, functions, props.data.failureQueueName);
    for (const { entry, resource } of functions) {
      new TerraformOutput(this, `${entry}-name`, { value: resource.functionName });
      new TerraformOutput(this, `${entry}-arn`, { value: resource.arn });
    }
  }

  private addRolePolicies(): Record<RoleId, IamRolePolicy> {
    const roles = Object.entries(ROLES) as [RoleId, string][];
    return Object.fromEntries(
      roles.map(([role, baseName]) => {
        const access = new IamRolePolicy(this, `${baseName}-access`, {
          name: "function-access",
          role: this.props.security.roleNames[role],
          policy: policy(this, `${baseName}-access-policy`, this.statementsOf(role)),
        });
        return [role, access];
      }),
    ) as Record<RoleId, IamRolePolicy>;
  }

  private statementsOf(role: RoleId): Statement[] {
    const { security, data } = this.props;
    const functions = (Object.keys(FUNCTIONS) as FunctionId[]).filter((id) => FUNCTIONS[id].role === role);
    const indexes = (table: "paymentLedger" | "paymentAuditTrail") => this.indexArns(table);
    return permissionsOf(role, {
      region: this.config.region,
      ledger: { tableArn: data.tableArns.paymentLedger, indexArns: indexes("paymentLedger") },
      auditTrail: { tableArn: data.tableArns.paymentAuditTrail, indexArns: indexes("paymentAuditTrail") },
      keyArns: {
        data: security.dataKeyArn,
        token: security.tokenKeyArn,
        audit: security.auditKeyArn,
        mac: security.macKeyArn,
      },
      failureQueueArn: data.failureQueueArn,
      logStreamArns: functions.map((id) => this.arn("logs", `log-group:${this.names.functionLogGroups[id]}:*`)),
      functionArns: functions.map((id) => this.arn("lambda", `function:${this.names.functions[id]}`)),
      networkInterfaceArns: this.arn("ec2", "*/*"),
    });
  }

  private addLedgerFunction(functionId: FunctionId, access: IamRolePolicy): LedgerFunction {
    const { entry, role } = FUNCTIONS[functionId];
    const { security, network, data, handlerCode } = this.props;
    return addFunction(this, entry, {
      name: this.names.functions[functionId],
      roleArn: security.roleArns[role],
      access,
      bundle: handlerCode(entry),
      ...SIZES[functionId],
      environment: this.environment(),
      environmentKeyArn: security.dataKeyArn,
      subnetIds: network.privateSubnetIds,
      securityGroupId: network.functionSecurityGroupId,
      reservedConcurrency: this.config.protections.reservedConcurrency?.[functionId],
      failureQueueArn: data.failureQueueArn,
      logGroup: {
        name: this.names.functionLogGroups[functionId],
        kmsKeyArn: security.logsKeyArn,
        retentionDays: this.config.logRetentionDays,
      },
    });
  }

  private environment(): Record<string, string> {
    const { security, network, data } = this.props;
    return {
      [ENV.ledgerTable]: data.tableNames.paymentLedger,
      [ENV.auditTable]: data.tableNames.paymentAuditTrail,
      [ENV.tokenKeyArn]: security.tokenKeyArn,
      [ENV.auditKeyArn]: security.auditKeyArn,
      [ENV.macKeyArn]: security.macKeyArn,
      [ENV.indexShardCount]: String(this.config.indexShardCount),
      [ENV.fieldEncryption]: this.config.fieldEncryption,
      [ENV.connectivity]: this.config.connectivity,
      [ENV.dynamodbEndpointUrl]: `https://${network.dynamodbEndpointHost}`,
    };
  }
}
