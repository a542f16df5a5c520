/**
 * The naming rules. The ledger's names (documents 000 to 002) have no suffix in `prod` and the environment's suffix everywhere
 * else. The names of payment processing (documents 003 and 004) always have a suffix.
 */

import {
  FUNCTIONS,
  type FunctionId,
  LOG_STATE,
  type PiecedCheck,
  QUEUES,
  type QueueId,
  ROLES,
  TABLES,
} from "../../contract";
import { ALARMS } from "./alarm-table";
import { ENVIRONMENTS } from "./environments";
import type { AppConfig } from "./types";

/** From a suffix alone no names of checkpoint keys follow: the configuration says how many keys there are. */
type Naming = Pick<AppConfig, "suffix"> & Partial<Pick<AppConfig, "checkpointKeys">>;

/** Under this suffix the ledger's names have no suffix, exactly as their documents write them. */
export const BARE_SUFFIX = "prod";

/** The KMS keys by purpose. `data` has the alias that document 003 gives its only key. */
const KEY_ALIASES = {
  data: "payment-processing",
  logs: "payment-logs",
  token: "payment-token",
  audit: "payment-audit",
  mac: "payment-mac",
  trail: "payment-trail",
  backup: "payment-backup",
  evidence: "payment-evidence",
  alarms: "payment-alarms",
} as const;

/** The state machines that make checks in pieces. */
const PIECE_MACHINES: Readonly<Record<PiecedCheck, string>> = {
  sweepAuditTrail: "payment-log-sweep-pieces",
  checkBackup: "payment-backup-check-pieces",
  drillRestore: "payment-restore-drill-pieces",
};

/** Managed policies for those who use the ledger. */
const ACCESS_POLICIES = {
  paymentService: "payment-service-access",
  auditor: "payment-auditor-access",
  operator: "payment-operator-access",
} as const;

const BUCKETS = {
  files: "payment-files",
  exports: "payment-exports",
  trail: "payment-cloudtrail",
  evidence: "payment-evidence",
} as const;

const SCHEDULES = {
  incrementalExport: "payment-export-incremental",
  fullExport: "payment-export-full",
  backupCheck: "payment-backup-check",
  sealHeartbeat: "payment-log-heartbeat",
  logSweep: "payment-log-sweep",
  restoreDrill: "payment-restore-drill",
  identityCheck: "payment-identity-check",
} as const;

/** The parts of payment processing. They have their documents' names, and so the suffix in production too. */
const WITH_SUFFIX: ReadonlySet<string> = new Set([
  TABLES.paymentTransactions.logicalName,
  ROLES.processor,
  FUNCTIONS.paymentProcessor.name,
]);

export type KeyId = keyof typeof KEY_ALIASES;
export type AccessPolicyId = keyof typeof ACCESS_POLICIES;
export type BucketId = keyof typeof BUCKETS;
export type ScheduleId = keyof typeof SCHEDULES;

/** The function that each queue feeds. */
export const CONSUMERS = {
  auditEvents: "persistPaymentAuditTrail",
  paymentMessages: "processPaymentMessages",
} as const satisfies Record<QueueId, FunctionId>;

/** The function that each schedule starts. */
export const SCHEDULED = {
  incrementalExport: "exportTables",
  fullExport: "exportTables",
  backupCheck: "checkBackup",
  sealHeartbeat: "publishCheckpoint",
  logSweep: "sweepAuditTrail",
  restoreDrill: "drillRestore",
  identityCheck: "attestCallers",
} as const satisfies Record<ScheduleId, FunctionId>;

/** `PaymentLedger`, `paymentledger-role`, ...: bare in production, else with the suffix. */
export function ledgerName(config: Naming, base: string): string {
  return config.suffix === BARE_SUFFIX ? base : `${base}-${config.suffix}`;
}

/** `payment-vpc-{suffix}`, `payment-processing-{suffix}`, ...: with the suffix in every environment. */
export function processingName(config: Naming, base: string): string {
  return `${base}-${config.suffix}`;
}

function deployedName(config: Naming, base: string): string {
  return WITH_SUFFIX.has(base) ? processingName(config, base) : ledgerName(config, base);
}

/** SQS requires that the name of a FIFO queue ends like this. */
function queueName(config: Naming, base: string, fifo: boolean): string {
  return `${ledgerName(config, base)}${fifo ? ".fifo" : ""}`;
}

/** The names of rules begin with this, and those of alarms that are not about one function. */
export const WATCH_PREFIX = "payment-";

/** The name of the rule that reports calls on one kind of protection. */
export function guardRuleName(config: Naming, id: string): string {
  return ledgerName(config, `${WATCH_PREFIX}${id}`);
}

/** Every name that must be unique in AWS or has a maximum length, in one place. */
export function namesOf(config: Naming) {
  const functions = mapValues(FUNCTIONS, ({ name }) => deployedName(config, name));
  const pieceMachines = mapValues(PIECE_MACHINES, (base) => ledgerName(config, base));
  return {
    tables: mapValues(TABLES, ({ logicalName }) => deployedName(config, logicalName)),
    logStateTable: ledgerName(config, LOG_STATE.name),
    roles: mapValues(ROLES, (name) => deployedName(config, name)),
    functions,
    functionLogGroups: mapValues(functions, (name) => `/aws/lambda/${name}`),
    keyAliases: mapValues(KEY_ALIASES, (base) => `alias/${processingName(config, base)}`),
    checkpointKeyAliases: checkpointKeyAliases(config),
    permissionsBoundary: ledgerName(config, "payment-permissions-boundary"),
    logPermissionsBoundary: ledgerName(config, "payment-log-permissions-boundary"),
    accessPolicies: mapValues(ACCESS_POLICIES, (base) => ledgerName(config, base)),
    failureQueue: ledgerName(config, "payment-ledger-failures"),
    queues: mapValues(QUEUES, ({ name, fifo }) => queueName(config, name, fifo)),
    deadLetterQueues: mapValues(QUEUES, ({ name, fifo }) => queueName(config, `${name}-dlq`, fifo)),
    schedules: mapValues(SCHEDULES, (base) => ledgerName(config, base)),
    scheduleGroup: ledgerName(config, "payment-ledger"),
    schedulerRole: ledgerName(config, "payment-scheduler-role"),
    pieceMachines,
    pieceMachineRoles: mapValues(PIECE_MACHINES, (base) => ledgerName(config, `${base}-role`)),
    pieceMachineLogGroups: mapValues(pieceMachines, (name) => `/aws/vendedlogs/states/${name}`),
    trail: processingName(config, "payment-trail"),
    backupVault: processingName(config, "payment-backup"),
    backupRole: processingName(config, "payment-backup-role"),
    restoreRole: processingName(config, "payment-restore-role"),
    guardEventsRole: processingName(config, "payment-guard-events-role"),
    alarmTopic: ledgerName(config, "payment-alarms"),
    dashboard: ledgerName(config, "payment-ledger"),
    alarms: mapValues(ALARMS, ({ name }) => ledgerName(config, name)),
    privateApi: ledgerName(config, "payment-ledger"),
    privateApiLogGroup: `/aws/apigateway/${ledgerName(config, "payment-ledger")}`,
    vpc: processingName(config, "payment-vpc"),
    flowLogRole: processingName(config, "payment-flow-logs-role"),
    flowLogGroup: `/aws/vpc/${processingName(config, "payment-vpc")}/flow-logs`,
  };
}

/** By generation: `alias/payment-checkpoint-1-{suffix}`. */
function checkpointKeyAliases(config: Naming): Record<string, string> {
  const { signing, retired } = config.checkpointKeys ?? { signing: [], retired: [] };
  return Object.fromEntries(
    [...signing, ...retired].map((generation) => [
      generation,
      `alias/${processingName(config, `payment-checkpoint-${generation}`)}`,
    ]),
  );
}

export type Names = ReturnType<typeof namesOf>;

export function bucketLabelsOf(config: Naming): Record<BucketId, string> {
  return mapValues(BUCKETS, (base) => processingName(config, base));
}

/** Bucket names are global. The account's number makes these unique. */
export function bucketNamesOf(config: Naming, accountId: string): Record<BucketId, string> {
  return mapValues(bucketLabelsOf(config), (label) => `${label}-${accountId}`);
}

/** The names that have a maximum length, with that length. In a name made from the account's number, its 12 digits count. */
export function boundedNames(config: Naming): { service: string; limit: number; name: string }[] {
  const names = namesOf(config);
  const bounded = (service: string, limit: number, list: string[]) => list.map((name) => ({ service, limit, name }));
  return [
    ...bounded("IAM role", 64, [
      ...Object.values(names.roles),
      names.flowLogRole,
      names.schedulerRole,
      ...Object.values(names.pieceMachineRoles),
      names.backupRole,
      names.restoreRole,
      names.guardEventsRole,
    ]),
    ...bounded("EventBridge rule", 64, [guardRuleName(config, "role-guards-forwarded")]),
    ...bounded("Lambda function", 64, Object.values(names.functions)),
    ...bounded("SQS queue", 80, [
      names.failureQueue,
      ...Object.values(names.queues),
      ...Object.values(names.deadLetterQueues),
    ]),
    ...bounded("EventBridge schedule", 64, [names.scheduleGroup, ...Object.values(names.schedules)]),
    ...bounded("state machine", 80, Object.values(names.pieceMachines)),
    ...bounded("backup vault", 50, [names.backupVault]),
    ...bounded("S3 bucket", 63, Object.values(bucketNamesOf(config, "0".repeat(12)))),
    ...bounded("DynamoDB table", 255, [...Object.values(names.tables), names.logStateTable]),
  ];
}

/**
 * The name of this deployment's Terraform state. With the environment's own suffix it is the name of the environment. A second
 * deployment of the environment (another suffix) must never share its state.
 */
export function stateName(config: Pick<AppConfig, "environment" | "suffix">): string {
  const ownSuffix = ENVIRONMENTS[config.environment]?.suffix;
  return config.suffix === ownSuffix ? config.environment : `${config.environment}-${config.suffix}`;
}

/** Tags of every resource; they go in once, at the provider. */
export function tagsOf(config: AppConfig): Record<string, string> {
  return {
    ...config.extraTags,
    Application: "payment-ledger",
    Environment: config.environment,
    Suffix: config.suffix,
    ManagedBy: "terraform",
    DataClassification: "confidential",
  };
}

function mapValues<K extends string, V>(
  source: Readonly<Record<K, V>>,
  change: (value: V) => string,
): Record<K, string> {
  return Object.fromEntries(Object.entries<V>(source).map(([key, value]) => [key, change(value)])) as Record<K, string>;
}

/** `paymentAuditTrail` as construct ids are written: `payment-audit-trail`. */
export function kebabCase(id: string): string {
  return id.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
