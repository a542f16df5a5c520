/** `verify`: holds exported records against the log of proofs, and the log against pinned keys. Needs no AWS account. */

import { EXIT_CODES, type Finding, findingText, verificationText } from "../verifier/report";
import { verifyLog } from "../verifier/verify";
import type { Command, Given, Terminal } from "./command";
import { writeReport } from "./report";
import { VERIFY_OPTIONS, verifyOptions } from "./verify-options";

export const verify: Command = {
  summary: "Compare every exported record with the log, and the log with pinned keys",
  details: `Needs the files and the log's public key, no AWS account. It ends with one verdict and its exit code. Without a last checkpoint or a witness's key nobody vouches for the log's end, and the verdict is never better than tail-not-pinned. Exports and evidence older than 48 hours are stale.`,
  options: {
    ...VERIFY_OPTIONS,
    all: { kind: "flag", about: "Print every finding, before the report." },
    quiet: { kind: "flag", about: "Print the verdict alone." },
    html: { kind: "one", value: "FILE", about: "Write the report as a page, too, as the command report does." },
  },
  examples: [
    "verify --evidence audit/evidence --export audit/tables --key log.vkey --last-checkpoint audit/checkpoint",
  ],
  run: async (given, terminal) => {
    given.noOperand();
    const { print, progress, tell } = terminal;
    const options = await verifyOptions(given);
    const report = await verifyLog({
      ...options,
      ...(given.flag("all") ? { onFinding: printer(given, terminal) } : {}),
      ...(progress === undefined || given.flag("quiet") ? {} : { onProgress: progress }),
    });
    if (given.flag("json"))
      print(given.flag("all") ? JSON.stringify({ report }) : JSON.stringify(report, undefined, 2));
    else print(given.flag("quiet") ? report.verdict.toUpperCase() : verificationText(report));
    const page = given.one("html");
    if (page !== undefined) await writeReport(page, { options, verification: report, given, say: tell });
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
