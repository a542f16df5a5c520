/** What the operations need of the outside world, made once per execution environment. */

import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { BACKUP_METRICS, LOG_METRICS, LogicalTableName, METRICS, TableId } from "../../contract";
import type { ActorRule } from "../rules/actor-rule";
import { hasGoodMac, type MacKeys } from "../rules/record-mac";
import type { StoredItem } from "../rules/stored-item";
import type { FieldEncryption } from "./key-material";

/** Facts worth an alarm or a graph, by metric name. */
export type Signal =
  | (typeof METRICS)[
      | "integrityAlarm"
      | "cardDataRefused"
      | "messageRefused"
      | "paymentConflict"
      | "paymentBreach"
      | "refundHoldOld"]
  | (typeof BACKUP_METRICS)[keyof typeof BACKUP_METRICS]
  | (typeof LOG_METRICS)[keyof typeof LOG_METRICS];

export interface Services {
  readonly dynamo: DynamoDBClient;
  /** Deployed table names. */
  readonly tables: Readonly<Record<TableId, string>>;
  /** Encrypts `SecureToken`. Only the reveal function may decrypt with it. */
  readonly tokenFields: FieldEncryption;
  /** Encrypts `QueryDetails` and `Response`. */
  readonly auditFields: FieldEncryption;
  readonly macKeys: () => Promise<MacKeys>;
  readonly indexShardCount: number;
  /** The claimed actor must be who called. Absent: every claim is accepted. */
  readonly actorRule?: ActorRule;
  /** Whether events of API Gateway are requests of the private API. Without it they are refused like any other object. */
  readonly privateApi?: boolean;
  readonly signal: (signal: Signal) => void;
  /** Logs a technical fault that concerns a part of a batch; what it concerns is tried again by the platform. */
  readonly logFault: (error: unknown) => void;
}

/** True for a record that this ledger did not write as it is: its MAC is missing or does not cover it. */
export async function isForged(table: LogicalTableName, item: StoredItem, services: Services): Promise<boolean> {
  return !hasGoodMac(table, item, (await services.macKeys()).record);
}
