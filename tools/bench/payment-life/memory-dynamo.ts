/** A DynamoDB in memory with what `record_payment_event` asks of it: strongly consistent reads, conditions, transactions and their tokens. */

import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { CodedError, TABLES } from "../../../contract";

type Item = Record<string, AttributeValue>;
type Input = Readonly<Record<string, unknown>>;
type Action = Readonly<Record<"Put" | "ConditionCheck", Input | undefined>>;

type RefusalType = "TransactionCanceledException" | "ProvisionedThroughputExceededException";

/** An answer with status 400. Its code is DynamoDB's own. */
export class DynamoRefusal extends CodedError<RefusalType> {
  override readonly name = "DynamoRefusal";

  constructor(
    type: RefusalType,
    readonly reasons?: readonly object[],
  ) {
    super(type, type);
  }
}

export class MemoryDynamo {
  /** By table, then partition key, then whole key. */
  readonly tables = new Map<string, Map<string, Map<string, Item>>>();
  readonly counts = { transactions: 0, races: 0 };
  /** Write units of committed transactions that record an event, by how many actions they had. */
  private readonly units = new Map<number, { total: number; count: number }>();
  /** Of transactions that were committed: sent again, they have no further effect. */
  private readonly tokens = new Set<string>();

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

  /** @throws DynamoRefusal as DynamoDB refuses. */
  answer(name: string, input: Input): object {
    if (name === "GetItem") return { Item: this.find(input, "Key") };
    if (name === "Query") {
      const [value] = Object.values(input["ExpressionAttributeValues"] as Item);
      const found = this.tables.get(String(input["TableName"]))?.get(scalar(value)) ?? new Map<string, Item>();
      return { Items: [...found.values()].sort((a, b) => Number(a["Place"]?.N) - Number(b["Place"]?.N)) };
    }
    if (name === "TransactWriteItems") return this.transactOnce(input);
    throw new Error(`Nothing here answers ${name}.`);
  }

  private find(input: Input, key: "Key" | "Item"): Item | undefined {
    const [partition, whole] = keyOf(String(input["TableName"]), input[key] as Item);
    return this.tables.get(String(input["TableName"]))?.get(partition)?.get(whole);
  }

  private transactOnce(input: Input): object {
    const token = String(input["ClientRequestToken"]);
    if (this.tokens.has(token)) return {};
    const answer = this.transact(input["TransactItems"] as Action[]);
    this.tokens.add(token);
    return answer;
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
      throw new DynamoRefusal("TransactionCanceledException", reasons);
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
