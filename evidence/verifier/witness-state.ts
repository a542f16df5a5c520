/**
 * What a witness remembers, in one file. Each change is written whole, forced to the disk and renamed over the old, under
 * a lock that a killed process does not keep: neither a crash nor two processes at once can take the memory back.
 */

import { randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CodedError } from "../../contract";
import type { SeenCheckpoint, WitnessState } from "./witness";

export class WitnessStateError extends CodedError<"STATE_LOCKED" | "BAD_STATE"> {
  override readonly name = "WitnessStateError";
}

const FORMAT = "payment-ledger/witness-state/1";
const LOCK_POLL_MS = 10;
const LOCK_WAIT_MS = 10_000;

interface StateFile {
  readonly format: typeof FORMAT;
  readonly logs: Readonly<Record<string, SeenCheckpoint>>;
}

/** @param waitMs how long another process may hold the lock. */
export function fileState(file: string, waitMs = LOCK_WAIT_MS): WitnessState {
  return {
    latest: async (origin) => ownMember((await readState(file)).logs, origin),
    replace: (origin, expected, next) =>
      withLock(`${file}.lock`, waitMs, async () => {
        const { logs } = await readState(file);
        const stored = ownMember(logs, origin);
        if (stored?.size !== expected?.size || stored?.root !== expected?.root) return false;
        await writeWhole(file, { format: FORMAT, logs: { ...logs, [origin]: next } });
        return true;
      }),
  };
}

/** An origin is whatever a log calls itself, `constructor` too. */
function ownMember(logs: StateFile["logs"], origin: string): SeenCheckpoint | undefined {
  return Object.hasOwn(logs, origin) ? logs[origin] : undefined;
}

async function readState(file: string): Promise<StateFile> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { format: FORMAT, logs: {} };
    throw error;
  }
  const state = parsed(text);
  if (state !== undefined) return state;
  throw new WitnessStateError(
    "BAD_STATE",
    `${file} is no memory of a witness. A witness that forgets can be shown two logs, so it does not start anew by ` +
      "itself. Put the file back from a copy; or remove it, and tell those who rely on this witness.",
  );
}

function parsed(text: string): StateFile | undefined {
  try {
    const { format, logs } = JSON.parse(text) as Partial<StateFile>;
    const isState = format === FORMAT && typeof logs === "object" && Object.values(logs).every(isSeen);
    return isState ? { format, logs } : undefined;
  } catch {
    return undefined;
  }
}

function isSeen({ size, root, note }: SeenCheckpoint): boolean {
  return Number.isSafeInteger(size) && size >= 0 && typeof root === "string" && typeof note === "string";
}

/** The rename is on the disk too when the folder is: else a power cut could bring the old file back. */
async function writeWhole(file: string, state: StateFile): Promise<void> {
  const partial = `${file}.${process.pid}.${randomUUID()}`;
  try {
    const handle = await open(partial, "wx", 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(state, undefined, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  const folder = await open(path.dirname(file), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

// --------------------------------------------------------------------------------------------------------------- lock

/** Which process holds the lock; the id tells one holding from the next. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly id: string;
}

async function withLock<T>(lock: string, waitMs: number, work: () => Promise<T>): Promise<T> {
  await mkdir(path.dirname(lock), { recursive: true });
  const until = Date.now() + waitMs;
  const own: Holder = { pid: process.pid, host: hostname(), id: randomUUID() };
  while (!(await isCreated(lock, own))) {
    await breakLockOfDead(lock);
    if (Date.now() > until) {
      throw new WitnessStateError(
        "STATE_LOCKED",
        `Another process holds ${lock}. One at a time changes what the witness remembers. Wait for it; if no witness ` +
          "runs, on this or another machine, remove that file.",
      );
    }
    await delay(LOCK_POLL_MS);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

/** Linked into place, so that a lock is never there without saying whose it is. */
async function isCreated(file: string, holder: Holder): Promise<boolean> {
  const partial = `${file}.${randomUUID()}`;
  try {
    await writeFile(partial, JSON.stringify(holder), { flag: "wx", mode: 0o600 });
    await link(partial, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(partial, { force: true });
  }
}

/**
 * Removes the lock of a process that ended without doing so. Only one may: who made the file that is named after this
 * very holding, and sees the holding still there, removes it, so a lock that another took since is never removed.
 */
async function breakLockOfDead(lock: string): Promise<void> {
  const dead = await holderOf(lock);
  if (dead === undefined || dead.host !== hostname() || isAlive(dead.pid)) return;
  const claim = `${lock}.${dead.id}`;
  if (!(await isCreated(claim, dead))) return;
  try {
    if ((await holderOf(lock))?.id === dead.id) await rm(lock, { force: true });
  } finally {
    await rm(claim, { force: true });
  }
}

/** Undefined when nobody holds it, and for a file of somebody else, which stays where it is. */
async function holderOf(lock: string): Promise<Holder | undefined> {
  try {
    const { pid, host, id } = JSON.parse(await readFile(lock, "utf8")) as Partial<Holder>;
    const isHolder = Number.isInteger(pid) && typeof host === "string" && /^[0-9a-f-]{36}$/.test(String(id));
    return isHolder ? ({ pid, host, id } as Holder) : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
