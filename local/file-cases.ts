/**
 * What becomes of payment files: each file of a folder goes through the payment processor, against an embedded AWS that
 * serves all of them. Each has its own tables, so no case depends on another.
 */

import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { CreateTableCommand, DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import { CreateKeyCommand, type CreateKeyCommandInput, KMSClient } from "@aws-sdk/client-kms";
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { FILE_PREFIXES, FUNCTIONS, TABLES } from "../contract";
import { PaymentFiles } from "../ledger/files/payment-files";
import type { BadRow, FileReport } from "../ledger/files/progress";
import { runPaymentProcessor } from "../ledger/operations/payment-processor";
import { minorUnitsOf } from "../ledger/rules/currencies";
import { amountMinor } from "../ledger/rules/money";
import { deriveMacKeys, FieldEncryption } from "../ledger/store/key-material";
import type { Services } from "../ledger/store/services";
import type { EmbeddedAws } from "./embedded-aws";
import { decimalText } from "./samples/values";

const BUCKET = "payment-files-cases";
const EXPECTED = ".expected.json";
/** What a partner's file may take in Lambda. */
const TIME_MS = 15 * 60 * 1000;

export interface CaseResult {
  readonly file: string;
  readonly rows: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly conflict: number;
  readonly refused: number;
  /** Lines of the report by code. */
  readonly codes: Readonly<Record<string, number>>;
  readonly cardDataRows: number;
  /** No version of the file is left. */
  readonly removed: boolean;
  /** By currency, of what is in the table afterwards. */
  readonly sum: Readonly<Record<string, string>>;
}

/** The names of the cases in the folder, without the files of expectations, hidden files and folders. */
export function caseNames(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith(".") && !/\.expected\.[a-z]+$/.test(entry.name))
    .map((entry) => entry.name)
    .sort();
}

/** What differs from the `NAME.expected.json` beside the case; empty where that file does not exist. */
export function differences(folder: string, result: CaseResult): string[] {
  let text: string;
  try {
    text = readFileSync(path.join(folder, result.file + EXPECTED), "utf8");
  } catch {
    return [];
  }
  return Object.entries(JSON.parse(text) as Record<string, unknown>).flatMap(([name, expected]) => {
    const found = Object.entries(result).find(([each]) => each === name)?.[1];
    return isDeepStrictEqual(found, expected)
      ? []
      : [`${result.file}: ${name} is ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`];
  });
}

export class FileCases {
  private cases = 0;

  private constructor(
    private readonly dynamo: DynamoDBClient,
    private readonly kms: KMSClient,
    private readonly s3: S3Client,
    private readonly keys: { readonly fields: string; readonly mac: string },
  ) {}

  static async start(aws: EmbeddedAws): Promise<FileCases> {
    const config = aws.clientConfig();
    const [kms, s3] = [new KMSClient(config), new S3Client({ ...config, forcePathStyle: true })];
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    await s3.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration: { Status: "Enabled" } }));
    const keys = {
      fields: await createKey(kms, { KeySpec: "SYMMETRIC_DEFAULT" }),
      mac: await createKey(kms, { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" }),
    };
    return new FileCases(new DynamoDBClient(config), kms, s3, keys);
  }

  stop(): void {
    for (const client of [this.dynamo, this.kms, this.s3]) client.destroy();
  }

  /** A file is sent as it is. Each line of a `.txt` file is a key under which a small sound file is sent. */
  async run(folder: string, name: string): Promise<CaseResult> {
    const bytes = readFileSync(path.join(folder, name));
    const services = await this.freshServices();
    const sent = name.endsWith(".txt")
      ? bytes
          .toString("utf8")
          .split(/\r?\n/)
          .filter((line) => line !== "")
          .map(soundFile)
      : [{ key: `${FILE_PREFIXES.payments}${name}`, body: bytes }];
    const results: Awaited<ReturnType<FileCases["process"]>>[] = [];
    for (const { key, body } of sent) results.push(await this.process(key, body, services));
    const total = (of: (result: (typeof results)[number]) => number) =>
      results.reduce((sum, each) => sum + of(each), 0);
    return {
      file: name,
      rows: total(({ rows }) => rows),
      stored: total(({ counts }) => counts.stored),
      duplicate: total(({ counts }) => counts.duplicate),
      conflict: total(({ counts }) => counts.conflict),
      refused: total(({ counts }) => counts.refused),
      codes: countsOf(results.flatMap(({ codes }) => codes)),
      cardDataRows: total(({ cardDataRows }) => cardDataRows),
      removed: results.length > 0 && results.every(({ removed }) => removed),
      sum: await this.sums(services.tables.paymentTransactions),
    };
  }

  private async process(key: string, body: string | Uint8Array, services: Services) {
    const { VersionId } = await this.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body }));
    const requestId = randomUUID();
    const functionName = FUNCTIONS.paymentProcessor.name;
    const call = {
      operation: functionName,
      caller: { requestId, functionName },
      now: new Date(),
      remainingMs: () => TIME_MS,
    };
    const files = new PaymentFiles(this.s3, BUCKET);
    const answer = await runPaymentProcessor(s3Event(key, VersionId), call, services, {
      files,
      removeCardDataFiles: true,
    });
    const removed = !(await this.isThere(key, VersionId));
    if (answer.statusCode !== 200) {
      const { code } = JSON.parse(answer.body) as { code: string };
      const counts = { stored: 0, duplicate: 0, conflict: 0, refused: 1 };
      return { rows: 0, counts, codes: [code], cardDataRows: 0, removed };
    }
    const report = JSON.parse(
      await this.read(`${FILE_PREFIXES.reports}${key}/${VersionId}/summary.json`),
    ) as FileReport;
    const parts = await Promise.all(report.badRows.map((part) => this.read(part)));
    const lines = parts.flatMap((part) => part.trimEnd().split("\n"));
    return { ...report, codes: lines.map((line) => (JSON.parse(line) as BadRow).code), removed };
  }

  private async read(key: string): Promise<string> {
    const answer = await this.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
    return (await answer.Body?.transformToString("utf8")) ?? "";
  }

  private async isThere(key: string, versionId: string | undefined): Promise<boolean> {
    try {
      await this.s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key, VersionId: versionId }));
      return true;
    } catch (error) {
      if (error instanceof Error && ["NotFound", "NoSuchVersion"].includes(error.name)) return false;
      throw error;
    }
  }

  private async freshServices(): Promise<Services> {
    this.cases += 1;
    const suffix = `-${this.cases}`;
    const { paymentAuditTrail } = TABLES;
    for (const table of Object.values(TABLES)) await createTable(this.dynamo, table, suffix);
    const fields = { kms: this.kms, keyArn: this.keys.fields, hierarchy: "shared" as const };
    const macKeys = deriveMacKeys(this.kms, this.keys.mac);
    const names = Object.entries(TABLES).map(([id, { logicalName }]) => [id, logicalName + suffix]);
    return {
      dynamo: this.dynamo,
      tables: Object.fromEntries(names) as Services["tables"],
      tokenFields: new FieldEncryption({ ...fields, table: TABLES.paymentLedger.logicalName }),
      auditFields: new FieldEncryption({ ...fields, table: paymentAuditTrail.logicalName }),
      macKeys: () => macKeys,
      indexShardCount: 1,
      signal: () => undefined,
      logFault: () => undefined,
    };
  }

  private async sums(tableName: string): Promise<Record<string, string>> {
    const sums = new Map<string, bigint>();
    for await (const page of paginateScan({ client: this.dynamo }, { TableName: tableName, ConsistentRead: true })) {
      for (const { currency, amount } of page.Items ?? []) {
        const code = currency?.S ?? "";
        sums.set(code, (sums.get(code) ?? 0n) + amountMinor(amount?.S ?? ""));
      }
    }
    return Object.fromEntries(
      [...sums].sort().map(([code, minor]) => [code, decimalText(minor, minorUnitsOf(code) ?? 0)]),
    );
  }
}

function soundFile(key: string, index: number): { key: string; body: string } {
  const payment = { transactionId: `case-${index + 1}`, amount: "1.00", currency: "EUR", cardLast4: "4242" };
  return { key, body: JSON.stringify(payment) };
}

function countsOf(codes: readonly string[]): Record<string, number> {
  const distinct = [...new Set(codes)].sort();
  return Object.fromEntries(distinct.map((code) => [code, codes.filter((each) => each === code).length]));
}

/** As S3 writes it: keys are encoded like a URL's query. */
function s3Event(key: string, versionId: string | undefined): object {
  const encoded = encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/");
  const s3 = { bucket: { name: BUCKET }, object: { key: encoded, versionId } };
  return { Records: [{ eventSource: "aws:s3", eventName: "ObjectCreated:Put", s3 }] };
}

interface TableShape {
  readonly logicalName: string;
  readonly partitionKey: string;
  readonly sortKey?: { readonly name: string; readonly type: "N" | "S" };
}

/** The keys alone: what becomes of a file needs no index. */
async function createTable(dynamo: DynamoDBClient, table: TableShape, suffix: string): Promise<void> {
  const keys = [
    { name: table.partitionKey, type: "S" as const },
    ...(table.sortKey === undefined ? [] : [table.sortKey]),
  ];
  await dynamo.send(
    new CreateTableCommand({
      TableName: table.logicalName + suffix,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: keys.map(({ name, type }) => ({ AttributeName: name, AttributeType: type })),
      KeySchema: keys.map(({ name }, index) => ({ AttributeName: name, KeyType: index === 0 ? "HASH" : "RANGE" })),
    }),
  );
}

async function createKey(kms: KMSClient, input: CreateKeyCommandInput): Promise<string> {
  const answer = await kms.send(new CreateKeyCommand(input));
  if (answer.KeyMetadata?.Arn === undefined) throw new Error("KMS created a key without an ARN.");
  return answer.KeyMetadata.Arn;
}
