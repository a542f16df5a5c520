/**
 * Sends what waits in a dead-letter queue to its queue again, and what waits in the failure queue of asynchronous
 * invocations to its function again. Each message is sent first and deleted then: a run that dies in between leaves it in
 * both places, and the functions know a repeat. Bodies are passed on and never shown.
 */

import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { isLosslessNumber, parse, stringify } from "lossless-json";
import { CodedError } from "../contract";

export type RedriveErrorCode = "NO_QUEUE" | "STOPPED";

export class RedriveError extends CodedError<RedriveErrorCode> {
  override readonly name = "RedriveError";

  constructor(
    code: RedriveErrorCode,
    message: string,
    readonly counts?: RedriveCounts,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}

export interface RedriveCounts {
  /** Sent again and deleted here. */
  readonly moved: number;
  /** FIFO: sent less than five minutes ago, so that SQS would swallow it now; it is still here. */
  readonly tooFresh: number;
  /** Failed again while this ran; still here. */
  readonly returned: number;
  /** No record of a failed invocation of one of our functions; still here. */
  readonly notUnderstood: number;
}

export interface RedriveSettings {
  readonly sqs: SQSClient;
  readonly lambda: LambdaClient;
  /** Names of the functions that a failure record may name; a queue's text must not choose what is invoked. */
  readonly functions: readonly string[];
  readonly messagesMax: number;
  readonly nowMs: () => number;
}

export type WaitingMessages =
  | {
      readonly kind: "deadLetters";
      readonly url: string;
      readonly sourceUrl: string;
      readonly isFifo: boolean;
      readonly count: number;
    }
  | { readonly kind: "failures"; readonly url: string; readonly count: number };

/** SQS swallows a message whose deduplication id came within this time. */
const DEDUPLICATION_MS = 5 * 60 * 1000;
const RECEIVE_MAX = 10;
const POLL_SECONDS = 1;
/** An empty answer may be one server's; a second one ends the run. */
const EMPTY_ANSWERS_MAX = 2;

/**
 * What waits behind the name: of a queue, its dead-letter queue, or a queue of failed invocations.
 * @param sources the queue of each dead-letter queue, by name.
 */
export async function findWaiting(
  name: string,
  sqs: SQSClient,
  sources: Readonly<Record<string, string>> = {},
): Promise<WaitingMessages> {
  const url = await urlOf(sources[name] ?? name, sqs);
  const attributes = await attributesOf(url, sqs);
  const policy = JSON.parse(attributes["RedrivePolicy"] ?? "{}") as { deadLetterTargetArn?: string };
  if (policy.deadLetterTargetArn === undefined) return { kind: "failures", url, count: countOf(attributes) };
  const deadLetterUrl = await urlOf(policy.deadLetterTargetArn.split(":").at(-1) ?? "", sqs);
  return deadLetters(deadLetterUrl, url, await attributesOf(deadLetterUrl, sqs));
}

function deadLetters(url: string, sourceUrl: string, attributes: Partial<Record<string, string>>): WaitingMessages {
  return { kind: "deadLetters", url, sourceUrl, isFifo: url.endsWith(".fifo"), count: countOf(attributes) };
}

function countOf(attributes: Partial<Record<string, string>>): number {
  return Number(attributes["ApproximateNumberOfMessages"] ?? 0);
}

async function urlOf(name: string, sqs: SQSClient): Promise<string> {
  try {
    const { QueueUrl = "" } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
    return QueueUrl;
  } catch (error) {
    if (!(error instanceof QueueDoesNotExist)) throw error;
    throw new RedriveError(
      "NO_QUEUE",
      `There is no queue ${name}. Give a deployed name, with the environment's suffix and, of a FIFO queue, its ".fifo".`,
    );
  }
}

async function attributesOf(url: string, sqs: SQSClient): Promise<Partial<Record<string, string>>> {
  const answer = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] }));
  return answer.Attributes ?? {};
}

type Outcome = keyof RedriveCounts;

function remedyOf(error: unknown): string {
  return error instanceof Error && error.name.startsWith("AccessDenied")
    ? "The queue's policy names who may read it: add your role to failureQueueReaderArns in stacks/config/environments.ts, and deploy."
    : "Find the cause and run the command again.";
}

/** @throws RedriveError STOPPED when a message cannot be sent; what was moved before stays moved. */
export async function redrive(waiting: WaitingMessages, run: RedriveSettings): Promise<RedriveCounts> {
  const startedMs = run.nowMs();
  const counts = { moved: 0, tooFresh: 0, returned: 0, notUnderstood: 0 };
  const kept = new Map<string, Message>();
  let empty = 0;
  try {
    while (counts.moved < run.messagesMax && empty < EMPTY_ANSWERS_MAX) {
      const messages = await receive(waiting, Math.min(RECEIVE_MAX, run.messagesMax - counts.moved), run.sqs);
      const fresh = messages.filter(({ MessageId = "" }) => !kept.has(MessageId));
      empty = fresh.length === 0 ? empty + 1 : 0;
      // Its newest handle is the one that counts when it is released.
      for (const message of messages) if (kept.has(message.MessageId ?? "")) kept.set(message.MessageId ?? "", message);
      for (const message of fresh) {
        const outcome = await handle(message, waiting, startedMs, run);
        counts[outcome] += 1;
        if (outcome !== "moved") kept.set(message.MessageId ?? "", message);
      }
    }
    return counts;
  } catch (error) {
    throw new RedriveError(
      "STOPPED",
      `${error instanceof Error ? error.name : "An unknown error"} stopped it after ${counts.moved} messages were sent again. The others are still in the queue. ${remedyOf(error)}`,
      counts,
      { cause: error },
    );
  } finally {
    await release([...kept.values()], waiting.url, run.sqs);
  }
}

async function receive(waiting: WaitingMessages, count: number, sqs: SQSClient): Promise<Message[]> {
  const answer = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: waiting.url,
      MaxNumberOfMessages: count,
      WaitTimeSeconds: POLL_SECONDS,
      MessageSystemAttributeNames: ["All"],
      MessageAttributeNames: ["All"],
    }),
  );
  return answer.Messages ?? [];
}

/** One after the other: within a group the order must stay. */
async function handle(
  message: Message,
  waiting: WaitingMessages,
  startedMs: number,
  run: RedriveSettings,
): Promise<Outcome> {
  const sentMs = Number(message.Attributes?.SentTimestamp ?? 0);
  if (sentMs > startedMs) return "returned";
  if (waiting.kind === "failures") {
    if (!(await invokeAgain(message, run))) return "notUnderstood";
  } else {
    if (waiting.isFifo && run.nowMs() - sentMs < DEDUPLICATION_MS) return "tooFresh";
    await sendAgain(message, waiting.sourceUrl, run.sqs);
  }
  await run.sqs.send(new DeleteMessageCommand({ QueueUrl: waiting.url, ReceiptHandle: message.ReceiptHandle }));
  return "moved";
}

/** With its own group and deduplication id: the id of an event that names none is made from them. */
async function sendAgain(message: Message, sourceUrl: string, sqs: SQSClient): Promise<void> {
  const { MessageGroupId, MessageDeduplicationId } = message.Attributes ?? {};
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: sourceUrl,
      MessageBody: message.Body,
      MessageAttributes: message.MessageAttributes,
      ...(MessageGroupId === undefined ? {} : { MessageGroupId }),
      ...(MessageDeduplicationId === undefined ? {} : { MessageDeduplicationId }),
    }),
  );
}

/** Asynchronously, as the first time: Lambda keeps the event from then on, and it comes back here when it fails again. */
async function invokeAgain(message: Message, { lambda, functions }: RedriveSettings): Promise<boolean> {
  const failure = failureOf(message.Body ?? "");
  if (failure === undefined || !functions.includes(failure.functionName)) return false;
  await lambda.send(
    new InvokeCommand({
      FunctionName: failure.functionName,
      InvocationType: "Event",
      Payload: Buffer.from(failure.payload),
    }),
  );
  return true;
}

/** The record that Lambda writes of an invocation that failed on every try. Numbers keep their digits. */
function failureOf(body: string): { functionName: string; payload: string } | undefined {
  const record = membersOf(parsed(body));
  const context = membersOf(record?.["requestContext"]);
  const arn = context?.["functionArn"];
  const payload = record?.["requestPayload"];
  if (typeof arn !== "string" || payload === undefined) return undefined;
  const functionName = /:function:([A-Za-z0-9_-]+)/.exec(arn)?.[1];
  return functionName === undefined ? undefined : { functionName, payload: stringify(payload) ?? "null" };
}

function parsed(body: string): unknown {
  try {
    return parse(body);
  } catch {
    return undefined;
  }
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value) && !isLosslessNumber(value);
  return isObject ? (value as Record<string, unknown>) : undefined;
}

/** What was only looked at is visible again at once. A handle that has run out needs no release. */
async function release(messages: readonly Message[], url: string, sqs: SQSClient): Promise<void> {
  await Promise.allSettled(
    messages.map(({ ReceiptHandle }) =>
      sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout: 0 })),
    ),
  );
}
