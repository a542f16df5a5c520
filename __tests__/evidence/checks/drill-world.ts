/** A sealed ledger whose tables were exported, and the restore drill over it, as the function runs it. */

import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { ListTablesCommand, UpdateContinuousBackupsCommand } from "@aws-sdk/client-dynamodb";
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { exportTables } from "../../../backup/export-operation";
import { dynamoExportService } from "../../../backup/export-service";
import { s3StateStore } from "../../../backup/state-store";
import { DRILL_TABLE_PREFIX, TABLES } from "../../../contract";
import {
  type DrillOperationSettings,
  type DrillResponse,
  drillRestore,
} from "../../../evidence/checks/drill-operation";
import { s3DrillBucket } from "../../../evidence/checks/drill-state";
import { drillTables, scratchNameOf } from "../../../evidence/checks/drill-tables";
import { s3Evidence } from "../../../evidence/checks/s3-evidence";
import { verifierKeysOf } from "../../../evidence/checks/verification";
import type { StoredItem } from "../../../ledger/rules/stored-item";
import { textOf } from "../../../ledger/rules/stored-item";
import { writeRequestedExports } from "../../../local/export-stand-in";
import { EVIDENCE_BUCKET, ORIGIN, SealedLedger } from "./sealed-ledger";

export const EXPORT_BUCKET = "payment-exports-drill";
const KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
const DAY = 24 * 60 * 60 * 1000;
const STEPS_MAX = 60;

/** The embedded AWS takes a second for an import. */
export const importsEnd = () => delay(1_100);

export const tables = Object.values(TABLES).map(({ logicalName }) => ({
  table: logicalName,
  arn: `arn:aws:dynamodb:us-east-1:111122223333:table/${logicalName}`,
}));

export class DrillWorld {
  readonly logged: string[] = [];
  /** Of the objects that a test has changed, what they held before. */
  private readonly bytesBefore = new Map<string, Buffer>();
  /** The ledger's clock: far enough in the past that recovery reaches everything. */
  private readonly start = Date.now() - 30 * DAY;

  private constructor(readonly ledger: SealedLedger) {}

  static async start(): Promise<DrillWorld> {
    const ledger = await SealedLedger.start();
    await ledger.s3.send(new CreateBucketCommand({ Bucket: EXPORT_BUCKET }));
    for (const { table } of tables) {
      const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
      await ledger.harness.services.dynamo.send(
        new UpdateContinuousBackupsCommand({ TableName: table, PointInTimeRecoverySpecification }),
      );
    }
    return new DrillWorld(ledger);
  }

  stop(): Promise<void> {
    return this.ledger.stop();
  }

  day(days: number): Date {
    return new Date(this.start + days * DAY);
  }

  /** A full export of everything that was recorded, and sealed, until then. */
  async exportAll(days: number): Promise<void> {
    await this.ledger.seal(this.day(days - 0.01));
    const { services } = this.ledger.harness;
    const service = dynamoExportService(services.dynamo, EXPORT_BUCKET, KEY_ARN);
    const settings = { tables, service, states: s3StateStore(this.ledger.s3, EXPORT_BUCKET), logLine: () => {} };
    const call = this.ledger.harness.call("export_tables", this.day(days));
    await exportTables({ kind: "full" }, call, services, settings);
    await writeRequestedExports({ dynamo: services.dynamo, s3: this.ledger.s3, filesOfExport: 2 });
    await this.ledger.seal(this.day(days + 0.01));
  }

  settings(overrides: Partial<DrillOperationSettings> = {}): DrillOperationSettings {
    const { harness, s3, keyArn } = this.ledger;
    const { dynamo } = harness.services;
    return {
      tables,
      exports: { s3, bucket: EXPORT_BUCKET },
      state: s3DrillBucket(s3, EXPORT_BUCKET),
      dynamo,
      scratch: drillTables(dynamo),
      scratchName: scratchNameOf,
      evidence: s3Evidence(s3, EVIDENCE_BUCKET),
      keys: verifierKeysOf(harness.kms, [keyArn], ORIGIN),
      everyDays: 3,
      logLine: (_requestId, code) => this.logged.push(code),
      ...overrides,
    };
  }

  step(kind: string, days: number, settings = this.settings()): Promise<DrillResponse> {
    const { harness } = this.ledger;
    const call = harness.call("drill_restore", this.day(days));
    return drillRestore({ kind }, call, harness.services, settings) as Promise<DrillResponse>;
  }

  /** Steps, as its schedule would, until no drill is under way. */
  async finish(days: number, settings = this.settings()): Promise<DrillResponse> {
    for (let count = 0; count < STEPS_MAX; count++) {
      const answer = await this.step("step", days, settings);
      if (answer.outcome === "idle") return answer;
      if (answer.outcome === "importing") await importsEnd();
    }
    throw new Error("The drill does not end.");
  }

  async drill(days: number): Promise<DrillResponse> {
    const begun = await this.step("start", days);
    return begun.outcome === "idle" ? begun : this.finish(days);
  }

  /** What the run signals. */
  async signals(run: () => Promise<unknown>): Promise<string[]> {
    const before = this.ledger.harness.signals.length;
    await run();
    return this.ledger.harness.signals.slice(before);
  }

  async tableNames(): Promise<string[]> {
    const { TableNames = [] } = await this.ledger.harness.services.dynamo.send(new ListTablesCommand({}));
    return TableNames.sort();
  }

  async scratchTables(): Promise<string[]> {
    return (await this.tableNames()).filter((name) => name.startsWith(DRILL_TABLE_PREFIX));
  }

  async drillRecords(): Promise<StoredItem[]> {
    return (await this.ledger.harness.scan("audit")).filter((item) => textOf(item, "Action") === "RESTORE_DRILL");
  }

  async object(key: string): Promise<string> {
    const answer = await this.ledger.s3.send(new GetObjectCommand({ Bucket: EXPORT_BUCKET, Key: key }));
    return (await answer.Body?.transformToString()) ?? "";
  }

  async bytes(key: string): Promise<Buffer> {
    const answer = await this.ledger.s3.send(new GetObjectCommand({ Bucket: EXPORT_BUCKET, Key: key }));
    return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
  }

  async objectKeys(prefix: string): Promise<string[]> {
    const answer = await this.ledger.s3.send(new ListObjectsV2Command({ Bucket: EXPORT_BUCKET, Prefix: prefix }));
    return (answer.Contents ?? []).map(({ Key = "" }) => Key);
  }

  /** Puts other bytes under a key of the export bucket. */
  async putObject(key: string, body: string | Uint8Array): Promise<void> {
    await this.keepBytes(key);
    // The SDK asks about the length of an empty text.
    const ContentLength = Buffer.byteLength(body);
    await this.ledger.s3.send(new PutObjectCommand({ Bucket: EXPORT_BUCKET, Key: key, Body: body, ContentLength }));
  }

  async removeObjects(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.keepBytes(key);
    const Objects = keys.map((Key) => ({ Key }));
    await this.ledger.s3.send(new DeleteObjectsCommand({ Bucket: EXPORT_BUCKET, Delete: { Objects } }));
  }

  private async keepBytes(key: string): Promise<void> {
    if (!this.bytesBefore.has(key)) this.bytesBefore.set(key, await this.bytes(key));
  }

  /** Takes back what `putObject`, `removeObjects` and `forgeExport` did. */
  async restoreObjects(): Promise<void> {
    for (const [Key, Body] of this.bytesBefore) {
      await this.ledger.s3.send(new PutObjectCommand({ Bucket: EXPORT_BUCKET, Key, Body }));
    }
    this.bytesBefore.clear();
  }

  /**
   * Changes the lines of the newest export's files of a table as a forger would: all checksums and counts agree afterwards.
   * @param exportTime what the export calls itself from then on.
   */
  async forgeExport(table: string, change: (line: string) => string[], exportTime?: string): Promise<void> {
    const keys = await this.objectKeys(`exports/${table}/full/`);
    const newest = keys
      .map((key) => key.split("/")[3] ?? "")
      .sort()
      .at(-1);
    const own = keys.filter((key) => key.includes(`/${newest}/`));
    const files = new Map<string, { md5Checksum: string; itemCount: number }>();
    for (const key of own.filter((each) => each.endsWith(".json.gz"))) {
      const lines = gunzipSync(await this.bytes(key))
        .toString("utf8")
        .split("\n")
        .filter(Boolean)
        .flatMap(change);
      const body = gzipSync(lines.map((line) => `${line}\n`).join(""));
      await this.putObject(key, body);
      files.set(key, { md5Checksum: createHash("md5").update(body).digest("base64"), itemCount: lines.length });
    }
    const total = [...files.values()].reduce((sum, { itemCount }) => sum + itemCount, 0);
    const edit = (ending: string, change_: (text: string) => string) => this.forgeManifest(own, ending, change_);
    await edit("manifest-files.json", (text) =>
      text
        .split("\n")
        .filter(Boolean)
        .map((line) => {
          const file = JSON.parse(line) as { dataFileS3Key: string };
          return `${JSON.stringify({ ...file, ...files.get(file.dataFileS3Key) })}\n`;
        })
        .join(""),
    );
    await edit("manifest-summary.json", (text) => {
      const counted = text.replace(/"itemCount":\d+/, `"itemCount":${total}`);
      return exportTime === undefined ? counted : counted.replace(/("exportTime":)"[^"]+"/, `$1"${exportTime}"`);
    });
  }

  private async forgeManifest(keys: readonly string[], ending: string, change: (text: string) => string) {
    const key = keys.find((each) => each.endsWith(ending)) ?? "";
    const text = change(await this.object(key));
    await this.putObject(key, text);
    await this.putObject(key.replace(/\.json$/, ".md5"), createHash("md5").update(text).digest("base64"));
  }
}
