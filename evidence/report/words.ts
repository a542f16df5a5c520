/** How a report says verdicts, times and numbers. */

import type { IdentityResult } from "../identity/identity-report";
import type { Verdict } from "../verifier/report";

/** What each verdict means for the reader, and what to do. */
export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  ok: "Everything was looked at, and nothing was found: the records are those that the log sealed.",
  "tail-not-pinned":
    "Nothing was found, but nobody outside the log vouches for its newest entries. Keep this checkpoint, and verify against it next time.",
  incomplete: "Something could not be looked at, so the absence of findings says little. See what is missing below.",
  stale: "The evidence or the exports are too old to say anything about the present. Fetch them again.",
  unsealed:
    "There are records that the log does not hold. Somebody wrote them past the sealed log, or sealing has stopped.",
  repeated: "The log or the tables hold something twice that may be there once.",
  "out-of-order": "Entries are not in the order in which they were written.",
  forged: "There are records that none of the ledger's functions wrote.",
  missing: "Records that the log sealed are gone from the tables.",
  altered: "Records or evidence are not what was sealed. Somebody changed them.",
  forked: "There are two versions of the log. Somebody showed different logs to different readers.",
  "bad-signature": "The checkpoint bears a signature that its key did not make. Believe nothing of this evidence.",
  "wrong-key": "No pinned key signed the checkpoint. Believe nothing of this evidence.",
};

/** What each verdict about who called means. */
export const CALLER_WORDS: Readonly<Record<IdentityResult, string>> = {
  ok: "The files of these days are sealed and complete, and no caller is contradicted.",
  incomplete: "Not everything about who called could be looked at. See what is missing there.",
  forged: "Somebody made up an event: CloudTrail names another caller than the record does.",
  altered: "A file about who called is not one that was sealed, or it leaves out records.",
};

export function toneOf(verdict: Verdict): "good" | "warn" | "bad" {
  if (verdict === "ok") return "good";
  return verdict === "tail-not-pinned" || verdict === "incomplete" || verdict === "stale" ? "warn" : "bad";
}

/** With a space for each thousand. */
export function digits(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, " ");
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${digits(count)} ${count === 1 ? one : many}`;
}

const MS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

export function duration(milliseconds: number): string {
  if (milliseconds < MS.second) return `${milliseconds} ms`;
  if (milliseconds < 2 * MS.minute) return counted(Math.round(milliseconds / MS.second), "second");
  if (milliseconds < 2 * MS.hour) return counted(Math.round(milliseconds / MS.minute), "minute");
  if (milliseconds < 2 * MS.day) return counted(Math.round(milliseconds / MS.hour), "hour");
  return counted(Math.round(milliseconds / MS.day), "day");
}
