/** Everything that is stored: tables, queues, buckets, their backups and scheduled exports, and the trail of all access to them. */

import type { BackupPlan } from "@cdktf/provider-aws/lib/backup-plan";
import type { DynamodbTable } from "@cdktf/provider-aws/lib/dynamodb-table";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { TerraformOutput } from "cdktf";
import type { Construct } from "constructs";
import {
  FILE_PREFIXES,
  FUNCTIONS,
  type FunctionId,
  LOG_STATE,
  QUEUES,
  type QueueId,
  SCRATCH_TABLE_PREFIX,
  TABLES,
  type TableId,
} from "../contract";
import { BaseStack } from "./base-stack";
import { CONSUMERS, SCHEDULED } from "./config/names";
import type { AppConfig } from "./config/types";
import type { AuditorKit } from "./constructs/auditor-kit";
import { addBackups } from "./constructs/backups";
import { addBucket, type Bucket, onlyUnderKey, onlyWrittenBy } from "./constructs/bucket";
import { addEvidenceBucket } from "./constructs/evidence-bucket";
import { addExportsBucket } from "./constructs/exports-bucket";
import { addLedgerTable } from "./constructs/ledger-table";
import {
  addQueue,
  addQueuePolicy,
  FAILURE_RETENTION_SECONDS,
  onlyReadBy,
  onlySentBy,
  type QueuePair,
} from "./constructs/queue";
import { addSchedule, addScheduling, type Scheduling } from "./constructs/schedules";
import { addTrail, trailBucketStatements } from "./constructs/trail";
import type { DataOutputs, SecurityOutputs } from "./contracts";
import { visibilitySeconds } from "./function-sizes";

export interface DataStackProps {
  readonly security: SecurityOutputs;
  readonly auditorKit: AuditorKit;
}

export class DataStack extends BaseStack {
  readonly outputs: DataOutputs;

  constructor(
    scope: Construct,
    id: string,
    config: AppConfig,
    private readonly props: DataStackProps,
  ) {
    super(scope, id, config);
    const tables = this.addTables();
    const logState = this.addLogStateTable();
    const queues: Record<QueueId, QueuePair> = {
      auditEvents: this.addQueue("audit-events", "auditEvents", config.eventSenderArns),
      paymentMessages: this.addQueue("payment-messages", "paymentMessages", config.paymentSenderArns),
    };
    const failures = this.addFailureQueue();
    const files = this.addFilesBucket();
    const exports = this.addExportsBucket();
    const evidence = this.addEvidenceBucket();
    const tableArns = mapValues(tables, ({ arn }) => arn);
    const backupPlan = this.addBackups(Object.values(tableArns));
    const scheduling = this.addScheduling(failures.arn);
    this.addExportSchedules(scheduling);
    const waiting = [failures.arn, ...Object.values(queues).map(({ deadLetters }) => deadLetters.arn)];
    const trail = this.addTrail([...Object.values(tableArns), logState.arn], waiting, [files, exports, evidence]);
    this.outputs = {
      tableNames: mapValues(tables, ({ name }) => name),
      tableArns,
      streamArns: mapValues(tables, ({ streamArn }) => streamArn),
      logStateTableName: logState.name,
      logStateTableArn: logState.arn,
      bucketNames: {
        files: files.resource.id,
        exports: exports.resource.id,
        evidence: evidence.resource.id,
        trail: trail.s3BucketName,
      },
      queueArns: mapValues(queues, ({ queue }) => queue.arn),
      queueNames: mapValues(queues, ({ queue }) => queue.name),
      deadLetterQueueNames: mapValues(queues, ({ deadLetters }) => deadLetters.name),
      failureQueueArn: failures.arn,
      failureQueueName: failures.name,
      scheduleGroupName: scheduling.groupName,
      schedulerRoleArn: scheduling.roleArn,
      backupPlanId: backupPlan.id,
    };
    this.output("PaymentBucketName", "Bucket of the payment files", files.resource.id);
    this.output("TransactionTableName", "Table of the payments that arrive as files", tables.paymentTransactions.name);
    this.output("EvidenceBucketName", "Bucket of the log of proofs", evidence.resource.id);
    this.output("LogOrigin", "First line of the log's checkpoints, and name of its verifier keys", this.logOrigin());
    this.output("CloudTrailName", "Trail of the account and of this project's data", trail.name);
  }

  private output(name: string, description: string, value: string): void {
    new TerraformOutput(this, name, { description, value });
  }

  /**
   * Only a status change updates anything; every function that records what it did appends to the audit trail. The documents
   * let `paymentledger-role` read both its tables. Its functions only write, and a read by it would leave no audit record.
   */
  private addTables(): Record<TableId, DynamodbTable> {
    const roles = (...ids: Parameters<DataStack["roleArn"]>[0][]) => ids.map((role) => this.roleArn(role));
    return {
      paymentLedger: this.addTable("payment-ledger", "paymentLedger", {
        writers: roles("ledger"),
        updaters: roles("status"),
        unreading: roles("ledger"),
      }),
      paymentAuditTrail: this.addTable("payment-audit-trail", "paymentAuditTrail", {
        writers: roles(...this.auditingRoles()),
        unreading: roles("ledger"),
      }),
      paymentMessages: this.addTable("payment-messages-trail", "paymentMessages", { writers: roles("messages") }),
      paymentTransactions: this.addTable("payment-transactions", "paymentTransactions", {
        writers: roles("processor"),
      }),
      paymentEvents: this.addTable("payment-events", "paymentEvents", {
        writers: roles("events", "messages", "processor"),
      }),
    };
  }

  private addTable(
    id: string,
    table: TableId,
    { writers, updaters = [], unreading = [] }: { writers: string[]; updaters?: string[]; unreading?: string[] },
  ) {
    const { partitionKey, indexes, ...rest } = TABLES[table];
    return addLedgerTable(this, id, {
      name: this.names.tables[table],
      partitionKey,
      ...("sortKey" in rest ? { sortKey: rest.sortKey } : {}),
      indexes: Object.values(indexes),
      streamed: true,
      kmsKeyArn: this.props.security.dataKeyArn,
      pitrRecoveryDays: this.config.pitrRecoveryDays,
      deletionProtection: this.config.protections.deletionProtection,
      writerRoleArns: writers,
      updaterRoleArns: updaters,
      unreadingRoleArns: unreading,
    });
  }

  /**
   * Batches of entries are put once, the head again and again under the condition of its size; so a put is all that
   * anybody needs. Its own writes are sealed nowhere, so it has no stream.
   */
  private addLogStateTable(): DynamodbTable {
    return addLedgerTable(this, "log-state", {
      name: this.names.logStateTable,
      partitionKey: LOG_STATE.partitionKey,
      sortKey: { name: LOG_STATE.sortKey, type: "S" },
      indexes: [],
      streamed: false,
      kmsKeyArn: this.props.security.dataKeyArn,
      pitrRecoveryDays: this.config.pitrRecoveryDays,
      deletionProtection: this.config.protections.deletionProtection,
      writerRoleArns: [this.roleArn("sealer"), this.roleArn("publisher"), this.roleArn("sweeper")],
      updaterRoleArns: [],
      unreadingRoleArns: [],
    });
  }

  private addQueue(id: string, queue: QueueId, senderArns: readonly string[]): QueuePair {
    return addQueue(this, id, {
      name: this.names.queues[queue],
      deadLetterName: this.names.deadLetterQueues[queue],
      fifo: QUEUES[queue].fifo,
      kmsKeyArn: this.props.security.dataKeyArn,
      visibilitySeconds: visibilitySeconds(queue),
      consumerRoleArn: this.roleArn(FUNCTIONS[CONSUMERS[queue]].role),
      senderArns,
      readerArns: this.config.failureQueueReaderArns,
    });
  }

  /** Its messages are whole requests and may hold a token: encrypted, kept two weeks, read by named roles only. */
  private addFailureQueue(): SqsQueue {
    const queue = new SqsQueue(this, "failure-queue", {
      name: this.names.failureQueue,
      kmsMasterKeyId: this.props.security.dataKeyArn,
      messageRetentionSeconds: FAILURE_RETENTION_SECONDS,
    });
    queue.overrideLogicalId("failure-queue");
    addQueuePolicy(this, "failure-queue", queue, [
      onlySentBy(queue.arn, [...this.allRoleArns(), this.schedulerRoleArn()]),
      onlyReadBy(queue.arn, this.config.failureQueueReaderArns),
    ]);
    return queue;
  }

  private addFilesBucket(): Bucket {
    const { reportDays, continuationDays, oldVersionDays, oldFileVersionArchive: archive } = this.config.retention;
    return addBucket(this, "payment-files", {
      name: this.bucketName("files"),
      label: this.bucketLabel("files"),
      kmsKeyArn: this.props.security.dataKeyArn,
      bucketKey: true,
      expiry: { [FILE_PREFIXES.continuations]: continuationDays, [FILE_PREFIXES.reports]: reportDays },
      oldVersionDays: archive?.keptDays ?? oldVersionDays,
      ...(archive === null ? {} : { archiveOldVersionsAfterDays: archive.afterDays }),
      emptyOnDestroy: this.config.protections.emptyOnDestroy,
      statements: (bucketArn) => [
        ...onlyUnderKey(bucketArn, this.props.security.dataKeyArn),
        // A made-up continuation would have the processor pass over rows.
        onlyWrittenBy("OnlyProcessorReports", this.roleArn("processor"), [
          `${bucketArn}/${FILE_PREFIXES.continuations}*`,
          `${bucketArn}/${FILE_PREFIXES.reports}*`,
        ]),
      ],
    });
  }

  private addExportsBucket(): Bucket {
    const { exportDays, oldVersionDays } = this.config.retention;
    return addExportsBucket(this, "payment-exports", {
      name: this.bucketName("exports"),
      label: this.bucketLabel("exports"),
      kmsKeyArn: this.props.security.dataKeyArn,
      exportDays,
      oldVersionDays,
      emptyOnDestroy: this.config.protections.emptyOnDestroy,
      exporterArn: this.roleArn("export"),
      checkerArn: this.roleArn("backupCheck"),
      drillArn: this.roleArn("drill"),
      pieceWriters: this.piecedChecks.map((check) => ({ check, roleArn: this.roleArn(FUNCTIONS[check].role) })),
    });
  }

  private addEvidenceBucket(): Bucket {
    const { protections, witnessArns, evidenceReaderArns } = this.config;
    return addEvidenceBucket(this, "payment-evidence", {
      name: this.bucketName("evidence"),
      label: this.bucketLabel("evidence"),
      kmsKeyArn: this.props.security.evidenceKeyArn,
      lock: protections.evidenceLock,
      emptyOnDestroy: protections.emptyOnDestroy,
      auditorKit: this.props.auditorKit,
      publisherArn: this.roleArn("publisher"),
      sweeperArn: this.roleArn("sweeper"),
      attesterArn: this.roleArn("attester"),
      witnessArns,
      readerArns: evidenceReaderArns,
    });
  }

  private addBackups(tableArns: string[]): BackupPlan {
    return addBackups(this, {
      vaultName: this.names.backupVault,
      vaultArn: this.arn("backup", `backup-vault:${this.names.backupVault}`),
      roleName: this.names.backupRole,
      restoreRoleName: this.names.restoreRole,
      region: this.config.region,
      accountId: this.accountId,
      tableArns,
      scratchTableArns: this.arn("dynamodb", `table/${SCRATCH_TABLE_PREFIX}*`),
      recoveryPointArns: this.arn("backup", "recovery-point:*"),
      dataKeyArn: this.props.security.dataKeyArn,
      backupKeyArn: this.props.security.backupKeyArn,
      backups: this.config.backups,
      protections: this.config.protections,
    });
  }

  private addScheduling(failureQueueArn: string): Scheduling {
    return addScheduling(this, {
      groupName: this.names.scheduleGroup,
      groupArn: this.arn("scheduler", `schedule-group/${this.names.scheduleGroup}`),
      roleName: this.names.schedulerRole,
      scheduleArns: this.scheduleArns(),
      functionArns: this.scheduledFunctions().map((functionId) => this.functionArn(functionId)),
      machineArns: this.piecedChecks.map((check) => this.pieceMachineArn(check)),
      accountId: this.accountId,
      region: this.config.region,
      dataKeyArn: this.props.security.dataKeyArn,
      failureQueueArn,
    });
  }

  /** They start a function of a later stack, by its name: an export that is due before that stack is applied fails, and is kept. */
  private addExportSchedules(scheduling: Scheduling): void {
    const exports = [
      { schedule: "incrementalExport", kind: "incremental", description: "Exports what changed in the tables" },
      { schedule: "fullExport", kind: "full", description: "Exports the whole tables" },
    ] as const;
    for (const { schedule, kind, description } of exports) {
      const props = {
        id: `${kind}-export-schedule`,
        name: this.names.schedules[schedule],
        description,
        expression: this.config.schedules[schedule],
        targetArn: this.functionArn(SCHEDULED[schedule]),
        input: { kind },
      };
      addSchedule(this, props, scheduling);
    }
  }

  private addTrail(tableArns: string[], waitingQueueArns: string[], buckets: Bucket[]) {
    const { retention, protections } = this.config;
    const bucket = addBucket(this, "payment-cloudtrail", {
      name: this.bucketName("trail"),
      label: this.bucketLabel("trail"),
      kmsKeyArn: this.props.security.trailKeyArn,
      bucketKey: false,
      expiry: { "AWSLogs/": retention.trailDays },
      oldVersionDays: retention.oldVersionDays,
      emptyOnDestroy: protections.emptyOnDestroy,
      lock: protections.trailLock,
      statements: (bucketArn) => trailBucketStatements(bucketArn, this.trailArn(), this.accountId),
    });
    return addTrail(this, {
      name: this.names.trail,
      arn: this.trailArn(),
      kmsKeyArn: this.props.security.trailKeyArn,
      bucket,
      watched: {
        tableArns,
        scratchTables: this.arn("dynamodb", `table/${SCRATCH_TABLE_PREFIX}`),
        waitingQueueArns,
        bucketArns: buckets.map(({ resource }) => resource.arn),
        functionArns: (Object.keys(FUNCTIONS) as FunctionId[]).map((functionId) => this.functionArn(functionId)),
      },
    });
  }
}

function mapValues<K extends string, V>(source: Record<K, V>, change: (value: V) => string): Record<K, string> {
  return Object.fromEntries(Object.entries<V>(source).map(([key, value]) => [key, change(value)])) as Record<K, string>;
}
