/**
 * Imports of DynamoDB as AWS documents them, for what the embedded AWS does otherwise. The tables are the embedded AWS's own.
 * - A name that is taken is refused before the client token is looked at, also when the same request made that table.
 * - A prefix without objects, and an object of no bytes, are imports of nothing.
 * - A line that is no item is an error, and the rest of its file is left out.
 */

import { gunzipSync } from "node:zlib";
import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeImportCommand,
  type DynamoDBClient,
  ImportTableCommand,
  type ImportTableCommandInput,
  PutItemCommand,
  ResourceInUseException,
} from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";

export class DocumentedImport {
  readonly requests: ImportTableCommandInput[] = [];
  /** Answers of imports that are lost on their way back, from now on. */
  lostAnswers = 0;
  private readonly tables = new Set<string>();
  private readonly errorCounts = new Map<string, number>();

  constructor(
    private readonly dynamo: DynamoDBClient,
    private readonly s3: S3Client,
  ) {}

  /** A client whose imports are these; everything else goes to the embedded AWS. */
  client(): DynamoDBClient {
    const send = async (command: unknown) => {
      if (command instanceof ImportTableCommand) return this.importTable(command.input);
      if (command instanceof DescribeImportCommand) return this.describeImport(command.input.ImportArn ?? "");
      if (command instanceof DeleteTableCommand) this.tables.delete(command.input.TableName ?? "");
      return this.dynamo.send(command as DeleteTableCommand);
    };
    return { send } as unknown as DynamoDBClient;
  }

  private async importTable(request: ImportTableCommandInput) {
    this.requests.push(request);
    const { TableName = "", ...rest } = request.TableCreationParameters ?? {};
    if (this.tables.has(TableName)) {
      throw new ResourceInUseException({ message: `Table already exists: ${TableName}`, $metadata: {} });
    }
    this.tables.add(TableName);
    await this.dynamo.send(new CreateTableCommand({ TableName, ...rest } as CreateTableCommand["input"]));
    const ImportArn = `arn:aws:dynamodb:us-east-1:111122223333:table/${TableName}/import/${this.requests.length}`;
    this.errorCounts.set(ImportArn, await this.fill(TableName, request));
    if (this.lostAnswers > 0) {
      this.lostAnswers -= 1;
      throw new Error("socket hang up");
    }
    return { ImportTableDescription: { ImportArn } };
  }

  private describeImport(importArn: string) {
    const ErrorCount = this.errorCounts.get(importArn);
    return { ImportTableDescription: { ImportStatus: "COMPLETED", ErrorCount } };
  }

  /** @returns the number of errors. */
  private async fill(TableName: string, { S3BucketSource: source }: ImportTableCommandInput): Promise<number> {
    const Bucket = source?.S3Bucket;
    const { Contents = [] } = await this.s3.send(new ListObjectsV2Command({ Bucket, Prefix: source?.S3KeyPrefix }));
    let errors = 0;
    for (const { Key } of Contents) {
      const { Body } = await this.s3.send(new GetObjectCommand({ Bucket, Key }));
      const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
      const lines = bytes.length === 0 ? [] : gunzipSync(bytes).toString("utf8").split("\n").filter(Boolean);
      for (const line of lines) {
        try {
          await this.dynamo.send(new PutItemCommand({ TableName, Item: JSON.parse(line, revived).Item }));
        } catch {
          errors += 1;
          break;
        }
      }
    }
    return errors;
  }
}

/** Binary values travel as base64 in files, and as bytes in the SDK. */
function revived(name: string, value: unknown): unknown {
  return name === "B" && typeof value === "string" ? Buffer.from(value, "base64") : value;
}
