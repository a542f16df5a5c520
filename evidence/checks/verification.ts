/** What the sweep and the restore drill make of a verification. */

import type { KMSClient } from "@aws-sdk/client-kms";
import { CHECKPOINT_PATH } from "../log/paths";
import { checkpointSigners } from "../sealing/signers";
import { asOfNow, type EvidenceFolder } from "../verifier/evidence";
import { withPacks } from "../verifier/packs";
import type { Verdict, VerificationReport } from "../verifier/report";
import type { VerifyOptions } from "../verifier/verify";

/** The evidence of one verification: of one checkpoint, however many are published meanwhile. @param now of the verification. */
export async function evidenceNow(evidence: EvidenceFolder, now: Date): Promise<EvidenceFolder> {
  return inPacks(await asOfNow(evidence), now);
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** The object lock keeps what was replaced for longer than this in `prod`. */
const EACH_OBJECT_DAYS = 28;

/**
 * The evidence, whose packs are read in place of bundles and of the tiles over them: one request in place of 512. Every 28 days the
 * turn comes to the bundles and tiles of each pack too, so that a changed one is found.
 */
export function inPacks(evidence: EvidenceFolder, now: Date): EvidenceFolder {
  const day = Math.floor(now.getTime() / DAY_MS);
  return withPacks(evidence, (pack) => (pack + day) % EACH_OBJECT_DAYS !== 0);
}

/** That nothing pins the log's end is the normal state of the first check of a log; the later ones pin it by what that one saw. */
export function isGood(verdict: Verdict): boolean {
  return verdict === "ok" || verdict === "tail-not-pinned";
}

/** Findings may carry the item that they are about, for a sweep to seal; it belongs into no report. */
export function withoutItems(report: VerificationReport): VerificationReport {
  return { ...report, findings: report.findings.map(({ item: _item, ...finding }) => finding) };
}

/** A checkpoint that was verified, and what its tree consists of with it. */
export interface VerifiedCheckpoint {
  readonly size: number;
  /** The whole signed note. */
  readonly text: string;
}

/** For a verification that goes on from there: the log must continue that tree, and what was published before was read before. */
export function continuingFrom(
  seen: VerifiedCheckpoint | undefined,
): Pick<VerifyOptions, "lastCheckpoint" | "publishedFrom"> {
  return seen === undefined ? {} : { lastCheckpoint: seen.text, publishedFrom: seen.size };
}

/**
 * The checkpoint from which the next check may go on. Undefined where anything but records was at fault, or was not looked
 * at: then the next one looks at all of it again.
 */
export async function checkpointToKeep(
  { findings, size }: VerificationReport,
  verified: EvidenceFolder,
): Promise<VerifiedCheckpoint | undefined> {
  if (findings.some(({ table, verdict }) => table === undefined && verdict !== "tail-not-pinned")) return undefined;
  const checkpoint = await verified.read(CHECKPOINT_PATH);
  return checkpoint && { size, text: checkpoint.toString("utf8") };
}

/**
 * The keys under which a sweep or a drill accepts checkpoints: asked of KMS, by the ARNs that the deployment names. Those
 * in the evidence pin nothing: who can forge a checkpoint there can put its key there too.
 * @param name of the keys: the log's origin. Keys that sign no more belong among them for as long as their checkpoints lie in the evidence.
 */
export function verifierKeysOf(
  kms: KMSClient,
  keyArns: readonly string[],
  name: string,
): () => Promise<readonly string[]> {
  const signers = checkpointSigners(kms, keyArns, name);
  return async () => (await signers()).map(({ verifierKey }) => verifierKey);
}
