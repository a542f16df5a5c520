/** The evidence as it lies in its bucket, for the verifier to read. */

import type { S3Client } from "@aws-sdk/client-s3";
import { objectAt, objectsUnder } from "../../backup/s3-folder";
import { EVIDENCE_PREFIX } from "../../contract";
import { EvidenceError, type EvidenceFolder, maxBytesOf } from "../verifier/evidence";

export function s3Evidence(s3: S3Client, bucket: string, prefix: string = EVIDENCE_PREFIX): EvidenceFolder {
  return {
    name: `s3://${bucket}/${prefix}`,
    read: async (path) => {
      const found = await objectAt(s3, bucket, `${prefix}${path}`);
      if (found === undefined) return undefined;
      const { Body, ContentLength = 0 } = found;
      if (ContentLength > maxBytesOf(path)) {
        const reason = `it has ${ContentLength} bytes, and such an object has at most ${maxBytesOf(path)}.`;
        throw new EvidenceError(path, reason);
      }
      return Buffer.from(await Body.transformToByteArray());
    },
    list: (path) => pathsUnder(s3, bucket, prefix, path),
  };
}

async function* pathsUnder(s3: S3Client, bucket: string, prefix: string, path: string): AsyncGenerator<string> {
  for await (const { path: key } of objectsUnder(s3, bucket, `${prefix}${path}`)) yield key.slice(prefix.length);
}
