/** The deployment that the job runs against, with one client for each service. Its calls are an administrator's, and the gate authorises them. */

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { ENV, QUEUES, type QueueId } from "../../contract";
import type { Deployment } from "../deploy";
import { present } from "../resources/context";
import { JOB_ENVIRONMENT } from "./synthesize";

export interface JobEnvironment {
  readonly deployment: Deployment;
  readonly dynamo: DynamoDBClient;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  /** With what the stacks let an auditor do. */
  readonly auditor: { readonly dynamo: DynamoDBClient; readonly s3: S3Client };
  /** What AWS itself does, or a broken disk: past all permissions. */
  readonly pastPermissions: { readonly dynamo: DynamoDBClient; readonly s3: S3Client };
  /** Names of the buckets of payment files, of exports and of the log's evidence. */
  readonly filesBucket: string;
  readonly exportBucket: string;
  readonly evidenceBucket: string;
  queueUrl(id: QueueId): string;
  destroy(): void;
}

export function jobEnvironmentOf(deployment: Deployment): JobEnvironment {
  const config = deployment.clientConfig();
  const clientConfig = deployment.clientConfig("auditor");
  const auditor = { dynamo: new DynamoDBClient(clientConfig), s3: new S3Client(clientConfig) };
  const inside = deployment.pastPermissions();
  const pastPermissions = { dynamo: new DynamoDBClient(inside), s3: new S3Client(inside) };
  const clients = { dynamo: new DynamoDBClient(config), s3: new S3Client(config), sqs: new SQSClient(config) };
  return {
    deployment,
    ...clients,
    auditor,
    pastPermissions,
    filesBucket: present(deployment.functionEnvironment("paymentProcessor")[ENV.filesBucket], ENV.filesBucket),
    exportBucket: present(deployment.functionEnvironment("exportTables")[ENV.exportBucket], ENV.exportBucket),
    evidenceBucket: present(
      deployment.functionEnvironment("publishCheckpoint")[ENV.evidenceBucket],
      ENV.evidenceBucket,
    ),
    queueUrl: (id) => {
      const { name, fifo } = QUEUES[id];
      return deployment.queueUrl(`${name}-${JOB_ENVIRONMENT}${fifo ? ".fifo" : ""}`);
    },
    destroy: () => {
      for (const each of [clients, auditor, pastPermissions]) {
        for (const client of Object.values(each)) client.destroy();
      }
    },
  };
}
