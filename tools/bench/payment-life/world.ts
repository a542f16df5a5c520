/** The function over a DynamoDB in memory, with callers that each have their own services and may be killed at any call. */

import { setTimeout as sleep } from "node:timers/promises";
import {
  type AttributeValue,
  DynamoDBClient,
  ProvisionedThroughputExceededException,
  TransactionCanceledException,
} from "@aws-sdk/client-dynamodb";
import { CodedError, TABLES } from "../../../contract";
import type { Call } from "../../../ledger/operations/call";
import { persistPayments } from "../../../ledger/operations/persist-payments";
import { recordPaymentEvents } from "../../../ledger/operations/record-events";
import type { MacKeys } from "../../../ledger/rules/record-mac";
import { FieldEncryption } from "../../../ledger/store/key-material";
import type { Services } from "../../../ledger/store/services";
import { MemoryAws } from "../fuzz/memory-aws";
import type { PlannedEvent, plannedPayment } from "./plan";

type Item = Record<string, AttributeValue>;
type Input = Readonly<Record<string, unknown>>;
type Action = Readonly<Record<"Put" | "ConditionCheck", Input | undefined>>;

const MAC_KEYS: MacKeys = {
  record: { reference: "record", secret: Buffer.alloc(32, 1) },
  content: { reference: "content", secret: Buffer.alloc(32, 2) },
};
/** Of a hundred calls. */
const RATES = { killed: 0.4, throttled: 2, collided: 2, lost: 1.5 } as const;
const DELAY_MAX_MS = 3;

type SoakAnswer =
  | { readonly kind: "answered"; readonly outcome: string; readonly code?: string }
  /** No answer came: the caller was killed, or an error was thrown. */
  | { readonly kind: "lost"; readonly wasWritten: boolean };

export interface SoakCaller {
  readonly isKilled: boolean;
  send(event: PlannedEvent): Promise<SoakAnswer>;
}

class AnswerLost extends CodedError<"ANSWER_LOST"> {
  override readonly name = "AnswerLost";
}

export class LifeWorld {
  /** By table, then partition key, then whole key. */
  readonly tables = new Map<string, Map<string, Map<string, Item>>>();
  readonly counts = { killed: 0, throttled: 0, collided: 0, lost: 0, transactions: 0, races: 0 };
  /** Write units of committed transactions, by how many actions they had. */
  private readonly units = new Map<number, { total: number; count: number }>();
  private readonly kms = new MemoryAws().kms;
  private requests = 0;
  private isCalm = true;

  constructor(private readonly random: () => number) {}

  async record(payment: ReturnType<typeof plannedPayment>): Promise<void> {
    await persistPayments(
      payment,
      this.call("persist_payment_ledger"),
      this.services(() => {}),
    );
    this.units.clear();
    this.isCalm = true;
  }

  caller(): SoakCaller {
    this.isCalm = false;
    let isKilled = false;
    let kill: () => void = () => {};
    const services = this.services(() => {
      isKilled = true;
      kill();
    });
    return {
      get isKilled() {
        return isKilled;
      },
      send: async (event) => {
        const dead = new Promise<"dead">((resolve) => {
          kill = () => resolve("dead");
        });
        const answer = recordPaymentEvents(event, this.call("record_payment_event"), services).catch(
          (error: unknown) => {
            if (error instanceof AnswerLost || error instanceof ProvisionedThroughputExceededException)
              return "lost" as const;
            if (error instanceof TransactionCanceledException) return "lost" as const;
            throw error;
          },
        );
        const first = await Promise.race([answer, dead]);
        if (first === "dead" || first === "lost") return { kind: "lost", wasWritten: this.isWritten(event) };
        if (!("results" in first)) throw new Error(`The whole call was refused: ${first.code}`);
        const [result] = first.results;
        return {
          kind: "answered",
          outcome: result?.outcome ?? "",
          ...(result?.code === undefined ? {} : { code: result.code }),
        };
      },
    };
  }

  itemsOf(table: string): Item[] {
    return [...(this.tables.get(table)?.values() ?? [])].flatMap((partition) => [...partition.values()]);
  }

  unitsText(): string {
    const of = (actions: number) => {
      const { total, count } = this.units.get(actions) ?? { total: 0, count: 1 };
      return (total / count).toFixed(1);
    };
    return `write units of a transaction: ${of(3)} for a payment's first event, ${of(2)} for others`;
  }

  private isWritten({ TransactionID, EventID }: PlannedEvent): boolean {
    const events = this.tables.get(TABLES.paymentEvents.logicalName)?.get(TransactionID);
    return [...(events?.values() ?? [])].some((item) => item["EventID"]?.S === EventID);
  }

  private call(operation: string): Call {
    this.requests += 1;
    return {
      operation,
      caller: { requestId: `request-${this.requests}`, functionName: operation },
      now: new Date(),
      remainingMs: () => 60_000,
    };
  }

  private services(killed: () => void): Services {
    const dynamo = new DynamoDBClient({
      region: "us-east-1",
      credentials: { accessKeyId: "none", secretAccessKey: "none" },
    });
    dynamo.middlewareStack.add(
      (_next, context) => async (args) => {
        const name = String(context["commandName"]);
        const output = await this.faulty(() => this.answer(name, args.input as Input), name, killed);
        return { output: { $metadata: {}, ...output }, response: {} } as never;
      },
      { step: "initialize", name: "answering", priority: "low" },
    );
    const fields = {
      kms: this.kms,
      keyArn: "arn:aws:kms:us-east-1:111122223333:key/soak",
      hierarchy: "shared",
    } as const;
    const names = Object.entries(TABLES).map(([id, { logicalName }]) => [id, logicalName]);
    return {
      dynamo,
      tables: Object.fromEntries(names) as Services["tables"],
      tokenFields: new FieldEncryption({ ...fields, table: TABLES.paymentLedger.logicalName }),
      auditFields: new FieldEncryption({ ...fields, table: TABLES.paymentAuditTrail.logicalName }),
      macKeys: async () => MAC_KEYS,
      indexShardCount: 8,
      signal: () => undefined,
      logFault: (error) => {
        throw error;
      },
    };
  }

  /** A call is answered late, or not at all, before or after it had its effect. */
  private async faulty(answer: () => object, name: string, killed: () => void): Promise<object> {
    if (this.isCalm) return answer();
    const fate = this.random() * 100;
    await sleep(Math.floor(this.random() * DELAY_MAX_MS));
    let limit = RATES.killed;
    if (fate < limit) return this.killedAt(fate < limit / 2 ? answer : undefined, killed);
    limit += RATES.throttled;
    if (fate < limit) return this.throttle(name);
    limit += RATES.collided;
    if (fate < limit && name === "TransactWriteItemsCommand") return this.collide();
    limit += RATES.lost;
    const output = answer();
    if (fate >= limit || fate < limit - RATES.lost) return output;
    this.counts.lost += 1;
    throw new AnswerLost("ANSWER_LOST", "The answer was lost on its way.");
  }

  /** Nobody is there to take the answer, so none ever comes. */
  private killedAt(effect: (() => object) | undefined, killed: () => void): Promise<object> {
    this.counts.killed += 1;
    try {
      effect?.();
    } catch {
      // What DynamoDB answered reaches nobody.
    }
    killed();
    return new Promise<object>(() => {});
  }

  private throttle(name: string): never {
    this.counts.throttled += 1;
    if (name === "TransactWriteItemsCommand") throw canceled([{ Code: "ThrottlingError" }, { Code: "None" }]);
    throw new ProvisionedThroughputExceededException({ message: "", $metadata: {} });
  }

  private collide(): never {
    this.counts.collided += 1;
    throw canceled([{ Code: "TransactionConflict" }, { Code: "None" }]);
  }

  private answer(name: string, input: Input): object {
    if (name === "GetItemCommand") return { Item: this.find(input, "Key") };
    if (name === "QueryCommand") {
      const [value] = Object.values(input["ExpressionAttributeValues"] as Item);
      const found = this.tables.get(String(input["TableName"]))?.get(scalar(value)) ?? new Map<string, Item>();
      return { Items: [...found.values()].sort((a, b) => Number(a["Place"]?.N) - Number(b["Place"]?.N)) };
    }
    if (name === "TransactWriteItemsCommand") return this.transact(input["TransactItems"] as Action[]);
    throw new Error(`Nothing here answers ${name}.`);
  }

  private find(input: Input, key: "Key" | "Item"): Item | undefined {
    const [partition, whole] = keyOf(String(input["TableName"]), input[key] as Item);
    return this.tables.get(String(input["TableName"]))?.get(partition)?.get(whole);
  }

  private transact(actions: readonly Action[]): object {
    this.counts.transactions += 1;
    const reasons = actions.map(({ Put, ConditionCheck }) => {
      const found = Put === undefined ? this.find(ConditionCheck ?? {}, "Key") : this.find(Put, "Item");
      const isFree = conditionHolds(Put ?? ConditionCheck ?? {}, found);
      return isFree ? { Code: "None" } : { Code: "ConditionalCheckFailed", ...(found && { Item: found }) };
    });
    if (reasons.some(({ Code }) => Code !== "None")) {
      const isEvent = actions[0]?.Put?.["TableName"] === TABLES.paymentEvents.logicalName;
      if (isEvent && reasons[0]?.Code !== "None") this.counts.races += 1;
      throw canceled(reasons);
    }
    for (const { Put } of actions) if (Put !== undefined) this.put(String(Put["TableName"]), Put["Item"] as Item);
    this.count(actions);
    return {};
  }

  private put(table: string, item: Item): void {
    const [partition, whole] = keyOf(table, item);
    const partitions = this.tables.get(table) ?? new Map<string, Map<string, Item>>();
    const items = partitions.get(partition) ?? new Map<string, Item>();
    this.tables.set(table, partitions.set(partition, items.set(whole, item)));
  }

  private count(actions: readonly Action[]): void {
    if (actions[0]?.Put?.["TableName"] !== TABLES.paymentEvents.logicalName) return;
    const spent = actions.reduce((sum, action) => sum + unitsOf(action), 0);
    const { total, count } = this.units.get(actions.length) ?? { total: 0, count: 0 };
    this.units.set(actions.length, { total: total + spent, count: count + 1 });
  }
}

/** Two for each KiB of an item in a transaction, one for each entry of an index, two for a check. */
function unitsOf({ Put }: Action): number {
  if (Put === undefined) return 2;
  const item = Put["Item"] as Item;
  const table = Object.values(TABLES).find(({ logicalName }) => logicalName === Put["TableName"]);
  const indexes: readonly { readonly partitionKey: string }[] = Object.values(table?.indexes ?? {});
  const entries = indexes.filter(({ partitionKey }) => partitionKey in item);
  return 2 * Math.ceil(bytesOf(item) / 1024) + entries.length;
}

/** As DynamoDB counts it: names and values, a byte for each member of a list or map and three around it. */
function bytesOf(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.B !== undefined) return value.B.length;
  if (value.N !== undefined) return Math.ceil(value.N.length / 2) + 1;
  if (value.M !== undefined) return 3 + bytesOf(value.M) + Object.keys(value.M).length;
  if (value.L !== undefined) return 3 + value.L.reduce((sum, each) => sum + valueBytes(each) + 1, 0);
  return 1;
}

function canceled(CancellationReasons: object[]): TransactionCanceledException {
  return new TransactionCanceledException({ message: "", CancellationReasons, $metadata: {} });
}

function scalar(value: AttributeValue | undefined): string {
  return value?.S ?? value?.N ?? "";
}

function keyOf(tableName: string, item: Item): [partition: string, whole: string] {
  const table = Object.values(TABLES).find(({ logicalName }) => logicalName === tableName);
  if (table === undefined) throw new Error(`There is no table ${tableName}.`);
  const partition = scalar(item[table.partitionKey]);
  return [partition, "sortKey" in table ? `${partition}\n${scalar(item[table.sortKey.name])}` : partition];
}

function conditionHolds(action: Input, found: Item | undefined): boolean {
  const condition = String(action["ConditionExpression"]);
  if (condition.startsWith("attribute_not_exists(")) return found === undefined;
  const [name = "", value = ""] = condition.split(" = ");
  const names = action["ExpressionAttributeNames"] as Record<string, string>;
  const values = action["ExpressionAttributeValues"] as Item;
  return scalar(found?.[names[name] ?? ""]) === scalar(values[value]);
}
