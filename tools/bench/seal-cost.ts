/**
 * What sealing costs, counted: write units of DynamoDB for each record, and what a minute asks of S3 and KMS. Nothing is
 * estimated but the price rule itself: the sizes are those of the items that the sealer sends to an AWS in memory.
 * `npm run bench -- seal-cost`; fails when sealing takes half a write unit a record or more, in batches of 20 and more, or when
 * 20,000 records a second ask more of one partition than DynamoDB gives it.
 */

import "../../local/sdk-warning";
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import type { AttributeValue, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  anAuditRecord,
  aPaymentRecord,
  LEDGER,
  type StreamRecord,
  streamRecord,
  TRAIL,
} from "../../__tests__/evidence/sealing/changes";
import { seededRandom, Turns, underTurns } from "../../__tests__/evidence/sealing/kill-switch";
import { ORIGIN, type Sealer, startSealer } from "../../__tests__/evidence/sealing/sealer";
import { type FakeWorld, fakeWorld } from "../../__tests__/evidence/sealing/worlds";
import { stubServices } from "../../__tests__/ledger/rules/stub-services";
import { LOG_STATE } from "../../contract";
import { ENTRY_KINDS } from "../../evidence/log/entry";
import { HASH_BYTES } from "../../evidence/log/hashing";
import { derivedAuditId } from "../../ledger/rules/identifiers";
import { storedItem } from "../../ledger/store/transaction";
import { itemBytes, units } from "../../local/main-job/tables";

const RECORDS = 4_000;
const BATCHES = [1, 10, 20, 100, 1_000];
const BOUND = 0.5;
const BOUND_FROM_BATCH = 20;
/** One hash short of a million entries and more: the most hashes that the head of a log of this length can have. */
const OLD_SIZE = 2 ** 20 - 1;
/** A transactional write is charged twice. */
const TRANSACTION_FACTOR = 2;

const services = stubServices();
let sequence = 44_215_845_000_000_000n;

/** A payment and its WRITE record, as the two streams report them: ids and sequence numbers as irregular as real ones. */
async function changesOf(payments: number): Promise<StreamRecord[]> {
  const changes: StreamRecord[] = [];
  for (let index = 0; index < payments; index++) {
    const id = `txn_${randomUUID()}`;
    changes.push(streamRecord(LEDGER, { now: await aPaymentRecord(id, services) }));
    changes.push(streamRecord(TRAIL, { now: await anAuditRecord(derivedAuditId("WRITE", LEDGER, id), services) }));
  }
  return changes.map((change) => {
    sequence += BigInt(randomInt(1, 5_000_000));
    return { ...change, dynamodb: { ...change.dynamodb, SequenceNumber: `${sequence}0000${randomInt(100_000_000)}` } };
  });
}

interface Count {
  units: number;
  transactions: number;
  bytes: number;
  /** Units by partition key of the log-state table. */
  readonly unitsOf: Map<string, number>;
}

const nothingCounted = (): Count => ({ units: 0, transactions: 0, bytes: 0, unitsOf: new Map() });

/** Counts what a sealer sends, whether it is then taken or not: a failed condition is charged too. */
function counting({ clients }: Sealer, count: Count): void {
  clients.dynamo.middlewareStack.add(
    (next, context) => (args) => {
      if (context["commandName"] === "TransactWriteItemsCommand") {
        const { TransactItems = [] } = args.input as {
          TransactItems?: { Put?: { Item: Record<string, AttributeValue> } }[];
        };
        count.transactions += 1;
        for (const { Put } of TransactItems) {
          const size = itemBytes(storedItem(Put?.Item ?? {}));
          const charged = TRANSACTION_FACTOR * units(size);
          const partition = Put?.Item[LOG_STATE.partitionKey]?.S ?? "";
          count.bytes += size;
          count.units += charged;
          count.unitsOf.set(partition, (count.unitsOf.get(partition) ?? 0) + charged);
        }
      }
      return next(args);
    },
    { step: "initialize", name: "counting", priority: "normal" },
  );
}

/** A log that is long already: its head has the size that it will have for years. */
function longLog(): FakeWorld {
  const world = fakeWorld();
  const counts = Object.fromEntries(ENTRY_KINDS.map((kind) => [kind, { N: String(OLD_SIZE) }]));
  world.aws.putItem(world.tableName, {
    [LOG_STATE.partitionKey]: { S: ORIGIN },
    [LOG_STATE.sortKey]: { S: "head" },
    Size: { N: String(OLD_SIZE) },
    Frontier: { B: randomBytes(HASH_BYTES * Math.log2(OLD_SIZE + 1)) },
    Counts: { M: counts },
  });
  return world;
}

async function costOf(batch: number, changes: readonly StreamRecord[]): Promise<number> {
  const count = nothingCounted();
  const sealer = startSealer(longLog());
  counting(sealer, count);
  for (let start = 0; start < changes.length; start += batch) await sealer.seal(changes.slice(start, start + batch));
  const each = count.units / changes.length;
  console.log(
    `  batches of ${String(batch).padStart(5)}: ${each.toFixed(3)} write units a record ` +
      `(${(count.bytes / changes.length).toFixed(0)} bytes a record in ${count.transactions} transactions)`,
  );
  return each;
}

const SHARDS = 4;

/** Four streams at once: a sealer that loses the race has sent its batch for nothing, and is charged for it. */
async function costOfRacing(batch: number, changes: readonly StreamRecord[]): Promise<number> {
  const count = nothingCounted();
  const world = longLog();
  const turns = new Turns(seededRandom(1));
  const shard = async (number: number) => {
    const clients = underTurns(world.clients(), turns, { atCall: undefined, moment: "before" });
    const sealer = startSealer({ ...world, clients: () => clients }, { pause: () => turns.take(async () => {}) });
    counting(sealer, count);
    const own = changes.filter((_, index) => index % SHARDS === number);
    for (let start = 0; start < own.length; start += batch) await sealer.seal(own.slice(start, start + batch));
  };
  await turns.play(Array.from({ length: SHARDS }, (_, number) => shard(number)));
  const lost = count.transactions - Math.ceil(changes.length / batch);
  const each = count.units / changes.length;
  console.log(
    `  batches of ${String(batch).padStart(5)}: ${each.toFixed(3)} write units a record with ${SHARDS} sealers that never wait ` +
      `(${lost} of ${count.transactions} transactions came second)`,
  );
  return each;
}

/** What DynamoDB gives one partition, whatever its table may take together. */
const PARTITION_UNITS_MAX = 1_000;
const RECORDS_A_SECOND = 20_000;

/** @returns the units that the busiest partition takes when so many records are sealed within a second. */
async function costOfSecond(batch: number, changes: readonly StreamRecord[]): Promise<number> {
  const count = nothingCounted();
  const sealer = startSealer(longLog(), { recentEntries: 0 });
  counting(sealer, count);
  for (let sealed = 0; sealed < RECORDS_A_SECOND; sealed += batch) {
    const from = sealed % changes.length;
    // Under other sequence numbers the same records are separate entries.
    const again = changes.slice(from, from + batch).map((change) => {
      sequence += BigInt(randomInt(1, 5_000_000));
      const SequenceNumber = `${sequence}0000${randomInt(100_000_000)}`;
      return { ...change, dynamodb: { ...change.dynamodb, SequenceNumber } };
    });
    await sealer.seal(again);
  }
  const head = count.unitsOf.get(ORIGIN) ?? 0;
  const batches = [...count.unitsOf].filter(([partition]) => partition !== ORIGIN).map(([, taken]) => taken);
  const busiest = Math.max(head, ...batches);
  console.log(
    `  batches of ${String(batch).padStart(5)}: ${head} units for the head, at most ${Math.max(...batches)} for one of ${batches.length} ` +
      `partitions of batches; at ${PARTITION_UNITS_MAX.toLocaleString("en")} units ${Math.floor((PARTITION_UNITS_MAX / busiest) * RECORDS_A_SECOND).toLocaleString("en")} records a second`,
  );
  return busiest;
}

/** What one heartbeat asks of S3 and KMS when so many records came since the last one. */
async function costOfMinute(records: number): Promise<void> {
  const world = fakeWorld();
  const sealer = startSealer(world);
  const first = await changesOf(500);
  await sealer.seal(first);
  await sealer.beat();
  const calls = new Map<string, number>();
  for (const { middlewareStack } of [sealer.clients.s3, sealer.clients.kms]) {
    (middlewareStack as DynamoDBClient["middlewareStack"]).add(
      (next, context) => (args) => {
        const name = String(context["commandName"]).replace("Command", "");
        calls.set(name, (calls.get(name) ?? 0) + 1);
        return next(args);
      },
      { step: "initialize", name: "calls", priority: "high" },
    );
  }
  const changes = await changesOf(records / 2);
  for (let start = 0; start < changes.length; start += 1_000) await sealer.seal(changes.slice(start, start + 1_000));
  await sealer.beat();
  const text = (name: string) => `${(calls.get(name) ?? 0).toLocaleString("en")} ${name}`;
  console.log(
    `  ${records.toLocaleString("en").padStart(6)} records a minute: ${["PutObject", "GetObject", "Sign"].map(text).join(", ")}`,
  );
}

async function main(): Promise<void> {
  const changes = await changesOf(RECORDS / 2);
  console.log(
    `Sealing ${RECORDS.toLocaleString("en")} records (rows and their audit records) into a log of ${OLD_SIZE.toLocaleString("en")} entries.\n` +
      "Write units by DynamoDB's rule, from the sizes of the items sent: 2 for each KB begun of each item of a transaction.",
  );
  const tooMuch: number[] = [];
  for (const cost of [costOf, costOfRacing]) {
    for (const batch of BATCHES) {
      const each = await cost(batch, changes);
      if (cost === costOf && batch >= BOUND_FROM_BATCH && each >= BOUND) tooMuch.push(batch);
    }
  }
  console.log(
    `The partitions of the log-state table, when ${RECORDS_A_SECOND.toLocaleString("en")} records are sealed in a second:`,
  );
  const tooBusy: number[] = [];
  for (const batch of [100, 500, 1_000]) {
    if ((await costOfSecond(batch, changes)) > PARTITION_UNITS_MAX) tooBusy.push(batch);
  }
  console.log("S3 and KMS, with one heartbeat a minute:");
  for (const records of [0, 600, 6_000, 60_000]) await costOfMinute(records);
  if (tooMuch.length > 0)
    throw new Error(`Batches of ${tooMuch.join(", ")} take ${BOUND} write units a record or more.`);
  if (tooBusy.length > 0) {
    throw new Error(`Batches of ${tooBusy.join(", ")} ask more of one partition than DynamoDB gives it.`);
  }
  console.log(`ok: below ${BOUND} write units a record in batches of ${BOUND_FROM_BATCH} and more`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
