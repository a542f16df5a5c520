/**
 * The checkpoints that sweeps have verified, as objects of the evidence bucket beside those of the log. Nobody can put them
 * back to an earlier state: so a log-state table that is put back, with what the sweep remembers in it, hides nothing.
 */

import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { LOG_STATE, SWEPT_PREFIX } from "../../contract";
import { parseCheckpoint } from "../log/checkpoint";
import { CHECKPOINT_PATH, sweptPath } from "../log/paths";
import type { EvidenceBucket } from "../sealing/evidence-bucket";
import { readEntry } from "../verifier/entries";
import { bundlesOf, type EvidenceFolder, upwards } from "../verifier/evidence";
import { type Finding, VERDICTS, type VerificationReport } from "../verifier/report";
import type { VerifiedCheckpoint } from "./verification";

/** The largest one; undefined before the first. */
export async function sweptCheckpoint(evidence: EvidenceFolder): Promise<VerifiedCheckpoint | undefined> {
  let size = -1;
  for await (const path of evidence.list(SWEPT_PREFIX)) {
    const [, digits] = /^sweeps\/([0-9]{16})$/.exec(path) ?? [];
    size = Math.max(size, digits === undefined ? -1 : Number(digits));
  }
  const text = size < 0 ? undefined : await evidence.read(sweptPath(size));
  return text && { size, text: text.toString("utf8") };
}

/** What the sweep remembers, in its table and beside the evidence: of the two the larger tree counts. */
export function memoryBeside(
  table: CheckpointMemory,
  evidence: EvidenceFolder,
  bucket: Pick<EvidenceBucket, "putOnce">,
): CheckpointMemory {
  return {
    load: async () => largerOf(await table.load(), await sweptCheckpoint(evidence)),
    save: async (checkpoint, now) => {
      // One that is there already says the same: both were verified.
      await bucket.putOnce({ path: sweptPath(checkpoint.size), bytes: Buffer.from(checkpoint.text) });
      await table.save(checkpoint, now);
    },
  };
}

export function largerOf(
  a: VerifiedCheckpoint | undefined,
  b: VerifiedCheckpoint | undefined,
): VerifiedCheckpoint | undefined {
  return a === undefined || (b !== undefined && b.size > a.size) ? b : a;
}

/** The sort key of its item in the log-state table. */
export const SWEEP_ITEM = "sweep";

/**
 * The newest checkpoint that a sweep compared the tables with, kept beside the log's own state. The next sweep demands
 * that the log continues exactly that tree: so a log that was cut, rolled back or replaced is noticed without a witness.
 */
export interface CheckpointMemory {
  load(): Promise<VerifiedCheckpoint | undefined>;
  /** Of two sweeps at once the larger tree stays. */
  save(checkpoint: VerifiedCheckpoint, now: Date): Promise<void>;
}

export function checkpointMemory(dynamo: DynamoDBClient, tableName: string, origin: string): CheckpointMemory {
  const key = { [LOG_STATE.partitionKey]: { S: origin }, [LOG_STATE.sortKey]: { S: SWEEP_ITEM } };
  return {
    load: async () => {
      const command = new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true });
      const { Item } = await dynamo.send(command);
      const text = Item?.["Checkpoint"]?.S;
      return text === undefined ? undefined : { size: Number(Item?.["Size"]?.N), text };
    },
    save: async ({ size, text }, now) => {
      const item = { ...key, Size: { N: String(size) }, Checkpoint: { S: text }, CheckedAt: { S: now.toISOString() } };
      try {
        await dynamo.send(
          new PutItemCommand({
            TableName: tableName,
            Item: item,
            ConditionExpression: "attribute_not_exists(#size) OR #size <= :size",
            ExpressionAttributeNames: { "#size": "Size" },
            ExpressionAttributeValues: { ":size": { N: String(size) } },
          }),
        );
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    },
  };
}

/** The sweep is daily. */
const FIRST_SWEEP_MAX_MS = 26 * 60 * 60 * 1000;

/** The report, with a finding where the log is too old for its first sweep. Called with a log that was verified. */
export async function withoutMemory(
  report: VerificationReport,
  evidence: EvidenceFolder,
  now: Date,
): Promise<VerificationReport> {
  const since = await firstHeartbeatAt(evidence);
  if (since === undefined || now.getTime() - Date.parse(since) <= FIRST_SWEEP_MAX_MS) return report;
  const finding: Finding = {
    verdict: "incomplete",
    code: "SWEEP_FORGOTTEN",
    message:
      `The log exists since ${since}, and no sweep has left what it verified: neither in the log-state table nor under ` +
      "sweeps/ of the evidence. Whether the log was put back since the last sweep was not seen. Find out who removed both.",
  };
  const verdicts = VERDICTS.filter(
    (verdict) => verdict === finding.verdict || (verdict !== "ok" && report.verdicts.includes(verdict)),
  );
  return { ...report, verdict: verdicts[0] ?? finding.verdict, verdicts, findings: [...report.findings, finding] };
}

/** Undefined for a log without a heartbeat, or none that can be read. */
async function firstHeartbeatAt(evidence: EvidenceFolder): Promise<string | undefined> {
  const checkpoint = await evidence.read(CHECKPOINT_PATH);
  const size = checkpoint === undefined ? 0 : parseCheckpoint(checkpoint).size;
  for await (const { entries = [] } of bundlesOf(evidence, size, upwards(size))) {
    for (const bytes of entries) {
      const entry = readEntry(bytes);
      if (entry?.kind === "HEARTBEAT") return entry.time;
    }
  }
  return undefined;
}
