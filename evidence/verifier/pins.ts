/**
 * Who outside the log vouches for how much of it. Somebody who may replace the whole log can cut off its end and sign
 * another one: only a party that saw the end, or saw enough of it lately, tells the two apart.
 */

import type { Checkpoint } from "../log/checkpoint";
import { badCosignature, cosignature, named } from "./head";
import type { VerificationReport } from "./report";
import type { Run } from "./run";

const DAY_MS = 24 * 60 * 60 * 1000;
/** A visit a quarter, and some days. */
export const LAST_CHECKPOINT_AGE_MAX_DAYS = 100;

export type Pin = Pick<VerificationReport, "pinnedBy" | "pinnedSize">;

/** The checkpoint of an earlier visit, as far as this verification knows it. */
export interface LastCheckpoint {
  readonly wasGiven: boolean;
  /** Whether its tree is the beginning of the signed one. */
  readonly isContinued: boolean;
  readonly size: number;
  /** Of the last heartbeat that it covers; empty when it covers none. */
  readonly time: string;
}

/** @param cosignedSize of the largest published checkpoint that all pinned witnesses cosigned. */
export async function judgePins(head: Checkpoint, last: LastCheckpoint, cosignedSize: number, run: Run): Promise<Pin> {
  if (await isWitnessed(head, cosignedSize, run)) return { pinnedBy: "witness", pinnedSize: head.size };
  const isPin = last.wasGiven && last.isContinued && isLateEnough(head, last, run);
  if (isPin) return { pinnedBy: "last-checkpoint", pinnedSize: last.size };
  if (run.witnesses.length === 0 && !(last.wasGiven && last.isContinued)) {
    const message = last.wasGiven
      ? "The last checkpoint that was seen does not vouch for the log, for the reasons that are given."
      : "Nobody outside the log vouches for its end: later entries may have been cut off. Give the last checkpoint that you saw, or a witness's key.";
    run.findings.add({ verdict: "tail-not-pinned", code: "NOT_PINNED", message });
  }
  return cosignedSize > 0 ? { pinnedBy: "witness", pinnedSize: cosignedSize } : { pinnedBy: null, pinnedSize: 0 };
}

function isLateEnough(head: Checkpoint, { size, time }: LastCheckpoint, { clock, findings }: Run): boolean {
  if (size === head.size) {
    const message =
      "The last checkpoint is the checkpoint of this evidence, so it shows nothing of an earlier visit. Give the one that you kept from an earlier visit.";
    findings.add({ verdict: "tail-not-pinned", code: "LAST_CHECKPOINT_IS_HEAD", message });
    return false;
  }
  const oldest = new Date(clock.asOf.getTime() - LAST_CHECKPOINT_AGE_MAX_DAYS * DAY_MS).toISOString();
  if (time >= oldest) return true;
  const message = `The last checkpoint covers ${size} entries, of ${time || "an unknown time"}: more than ${LAST_CHECKPOINT_AGE_MAX_DAYS} days ago. It vouches for none of the ${head.size - size} later ones. Give a newer one, or a witness's key.`;
  findings.add({ verdict: "tail-not-pinned", code: "LAST_CHECKPOINT_OLD", message });
  return false;
}

/** Whether every pinned witness has cosigned the checkpoint; false where none is pinned. */
async function isWitnessed({ note, size }: Checkpoint, cosignedSize: number, run: Run): Promise<boolean> {
  let seen = 0;
  for (const witness of run.witnesses) {
    const cosigned = await cosignature(note, size, witness, run);
    if (cosigned === "good") seen += 1;
    if (cosigned === "bad") run.findings.add(badCosignature(witness, size));
    if (cosigned === "none") {
      const earlier =
        cosignedSize > 0
          ? ` The witnesses saw the first ${cosignedSize} entries; later ones may have been cut off.`
          : "";
      const message = `The witness ${named([witness])} has not cosigned the checkpoint of ${size} entries.${earlier}`;
      run.findings.add({ verdict: "tail-not-pinned", code: "WITNESS_MISSING", message });
    }
  }
  return seen > 0 && seen === run.witnesses.length;
}
