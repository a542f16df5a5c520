/** `verify`: compares exported records with the sealed log, and checks the log with pinned keys. Needs no AWS account. */

import { PiecesLeft } from "../../ledger/pieces/plan";
import { identityText } from "../identity/identity-report";
import { EXIT_CODES, type Finding, findingText, graverOf, verificationText } from "../verifier/report";
import type { Command, CommandArguments, Terminal } from "./command";
import { attestedDays, IDENTITIES_OPTION, identitiesOf } from "./identities";
import { leftText, PIECE_OPTIONS, verifyHereOrInPieces } from "./pieces";
import { ANSWER_IS_NO } from "./program";
import { writeReport } from "./report";
import { VERIFY_OPTIONS, verifyOptions } from "./verify-options";

export const verify: Command = {
  summary: "Compare every exported record with the log, and the log with pinned keys",
  details: `Needs the files and the log's public key, no AWS account. It ends with one verdict and its exit code. Without a last checkpoint or a witness's key nobody vouches for the log's end, and the verdict is never better than tail-not-pinned. Exports and evidence older than 48 hours are stale.`,
  options: {
    ...VERIFY_OPTIONS,
    ...PIECE_OPTIONS,
    all: { kind: "flag", about: "Print every finding, before the report." },
    quiet: { kind: "flag", about: "Print the verdict alone." },
    ...IDENTITIES_OPTION,
    html: { kind: "one", value: "FILE", about: "Write the report as a page, too, as the command report does." },
  },
  examples: [
    "verify --evidence audit/evidence --export audit/tables --key log.vkey --last-checkpoint audit/checkpoint",
  ],
  run: async (args, terminal) => {
    args.noOperand();
    const { answer, print, progress, tell } = terminal;
    const options = await verifyOptions(args);
    const attested = attestedDays(args);
    const report = await verifyHereOrInPieces(args, {
      ...options,
      ...(args.flag("all") ? { onFinding: printer(args, terminal) } : {}),
      ...(progress === undefined || args.flag("quiet") ? {} : { onProgress: progress }),
    });
    if (report instanceof PiecesLeft) {
      const { round, left } = report;
      answer({ round: round + 1, piecesLeft: left.map((piece) => piece + 1) }, leftText(report));
      return ANSWER_IS_NO;
    }
    const identities = await identitiesOf(attested, options.sources);
    const verdict = graverOf(report.verdict, identities?.verdict ?? "ok");
    if (args.flag("json")) {
      const whole = identities === undefined ? report : { ...report, identities };
      print(args.flag("all") ? JSON.stringify({ report: whole }) : JSON.stringify(whole, undefined, 2));
    } else if (args.flag("quiet")) print(verdict.toUpperCase());
    else print([verificationText(report), ...(identities === undefined ? [] : [identityText(identities)])].join("\n"));
    const page = args.one("html");
    if (page !== undefined) await writeReport(page, { options, verification: report, identities, args, say: tell });
    return EXIT_CODES[verdict];
  },
};

/** With `--json` each finding is one line of JSON, and the report is the last line. */
function printer(args: CommandArguments, { print }: Terminal) {
  return (finding: Finding, reason?: string) => {
    const acknowledged = reason === undefined ? "" : `acknowledged (${reason}) `;
    if (args.flag("json"))
      print(JSON.stringify({ finding, ...(reason === undefined ? {} : { acknowledged: reason }) }));
    else print(`${acknowledged}${findingText(finding)}`);
  };
}
