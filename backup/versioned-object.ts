/** A text that lies in S3 under a version: it is replaced only where nobody else has replaced it since it was read. */

import { NoSuchKey, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { objectAt } from "./s3-folder";

interface VersionedText {
  readonly text: string;
  /** What the next put must find unchanged. */
  readonly version: string;
}

/** Undefined if it does not exist. */
export async function readVersioned(s3: S3Client, bucket: string, key: string): Promise<VersionedText | undefined> {
  const found = await objectAt(s3, bucket, key);
  if (found === undefined) return undefined;
  if (found.ETag === undefined) throw new Error("S3 answered GetObject without an ETag.");
  return { text: await found.Body.transformToString("utf-8"), version: found.ETag };
}

/**
 * @param version that was read; undefined where there must be none.
 * @returns the new version, or undefined when the object is not as it was read.
 */
export async function putVersioned(
  s3: S3Client,
  bucket: string,
  key: string,
  text: string,
  version: string | undefined,
): Promise<string | undefined> {
  const condition = version === undefined ? { IfNoneMatch: "*" } : { IfMatch: version };
  const object = { Bucket: bucket, Key: key, Body: text, ContentType: "application/json" };
  try {
    const answer = await s3.send(new PutObjectCommand({ ...object, ...condition }));
    if (answer.ETag === undefined) throw new Error("S3 answered PutObject without an ETag.");
    return answer.ETag;
  } catch (error) {
    if (isConflict(error)) return undefined;
    throw error;
  }
}

/** 412: the object is not the one that was read, or there is one. 404: it is gone. 409: another conditional write is under way. */
export function isConflict(error: unknown): boolean {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return status === 412 || status === 409 || (error instanceof NoSuchKey && status === 404);
}

/** What the text says, for a schema to judge; undefined for a text that is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
