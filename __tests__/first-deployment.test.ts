/** Holds `docs/first-deployment.md` to the stacks: its commands exist, and name what `dev` deploys. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { commandExists, namesAreDeployed, runBlocks, shellBlocksOf, worldOf } from "./support/document-commands";
import { PROJECT } from "./support/project-files";
import { configOf, synthesize } from "./support/synth";

const TEXT = readFileSync(join(PROJECT, "docs", "first-deployment.md"), "utf8");
const dev = configOf("dev");
const WORLD = worldOf(dev, synthesize(dev));
const CALLS = runBlocks(shellBlocksOf(TEXT), WORLD);

test.each([
  ["commands and their options exist", commandExists],
  ["names are the deployment's", namesAreDeployed],
])("%s in every command", (_, rule) => {
  expect(CALLS.length).toBeGreaterThan(10);
  expect(CALLS.flatMap((call) => rule(call, WORLD))).toEqual([]);
});

test("every step says what must be seen, and what to do otherwise", () => {
  const steps = TEXT.split(/^## /m).slice(1);
  expect(steps.length).toBe(8);
  for (const step of steps.slice(0, 7)) {
    expect(step).toMatch(/^\| (Command|Must be seen|Seen) \|(.*\|)? (Otherwise|Do) \|$/m);
  }
});

/** What no test without an account can show, by a word of the step that shows it. */
test.each([
  ["an alarm reaches the topic through its encrypted key", "set-alarm-state"],
  ["EventBridge reaches the topic", "MatchedEvents"],
  ["DynamoDB and its key", "DynamoDbDescribes"],
  ["CloudTrail and the bucket under lock", "InsufficientS3BucketPolicyException"],
  ["the pattern of network interfaces", "CreateNetworkInterface"],
  ["SQS's own move to a dead-letter queue", "onlySentBy"],
  ["the endpoint's first name", "DnsEntries[0]"],
  ["the dimensions of AWS Backup's metrics", "list-metrics"],
  ["the restore from the vault", "RestoreTableFromAwsBackup"],
  ["the caller's own policy at the private API", "execute-api:Invoke"],
  ["how CloudTrail names API Gateway", "apigateway.amazonaws.com"],
  ["the keys of checks in pieces", "checkPieces"],
  ["zones", "describe-vpc-endpoint-services"],
  ["quotas", "get-account-settings"],
  ["network interfaces after a destroy", "describe-network-interfaces"],
])("%s has its step", (_, word) => {
  expect(TEXT).toContain(word);
});
