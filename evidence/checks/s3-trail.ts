/** CloudTrail's files in their bucket, and the public keys of its digests. */

import { type CloudTrailClient, ListPublicKeysCommand } from "@aws-sdk/client-cloudtrail";
import type { S3Client } from "@aws-sdk/client-s3";
import { objectAt, objectsUnder } from "../../backup/s3-folder";
import type { TrailFolder } from "../identity/trail-day";
import type { TrailKey, TrailObject } from "../identity/trail-digest";

interface TrailPlace {
  readonly bucket: string;
  /** Of the digests of one account and region: `AWSLogs/<account>/CloudTrail-Digest/<region>/`. */
  readonly digestPrefix: string;
}

export function s3Trail(s3: S3Client, cloudTrail: () => CloudTrailClient, place: TrailPlace): TrailFolder {
  const { bucket, digestPrefix } = place;
  return {
    bucket,
    digestKeys: async (day) => {
      const keys: string[] = [];
      const folder = `${digestPrefix}${day.replaceAll("-", "/")}/`;
      for await (const { path } of objectsUnder(s3, bucket, folder)) keys.push(path);
      return keys;
    },
    read: (key) => readObject(s3, bucket, key),
    publicKeys: (from, to) => publicKeys(cloudTrail(), from, to),
  };
}

async function readObject(s3: S3Client, bucket: string, key: string): Promise<TrailObject | undefined> {
  const found = await objectAt(s3, bucket, key);
  if (found === undefined) return undefined;
  return { bytes: Buffer.from(await found.Body.transformToByteArray()), metadata: found.Metadata ?? {} };
}

async function publicKeys(client: CloudTrailClient, from: Date, to: Date): Promise<TrailKey[]> {
  const keys: TrailKey[] = [];
  let token: string | undefined;
  do {
    const page = await client.send(
      new ListPublicKeysCommand({ StartTime: from, EndTime: to, ...(token === undefined ? {} : { NextToken: token }) }),
    );
    for (const { Fingerprint, Value } of page.PublicKeyList ?? []) {
      if (Fingerprint !== undefined && Value !== undefined)
        keys.push({ fingerprint: Fingerprint, value: Buffer.from(Value) });
    }
    token = page.NextToken;
  } while (token !== undefined);
  return keys;
}
