/** What an administrator could do past the functions: change an amount, remove an audit record, slip a payment in. */

import { DeleteItemCommand, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { type StoredItem, textOf } from "../../ledger/stored-item";
import { sdkItem } from "../../store/transaction";
import type { Ground } from "./ground";
import type { Reader } from "./reader";
import type { Snapshot } from "./tables";
import { ACTORS } from "./tour";

export const FORGED_ID = "forged-payment";

export interface Tampering {
  /** Payment whose amount was changed. */
  readonly changedId: string;
  /** Audit record that was removed. */
  readonly removedId: string;
  readonly forgedId: string;
}

/** The best that a forger can do with the forged row: a genuine one under another id and amount, MAC and ciphertext included. */
export async function tamper(ground: Ground, { ledger, trail }: Snapshot): Promise<Tampering> {
  const { dynamo, deployment } = ground;
  const [genuine, changed] = [...ledger.values()];
  const removed = [...trail.values()].find((record) => textOf(record, "Action") === "READ");
  const changedId = idOf(changed, "TransactionID");
  const removedId = idOf(removed, "AuditID");
  await dynamo.send(
    new UpdateItemCommand({
      TableName: deployment.tableName("paymentLedger"),
      Key: { TransactionID: { S: changedId } },
      UpdateExpression: "SET Amount = :amount",
      ExpressionAttributeValues: { ":amount": { S: "0.01" } },
    }),
  );
  await dynamo.send(
    new DeleteItemCommand({
      TableName: deployment.tableName("paymentAuditTrail"),
      Key: { AuditID: { S: removedId } },
    }),
  );
  const forged = { ...genuine, TransactionID: { S: FORGED_ID }, Amount: { S: "999999.99" } };
  await dynamo.send(new PutItemCommand({ TableName: deployment.tableName("paymentLedger"), Item: sdkItem(forged) }));
  return { changedId, removedId, forgedId: FORGED_ID };
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
