/** Which of the tables' streams are no longer those that feed the sealer. */

import { DynamoDBClient, ResourceNotFoundException } from "@aws-sdk/client-dynamodb";
import { lostStreams } from "../../../evidence/sealing/stream-check";

const ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/deployed-ledger/stream/2026-11-01T00:00:00.000";
const STREAMS = [{ table: "PaymentLedger", streamArn: ARN }] as const;

/** @param answer to DescribeTable of `deployed-ledger`. */
function dynamoThat(answer: () => object): DynamoDBClient {
  const dynamo = new DynamoDBClient({ region: "us-east-1" });
  dynamo.middlewareStack.add(
    () => async (args) => {
      expect(args.input).toEqual({ TableName: "deployed-ledger" });
      return { output: { $metadata: {}, ...answer() }, response: {} };
    },
    { step: "initialize", name: "answer", priority: "high" },
  );
  return dynamo;
}

const tableWith = (StreamEnabled: boolean, LatestStreamArn: string) => () => ({
  Table: { StreamSpecification: { StreamEnabled }, LatestStreamArn },
});

test("a table that still has the stream has lost nothing", async () => {
  expect(await lostStreams(dynamoThat(tableWith(true, ARN)), STREAMS)).toEqual([]);
});

test.each<[string, () => object]>([
  ["has a newer stream", tableWith(true, ARN.replace("11-01", "11-02"))],
  ["has its stream switched off", tableWith(false, ARN)],
  ["never had a stream", () => ({ Table: {} })],
  [
    "is gone",
    () => {
      throw new ResourceNotFoundException({ message: "", $metadata: {} });
    },
  ],
])("a table that %s has lost the stream", async (_what, answer) => {
  expect(await lostStreams(dynamoThat(answer), STREAMS)).toEqual(["PaymentLedger"]);
});

test("a fault of DynamoDB is thrown: it says nothing about the stream", async () => {
  const failing = dynamoThat(() => {
    throw new Error("unavailable");
  });
  await expect(lostStreams(failing, STREAMS)).rejects.toThrow("unavailable");
});
