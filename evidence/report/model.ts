/** Everything that a report shows, before it is a page. */

import type { ItemJson } from "../../ledger/rules/attribute-value";
import type { IdentityReport } from "../identity/identity-report";
import type { LogEntry } from "../log/entry";
import type { KeyType } from "../log/note";
import type { Verdict, VerificationReport } from "../verifier/report";
import type { Activity } from "./activity";
import type { Changes, ReportSummary } from "./changes";
import type { PageEvidence } from "./page-evidence";
import type { CheckResult } from "./proof-check";
import type { LagSummary } from "./sealing-lag";

export interface KeyFact {
  readonly role: "log" | "retired" | "witness";
  readonly name: string;
  readonly keyId: string;
  readonly type: KeyType;
  readonly vkey: string;
  /** SHA-256 of its SubjectPublicKeyInfo in DER, in hex: what KMS and OpenSSL hand out. */
  readonly fingerprint: string;
  readonly signedCheckpoint: boolean;
}

export interface ShownEntry {
  readonly index: number;
  readonly entry: LogEntry;
  /** Null where the exports lack it, or where it is not to be shown. */
  readonly record: ItemJson | null;
  /** Time of the first heartbeat after it: by then it had been sealed. */
  readonly sealedBefore?: string;
}

export interface RecordStory {
  readonly id: string;
  readonly entries: readonly ShownEntry[];
  /** The entry whose path is drawn. */
  readonly drawn: ShownEntry;
}

export interface ReportModel {
  /** RFC 3339. */
  readonly madeAt: string;
  /** The graver of the verification's and the callers'. */
  readonly verdict: Verdict;
  readonly verification: VerificationReport;
  /** Who called; absent where nobody asked. */
  readonly identities?: IdentityReport;
  readonly keys: readonly KeyFact[];
  readonly activity: Activity;
  /** The newest entries of the log, the newest first. */
  readonly latest: readonly ShownEntry[];
  readonly story?: RecordStory;
  readonly lag: LagSummary;
  readonly changes?: Changes;
  readonly summary: ReportSummary;
  /** Absent when there is nothing that could be checked; `problems` says why. */
  readonly proof?: { readonly evidence: Omit<PageEvidence, "contentSha256">; readonly result: CheckResult };
  /** What could not be gathered, in words. */
  readonly problems: readonly string[];
}
