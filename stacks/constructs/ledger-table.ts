/** An append-only table: encrypted, recoverable, with a stream if it is sealed, and protected by its own policy. */

import { DynamodbResourcePolicy } from "@cdktf/provider-aws/lib/dynamodb-resource-policy";
import { DynamodbTable } from "@cdktf/provider-aws/lib/dynamodb-table";
import type { Construct } from "constructs";
import { arnEquals, arnNotEquals, EVERYBODY, policy, type Statement } from "./policy";

const READS = [
  "dynamodb:BatchGetItem",
  "dynamodb:GetItem",
  "dynamodb:PartiQLSelect",
  "dynamodb:Query",
  "dynamodb:Scan",
];

/** Ways around a conditional put. TTL is among them: it deletes without a caller. */
const NEVER = [
  "dynamodb:BatchWriteItem",
  "dynamodb:DeleteItem",
  "dynamodb:PartiQLDelete",
  "dynamodb:PartiQLInsert",
  "dynamodb:PartiQLUpdate",
  "dynamodb:UpdateTimeToLive",
];

interface IndexSchema {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey?: string;
}

export interface LedgerTableProps {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey?: { readonly name: string; readonly type: string };
  readonly indexes: readonly IndexSchema[];
  /** The stream that reports every change to the sealer. */
  readonly streamed: boolean;
  readonly kmsKeyArn: string;
  readonly pitrRecoveryDays: number;
  readonly deletionProtection: boolean;
  /** The only roles that may put an item. */
  readonly writerRoleArns: string[];
  /** The only roles that may update an item; if empty, nobody may. */
  readonly updaterRoleArns: string[];
  /** Roles that write and must not read, whatever their own policies allow. */
  readonly unreadingRoleArns: string[];
}

/** @param id the logical id in the stack: it must be unique there, and a change of it replaces the resource. */
export function addLedgerTable(scope: Construct, id: string, props: LedgerTableProps): DynamodbTable {
  const table = new DynamodbTable(scope, id, {
    name: props.name,
    billingMode: "PAY_PER_REQUEST",
    hashKey: props.partitionKey,
    ...(props.sortKey === undefined ? {} : { rangeKey: props.sortKey.name }),
    attribute: keyAttributes(props),
    ...indexesOf(props),
    serverSideEncryption: { enabled: true, kmsKeyArn: props.kmsKeyArn },
    pointInTimeRecovery: { enabled: true, recoveryPeriodInDays: props.pitrRecoveryDays },
    deletionProtectionEnabled: props.deletionProtection,
    ...(props.streamed ? { streamEnabled: true, streamViewType: "NEW_AND_OLD_IMAGES" } : {}),
    tags: { Name: props.name },
  });
  table.overrideLogicalId(id);
  new DynamodbResourcePolicy(scope, `${id}-guard`, {
    resourceArn: table.arn,
    policy: policy(scope, `${id}-guard-policy`, guardStatements(table.arn, props)),
  });
  return table;
}

/** Undefined instead of an empty list: HCL has no empty list of blocks, and both forms must be equal. */
function indexesOf({ indexes }: LedgerTableProps) {
  if (indexes.length === 0) return {};
  return {
    globalSecondaryIndex: indexes.map(({ name, partitionKey, sortKey }) => ({
      name,
      hashKey: partitionKey,
      ...(sortKey === undefined ? {} : { rangeKey: sortKey }),
      projectionType: "KEYS_ONLY",
    })),
  };
}

/** Every key but the table's own sort key is a string; each is declared once, in a stable order. */
function keyAttributes({ partitionKey, sortKey, indexes }: LedgerTableProps) {
  const keys = [partitionKey, ...indexes.flatMap((index) => [index.partitionKey, index.sortKey])];
  const names = new Set(keys.filter((key) => key !== undefined));
  const strings = [...names].sort().map((name) => ({ name, type: "S" }));
  return sortKey === undefined ? strings : [...strings, sortKey];
}

/** A denial in the table's own policy applies to every principal, including administrators of the account. */
function guardStatements(tableArn: string, props: LedgerTableProps): Statement[] {
  const { writerRoleArns, updaterRoleArns, unreadingRoleArns } = props;
  const deny = { effect: "Deny" as const, principals: EVERYBODY, resources: [tableArn] };
  const nobodyUpdates = updaterRoleArns.length === 0;
  const guards: Statement[] = [
    { ...deny, sid: "AppendOnly", actions: nobodyUpdates ? [...NEVER, "dynamodb:UpdateItem"] : NEVER },
    {
      ...deny,
      sid: "OnlyFunctionsPut",
      actions: ["dynamodb:PutItem"],
      conditions: [arnNotEquals("aws:PrincipalArn", ...writerRoleArns)],
    },
  ];
  if (!nobodyUpdates) {
    guards.push({
      ...deny,
      sid: "OnlyStatusChangesUpdate",
      actions: ["dynamodb:UpdateItem"],
      conditions: [arnNotEquals("aws:PrincipalArn", ...updaterRoleArns)],
    });
  }
  if (unreadingRoleArns.length > 0) {
    guards.push({
      ...deny,
      sid: "WritersReadNothing",
      actions: READS,
      resources: [tableArn, `${tableArn}/index/*`],
      conditions: [arnEquals("aws:PrincipalArn", ...unreadingRoleArns)],
    });
  }
  return guards;
}
