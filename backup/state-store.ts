/** What was exported of each table, kept in the export bucket. Writes are conditional: of two runs at once only one goes ahead. */

import type { S3Client } from "@aws-sdk/client-s3";
import * as z from "zod";
import { BackupError } from "./errors";
import { stateKey } from "./layout";
import { jsonOf, putVersioned, readVersioned } from "./versioned-object";
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
      const found = await readVersioned(s3, bucket, stateKey(table));
      return found === undefined ? {} : { state: parseState(found.text, table), version: found.version };
    },
    save: (state, version) => putVersioned(s3, bucket, stateKey(state.table), JSON.stringify(state), version),
  };
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
