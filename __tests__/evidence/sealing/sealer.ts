/** A sealer and a publisher as execution environments of their functions, over any AWS: what they know is gone when they are. */

import type { RecordEntry } from "../../../evidence/log/entry";
import { openLog } from "../../../evidence/sealing/append";
import { evidenceBucket } from "../../../evidence/sealing/evidence-bucket";
import {
  type PublishCheckpointResponse,
  type PublishCheckpointSettings,
  publishCheckpoint,
} from "../../../evidence/sealing/publish-checkpoint";
import { type SealResponse, sealAuditTrail } from "../../../evidence/sealing/seal";
import { checkpointSigners } from "../../../evidence/sealing/signers";
import type { Call } from "../../../ledger/operations/call";
import type { Services, Signal } from "../../../ledger/store/services";
import { stubCall, stubServices } from "../../ledger/rules/stub-services";
import type { StreamRecord } from "./changes";
import type { Clients } from "./fake-aws";

export const ORIGIN = "payment-ledger/us-east-1/111122223333/test";

/** Entries of the log by number: the same number is the same entry. */
export const entry = (number: number, changes: Partial<RecordEntry> = {}): RecordEntry => ({
  kind: "RECORD",
  table: "PaymentLedger",
  key: [`txn-${number}`],
  version: "1",
  sequence: String(number),
  commitment: "c".repeat(43),
  previous: "",
  ...changes,
});

/** Where the log lies, and who reaches it how. */
export interface World {
  clients(): Clients;
  readonly tableName: string;
  readonly bucket: string;
  readonly keyArns: readonly string[];
}

export interface SealerOptions {
  readonly recentEntries?: number;
  readonly entriesPerCheckpoint?: number;
  readonly keyArns?: readonly string[];
  readonly origin?: string;
  readonly remainingMs?: () => number;
  readonly clock?: () => Date;
  readonly now?: Date;
  readonly streams?: PublishCheckpointSettings["streams"];
  readonly pause?: (attempt: number) => Promise<void>;
}

export interface Sealer {
  readonly clients: Clients;
  readonly settings: PublishCheckpointSettings;
  readonly signals: Signal[];
  /** Codes of the log lines. */
  readonly codes: string[];
  invoke(event: unknown): Promise<SealResponse>;
  seal(records: readonly StreamRecord[]): Promise<SealResponse>;
  beat(event?: unknown): Promise<PublishCheckpointResponse>;
}

/** The emulator keeps the name and encrypts nothing. */
export const EVIDENCE_KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/evidence";

const noPause = async () => {};
/** Its keys and table names. */
const STORE = stubServices();

export function startSealer(world: World, options: SealerOptions = {}): Sealer {
  const clients = world.clients();
  const { origin = ORIGIN, pause = noPause, keyArns = world.keyArns, remainingMs = () => 60_000 } = options;
  const signals: Signal[] = [];
  const codes: string[] = [];
  const services: Services = { ...STORE, dynamo: clients.dynamo, signal: (signal) => signals.push(signal) };
  const calling = (operation: string): Call => ({
    ...stubCall(operation),
    ...(options.now && { now: options.now }),
    remainingMs,
  });
  const { recentEntries, entriesPerCheckpoint } = options;
  const settings: PublishCheckpointSettings = {
    log: openLog(
      { dynamo: clients.dynamo, tableName: world.tableName, origin },
      { pause, ...(recentEntries === undefined ? {} : { recentEntries }) },
    ),
    evidence: evidenceBucket(clients.s3, { bucket: world.bucket, keyArn: EVIDENCE_KEY_ARN }, pause),
    signers: checkpointSigners(clients.kms, keyArns, origin),
    streams: options.streams ?? [],
    clock: options.clock ?? (() => new Date()),
    logLine: (_requestId, code) => codes.push(code),
    ...(entriesPerCheckpoint === undefined ? {} : { entriesPerCheckpoint }),
  };
  const invoke = (event: unknown) => sealAuditTrail(event, calling("seal_audit_trail"), services, settings);
  return {
    clients,
    settings,
    signals,
    codes,
    invoke,
    seal: (records) => invoke({ Records: records }),
    beat: (event = { kind: "heartbeat" }) =>
      publishCheckpoint(event, calling("publish_checkpoint"), services, settings),
  };
}
