/** The operations on the embedded AWS, behind the fault proxy: one harness a test file, fresh ids a test. */

import { randomUUID } from "node:crypto";
import {
  type AttributeDefinition,
  type AttributeValue,
  CreateTableCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  type KeySchemaElement,
  PutItemCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { CreateKeyCommand, type CreateKeyCommandInput, type KMSClient } from "@aws-sdk/client-kms";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { TABLES } from "../../contract";
import { PaymentFiles } from "../../ledger/files/payment-files";
import type { Call } from "../../ledger/operations/call";
import { toItemJson } from "../../ledger/rules/attribute-value";
import type { KeyHierarchy } from "../../ledger/rules/field-cipher";
import { type StoredItem, textOf } from "../../ledger/rules/stored-item";
import { deriveMacKeys, FieldEncryption } from "../../ledger/store/key-material";
import type { Services, Signal } from "../../ledger/store/services";
import { sdkItem, storedItem } from "../../ledger/store/transaction";
import type { AwsClientConfig, EmbeddedAws } from "../../local/embedded-aws";
import { type FaultProxy, startFaultProxy } from "../../local/fault-proxy";
import { awsClients } from "./aws-clients";
import { sharedEmbeddedAws } from "./shared-aws";

export type TableName = "ledger" | "audit" | "messages" | "transactions" | "events";

export interface S3Event {
  readonly Records: readonly [
    {
      readonly eventSource: "aws:s3";
      readonly eventName: string;
      readonly userIdentity: { readonly principalId: string };
      readonly s3: {
        readonly bucket: { readonly name: string };
        readonly object: { readonly key: string; readonly versionId?: string };
      };
    },
  ];
}

export interface Harness {
  /** For a client of one's own, past the proxy. */
  readonly clientConfig: AwsClientConfig;
  /** Its calls go through the proxy, so faults reach it. */
  readonly services: Services;
  readonly proxy: FaultProxy;
  /** Through the proxy, so faults reach it. */
  readonly s3: S3Client;
  readonly signals: Signal[];
  /** Technical faults of parts of batches. */
  readonly faults: unknown[];
  readonly kms: KMSClient;
  readonly keyArns: { readonly token: string; readonly audit: string; readonly mac: string };
  /** A call of the named operation, as one invocation with its own request id. */
  call(operation?: string, now?: Date): Call;
  /** Services like `services` with other settings, over the same tables and keys. */
  servicesWith(settings: { hierarchy?: KeyHierarchy; indexShardCount?: number }): Services;
  /** All items of a table, straight from the emulator. */
  scan(table: TableName): Promise<StoredItem[]>;
  /** The bucket of payment files, through the proxy. */
  readonly files: PaymentFiles;
  /** Puts a payment file as its sender would; returns the S3 event that follows. */
  upload(key: string, body: string | Uint8Array): Promise<S3Event>;
  readObject(key: string): Promise<string>;
  /** Keys of all object versions, the removed ones not among them. */
  objectKeys(prefix: string): Promise<string[]>;
  /** The audit records of one transaction, in order of recording. */
  trailOf(transactionId: string): Promise<StoredItem[]>;
  /** Puts an item as an administrator would, past the ledger. */
  put(table: TableName, item: StoredItem): Promise<void>;
  remove(table: TableName, id: string): Promise<void>;
  removeTransaction(id: string, timestamp: number): Promise<void>;
  removeMessage(paymentId: string): Promise<void>;
  stop(): Promise<void>;
}

/** `own` is for a file that needs two ledgers at once, as both have the same table names. The harness stops it. */
export async function startHarness(own?: EmbeddedAws): Promise<Harness> {
  const aws = own ?? (await sharedEmbeddedAws());
  const started: (() => Promise<void>)[] = [() => aws.stop()];
  try {
    const proxy = await startFaultProxy(aws.endpoint);
    started.unshift(() => proxy.stop());
    return await build(aws.clientConfig(), proxy, async () => {
      for (const stop of started) await stop();
    });
  } catch (error) {
    for (const stop of started) await stop();
    throw error;
  }
}

async function build(config: AwsClientConfig, proxy: FaultProxy, stop: () => Promise<void>): Promise<Harness> {
  const direct = awsClients(config);
  const proxied = awsClients(config, proxy);
  const { dynamo } = proxied;
  const { kms, s3 } = direct;
  const names = {
    ledger: TABLES.paymentLedger.logicalName,
    audit: TABLES.paymentAuditTrail.logicalName,
    messages: TABLES.paymentMessages.logicalName,
    transactions: TABLES.paymentTransactions.logicalName,
    events: TABLES.paymentEvents.logicalName,
  };
  for (const table of Object.values(TABLES)) await createTable(direct.dynamo, table);
  const keyArns = {
    token: await createKey(kms, { KeySpec: "SYMMETRIC_DEFAULT" }),
    audit: await createKey(kms, { KeySpec: "SYMMETRIC_DEFAULT" }),
    mac: await createKey(kms, { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" }),
  };
  const signals: Signal[] = [];
  const faults: unknown[] = [];
  const macKeys = deriveMacKeys(kms, keyArns.mac);
  // Its first user awaits it. Until then a failure must not count as unhandled: jest would bill it to the next file.
  macKeys.catch(() => {});
  const servicesWith: Harness["servicesWith"] = ({ hierarchy = "shared", indexShardCount = 4 }) => ({
    dynamo,
    tables: {
      paymentLedger: names.ledger,
      paymentAuditTrail: names.audit,
      paymentMessages: names.messages,
      paymentTransactions: names.transactions,
      paymentEvents: names.events,
    },
    tokenFields: new FieldEncryption({ kms: proxied.kms, keyArn: keyArns.token, table: names.ledger, hierarchy }),
    auditFields: new FieldEncryption({ kms: proxied.kms, keyArn: keyArns.audit, table: names.audit, hierarchy }),
    macKeys: () => macKeys,
    indexShardCount,
    signal: (signal) => signals.push(signal),
    logFault: (error) => faults.push(error),
  });
  await s3.send(new CreateBucketCommand({ Bucket: FILES_BUCKET }));
  await s3.send(
    new PutBucketVersioningCommand({ Bucket: FILES_BUCKET, VersioningConfiguration: { Status: "Enabled" } }),
  );
  const scan = async (table: TableName) => scanAll(direct.dynamo, names[table]);
  return {
    clientConfig: config,
    services: servicesWith({}),
    servicesWith,
    proxy,
    s3: proxied.s3,
    signals,
    faults,
    kms,
    keyArns,
    call: (operation = "persist_payment_ledger", now = new Date()) => ({
      operation,
      caller: { requestId: randomUUID(), functionName: operation },
      now,
      remainingMs: () => 60_000,
    }),
    scan,
    files: new PaymentFiles(proxied.s3, FILES_BUCKET),
    upload: async (key, body) => {
      const { VersionId } = await s3.send(
        new PutObjectCommand({ Bucket: FILES_BUCKET, Key: key, Body: Buffer.from(body) }),
      );
      return s3Event(key, VersionId);
    },
    readObject: async (key) => {
      const answer = await s3.send(new GetObjectCommand({ Bucket: FILES_BUCKET, Key: key }));
      return (await answer.Body?.transformToString()) ?? "";
    },
    objectKeys: async (prefix) => {
      const answer = await s3.send(new ListObjectVersionsCommand({ Bucket: FILES_BUCKET, Prefix: prefix }));
      return (answer.Versions ?? []).map((version) => version.Key ?? "");
    },
    trailOf: async (transactionId) => {
      const records = (await scan("audit")).filter((item) => textOf(item, "TransactionID") === transactionId);
      return records.sort((a, b) => (textOf(a, "RecordedAt") ?? "").localeCompare(textOf(b, "RecordedAt") ?? ""));
    },
    put: async (table, item) => {
      await direct.dynamo.send(new PutItemCommand({ TableName: names[table], Item: sdkItem(item) }));
    },
    remove: async (table, id) => {
      const { partitionKey } = table === "ledger" ? TABLES.paymentLedger : TABLES.paymentAuditTrail;
      await direct.dynamo.send(new DeleteItemCommand({ TableName: names[table], Key: { [partitionKey]: { S: id } } }));
    },
    removeTransaction: async (id, timestamp) => {
      const Key = { transactionId: { S: id }, timestamp: { N: String(timestamp) } };
      await direct.dynamo.send(new DeleteItemCommand({ TableName: names.transactions, Key }));
    },
    removeMessage: async (paymentId) => {
      const Key = { [TABLES.paymentMessages.partitionKey]: { S: paymentId } };
      await direct.dynamo.send(new DeleteItemCommand({ TableName: names.messages, Key }));
    },
    stop: async () => {
      direct.destroy();
      proxied.destroy();
      await stop();
    },
  };
}

export const FILES_BUCKET = "payment-files-test-111122223333";

/** As S3 writes it: keys are encoded like a URL's query. */
export function s3Event(key: string, versionId: string | undefined, bucket = FILES_BUCKET): S3Event {
  const object = { key: encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/") };
  return {
    Records: [
      {
        eventSource: "aws:s3",
        eventName: "ObjectCreated:Put",
        userIdentity: { principalId: "AWS:AROAEXAMPLE:partner-upload" },
        s3: { bucket: { name: bucket }, object: versionId === undefined ? object : { ...object, versionId } },
      },
    ],
  };
}

interface Index {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey: string;
}

type TableShape = (typeof TABLES)[keyof typeof TABLES];

async function createTable(dynamo: DynamoDBClient, table: TableShape): Promise<void> {
  const indexes: readonly Index[] = Object.values(table.indexes);
  const sortKey = "sortKey" in table ? table.sortKey : undefined;
  const texts = new Set([table.partitionKey, ...indexes.flatMap((index) => [index.partitionKey, index.sortKey])]);
  const attributes: AttributeDefinition[] = [...texts].map((name) => ({ AttributeName: name, AttributeType: "S" }));
  if (sortKey !== undefined) attributes.push({ AttributeName: sortKey.name, AttributeType: sortKey.type });
  const keySchema = (hash: string, range?: string): KeySchemaElement[] => [
    { AttributeName: hash, KeyType: "HASH" },
    ...(range === undefined ? [] : [{ AttributeName: range, KeyType: "RANGE" as const }]),
  ];
  await dynamo.send(
    new CreateTableCommand({
      TableName: table.logicalName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: attributes,
      KeySchema: keySchema(table.partitionKey, sortKey?.name),
      ...(indexes.length > 0 && {
        GlobalSecondaryIndexes: indexes.map((index) => ({
          IndexName: index.name,
          KeySchema: keySchema(index.partitionKey, index.sortKey),
          Projection: { ProjectionType: "KEYS_ONLY" as const },
        })),
      }),
    }),
  );
}

async function createKey(kms: KMSClient, input: CreateKeyCommandInput): Promise<string> {
  const answer = await kms.send(new CreateKeyCommand(input));
  if (answer.KeyMetadata?.Arn === undefined) throw new Error("KMS created a key without an ARN.");
  return answer.KeyMetadata.Arn;
}

async function scanAll(dynamo: DynamoDBClient, tableName: string): Promise<StoredItem[]> {
  const items: StoredItem[] = [];
  let startKey: Record<string, AttributeValue> | undefined;
  do {
    const answer = await dynamo.send(
      new ScanCommand({ TableName: tableName, ConsistentRead: true, ...(startKey && { ExclusiveStartKey: startKey }) }),
    );
    items.push(...(answer.Items ?? []).map(storedItem));
    startKey = answer.LastEvaluatedKey;
  } while (startKey !== undefined);
  return items;
}

/** Every byte of the items as text, binary both as base64 and as Latin-1, to search for what must not be there. */
export function everythingIn(items: readonly StoredItem[]): string {
  const binary = (item: StoredItem): string =>
    Object.values(item)
      .map((value) => ("B" in value ? Buffer.from(value.B).toString("latin1") : "M" in value ? binary(value.M) : ""))
      .join("\n");
  return items.map((item) => `${JSON.stringify(toItemJson(item))}\n${binary(item)}`).join("\n");
}

/** The call, and what an operation notes in it for its log line. */
export function notingCall(call: Call): { readonly call: Call; readonly noted: Record<string, number> } {
  const noted: Record<string, number> = {};
  const noteOutcomes: Call["noteOutcomes"] = (counts) => {
    for (const [outcome, count] of Object.entries(counts)) noted[outcome] = (noted[outcome] ?? 0) + count;
  };
  return { call: { ...call, noteOutcomes }, noted };
}

let counter = 0;

/** A transaction id that no other test of the file uses. */
export function freshId(label = "txn"): string {
  counter += 1;
  return `${label}-${process.pid}-${counter}`;
}

/** A good payment; the token is unlike anything else, so that a search for it proves something. */
export function paymentInput(
  overrides: Record<string, unknown> = {},
): Record<string, unknown> & { TransactionID: string; SecureToken: string } {
  const TransactionID = freshId();
  return {
    TransactionID,
    SecureToken: `tok_${TransactionID}_secret`,
    Amount: "10.50",
    Currency: "EUR",
    ProcessorID: "processor-alpha",
    Status: "Success",
    Timestamp: "2026-11-20T10:00:00.000Z",
    Actor: "payment-service",
    ...overrides,
  } as Record<string, unknown> & { TransactionID: string; SecureToken: string };
}
