/** `npm run redrive -- <queue> [--dry-run] [--max N]`: sends what waits in a dead-letter or failure queue again. */

import "../local/sdk-warning";
import { parseArgs } from "node:util";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { SQSClient } from "@aws-sdk/client-sqs";
import { CodedError, QUEUES, type QueueId } from "../contract";
import { loadConfig } from "../stacks/config/load";
import { namesOf } from "../stacks/config/names";
import { findWaiting, type RedriveCounts, RedriveError, redrive } from "./redrive-queue";

const QUEUE_IDS = Object.keys(QUEUES) as QueueId[];
const MESSAGES_MAX_DEFAULT = 10_000;

function usage(): string {
  const { queues, failureQueue } = namesOf(loadConfig());
  return `Usage: npm run redrive -- <queue> [--dry-run] [--max N]
  The queue is one that has a dead-letter queue, that dead-letter queue, or the queue of failed invocations.
  In this environment: ${[...Object.values(queues), failureQueue].join(", ")}.
  --dry-run  Count what waits, and leave it
  --max N    Send at most N messages (default ${MESSAGES_MAX_DEFAULT})`;
}

class UsageError extends CodedError<"USAGE"> {
  override readonly name = "UsageError";

  constructor(message: string) {
    super("USAGE", message);
  }
}

function parse(words: readonly string[]): { name: string; isDryRun: boolean; messagesMax: number } {
  let given: { values: { "dry-run"?: boolean; max?: string }; positionals: string[] };
  try {
    given = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { "dry-run": { type: "boolean" }, max: { type: "string" } },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : "The options do not fit.");
  }
  const [name, ...others] = given.positionals;
  const messagesMax = Number(given.values.max ?? MESSAGES_MAX_DEFAULT);
  if (name === undefined || others.length > 0) throw new UsageError("Name exactly one queue.");
  if (!Number.isInteger(messagesMax) || messagesMax < 1) throw new UsageError("--max is a whole number above 0.");
  return { name, isDryRun: given.values["dry-run"] === true, messagesMax };
}

async function main(words: readonly string[]): Promise<void> {
  const { name, isDryRun, messagesMax } = parse(words);
  const sqs = new SQSClient({});
  const { queues, deadLetterQueues, functions } = namesOf(loadConfig());
  const sources = Object.fromEntries(QUEUE_IDS.map((id) => [deadLetterQueues[id], queues[id]]));
  const waiting = await findWaiting(name, sqs, sources);
  const what = waiting.kind === "failures" ? "failed invocations" : "dead letters";
  if (isDryRun) {
    console.log(`About ${waiting.count} ${what} wait in ${waiting.url}. Nothing was sent.`);
    return;
  }
  const run = { sqs, lambda: new LambdaClient({}), functions: Object.values(functions), messagesMax, nowMs: Date.now };
  console.log(countsText(await redrive(waiting, run)));
}

function countsText({ moved, tooFresh, returned, notUnderstood }: RedriveCounts): string {
  return [
    `Sent again: ${moved}.`,
    ...(tooFresh > 0 ? [`Left, sent less than five minutes ago: ${tooFresh}. Run the command again after that.`] : []),
    ...(returned > 0 ? [`Left, failed again just now: ${returned}. Find the cause first.`] : []),
    ...(notUnderstood > 0 ? [`Left, no failed invocation of a function of this environment: ${notUnderstood}.`] : []),
  ].join("\n");
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof RedriveError || error instanceof UsageError ? error.message : error);
  if (error instanceof UsageError) console.error(`\n${usage()}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
