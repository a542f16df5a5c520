/** Looks into the buckets, past the functions: every version of every object. */

import { gunzipSync } from "node:zlib";
import {
  GetObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type S3Client,
} from "@aws-sdk/client-s3";

export interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  /** What the object says, unpacked where it is compressed. */
  readonly text: string;
}

/** Undefined where the object does not exist. */
export async function readObject(
  s3: S3Client,
  bucket: string,
  key: string,
  versionId?: string,
): Promise<Buffer | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && ["NoSuchKey", "NoSuchVersion", "NotFound"].includes(error.name);
}

export async function everyObject(s3: S3Client, bucket: string): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  let from: Pick<ListObjectVersionsCommandOutput, "NextKeyMarker" | "NextVersionIdMarker"> = {};
  do {
    const page = await s3.send(
      new ListObjectVersionsCommand({
        Bucket: bucket,
        KeyMarker: from.NextKeyMarker,
        VersionIdMarker: from.NextVersionIdMarker,
      }),
    );
    for (const { Key: key = "", VersionId } of page.Versions ?? []) {
      const bytes = (await readObject(s3, bucket, key, VersionId)) ?? Buffer.alloc(0);
      objects.push({ bucket, key, text: textOf(bytes) });
    }
    from = page;
  } while (from.NextKeyMarker !== undefined);
  return objects;
}

function textOf(bytes: Buffer): string {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return (isGzip ? unpacked(bytes) : bytes).toString("utf8");
}

/** As it is where it is damaged, which the job does to one export on purpose. */
function unpacked(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes);
  } catch {
    return bytes;
  }
}
