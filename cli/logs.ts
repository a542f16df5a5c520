/** `payledger logs`: the log lines of a function. They hold outcomes and ids, no amounts and no tokens. */

import { setTimeout as delay } from "node:timers/promises";
import { CloudWatchLogsClient, type FilteredLogEvent, paginateFilterLogEvents } from "@aws-sdk/client-cloudwatch-logs";
import { FUNCTIONS } from "../contract";
import type { CommandBody } from "../evidence/commands/command";
import { UsageError } from "../evidence/commands/errors";
import { nearest } from "../evidence/commands/nearest";
import { DONE } from "../evidence/commands/program";
import { loadConfig } from "../stacks/config/load";
import { namesOf } from "../stacks/config/names";
import { onAws } from "./aws";
import { rangeOf, TIME_OPTIONS } from "./query-options";

const FOLLOW_EVERY_MS = 3_000;

export const logs: CommandBody = onAws({
  operands: "FUNCTION",
  options: {
    ...TIME_OPTIONS,
    follow: { kind: "flag", about: "Show new lines as they come, until stopped." },
  },
  examples: ["logs persist_payment_ledger --last 1h", "logs payment-processor --follow"],
  run: async (args, terminal) => {
    const logGroupName = `/aws/lambda/${functionNamed(args.onlyOperand("function"))}`;
    const client = new CloudWatchLogsClient({});
    const { From, To } = rangeOf(args);
    const startTime = Date.parse(From);
    if (!args.flag("follow")) {
      const events = await eventsOf(client, { logGroupName, startTime, endTime: Date.parse(To) });
      terminal.answer(events, events.length === 0 ? "No log lines." : events.map(lineOf).join("\n"));
      return DONE;
    }
    let isStopped = false;
    void terminal.stopped?.().then(() => {
      isStopped = true;
    });
    const seen = new Set<string>();
    while (!isStopped) {
      for (const event of await eventsOf(client, { logGroupName, startTime })) {
        if (seen.has(event.eventId ?? "")) continue;
        seen.add(event.eventId ?? "");
        terminal.print(args.flag("json") ? JSON.stringify(event) : lineOf(event));
      }
      for (let waited = 0; waited < FOLLOW_EVERY_MS && !isStopped; waited += 100) await delay(100);
    }
    return DONE;
  },
});

/** By its deployed name, or by its name without the environment's suffix. */
function functionNamed(name: string): string {
  const { functions } = namesOf(loadConfig());
  const deployed = Object.values(functions);
  if (deployed.includes(name)) return name;
  const bare = Object.entries(FUNCTIONS).find(([, each]) => each.name === name)?.[0] as
    | keyof typeof functions
    | undefined;
  if (bare !== undefined) return functions[bare];
  const close = nearest(
    name,
    Object.values(FUNCTIONS).map((each) => each.name),
  );
  throw new UsageError(
    `There is no function ${name}.${close === undefined ? "" : ` Did you mean ${close}?`} There are: ${deployed.join(", ")}.`,
  );
}

interface LogQuery {
  readonly logGroupName: string;
  readonly startTime: number;
  readonly endTime?: number;
}

async function eventsOf(client: CloudWatchLogsClient, asked: LogQuery): Promise<FilteredLogEvent[]> {
  const events: FilteredLogEvent[] = [];
  for await (const page of paginateFilterLogEvents({ client }, asked)) events.push(...(page.events ?? []));
  return events;
}

function lineOf({ timestamp = 0, message = "" }: FilteredLogEvent): string {
  return `${new Date(timestamp).toISOString()} ${message.trimEnd()}`;
}
