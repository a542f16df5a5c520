/** A process that answers for DynamoDB, KMS and S3 and keeps nothing but counts, so that a benchmark measures the client alone. */

import { fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

export const FILES_BUCKET = "payment-files-bench";

export interface Stub {
  readonly url: string;
  stored(): Promise<{ readonly items: number; readonly objects: Readonly<Record<string, string>> }>;
  stop(): void;
}

export async function startStub(latencyMs = 0): Promise<Stub> {
  const child = fork(path.join(__dirname, "stub-process.ts"), [String(latencyMs)], { execArgv: ["--import", "tsx"] });
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    stored: async () => (await fetch(`${url}/stored`)).json() as ReturnType<Stub["stored"]>,
    stop: () => child.disconnect(),
  };
}

/** The environment of a function whose AWS is the stub. */
export function functionEnvironment(url: string): Record<string, string> {
  const arn = (id: string) => `arn:aws:kms:us-east-1:111122223333:key/${id}`;
  return {
    AWS_ENDPOINT_URL: url,
    PAYMENT_LEDGER_TABLE: "PaymentLedger",
    PAYMENT_AUDIT_TRAIL_TABLE: "PaymentAuditTrail",
    PAYMENT_MESSAGES_TABLE: "payment-audit-trail",
    DYNAMODB_TABLE: "payment-transactions-bench",
    S3_BUCKET: FILES_BUCKET,
    REMOVE_CARD_DATA_FILES: "true",
    TOKEN_KEY_ARN: arn("token"),
    AUDIT_KEY_ARN: arn("audit"),
    MAC_KEY_ARN: arn("mac"),
    INDEX_SHARD_COUNT: "8",
    FIELD_ENCRYPTION: "cached",
    CONNECTIVITY: "embedded",
  };
}
