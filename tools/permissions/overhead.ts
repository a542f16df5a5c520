/** How much longer a call takes through the permission gate than at the emulator's own port. */

import { performance } from "node:perf_hooks";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { TABLES } from "../../contract";
import type { Deployment } from "../../local/deploy";

const ROUNDS = 10;
const PAIRS = 100;

/** Medians of one round, in milliseconds. */
export interface GateOverhead {
  readonly throughGate: number;
  readonly atEmulator: number;
  /** Of the differences, pair by pair. */
  readonly extra: number;
}

/**
 * The same small read both ways, one after the other. Of several rounds the quietest: other work on the machine only adds time,
 * and the first round opens the connections.
 */
export async function gateOverhead(deployment: Deployment): Promise<GateOverhead> {
  const gated = new DynamoDBClient(deployment.clientConfig());
  const direct = new DynamoDBClient(deployment.pastPermissions());
  const Key = { [TABLES.paymentLedger.partitionKey]: { S: "no-such-payment" } };
  const read = new GetItemCommand({ TableName: deployment.tableName("paymentLedger"), Key });
  const timed = async (client: DynamoDBClient) => {
    const startedAt = performance.now();
    await client.send(read);
    return performance.now() - startedAt;
  };
  const round = async (): Promise<GateOverhead> => {
    const pairs: { throughGate: number; atEmulator: number }[] = [];
    for (let pair = 0; pair < PAIRS; pair++) {
      const atEmulator = await timed(direct);
      pairs.push({ atEmulator, throughGate: await timed(gated) });
    }
    return {
      throughGate: median(pairs.map(({ throughGate }) => throughGate)),
      atEmulator: median(pairs.map(({ atEmulator }) => atEmulator)),
      extra: median(pairs.map(({ throughGate, atEmulator }) => throughGate - atEmulator)),
    };
  };
  let quietest = await round();
  for (let done = 1; done < ROUNDS; done++) {
    const next = await round();
    if (next.throughGate < quietest.throughGate) quietest = next;
  }
  gated.destroy();
  direct.destroy();
  return quietest;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
