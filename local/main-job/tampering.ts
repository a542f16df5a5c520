/**
 * What an administrator could do past the functions: change an amount, remove an audit record, slip a payment in. The tables'
 * own policies refuse all three, so the administrator takes the policies off first.
 */

import {
  DeleteItemCommand,
  DeleteResourcePolicyCommand,
  DescribeTableCommand,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { TableId } from "../../contract";
import { type StoredItem, textOf } from "../../ledger/rules/stored-item";
import { sdkItem } from "../../ledger/store/transaction";
import type { JobEnvironment } from "./job-environment";
import { ACTORS } from "./ledger-usage";
import type { Reader } from "./reader";
import type { Snapshot } from "./tables";

export const FORGED_ID = "forged-payment";

export interface Tampering {
  /** What AWS answered to each act while the tables still had their policies. */
  readonly refusals: readonly string[];
  /** Payment whose amount was changed. */
  readonly changedId: string;
  /** Audit record that was removed. */
  readonly removedId: string;
  readonly forgedId: string;
}

type Attack = () => Promise<unknown>;

export async function tamper(environment: JobEnvironment, { ledger, trail }: Snapshot): Promise<Tampering> {
  const [genuine, changed] = [...ledger.values()];
  const removed = [...trail.values()].find((record) => textOf(record, "Action") === "READ");
  const changedId = idOf(changed, "TransactionID");
  const removedId = idOf(removed, "AuditID");
  const acts = actsOf(environment, { changedId, removedId, genuine });
  const refusals: string[] = [];
  for (const act of acts) {
    const refusal = await refusalOf(act);
    if (refusal !== undefined) refusals.push(refusal);
  }
  for (const table of ["paymentLedger", "paymentAuditTrail"] as const) await removePolicy(environment, table);
  for (const act of acts) await act();
  return { refusals, changedId, removedId, forgedId: FORGED_ID };
}

interface Targets {
  readonly changedId: string;
  readonly removedId: string;
  readonly genuine: StoredItem | undefined;
}

/** The best that a forger can do with the forged row: a genuine one under another id and amount, MAC and ciphertext included. */
function actsOf({ dynamo, deployment }: JobEnvironment, { changedId, removedId, genuine }: Targets): Attack[] {
  const ledger = deployment.tableName("paymentLedger");
  const trail = deployment.tableName("paymentAuditTrail");
  const forged = sdkItem({ ...genuine, TransactionID: { S: FORGED_ID }, Amount: { S: "999999.99" } });
  return [
    () =>
      dynamo.send(
        new UpdateItemCommand({
          TableName: ledger,
          Key: { TransactionID: { S: changedId } },
          UpdateExpression: "SET Amount = :amount",
          ExpressionAttributeValues: { ":amount": { S: "0.01" } },
        }),
      ),
    () => dynamo.send(new DeleteItemCommand({ TableName: trail, Key: { AuditID: { S: removedId } } })),
    () => dynamo.send(new PutItemCommand({ TableName: ledger, Item: forged })),
  ];
}

/** An endpoint of the user's own may have no permissions: there the act succeeds, and does so again later. */
async function refusalOf(act: Attack): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (error instanceof Error && error.name === "AccessDeniedException") return error.message;
    throw error;
  }
}

async function removePolicy({ dynamo, deployment }: JobEnvironment, table: TableId): Promise<void> {
  const { Table } = await dynamo.send(new DescribeTableCommand({ TableName: deployment.tableName(table) }));
  await dynamo.send(new DeleteResourcePolicyCommand({ ResourceArn: Table?.TableArn }));
}

function idOf(item: StoredItem | undefined, name: string): string {
  const id = item === undefined ? undefined : textOf(item, name);
  if (id === undefined) throw new Error(`The sample left no record with ${name} to tamper with.`);
  return id;
}

/** Reads the forged row as anybody would: it must be refused, and the refusal must leave its ALARM record. */
export async function readForged(reader: Reader): Promise<string[]> {
  const read = await reader.ledger(ACTORS.risk, { Query: "transaction", TransactionID: FORGED_ID });
  const [refused] = read.refused;
  const records = await reader.trail(ACTORS.auditor, { Query: "transaction", TransactionID: FORGED_ID });
  const alarm = records.find(({ AuditID }) => AuditID === refused?.AuditID);
  return [
    ...(read.payments.length > 0 ? ["the forged row was returned"] : []),
    ...(refused?.code === "RECORD_FORGED" ? [] : [`the read refused it with ${refused?.code ?? "nothing"}`]),
    ...(alarm?.Action === "ALARM" && alarm.query_result === "RECORD_FORGED"
      ? []
      : ["the refused read left no ALARM record"]),
  ];
}
