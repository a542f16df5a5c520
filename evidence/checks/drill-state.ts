/**
 * The state of the restore drill, as one object in the export bucket. It is saved before each request to DynamoDB that
 * must not be sent twice, and only if nobody else has saved since; so a drill continues from wherever it stopped.
 */

import type { S3Client } from "@aws-sdk/client-s3";
import * as z from "zod";
import { jsonOf, putVersioned, readVersioned } from "../../backup/versioned-object";
import { EXPORT_PREFIXES, TABLES } from "../../contract";
import { VERDICTS } from "../verifier/report";
import { LogCheckError } from "./errors";

const STATE_KEY = `${EXPORT_PREFIXES.drills}state.json`;

const logicalNames = Object.values(TABLES).map(({ logicalName }) => logicalName);
const time = z.iso.datetime();

const tableSchema = z.strictObject({
  table: z.enum(logicalNames),
  deployedName: z.string(),
  /** The moment of the full export. */
  takenAt: time,
  dataFolder: z.string(),
  items: z.int().nonnegative(),
  /** What makes it another export than the one that was asked for; the drill goes on, and does not pass. */
  fault: z.string().optional(),
  importArn: z.string().optional(),
});

const drillSchema = z.strictObject({
  /** When it began; names its report, its imports and its audit record. */
  id: time,
  /** From 1; another one begins with new tables, when those of the one before are not what they must be. */
  attempt: z.int().positive(),
  tables: z.array(tableSchema),
  /** What went wrong before anything could be verified. */
  problems: z.array(z.string()),
});

const resultSchema = z.strictObject({
  id: time,
  verdict: z.enum(VERDICTS),
  passed: z.boolean(),
  /** Key of its report in the export bucket. */
  report: z.string(),
  finishedAt: time,
});

const stateSchema = z.strictObject({
  format: z.literal(1),
  phase: z.enum(["idle", "clearing", "importing", "verifying", "removing"]),
  /** The drill under way; of a phase other than idle. */
  drill: drillSchema.optional(),
  /** The newest that came to a verdict. */
  last: resultSchema.optional(),
  /** Verdicts that have no audit record yet: a drill from a machine may not write one. */
  unrecorded: z.array(resultSchema),
  /** The newest checkpoint that a drill has verified: the next one asks the log to continue it. */
  checkpoint: z.strictObject({ size: z.int().nonnegative(), text: z.string() }).optional(),
});

export type DrillState = z.infer<typeof stateSchema>;
export type Drill = z.infer<typeof drillSchema>;
export type DrillTable = z.infer<typeof tableSchema>;
export type DrillResult = z.infer<typeof resultSchema>;

export const FIRST_STATE: DrillState = { format: 1, phase: "idle", unrecorded: [] };

export interface LoadedDrill {
  readonly state: DrillState;
  /** What the next save must find unchanged; absent while there is no state. */
  readonly version?: string;
}

/** The drill's part of the export bucket. */
export interface DrillBucket {
  load(): Promise<LoadedDrill>;
  /** @returns the new version, or undefined when somebody else has saved since `version`. */
  save(state: DrillState, version: string | undefined): Promise<string | undefined>;
  /** The text under the key afterwards: this one, or what an earlier try has put there. */
  putOnce(key: string, text: string): Promise<string>;
  read(key: string): Promise<string | undefined>;
}

export function s3DrillBucket(s3: S3Client, bucket: string): DrillBucket {
  const read = (key: string) => readVersioned(s3, bucket, key);
  return {
    load: async () => {
      const found = await read(STATE_KEY);
      return found === undefined ? { state: FIRST_STATE } : { state: parseState(found.text), version: found.version };
    },
    save: (state, version) => putVersioned(s3, bucket, STATE_KEY, JSON.stringify(state), version),
    putOnce: async (key, text) => {
      if ((await putVersioned(s3, bucket, key, text, undefined)) !== undefined) return text;
      const stored = await read(key);
      if (stored === undefined) throw new Error("S3 refused to create an object, and no such object exists.");
      return stored.text;
    },
    read: async (key) => (await read(key))?.text,
  };
}

function parseState(text: string): DrillState {
  const parsed = stateSchema.safeParse(jsonOf(text));
  const fits = parsed.success && (parsed.data.phase === "idle") === (parsed.data.drill === undefined);
  if (fits) return parsed.data;
  throw new LogCheckError(
    "BAD_STATE",
    `${STATE_KEY} is not what the restore drill writes. Only this object holds the state of a drill. ` +
      "Restore its previous version in the bucket; or remove it, and the next drill clears away what this one has left.",
  );
}

/** In memory: for a drill from a machine, whose operator may write nothing into the export bucket. */
export class MemoryDrillBucket implements DrillBucket {
  readonly reports = new Map<string, string>();
  private state: DrillState = FIRST_STATE;
  private version = 0;

  async load() {
    return { state: this.state, version: String(this.version) };
  }

  async save(state: DrillState, version: string | undefined): Promise<string | undefined> {
    if (version !== String(this.version)) return undefined;
    this.state = state;
    this.version += 1;
    return String(this.version);
  }

  async putOnce(key: string, text: string): Promise<string> {
    const stored = this.reports.get(key) ?? text;
    this.reports.set(key, stored);
    return stored;
  }

  async read(key: string): Promise<string | undefined> {
    return this.reports.get(key);
  }
}
