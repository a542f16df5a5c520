/** `verify`: holds exported records against the log of proofs, and the log against pinned keys. Needs no AWS account. */

import { EXIT_CODES, reportText } from "../verifier/report";
import { verifyLog } from "../verifier/verify";
import { type Command, evidenceAt, fileAt, logKeys, witnessKeys } from "./evidence-arguments";
import { exportedSources } from "./evidence-records";

export const verify: Command = {
  usage: `verify --evidence DIR --export DIR... --key VKEY|FILE... [--last-checkpoint FILE] [--witness VKEY|FILE]...
        [--json] [--quiet]
      Hold every record of the exports against the log, and the log against the keys. Without a last checkpoint or
      a witness's key nobody vouches for the log's end, and the verdict is never better than tail-not-pinned.
      --quiet prints the verdict alone.`,
  options: {
    evidence: "one",
    export: "many",
    key: "many",
    "last-checkpoint": "one",
    witness: "many",
    json: "flag",
    quiet: "flag",
  },
  run: async (given, { print, progress }) => {
    given.noOperand();
    const evidence = evidenceAt(given);
    given.neededMany("key");
    const keys = logKeys(given).map(({ vkey }) => vkey);
    const witnesses = witnessKeys(given).map(({ vkey }) => vkey);
    const last = given.one("last-checkpoint");
    const { sources, problems } = exportedSources(given);
    const report = await verifyLog({
      evidence,
      sources,
      keys,
      problems,
      witnessKeys: witnesses,
      // The evidence is fetched after the records: what was written before is sealed by then, or never will be.
      settleMs: 0,
      ...(last === undefined ? {} : { lastCheckpoint: fileAt(last, "--last-checkpoint").toString("utf8") }),
      ...(progress === undefined || given.flag("quiet") ? {} : { onProgress: progress }),
    });
    if (given.flag("json")) print(JSON.stringify(report, undefined, 2));
    else print(given.flag("quiet") ? report.verdict.toUpperCase() : reportText(report));
    return EXIT_CODES[report.verdict];
  },
};
