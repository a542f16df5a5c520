/**
 * `npm start`: all five systems on this machine. Synthesizes the stacks, deploys them to an embedded AWS, calls the deployed
 * functions with payments, drops payment files, sends messages and events, uses and attacks what is stored, exports it, and
 * checks every promise against the tables, buckets, queues and logs themselves. Ends with 0 only when all of them hold.
 */

import "./sdk-warning";
import { FUNCTIONS, TABLES } from "../contract";
import { LocalError } from "./errors";
import { JobError } from "./main-job/errors";
import { runJob } from "./main-job/job";
import { withAws } from "./main-job/lifetime";
import { parseOptions, USAGE } from "./main-job/options";
import { jobReportText } from "./main-job/report";

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  const [functions, tables] = [FUNCTIONS, TABLES].map((each) => Object.keys(each).length);
  console.log(`Payment ledger: four stacks, ${functions} functions and ${tables} tables on this machine`);
  const report = await withAws(
    (starting) => runJob(options, starting),
    (message) => console.log(`  ${message}`),
  );
  console.log(jobReportText(report));
  const broken = report.invariants.broken().map(({ code }) => code);
  if (broken.length > 0) console.error(`The job failed: ${broken.join(", ")}. The report above says what and why.`);
  return broken.length === 0 ? 0 : 1;
}

main().then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    // Errors of our own say everything in their message; anything else is a defect and needs its stack.
    console.error(error instanceof JobError || error instanceof LocalError ? `\n${error.message}` : error);
    process.exitCode = 1;
  },
);
