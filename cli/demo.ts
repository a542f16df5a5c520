/** `payledger demo`, which `npm start` runs: the whole system on this machine, told as a story or in all its details. */

import { writeFileSync } from "node:fs";
import path from "node:path";
import type { CommandBody } from "../evidence/commands/command";
import { ANSWER_IS_NO, DONE } from "../evidence/commands/program";
import { mainJob } from "../local/main-job";
import { jobOptions } from "../local/main-job/options";
import { jobReportText, REPORT_FILE } from "../local/main-job/report";
import { summaryText } from "../local/main-job/summary";
import { loadConfig } from "../stacks/config/load";

export const demo: CommandBody = {
  details:
    "Synthesizes the stacks, deploys them to an embedded AWS that ends with it, sends nearly 1,300 payments with every kind of fault, attacks the tables as an administrator, and lets an auditor find it. Ends with 1 when a promise is broken. Needs Python 3.10 or newer; it never reaches AWS.",
  options: {
    verbose: {
      kind: "flag",
      about:
        "Print every figure and every promise, instead of the story. The file report.txt in the folder has them in any case.",
    },
    input: { kind: "one", value: "FILE", about: "Payments, one JSON object a line. Default: samples/payments.ndjson." },
    expected: { kind: "one", value: "FILE", about: "What must come of them. Default: samples/payments.expected.json." },
    out: { kind: "one", value: "DIR", about: "Folder for the synthesized Terraform. Default: cdktf.out." },
  },
  examples: ["demo", "demo --verbose"],
  run: async (args, { answer, print, tell }) => {
    args.noOperand();
    // The job is always dev. A wrong configuration is refused here too, so that nobody believes that it was used.
    loadConfig();
    const [input, expected, out] = [args.one("input"), args.one("expected"), args.one("out")];
    const options = jobOptions({
      ...(input === undefined ? {} : { input }),
      ...(expected === undefined ? {} : { expected }),
      ...(out === undefined ? {} : { out }),
    });
    const isJson = args.flag("json");
    const say = isJson ? tell : print;
    say("Payment Ledger: the whole system on this machine, in about a minute");
    const report = await mainJob(isJson ? { ...options, progress: process.stderr } : options, (message) =>
      say(`  ${message}`),
    );
    const details = jobReportText(report);
    writeFileSync(path.join(options.out, REPORT_FILE), details);
    const broken = report.invariants.broken().map(({ code }) => code);
    const holding = report.invariants.holding().length;
    answer(
      { holding, broken, seconds: report.seconds, page: report.proven.page },
      args.flag("verbose") || broken.length > 0 ? details : summaryText(report),
    );
    if (broken.length === 0) return DONE;
    tell(`The job failed: ${broken.join(", ")}. The report above says what and why.`);
    return ANSWER_IS_NO;
  },
};
