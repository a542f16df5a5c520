/** `report`, and `verify --html`: the verification as one HTML file, which checks its own proofs in its reader's browser. */

import { existsSync } from "node:fs";
import type { IdentityReport } from "../identity/identity-report";
import { type ReportSummary, summaryIn } from "../report/changes";
import { gatherReport } from "../report/gather";
import { reportPage } from "../report/page";
import { EXIT_CODES, graverOf, type VerificationReport } from "../verifier/report";
import { type VerifyOptions, verifyLog } from "../verifier/verify";
import { fileAt } from "./arguments";
import type { Command, CommandArguments, Terminal } from "./command";
import { UsageError } from "./errors";
import { writeWhole } from "./files";
import { attestedDays, IDENTITIES_OPTION, identitiesOf } from "./identities";
import { VERIFY_OPTIONS, verifyOptions } from "./verify-options";

export const writeHtmlReport: Command = {
  summary: "Verify, and write the result as one page that checks its own proofs in a browser",
  details: "The page shows one payment's story, and what changed since the last report.",
  options: {
    out: { kind: "one", value: "FILE", required: true, about: "Where the page goes." },
    ...VERIFY_OPTIONS,
    ...IDENTITIES_OPTION,
    payment: { kind: "one", value: "ID", about: "Payment whose story the page shows." },
    since: { kind: "one", value: "FILE", about: "The last report. Default: the page that is overwritten." },
  },
  examples: ["report --out report.html --evidence audit/evidence --export audit/tables --key log.vkey"],
  run: async (args, terminal) => {
    args.noOperand();
    const place = args.needed("out");
    const options = await verifyOptions(args);
    const identities = await identitiesOf(attestedDays(args), options.sources);
    const { progress } = terminal;
    const verification = await verifyLog({ ...options, ...(progress && { onProgress: progress }) });
    const verdict = graverOf(verification.verdict, identities?.verdict ?? "ok");
    const say = (text: string) => terminal.answer({ verdict, file: place }, text);
    await writeReport(place, { options, verification, identities, args, say });
    return EXIT_CODES[verdict];
  },
};

export interface Verified {
  readonly options: VerifyOptions;
  readonly verification: VerificationReport;
  /** Who called; left out where nobody asked. */
  readonly identities?: IdentityReport | undefined;
  readonly args: CommandArguments;
  readonly say: Terminal["print"];
}

/** @throws UsageError when `--since` names no report. */
export async function writeReport(
  place: string,
  { options, verification, identities, args, say }: Verified,
): Promise<void> {
  const [paymentId, before] = [args.one("payment"), lastReport(place, args.one("since"))];
  const model = await gatherReport({
    verify: options,
    verification,
    madeAt: new Date(),
    ...(identities === undefined ? {} : { identities }),
    ...(paymentId === undefined ? {} : { paymentId }),
    ...(before === undefined ? {} : { before }),
  });
  const page = reportPage(model);
  writeWhole(place, page);
  say(`${place}: ${model.verdict.toUpperCase()}, ${Buffer.byteLength(page)} bytes. Open it in a browser.`);
}

function lastReport(place: string, since: string | undefined): ReportSummary | undefined {
  if (since === undefined && !existsSync(place)) return undefined;
  const before = summaryIn(fileAt(since ?? place, since === undefined ? "--out" : "--since").toString("utf8"));
  if (before !== undefined || since === undefined) return before;
  throw new UsageError(`--since names a file that \`report\` wrote; ${since} holds no such report.`);
}
