/**
 * The evidence in its bucket. Everything but the newest checkpoint is put once and never again; every put is conditional,
 * and one whose answer was lost finds its own object, which has equal bytes.
 */

import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { EVIDENCE_PREFIX } from "../../contract";
import { PACKS_PREFIX } from "../log/paths";
import { SealingError } from "./errors";

export interface EvidenceFile {
  /** Below the evidence folder. */
  readonly path: string;
  readonly bytes: Buffer;
}

export interface ReadFile {
  readonly bytes: Buffer;
  /** What `replace` must find unchanged. */
  readonly version: string;
}

/** The bucket, and the key that it keeps its objects under. */
export interface EvidencePlace {
  readonly bucket: string;
  /** Every put names it: the bucket's default could be changed to a key that somebody else can destroy. */
  readonly keyArn: string;
}

export interface EvidenceBucket {
  /** Puts the file if its path is free. @returns the stored file when the path is taken. */
  putOnce(file: EvidenceFile): Promise<Buffer | undefined>;
  read(path: string): Promise<ReadFile | undefined>;
  /** Whether it was there and somebody deleted it: its versions lie below a delete marker. */
  isDeleted(path: string): Promise<boolean>;
  /** Paths that begin with the prefix and come behind `after`, in the order of their names; page by page, as they are taken. */
  listAfter(prefix: string, after: string): AsyncIterable<string>;
  /**
   * @param version of what was read; absent when there was nothing.
   * @returns the version of what was put; undefined when somebody else has replaced the file since.
   */
  replace(file: EvidenceFile, version: string | undefined): Promise<string | undefined>;
}

/** Other conditional puts of the same object may be under way; S3 asks to come again. */
const ATTEMPTS_MAX = 5;

export function evidenceBucket(
  s3: S3Client,
  { bucket, keyArn }: EvidencePlace,
  pause: (attempt: number) => Promise<void>,
): EvidenceBucket {
  const encryption = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: keyArn, BucketKeyEnabled: true } as const;
  const read: EvidenceBucket["read"] = async (path) => {
    try {
      const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: `${EVIDENCE_PREFIX}${path}` }));
      if (answer.Body === undefined || answer.ETag === undefined) throw new Error("S3 answered without an object.");
      return { bytes: Buffer.from(await answer.Body.transformToByteArray()), version: answer.ETag };
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  };
  /** @returns the new version; undefined when the condition failed. */
  const put = async ({ path, bytes }: EvidenceFile, condition: { IfMatch: string } | { IfNoneMatch: "*" }) => {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      const object = { Bucket: bucket, Key: `${EVIDENCE_PREFIX}${path}`, Body: bytes, ContentType: contentType(path) };
      const answer = await answerOf(s3.send(new PutObjectCommand({ ...object, ...encryption, ...condition })));
      if (answer !== "busy") return answer === "refused" ? undefined : answer.version;
      await pause(attempt);
    }
    throw new SealingError(
      "EVIDENCE_BUSY",
      "Other conditional writes of the same object were under way at every attempt. It is tried again with the next heartbeat.",
    );
  };
  return {
    read,
    isDeleted: (path) => hasDeleteMarker(s3, bucket, `${EVIDENCE_PREFIX}${path}`),
    listAfter: (prefix, after) => pathsAfter(s3, bucket, prefix, after),
    putOnce: async (file) => {
      for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
        if ((await put(file, { IfNoneMatch: "*" })) !== undefined) return undefined;
        const standing = await read(file.path);
        if (standing !== undefined) return standing.bytes;
      }
      throw new SealingError(
        "EVIDENCE_BUSY",
        `${file.path} is there and is gone again at every look. Find out who removes it.`,
      );
    },
    replace: (file, version) => put(file, version === undefined ? { IfNoneMatch: "*" } : { IfMatch: version }),
  };
}

async function* pathsAfter(s3: S3Client, bucket: string, prefix: string, after: string): AsyncGenerator<string> {
  let token: string | undefined;
  do {
    const page: ListObjectsV2CommandOutput = await s3.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: `${EVIDENCE_PREFIX}${prefix}`,
        StartAfter: `${EVIDENCE_PREFIX}${after}`,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
    );
    for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key.slice(EVIDENCE_PREFIX.length);
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

async function hasDeleteMarker(s3: S3Client, bucket: string, key: string): Promise<boolean> {
  try {
    await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return false;
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    return error.$response?.headers["x-amz-delete-marker"] === "true";
  }
}

/** 412: the condition failed. 404: there is nothing to match. 409: another conditional put of the object is under way. */
async function answerOf(
  sending: Promise<{ readonly ETag?: string | undefined }>,
): Promise<{ readonly version: string } | "refused" | "busy"> {
  try {
    const { ETag } = await sending;
    if (ETag === undefined) throw new Error("S3 answered PutObject without an ETag.");
    return { version: ETag };
  } catch (error) {
    const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
    if (status === 412 || error instanceof NoSuchKey) return "refused";
    if (status === 409) return "busy";
    throw error;
  }
}

function contentType(path: string): string {
  return path.startsWith("tile/") || path.startsWith(PACKS_PREFIX)
    ? "application/octet-stream"
    : "text/plain; charset=utf-8";
}
