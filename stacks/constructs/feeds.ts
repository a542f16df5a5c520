/** What starts a function: a queue, a table's stream, an object in a bucket. Schedules are in `schedules.ts`. */

import { LambdaEventSourceMapping } from "@cdktf/provider-aws/lib/lambda-event-source-mapping";
import type { LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function";
import { LambdaFunctionRecursionConfig } from "@cdktf/provider-aws/lib/lambda-function-recursion-config";
import { LambdaPermission } from "@cdktf/provider-aws/lib/lambda-permission";
import { S3BucketNotification } from "@cdktf/provider-aws/lib/s3-bucket-notification";
import type { Construct } from "constructs";
import type { EventSource } from "../function-sizes";

export interface QueueFeedProps extends EventSource {
  readonly queueArn: string;
  readonly consumer: LambdaFunction;
  readonly concurrency: number;
}

/** The function names the messages that failed; the rest of its batch is done. */
export function addQueueFeed(scope: Construct, id: string, props: QueueFeedProps): void {
  new LambdaEventSourceMapping(scope, id, {
    eventSourceArn: props.queueArn,
    functionName: props.consumer.arn,
    batchSize: props.batchSize,
    ...(props.windowSeconds === undefined ? {} : { maximumBatchingWindowInSeconds: props.windowSeconds }),
    functionResponseTypes: ["ReportBatchItemFailures"],
    scalingConfig: { maximumConcurrency: props.concurrency },
  });
}

export interface StreamFeedProps extends EventSource {
  readonly streamArn: string;
  readonly consumer: LambdaFunction;
}

/**
 * From the oldest change that the stream still has, in its order, one batch at a time. A batch is repeated until it succeeds, and
 * no change is skipped. So there is no failure destination, and no splitting of batches to find a bad change. The sweep finds
 * changes that the stream deleted, after 24 hours.
 */
export function addStreamFeed(scope: Construct, id: string, props: StreamFeedProps): void {
  new LambdaEventSourceMapping(scope, id, {
    eventSourceArn: props.streamArn,
    functionName: props.consumer.arn,
    startingPosition: "TRIM_HORIZON",
    batchSize: props.batchSize,
    ...(props.windowSeconds === undefined ? {} : { maximumBatchingWindowInSeconds: props.windowSeconds }),
    parallelizationFactor: 1,
    bisectBatchOnFunctionError: false,
    maximumRetryAttempts: -1,
    maximumRecordAgeInSeconds: -1,
  });
}

export interface FileFeedProps {
  readonly bucketName: string;
  readonly bucketArn: string;
  readonly accountId: string;
  readonly processor: LambdaFunction;
  readonly prefixes: readonly string[];
}

export function addFileFeed(scope: Construct, id: string, props: FileFeedProps): void {
  const permission = new LambdaPermission(scope, `${id}-permission`, {
    statementId: "FilesOfThisBucket",
    action: "lambda:InvokeFunction",
    functionName: props.processor.arn,
    principal: "s3.amazonaws.com",
    sourceArn: props.bucketArn,
    // A bucket's name can pass to another account.
    sourceAccount: props.accountId,
  });
  new S3BucketNotification(scope, id, {
    bucket: props.bucketName,
    lambdaFunction: props.prefixes.map((filterPrefix) => ({
      id: filterPrefix.replace(/\/$/, ""),
      lambdaFunctionArn: props.processor.arn,
      events: ["s3:ObjectCreated:*"],
      filterPrefix,
    })),
    dependsOn: [permission],
  });
  // A long file is continued by an object that starts the function again. Lambda would stop the sixteenth such run as a
  // loop; the code has its own limit.
  new LambdaFunctionRecursionConfig(scope, `${id}-recursion`, {
    functionName: props.processor.arn,
    recursiveLoop: "Allow",
  });
}
