/** Services and a files bucket in memory, for what needs no table: every put is taken, and kept. */

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { NoSuchKey, S3Client } from "@aws-sdk/client-s3";
import { type LogicalTableName, TABLES } from "../../../contract";
import { PaymentFiles } from "../../../ledger/files/payment-files";
import type { Call } from "../../../ledger/operations/call";
import { toItemJson } from "../../../ledger/rules/attribute-value";
import type { JsonObject } from "../../../ledger/rules/canonical-json";
import { contentMac } from "../../../ledger/rules/record-mac";
import { FieldEncryption } from "../../../ledger/store/key-material";
import type { Recording } from "../../../ledger/store/recording";
import type { Services } from "../../../ledger/store/services";
import { MAC_KEY, NOW } from "../../support/ledger-fixtures";

const CLIENT = { region: "eu-west-1", credentials: { accessKeyId: "none", secretAccessKey: "none" } };
const KEY_ARN = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-0000-0000-000000000000";
export const BUCKET = "payment-files-test";

/** Answers a client's commands before they leave it. */
type Answer = (commandName: string, input: Readonly<Record<string, unknown>>) => object | Promise<object>;

export function stubServices(): Services {
  const dynamo = new DynamoDBClient(CLIENT);
  const kms = new KMSClient(CLIENT);
  answering(dynamo, () => ({}));
  answering(kms, () => ({ CiphertextBlob: Uint8Array.of(1, 2, 3) }));
  const { paymentLedger, paymentAuditTrail, paymentMessages, paymentTransactions, paymentEvents } = TABLES;
  const fields = { kms, keyArn: KEY_ARN, hierarchy: "shared" as const };
  return {
    dynamo,
    tables: {
      paymentLedger: paymentLedger.logicalName,
      paymentAuditTrail: paymentAuditTrail.logicalName,
      paymentMessages: paymentMessages.logicalName,
      paymentTransactions: paymentTransactions.logicalName,
      paymentEvents: paymentEvents.logicalName,
    },
    tokenFields: new FieldEncryption({ ...fields, table: paymentLedger.logicalName }),
    auditFields: new FieldEncryption({ ...fields, table: paymentAuditTrail.logicalName }),
    macKeys: async () => ({ record: MAC_KEY, content: MAC_KEY }),
    indexShardCount: 10,
    signal: () => undefined,
    logFault: (error) => {
      throw error;
    },
  };
}

/** What a record of the payment holds beside it. */
export function recordingOf(table: LogicalTableName, payment: JsonObject, recordedAt: string): Recording {
  return { recordedAt, contentMac: contentMac(table, payment, MAC_KEY) };
}

export function stubCall(operation: string): Call {
  return {
    operation,
    caller: { requestId: "req-1", functionName: operation },
    now: NOW,
    remainingMs: () => 900_000,
  };
}

export interface StubFiles {
  readonly files: PaymentFiles;
  /** Texts of the bucket's objects by key. */
  readonly objects: Map<string, string>;
}

export function stubFiles(): StubFiles {
  const objects = new Map<string, string>();
  const s3 = new S3Client(CLIENT);
  answering(s3, (commandName, { Key, Body }) => {
    if (commandName === "PutObjectCommand") objects.set(String(Key), String(Body));
    if (commandName === "DeleteObjectCommand") objects.delete(String(Key));
    if (commandName !== "GetObjectCommand") return {};
    if (!objects.has(String(Key)) && String(Key).startsWith("reports/")) {
      throw new NoSuchKey({ message: "There is no such object.", $metadata: {} });
    }
    const text = objects.get(String(Key)) ?? "";
    return { Body: Object.assign(bytes(text), { transformToString: async () => text }) };
  });
  return { files: new PaymentFiles(s3, BUCKET), objects };
}

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

interface Stack {
  readonly middlewareStack:
    | DynamoDBClient["middlewareStack"]
    | KMSClient["middlewareStack"]
    | S3Client["middlewareStack"];
}

function answering({ middlewareStack }: Stack, answer: Answer): void {
  const stack = middlewareStack as DynamoDBClient["middlewareStack"];
  stack.add(
    (_next, context) => async (args) => {
      const output = await answer(String(context["commandName"]), args.input as Readonly<Record<string, unknown>>);
      return { output: { $metadata: {}, ...output }, response: {} };
    },
    { step: "initialize", name: "answering", priority: "high" },
  );
}

/** An item as a DynamoDB export writes it, without what differs from run to run. */
export function lastingForm(item: Parameters<typeof toItemJson>[0]): unknown {
  const { Salt: _salt, Mac: _mac, FieldKey: _key, QueryDetails: _query, Response: _response, ...lasting } = item;
  return toItemJson(lasting);
}
