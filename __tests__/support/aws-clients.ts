/** The AWS clients of tests, made like those of the functions. */

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { S3Client } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { forManyCalls } from "../../handlers/runtime/clients";
import type { AwsClientConfig } from "../../local/embedded-aws";
import type { FaultProxy } from "../../local/fault-proxy";

export interface AwsClients {
  readonly dynamo: DynamoDBClient;
  readonly kms: KMSClient;
  readonly s3: S3Client;
  destroy(): void;
}

/** @param proxy notes their calls, and its faults reach them. */
export function awsClients(
  config: AwsClientConfig & { readonly maxAttempts?: number },
  proxy?: FaultProxy,
): AwsClients {
  const through = proxy && { endpoint: proxy.url, requestHandler: new ProxiedHandler(proxy) };
  const all = { maxAttempts: 5, ...config, ...through };
  const dynamo = forManyCalls(new DynamoDBClient(all));
  const kms = forManyCalls(new KMSClient(all));
  const s3 = forManyCalls(new S3Client({ ...all, forcePathStyle: true }));
  const destroy = () => {
    for (const client of [dynamo, kms, s3]) client.destroy();
  };
  return { dynamo, kms, s3, destroy };
}

/** Sends a call to the proxy where a fault may await it, and else to the service itself. */
class ProxiedHandler extends NodeHttpHandler {
  constructor(private readonly proxy: FaultProxy) {
    super();
  }

  override async handle(...[request, options]: Parameters<NodeHttpHandler["handle"]>) {
    const call = this.proxy.notePassing(request);
    request.port = Number(new URL(call === undefined ? this.proxy.url : this.proxy.upstream).port);
    const answer = await super.handle(request, options);
    if (call !== undefined) call.status = answer.response.statusCode;
    return answer;
  }
}
