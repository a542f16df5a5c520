/**
 * Two sealers over the same changes of the tables, killed and started again at any of their AWS calls: one round of it,
 * and what must hold afterwards, recomputed from the evidence without the sealer's code.
 */

import { createHash } from "node:crypto";
import type { LogicalTableName } from "../../../contract";
import { forManyCalls } from "../../../handlers/runtime/clients";
import type { StoredItem } from "../../../ledger/rules/stored-item";
import type { Services } from "../../../ledger/store/services";
import { stubServices } from "../../ledger/rules/stub-services";
import {
  aMessageRecord,
  anAuditRecord,
  aPaymentRecord,
  aStatusChanged,
  aTransactionRecord,
  LEDGER,
  MESSAGES,
  type StreamRecord,
  streamRecord,
  TRAIL,
  TRANSACTIONS,
} from "./changes";
import { below, type Kill, Killed, type Random, seededRandom, Turns, underTurns } from "./kill-switch";
import {
  naiveCheckpoint,
  naiveCommitment,
  naiveEntries,
  naiveLeaf,
  naivePath,
  naiveRoot,
  naiveTiles,
  naiveVerify,
} from "./naive-log";
import { type Sealer, startSealer, type World } from "./sealer";

/** What the log's own storage holds, read past the sealer. */
export interface RaceWorld extends World {
  /** Versions of each object below the evidence folder, oldest first. */
  objects(): Promise<Map<string, readonly Buffer[]>>;
  /** Start and inflated bytes of each batch, by start. */
  batches(): Promise<readonly { readonly start: number; readonly bundle: Buffer }[]>;
  /** Puts the item into the table under its key. */
  putRecord(table: LogicalTableName, item: StoredItem): Promise<void>;
}

/** What the log must hold. Grows from round to round of one log. */
export interface Expected {
  readonly entries: { readonly kind: string; readonly name: string; readonly text: string }[];
}

export interface RoundReport {
  readonly changes: number;
  readonly kills: number;
  readonly calls: number;
}

const LIVES_WITH_KILLS_MAX = 6;
const services: Services = stubServices();

export async function playRound(world: RaceWorld, expected: Expected, seed: number): Promise<RoundReport> {
  const random = seededRandom(seed);
  const changes = await makeChanges(world, random, seed);
  for (const change of changes) expected.entries.push(expectationOf(change));
  const turns = new Turns(random);
  // Making clients would take longer than all else that a sealer does.
  const clients = world.clients();
  for (const client of [clients.dynamo, clients.s3, clients.kms]) forManyCalls(client);
  const place = { ...world, clients: () => clients };
  const kills = await turns.play([0, 1].map(() => sealAll(place, changes, turns, random)));
  await startSealer(place, { clock }).beat();
  return { changes: changes.length, kills: kills.reduce((sum, each) => sum + each, 0), calls: turns.calls };
}

/** One clock for all, that only goes on. */
let now = Date.parse("2026-11-21T12:00:00.000Z");
const clock = () => {
  now += 1_000;
  return new Date(now);
};

/** One sealer with its own cut of the changes into batches; killed, it comes back and is given the same batch again. */
async function sealAll(world: World, changes: readonly StreamRecord[], turns: Turns, random: Random): Promise<number> {
  let kills = 0;
  const start = (): Sealer => {
    const isKilled = kills < LIVES_WITH_KILLS_MAX && random() < 0.8;
    const recentEntries = [0, 4, 5_000, 5_000][below(random, 4)] ?? 0;
    const atCall = isKilled ? 1 + below(random, 30) : undefined;
    const kill: Kill = { atCall, moment: random() < 0.5 ? "before" : "after" };
    const clients = () => underTurns(world.clients(), turns, kill);
    return startSealer({ ...world, clients }, { clock, recentEntries, pause: () => turns.take(async () => {}) });
  };
  let sealer = start();
  const untilDone = async (act: (sealer: Sealer) => Promise<object>) => {
    for (;;) {
      try {
        return await act(sealer);
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        kills += 1;
        sealer = start();
      }
    }
  };
  for (let from = 0; from < changes.length; ) {
    const batch = changes.slice(from, from + 1 + below(random, Math.max(4, changes.length / 2)));
    await untilDone((each) => each.seal(batch));
    if (random() < 0.4) await untilDone((each) => each.beat());
    from += batch.length;
  }
  return kills;
}

/** Everything that happens to the tables: payments of all ways in, status changes, forgeries, removals. */
async function makeChanges(world: RaceWorld, random: Random, seed: number): Promise<StreamRecord[]> {
  const count = 1 + below(random, random() < 0.1 ? 400 : 40);
  const records: StreamRecord[] = [];
  for (let index = 0; records.length < count; index++) {
    const id = `txn-${seed}-${index}`;
    const choice = below(random, 8);
    if (choice === 0) records.push(streamRecord(MESSAGES, { now: await aMessageRecord(id, services) }));
    else if (choice === 1) records.push(streamRecord(TRANSACTIONS, { now: await aTransactionRecord(id, services) }));
    else if (choice === 2) records.push(...(await changedPayment(world, id)));
    else if (choice === 3) records.push(...(await tamperedPayment(world, id)));
    else {
      records.push(streamRecord(LEDGER, { now: await aPaymentRecord(id, services) }));
      records.push(streamRecord(TRAIL, { now: await anAuditRecord(`W-${id}`, services) }));
    }
  }
  return records;
}

async function changedPayment(world: RaceWorld, id: string): Promise<StreamRecord[]> {
  const first = await aPaymentRecord(id, services);
  const { now: changed, audit } = await aStatusChanged(first, "Failure", services);
  await world.putRecord(TRAIL, audit);
  return [
    streamRecord(LEDGER, { now: first }),
    streamRecord(LEDGER, { before: first, now: changed }),
    streamRecord(TRAIL, { now: audit }),
  ];
}

async function tamperedPayment(world: RaceWorld, id: string): Promise<StreamRecord[]> {
  const row = await aPaymentRecord(id, services);
  const altered = { ...row, Amount: { S: "99.00" } };
  await world.putRecord(LEDGER, altered);
  return [
    streamRecord(LEDGER, { now: row }),
    streamRecord(LEDGER, { before: row, now: altered }),
    streamRecord(LEDGER, { before: altered }),
    streamRecord(LEDGER, { now: altered }),
  ];
}

function tableOf({ eventSourceARN }: StreamRecord): string {
  return eventSourceARN.split("/")[1] ?? "";
}

/** What the entry must say, by what was done to the table and not by how the sealer judges it. */
export function expectationOf(record: StreamRecord): Expected["entries"][number] {
  const { NewImage, OldImage, Keys, SequenceNumber: sequence } = record.dynamodb;
  const table = tableOf(record);
  const isAltered = (NewImage?.["Amount"] as { S?: string } | undefined)?.S === "99.00";
  const kind = isAltered
    ? OldImage === undefined
      ? "FORGED"
      : "TAMPER"
    : NewImage === undefined
      ? "TAMPER"
      : "RECORD";
  const key = ["TransactionID", "AuditID", "paymentId", "transactionId", "timestamp"].flatMap((name) =>
    Object.values((Keys[name] as Record<string, string> | undefined) ?? {}),
  );
  const image = NewImage ?? OldImage ?? {};
  const entry = {
    commitment: NewImage === undefined ? "" : naiveCommitment(table, NewImage),
    format: "payment-ledger/entry/1",
    key,
    kind,
    previous: OldImage === undefined ? "" : naiveCommitment(table, OldImage),
    sequence,
    table,
    version: (image["Version"] as { N?: string } | undefined)?.N ?? "1",
  };
  return { kind, name: `${table} ${key.join(" ")}`, text: JSON.stringify(entry) };
}

export interface LogReport {
  readonly entries: number;
  readonly heartbeats: number;
  /** Entries that are in the log already, byte for byte. */
  readonly repeats: number;
  readonly checkpoints: number;
}

/** @throws Error naming the first thing that does not hold. */
export async function checkLog(world: RaceWorld, expected: Expected): Promise<LogReport> {
  const objects = await world.objects();
  const versions = objects.get("checkpoint") ?? [];
  const checkpoints = versions.map((note) => naiveCheckpoint(note.toString("utf8")));
  const newest = checkpoints.at(-1);
  must(newest !== undefined, "no checkpoint was published");
  const entries = entriesOf(objects, newest.size);
  const leaves = entries.map(naiveLeaf);
  checkCheckpoints(objects, checkpoints, leaves);
  checkTiles(objects, entries, leaves);
  await checkBatches(world, entries);
  const repeats = checkEntries(entries, expected);
  const heartbeats = checkHeartbeats(entries, objects);
  return { entries: entries.length, heartbeats, repeats, checkpoints: checkpoints.length };
}

function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`The log does not hold: ${what}.`);
}

function only(objects: ReadonlyMap<string, readonly Buffer[]>, path: string): Buffer {
  const [bytes, ...others] = objects.get(path) ?? [];
  must(bytes !== undefined, `${path} is missing`);
  must(others.length === 0, `${path} was put more than once`);
  return bytes;
}

function entriesOf(objects: ReadonlyMap<string, readonly Buffer[]>, size: number): Buffer[] {
  const entries: Buffer[] = [];
  for (let index = 0; index * 256 < size; index++) {
    const width = Math.min(256, size - index * 256);
    entries.push(...naiveEntries(only(objects, naivePath("entries", index, width))));
  }
  must(entries.length === size, "the bundles do not hold as many entries as the checkpoint says");
  return entries;
}

/** Every checkpoint that ever was is of this one log, signed, and none made room for a smaller one. */
function checkCheckpoints(
  objects: ReadonlyMap<string, readonly Buffer[]>,
  newest: readonly ReturnType<typeof naiveCheckpoint>[],
  leaves: readonly Buffer[],
): void {
  const kept = [...objects.keys()]
    .filter((path) => path.startsWith("checkpoints/"))
    .map((path) => {
      const checkpoint = naiveCheckpoint(only(objects, path).toString("utf8"));
      must(path === `checkpoints/${String(checkpoint.size).padStart(16, "0")}`, `${path} is of another size`);
      return checkpoint;
    });
  const keys = [...objects.keys()].filter((path) => path.startsWith("keys/"));
  must(keys.length > 0, "no verifier key was published");
  // Each newest checkpoint was kept too, with the same bytes.
  for (const checkpoint of new Map([...kept, ...newest].map((each) => [each.note, each])).values()) {
    const root = naiveRoot(leaves.slice(0, checkpoint.size)).toString("base64");
    must(
      checkpoint.size <= leaves.length && checkpoint.root === root,
      `the checkpoint of ${checkpoint.size} is of another log`,
    );
    const isSigned = keys.some((path) => naiveVerify(checkpoint, only(objects, path).toString("utf8")));
    must(isSigned, `the checkpoint of ${checkpoint.size} has no good signature`);
  }
  for (const [index, { size }] of newest.entries()) {
    must(size > (newest[index - 1]?.size ?? 0), "a checkpoint made room for one that is not larger");
    must(
      kept.some((each) => each.size === size),
      `the checkpoint of ${size} was not kept`,
    );
  }
}

/** All tiles of the tree are there; every other one that was ever put is an earlier part of one of them. */
function checkTiles(
  objects: ReadonlyMap<string, readonly Buffer[]>,
  entries: readonly Buffer[],
  leaves: readonly Buffer[],
): void {
  const tiles = naiveTiles(leaves);
  for (const [path, bytes] of tiles) must(only(objects, path).equals(bytes), `${path} is wrong`);
  const wholeTiles = new Map([...tiles].map(([path, bytes]) => [path.replace(/\.p\/\d+$/, ""), bytes]));
  for (const path of objects.keys()) {
    const whole = path.replace(/\.p\/\d+$/, "");
    if (!path.startsWith("tile/")) continue;
    const bytes = only(objects, path);
    if (whole.startsWith("tile/entries/")) {
      const index = Number(whole.slice("tile/entries/".length).replaceAll(/[x/]/g, ""));
      const some = naiveEntries(bytes);
      const isSame = some.every((entry, at) => entries[index * 256 + at]?.equals(entry) === true);
      must(isSame, `${path} holds other entries than the log`);
    } else must(wholeTiles.get(whole)?.subarray(0, bytes.length).equals(bytes) === true, `${path} is of another tree`);
  }
}

async function checkBatches(world: RaceWorld, entries: readonly Buffer[]): Promise<void> {
  const batches = await world.batches();
  let at = 0;
  for (const { start, bundle } of batches) {
    must(start === at, `a batch begins at ${start} instead of ${at}`);
    const some = naiveEntries(bundle);
    must(
      some.every((entry, index) => entries[start + index]?.equals(entry) === true),
      `the batch at ${start} differs`,
    );
    at += some.length;
  }
  must(at === entries.length, "the batches do not hold what was published");
}

/** Everything that happened is sealed, nothing else is, and each item's changes are in their order. */
function checkEntries(entries: readonly Buffer[], expected: Expected): number {
  const sealed = entries.map((entry) => entry.toString("utf8")).filter((text) => !text.includes('"kind":"HEARTBEAT"'));
  const wanted = new Set(expected.entries.map(({ text }) => text));
  const first = new Map<string, number>();
  for (const [index, text] of sealed.entries()) {
    must(wanted.has(text), `the log holds an entry without a cause: ${text}`);
    if (!first.has(text)) first.set(text, index);
  }
  const lastOf = new Map<string, number>();
  for (const { name, text } of expected.entries) {
    const at = first.get(text);
    must(at !== undefined, `a change is not sealed: ${text}`);
    must(at > (lastOf.get(name) ?? -1), `the changes of ${name} are out of order`);
    lastOf.set(name, at);
  }
  return sealed.length - first.size;
}

interface Heartbeat {
  readonly time: string;
  readonly counts: Readonly<Record<string, string>>;
  readonly previousSize: string;
  readonly previousCheckpoint: string;
}

/** Each counts the entries before it, and names a checkpoint that was published before. */
function checkHeartbeats(entries: readonly Buffer[], objects: ReadonlyMap<string, readonly Buffer[]>): number {
  const counts: Record<string, number> = { RECORD: 0, FORGED: 0, TAMPER: 0, LATE: 0, HEARTBEAT: 0 };
  let last = { time: "", size: 0 };
  for (const [index, bytes] of entries.entries()) {
    const entry = JSON.parse(bytes.toString("utf8")) as Heartbeat & { readonly kind: string };
    if (entry.kind === "HEARTBEAT") {
      const stated = Object.entries(entry.counts).map(([kind, count]) => [kind, Number(count)]);
      must(
        JSON.stringify(stated.sort()) === JSON.stringify(Object.entries(counts).sort()),
        `heartbeat ${index} counts wrong`,
      );
      const size = Number(entry.previousSize);
      must(size <= index && size >= last.size && entry.time > last.time, `heartbeat ${index} is out of order`);
      must(entry.previousCheckpoint === textHash(objects, size), `heartbeat ${index} names no checkpoint`);
      last = { time: entry.time, size };
    }
    counts[entry.kind] = (counts[entry.kind] ?? 0) + 1;
  }
  return counts["HEARTBEAT"] ?? 0;
}

function textHash(objects: ReadonlyMap<string, readonly Buffer[]>, size: number): string {
  if (size === 0) return "";
  const { text } = naiveCheckpoint(only(objects, `checkpoints/${String(size).padStart(16, "0")}`).toString("utf8"));
  return createHash("sha256").update(text).digest("base64url");
}
