/** The two tables and the queue of failed asynchronous calls. */

import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { SqsQueuePolicy } from "@cdktf/provider-aws/lib/sqs-queue-policy";
import type { Construct } from "constructs";
import type { AppConfig } from "../config/types";
import { TABLES, type TableId } from "../contract";
import { BaseStack } from "./base-stack";
import { addLedgerTable } from "./constructs/ledger-table";
import { arnNotEquals, denyWithoutTls, EVERYBODY, policy, type Statement } from "./constructs/policy";
import type { DataOutputs, SecurityOutputs } from "./contracts";

const FAILURE_RETENTION_SECONDS = 14 * 24 * 60 * 60;

export class DataStack extends BaseStack {
  readonly outputs: DataOutputs;

  constructor(
    scope: Construct,
    id: string,
    config: AppConfig,
    private readonly security: SecurityOutputs,
  ) {
    super(scope, id, config);
    const ledger = this.addTable("payment-ledger", "paymentLedger", {
      writerRoleArns: [this.roleArn("ledger")],
      updaterRoleArns: [this.roleArn("status")],
    });
    // Every function records what it did, so every function's role appends here; nobody updates.
    const auditTrail = this.addTable("payment-audit-trail", "paymentAuditTrail", {
      writerRoleArns: this.allRoleArns(),
      updaterRoleArns: [],
    });
    const failures = this.addFailureQueue();
    this.outputs = {
      tableNames: { paymentLedger: ledger.name, paymentAuditTrail: auditTrail.name },
      tableArns: { paymentLedger: ledger.arn, paymentAuditTrail: auditTrail.arn },
      failureQueueArn: failures.arn,
      failureQueueName: failures.name,
    };
  }

  private addTable(id: string, table: TableId, writers: { writerRoleArns: string[]; updaterRoleArns: string[] }) {
    return addLedgerTable(this, id, {
      name: this.names.tables[table],
      partitionKey: TABLES[table].partitionKey,
      indexes: Object.values(TABLES[table].indexes),
      kmsKeyArn: this.security.dataKeyArn,
      pitrRecoveryDays: this.config.pitrRecoveryDays,
      deletionProtection: this.config.protections.deletionProtection,
      ...writers,
    });
  }

  /** Its messages are whole requests and may hold a token: encrypted, kept two weeks, read by named roles only. */
  private addFailureQueue(): SqsQueue {
    const queue = new SqsQueue(this, "failure-queue", {
      name: this.names.failureQueue,
      kmsMasterKeyId: this.security.dataKeyArn,
      messageRetentionSeconds: FAILURE_RETENTION_SECONDS,
    });
    queue.overrideLogicalId("failure-queue");
    new SqsQueuePolicy(this, "failure-queue-policy", {
      queueUrl: queue.url,
      policy: policy(this, "failure-queue-policy-document", this.failureQueueStatements(queue.arn)),
    });
    return queue;
  }

  private failureQueueStatements(queueArn: string): Statement[] {
    const deny = { effect: "Deny" as const, principals: EVERYBODY, resources: [queueArn] };
    const readers = this.config.failureQueueReaderArns;
    return [
      denyWithoutTls(["sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"], queueArn),
      {
        ...deny,
        sid: "OnlyFunctionsSend",
        actions: ["sqs:SendMessage"],
        conditions: [arnNotEquals("aws:PrincipalArn", ...this.allRoleArns())],
      },
      {
        ...deny,
        sid: "OnlyNamedReaders",
        actions: ["sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ReceiveMessage"],
        ...(readers.length === 0 ? {} : { conditions: [arnNotEquals("aws:PrincipalArn", ...readers)] }),
      },
    ];
  }
}
