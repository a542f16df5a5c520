/** The functions: code, permissions, what starts them, alarms and the dashboard. */

import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { TerraformOutput } from "cdktf";
import type { Construct } from "constructs";
import {
  API_STAGE,
  DRILL_TABLE_PREFIX,
  FILE_PREFIXES,
  FUNCTIONS,
  type FunctionId,
  type PiecedCheck,
  QUEUES,
  type QueueId,
  ROLES,
  type RoleId,
  SCRATCH_TABLE_PREFIX,
  TABLES,
  type TableId,
} from "../contract";
import { type AccessArns, addAccessPolicies } from "./access-policies";
import { BaseStack } from "./base-stack";
import { CONSUMERS, guardRuleName, kebabCase, SCHEDULED, type ScheduleId, WATCH_PREFIX } from "./config/names";
import type { AppConfig } from "./config/types";
import { addAlarms } from "./constructs/alarms";
import { addDashboard } from "./constructs/dashboard";
import { addFileFeed, addQueueFeed, addStreamFeed } from "./constructs/feeds";
import { addFunction, type LedgerFunction } from "./constructs/function";
import { addGuards } from "./constructs/guards";
import type { HandlerCode } from "./constructs/handler-code";
import { addPieceMachine } from "./constructs/piece-machine";
import { policy, type Statement } from "./constructs/policy";
import type { PrivateApi } from "./constructs/private-api";
import { addSchedule, type Schedule } from "./constructs/schedules";
import { allKeyArns, type DataOutputs, keyArnsByPurpose, type NetworkOutputs, type SecurityOutputs } from "./contracts";
import { environmentOf } from "./function-environment";
import { FEEDS, SIZES, STREAM_FEED } from "./function-sizes";
import { guardRules } from "./guard-rules";
import { addLedgerApi } from "./ledger-api";
import { IMPORT_LOG_GROUPS } from "./log-boundary";
import { permissionsOf } from "./permissions";

/** How often a checkpoint is signed. Not configurable, because the alarm on a missing checkpoint depends on it. */
const HEARTBEAT = "rate(1 minute)";

export interface FunctionsStackProps {
  readonly security: SecurityOutputs;
  readonly network: NetworkOutputs;
  readonly data: DataOutputs;
  readonly handlerCode: HandlerCode;
}

type Functions = Readonly<Record<FunctionId, LedgerFunction>>;

export class FunctionsStack extends BaseStack {
  constructor(
    scope: Construct,
    id: string,
    config: AppConfig,
    private readonly props: FunctionsStackProps,
  ) {
    super(scope, id, config);
    const access = this.addRolePolicies();
    const functions = mapIds(FUNCTIONS, (functionId) => {
      return this.addLedgerFunction(functionId, access[FUNCTIONS[functionId].role]);
    });
    this.addQueueFeeds(functions);
    this.addStreamFeeds(functions.sealAuditTrail);
    this.addFileFeed(functions.paymentProcessor);
    for (const check of this.piecedChecks) this.addPieceMachine(check, functions[check]);
    this.addSchedules(functions);
    const privateApi = this.addPrivateApi(functions);
    addAccessPolicies(this, this.names.accessPolicies, this.accessArns(privateApi));
    addAlarms(this, {
      functions,
      names: this.names.alarms,
      failureQueueName: props.data.failureQueueName,
      queueNames: props.data.queueNames,
      deadLetterQueueNames: props.data.deadLetterQueueNames,
      backupVaultName: this.names.backupVault,
      drillEveryDays: config.drillEveryDays,
      guardRuleNames: this.addGuards(privateApi),
      topicArn: props.security.alarmTopicArn,
    });
    addDashboard(this, this.names.dashboard, this.config.region, {
      functions: Object.values(functions),
      sealer: functions.sealAuditTrail,
      publisher: functions.publishCheckpoint,
      queueNames: Object.values(props.data.queueNames),
      failedNames: [props.data.failureQueueName, ...Object.values(props.data.deadLetterQueueNames)],
    });
    for (const { entry, resource } of Object.values(functions)) {
      new TerraformOutput(this, `${entry}-name`, { value: resource.functionName });
      new TerraformOutput(this, `${entry}-arn`, { value: resource.arn });
    }
    new TerraformOutput(this, "PaymentProcessorFunctionArn", {
      description: "Function that records payment files",
      value: functions.paymentProcessor.resource.arn,
    });
  }

  private addQueueFeeds(functions: Functions): void {
    for (const queue of Object.keys(QUEUES) as QueueId[]) {
      const { entry, resource } = functions[CONSUMERS[queue]];
      addQueueFeed(this, `${entry}-queue`, {
        ...FEEDS[queue],
        queueArn: this.props.data.queueArns[queue],
        consumer: resource,
        concurrency: this.config.queueConcurrency[queue],
      });
    }
  }

  private addStreamFeeds({ entry, resource }: LedgerFunction): void {
    for (const table of Object.keys(TABLES) as TableId[]) {
      addStreamFeed(this, `${entry}-${kebabCase(table)}`, {
        ...STREAM_FEED,
        streamArn: this.props.data.streamArns[table],
        consumer: resource,
      });
    }
  }

  private addFileFeed({ entry, resource }: LedgerFunction): void {
    addFileFeed(this, `${entry}-files`, {
      bucketName: this.props.data.bucketNames.files,
      bucketArn: this.bucketArn("files"),
      accountId: this.accountId,
      processor: resource,
      // Without the prefix of its reports: they would start it again.
      prefixes: [FILE_PREFIXES.payments, FILE_PREFIXES.continuations],
    });
  }

  private addPieceMachine(check: PiecedCheck, { entry, resource }: LedgerFunction): void {
    const { dataKeyArn, logsKeyArn } = this.props.security;
    const { pieceMachines, pieceMachineRoles, pieceMachineLogGroups } = this.names;
    addPieceMachine(this, `${entry}-machine`, {
      name: pieceMachines[check],
      roleName: pieceMachineRoles[check],
      logGroupName: pieceMachineLogGroups[check],
      config: this.config,
      arn: (service, name) => this.arn(service, name),
      partition: this.partition,
      accountId: this.accountId,
      functionArn: resource.arn,
      dataKeyArn,
      logsKeyArn,
    });
  }

  /** The schedules, without those of the exports, which belong to the data stack. */
  private addSchedules(functions: Functions): void {
    const { security, data } = this.props;
    for (const schedule of this.schedules(functions)) {
      addSchedule(this, schedule, {
        groupName: data.scheduleGroupName,
        roleArn: data.schedulerRoleArn,
        dataKeyArn: security.dataKeyArn,
        failureQueueArn: data.failureQueueArn,
      });
    }
  }

  private schedules(functions: Functions): Schedule[] {
    const expressions = { ...this.config.schedules, sealHeartbeat: HEARTBEAT };
    const schedule = (id: ScheduleId, description: string, input: object): Schedule => {
      const check = this.piecedChecks.find((each) => each === SCHEDULED[id]);
      return {
        id: `${kebabCase(id)}-schedule`,
        name: this.names.schedules[id],
        description: check === undefined ? description : `${description}, in pieces`,
        expression: expressions[id],
        targetArn: check === undefined ? functions[SCHEDULED[id]].resource.arn : this.pieceMachineArn(check),
        input: check === undefined ? input : {},
      };
    };
    return [
      schedule("backupCheck", "Checks the newest exports", {}),
      { ...schedule("sealHeartbeat", "Publishes a checkpoint of the log", { kind: "heartbeat" }), frequent: true },
      schedule("logSweep", "Compares the tables with the log", { kind: "sweep" }),
      schedule("restoreDrill", "Continues a restore drill, or starts one", { kind: "step" }),
      schedule("identityCheck", "Attests who called on the day before", { kind: "attest" }),
    ];
  }

  private addPrivateApi(functions: Functions): PrivateApi | null {
    const { network, security } = this.props;
    if (network.apiEndpointId === null) return null;
    return addLedgerApi(this, {
      config: this.config,
      names: this.names,
      endpointId: network.apiEndpointId,
      accountId: this.accountId,
      accountRootArn: this.iamArn("root"),
      functions,
      logsKeyArn: security.logsKeyArn,
    });
  }

  private accessArns(privateApi: PrivateApi | null): AccessArns {
    const { security } = this.props;
    const { queues, deadLetterQueues, failureQueue } = this.names;
    return {
      region: this.config.region,
      tableArns: this.allTableArns(),
      scratchArn: this.arn("dynamodb", `table/${SCRATCH_TABLE_PREFIX}*`),
      filesArn: this.bucketArn("files"),
      exportsArn: this.bucketArn("exports"),
      evidenceArn: this.bucketArn("evidence"),
      queueArns: Object.values(queues).map((name) => this.arn("sqs", name)),
      failureQueueArns: [...Object.values(deadLetterQueues), failureQueue].map((name) => this.arn("sqs", name)),
      dataKeyArn: security.dataKeyArn,
      evidenceKeyArn: security.evidenceKeyArn,
      checkpointKeyArns: [...security.checkpointKeyArns, ...security.retiredCheckpointKeyArns],
      importLogArn: this.arn("logs", IMPORT_LOG_GROUPS),
      anyLogGroupArn: this.arn("logs", "log-group:*"),
      functionArn: (id) => this.functionArn(id),
      ...(privateApi === null
        ? {}
        : { methodArn: (id) => `${privateApi.executionArn}/${API_STAGE}/POST/${FUNCTIONS[id].name}` }),
      comparesActors: this.config.actors === "caller",
    };
  }

  /** In the last stack, so that they report changes of the other stacks but not their first apply. */
  private addGuards(privateApi: PrivateApi | null): string[] {
    const { security, network, data } = this.props;
    const { names } = this;
    return addGuards(this, {
      rules: guardRules({
        tableNames: [...Object.values(names.tables), names.logStateTable],
        tableArns: [...this.allTableArns(), this.logStateTableArn()],
        bucketNames: (["files", "exports", "evidence", "trail"] as const).map((id) => this.bucketName(id)),
        keyArns: allKeyArns(security),
        queueNames: [...Object.values(names.queues), ...Object.values(names.deadLetterQueues), names.failureQueue],
        trailName: names.trail,
        trailArn: this.trailArn(),
        roleNames: [
          ...Object.values(names.roles),
          names.schedulerRole,
          ...this.piecedChecks.map((check) => names.pieceMachineRoles[check]),
          names.backupRole,
          names.restoreRole,
          names.flowLogRole,
        ],
        boundaryArns: [names.permissionsBoundary, names.logPermissionsBoundary].map((name) =>
          this.iamArn(`policy/${name}`),
        ),
        functionNames: Object.values(names.functions),
        scheduleGroup: names.scheduleGroup,
        backupVaultName: names.backupVault,
        backupPlanId: data.backupPlanId,
        topicArn: security.alarmTopicArn,
        securityGroupId: network.functionSecurityGroupId,
        privateApiId: privateApi?.finishedApiId ?? null,
        namePrefix: WATCH_PREFIX,
      }),
      ruleName: (id) => guardRuleName(this.config, id),
      topicArn: security.alarmTopicArn,
      region: this.config.region,
      accountId: this.accountId,
      busArn: this.arn("events", "event-bus/default"),
      forwardRoleName: names.guardEventsRole,
    });
  }

  private addRolePolicies(): Record<RoleId, IamRolePolicy> {
    return mapIds(ROLES, (role) => {
      return new IamRolePolicy(this, `${ROLES[role]}-access`, {
        name: "function-access",
        role: this.props.security.roleNames[role],
        policy: policy(this, `${ROLES[role]}-access-policy`, this.statementsOf(role)),
      });
    });
  }

  private statementsOf(role: RoleId): Statement[] {
    const { data } = this.props;
    const functions = (Object.keys(FUNCTIONS) as FunctionId[]).filter((id) => FUNCTIONS[id].role === role);
    const table = (id: TableId) => ({ tableArn: data.tableArns[id], indexArns: this.indexArns(id) });
    return permissionsOf(role, {
      region: this.config.region,
      ledger: table("paymentLedger"),
      auditTrail: table("paymentAuditTrail"),
      messages: table("paymentMessages"),
      transactions: table("paymentTransactions"),
      events: table("paymentEvents"),
      keyArns: keyArnsByPurpose(this.props.security),
      filesArn: this.bucketArn("files"),
      exportsArn: this.bucketArn("exports"),
      evidenceArn: this.bucketArn("evidence"),
      trailBucketArn: this.bucketArn("trail"),
      trailFilesArn: this.trailFilesArn(),
      auditTrailByTimeArn: this.auditTrailByTimeArn(),
      logStateArn: data.logStateTableArn,
      streamArns: Object.values(data.streamArns),
      scratchArns: Object.values(data.tableNames).map((name) =>
        this.arn("dynamodb", `table/${DRILL_TABLE_PREFIX}${name}`),
      ),
      importLogArn: this.arn("logs", IMPORT_LOG_GROUPS),
      anyLogGroupArn: this.arn("logs", "log-group:*"),
      failureQueueArn: functions.some(failsForGood) ? data.failureQueueArn : null,
      queueArns: data.queueArns,
      removeCardDataFiles: this.config.removeCardDataFiles,
      piecesPrefix: this.piecesPrefixOf(role),
      auditing: this.auditingRoles().includes(role),
      logStreamArns: functions.map((id) => this.arn("logs", `log-group:${this.names.functionLogGroups[id]}:*`)),
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
      environment: environmentOf(functionId, {
        config: this.config,
        security,
        network,
        data,
        logOrigin: this.logOrigin(),
        trailDigestPrefix: `AWSLogs/${this.accountId}/CloudTrail-Digest/${this.config.region}/`,
      }),
      environmentKeyArn: security.dataKeyArn,
      subnetIds: network.privateSubnetIds,
      securityGroupId: network.functionSecurityGroupId,
      reservedConcurrency: this.config.protections.reservedConcurrency?.[functionId],
      failureQueueArn: failsForGood(functionId) ? data.failureQueueArn : null,
      logGroup: {
        name: this.names.functionLogGroups[functionId],
        kmsKeyArn: security.logsKeyArn,
        retentionDays: this.config.logRetentionDays,
      },
    });
  }
}

/** Whether an asynchronous call that failed on every try is kept. The publisher's calls need not be: its schedule repeats them. */
function failsForGood(functionId: FunctionId): boolean {
  return functionId !== "publishCheckpoint";
}

function mapIds<K extends string, T>(source: Readonly<Record<K, unknown>>, make: (id: K) => T): Record<K, T> {
  return Object.fromEntries((Object.keys(source) as K[]).map((id) => [id, make(id)])) as Record<K, T>;
}
