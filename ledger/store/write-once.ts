/** Append-only writing: a group of records is put together, and only where none of its keys exists. */

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { StoredItem } from "../rules/stored-item";
import { type ActionVerdict, ATTEMPTS_MAX, backOff, type Put, TRANSACTION_LIMITS, transactPuts } from "./transaction";

/** Records that are written together or not at all: a payment and its WRITE record, or a single audit record. */
export type WriteGroup = readonly Put[];

export type GroupOutcome =
  | { readonly written: true }
  /** Per put of the group: what was found under its key. */
  | { readonly written: false; readonly existing: readonly (StoredItem | undefined)[] };

/** At most this many payments share one transaction, so that one conflict holds up few others. */
const GROUPS_PER_TRANSACTION_MAX = 50;

/**
 * Writes every group whose keys are all free, each group atomically, and says what prevented the others.
 * Groups must not share a key.
 */
export async function writeOnce(dynamo: DynamoDBClient, groups: readonly WriteGroup[]): Promise<GroupOutcome[]> {
  const outcomes = new Map<WriteGroup, GroupOutcome>();
  for (const chunk of chunksOf(groups)) await writeChunk(dynamo, chunk, outcomes);
  return groups.map((group) => outcomes.get(group) ?? { written: true });
}

/** Groups whose conditions failed are decided and drop out; the rest goes again, until nothing is left. */
async function writeChunk(
  dynamo: DynamoDBClient,
  chunk: readonly WriteGroup[],
  outcomes: Map<WriteGroup, GroupOutcome>,
): Promise<void> {
  let pending = chunk;
  for (let attempt = 1; pending.length > 0; ) {
    const result = await transactPuts(dynamo, pending.flat());
    if (result.committed) return;
    const undecided = withoutDecided(pending, result.verdicts, outcomes);
    if (undecided.length === pending.length) {
      if (attempt >= ATTEMPTS_MAX) throw new Error("Other transactions prevented every attempt.");
      await backOff(attempt);
      attempt += 1;
    }
    pending = undecided;
  }
}

/**
 * A group is decided only when nothing about it is open: while another transaction is still committing the same pair,
 * DynamoDB may report the one half as there and the other as in conflict.
 */
function withoutDecided(
  pending: readonly WriteGroup[],
  verdicts: readonly ActionVerdict[],
  outcomes: Map<WriteGroup, GroupOutcome>,
): WriteGroup[] {
  const undecided: WriteGroup[] = [];
  let position = 0;
  for (const group of pending) {
    const own = verdicts.slice(position, position + group.length);
    position += group.length;
    const failed = own.some(({ kind }) => kind === "failed");
    if (!failed || own.some(({ kind }) => kind === "passing")) undecided.push(group);
    else outcomes.set(group, { written: false, existing: own.map(existingIn) });
  }
  return undecided;
}

function existingIn(verdict: ActionVerdict): StoredItem | undefined {
  return verdict.kind === "failed" ? verdict.existing : undefined;
}

function chunksOf(groups: readonly WriteGroup[]): WriteGroup[][] {
  const chunks: WriteGroup[][] = [];
  let actions = 0;
  let bytes = 0;
  for (const group of groups) {
    const groupBytes = group.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    const current = chunks.at(-1);
    const fits =
      current !== undefined &&
      current.length < GROUPS_PER_TRANSACTION_MAX &&
      actions + group.length <= TRANSACTION_LIMITS.actionsMax &&
      bytes + groupBytes <= TRANSACTION_LIMITS.bytesMax;
    if (fits) current.push(group);
    else chunks.push([group]);
    actions = (fits ? actions : 0) + group.length;
    bytes = (fits ? bytes : 0) + groupBytes;
  }
  return chunks;
}
