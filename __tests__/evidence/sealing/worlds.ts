/** The places in which a log is made: in memory, and on the embedded AWS with Object Lock. */

import { inflateRawSync } from "node:zlib";
import {
  type AttributeValue,
  CreateTableCommand,
  type DynamoDBClient,
  PutItemCommand,
  paginateScan,
} from "@aws-sdk/client-dynamodb";
import { CreateKeyCommand } from "@aws-sdk/client-kms";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectLockConfigurationCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { LOG_STATE, TABLES } from "../../../contract";
import { sdkItem } from "../../../ledger/store/transaction";
import type { EmbeddedAws } from "../../../local/embedded-aws";
import { type FaultProxy, startFaultProxy } from "../../../local/fault-proxy";
import { awsClients } from "../../support/aws-clients";
import { sharedEmbeddedAws } from "../../support/shared-aws";
import { type Clients, FakeAws } from "./fake-aws";
import type { RaceWorld } from "./race";

const TABLE = LOG_STATE.name;
const BUCKET = "payment-evidence-test";
const FOLDER = "log/";

export interface FakeWorld extends RaceWorld {
  readonly aws: FakeAws;
}

export function fakeWorld(): FakeWorld {
  const aws = new FakeAws();
  return {
    aws,
    clients: () => aws.clients(),
    tableName: TABLE,
    bucket: BUCKET,
    keyArns: [aws.createKey("ECC_NIST_EDWARDS25519")],
    objects: async () =>
      new Map([...aws.objects].map(([name, versions]) => [name.slice(`${BUCKET}/${FOLDER}`.length), versions])),
    batches: async () => batchesIn([...aws.items].filter(([name]) => name.startsWith(TABLE)).map(([, item]) => item)),
    putRecord: async (table, item) => aws.putItem(table, sdkItem(item)),
  };
}

function batchesIn(items: readonly Record<string, AttributeValue>[]) {
  return items
    .filter((item) => item[LOG_STATE.sortKey]?.S?.startsWith("batch#"))
    .map((item) => ({ start: Number(item["Start"]?.N), bundle: inflateRawSync(item["Entries"]?.B ?? Buffer.alloc(0)) }))
    .sort((a, b) => a.start - b.start);
}

export interface EmbeddedWorld {
  readonly aws: EmbeddedAws;
  /** Every client of `clients()` goes through it. */
  readonly proxy: FaultProxy;
  createKey(spec: "ECC_NIST_EDWARDS25519" | "ECC_NIST_P256"): Promise<string>;
  /** A separate log, in a bucket under Object Lock. */
  makeLog(name: string): Promise<RaceWorld & { readonly direct: Clients }>;
  stop(): Promise<void>;
}

export async function startEmbeddedWorld(): Promise<EmbeddedWorld> {
  const aws = await sharedEmbeddedAws();
  const proxy = await startFaultProxy(aws.endpoint);
  const clients = awsClients(aws.clientConfig(), proxy);
  const direct = awsClients(aws.clientConfig());
  for (const { logicalName, ...table } of Object.values(TABLES)) {
    const sortKey = "sortKey" in table ? [table.sortKey.name] : [];
    await createTable(direct.dynamo, logicalName, [table.partitionKey, ...sortKey]);
  }
  const createKey = async (KeySpec: "ECC_NIST_EDWARDS25519" | "ECC_NIST_P256") => {
    const { KeyMetadata } = await direct.kms.send(new CreateKeyCommand({ KeySpec, KeyUsage: "SIGN_VERIFY" }));
    return KeyMetadata?.Arn ?? "";
  };
  return {
    aws,
    proxy,
    createKey,
    makeLog: async (name) => {
      await createTable(direct.dynamo, name, [LOG_STATE.partitionKey, LOG_STATE.sortKey]);
      await createLockedBucket(direct.s3, name);
      return {
        direct,
        clients: () => clients,
        tableName: name,
        bucket: name,
        keyArns: [await createKey("ECC_NIST_EDWARDS25519")],
        objects: () => allVersions(direct.s3, name),
        batches: () => allBatches(direct.dynamo, name),
        putRecord: async (table, item) => {
          await direct.dynamo.send(new PutItemCommand({ TableName: table, Item: sdkItem(item) }));
        },
      };
    },
    stop: async () => {
      clients.destroy();
      direct.destroy();
      await proxy.stop();
      await aws.stop();
    },
  };
}

async function createTable(dynamo: DynamoDBClient, name: string, keys: readonly string[]): Promise<void> {
  await dynamo.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: keys.map((key) => ({ AttributeName: key, AttributeType: key === "timestamp" ? "N" : "S" })),
      KeySchema: keys.map((key, index) => ({ AttributeName: key, KeyType: index === 0 ? "HASH" : "RANGE" })),
    }),
  );
}

async function createLockedBucket(s3: S3Client, name: string): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: true }));
  await s3.send(
    new PutObjectLockConfigurationCommand({
      Bucket: name,
      ObjectLockConfiguration: {
        ObjectLockEnabled: "Enabled",
        Rule: { DefaultRetention: { Mode: "COMPLIANCE", Days: 1 } },
      },
    }),
  );
}

async function allVersions(s3: S3Client, bucket: string): Promise<Map<string, Buffer[]>> {
  const found: { path: string; versionId: string | undefined }[] = [];
  let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | undefined = {};
  while (marker !== undefined) {
    const page: Awaited<ReturnType<typeof listVersions>> = await listVersions(s3, bucket, marker);
    for (const { Key = "", VersionId } of page.Versions ?? []) {
      found.push({ path: Key.slice(FOLDER.length), versionId: VersionId });
    }
    marker =
      page.IsTruncated === true
        ? { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
        : undefined;
  }
  const objects = new Map<string, Buffer[]>();
  // Newest first in the list.
  for (const { path, versionId } of found.reverse()) {
    const answer = await s3.send(
      new GetObjectCommand({ Bucket: bucket, Key: `${FOLDER}${path}`, VersionId: versionId }),
    );
    const bytes = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
    objects.set(path, [...(objects.get(path) ?? []), bytes]);
  }
  return objects;
}

function listVersions(
  s3: S3Client,
  bucket: string,
  marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined },
) {
  return s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: FOLDER, ...marker }));
}

async function allBatches(dynamo: DynamoDBClient, table: string) {
  const items: Record<string, AttributeValue>[] = [];
  for await (const page of paginateScan({ client: dynamo }, { TableName: table, ConsistentRead: true })) {
    items.push(...(page.Items ?? []));
  }
  return batchesIn(items);
}
