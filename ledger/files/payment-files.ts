/** The bucket of payment files: the files themselves, reports about them, and the marks from which a long file goes on. */

import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";

export interface FileVersion {
  readonly key: string;
  /** Absent only where the event named none: then the newest version is meant. */
  readonly versionId?: string;
}

export interface OpenFile {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** What S3 calls this content of the object. */
  readonly etag?: string;
}

export class PaymentFiles {
  constructor(
    private readonly s3: S3Client,
    readonly bucket: string,
  ) {}

  /**
   * Exactly the version that the event named: a file replaced meanwhile has its own event. The bytes end with an
   * error where they differ from the checksum that S3 holds of the whole object. A checksum of checksums of parts, as
   * some multipart uploads have, says nothing about the whole and is not verified.
   *
   * @param etag refuses any other content, where the event named no version.
   */
  async open({ key, versionId }: FileVersion, etag?: string): Promise<OpenFile> {
    const answer = await this.s3.send(
      new GetObjectCommand({
        Bucket: this.bucket,
        Key: key,
        VersionId: versionId,
        IfMatch: etag,
        ChecksumMode: "ENABLED",
      }),
    );
    const bytes = bodyOf(answer) as AsyncIterable<Uint8Array>;
    return answer.ETag === undefined ? { bytes } : { bytes, etag: answer.ETag };
  }

  async readText(key: string): Promise<string> {
    const answer = await this.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
    return bodyOf(answer).transformToString();
  }

  /** Undefined when there is no such object. */
  async readTextIfThere(key: string): Promise<string | undefined> {
    try {
      return await this.readText(key);
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  async writeText(key: string, text: string, contentType: "application/json" | "application/x-ndjson"): Promise<void> {
    await this.s3.send(new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: text, ContentType: contentType }));
  }

  /** False, and nothing is written, when the object exists already. */
  async writeTextOnce(key: string, text: string): Promise<boolean> {
    const put = { Bucket: this.bucket, Key: key, Body: text, ContentType: "application/json", IfNoneMatch: "*" };
    try {
      await this.s3.send(new PutObjectCommand(put));
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === "PreconditionFailed") return false;
      throw error;
    }
  }

  /** Removes the version itself: a delete marker would only hide it. */
  async remove({ key, versionId }: FileVersion): Promise<void> {
    await this.s3.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key, VersionId: versionId }));
  }
}

function bodyOf({ Body }: GetObjectCommandOutput): NonNullable<GetObjectCommandOutput["Body"]> {
  if (Body === undefined) throw new Error("S3 answered GetObject without a body.");
  return Body;
}
