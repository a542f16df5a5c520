/** The plan's alarms that report what did not happen, with the rhythm in which it should. */

import { DAY, HOUR, type Judgement, judge, MINUTE, type ModelAlarm, type Rhythm, seeded, yearOf } from "./cloudwatch";
import { configOf, type JsonObject, type StackJson, synthesize } from "./synth";

const { drillEveryDays } = configOf("prod");
/** A schedule with a flexible window starts within 15 minutes, and a function reports within another 15. */
const SCHEDULED: Rhythm = { everySeconds: DAY, jitterSeconds: 30 * MINUTE, value: 1 };

/** By alarm. The vault's jobs may start within an hour of their time and end within eight more. */
export const RHYTHMS: Readonly<Record<string, Rhythm>> = {
  "export-missing": { ...SCHEDULED, value: 5 },
  "backup-check-missing": SCHEDULED,
  "log-check-missing": SCHEDULED,
  "identity-check-missing": SCHEDULED,
  "checkpoint-missing": { everySeconds: MINUTE, jitterSeconds: 20, value: 1 },
  "restore-drill-missing": {
    everySeconds: drillEveryDays * DAY,
    jitterSeconds: DAY + HOUR,
    afterReport: true,
    value: 1,
  },
  "vault-backup-missing": { everySeconds: DAY, jitterSeconds: 9 * HOUR, value: 5 },
};

/** A point of a metric can be read so long after its time. */
const DELAY_SECONDS = 2 * MINUTE;
const OUTAGES_A_YEAR = 12;

/** Alarms that are active below a threshold. */
export function missingAlarms(functions: StackJson): Map<string, ModelAlarm> {
  const alarms = Object.entries(functions.resource["aws_cloudwatch_metric_alarm"] ?? {});
  return new Map(
    alarms
      .filter(([, alarm]) => alarm["comparison_operator"] === "LessThanThreshold")
      .map(([id, alarm]) => [id, modelOf(alarm)]),
  );
}

function modelOf(alarm: JsonObject): ModelAlarm {
  const [total, ...metrics] = alarm["metric_query"] as JsonObject[];
  const periods = metrics.map(({ metric }) => Number((metric as JsonObject)["period"]));
  return {
    periodSeconds: periods[0] as number,
    periods: Number(alarm["evaluation_periods"]),
    least: Number(alarm["threshold"]),
    filled: metrics.every(({ id }) => String(total?.["expression"]).includes(`FILL(${id},0)`)),
  };
}

/** A year of the alarm, with outages. */
export function judgeYear(alarm: ModelAlarm, rhythm: Rhythm, seed: number): Judgement {
  return judge(alarm, yearOf(rhythm, alarm, OUTAGES_A_YEAR, seeded(seed)), DELAY_SECONDS);
}

/** Of the plan of `prod`. */
export function judgePlan(seed: number): Map<string, Judgement> {
  const { functions } = synthesize(configOf("prod")).stacks;
  return new Map(
    [...missingAlarms(functions)].map(([id, alarm]) => {
      const rhythm = RHYTHMS[id];
      if (rhythm === undefined)
        throw new Error(`The alarm ${id} has no rhythm in RHYTHMS: say how often its event should happen.`);
      return [id, judgeYear(alarm, rhythm, seed)];
    }),
  );
}

export function reportOf({ outages, inTime, falseAlarms }: Judgement): string {
  return `${outages} outages injected, reported in time ${inTime} of ${outages}, false alarms ${falseAlarms}`;
}
