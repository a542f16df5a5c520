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

/** Tiles that wait to be asked for; the verifier has fewer bundles under way. */
const TILES_AHEAD_MAX = 64;

/**
 * The same evidence for one verification. It reads each bundle of entries, some ahead, and then the tile of their hashes:
 * fetched with its bundle, the tile is there when its turn comes. A bucket takes tens of milliseconds for each.
 */
export function withTilesAhead(evidence: EvidenceFolder): EvidenceFolder {
  const ahead = new Map<string, Promise<Buffer | undefined>>();
  return {
    name: evidence.name,
    list: (prefix) => evidence.list(prefix),
    read: (path) => {
      const [, bundle] = /^tile\/entries\/((?:x[0-9]{3}\/)*[0-9]{3})$/.exec(path) ?? [];
      if (bundle !== undefined) {
        const tile = evidence.read(`tile/0/${bundle}`);
        // The reader of this file gets its error; it may have no reader.
        tile.catch(() => {});
        ahead.set(`tile/0/${bundle}`, tile);
        const [oldest] = ahead.keys();
        if (ahead.size > TILES_AHEAD_MAX && oldest !== undefined) ahead.delete(oldest);
      }
      const fetched = ahead.get(path);
      ahead.delete(path);
      return fetched ?? evidence.read(path);
    },
  };
}
