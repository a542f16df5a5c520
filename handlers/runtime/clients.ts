/** The AWS clients, made once per execution environment, with every limit written out. */

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { NodeHttpHandler } from "@smithy/node-http-handler";

/** Within a function's time limit all attempts of one call must fit: 5 attempts of at most 4 s. */
const LIMITS = { maxAttempts: 5, retryMode: "standard" } as const;
const TIMEOUTS = { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true } as const;

export function dynamoClient(): DynamoDBClient {
  return new DynamoDBClient({ ...LIMITS, requestHandler: new NodeHttpHandler(TIMEOUTS) });
}

export function kmsClient(): KMSClient {
  return new KMSClient({ ...LIMITS, requestHandler: new NodeHttpHandler(TIMEOUTS) });
}
