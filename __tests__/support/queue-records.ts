/** SQS records as Lambda delivers them. */

import { randomUUID } from "node:crypto";

let sequence = 18_870_000_000_000_000_000n;

interface QueueRecordSettings {
  /** Given for a message of the FIFO queue. */
  readonly groupId?: string;
  readonly messageId?: string;
  readonly senderId?: string;
}

/** @param body JSON, or the text itself. */
export function queueRecord(body: unknown, settings: QueueRecordSettings = {}) {
  const { groupId, messageId = randomUUID(), senderId = "AROAEXAMPLE:order-service" } = settings;
  sequence += 256n;
  const fifo =
    groupId === undefined
      ? {}
      : { MessageGroupId: groupId, SequenceNumber: String(sequence), MessageDeduplicationId: messageId };
  const queue = groupId === undefined ? "audit-trail-queue" : "payment-audit-trail.fifo";
  return {
    messageId,
    receiptHandle: "handle",
    body: typeof body === "string" ? body : JSON.stringify(body),
    eventSource: "aws:sqs",
    eventSourceARN: `arn:aws:sqs:eu-west-1:111122223333:${queue}`,
    attributes: {
      ApproximateReceiveCount: "1",
      SenderId: senderId,
      SentTimestamp: "1763700000000",
      ApproximateFirstReceiveTimestamp: "1763700000001",
      ...fifo,
    },
  };
}
