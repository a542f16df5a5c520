/** A queue with its dead-letter queue: encrypted, TLS only, senders and readers named. */

import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { SqsQueuePolicy } from "@cdktf/provider-aws/lib/sqs-queue-policy";
import { SqsQueueRedriveAllowPolicy } from "@cdktf/provider-aws/lib/sqs-queue-redrive-allow-policy";
import { Fn } from "cdktf";
import type { Construct } from "constructs";
import { accountRootsOf, arnEquals, arnNotEquals, denyWithoutTls, EVERYBODY, policy, type Statement } from "./policy";

const DAY_SECONDS = 24 * 60 * 60;
const RETENTION_SECONDS = 7 * DAY_SECONDS;
/** Longer than in the queue, because a message keeps its age when it moves here. */
export const FAILURE_RETENTION_SECONDS = 14 * DAY_SECONDS;
/** High enough that an outage of some minutes moves no message to the dead-letter queue. */
const RECEIVES_MAX = 10;

const READ = ["sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ReceiveMessage"];

export interface QueueProps {
  readonly name: string;
  readonly deadLetterName: string;
  readonly fifo: boolean;
  readonly kmsKeyArn: string;
  readonly visibilitySeconds: number;
  readonly consumerRoleArn: string;
  /** The only roles that may send; with none, every principal of the account whose own policy allows it. */
  readonly senderArns: readonly string[];
  /** Who may read the dead letters and send them back. */
  readonly readerArns: readonly string[];
}

export interface QueuePair {
  readonly queue: SqsQueue;
  readonly deadLetters: SqsQueue;
}

export function addQueue(scope: Construct, id: string, props: QueueProps): QueuePair {
  const deadLetters = new SqsQueue(scope, `${id}-dead-letters`, {
    name: props.deadLetterName,
    kmsMasterKeyId: props.kmsKeyArn,
    messageRetentionSeconds: FAILURE_RETENTION_SECONDS,
    ...(props.fifo ? { fifoQueue: true } : {}),
  });
  const queue = new SqsQueue(scope, id, {
    name: props.name,
    kmsMasterKeyId: props.kmsKeyArn,
    messageRetentionSeconds: RETENTION_SECONDS,
    visibilityTimeoutSeconds: props.visibilitySeconds,
    redrivePolicy: Fn.jsonencode({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount: RECEIVES_MAX }),
    ...(props.fifo ? HIGH_THROUGHPUT_FIFO : {}),
  });
  for (const [resource, logicalId] of [
    [queue, id],
    [deadLetters, `${id}-dead-letters`],
  ] as const) {
    resource.overrideLogicalId(logicalId);
  }
  // Separate from its queue, which needs the other queue first.
  new SqsQueueRedriveAllowPolicy(scope, `${id}-dead-letters-source`, {
    queueUrl: deadLetters.url,
    redriveAllowPolicy: Fn.jsonencode({ redrivePermission: "byQueue", sourceQueueArns: [queue.arn] }),
  });
  addQueuePolicy(scope, id, queue, [...senders(queue.arn, props), onlyReadBy(queue.arn, [props.consumerRoleArn])]);
  addQueuePolicy(scope, `${id}-dead-letters`, deadLetters, [
    // SQS moves the messages itself; no policy applies to that.
    { ...deny(deadLetters.arn), sid: "NobodySends", actions: ["sqs:SendMessage"] },
    onlyReadBy(deadLetters.arn, props.readerArns),
  ]);
  return { queue, deadLetters };
}

/** Order and deduplication hold within a message group, and groups do not wait for each other. The sender says what is the same message. */
const HIGH_THROUGHPUT_FIFO = {
  fifoQueue: true,
  contentBasedDeduplication: false,
  deduplicationScope: "messageGroup",
  fifoThroughputLimit: "perMessageGroupId",
};

export function addQueuePolicy(scope: Construct, id: string, queue: SqsQueue, statements: Statement[]): void {
  new SqsQueuePolicy(scope, `${id}-policy`, {
    queueUrl: queue.url,
    policy: policy(scope, `${id}-policy-document`, [
      denyWithoutTls(["sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"], queue.arn),
      ...statements,
    ]),
  });
}

function deny(queueArn: string) {
  return { effect: "Deny" as const, principals: EVERYBODY, resources: [queueArn] };
}

/** Nobody, where no role is named. */
export function onlyReadBy(queueArn: string, readerArns: readonly string[]): Statement {
  const conditions = readerArns.length === 0 ? {} : { conditions: [arnNotEquals("aws:PrincipalArn", ...readerArns)] };
  return { ...deny(queueArn), sid: "OnlyNamedReaders", actions: READ, ...conditions };
}

export function onlySentBy(queueArn: string, senderArns: readonly string[]): Statement {
  return {
    ...deny(queueArn),
    sid: "OnlyNamedSenders",
    actions: ["sqs:SendMessage"],
    conditions: [arnNotEquals("aws:PrincipalArn", ...senderArns)],
  };
}

/** A role of another account needs the queue's permission beside its own account's. */
function senders(queueArn: string, { senderArns, readerArns }: QueueProps): Statement[] {
  if (senderArns.length === 0) return [];
  return [
    {
      sid: "NamedSenders",
      principals: [{ type: "AWS", identifiers: accountRootsOf(senderArns) }],
      actions: ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"],
      resources: [queueArn],
      conditions: [arnEquals("aws:PrincipalArn", ...senderArns)],
    },
    // The readers of the dead letters also send them back from there.
    onlySentBy(queueArn, [...senderArns, ...readerArns]),
  ];
}
