/** A ledger on the embedded AWS with its log of proofs: the sealer runs in the test's process and receives changes in the form of streams. */

import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { CreateKeyCommand } from "@aws-sdk/client-kms";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { shapeOf } from "../../../backup/export-lines";
import { LOG_STATE, PIECES_PREFIXES, TABLES, type TableId } from "../../../contract";
import { s3Evidence } from "../../../evidence/checks/s3-evidence";
import type { SweepSettings } from "../../../evidence/checks/sweep-operation";
import { checkpointMemory, memoryBeside } from "../../../evidence/checks/swept-checkpoints";
import { verifierKeysOf } from "../../../evidence/checks/verification";
import { keyValuesOf } from "../../../evidence/log/identity";
import { type Log, openLog } from "../../../evidence/sealing/append";
import { evidenceBucket } from "../../../evidence/sealing/evidence-bucket";
import { publishCheckpoint } from "../../../evidence/sealing/publish-checkpoint";
import { sealAuditTrail } from "../../../evidence/sealing/seal";
import { checkpointSigners } from "../../../evidence/sealing/signers";
import { persistPayments } from "../../../ledger/operations/persist-payments";
import { type ItemJson, toItemJson } from "../../../ledger/rules/attribute-value";
import type { StoredItem } from "../../../ledger/rules/stored-item";
import type { EmbeddedAws } from "../../../local/embedded-aws";
import { type Harness, paymentInput, startHarness, type TableName } from "../../support/ledger-harness";

export const ORIGIN = "payment-ledger/us-east-1/111122223333/test";
export const EVIDENCE_BUCKET = "payment-evidence-test";
export const PIECES_BUCKET = "payment-exports-pieces-test";
export const LOG_TABLE = "payment-log-state-test";
const MINUTE = 60_000;

const TABLE_IDS: Readonly<Record<TableName, TableId>> = {
  ledger: "paymentLedger",
  audit: "paymentAuditTrail",
  messages: "paymentMessages",
  transactions: "paymentTransactions",
  events: "paymentEvents",
};

/** Whether the stream loses this item's change, as in an outage. */
export type Lost = (table: TableName, key: readonly string[]) => boolean;

interface KnownItem {
  readonly item: ItemJson;
  readonly text: string;
}

export class SealedLedger {
  /** Logged codes of the sweep. */
  readonly reported: string[] = [];
  /** Each item as the sealer received it last, with its JSON. */
  private readonly known = new Map<string, KnownItem>();
  private sequence = 100_000_000_000_000_000_000n;

  private constructor(
    readonly harness: Harness,
    readonly keyArn: string,
    readonly log: Log,
  ) {}

  static async start(own?: EmbeddedAws): Promise<SealedLedger> {
    const harness = await startHarness(own);
    const { s3 } = harness;
    for (const Bucket of [EVIDENCE_BUCKET, PIECES_BUCKET]) await s3.send(new CreateBucketCommand({ Bucket }));
    const { dynamo } = harness.services;
    const { partitionKey, sortKey } = LOG_STATE;
    await dynamo.send(
      new CreateTableCommand({
        TableName: LOG_TABLE,
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [partitionKey, sortKey].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
        KeySchema: [
          { AttributeName: partitionKey, KeyType: "HASH" },
          { AttributeName: sortKey, KeyType: "RANGE" },
        ],
      }),
    );
    const { KeyMetadata } = await harness.kms.send(
      new CreateKeyCommand({ KeySpec: "ECC_NIST_EDWARDS25519", KeyUsage: "SIGN_VERIFY" }),
    );
    const log = openLog({ dynamo, tableName: LOG_TABLE, origin: ORIGIN });
    return new SealedLedger(harness, KeyMetadata?.Arn ?? "", log);
  }

  stop(): Promise<void> {
    return this.harness.stop();
  }

  get s3() {
    return this.harness.s3;
  }

  /** Records payments at that moment of the ledger's clock. */
  async record(count: number, at: Date): Promise<string[]> {
    const payments = Array.from({ length: count }, () => paymentInput({ Timestamp: at.toISOString() }));
    const answer = await persistPayments(
      payments,
      this.harness.call("persist_payment_ledger", at),
      this.harness.services,
    );
    expect(answer).toMatchObject({ counts: { stored: count } });
    return payments.map(({ TransactionID }) => TransactionID);
  }

  /** Tells the sealer what changed since the last time, and publishes a checkpoint. */
  async seal(at: Date, lost: Lost = () => false): Promise<void> {
    for (const table of Object.keys(TABLE_IDS) as TableName[]) {
      const records = await this.changes(table, lost);
      if (records.length > 0) await this.sealer({ Records: records }, at);
    }
    const settings = {
      ...this.settings,
      evidence: this.bucket,
      signers: checkpointSigners(this.harness.kms, [this.keyArn], ORIGIN),
      clock: () => at,
      streams: [],
    };
    const call = this.harness.call("publish_checkpoint", at);
    await publishCheckpoint({ kind: "heartbeat" }, call, this.harness.services, settings);
  }

  /** Delivers what the stream had lost: the item as it was when it was new. */
  async tellAgain(table: TableName, id: string): Promise<void> {
    const now = toItemJson(await this.item(table, id)) as ItemJson;
    await this.sealer({ Records: [this.streamRecord(table, undefined, now)] }, new Date());
  }

  /** Invokes the sealer with a removal of the payment, which is there, and a removal and a forgery of one that never was. */
  async makeUp(id: string, at: Date): Promise<void> {
    const image = toItemJson(await this.item("ledger", id)) as ItemJson;
    const never = { TransactionID: { S: "never-was" } };
    const Records = [
      this.streamRecord("ledger", image, undefined),
      this.streamRecord("ledger", never, undefined),
      this.streamRecord("ledger", undefined, never),
    ];
    await this.sealer({ Records }, at);
  }

  private get bucket() {
    return evidenceBucket(this.s3, { bucket: EVIDENCE_BUCKET, keyArn: this.keyArn }, async () => {});
  }

  private get settings() {
    return { log: this.log, logLine: () => {} };
  }

  private sealer(event: unknown, at: Date): Promise<object> {
    return sealAuditTrail(event, this.harness.call("seal_audit_trail", at), this.harness.services, this.settings);
  }

  private async changes(table: TableName, lost: Lost): Promise<object[]> {
    const { logicalName } = TABLES[TABLE_IDS[table]];
    const items = (await this.harness.scan(table)).map(toItemJson) as ItemJson[];
    const found = new Map(items.map((item) => [`${table} ${keyValuesOf(logicalName, item).join(" ")}`, item]));
    const gone = [...this.known.keys()].filter((name) => name.startsWith(`${table} `) && !found.has(name));
    return [...found, ...gone.map((name) => [name, undefined] as const)].flatMap(([name, now]) => {
      const before = this.known.get(name);
      const text = JSON.stringify(now);
      if (text === before?.text) return [];
      if (now === undefined) this.known.delete(name);
      else this.known.set(name, { item: now, text });
      const isLost = lost(table, keyValuesOf(logicalName, now ?? before?.item ?? {}));
      return isLost ? [] : [this.streamRecord(table, before?.item, now)];
    });
  }

  private streamRecord(table: TableName, before: ItemJson | undefined, now: ItemJson | undefined): object {
    const { logicalName } = TABLES[TABLE_IDS[table]];
    const { keys } = shapeOf(logicalName);
    this.sequence += 1n;
    return {
      eventSource: "aws:dynamodb",
      eventSourceARN: `arn:aws:dynamodb:us-east-1:111122223333:table/${logicalName}/stream/2026-01-01T00:00:00.000`,
      eventName: before === undefined ? "INSERT" : now === undefined ? "REMOVE" : "MODIFY",
      dynamodb: {
        Keys: Object.fromEntries(keys.map(({ name }) => [name, (now ?? before)?.[name]])),
        ...(now === undefined ? {} : { NewImage: now }),
        ...(before === undefined ? {} : { OldImage: before }),
        SequenceNumber: String(this.sequence),
      },
    };
  }

  sweepSettings(): SweepSettings {
    const { dynamo } = this.harness.services;
    const evidence = s3Evidence(this.s3, EVIDENCE_BUCKET);
    return {
      evidence,
      keys: verifierKeysOf(this.harness.kms, [this.keyArn], ORIGIN),
      memory: memoryBeside(checkpointMemory(dynamo, LOG_TABLE, ORIGIN), evidence, this.bucket),
      log: openLog({ dynamo, tableName: LOG_TABLE, origin: ORIGIN }),
      pieces: {
        count: 3,
        s3: this.s3,
        bucket: PIECES_BUCKET,
        keyArn: this.keyArn,
        prefix: PIECES_PREFIXES.sweepAuditTrail,
      },
      logLine: (_requestId, code) => this.reported.push(code),
    };
  }

  /** The record under the key, to be put back or altered past the ledger. */
  async item(table: TableName, id: string): Promise<StoredItem> {
    const { logicalName } = TABLES[TABLE_IDS[table]];
    const items = await this.harness.scan(table);
    const found = items.find((item) => keyValuesOf(logicalName, toItemJson(item) as ItemJson)[0] === id);
    if (found === undefined) throw new Error(`There is no ${id} in ${table}.`);
    return found;
  }
}

export const minutesAfter = (time: Date, minutes: number) => new Date(time.getTime() + minutes * MINUTE);
