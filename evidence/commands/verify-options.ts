/** The options of `verify`, which `history` and `report` take alike, and what they name. */

import { availableParallelism } from "node:os";
import type { ExportSources } from "../verifier/export-source";
import { type KnownFinding, KnownFindingsError, parseKnownFindings } from "../verifier/known-findings";
import type { VerifyOptions } from "../verifier/verify";
import { evidenceAt, fileAt, logKeys, OPTIONS, retiredKeys, witnessKeys } from "./arguments";
import type { CommandArguments, Options } from "./command";
import { UsageError } from "./errors";
import { exportedSources } from "./records";

export const VERIFY_OPTIONS: Options = {
  evidence: OPTIONS.evidence,
  export: OPTIONS.export,
  key: OPTIONS.key,
  "retired-key": OPTIONS.retiredKey,
  "last-checkpoint": {
    kind: "one",
    value: "FILE",
    about: "Checkpoint that was kept from an earlier visit. The log must continue it; that pins its end.",
  },
  witness: OPTIONS.witness,
  known: { kind: "one", value: "FILE", about: "Findings that were settled, with their reasons." },
  threads: {
    kind: "one",
    value: "N",
    about:
      "Threads that read the log and the exports, each in some 100 MB of memory. Default: as many as there are cores. The report is the same.",
  },
  "as-of": {
    kind: "one",
    value: "TIME",
    about: "A moment in the past that is meant instead of now, as 2026-11-21T10:00:00Z.",
  },
};

/** @throws UsageError */
function threadsOf(args: CommandArguments): number {
  const text = args.one("threads");
  if (text === undefined) return availableParallelism();
  const count = Number(text);
  if (/^[0-9]{1,3}$/.test(text) && count >= 1) return count;
  throw new UsageError("--threads is a whole number from 1 to 999.");
}

/** @throws UsageError, EvidenceToolError */
export async function verifyOptions(args: CommandArguments): Promise<VerifyOptions & ExportSources> {
  const evidence = evidenceAt(args);
  args.neededMany("key");
  const vkeys = (keys: ReturnType<typeof logKeys>) => keys.map(({ vkey }) => vkey);
  const [last, known, asOf] = [args.one("last-checkpoint"), args.one("known"), momentOf(args.one("as-of"))];
  const { sources, problems } = await exportedSources(args);
  return {
    evidence,
    sources,
    problems,
    keys: vkeys(logKeys(args)),
    retiredKeys: vkeys(retiredKeys(args)),
    witnessKeys: vkeys(witnessKeys(args)),
    // The evidence is fetched after the records: what was written before is sealed by then, or never will be.
    settleMs: 0,
    threads: { count: threadsOf(args) },
    ...(last === undefined ? {} : { lastCheckpoint: fileAt(last, "--last-checkpoint").toString("utf8") }),
    ...(known === undefined ? {} : { known: knownIn(known) }),
    ...(asOf === undefined ? {} : { asOf }),
  };
}

function knownIn(place: string): KnownFinding[] {
  try {
    return parseKnownFindings(fileAt(place, "--known").toString("utf8"));
  } catch (error) {
    if (error instanceof KnownFindingsError) throw new UsageError(error.message);
    throw error;
  }
}

/** RFC 3339 with its offset, and not in the future. */
function momentOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const isTime = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})$/.test(text);
  const moment = new Date(text);
  if (isTime && moment.getTime() <= Date.now()) return moment;
  throw new UsageError("--as-of is a moment in the past, as 2026-11-21T10:00:00Z.");
}
