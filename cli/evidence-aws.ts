/** The evidence commands that read from AWS (or the endpoint that AWS_ENDPOINT_URL names): nothing else of them does. */

import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { NoSuchBucket, S3Client } from "@aws-sdk/client-s3";
import { s3Evidence } from "../evidence/checks/s3-evidence";
import { scanTables } from "../evidence/checks/scan-tables";
import type { Command } from "../evidence/commands/arguments";
import { EvidenceToolError } from "../evidence/commands/errors";
import { fetchEvidence } from "../evidence/commands/fetch";
import { loadConfig } from "../stacks/config/load";
import { namesOf } from "../stacks/config/names";

export const fetch: Command = {
  usage: `fetch --bucket NAME --to DIR
      Copy the evidence from its bucket, or what is new of it, and check that the copy is whole and unchanged.`,
  options: { bucket: "one", to: "one" },
  run: async (given, { print, progress }) => {
    given.noOperand();
    const to = given.needed("to");
    const bucket = given.needed("bucket");
    // Paths instead of host names for buckets, because an endpoint on this machine has no such names.
    const source = s3Evidence(new S3Client({ forcePathStyle: true }), bucket);
    const { size, origin, fetched } = await withBucket(bucket, () => fetchEvidence(source, to, progress));
    print(`${to} holds ${origin} at ${size} entries; ${fetched} new objects.`);
    return 0;
  },
};

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

export const scan: Command = {
  usage: `scan --to DIR [--table NAME]...
      Write the tables as they stand to a folder, as exports are laid out, for verify --export DIR.
      Tables without --table are those of the environment that PAYMENT_LEDGER_ENV names (dev by default).`,
  options: { to: "one", table: "many" },
  run: async (given, { print }) => {
    given.noOperand();
    const to = given.needed("to");
    const chosen = given.many("table");
    const names = chosen.length > 0 ? chosen : Object.values(namesOf(loadConfig()).tables);
    for (const { items, folder, takenAt } of await scanTables(new DynamoDBClient({}), names, to, () => new Date())) {
      print(`${folder}: ${items} records, scanned from ${takenAt}.`);
    }
    return 0;
  },
};
