/**
 * The names on which synth time (`stacks/`) and run time (`handlers/`, `ledger/`, `evidence/`, `backup/`) agree.
 * It is the only file that both import, and it imports nothing. The base of all errors is here for that reason.
 *
 * Table, key and index names below are *stored data*: they appear in records, in MACs and in the additional data of
 * every ciphertext. A change here needs a migration.
 */

/** Logical table names. The deployed name adds the environment's suffix; MACs and ciphertexts use the logical one, so a restored or renamed table still verifies. `recordedAt` names the attribute with the ledger's own time of recording. */
export const TABLES = {
  paymentLedger: {
    logicalName: "PaymentLedger",
    partitionKey: "TransactionID",
    recordedAt: "RecordedAt",
    indexes: {
      byProcessor: { name: "by-processor", partitionKey: "ProcessorDay", sortKey: "TimeKey" },
      byFailure: { name: "by-failure", partitionKey: "FailureDay", sortKey: "TimeKey" },
    },
  },
  paymentAuditTrail: {
    logicalName: "PaymentAuditTrail",
    partitionKey: "AuditID",
    recordedAt: "RecordedAt",
    indexes: {
      byTransaction: { name: "by-transaction", partitionKey: "TransactionID", sortKey: "TransactionOrder" },
      byActor: { name: "by-actor", partitionKey: "ActorDay", sortKey: "TimeKey" },
      byTime: { name: "by-time", partitionKey: "AuditDay", sortKey: "TimeKey" },
    },
  },
  /** Payments that arrive as messages on `audit-trail-queue`. */
  paymentMessages: {
    logicalName: "payment-audit-trail",
    partitionKey: "paymentId",
    recordedAt: "processedAt",
    indexes: {},
  },
  /** Payments that arrive as files or as direct `payment_data`. The sort key is the time of processing in milliseconds. */
  paymentTransactions: {
    logicalName: "payment-transactions",
    partitionKey: "transactionId",
    recordedAt: "processedAt",
    sortKey: { name: "timestamp", type: "N" },
    indexes: {},
  },
  /** What happens to a payment after it was recorded. The sort key is the event's place in the payment's life, from 1. */
  paymentEvents: {
    logicalName: "PaymentEvents",
    partitionKey: "TransactionID",
    recordedAt: "RecordedAt",
    sortKey: { name: "Place", type: "N" },
    /** The attribute from which the id of a row's WRITE record follows; in the other tables it is the partition key. */
    writtenAs: "EventID",
    indexes: {
      /** Holds for refunds, and facts that broke a rule: what somebody may have to settle. */
      byReview: { name: "by-review", partitionKey: "ReviewDay", sortKey: "TimeKey" },
    },
  },
} as const;

export type TableId = keyof typeof TABLES;
export type LogicalTableName = (typeof TABLES)[TableId]["logicalName"];

/** IAM roles of the functions, by purpose. The deployed name adds the environment's suffix. */
export const ROLES = {
  ledger: "paymentledger-role",
  status: "payment-status-role",
  /** Records what happens to payments. */
  events: "payment-events-role",
  query: "payment-query-role",
  reveal: "payment-reveal-role",
  auditor: "payment-auditor-role",
  messages: "payment-messages-role",
  /** Named `payment-lambda-role-{suffix}` in every environment. */
  processor: "payment-lambda-role",
  /** Queries payment-transactions. */
  transactionQuery: "payment-transactions-query-role",
  /** Starts the exports and keeps where the last window ended. */
  export: "payment-export-role",
  /** Checks finished exports: reads the export bucket and counts the tables, writes reports. */
  backupCheck: "payment-backup-check-role",
  /** Appends what the streams tell to the log of proofs. */
  sealer: "payment-sealer-role",
  /** Appends heartbeats to the log of proofs, signs its checkpoints, writes the evidence. */
  publisher: "payment-publisher-role",
  /** Compares the tables with the log, and seals what the streams missed. */
  sweeper: "payment-sweeper-role",
  /** Restores exports into scratch tables, compares these with the log, and removes them. */
  drill: "payment-drill-role",
  /** Joins CloudTrail's files with the audit trail, and puts into the evidence who called. */
  attester: "payment-attester-role",
} as const;

export type RoleId = keyof typeof ROLES;

/** The Lambda functions: deployed name (before the suffix), entry file `handlers/<entry>.ts`, and the role it runs under. */
export const FUNCTIONS = {
  persistPaymentLedger: { name: "persist_payment_ledger", entry: "persist-payment-ledger", role: "ledger" },
  updatePaymentStatus: { name: "update_payment_status", entry: "update-payment-status", role: "status" },
  recordPaymentEvent: { name: "record_payment_event", entry: "record-payment-event", role: "events" },
  queryPaymentLedger: { name: "query_payment_ledger", entry: "query-payment-ledger", role: "query" },
  revealPaymentToken: { name: "reveal_payment_token", entry: "reveal-payment-token", role: "reveal" },
  persistPaymentAuditTrail: {
    name: "persist_payment_audit_trail",
    entry: "persist-payment-audit-trail",
    role: "ledger",
  },
  queryPaymentAuditTrail: { name: "query_payment_audit_trail", entry: "query-payment-audit-trail", role: "auditor" },
  processPaymentMessages: { name: "process_payment_messages", entry: "process-payment-messages", role: "messages" },
  /** Named `payment-processor-{suffix}` in every environment. */
  paymentProcessor: { name: "payment-processor", entry: "payment-processor", role: "processor" },
  queryTransactions: { name: "query_transactions", entry: "query-transactions", role: "transactionQuery" },
  exportTables: { name: "export_tables", entry: "export-tables", role: "export" },
  checkBackup: { name: "check_backup", entry: "check-backup", role: "backupCheck" },
  sealAuditTrail: { name: "seal_audit_trail", entry: "seal-audit-trail", role: "sealer" },
  publishCheckpoint: { name: "publish_checkpoint", entry: "publish-checkpoint", role: "publisher" },
  sweepAuditTrail: { name: "sweep_audit_trail", entry: "sweep-audit-trail", role: "sweeper" },
  drillRestore: { name: "drill_restore", entry: "drill-restore", role: "drill" },
  attestCallers: { name: "attest_callers", entry: "attest-callers", role: "attester" },
} as const satisfies Record<string, { name: string; entry: string; role: RoleId }>;

export type FunctionId = keyof typeof FUNCTIONS;

/** The functions that the private API leads to, each at `POST /<name without suffix>`. */
export const API_FUNCTIONS = [
  "persistPaymentLedger",
  "updatePaymentStatus",
  "recordPaymentEvent",
  "queryPaymentLedger",
  "revealPaymentToken",
  "persistPaymentAuditTrail",
  "queryPaymentAuditTrail",
  "queryTransactions",
] as const satisfies readonly FunctionId[];

/** First part of every path of the private API. */
export const API_STAGE = "v1";

/** Environment variables of the functions. */
export const ENV = {
  /** Deployed name of the PaymentLedger table. */
  ledgerTable: "PAYMENT_LEDGER_TABLE",
  /** Deployed name of the PaymentAuditTrail table. */
  auditTable: "PAYMENT_AUDIT_TRAIL_TABLE",
  /** Deployed name of the table of payments that arrive as messages. */
  messagesTable: "PAYMENT_MESSAGES_TABLE",
  /** Deployed name of the table of payments that arrive as files. */
  transactionsTable: "DYNAMODB_TABLE",
  /** Deployed name of the table of what happens to payments. */
  eventsTable: "PAYMENT_EVENTS_TABLE",
  /** Bucket of the payment files; the processor reads no other. */
  filesBucket: "S3_BUCKET",
  /** Bucket of the table exports, their state and their check reports. */
  exportBucket: "EXPORT_BUCKET",
  /** ARN of the KMS key under which DynamoDB writes exports. */
  exportKeyArn: "EXPORT_KEY_ARN",
  /** ARN of the deployed tables, comma-separated `logicalName=arn` pairs: what an export names. */
  tableArns: "TABLE_ARNS",
  /** Deployed name of the log-state table. */
  logStateTable: "LOG_STATE_TABLE",
  /** Bucket of the evidence: tiles, bundles, checkpoints. */
  evidenceBucket: "EVIDENCE_BUCKET",
  /** ARN of the KMS key under which the evidence is put. */
  evidenceKeyArn: "EVIDENCE_KEY_ARN",
  /** Origin line of the log's checkpoints, and name of its verifier keys. */
  logOrigin: "LOG_ORIGIN",
  /** ARNs of the KMS keys of checkpoints, comma-separated. The publisher has those that sign, two while one replaces the other; the checking functions have the retired ones too. */
  checkpointKeyArns: "CHECKPOINT_KEY_ARNS",
  /** ARN of the stream of each table that feeds the sealer, comma-separated `logicalName=arn` pairs. */
  streamArns: "STREAM_ARNS",
  /** Bucket of CloudTrail's files. */
  trailBucket: "TRAIL_BUCKET",
  /** Under which CloudTrail's digests of this account and region lie in it. */
  trailDigestPrefix: "TRAIL_DIGEST_PREFIX",
  /** Into how many pieces a check is parted; not set where one call makes the whole check. */
  checkPieces: "CHECK_PIECES",
  /** Days from one restore drill to the next. */
  drillEveryDays: "DRILL_EVERY_DAYS",
  /** `true`: a file object that held card data is removed after its report. */
  removeCardDataFiles: "REMOVE_CARD_DATA_FILES",
  /** ARN of the KMS key that wraps the data keys of `SecureToken`. */
  tokenKeyArn: "TOKEN_KEY_ARN",
  /** ARN of the KMS key that wraps the data keys of `QueryDetails` and `Response`. */
  auditKeyArn: "AUDIT_KEY_ARN",
  /** ARN of the KMS HMAC key from which the record MAC keys are derived. */
  macKeyArn: "MAC_KEY_ARN",
  /** Shards of each `value#day` index key; may grow, never shrink. */
  indexShardCount: "INDEX_SHARD_COUNT",
  /** `cached`: a data key serves many records within bounds. `per-record`: one KMS call for each record. */
  fieldEncryption: "FIELD_ENCRYPTION",
  /** `privatelink`, `nat` and `nat-privatelink` are deployments; `embedded` is the loopback AWS of a laptop; `external` is an endpoint given by its user. */
  connectivity: "CONNECTIVITY",
  /** `on`: the deployment has the private API, and the functions answer its requests. */
  privateApi: "PRIVATE_API",
  /** JSON object. Where it is set, the claimed actor must be who called; it lists, by a principal's id, the actors that the principal may name. */
  actorRule: "ACTORS_OF_CALLERS",
  /** The DynamoDB interface endpoint's own URL (PrivateLink to DynamoDB has no private DNS). Read by the AWS SDK itself. */
  dynamodbEndpointUrl: "AWS_ENDPOINT_URL_DYNAMODB",
} as const;

/** CloudWatch metrics that the functions emit (embedded metric format) and the alarms watch. Dimension: `service` = function name. */
export const METRICS = {
  namespace: "PaymentLedger",
  /** A record failed its MAC, or a row exists without its audit record, or the record without its row. */
  integrityAlarm: "IntegrityAlarm",
  /** A request was refused because it carried card data. */
  cardDataRefused: "CardDataRefused",
  /** A message of a queue could never be recorded and was settled; nobody was answered. */
  messageRefused: "MessageRefused",
  /** A payment came again under a known id with other content. */
  paymentConflict: "PaymentConflict",
  /** A processor reported an event that breaks a rule of the payment's life, and it was recorded; or, each day, one is open still. */
  paymentBreach: "PaymentBreach",
  /** A hold for a refund is a week old and nothing settled it. */
  refundHoldOld: "RefundHoldOld",
} as const;

/** Metrics of the backups; the alarms also breach when nothing is reported. */
export const BACKUP_METRICS = {
  /** Tables whose export was started or found complete. */
  exported: "TablesExported",
  /** An export failed, or a window was lost. */
  exportFailed: "ExportFailed",
  /** Exports that a check found good, and bad. */
  checkPassed: "BackupCheckPassed",
  checkFailed: "BackupCheckFailed",
} as const;

/** Metrics of the log of proofs; the alarms on the last three also breach when nothing is reported. */
export const LOG_METRICS = {
  /** A record was sealed that none of the functions wrote, or a stored one was altered or removed. */
  tampering: "TamperingSealed",
  /** A record was sealed only by a sweep: its stream had missed it. */
  late: "RecordSealedLate",
  /** A table has another stream than the one that feeds the sealer, or none. */
  streamLost: "StreamLost",
  /** The tables, the log and the evidence do not agree. */
  checkFailed: "LogCheckFailed",
  drillFailed: "RestoreDrillFailed",
  checkpoint: "CheckpointPublished",
  checkPassed: "LogCheckPassed",
  drillPassed: "RestoreDrillPassed",
  /** A record's event names a sender, or a function, that CloudTrail contradicts. One for each record. */
  identityContradicted: "IdentityContradicted",
  /** A file or an hour of CloudTrail is missing or altered, so not every caller could be attested. */
  identityCheckFailed: "IdentityCheckFailed",
  identityCheckPassed: "IdentityCheckPassed",
} as const;

/** The table in which the log of proofs is committed before anything of it is published. */
export const LOG_STATE = { name: "payment-log-state", partitionKey: "LogID", sortKey: "Item" } as const;

/** Prefix of the evidence bucket under which the log lies; paths below it are those of C2SP tlog-tiles. */
export const EVIDENCE_PREFIX = "log/";

/** Below it, the checkpoints that sweeps have verified. */
export const SWEPT_PREFIX = "sweeps/";

/** Below it too, who called: one file for each attested day. */
export const IDENTITIES_PREFIX = "identities/";

/** Prefixes of the export bucket. */
export const EXPORT_PREFIXES = { exports: "exports/", state: "state/", checks: "checks/", drills: "drills/" } as const;

/** Further prefixes of the export bucket, by the function of a check: what the pieces of the check leave for its merging. */
export const PIECES_PREFIXES = {
  sweepAuditTrail: "pieces/sweep/",
  checkBackup: "pieces/backup/",
  drillRestore: "pieces/drill/",
} as const;

/** The checks that a state machine can run in pieces. */
export type PiecedCheck = keyof typeof PIECES_PREFIXES;

/** Every table that a restore makes has a name that begins with this. */
export const SCRATCH_TABLE_PREFIX = "scratch-";

/** Tables that a restore drill makes and removes: this, then the deployed name of the table that is restored. */
export const DRILL_TABLE_PREFIX = `${SCRATCH_TABLE_PREFIX}drill-`;

/** KMS encryption context names and values that key policies and wrapped data keys share. */
export const ENCRYPTION_CONTEXT = { application: "payment-ledger", tableName: "Table", fieldName: "Field" } as const;

/** Queues by purpose. The deployed name adds the environment's suffix (before `.fifo`). */
export const QUEUES = {
  /** Audit events of other services, in order within a payment: the message group is the transaction id. */
  auditEvents: { name: "payment-audit-trail", fifo: true },
  /** Payments to record. */
  paymentMessages: { name: "audit-trail-queue", fifo: false },
} as const;

export type QueueId = keyof typeof QUEUES;

/** Prefixes of the payment-files bucket. Only `payments/` and `continue/` start the processor, so its own reports never do. */
export const FILE_PREFIXES = { payments: "payments/", continuations: "continue/", reports: "reports/" } as const;

/**
 * The base of every error of the project. The message says what happened, which rule it breaks and what to do, and repeats
 * no sensitive value. Callers switch on `code`; `name` is a literal too, because minified code has no class names.
 */
export abstract class CodedError<Code extends string = string> extends Error {
  abstract override readonly name: string;

  constructor(
    readonly code: Code,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
