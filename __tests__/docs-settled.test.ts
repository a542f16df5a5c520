/** What the documents say of names, of locks and of PCI DSS, compared with the stacks and the configuration. */

import { FUNCTIONS } from "../contract";
import { DOCS, marked, matches, tableUnder, textOf } from "./support/documents";
import { configOf, STACK_IDS, synthesize } from "./support/synth";

const { stacks } = synthesize(configOf("prod"));

test("deploy.md gives the rule of the names, as the stacks of prod have them", () => {
  const section = textOf("docs/deploy.md").split("### Names\n")[1]?.split("\n## ")[0] ?? "";
  const exceptions = marked(/The names of the first row that end in[\s\S]*?\./.exec(section)?.[0] ?? "").slice(1);
  const namesOfTypes = (types: readonly string[]) =>
    STACK_IDS.flatMap((id) =>
      types.flatMap((type) =>
        Object.values(stacks[id].resource[type] ?? {}).map((block) => {
          const { function_name, bucket, alarm_name, dashboard_name, name, tags } = block as Record<string, string>;
          const found = function_name ?? bucket ?? alarm_name ?? dashboard_name ?? name;
          return found ?? (tags as unknown as { Name: string }).Name;
        }),
      ),
    );
  const bare = namesOfTypes([
    ...[
      "aws_dynamodb_table",
      "aws_lambda_function",
      "aws_iam_role",
      "aws_iam_policy",
      "aws_sqs_queue",
      "aws_sns_topic",
    ],
    ...[
      "aws_scheduler_schedule",
      "aws_scheduler_schedule_group",
      "aws_cloudwatch_metric_alarm",
      "aws_cloudwatch_dashboard",
    ],
  ]);
  expect(bare.length).toBeGreaterThan(60);
  expect(bare.filter((name) => name.endsWith("-prod")).sort()).toEqual(exceptions.sort());
  const suffixed = namesOfTypes([
    ...[
      "aws_s3_bucket",
      "aws_kms_alias",
      "aws_cloudtrail",
      "aws_backup_vault",
      "aws_backup_plan",
      "aws_vpc",
      "aws_subnet",
    ],
    ...["aws_security_group", "aws_default_security_group", "aws_route_table", "aws_vpc_endpoint", "aws_flow_log"],
  ]);
  expect(suffixed.length).toBeGreaterThan(20);
  for (const name of suffixed) expect(name).toMatch(/-prod(-\$\{data\.aws_caller_identity\.current\.account_id\})?$/);
});

test("the README says what cannot be undone, with the configuration's days", () => {
  const { trailLock, evidenceLock, vaultLock } = configOf("prod").protections;
  expect([trailLock.mode, evidenceLock.mode, vaultLock?.changeableForDays]).toEqual(["COMPLIANCE", "COMPLIANCE", 7]);
  const text = textOf("README.md").replace(/\s+/g, " ");
  expect(text).toContain(
    `what CloudTrail wrote for ${trailLock.days} days, the log's evidence for ${evidenceLock.days} days`,
  );
});

/** Titles of other documents, the name of a tool, and the sentence that says what the word is worth. */
const COMPLIANT = [
  "PCI-DSS Compliant Payment Processing Infrastructure",
  'call their infrastructure "PCI-DSS compliant"',
  "No template makes anybody compliant",
  "compliance-trestle",
];

test("no document calls anything compliant, except in the titles of other documents", () => {
  const claims = (text: string) => {
    const rest = COMPLIANT.reduce((left, quoted) => left.replaceAll(quoted, ""), text.replace(/\s+/g, " "));
    return matches(rest, /\b(complian(?:t|ce)\b.{0,20})/gi).filter((word) => !/^COMPLIANCE\b/.test(word));
  };
  // The demands quote what others claim.
  const own = DOCS.filter(({ path }) => path !== "docs/demands.md");
  for (const { path, text } of own) expect([path, claims(text)]).toEqual([path, []]);
  expect(claims("This ledger is PCI DSS compliant.")).not.toEqual([]);
});

test("says of each PCI DSS requirement what is here and what stays the operator's", () => {
  const rows = tableUnder("SECURITY.md", "PCI DSS");
  expect(rows.map(([requirement]) => Number(/^\d+/.exec(requirement ?? "")?.[0]))).toEqual([3, 4, 7, 8, 10, 11, 12]);
  for (const row of rows) expect(row.every((cell) => cell !== "") && row.length === 3).toBe(true);
  expect(textOf("SECURITY.md")).toContain("Nobody has assessed this project.");
});

test("gives a statement that lets clear tokens be revealed with MFA only", () => {
  const [statement] = matches(textOf("SECURITY.md"), /^```json\n([\s\S]*?)^```$/gm);
  expect(JSON.parse(statement ?? "")).toEqual({
    Sid: expect.stringMatching(/^[A-Za-z0-9]+$/),
    Effect: "Allow",
    Action: "lambda:InvokeFunction",
    Resource: `arn:aws:lambda:us-east-1:111122223333:function:${FUNCTIONS.revealPaymentToken.name}`,
    Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } },
  });
});
