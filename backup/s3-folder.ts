/** A folder of exports in a bucket. */

import { GetObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import type { ExportFolder, FolderFile } from "../ledger/exports/folder";

/** Everything under the prefixes of a bucket; paths are whole keys. */
export function s3Folder(s3: S3Client, bucket: string, prefixes: readonly string[]): ExportFolder {
  return {
    name: `s3://${bucket}/${prefixes.length === 1 ? prefixes[0] : ""}`,
    list: async function* () {
      for (const prefix of prefixes) yield* objectsUnder(s3, bucket, prefix);
    },
    open: async (path) => {
      const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: path }));
      if (answer.Body === undefined) throw new Error("S3 answered GetObject without a body.");
      return answer.Body as AsyncIterable<Uint8Array>;
    },
  };
}

/** Every object whose key begins with the prefix; paths are whole keys. */
export async function* objectsUnder(s3: S3Client, bucket: string, prefix: string): AsyncGenerator<FolderFile> {
  let next: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...(next && { ContinuationToken: next }) }),
    );
    for (const { Key, Size = 0, ETag } of page.Contents ?? []) {
      if (Key !== undefined) yield { path: Key, bytes: Size, ...(ETag && { etag: ETag.replaceAll('"', "") }) };
    }
    next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (next !== undefined);
}
