/** The function of the fixture. It finds its endpoint and credentials as every handler does: by the SDK's own chain. */
import { DynamoDBClient, ListTablesCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { DescribeKeyCommand, KMSClient } from "@aws-sdk/client-kms";

const dynamodb = new DynamoDBClient({ maxAttempts: 1 });
const kms = new KMSClient({ maxAttempts: 1 });

export async function handler(event: { mode: string; ids?: string[] }): Promise<unknown> {
  switch (event.mode) {
    case "environment":
      return process.env;
    case "reach": {
      const { TableNames } = await dynamodb.send(new ListTablesCommand({}));
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: process.env["TOKEN_KEY_ARN"] }));
      const { accessKeyId } = await dynamodb.config.credentials();
      return { tables: TableNames, keyArn: KeyMetadata?.Arn, accessKeyId };
    }
    case "put":
      for (const id of event.ids ?? []) {
        const Item = { TransactionID: { S: id } };
        await dynamodb.send(new PutItemCommand({ TableName: process.env["PAYMENT_LEDGER_TABLE"], Item }));
      }
      return { put: event.ids?.length };
    default:
      throw new RangeError(`unknown mode ${event.mode}`);
  }
}
