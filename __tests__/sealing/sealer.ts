/** A sealer as one execution environment of its function, over any AWS: what it knows is gone when it is. */

import type { Call } from "../../operations/call";
import { evidenceBucket } from "../../sealing/evidence-bucket";
import { openLog } from "../../sealing/log-state";
import { type SealResponse, type SealSettings, sealAuditTrail } from "../../sealing/seal";
import { checkpointSigners } from "../../sealing/signers";
import type { Signal, Store } from "../../store/store";
import { stubCall, stubStore } from "../ledger/stub-store";
import type { StreamRecord } from "./changes";
import type { Clients } from "./fake-aws";

export const ORIGIN = "payment-ledger/us-east-1/111122223333/test";

/** Where the log lies, and who reaches it how. */
export interface World {
  /** New clients, as a new process makes them. */
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
  readonly pause?: (attempt: number) => Promise<void>;
}

export interface Sealer {
  readonly clients: Clients;
  readonly settings: SealSettings;
  readonly signals: Signal[];
  /** Codes of the log lines. */
  readonly codes: string[];
  invoke(event: unknown): Promise<SealResponse>;
  seal(records: readonly StreamRecord[]): Promise<SealResponse>;
  beat(): Promise<SealResponse>;
}

const noPause = async () => {};
/** Its keys and table names; every sealer has clients of its own. */
const STORE = stubStore();

export function startSealer(world: World, options: SealerOptions = {}): Sealer {
  const clients = world.clients();
  const { origin = ORIGIN, pause = noPause, keyArns = world.keyArns, remainingMs = () => 60_000 } = options;
  const signals: Signal[] = [];
  const codes: string[] = [];
  const store: Store = { ...STORE, dynamo: clients.dynamo, signal: (signal) => signals.push(signal) };
  const call: Call = { ...stubCall("seal_audit_trail"), remainingMs };
  const { recentEntries, entriesPerCheckpoint } = options;
  const settings: SealSettings = {
    log: openLog(
      { dynamo: clients.dynamo, tableName: world.tableName, origin },
      { pause, ...(recentEntries === undefined ? {} : { recentEntries }) },
    ),
    evidence: evidenceBucket(clients.s3, world.bucket, pause),
    signers: checkpointSigners(clients.kms, keyArns, origin),
    clock: options.clock ?? (() => new Date()),
    report: (_requestId, code) => codes.push(code),
    ...(entriesPerCheckpoint === undefined ? {} : { entriesPerCheckpoint }),
  };
  const invoke = (event: unknown) => sealAuditTrail(event, call, store, settings);
  return {
    clients,
    settings,
    signals,
    codes,
    invoke,
    seal: (records) => invoke({ Records: records }),
    beat: () => invoke({ kind: "heartbeat" }),
  };
}
