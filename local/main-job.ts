/**
 * `npm start`: all five systems on this machine. Synthesizes the stacks, deploys them to an embedded AWS, calls the deployed
 * functions with payments, drops payment files, sends messages and events, uses and attacks what is stored, exports it, and
 * checks every promise against the tables, buckets, queues and logs themselves.
 */

import { runJob } from "./main-job/job";
import type { JobOptions } from "./main-job/options";
import type { JobReport } from "./main-job/report";
import { withAws } from "./main-job/with-aws";

/** @param say receives a line about an installation, and about a signal that ends the job. */
export function mainJob(options: JobOptions, say: (message: string) => void): Promise<JobReport> {
  return withAws((starting) => runJob(options, starting), say);
}
