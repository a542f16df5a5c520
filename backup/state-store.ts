/** What was exported of each table, kept in the export bucket. Writes are conditional: of two runs at once only one goes ahead. */

import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { z } from "zod";
import { BackupError } from "./errors";
import { stateKey } from "./layout";
import type { ExportState } from "./windows";

export interface LoadedState {
  readonly state?: ExportState;
  /** What the next save must find unchanged; absent while there is no state. */
  readonly version?: string;
}

export interface StateStore {
  load(table: string): Promise<LoadedState>;
  /** @returns the new version, or undefined when somebody else has saved since `version`. */
  save(state: ExportState, version: string | undefined): Promise<string | undefined>;
}

const stateSchema = z.strictObject({
  format: z.literal(1),
  table: z.string(),
  exportedUntil: z.iso.datetime(),
  exports: z.array(
    z.strictObject({
      kind: z.enum(["full", "incremental"]),
      from: z.iso.datetime().optional(),
      to: z.iso.datetime(),
      attempt: z.int().positive(),
      status: z.enum(["planned", "started", "completed", "failed", "lost"]),
      exportArn: z.string().optional(),
      startedAt: z.iso.datetime().optional(),
    }),
  ),
});

export function s3StateStore(s3: S3Client, bucket: string): StateStore {
  return {
    load: async (table) => {
      try {
        const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: stateKey(table) }));
        const text = (await answer.Body?.transformToString("utf-8")) ?? "";
        if (answer.ETag === undefined) throw new Error("S3 answered GetObject without an ETag.");
        return { state: parseState(text, table), version: answer.ETag };
      } catch (error) {
        if (error instanceof NoSuchKey) return {};
        throw error;
      }
    },
    save: async (state, version) => {
      const condition = version === undefined ? { IfNoneMatch: "*" } : { IfMatch: version };
      const object = { Bucket: bucket, Key: stateKey(state.table), ContentType: "application/json" };
      try {
        const answer = await s3.send(new PutObjectCommand({ ...object, ...condition, Body: JSON.stringify(state) }));
        return answer.ETag;
      } catch (error) {
        if (isConflict(error)) return undefined;
        throw error;
      }
    },
  };
}

/** 412: the object is not the one that was read. 404: it is gone. 409: another conditional write is under way. */
function isConflict(error: unknown): boolean {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return status === 412 || status === 409 || (error instanceof NoSuchKey && status === 404);
}

function parseState(text: string, table: string): ExportState {
  const parsed = stateSchema.safeParse(jsonOf(text));
  if (parsed.success && parsed.data.table === table) return parsed.data as ExportState;
  throw new BackupError(
    "BAD_STATE",
    `${stateKey(table)} is not what the export function writes. Where the last window ended is read from it alone. ` +
      "Restore its previous version in the bucket; or remove it, and the next run takes a full export.",
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
