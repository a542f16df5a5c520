import { BACKUP_METRICS, FUNCTIONS, LOG_METRICS, METRICS } from "../../contract";
import { alarmDescriptions } from "../../stacks/config/alarm-table";
import { configOf, type JsonObject, only, published, reference, synthesize } from "../support/synth";

const { functions } = synthesize(configOf("prod")).stacks;

const ALARMS = functions.resource["aws_cloudwatch_metric_alarm"] ?? {};
const ENTRIES = Object.values(FUNCTIONS).map(({ entry }) => entry);

/** The alarms that watch no single function's errors or throttles, with what they watch and from which value on. */
const OTHERS: Record<string, [metric: string, comparison: string, threshold: number, periodSeconds: number]> = {
  "failures-waiting": ["ApproximateNumberOfMessagesVisible", ">=", 1, 300],
  "failures-old": ["ApproximateAgeOfOldestMessage", ">=", 3600, 300],
  "audit-events-old": ["ApproximateAgeOfOldestMessage", ">=", 900, 300],
  "audit-events-dead-letters": ["ApproximateNumberOfMessagesVisible", ">=", 1, 300],
  "payment-messages-old": ["ApproximateAgeOfOldestMessage", ">=", 900, 300],
  "payment-messages-dead-letters": ["ApproximateNumberOfMessagesVisible", ">=", 1, 300],
  "event-integrity": [METRICS.integrityAlarm, ">=", 1, 300],
  "old-holds": [METRICS.refundHoldOld, ">=", 1, 300],
  "card-data-in-files": [METRICS.cardDataRefused, ">=", 1, 300],
  "export-failed": [BACKUP_METRICS.exportFailed, ">=", 1, 300],
  "backup-check-failed": [BACKUP_METRICS.checkFailed, ">=", 1, 300],
  "late-records": [LOG_METRICS.late, ">=", 1, 300],
  "sealing-behind": ["IteratorAge", ">=", 300_000, 300],
  "stream-lost": [LOG_METRICS.streamLost, ">=", 1, 300],
  "log-check-failed": [LOG_METRICS.checkFailed, ">=", 1, 300],
  "restore-drill-failed": [LOG_METRICS.drillFailed, ">=", 1, 300],
  "identity-contradicted": [LOG_METRICS.identityContradicted, ">=", 1, 300],
  "identity-check-failed": [LOG_METRICS.identityCheckFailed, ">=", 1, 300],
};
/** The alarms on what did not happen: what they count, the minimum, and in how many windows of how long. */
const MISSING: Record<string, [metric: string, minimum: number, windowSeconds: number, windows: number]> = {
  "export-missing": [BACKUP_METRICS.exported, 5, 26 * 3600, 1],
  "backup-check-missing": [BACKUP_METRICS.checkPassed, 1, 26 * 3600, 1],
  "checkpoint-missing": [LOG_METRICS.checkpoint, 1, 300, 3],
  "log-check-missing": [LOG_METRICS.checkPassed, 1, 26 * 3600, 1],
  "restore-drill-missing": [LOG_METRICS.drillPassed, 1, (4 * 24 + 2) * 3600, 1],
  "identity-check-missing": [LOG_METRICS.identityCheckPassed, 1, 26 * 3600, 1],
  "vault-backup-missing": ["NumberOfBackupJobsCompleted", 5, 34 * 3600, 1],
};
const SUMS = [
  "vault-backup-failed",
  "guard-reports-failed-1",
  "guard-reports-failed-2",
  "integrity",
  "card-data",
  "message-refused",
  "payment-breach",
  "tampering",
];

/** A throttled batch of a stream waits and is sent again: its age is watched instead. */
const FED_BY_STREAMS = "seal-audit-trail";

test("the stack has these alarms and no others, and each reaches the topic", () => {
  const perFunction = ENTRIES.flatMap((entry) => [
    `${entry}-errors`,
    ...(entry === FED_BY_STREAMS ? [] : [`${entry}-throttles`]),
  ]);
  expect(Object.keys(ALARMS).sort()).toEqual(
    [...perFunction, ...Object.keys(OTHERS), ...Object.keys(MISSING), ...SUMS].sort(),
  );
  const topic = [published("security", "aws_sns_topic", "alarm-topic", "arn")];
  for (const alarm of Object.values(ALARMS)) {
    expect([alarm["alarm_actions"], alarm["ok_actions"]]).toEqual([topic, topic]);
  }
});

test("every alarm says what its row of the table says, and where the runbook says what to do", () => {
  const said = Object.values(ALARMS).map((alarm) => String(alarm["alarm_description"]));
  const written = Object.entries(alarmDescriptions()).map(
    ([section, description]) => `${description} See docs/runbook.md#${section}`,
  );
  expect([...new Set(said)].sort()).toEqual(written.sort());
});

test.each(Object.entries(alarmDescriptions()))("%s: %s", (_, description) => {
  expect(description).toMatch(/^[A-Z].*[a-z0-9)]\.$/);
  // A text message shows about so much.
  expect(description.length).toBeLessThanOrEqual(140);
});

test.each(Object.entries(OTHERS))("%s watches %j", (id, [metric, comparison, threshold, period]) => {
  expect(only(functions, "aws_cloudwatch_metric_alarm", id)).toMatchObject({
    metric_name: metric,
    comparison_operator: comparison === "<" ? "LessThanThreshold" : "GreaterThanOrEqualToThreshold",
    threshold,
    period,
    evaluation_periods: 1,
    treat_missing_data: "notBreaching",
  });
});

test.each(Object.entries(MISSING))("%s counts %j", (id, [metric, minimum, windowSeconds, windows]) => {
  const alarm = only(functions, "aws_cloudwatch_metric_alarm", id);
  expect(alarm).toMatchObject({
    comparison_operator: "LessThanThreshold",
    threshold: minimum,
    evaluation_periods: windows,
    treat_missing_data: "breaching",
    metric_query: [
      { expression: "FILL(m1,0)", return_data: true },
      { id: "m1", metric: { metric_name: metric, stat: "Sum", period: windowSeconds } },
    ],
  });
  // CloudWatch looks back seven days at most, and one day with periods of less than an hour.
  expect(windowSeconds * windows).toBeLessThanOrEqual(windowSeconds < 3600 ? 86_400 : 604_800);
  expect(windowSeconds % 60).toBe(0);
});

test("queue alarms watch their queue, the others the function that reports", () => {
  const dimensions = (id: string) => only(functions, "aws_cloudwatch_metric_alarm", id)["dimensions"];
  const queue = (id: string) => ({ QueueName: published("data", "aws_sqs_queue", id, "name") });
  const service = (entry: string) => ({ service: reference(`aws_lambda_function.${entry}.function_name`) });
  expect(Object.fromEntries(Object.keys(OTHERS).map((id) => [id, dimensions(id)]))).toEqual({
    "failures-waiting": queue("failure-queue"),
    "failures-old": queue("failure-queue"),
    "audit-events-old": queue("audit-events"),
    "audit-events-dead-letters": queue("audit-events-dead-letters"),
    "payment-messages-old": queue("payment-messages"),
    "payment-messages-dead-letters": queue("payment-messages-dead-letters"),
    "event-integrity": service("record-payment-event"),
    "old-holds": service("sweep-audit-trail"),
    "card-data-in-files": service("payment-processor"),
    "export-failed": service("export-tables"),
    "backup-check-failed": service("check-backup"),
    "late-records": service("sweep-audit-trail"),
    "sealing-behind": { FunctionName: reference("aws_lambda_function.seal-audit-trail.function_name") },
    "stream-lost": service("publish-checkpoint"),
    "log-check-failed": service("sweep-audit-trail"),
    "restore-drill-failed": service("drill-restore"),
    "identity-contradicted": service("attest-callers"),
    "identity-check-failed": service("attest-callers"),
  });
});

/** CloudWatch adds up ten metrics in an alarm at most. */
const SUM_METRICS_MAX = 10;

/** They check what the others wrote, and have their own alarms. */
const AROUND_THE_LOG = [
  "seal-audit-trail",
  "publish-checkpoint",
  "sweep-audit-trail",
  "drill-restore",
  "attest-callers",
];

test.each([
  ["integrity", METRICS.integrityAlarm, ["export-tables", "record-payment-event", ...AROUND_THE_LOG]],
  ["card-data", METRICS.cardDataRefused, ["export-tables", "check-backup", "payment-processor", ...AROUND_THE_LOG]],
  [
    "message-refused",
    METRICS.messageRefused,
    ENTRIES.filter((entry) => !["persist-payment-audit-trail", "process-payment-messages"].includes(entry)),
  ],
  [
    "payment-breach",
    METRICS.paymentBreach,
    ENTRIES.filter(
      (entry) => !["record-payment-event", "process-payment-messages", "sweep-audit-trail"].includes(entry),
    ),
  ],
  [
    "tampering",
    LOG_METRICS.tampering,
    ENTRIES.filter((entry) => !["seal-audit-trail", "publish-checkpoint", "sweep-audit-trail"].includes(entry)),
  ],
])("the %s alarm sums %s of all functions but %j", (id, metricName, without) => {
  const entries = ENTRIES.filter((entry) => !without.includes(entry));
  const queries = only(functions, "aws_cloudwatch_metric_alarm", id)["metric_query"] as JsonObject[];
  expect(entries.length).toBeLessThanOrEqual(SUM_METRICS_MAX);
  expect(queries[0]).toMatchObject({ expression: entries.map((_, i) => `FILL(m${i + 1},0)`).join("+") });
  expect(queries.slice(1).map(({ metric }) => metric)).toEqual(
    entries.map((entry) => ({
      namespace: METRICS.namespace,
      metric_name: metricName,
      stat: "Sum",
      period: 300,
      dimensions: { service: reference(`aws_lambda_function.${entry}.function_name`) },
    })),
  );
});
