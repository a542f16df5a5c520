/** The evidence commands that read from AWS (or the endpoint that AWS_ENDPOINT_URL names): nothing else of them does. */

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { NoSuchBucket, S3Client } from "@aws-sdk/client-s3";
import { s3Evidence } from "../evidence/checks/s3-evidence";
import { scanTables } from "../evidence/checks/scan-tables";
import type { CommandBody } from "../evidence/commands/command";
import { EvidenceToolError } from "../evidence/commands/errors";
import { fetchEvidence } from "../evidence/commands/fetch";
import { loadConfig } from "../stacks/config/load";
import { namesOf } from "../stacks/config/names";
import { onAws } from "./aws";
import { bucketsOfEnvironment } from "./environment";

export const fetch: CommandBody = onAws({
  options: {
    to: { kind: "one", value: "DIR", required: true, about: "Folder for the copy; what it has already is kept." },
    tiles: {
      kind: "flag",
      about:
        "Copy every tile and bundle too, for other tools of C2SP tlog-tiles. Default: packs of 65,536 entries in their place.",
    },
    bucket: { kind: "one", value: "NAME", about: "Evidence bucket. Default: that of the environment." },
  },
  examples: ["fetch --to audit/evidence"],
  run: async (args, { answer, progress }) => {
    args.noOperand();
    const to = args.needed("to");
    const bucket = args.one("bucket") ?? (await bucketsOfEnvironment()).evidence;
    // Paths instead of host names for buckets, because an endpoint on this machine has no such names.
    const source = s3Evidence(new S3Client({ forcePathStyle: true }), bucket);
    const { size, origin, fetched } = await withBucket(bucket, () =>
      fetchEvidence(source, to, progress, undefined, args.flag("tiles")),
    );
    answer(
      { folder: to, bucket, origin, size, fetched },
      `${to} holds ${origin} at ${size} entries; ${fetched} new objects.`,
    );
    return 0;
  },
});

async function withBucket<T>(bucket: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NoSuchBucket)) throw error;
    throw new EvidenceToolError(
      "BUCKET_MISSING",
      `There is no bucket ${bucket}. Name the evidence bucket of the environment.`,
    );
  }
}

export const scan: CommandBody = onAws({
  details: "For verify --export DIR. Every record that was written before the scan began is in it.",
  options: {
    to: { kind: "one", value: "DIR", required: true, about: "Folder that has no scan yet." },
    table: { kind: "many", value: "NAME", about: "Deployed name of a table. Default: all tables of the environment." },
  },
  examples: ["scan --to audit/tables"],
  run: async (args, { answer }) => {
    args.noOperand();
    const to = args.needed("to");
    const chosen = args.many("table");
    const names = chosen.length > 0 ? chosen : Object.values(namesOf(loadConfig()).tables);
    const scanned = await scanTables(new DynamoDBClient({}), names, to, () => new Date());
    const lines = scanned.map(({ items, folder, takenAt }) => `${folder}: ${items} records, scanned from ${takenAt}.`);
    answer(scanned, lines.join("\n"));
    return 0;
  },
});
