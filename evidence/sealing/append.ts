/**
 * Appends to the log. A sealer reads the head, and moves it only from where it was read; of two at once one commits
 * first and the other reads again. So there is one log, even when sealers are killed at any moment.
 */

import { backOff } from "../../ledger/store/transaction";
import type { LogEntry } from "../log/entry";
import { entryBytes } from "../log/entry";
import { leafHash } from "../log/hashing";
import { BATCH_ENTRIES_MAX, packFirst } from "./batches";
import { logForked, SealingError } from "./errors";
import { extended } from "./frontier";
import { commitBatch, type Head, type LogTable, readHead } from "./log-state-table";
import { RECENT_ENTRIES_DEFAULT, RecentEntries } from "./recent-entries";

export interface Log {
  readonly table: LogTable;
  readonly recent: RecentEntries;
  /** Waits a random while before the head is looked at again. */
  readonly pause: (attempt: number) => Promise<void>;
}

export interface LogOptions {
  /** How many of the newest entries are held against what is to be appended. */
  readonly recentEntries?: number;
  readonly pause?: Log["pause"];
}

/** Made once per process: it remembers what was committed, and reads only what is new. */
export function openLog(table: LogTable, options: LogOptions = {}): Log {
  const { recentEntries = RECENT_ENTRIES_DEFAULT, pause = backOff } = options;
  return { table, recent: new RecentEntries(recentEntries), pause };
}

export interface Appended {
  readonly appended: number;
  /** Entries that were in the log already, byte for byte. */
  readonly repeated: number;
  /** Of the log, afterwards. */
  readonly size: number;
}

/** Every lost race means that another sealer went on; more in a row than this is no ordinary traffic. */
const RACES_MAX = 40;

/** Appends the entries in their order, without those that are in the log already. Called again, it adds nothing. */
export async function appendEntries(entries: readonly LogEntry[], log: Log): Promise<Appended> {
  const notRecent = async (_head: Head, leaves: readonly Leaf[]) => leaves.filter(({ leaf }) => !log.recent.has(leaf));
  const { appended, size } = await append(log, distinct(entries.map(leafOf)), notRecent);
  return { appended, repeated: entries.length - appended, size };
}

/**
 * Appends the one entry that `make` makes of the current head; nothing where it returns undefined.
 * @returns the size of the log afterwards.
 */
export async function appendAfter(log: Log, make: (head: Head) => Promise<LogEntry | undefined>): Promise<number> {
  const { size } = await append(log, [], async (head) => {
    const entry = await make(head);
    return entry === undefined ? [] : [leafOf(entry)];
  });
  return size;
}

interface Leaf {
  readonly entry: LogEntry;
  readonly bytes: Buffer;
  readonly leaf: Buffer;
}

/** @param lookAgain what is to be appended behind this head, of what is left; asked whenever the head has moved. */
async function append(
  log: Log,
  all: readonly Leaf[],
  lookAgain: (head: Head, left: readonly Leaf[]) => Promise<readonly Leaf[]>,
): Promise<{ readonly appended: number; readonly size: number }> {
  let head = await follow(log);
  let left = await lookAgain(head, all);
  let appended = 0;
  let behindAt: number | undefined;
  for (let races = 0; races < RACES_MAX; ) {
    if (left.length === 0) return { appended, size: head.frontier.size };
    const { count, next, commit } = await commitFirst(log, head, left);
    if (commit === "committed") {
      [head, left, appended, races] = [next, left.slice(count), appended + count, 0];
      continue;
    }
    // One stale read can happen while another sealer commits. Two at the same size mean that the table is inconsistent.
    if (commit === "head-behind" && behindAt === head.frontier.size) {
      throw logForked("The log-state table holds entries that its head does not count");
    }
    behindAt = commit === "head-behind" ? head.frontier.size : undefined;
    races += 1;
    await log.pause(races);
    head = await follow(log);
    left = await lookAgain(head, left);
  }
  throw new SealingError(
    "LOG_CONTENDED",
    `Other sealers went first ${RACES_MAX} times in a row. The changes stay in their stream and are tried again; if it ` +
      "lasts, lower the parallelisation of the event source mappings.",
  );
}

async function follow({ table, recent }: Log): Promise<Head> {
  const head = await readHead(table);
  await recent.follow(table, head.frontier.size);
  return head;
}

/** Commits as many of the first leaves as one batch takes. */
async function commitFirst({ table, recent }: Log, head: Head, leaves: readonly Leaf[]) {
  const batch = packFirst(leaves.slice(0, BATCH_ENTRIES_MAX).map(({ bytes }) => bytes));
  const packed = leaves.slice(0, batch.count);
  const next = after(head, packed);
  const commit = await commitBatch(table, head, batch, next);
  if (commit === "committed") {
    recent.add(
      packed.map(({ leaf }) => leaf),
      next.frontier.size,
    );
  }
  return { count: batch.count, next, commit };
}

function leafOf(entry: LogEntry): Leaf {
  const bytes = entryBytes(entry);
  return { entry, bytes, leaf: leafHash(bytes) };
}

function distinct(leaves: readonly Leaf[]): Leaf[] {
  return [...new Map(leaves.map((leaf) => [leaf.leaf.toString("latin1"), leaf])).values()];
}

function after({ frontier, counts, heartbeatAt: before }: Head, leaves: readonly Leaf[]): Head {
  const next = { ...counts };
  let heartbeatAt = before;
  for (const { entry } of leaves) {
    next[entry.kind] += 1;
    if (entry.kind === "HEARTBEAT") heartbeatAt = entry.time;
  }
  return {
    frontier: extended(
      frontier,
      leaves.map(({ leaf }) => leaf),
    ),
    counts: next,
    heartbeatAt,
  };
}
