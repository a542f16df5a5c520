/** The AWS clients, made once per execution environment, with every limit written out. */

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { S3Client } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";

/** Within a function's time limit all attempts of one call must fit: 5 attempts of at most 4 s. */
const LIMITS = { maxAttempts: 5, retryMode: "standard" } as const;
const TIMEOUTS = { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true } as const;

/** All parts of a function share one client, and with it the connections that are open. */
export const dynamoClient = once(() =>
  forManyCalls(new DynamoDBClient({ ...LIMITS, requestHandler: new NodeHttpHandler(TIMEOUTS) })),
);
export const kmsClient = once(() =>
  forManyCalls(new KMSClient({ ...LIMITS, requestHandler: new NodeHttpHandler(TIMEOUTS) })),
);

/** The SDK copies every item of every call for its logger. The clients have none. */
export function withoutLogging<Client extends DynamoDBClient | KMSClient | S3Client>(client: Client): Client {
  client.middlewareStack.remove("loggerMiddleware");
  return client;
}

/** Does once what the SDK does again for each call. No middleware may be added for a command that was sent before. */
export function forManyCalls<Client extends DynamoDBClient | KMSClient | S3Client>(client: Client): Client {
  const { config } = withoutLogging(client);
  // The SDK sorts its middlewares once for each kind of call.
  config.cacheMiddleware = true;
  // One signer signs all requests: it asks for the credentials each time, and receives region and date with each request.
  const makeSigner = config.signer;
  let signer: ReturnType<typeof makeSigner> | undefined;
  config.signer = (scheme) => {
    signer ??= makeSigner(scheme);
    return signer;
  };
  return client;
}

/**
 * A payment file is one long answer: what is bounded is the wait for each part of it, not the whole. The time in which the
 * reader takes no part counts too.
 */
export function s3Client(variables: Readonly<Record<string, string | undefined>>): S3Client {
  // An endpoint on this machine has no host name for each bucket; AWS itself has.
  const ownEndpoint = variables["AWS_ENDPOINT_URL_S3"] ?? variables["AWS_ENDPOINT_URL"];
  return forManyCalls(
    new S3Client({
      ...LIMITS,
      forcePathStyle: ownEndpoint !== undefined,
      requestHandler: new NodeHttpHandler({ connectionTimeout: 1_000, socketTimeout: 30_000 }),
    }),
  );
}

function once<Client>(make: () => Client): () => Client {
  let made: Client | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
