/** Runs the shell blocks of `docs/usage.md` against stubs and judges what they call; holds its numbers to the configuration. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ENTRIES_MAX } from "../ledger/rules/entries";
import { ENVIRONMENTS } from "../stacks/config/environments";
import { namesOf } from "../stacks/config/names";
import {
  type CommandRule,
  commandExists,
  namesAreDeployed,
  operationOf,
  optionOf,
  payloadIsTaken,
  runBlocks,
  shellBlocksOf,
  textOf,
  worldOf,
} from "./support/document-commands";
import { PROJECT } from "./support/project-files";
import { configOf, type JsonObject, STACK_IDS, synthesize } from "./support/synth";

const TEXT = readFileSync(join(PROJECT, "docs/usage.md"), "utf8");
const BLOCKS = shellBlocksOf(TEXT);
const dev = configOf("dev");
const prod = configOf("prod");
const WORLD = worldOf(dev, synthesize(dev));
const { names: NAMES, buckets: BUCKETS, keyArn: KEY_ARN, outputs: OUTPUTS, stacks } = WORLD;

const RULES: readonly { name: string; rule: CommandRule; caught: readonly string[] }[] = [
  {
    name: "commands and their options exist",
    rule: commandExists,
    caught: [
      "aws s3 cp payment.json s3://x/y --server-side-encryption aws:kms",
      "aws lambda call",
      "npm stop",
      "npx payledger redrive x --quick",
      "npx cdktf deploy functions --fast",
      "npx cdktf paint",
      "npx jest __tests__/gold.test.ts",
      "npx jest --watch-gold",
      "terraform -chdir=cdktf.out/stacks/gold output",
      "terraform -chdir=cdktf.out/stacks/data output -raw VPCId",
    ],
  },
  {
    name: "names are the deployment's",
    rule: namesAreDeployed,
    caught: [
      "aws lambda invoke --function-name payment-processor x",
      "aws dynamodb query --table-name PaymentLedger",
      "aws logs tail /aws/lambda/x",
      "npx payledger redrive audit-trail-queue-dlx",
      "npx payledger backup list --table payment-ledger",
      "aws s3 ls s3://payment-files/",
      "aws kms get-key-rotation-status --key-id alias/payment-gold-dev",
    ],
  },
  {
    name: "what is sent is taken",
    rule: payloadIsTaken,
    caught: [
      `aws lambda invoke --function-name ${NAMES.functions.paymentProcessor} --cli-binary-format raw-in-base64-out --payload '{"payment_data":{"transactionId":"t"}}' x`,
      `aws lambda invoke --function-name ${NAMES.functions.queryTransactions} --payload '{"transactionId":"t","Actor":"a"}' x`,
      "aws lambda invoke --function-name other --payload '{}' x",
      "aws sqs send-message --message-body '{}'",
      `aws sqs send-message --message-body '{"paymentId":"p","amount":"1"}' --message-group-id p`,
      `echo '{"transactionId":"t","amount":"1","currency":"EUR","cardLast4":"1234"}' > p.json; aws s3 cp p.json s3://x/other/p.json`,
      `echo '{"transactionId":"t","amount":"1","currency":"EUR","cardLast4":"1234"}' > p.json; aws s3 cp p.json s3://x/payments/p.json --sse aws:kms`,
      `aws lambda invoke --function-name ${NAMES.functions.paymentProcessor} --cli-binary-format raw-in-base64-out --payload '{"payment_data":{"transactionId":"t","amount":99.99,"currency":"USD","cardLast4":"4242"}}' x`,
      "echo '{}' > p.json; aws s3 cp p.json s3://x/payments/p.json",
    ],
  },
];

const calls = runBlocks(BLOCKS, WORLD);
const byOperation = (operation: string) => calls.filter((call) => operationOf(call) === operation);

describe.each(RULES)("$name", ({ rule, caught }) => {
  test("in every command of the document", () => {
    expect(calls.flatMap((call) => rule(call, WORLD))).toEqual([]);
  });

  test.each(caught)("and an objection is raised to %s", (line) => {
    expect(runBlocks([line], WORLD).flatMap((call) => rule(call, WORLD))).not.toEqual([]);
  });
});

test("every step of the guides has its commands", () => {
  const operations = new Set(calls.map((call) => `${call.tool} ${operationOf(call)}`));
  expect([...operations]).toEqual(
    expect.arrayContaining([
      "npm run synth",
      "npx cdktf deploy",
      "npx cdktf destroy",
      "npx jest __tests__/stacks",
      "npx jest --coverage",
      "npm test",
      "npm start",
      "aws lambda invoke",
      "aws s3 cp",
      "aws dynamodb query",
      "aws s3api get-bucket-encryption",
      "aws dynamodb describe-table",
      "aws kms get-key-rotation-status",
      "aws s3 ls",
      "aws s3api delete-objects",
      "aws sqs send-message",
      "aws lambda update-function-code",
    ]),
  );
  const outputs = calls.filter(({ tool }) => tool === "terraform").map(({ args }) => args.slice(0, 4));
  const [one, all] = [outputs.filter(([, , raw]) => raw === "-raw"), outputs.filter((args) => args.length === 2)];
  expect(one.map(([, , , name]) => name).sort()).toEqual(Object.keys(OUTPUTS).sort());
  expect(all.map(([stack]) => stack)).toEqual(STACK_IDS.map((id) => `-chdir=cdktf.out/stacks/${id}`));
});

interface Step {
  /** The demand, as docs/demands.md numbers it. */
  readonly row: string;
  readonly section: string;
  /** Beginnings of the commands that the section has; a line within a command counts too. */
  readonly commands: readonly string[];
  readonly says?: readonly string[];
}

const STEPS: readonly Step[] = [
  { row: "PA-2", section: "Send messages", commands: ['{ "Query": "payment", "paymentId": "pay-0001"'] },
  {
    row: "PA-17",
    section: "Using it",
    commands: [],
    says: ["Terraform 1.10 or newer", "AWS CLI version 2", "Node.js 20.12 or newer", "a suffix that nobody else"],
  },
  {
    row: "PA-21",
    section: "Send messages",
    commands: [
      "aws sqs send-message --queue-url $queue",
      "aws logs tail /aws/lambda/process_payment_messages-dev",
      "aws lambda invoke --function-name query_transactions-dev",
    ],
  },
  { row: "PP-60", section: "Deploy", commands: ["npm run synth", "npx cdktf deploy security network data functions"] },
  { row: "PP-60", section: "Change the functions' code", commands: ["npx cdktf deploy functions"] },
  { row: "PP-60", section: "Test", commands: ["npm test", "npm start"] },
  { row: "PP-60", section: "Clean up", commands: ["npx cdktf destroy functions data network security"] },
  {
    row: "PP-62",
    section: "View the trail",
    commands: ["aws cloudtrail lookup-events", "aws cloudtrail validate-logs"],
  },
  { row: "PG-1", section: "Deploy", commands: ["npx cdktf deploy security network data functions"] },
  {
    row: "PG-2",
    section: "Deploy",
    commands: [
      "vpc=$(output network VPCId)",
      "bucket=$(output data PaymentBucketName)",
      "table=$(output data TransactionTableName)",
      "trail=$(output data CloudTrailName)",
      "processor=$(output functions PaymentProcessorFunctionArn)",
      "key=$(output security KMSKeyId)",
    ],
  },
  {
    row: "PG-5",
    section: "Invoke with payment_data",
    commands: ["aws lambda invoke --function-name payment-processor-dev", '"payment_data": {'],
  },
  {
    row: "PG-6",
    section: "Verify the encryption",
    commands: [
      "aws s3api get-bucket-encryption --bucket $bucket",
      "aws s3api head-object --bucket $bucket --key $file",
    ],
  },
  { row: "PG-7", section: "Verify the encryption", commands: ["aws dynamodb describe-table --table-name $table"] },
  {
    row: "PG-9",
    section: "Upload a payment file",
    commands: ["cat > payment.json", '"metadata": {', "aws s3 cp payment.json s3://$bucket/$file"],
  },
  {
    row: "PG-11",
    section: "Query a transaction",
    commands: ["aws lambda invoke --function-name query_transactions-dev", "aws dynamodb query --table-name $table"],
  },
  {
    row: "PG-12",
    section: "View the trail",
    commands: [
      "aws cloudtrail get-trail-status --name $trail",
      "aws s3 ls s3://$trail_bucket/AWSLogs/ --recursive",
      "aws cloudtrail lookup-events",
      "aws cloudtrail validate-logs",
    ],
  },
  {
    row: "PG-30",
    section: "When something does not work",
    commands: ["aws lambda get-function --function-name payment-processor-dev"],
    says: ["The first call is slow.", "provisioned concurrency does"],
  },
  {
    row: "PG-31",
    section: "When something does not work",
    commands: [],
    says: ["No events in the trail.", "about every five minutes and may take fifteen"],
  },
  { row: "PG-31", section: "View the trail", commands: ["aws cloudtrail get-trail-status --name $trail"] },
  {
    row: "PG-32",
    section: "When something does not work",
    commands: ["aws kms get-key-policy --key-id $key"],
    says: ["A key's permission is denied.", "look at the role's policy, then at the key's"],
  },
];

/** The text from a heading to the next one; of the title, the introduction. */
function sectionOf(heading: string): string {
  const parts = TEXT.split(/^#{1,2} /m);
  return parts.find((part) => part.startsWith(`${heading}\n`)) ?? "";
}

test.each(STEPS)("what $row asks for is in the section $section", ({ section, commands, says = [] }) => {
  const lines = shellBlocksOf(sectionOf(section)).flatMap((block) => block.split("\n").map((line) => line.trim()));
  expect(commands.filter((command) => !lines.some((line) => line.startsWith(command)))).toEqual([]);
  const prose = sectionOf(section).replaceAll(/\s+/g, " ");
  expect(says.filter((words) => !prose.includes(words))).toEqual([]);
});

test("the file is uploaded once without encryption headers and once with the bucket's key", () => {
  const uploads = byOperation("s3 cp").filter(({ args }) => args[3]?.startsWith("s3://"));
  expect(uploads.map((call) => optionOf(call, "--sse-kms-key-id"))).toEqual([undefined, KEY_ARN]);
});

test("the rotation of every key that can rotate is asked for", () => {
  const asked = new Set(byOperation("kms describe-key").map((call) => optionOf(call, "--key-id")));
  const rotating = Object.entries(NAMES.keyAliases).filter(([purpose]) => purpose !== "mac");
  for (const [, alias] of rotating) expect(asked).toContain(alias);
  const keys = stacks.security.resource["aws_kms_key"] ?? {};
  expect(Object.values(keys).filter((key) => key["enable_key_rotation"] === true)).toHaveLength(rotating.length);
});

test("emptying a bucket removes versions until none is left, and stops where one is locked", () => {
  const removed = byOperation("s3api delete-objects");
  expect(removed.map((call) => optionOf(call, "--bucket"))).toEqual([BUCKETS.files, BUCKETS.trail]);
  expect(removed.map((call) => JSON.parse(textOf(call, optionOf(call, "--delete"))) as JsonObject)).toEqual([
    { Quiet: true, Objects: [{ Key: "a", VersionId: "1" }] },
    { Quiet: true, Objects: [{ Key: "a", VersionId: "1" }] },
  ]);
  const emptying = BLOCKS.find((block) => block.includes("delete-objects")) ?? "";
  const locked = `aws() { if [ "$2" = delete-objects ]; then echo '"Code": "AccessDenied"'; else echo VersionId; fi; }`;
  expect(() => runBlocks([`bucket=a; trail_bucket=b; ${locked}`, emptying], WORLD)).toThrow();
});

test("the table of names has the names of both environments", () => {
  const rows = TEXT.matchAll(/^\| [a-z ]+ \| (`[^|]+`) \| (`[^|]+`) \|$/gm);
  const idsOf = (names: ReturnType<typeof namesOf>) =>
    new Map(
      [names.functions, names.queues, names.tables].flatMap((group) =>
        Object.entries(group).map(([id, name]): [string, string] => [name, id]),
      ),
    );
  const [inDev, inProd] = [idsOf(NAMES), idsOf(namesOf(prod))];
  const spans = (cell = "") => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
  const pairs = [...rows].map(([, left, right]) => ({
    dev: spans(left).map((name) => inDev.get(name) ?? name),
    prod: spans(right).map((name) => inProd.get(name) ?? name),
  }));
  expect(pairs).toHaveLength(6);
  for (const pair of pairs) expect(pair.dev).toEqual(pair.prod);
  const known = new Set(inDev.values());
  expect(pairs.flatMap((pair) => pair.dev).filter((id) => !known.has(id))).toEqual([]);
});

test("the numbers are the configuration's", () => {
  const days = (environment: string) => ENVIRONMENTS[environment]?.protections;
  expect(TEXT).toContain(`a list of up to ${ENTRIES_MAX}`);
  expect(TEXT).toContain(`KMS keys remain for ${days("dev")?.kmsDeletionWindowDays} days`);
  expect(TEXT).toContain(`| KMS keys | ${days("prod")?.kmsDeletionWindowDays} days after the order`);
  expect(days("dev")?.trailLock).toEqual({ mode: "GOVERNANCE", days: 1 });
  expect(days("prod")?.trailLock).toEqual({ mode: "COMPLIANCE", days: 365 });
  expect(TEXT).toContain(`${prod.backups.daily.retentionDays} and ${prod.backups.weekly.retentionDays} days`);
  expect(TEXT).toContain(`cannot be taken off ${prod.protections.vaultLock?.changeableForDays} days after`);
  expect(TEXT).toContain(`after ${dev.retention.oldVersionDays} days (\`prod\`: ${prod.retention.oldVersionDays})`);
  expect(Object.keys(prod.protections.reservedConcurrency ?? {}).length).toBeGreaterThan(0);
  expect(dev.protections.reservedConcurrency).toBeNull();
});
