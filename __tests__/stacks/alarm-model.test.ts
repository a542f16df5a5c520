import { DAY, HOUR, type ModelAlarm } from "../support/cloudwatch";
import { judgePlan, judgeYear, RHYTHMS, reportOf } from "../support/missing-alarms";

const plan = judgePlan(1);

test.each([...plan])(
  "%s starts within its window and an hour of each outage, and never without an outage",
  (_, judged) => {
    expect(judged.outages).toBeGreaterThanOrEqual(10);
    expect(reportOf(judged)).toBe(reportOf({ outages: judged.outages, inTime: judged.outages, falseAlarms: 0 }));
  },
);

test("every alarm of this kind is modelled", () => {
  expect([...plan.keys()].sort()).toEqual(Object.keys(RHYTHMS).sort());
});

const DAILY = RHYTHMS["log-check-missing"] as (typeof RHYTHMS)[string];
const alarm = (periodSeconds: number, filled: boolean): ModelAlarm => ({ periodSeconds, periods: 1, least: 1, filled });

test("the model sees that without FILL older points hide the silence for days", () => {
  const { outages, inTime } = judgeYear(alarm(26 * HOUR, false), DAILY, 2);
  expect([outages > 0, inTime]).toEqual([true, 0]);
});

test("the model finds that a window of exactly one day starts an alarm without an outage", () => {
  expect(judgeYear(alarm(DAY, true), DAILY, 3).falseAlarms).toBeGreaterThan(0);
});
