/** `payledger redrive QUEUE`: sends what waits in a dead-letter or failure queue again. */

import { LambdaClient } from "@aws-sdk/client-lambda";
import { SQSClient } from "@aws-sdk/client-sqs";
import { QUEUES, type QueueId } from "../contract";
import type { CommandBody } from "../evidence/commands/command";
import { UsageError } from "../evidence/commands/errors";
import { loadConfig } from "../stacks/config/load";
import { namesOf } from "../stacks/config/names";
import { onAws } from "./aws";
import { findWaiting, type RedriveCounts, redrive } from "./redrive-queue";

const QUEUE_IDS = Object.keys(QUEUES) as QueueId[];
const MESSAGES_MAX_DEFAULT = 10_000;

export const redriveCommand: CommandBody = onAws({
  operands: "QUEUE",
  details:
    "The queue is one that has a dead-letter queue, that dead-letter queue, or the queue of failed invocations (payment-ledger-failures), by its deployed name.",
  options: {
    "dry-run": { kind: "flag", about: "Count what waits, and leave it." },
    max: { kind: "one", value: "N", about: `Send at most N messages. Default: ${MESSAGES_MAX_DEFAULT}.` },
  },
  examples: ["redrive audit-trail-queue-dev --dry-run"],
  run: async (args, { answer }) => {
    const [name, ...others] = args.operands;
    const { queues, deadLetterQueues, failureQueue, functions } = namesOf(loadConfig());
    if (name === undefined || others.length > 0) {
      const known = [...Object.values(queues), failureQueue].join(", ");
      throw new UsageError(`Name exactly one queue. In this environment: ${known}.`);
    }
    const messagesMax = args.number("max", 1) ?? MESSAGES_MAX_DEFAULT;
    const sqs = new SQSClient({});
    const sources = Object.fromEntries(QUEUE_IDS.map((id) => [deadLetterQueues[id], queues[id]]));
    const waiting = await findWaiting(name, sqs, sources);
    const what = waiting.kind === "failures" ? "failed invocations" : "dead letters";
    if (args.flag("dry-run")) {
      const text = `About ${waiting.count} ${what} wait in ${waiting.url}. Nothing was sent.`;
      answer({ queue: waiting.url, waiting: waiting.count, moved: 0 }, text);
      return 0;
    }
    const run = {
      sqs,
      lambda: new LambdaClient({}),
      functions: Object.values(functions),
      messagesMax,
      nowMs: Date.now,
    };
    const counts = await redrive(waiting, run);
    answer({ queue: waiting.url, ...counts }, countsText(counts));
    return 0;
  },
});

function countsText({ moved, tooFresh, returned, notUnderstood }: RedriveCounts): string {
  return [
    `Sent again: ${moved}.`,
    ...(tooFresh > 0 ? [`Left, sent less than five minutes ago: ${tooFresh}. Run the command again after that.`] : []),
    ...(returned > 0 ? [`Left, failed again just now: ${returned}. Find the cause first.`] : []),
    ...(notUnderstood > 0 ? [`Left, no failed invocation of a function of this environment: ${notUnderstood}.`] : []),
  ].join("\n");
}
