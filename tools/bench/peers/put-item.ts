/** The same single PutItem in TypeScript with the SDK alone: the least that a function in this language costs. */

import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";

const dynamo = new DynamoDBClient({});

export async function handler(payment: Readonly<Record<string, string>>) {
  const { Actor: _actor, Amount = "", ...texts } = payment;
  const Item = Object.fromEntries(Object.entries(texts).map(([name, S]) => [name, { S }]));
  await dynamo.send(new PutItemCommand({ TableName: "PaymentLedger", Item: { ...Item, Amount: { N: Amount } } }));
  return { statusCode: 200 };
}
