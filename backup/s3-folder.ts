/** Objects of a bucket: a folder of exports, a list of objects, one object. */

import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListObjectsV2Command,
  NoSuchKey,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { ExportFolder, FolderFile } from "../ledger/exports/folder";

/** Everything under the prefixes of a bucket; paths are whole keys. */
export function s3Folder(s3: S3Client, bucket: string, prefixes: readonly string[]): ExportFolder {
  return {
    name: `s3://${bucket}/${prefixes.length === 1 ? prefixes[0] : ""}`,
    list: async function* () {
      for (const prefix of prefixes) yield* objectsUnder(s3, bucket, prefix);
    },
    open: async (path) => (await readObject(s3, bucket, path)).Body as AsyncIterable<Uint8Array>,
  };
}

/** The object under a key, its body still to be read; undefined when no object has the key. */
export async function objectAt(s3: S3Client, bucket: string, key: string): Promise<ReadObject | undefined> {
  try {
    return await readObject(s3, bucket, key);
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

type ReadObject = GetObjectCommandOutput & { readonly Body: NonNullable<GetObjectCommandOutput["Body"]> };

/** @throws NoSuchKey */
async function readObject(s3: S3Client, bucket: string, key: string): Promise<ReadObject> {
  const { Body, ...answer } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  if (Body === undefined) throw new Error("S3 answered GetObject without a body.");
  return { ...answer, Body };
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
