/** DynamoDB transactions: all or nothing, retried with jitter, with every cancellation reason read. */

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type AttributeValue,
  type CancellationReason,
  type DynamoDBClient,
  TransactionCanceledException,
  TransactionInProgressException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import type { MacedRecord } from "../rules/record-mac";
import type { StoredItem } from "../rules/stored-item";

/** DynamoDB's own limits for one transaction, with room for the request around the items. */
export const TRANSACTION_LIMITS = { actionsMax: 100, bytesMax: 3_500_000 } as const;

export const ATTEMPTS_MAX = 12;
const BACKOFF_FIRST_MS = 20;
const BACKOFF_MAX_MS = 1_000;
/** Reasons that pass by themselves: another transaction is on the item, or the table is momentarily out of capacity. */
const PASSING_REASONS = new Set(["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]);

export type TransactionResult =
  | { readonly committed: true }
  /** One verdict an action; at least one is a failed condition. */
  | { readonly committed: false; readonly verdicts: readonly ActionVerdict[] };

/**
 * `failed`: the condition failed, with the item that was there, if any. `passing`: another transaction or the table's
 * capacity prevented it, so nothing is known about the condition. `free`: nothing prevented it.
 */
export type ActionVerdict =
  | { readonly kind: "failed"; readonly existing: StoredItem | undefined }
  | { readonly kind: "passing" }
  | { readonly kind: "free" };

/**
 * Commits all actions or none. The client request token stays the same over all attempts, so an answer that was lost after
 * the commit is found again instead of failing on our own items (DynamoDB keeps the token for ten minutes).
 * @throws the SDK's error when the transaction can neither commit nor be decided.
 */
export async function transact(
  dynamo: DynamoDBClient,
  actions: readonly TransactWriteItem[],
): Promise<TransactionResult> {
  const input = { TransactItems: [...actions], ClientRequestToken: randomUUID() };
  return decided(() => dynamo.send(new TransactWriteItemsCommand(input)));
}

/** A record that is put under a free key. */
export interface Put extends MacedRecord {
  /** As it is deployed. */
  readonly tableName: string;
  readonly partitionKey: string;
}

/** The same for puts alone, whose records are sent as the texts that their MACs were made over. */
export function transactPuts(dynamo: DynamoDBClient, puts: readonly Put[]): Promise<TransactionResult> {
  const input = { TransactItems: puts.map(putAction), ClientRequestToken: randomUUID() };
  const body = `{"ClientRequestToken":"${input.ClientRequestToken}","TransactItems":[${puts.map(putText).join(",")}]}`;
  // As bytes: otherwise measuring, signing and sending would each encode the text.
  const bytes = Buffer.from(body);
  const client = sendingWrittenBodies(dynamo);
  return decided(() => {
    WRITTEN_BODIES.set(input, bytes);
    return client.send(new TransactWriteItemsCommand(input));
  });
}

export function putAction({ tableName, partitionKey, item }: Put): TransactWriteItem {
  return {
    Put: {
      TableName: tableName,
      Item: sdkItem(item),
      ConditionExpression: CONDITION,
      ExpressionAttributeNames: { "#key": partitionKey },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    },
  };
}

const CONDITION = "attribute_not_exists(#key)";

/** The JSON of `putAction`, with the record's text as it is. */
function putText({ tableName, partitionKey, text }: Put): string {
  const around = {
    TableName: tableName,
    ConditionExpression: CONDITION,
    ExpressionAttributeNames: { "#key": partitionKey },
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  };
  return `{"Put":{"Item":${text},${JSON.stringify(around).slice(1)}}`;
}

/** The bodies that are written already, by the input of their command. */
const WRITTEN_BODIES = new WeakMap<object, Uint8Array>();
/** Clients that send them. */
const PREPARED = new WeakSet<DynamoDBClient>();

/**
 * Makes the client send the body that is written already. All else stays the SDK's: endpoint, signature, time limits,
 * attempts and the reading of the answer. Only its serializer finds nothing to write. The middlewares are added once: a client may sort
 * its middlewares for its first call and keep them for all others.
 */
function sendingWrittenBodies(dynamo: DynamoDBClient): DynamoDBClient {
  if (PREPARED.has(dynamo)) return dynamo;
  PREPARED.add(dynamo);
  dynamo.middlewareStack.add(
    (next) => (args) => {
      const body = WRITTEN_BODIES.get(args.input);
      if (body === undefined) return next(args);
      const input = {};
      WRITTEN_BODIES.set(input, body);
      return next({ ...args, input });
    },
    { step: "initialize", priority: "low" },
  );
  dynamo.middlewareStack.add(
    (next) => (args) => {
      const body = WRITTEN_BODIES.get(args.input);
      if (body === undefined) return next(args);
      return next({ ...args, request: Object.assign(args.request as object, { body }) });
    },
    { step: "build", priority: "high" },
  );
  return dynamo;
}

async function decided(send: () => Promise<unknown>): Promise<TransactionResult> {
  for (let attempt = 1; ; attempt++) {
    try {
      await send();
      return { committed: true };
    } catch (error) {
      const verdicts = verdictsOf(error);
      if (verdicts?.some((verdict) => verdict.kind === "failed")) return { committed: false, verdicts };
      const passesByItself = verdicts !== undefined || error instanceof TransactionInProgressException;
      if (!passesByItself || attempt >= ATTEMPTS_MAX) throw error;
      await backOff(attempt);
    }
  }
}

/** Undefined when the error is no cancellation, or one for a reason that neither decides an action nor passes by itself. */
function verdictsOf(error: unknown): ActionVerdict[] | undefined {
  if (!(error instanceof TransactionCanceledException)) return undefined;
  const reasons = error.CancellationReasons ?? [];
  const verdicts = reasons.map(verdictOf).filter((verdict) => verdict !== undefined);
  return reasons.length > 0 && verdicts.length === reasons.length ? verdicts : undefined;
}

function verdictOf(reason: CancellationReason): ActionVerdict | undefined {
  const code = reason.Code ?? "None";
  if (code === "ConditionalCheckFailed") return { kind: "failed", existing: existingOf(reason) };
  if (code === "None") return { kind: "free" };
  return PASSING_REASONS.has(code) ? { kind: "passing" } : undefined;
}

function existingOf(reason: CancellationReason): StoredItem | undefined {
  return reason.Item === undefined || Object.keys(reason.Item).length === 0 ? undefined : storedItem(reason.Item);
}

/** Full jitter: colliding writers spread out instead of colliding again. */
export async function backOff(attempt: number): Promise<void> {
  await sleep(Math.random() * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** attempt));
}

/** The SDK's item in our own type: both have one member for each value, named by its type. */
export function storedItem(item: Record<string, AttributeValue>): StoredItem {
  return item as StoredItem;
}

/** Our item as the SDK wants it. The SDK does not change what it sends. */
export function sdkItem(item: StoredItem): Record<string, AttributeValue> {
  return item as Record<string, AttributeValue>;
}
