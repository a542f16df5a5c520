/** The environment variables of a function as a plan sets them. */
export const VARIABLES = {
  AWS_LAMBDA_FUNCTION_NAME: "persist_payment_ledger",
  PAYMENT_LEDGER_TABLE: "PaymentLedger",
  PAYMENT_AUDIT_TRAIL_TABLE: "PaymentAuditTrail",
  PAYMENT_MESSAGES_TABLE: "payment-audit-trail",
  PAYMENT_EVENTS_TABLE: "PaymentEvents",
  DYNAMODB_TABLE: "payment-transactions-prod",
  TOKEN_KEY_ARN: "arn:aws:kms:eu-west-1:111122223333:key/1",
  AUDIT_KEY_ARN: "arn:aws:kms:eu-west-1:111122223333:key/2",
  MAC_KEY_ARN: "arn:aws:kms:eu-west-1:111122223333:key/3",
  INDEX_SHARD_COUNT: "8",
  FIELD_ENCRYPTION: "cached",
  CONNECTIVITY: "privatelink",
  AWS_ENDPOINT_URL_DYNAMODB: "https://vpce-0a1b2c3d-4e5f.dynamodb.eu-west-1.vpce.amazonaws.com",
};
