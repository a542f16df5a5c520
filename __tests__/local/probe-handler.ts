/** The function of the fixture. It finds its endpoint and credentials as every handler does: by the SDK's own chain. */
import { DynamoDBClient, ListTablesCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { DescribeKeyCommand, KMSClient } from "@aws-sdk/client-kms";

const dynamodb = new DynamoDBClient({ maxAttempts: 1 });
const kms = new KMSClient({ maxAttempts: 1 });

interface StreamRecord {
  readonly eventName: string;
  readonly dynamodb: { readonly Keys: Record<string, { readonly S: string }>; readonly SequenceNumber: string };
}

interface ProbeEvent {
  readonly mode: string;
  readonly ids?: string[];
  /** A batch of a table's stream. */
  readonly Records?: StreamRecord[];
}

export async function handler(event: ProbeEvent): Promise<unknown> {
  if (event.Records !== undefined) return noteDown(event.Records);
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

/** In a table without a stream, so that noting down is not itself a change to note down. */
const SEEN_TABLE = "Seen-test";

async function noteDown(records: readonly StreamRecord[]): Promise<void> {
  for (const { eventName, dynamodb: change } of records) {
    const Item = {
      Table: { S: "PaymentLedger" },
      Change: { S: change.SequenceNumber.padStart(40, "0") },
      Event: { S: eventName },
      Id: { S: change.Keys["TransactionID"]?.S ?? "" },
    };
    await dynamodb.send(new PutItemCommand({ TableName: SEEN_TABLE, Item }));
  }
}
