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
import type { StoredItem, StoredValue } from "../rules/stored-item";

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
 * capacity stood in the way, so nothing is known about the condition. `free`: nothing stood in the way.
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
  const command = { TransactItems: [...actions], ClientRequestToken: randomUUID() };
  for (let attempt = 1; ; attempt++) {
    try {
      await dynamo.send(new TransactWriteItemsCommand(command));
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
