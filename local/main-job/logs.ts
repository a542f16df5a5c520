/** Reads the functions' log lines from CloudWatch Logs, all of them. */

import { setTimeout as delay } from "node:timers/promises";
import { CloudWatchLogsClient, paginateFilterLogEvents } from "@aws-sdk/client-cloudwatch-logs";
import type { FunctionId } from "../../contract";
import type { Deployment } from "../deploy";

/** Log lines arrive later than answers: at once on the embedded AWS, within seconds elsewhere. */
const ARRIVAL_MAX_MS = 30_000;
const POLL_MS = 250;

export interface FunctionLog {
  readonly id: FunctionId;
  readonly lines: readonly string[];
  /** Lines that say how a call ended. */
  readonly endings: number;
  /** Those of them that say that it failed. */
  readonly failures: number;
}

/** @param wanted how many endings of each function are waited for at the least. */
export async function readLogs(
  deployment: Deployment,
  wanted: ReadonlyMap<FunctionId, number>,
): Promise<FunctionLog[]> {
  const client = new CloudWatchLogsClient(deployment.clientConfig());
  const deadline = Date.now() + ARRIVAL_MAX_MS;
  try {
    for (;;) {
      const ids = [...wanted.keys()];
      const logs = await Promise.all(ids.map((id) => readLog(client, id, deployment.functionName(id))));
      const complete = logs.every(({ id, endings }) => endings >= (wanted.get(id) ?? 0));
      if (complete || Date.now() > deadline) return logs;
      await delay(POLL_MS);
    }
  } finally {
    client.destroy();
  }
}

async function readLog(client: CloudWatchLogsClient, id: FunctionId, functionName: string): Promise<FunctionLog> {
  const lines: string[] = [];
  for await (const page of paginateFilterLogEvents({ client }, { logGroupName: `/aws/lambda/${functionName}` })) {
    lines.push(...(page.events ?? []).map(({ message }) => message ?? ""));
  }
  const count = (ending: RegExp) => lines.filter((line) => ending.test(line)).length;
  return { id, lines, endings: count(/"message":"(answered|failed)"/), failures: count(/"message":"failed"/) };
}
