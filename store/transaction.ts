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
import type { StoredItem, StoredValue } from "../ledger/stored-item";

/** DynamoDB's own limits for one transaction, with room for the request around the items. */
export const TRANSACTION_LIMITS = { actionsMax: 100, bytesMax: 3_500_000 } as const;

const ATTEMPTS_MAX = 12;
const BACKOFF_FIRST_MS = 20;
const BACKOFF_MAX_MS = 1_000;
/** Reasons that pass by themselves: another transaction is on the item, or the table is momentarily out of capacity. */
const PASSING_REASONS = new Set(["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]);

export type TransactionResult =
  | { readonly committed: true }
  /** One entry an action: the condition failed (with the item that was there, if any), or it did not. */
  | { readonly committed: false; readonly failedConditions: readonly (FailedCondition | undefined)[] };

export interface FailedCondition {
  readonly existing: StoredItem | undefined;
}

/**
 * Commits all actions or none. The client request token stays the same over all attempts, so an answer that was lost after
 * the commit is found again instead of failing on our own items (DynamoDB keeps the token for ten minutes).
 * @throws the SDK's error when the transaction can neither commit nor be decided.
 */
export async function transact(
  dynamo: DynamoDBClient,
  actions: readonly TransactWriteItem[],
): Promise<TransactionResult> {
  const command = { TransactItems: [...actions], ClientRequestToken: randomUUID() };
  for (let attempt = 1; ; attempt++) {
    try {
      await dynamo.send(new TransactWriteItemsCommand(command));
      return { committed: true };
    } catch (error) {
      const failedConditions = failedConditionsOf(error);
      if (failedConditions?.some((failed) => failed !== undefined)) return { committed: false, failedConditions };
      if (!passesByItself(error) || attempt >= ATTEMPTS_MAX) throw error;
      await sleep(backoffMs(attempt));
    }
  }
}

function failedConditionsOf(error: unknown): (FailedCondition | undefined)[] | undefined {
  if (!(error instanceof TransactionCanceledException)) return undefined;
  return (error.CancellationReasons ?? []).map((reason) =>
    reason.Code === "ConditionalCheckFailed" ? { existing: existingOf(reason) } : undefined,
  );
}

function existingOf(reason: CancellationReason): StoredItem | undefined {
  return reason.Item === undefined || Object.keys(reason.Item).length === 0 ? undefined : storedItem(reason.Item);
}

function passesByItself(error: unknown): boolean {
  if (error instanceof TransactionInProgressException) return true;
  if (!(error instanceof TransactionCanceledException)) return false;
  const codes = (error.CancellationReasons ?? []).map((reason) => reason.Code ?? "None");
  return codes.length > 0 && codes.every((code) => code === "None" || PASSING_REASONS.has(code));
}

/** Full jitter: colliding writers spread out instead of colliding again. */
function backoffMs(attempt: number): number {
  return Math.random() * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** attempt);
}

/** The SDK's item in our own type; both are DynamoDB's JSON form. */
export function storedItem(item: Record<string, AttributeValue>): StoredItem {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, storedValue(value)]));
}

function storedValue(value: AttributeValue): StoredValue {
  if (value.S !== undefined) return { S: value.S };
  if (value.N !== undefined) return { N: value.N };
  if (value.B !== undefined) return { B: value.B };
  if (value.BOOL !== undefined) return { BOOL: value.BOOL };
  if (value.M !== undefined) return { M: storedItem(value.M) };
  if (value.L !== undefined) return { L: value.L.map(storedValue) };
  if (value.SS !== undefined) return { SS: value.SS };
  if (value.NS !== undefined) return { NS: value.NS };
  if (value.BS !== undefined) return { BS: value.BS };
  return { NULL: true };
}

/** Our item as the SDK wants it. */
export function sdkItem(item: StoredItem): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, sdkValue(value)]));
}

export function sdkValue(value: StoredValue): AttributeValue {
  if ("M" in value) return { M: sdkItem(value.M) };
  if ("L" in value) return { L: value.L.map(sdkValue) };
  if ("SS" in value) return { SS: [...value.SS] };
  if ("NS" in value) return { NS: [...value.NS] };
  if ("BS" in value) return { BS: [...value.BS] };
  return value;
}
