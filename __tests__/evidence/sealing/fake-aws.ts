/**
 * DynamoDB transactions, conditional puts of S3 and KMS signatures in memory, with the semantics that the sealer relies
 * on and nothing else: so that hundreds of rounds take seconds. The same rounds run on the embedded AWS too.
 */

import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { type AttributeValue, DynamoDBClient, TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { NoSuchKey, NotFound, S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { LOG_STATE, TABLES } from "../../../contract";
import { withoutLogging } from "../../../handlers/runtime/clients";

const CLIENT = { region: "us-east-1", credentials: { accessKeyId: "none", secretAccessKey: "none" } };

const KEYS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.values(TABLES).map((table) => [
    table.logicalName,
    "sortKey" in table ? [table.partitionKey, table.sortKey.name] : [table.partitionKey],
  ]),
);
const LOG_KEY = [LOG_STATE.partitionKey, LOG_STATE.sortKey, ""];

type Item = Record<string, AttributeValue>;
type Input = Readonly<Record<string, unknown>>;
type Answer = (input: Input) => object;

export interface Clients {
  readonly dynamo: DynamoDBClient;
  readonly s3: S3Client;
  readonly kms: KMSClient;
}

export class FakeAws {
  /** Items by table and key. */
  readonly items = new Map<string, Item>();
  /** Versions of each object by bucket and key, oldest first. */
  readonly objects = new Map<string, Buffer[]>();
  /** Names of objects that were deleted: a delete marker hides their versions, which are not kept here. */
  readonly deleted = new Set<string>();
  readonly #keys = new Map<string, { readonly privateKey: KeyObject; readonly spec: string }>();
  readonly #tokens = new Set<string>();

  clients(): Clients {
    const dynamo = withoutLogging(new DynamoDBClient(CLIENT));
    const s3 = withoutLogging(new S3Client(CLIENT));
    const kms = withoutLogging(new KMSClient(CLIENT));
    answering(dynamo.middlewareStack, {
      GetItemCommand: (input) => this.#getItem(input),
      QueryCommand: (input) => this.#query(input),
      TransactWriteItemsCommand: (input) => this.#transact(input),
    });
    answering(s3.middlewareStack as DynamoDBClient["middlewareStack"], {
      GetObjectCommand: (input) => this.#getObject(input),
      HeadObjectCommand: (input) => this.#headObject(input),
      ListObjectsV2Command: (input) => this.#listObjects(input),
      PutObjectCommand: (input) => this.#putObject(input),
    });
    answering(kms.middlewareStack as DynamoDBClient["middlewareStack"], {
      GetPublicKeyCommand: (input) => this.#publicKey(input),
      SignCommand: (input) => this.#sign(input),
    });
    return { dynamo, s3, kms };
  }

  createKey(spec: "ECC_NIST_EDWARDS25519" | "ECC_NIST_P256" | "RSA_2048"): string {
    const arn = `arn:aws:kms:us-east-1:111122223333:key/${this.#keys.size + 1}`;
    const { privateKey } =
      spec === "ECC_NIST_P256" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("ed25519");
    this.#keys.set(arn, { privateKey, spec });
    return arn;
  }

  putItem(table: string, item: Item): void {
    this.items.set(itemName(table, item), item);
  }

  #getItem({ TableName, Key }: Input): object {
    const Item = this.items.get(itemName(String(TableName), Key as Item));
    return Item === undefined ? {} : { Item };
  }

  /** Small pages, so that every reader has to turn them. */
  #query(input: Input): object {
    const values = input["ExpressionAttributeValues"] as Item;
    const [log, from, last] = [":log", ":from", ":last"].map((name) => values[name]?.S ?? "");
    if ((from ?? "") > (last ?? "")) throw new Error("ValidationException: BETWEEN with its bounds reversed.");
    const found = [...this.items.entries()]
      .filter(([name]) => name.startsWith(`${input["TableName"]}|`))
      .map(([, item]) => item)
      .filter((item) => item[LOG_STATE.partitionKey]?.S === log)
      .filter((item) => sortKeyOf(item) >= (from ?? "") && sortKeyOf(item) <= (last ?? ""))
      .sort((a, b) => (sortKeyOf(a) < sortKeyOf(b) ? -1 : 1));
    if (input["ScanIndexForward"] === false) found.reverse();
    const startKey = input["ExclusiveStartKey"] as Item | undefined;
    const begin = startKey === undefined ? 0 : found.findIndex((item) => sortKeyOf(item) === sortKeyOf(startKey)) + 1;
    const page = found.slice(begin, begin + Number(input["Limit"] ?? 5));
    const isLast = begin + page.length >= found.length;
    const { [LOG_STATE.partitionKey]: partition = { S: "" }, [LOG_STATE.sortKey]: sort = { S: "" } } =
      page.at(-1) ?? {};
    const LastEvaluatedKey = { [LOG_STATE.partitionKey]: partition, [LOG_STATE.sortKey]: sort };
    return isLast ? { Items: page } : { Items: page, LastEvaluatedKey };
  }

  /** A request that comes again under its token has been done. */
  #transact({ TransactItems, ClientRequestToken }: Input): object {
    if (this.#tokens.has(String(ClientRequestToken))) return {};
    const puts = (TransactItems as { Put: Input }[]).map(({ Put }) => Put);
    const reasons = puts.map((put) => ({ Code: this.#conditionHolds(put) ? "None" : "ConditionalCheckFailed" }));
    if (reasons.some(({ Code }) => Code !== "None")) {
      throw new TransactionCanceledException({ message: "", CancellationReasons: reasons, $metadata: {} });
    }
    for (const { TableName, Item } of puts) this.putItem(String(TableName), Item as Item);
    this.#tokens.add(String(ClientRequestToken));
    return {};
  }

  #conditionHolds({ TableName, Item, ConditionExpression, ExpressionAttributeValues }: Input): boolean {
    const stored = this.items.get(itemName(String(TableName), Item as Item));
    if (ConditionExpression === "attribute_not_exists(#key)") return stored === undefined;
    if (ConditionExpression !== "#size = :size") throw new Error(`No such condition here: ${ConditionExpression}`);
    return stored?.["Size"]?.N === (ExpressionAttributeValues as Item)[":size"]?.N;
  }

  #getObject({ Bucket, Key }: Input): object {
    const versions = this.objects.get(`${Bucket}/${Key}`) ?? [];
    const bytes = versions.at(-1);
    if (bytes === undefined) throw new NoSuchKey({ message: "", $metadata: { httpStatusCode: 404 } });
    return { ETag: `"${versions.length}"`, Body: { transformToByteArray: async () => bytes } };
  }

  #headObject({ Bucket, Key }: Input): object {
    const name = `${Bucket}/${Key}`;
    const versions = this.objects.get(name);
    if (versions !== undefined) return { ETag: `"${versions.length}"` };
    const headers = this.deleted.has(name) ? { "x-amz-delete-marker": "true" } : {};
    const error = new NotFound({ message: "", $metadata: { httpStatusCode: 404 } });
    throw Object.assign(error, { $response: { statusCode: 404, headers } });
  }

  /** Small pages, so that every reader has to turn them. */
  #listObjects({ Bucket, Prefix, StartAfter = "", ContinuationToken }: Input): object {
    const start = String(ContinuationToken ?? StartAfter);
    const keys = [...this.objects.keys()]
      .map((name) => name.slice(`${Bucket}/`.length))
      .filter((key) => key.startsWith(String(Prefix)) && key > start)
      .sort();
    const page = keys.slice(0, 3);
    const Contents = page.map((Key) => ({ Key }));
    return keys.length > 3 ? { Contents, IsTruncated: true, NextContinuationToken: page.at(-1) } : { Contents };
  }

  #putObject({ Bucket, Key, Body, IfMatch, IfNoneMatch }: Input): object {
    const versions = this.objects.get(`${Bucket}/${Key}`) ?? [];
    const isRefused = IfNoneMatch === "*" ? versions.length > 0 : IfMatch !== `"${versions.length}"`;
    if (isRefused) throw preconditionFailed();
    this.objects.set(`${Bucket}/${Key}`, [...versions, Buffer.from(Body as Uint8Array)]);
    return { ETag: `"${versions.length + 1}"` };
  }

  #publicKey({ KeyId }: Input): object {
    const { privateKey, spec } = this.#key(KeyId);
    return { PublicKey: createPublicKey(privateKey).export({ format: "der", type: "spki" }), KeySpec: spec };
  }

  #sign({ KeyId, Message, MessageType, SigningAlgorithm }: Input): object {
    const { privateKey, spec } = this.#key(KeyId);
    const isEd25519 = spec === "ECC_NIST_EDWARDS25519";
    if (MessageType !== "RAW" || SigningAlgorithm !== (isEd25519 ? "ED25519_SHA_512" : "ECDSA_SHA_256")) {
      throw new Error("ValidationException: the key does not sign so.");
    }
    return { Signature: sign(isEd25519 ? null : "sha256", Message as Uint8Array, privateKey) };
  }

  #key(arn: unknown) {
    const key = this.#keys.get(String(arn));
    if (key === undefined) throw new Error("NotFoundException");
    return key;
  }
}

export function preconditionFailed(): S3ServiceException {
  const $metadata = { httpStatusCode: 412 };
  return new S3ServiceException({ name: "PreconditionFailed", $fault: "client", message: "", $metadata });
}

function sortKeyOf(item: Item): string {
  return item[LOG_STATE.sortKey]?.S ?? "";
}

function itemName(table: string, item: Item): string {
  const key = (KEYS.get(table) ?? LOG_KEY).map((name) => item[name]?.S ?? item[name]?.N ?? "");
  return `${table}|${key.join("|")}`;
}

function answering(stack: DynamoDBClient["middlewareStack"], answers: Readonly<Record<string, Answer>>): void {
  stack.add(
    (_next, context) => async (args) => {
      const answer = answers[String(context["commandName"])];
      if (answer === undefined) throw new Error(`Nothing here answers ${context["commandName"]}.`);
      return { output: { $metadata: {}, ...answer(args.input as Input) }, response: {} };
    },
    { step: "initialize", name: "answering", priority: "low" },
  );
}
