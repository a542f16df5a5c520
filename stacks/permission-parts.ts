/** What the permissions of several roles are made of. */

import type { QueueId } from "../contract";
import { equals, type Statement } from "./constructs/policy";

export interface TableArns {
  readonly tableArn: string;
  readonly indexArns: string[];
}

export interface PermissionArns {
  readonly region: string;
  readonly ledger: TableArns;
  readonly auditTrail: TableArns;
  readonly messages: TableArns;
  readonly transactions: TableArns;
  readonly events: TableArns;
  readonly keyArns: {
    readonly data: string;
    readonly token: string;
    readonly audit: string;
    readonly mac: string;
    readonly evidence: string;
    readonly trail: string;
    /** The generations that sign checkpoints. */
    readonly signing: readonly string[];
    readonly retired: readonly string[];
  };
  readonly filesArn: string;
  readonly exportsArn: string;
  readonly evidenceArn: string;
  readonly trailBucketArn: string;
  /** A pattern: what CloudTrail wrote for this account. */
  readonly trailFilesArn: string;
  readonly auditTrailByTimeArn: string;
  readonly logStateArn: string;
  /** Of the tables that are sealed. */
  readonly streamArns: string[];
  /** The tables that a restore drill makes, one for each that is restored. */
  readonly scratchArns: string[];
  readonly importLogArn: string;
  readonly anyLogGroupArn: string;
  /** `null` where a clock makes a failed call of the role's functions again anyway. */
  readonly failureQueueArn: string | null;
  readonly queueArns: Readonly<Record<QueueId, string>>;
  readonly removeCardDataFiles: boolean;
  /** Prefix of the export bucket where the role's check leaves what its pieces have read; `null` where there are no pieces. */
  readonly piecesPrefix: string | null;
  /** The role's functions write audit records. */
  readonly auditing: boolean;
  /** Of the role's own functions. */
  readonly logStreamArns: string[];
}

/** What a function does to the audit trail that reads nothing of it. */
export function append({ tableArn }: TableArns): Statement {
  return { sid: "AuditTrail", actions: ["dynamodb:PutItem"], resources: [tableArn] };
}

export function allTables({ ledger, auditTrail, messages, transactions, events }: PermissionArns): string[] {
  return [ledger, auditTrail, messages, transactions, events].map(({ tableArn }) => tableArn);
}

export function dataKeyThroughS3({ region, keyArns }: Pick<PermissionArns, "region" | "keyArns">): Statement {
  return {
    sid: "DataKeyThroughS3",
    actions: ["kms:Decrypt", "kms:GenerateDataKey"],
    resources: [keyArns.data],
    conditions: [equals("kms:ViaService", `s3.${region}.amazonaws.com`)],
  };
}

/** What the pieces of a check and its merging share. */
export function pieceStatements({ exportsArn, piecesPrefix }: PermissionArns): Statement[] {
  if (piecesPrefix === null) return [];
  return [{ sid: "Pieces", actions: ["s3:GetObject", "s3:PutObject"], resources: [`${exportsArn}/${piecesPrefix}*`] }];
}
