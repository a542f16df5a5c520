/** `npm run model:alarms`: a year of outages and late runs against the alarms that the plan has for what did not happen. */

import { judgePlan, reportOf } from "../../__tests__/support/missing-alarms";

const SEEDS = [1, 2, 3];

const total = { outages: 0, inTime: 0, falseAlarms: 0 };
for (const seed of SEEDS) {
  for (const [id, judged] of judgePlan(seed)) {
    console.log(`year ${seed}, ${id}: ${reportOf(judged)}`);
    total.outages += judged.outages;
    total.inTime += judged.inTime;
    total.falseAlarms += judged.falseAlarms;
  }
}
console.log(reportOf(total));
process.exitCode = total.inTime === total.outages && total.falseAlarms === 0 ? 0 : 1;
