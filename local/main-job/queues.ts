/** The queues from outside: sending, waiting until they are empty, and what was left in any of them. */

import {
  GetQueueAttributesCommand,
  type QueueAttributeName,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
} from "@aws-sdk/client-sqs";
import type { QueueId } from "../../contract";
import { JobError } from "./errors";
import type { JobEnvironment } from "./job-environment";
import type { MessageSamples } from "./samples";
import { until } from "./waiting";

const BATCH_MAX = 10;
const DEPTHS: QueueAttributeName[] = [
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesNotVisible",
  "ApproximateNumberOfMessagesDelayed",
];

export type Message = Omit<SendMessageBatchRequestEntry, "Id">;

export async function sendMessages(
  environment: JobEnvironment,
  id: QueueId,
  messages: readonly Message[],
): Promise<void> {
  const QueueUrl = environment.queueUrl(id);
  for (let start = 0; start < messages.length; start += BATCH_MAX) {
    const Entries = messages
      .slice(start, start + BATCH_MAX)
      .map((message, index) => ({ Id: String(index), ...message }));
    const { Failed = [] } = await environment.sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    if (Failed.length > 0) throw notTaken(id);
  }
}

/** A message is gone from its queue once its function has settled it. */
export async function untilSettled(environment: JobEnvironment, id: QueueId): Promise<void> {
  const isEmpty = async () => ((await depth(environment, environment.queueUrl(id))) === 0 ? true : undefined);
  await until(`the end of the messages on ${id}`, isEmpty);
}

/** Every queue of the deployment that still holds a message, dead letters and failures among them. */
export async function queuesWithMessages(
  environment: JobEnvironment,
): Promise<{ readonly queues: number; readonly faults: string[] }> {
  const queues = environment.deployment.resources.filter(({ block }) => block.type === "aws_sqs_queue");
  const faults: string[] = [];
  for (const { attributes } of queues) {
    const messages = await depth(environment, String(attributes["url"]));
    if (messages > 0) faults.push(`${messages} messages are in ${String(attributes["name"])}`);
  }
  return { queues: queues.length, faults };
}

async function depth({ sqs }: JobEnvironment, queueUrl: string): Promise<number> {
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: DEPTHS }));
  return DEPTHS.reduce((sum, name) => sum + Number(Attributes?.[name] ?? 0), 0);
}

function notTaken(id: QueueId): JobError {
  return new JobError(
    "ANSWER_UNEXPECTED",
    `SQS did not take every message for ${id}.`,
    "The job's own messages are within SQS's bounds.",
    "look at the endpoint's log.",
  );
}

/** Payments as messages: everybody may send them, several times, and something that is no payment among them. */
export async function sendFirstMessages(environment: JobEnvironment, samples: MessageSamples): Promise<void> {
  await send(environment, samples.bodies.slice(0, samples.laterFrom - 1));
}

/** What must not overtake the others, because it says other things under their ids. */
export async function sendLaterMessages(environment: JobEnvironment, samples: MessageSamples): Promise<void> {
  await untilSettled(environment, "paymentMessages");
  await send(environment, samples.bodies.slice(samples.laterFrom - 1));
}

function send(environment: JobEnvironment, bodies: readonly string[]): Promise<void> {
  return sendMessages(
    environment,
    "paymentMessages",
    bodies.map((MessageBody) => ({ MessageBody })),
  );
}
