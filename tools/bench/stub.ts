/** A process that answers for DynamoDB, KMS and S3 and keeps nothing but counts, so that a benchmark measures the client alone. */

import { fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { ENV, TABLES } from "../../contract";

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

/** The environment of a function whose AWS is the stub. `__tests__/tools/bench.test.ts` holds that the functions take it. */
export function functionEnvironment(url: string): Record<string, string> {
  const arn = (id: string) => `arn:aws:kms:us-east-1:111122223333:key/${id}`;
  return {
    AWS_ENDPOINT_URL: url,
    [ENV.ledgerTable]: TABLES.paymentLedger.logicalName,
    [ENV.auditTable]: TABLES.paymentAuditTrail.logicalName,
    [ENV.messagesTable]: TABLES.paymentMessages.logicalName,
    [ENV.transactionsTable]: TABLES.paymentTransactions.logicalName,
    [ENV.eventsTable]: TABLES.paymentEvents.logicalName,
    [ENV.filesBucket]: FILES_BUCKET,
    [ENV.removeCardDataFiles]: "true",
    [ENV.tokenKeyArn]: arn("token"),
    [ENV.auditKeyArn]: arn("audit"),
    [ENV.macKeyArn]: arn("mac"),
    [ENV.indexShardCount]: "8",
    [ENV.fieldEncryption]: "cached",
    [ENV.connectivity]: "embedded",
  };
}
