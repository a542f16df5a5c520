/** Puts a row straight into the table, as an administrator could, and reads it as anybody would. */

import { type AttributeValue, type DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { StoredItem } from "../../ledger/stored-item";
import { sdkItem } from "../../store/transaction";
import type { Reader } from "./reader";
import { ACTORS } from "./tour";

export const FORGED_ID = "forged-payment";

export interface Forgery {
  readonly faults: readonly string[];
  /** Of the alarm record that the refused read left. */
  readonly alarmId: string | undefined;
}

/** The copy of a genuine row under another id and amount, its MAC and ciphertext included: the best that a forger can do. */
export async function forgeAndRead(
  dynamo: DynamoDBClient,
  tableName: string,
  genuine: StoredItem,
  reader: Reader,
): Promise<Forgery> {
  const forged = { ...genuine, TransactionID: { S: FORGED_ID }, Amount: { S: "999999.99" } };
  await dynamo.send(
    new PutItemCommand({ TableName: tableName, Item: sdkItem(forged) satisfies Record<string, AttributeValue> }),
  );
  const read = await reader.ledger(ACTORS.risk, { Query: "transaction", TransactionID: FORGED_ID });
  const [refused] = read.refused;
  const faults = [];
  if (read.payments.length > 0) faults.push("the forged row was returned");
  if (refused?.code !== "RECORD_FORGED") faults.push(`the read refused it with ${refused?.code ?? "nothing"}`);
  return { faults, alarmId: refused?.AuditID };
}
