/** The bucket of payment files: the files themselves, reports about them, and the marks from which a long file goes on. */

import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  NotFound,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";

export interface FileVersion {
  readonly key: string;
  /** Absent only where the event named none: then the newest version is meant. */
  readonly versionId?: string;
}

export class PaymentFiles {
  constructor(
    private readonly s3: S3Client,
    readonly bucket: string,
  ) {}

  /** Exactly the version that the event named: a file replaced meanwhile has an event of its own. */
  async open({ key, versionId }: FileVersion): Promise<AsyncIterable<Uint8Array>> {
    const answer = await this.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key: key, VersionId: versionId }));
    if (answer.Body === undefined) throw new Error("S3 answered GetObject without a body.");
    return answer.Body as AsyncIterable<Uint8Array>;
  }

  async readText(key: string): Promise<string> {
    const answer = await this.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
    return (await answer.Body?.transformToString("utf-8")) ?? "";
  }

  async exists(key: string): Promise<boolean> {
    try {
      await this.s3.send(new HeadObjectCommand({ Bucket: this.bucket, Key: key }));
      return true;
    } catch (error) {
      if (error instanceof NotFound) return false;
      throw error;
    }
  }

  async writeText(key: string, text: string, contentType: "application/json" | "application/x-ndjson"): Promise<void> {
    await this.s3.send(new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: text, ContentType: contentType }));
  }

  /** Removes the version itself: a delete marker would only hide it. */
  async remove({ key, versionId }: FileVersion): Promise<void> {
    await this.s3.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key, VersionId: versionId }));
  }
}
