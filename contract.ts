/**
 * The names on which synth time (`stacks/`, `config/`) and run time (`handlers/`, `store/`, `ledger/`) agree.
 * It is the only file that both import, and it imports nothing.
 *
 * Table, key and index names below are *stored data*: they appear in records, in MACs and in the additional data of
 * every ciphertext. A change here needs a migration.
 */

/** Logical table names. The deployed name adds the environment's suffix; MACs and ciphertexts use the logical one, so a restored or renamed table still verifies. */
export const TABLES = {
  paymentLedger: {
    logicalName: "PaymentLedger",
    partitionKey: "TransactionID",
    indexes: {
      byProcessor: { name: "by-processor", partitionKey: "ProcessorDay", sortKey: "TimeKey" },
      byFailure: { name: "by-failure", partitionKey: "FailureDay", sortKey: "TimeKey" },
    },
  },
  paymentAuditTrail: {
    logicalName: "PaymentAuditTrail",
    partitionKey: "AuditID",
    indexes: {
      byTransaction: { name: "by-transaction", partitionKey: "TransactionID", sortKey: "TransactionOrder" },
      byActor: { name: "by-actor", partitionKey: "ActorDay", sortKey: "TimeKey" },
      byTime: { name: "by-time", partitionKey: "AuditDay", sortKey: "TimeKey" },
    },
  },
} as const;

export type TableId = keyof typeof TABLES;
export type LogicalTableName = (typeof TABLES)[TableId]["logicalName"];

/** IAM roles of the functions, by purpose. The deployed name adds the environment's suffix. */
export const ROLES = {
  ledger: "paymentledger-role",
  status: "payment-status-role",
  query: "payment-query-role",
  reveal: "payment-reveal-role",
  auditor: "payment-auditor-role",
} as const;

export type RoleId = keyof typeof ROLES;

/** The Lambda functions: deployed name (before the suffix), entry file `handlers/<entry>.ts`, and the role it runs under. */
export const FUNCTIONS = {
  persistPaymentLedger: { name: "persist_payment_ledger", entry: "persist-payment-ledger", role: "ledger" },
  updatePaymentStatus: { name: "update_payment_status", entry: "update-payment-status", role: "status" },
  queryPaymentLedger: { name: "query_payment_ledger", entry: "query-payment-ledger", role: "query" },
  revealPaymentToken: { name: "reveal_payment_token", entry: "reveal-payment-token", role: "reveal" },
  persistPaymentAuditTrail: {
    name: "persist_payment_audit_trail",
    entry: "persist-payment-audit-trail",
    role: "ledger",
  },
  queryPaymentAuditTrail: { name: "query_payment_audit_trail", entry: "query-payment-audit-trail", role: "auditor" },
} as const satisfies Record<string, { name: string; entry: string; role: RoleId }>;

export type FunctionId = keyof typeof FUNCTIONS;

/** Environment variables of the functions. */
export const ENV = {
  /** Deployed name of the PaymentLedger table. */
  ledgerTable: "PAYMENT_LEDGER_TABLE",
  /** Deployed name of the PaymentAuditTrail table. */
  auditTable: "PAYMENT_AUDIT_TRAIL_TABLE",
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
  /** `privatelink` and `nat` are deployments; `embedded` is the loopback AWS of a laptop; `external` is an endpoint given by its user. */
  connectivity: "CONNECTIVITY",
  /** The DynamoDB interface endpoint's own URL (PrivateLink to DynamoDB has no private DNS). Read by the AWS SDK itself. */
  dynamodbEndpointUrl: "AWS_ENDPOINT_URL_DYNAMODB",
} as const;

/** CloudWatch metrics that the functions emit (embedded metric format) and the alarms watch. Dimension: `service` = function name. */
export const METRICS = {
  namespace: "PaymentLedger",
  /** A record failed its MAC, or a row and its audit record do not stand together. */
  integrityAlarm: "IntegrityAlarm",
  /** A request was refused because it carried card data. */
  cardDataRefused: "CardDataRefused",
  /** A payment came again under a known id with other content. */
  paymentConflict: "PaymentConflict",
} as const;

/** KMS encryption context names and values that key policies and wrapped data keys share. */
export const ENCRYPTION_CONTEXT = { application: "payment-ledger", tableName: "Table", fieldName: "Field" } as const;
