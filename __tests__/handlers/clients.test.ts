/** The functions' AWS clients: what each call goes through. */

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoClient, kmsClient, s3Client } from "../../handlers/runtime/clients";

const middlewares = ({ middlewareStack }: { middlewareStack: { identify(): string[] } }) =>
  middlewareStack.identify().map((text) => text.split(" ")[0]?.replace(/:$/, ""));

test("no call is copied for a logger, and nothing else of the SDK is left out", () => {
  const own = middlewares(dynamoClient());
  const ofSdk = middlewares(new DynamoDBClient({}));
  expect(ofSdk).toContain("loggerMiddleware");
  expect(own).toEqual(ofSdk.filter((name) => name !== "loggerMiddleware"));
  for (const client of [kmsClient(), s3Client({})]) expect(middlewares(client)).not.toContain("loggerMiddleware");
});

test("all parts of a function share one client, and with it its connections", () => {
  expect(dynamoClient()).toBe(dynamoClient());
  expect(kmsClient()).toBe(kmsClient());
});

test("one signer signs all requests of a client", async () => {
  process.env["AWS_REGION"] = "eu-central-1";
  const { signer } = dynamoClient().config;
  expect(await signer()).toBe(await signer());
  expect(await kmsClient().config.signer()).not.toBe(await signer());
  const s3 = s3Client({}).config;
  expect(await s3.signer()).toBe(await s3.signer());
});
