/** `verify`: holds exported records against the log of proofs, and the log against pinned keys. Needs no AWS account. */

import { type KnownFinding, KnownFindingsError, parseKnownFindings } from "../verifier/known-findings";
import { EXIT_CODES, type Finding, findingText, verificationText } from "../verifier/report";
import { type VerifyOptions, verifyLog } from "../verifier/verify";
import {
  type Command,
  evidenceAt,
  fileAt,
  type Given,
  logKeys,
  type Options,
  retiredKeys,
  type Terminal,
  witnessKeys,
} from "./arguments";
import { UsageError } from "./errors";
import { exportedSources } from "./records";

/** What `verify` and `history` take alike. */
export const VERIFY_OPTIONS: Options = {
  evidence: "one",
  export: "many",
  key: "many",
  "retired-key": "many",
  "last-checkpoint": "one",
  witness: "many",
  known: "one",
  "as-of": "one",
  json: "flag",
};

export const verify: Command = {
  usage: `verify --evidence DIR --export DIR... --key VKEY|FILE... [--retired-key VKEY|FILE]...
        [--last-checkpoint FILE] [--witness VKEY|FILE]... [--known FILE] [--as-of TIME] [--all] [--json] [--quiet]
      Hold every record of the exports against the log, and the log against the keys. Without a last checkpoint or
      a witness's key nobody vouches for the log's end, and the verdict is never better than tail-not-pinned.
      Exports and evidence older than 48 hours are stale; --as-of states a moment in the past that is meant instead.
      --known names a file of findings that were settled. --all prints every finding, before the report.
      --quiet prints the verdict alone.`,
  options: { ...VERIFY_OPTIONS, all: "flag", quiet: "flag" },
  run: async (given, terminal) => {
    given.noOperand();
    const { print, progress } = terminal;
    const report = await verifyLog({
      ...(await verifyOptions(given)),
      ...(given.flag("all") ? { onFinding: printer(given, terminal) } : {}),
      ...(progress === undefined || given.flag("quiet") ? {} : { onProgress: progress }),
    });
    if (given.flag("json"))
      print(given.flag("all") ? JSON.stringify({ report }) : JSON.stringify(report, undefined, 2));
    else print(given.flag("quiet") ? report.verdict.toUpperCase() : verificationText(report));
    return EXIT_CODES[report.verdict];
  },
};

/** With `--json` each finding is a line of JSON of its own, and so is the report behind them. */
function printer(given: Given, { print }: Terminal) {
  return (finding: Finding, reason?: string) => {
    const acknowledged = reason === undefined ? "" : `acknowledged (${reason}) `;
    if (given.flag("json"))
      print(JSON.stringify({ finding, ...(reason === undefined ? {} : { acknowledged: reason }) }));
    else print(`${acknowledged}${findingText(finding)}`);
  };
}

/** @throws UsageError, EvidenceToolError */
export async function verifyOptions(given: Given): Promise<VerifyOptions> {
  const evidence = evidenceAt(given);
  given.neededMany("key");
  const vkeys = (keys: ReturnType<typeof logKeys>) => keys.map(({ vkey }) => vkey);
  const [last, known, asOf] = [given.one("last-checkpoint"), given.one("known"), momentOf(given.one("as-of"))];
  const { sources, problems } = await exportedSources(given);
  return {
    evidence,
    sources,
    problems,
    keys: vkeys(logKeys(given)),
    retiredKeys: vkeys(retiredKeys(given)),
    witnessKeys: vkeys(witnessKeys(given)),
    // The evidence is fetched after the records: what was written before is sealed by then, or never will be.
    settleMs: 0,
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
