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
}

/** @param calls how often each function was called: so many endings are waited for. */
export async function readLogs(deployment: Deployment, calls: ReadonlyMap<FunctionId, number>): Promise<FunctionLog[]> {
  const client = new CloudWatchLogsClient(deployment.clientConfig());
  const deadline = Date.now() + ARRIVAL_MAX_MS;
  try {
    for (;;) {
      const ids = [...calls.keys()];
      const logs = await Promise.all(ids.map((id) => readLog(client, id, deployment.functionName(id))));
      const complete = logs.every(({ id, endings }) => endings >= (calls.get(id) ?? 0));
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
  return { id, lines, endings: lines.filter(isEnding).length };
}

function isEnding(line: string): boolean {
  return /"message":"(answered|failed)"/.test(line);
}
