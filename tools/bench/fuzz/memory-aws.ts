/** DynamoDB, KMS and S3 in memory, with the semantics that the ledger's functions rely on and nothing else. */

import { createHmac, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { type AttributeValue, DynamoDBClient, TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { NoSuchKey, NotFound, S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { TABLES } from "../../../contract";

const CLIENT = { region: "us-east-1", credentials: { accessKeyId: "none", secretAccessKey: "none" } };

type Item = Record<string, AttributeValue>;
type Input = Readonly<Record<string, unknown>>;
type Answer = (input: Input) => object;

export class MemoryAws {
  readonly tables = new Map<string, Map<string, Item>>();
  /** Newest version of each object. */
  readonly objects = new Map<string, { readonly bytes: Buffer; readonly versionId: string }>();
  readonly dynamo = new DynamoDBClient(CLIENT);
  readonly kms = new KMSClient(CLIENT);
  readonly s3 = new S3Client(CLIENT);

  constructor() {
    answering(this.dynamo, {
      GetItemCommand: ({ TableName, Key }) => ({ Item: this.#table(TableName).get(keyText(TableName, Key as Item)) }),
      QueryCommand: (input) => this.#query(input),
      TransactWriteItemsCommand: (input) => this.#transact(input),
      PutItemCommand: (input) => this.#transact({ TransactItems: [{ Put: input }] }),
    });
    answering(this.kms, {
      EncryptCommand: ({ Plaintext }) => ({ CiphertextBlob: reversed(Plaintext as Uint8Array) }),
      DecryptCommand: ({ CiphertextBlob }) => ({ Plaintext: reversed(CiphertextBlob as Uint8Array) }),
      GenerateMacCommand: ({ Message }) => ({
        Mac: createHmac("sha256", "memory")
          .update(Message as Uint8Array)
          .digest(),
      }),
    });
    answering(this.s3, {
      GetObjectCommand: ({ Key, Range }) => this.#get(String(Key), Range),
      HeadObjectCommand: ({ Key }) => this.#head(String(Key)),
      PutObjectCommand: (input) => this.#put(input),
      DeleteObjectCommand: ({ Key }) => {
        this.objects.delete(String(Key));
        return {};
      },
      ListObjectsV2Command: ({ Prefix, StartAfter = "" }) => ({
        Contents: [...this.objects.keys()]
          .filter((key) => key.startsWith(String(Prefix ?? "")) && key > String(StartAfter))
          .sort()
          .map((Key) => ({ Key })),
      }),
    });
  }

  #table(name: unknown): Map<string, Item> {
    const table = this.tables.get(String(name)) ?? new Map<string, Item>();
    this.tables.set(String(name), table);
    return table;
  }

  #transact({ TransactItems }: Input): object {
    const actions = TransactItems as { Put?: Input; Update?: Input; ConditionCheck?: Input }[];
    const reasons = actions.map(({ Put, Update, ConditionCheck }) => {
      const action = (Put ?? Update ?? ConditionCheck) as Input;
      const found = this.#table(action["TableName"]).get(
        keyText(action["TableName"], (action["Item"] ?? action["Key"]) as Item),
      );
      const holds = conditionHolds(action, found);
      return holds ? { Code: "None" } : { Code: "ConditionalCheckFailed", ...(found && { Item: found }) };
    });
    if (reasons.some(({ Code }) => Code !== "None")) {
      throw new TransactionCanceledException({ message: "", CancellationReasons: reasons, $metadata: {} });
    }
    for (const { Put, Update } of actions) {
      if (Put !== undefined)
        this.#table(Put["TableName"]).set(keyText(Put["TableName"], Put["Item"] as Item), Put["Item"] as Item);
      if (Update !== undefined) this.#update(Update);
    }
    return {};
  }

  /** `SET #a = :a, #b = :b REMOVE #c`, which is all that a status change says. */
  #update(update: Input): void {
    const table = this.#table(update["TableName"]);
    const key = keyText(update["TableName"], update["Key"] as Item);
    const item = { ...table.get(key) };
    const names = update["ExpressionAttributeNames"] as Record<string, string>;
    const values = update["ExpressionAttributeValues"] as Item;
    const [sets = "", removes = ""] = String(update["UpdateExpression"]).replace(/^SET /, "").split(" REMOVE ");
    for (const set of sets.split(", ")) {
      const [name = "", value = ""] = set.split(" = ");
      item[names[name] as string] = values[value] as AttributeValue;
    }
    for (const name of removes.split(", ").filter(Boolean)) delete item[names[name] as string];
    table.set(key, item);
  }

  #query(input: Input): object {
    const names = input["ExpressionAttributeNames"] as Record<string, string>;
    const values = input["ExpressionAttributeValues"] as Item;
    const clauses = String(input["KeyConditionExpression"])
      .replace(/BETWEEN (:\w+) AND (:\w+)/, "BETWEEN $1 $2")
      .split(" AND ");
    const matches = (item: Item) =>
      clauses.every((clause) => {
        const [name = "", operator, from = "", to = ""] = clause.split(" ");
        const value = scalar(item[names[name] as string]);
        if (value === undefined) return false;
        if (operator === "=") return value === scalar(values[from]);
        if (operator !== "BETWEEN") throw new Error(`No such key condition here: ${clause}`);
        return value >= (scalar(values[from]) ?? "") && value <= (scalar(values[to]) ?? "");
      });
    const found = [...this.#table(input["TableName"]).values()].filter(matches);
    return { Items: found.slice(0, Number(input["Limit"] ?? 1_000)) };
  }

  #get(key: string, range: unknown): object {
    const object = this.objects.get(key);
    if (object === undefined) throw new NoSuchKey({ message: "", $metadata: { httpStatusCode: 404 } });
    const from = Number(/^bytes=(\d+)-/.exec(String(range ?? ""))?.[1] ?? 0);
    const bytes = object.bytes.subarray(from);
    const Body = Object.assign(Readable.from([bytes]), {
      transformToString: async () => bytes.toString("utf8"),
      transformToByteArray: async () => new Uint8Array(bytes),
    });
    return { Body, ContentLength: bytes.length, ETag: `"${object.versionId}"`, VersionId: object.versionId };
  }

  #head(key: string): object {
    const object = this.objects.get(key);
    if (object === undefined) throw new NotFound({ message: "", $metadata: { httpStatusCode: 404 } });
    return { ContentLength: object.bytes.length, ETag: `"${object.versionId}"`, VersionId: object.versionId };
  }

  #put({ Key, Body, IfNoneMatch }: Input): object {
    if (IfNoneMatch === "*" && this.objects.has(String(Key))) {
      const $metadata = { httpStatusCode: 412 };
      throw new S3ServiceException({ name: "PreconditionFailed", $fault: "client", message: "", $metadata });
    }
    const versionId = randomUUID();
    this.objects.set(String(Key), { bytes: Buffer.from(Body as string), versionId });
    return { VersionId: versionId };
  }
}

function reversed(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes).reverse();
}

function scalar(value: AttributeValue | undefined): string | undefined {
  return value?.S ?? value?.N;
}

function keyText(tableName: unknown, item: Item): string {
  const table = Object.values(TABLES).find(({ logicalName }) => logicalName === tableName);
  if (table === undefined) throw new Error(`There is no table ${String(tableName)}.`);
  const names = "sortKey" in table ? [table.partitionKey, table.sortKey.name] : [table.partitionKey];
  return names.map((name) => scalar(item[name]) ?? "").join("\n");
}

function conditionHolds(action: Input, found: Item | undefined): boolean {
  const condition = action["ConditionExpression"];
  if (/^attribute_not_exists\(#\w+\)$/.test(String(condition))) return found === undefined;
  const [, name = "", value = ""] = /^(#\w+) = (:\w+)$/.exec(String(condition)) ?? [];
  if (name === "") throw new Error(`No such condition here: ${String(condition)}`);
  const names = action["ExpressionAttributeNames"] as Record<string, string>;
  const values = action["ExpressionAttributeValues"] as Item;
  return scalar(found?.[names[name] as string]) === scalar(values[value]);
}

function answering(client: { readonly middlewareStack: unknown }, answers: Readonly<Record<string, Answer>>): void {
  const stack = client.middlewareStack as DynamoDBClient["middlewareStack"];
  stack.add(
    (_next, context) => async (args) => {
      const answer = answers[String(context["commandName"])];
      if (answer === undefined) throw new Error(`Nothing here answers ${context["commandName"]}.`);
      return { output: { $metadata: {}, ...answer(args.input as Input) }, response: {} };
    },
    { step: "initialize", name: "answering", priority: "low" },
  );
}
