/**
 * The shell blocks of a document, run in order and in one shell with stubs in the place of `aws`, `terraform`, `npx` and
 * `npm`; and the rules about what they were called with: commands, options, names, and what was sent.
 */

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PAYLEDGER } from "../../cli/payledger";
import { FILE_PREFIXES } from "../../contract";
import { commandOf } from "../../evidence/commands/program";
import { parseAuditEvent } from "../../ledger/rules/audit-event";
import { parseExactJson } from "../../ledger/rules/exact-json";
import { isPaymentEvent, parseFact } from "../../ledger/rules/payment-event";
import { parsePaymentMessage } from "../../ledger/rules/payment-message";
import { auditQuerySchema, ledgerQuerySchema, transactionQuerySchema } from "../../ledger/rules/queries";
import { parseWith } from "../../ledger/rules/schema";
import { parseTransaction } from "../../ledger/rules/transaction";
import { bucketNamesOf, namesOf } from "../../stacks/config/names";
import type { AppConfig } from "../../stacks/config/types";
import { PROJECT } from "./project-files";
import type { StackJson, Synthesized } from "./synth";

export function shellBlocksOf(text: string): string[] {
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
}

export interface RecordedCall {
  readonly tool: string;
  readonly args: readonly string[];
  /** Text of each file that was named, at the time of the call. */
  readonly files: Readonly<Record<string, string>>;
}

export const operationOf = ({ args }: RecordedCall): string => args.slice(0, args[1] === "wait" ? 3 : 2).join(" ");
const optionsOf = ({ args }: RecordedCall): string[] => args.filter((arg) => /^--[a-z]/.test(arg));
export const optionOf = ({ args }: RecordedCall, option: string): string | undefined => {
  const at = args.indexOf(option);
  return at < 0 ? undefined : args[at + 1];
};
export function textOf({ files }: RecordedCall, value = ""): string {
  return value.startsWith("file://") ? (files[value.slice("file://".length)] ?? "") : value;
}

// ------------------------------------------------------------------------------------------------ a deployment's world

const ACCOUNT = "111122223333";
const KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab";

export type World = ReturnType<typeof worldOf>;

/** What a deployment's commands may name, and what AWS would answer. */
export function worldOf(config: AppConfig, { stacks }: Synthesized) {
  const names = namesOf(config);
  const buckets = bucketNamesOf(config, ACCOUNT);
  const keyArn = `arn:aws:kms:${config.region}:${ACCOUNT}:key/${KEY_ID}`;
  const functionArn = `arn:aws:lambda:${config.region}:${ACCOUNT}:function:${names.functions.paymentProcessor}`;
  const trailArn = `arn:aws:cloudtrail:${config.region}:${ACCOUNT}:trail/${names.trail}`;
  /** The outputs that the documents name. */
  const outputs: Readonly<Record<string, string>> = {
    VPCId: "vpc-0abc",
    PaymentBucketName: buckets.files,
    TransactionTableName: names.tables.paymentTransactions,
    PaymentProcessorFunctionArn: functionArn,
    KMSKeyId: KEY_ID,
    CloudTrailName: names.trail,
    "payment-service-access-arn": `arn:aws:iam::${ACCOUNT}:policy/${names.accessPolicies.paymentService}`,
  };
  return { names, buckets, keyArn, trailArn, outputs, stacks };
}

interface Answer {
  readonly of: string;
  readonly says: string;
  readonly once?: boolean;
}

function answersOf({ stacks, outputs, buckets, keyArn, trailArn }: World): Answer[] {
  const terraform = Object.entries(stacks).flatMap(([id, stack]) =>
    Object.keys(stack.output).map((name) => ({
      of: `terraform -chdir=cdktf.out/stacks/${id} output -raw ${name}`,
      says: outputs[name] ?? "",
    })),
  );
  const trail = `aws cloudtrail describe-trails --trail-name-list ${outputs["CloudTrailName"]} --query`;
  return [
    ...terraform,
    { of: "aws sts get-caller-identity", says: ACCOUNT },
    { of: "aws kms describe-key --key-id alias/", says: KEY_ID },
    { of: "aws kms describe-key", says: keyArn },
    { of: "aws s3api head-object", says: "version-1" },
    { of: "aws sqs get-queue-url --queue-name", says: "https://sqs.example/queue" },
    { of: `${trail} trailList[0].S3`, says: buckets.trail },
    { of: `${trail} trailList[0].TrailARN`, says: trailArn },
    {
      of: "aws s3api list-object-versions",
      says: '{"Quiet":true,"Objects":[{"Key":"a","VersionId":"1"}]}',
      once: true,
    },
    { of: "aws lambda invoke", says: '{"StatusCode":200}' },
  ];
}

/** @throws Error when the shell ends with an error, as with `set -eu`. */
export function runBlocks(blocks: readonly string[], world: World): RecordedCall[] {
  const folder = mkdtempSync(join(tmpdir(), "payment-ledger-commands-"));
  try {
    const bin = join(folder, "bin");
    mkdirSync(bin);
    for (const tool of ["aws", "terraform", "npx", "npm"]) {
      copyFileSync(join(__dirname, "command-stub.cjs"), join(bin, tool));
      chmodSync(join(bin, tool), 0o755);
    }
    writeFileSync(join(folder, "answers.json"), JSON.stringify(answersOf(world)));
    // `cdktf synth` would write it.
    const code = join(folder, "cdktf.out/stacks/functions/assets/payment-processor-code", "5".repeat(64));
    mkdirSync(code, { recursive: true });
    writeFileSync(join(code, "payment-processor.zip"), "");
    // `aws lambda invoke` would write it.
    writeFileSync(join(folder, "answer.json"), "{}");
    const path = [bin, join(process.execPath, ".."), "/usr/bin", "/bin"].join(":");
    execFileSync("bash", ["-eu"], {
      cwd: folder,
      env: { PATH: path, STUB_FOLDER: folder },
      input: blocks.join("\n"),
      stdio: "pipe",
    });
    const log = join(folder, "calls.ndjson");
    const calls = existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : [];
    return calls.map((line) => JSON.parse(line) as RecordedCall);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// -------------------------------------------------------------------------------------------------------------- rules

export type CommandRule = (call: RecordedCall, world: World) => string[];

/** Options of the commands, as AWS CLI 2 has them; every command takes those of `GLOBAL` too. */
const GLOBAL = ["--query", "--output", "--region", "--cli-binary-format"];
const AWS_COMMANDS: Readonly<Record<string, readonly string[]>> = {
  "backup list-backup-jobs": ["--by-backup-vault-name", "--by-state"],
  "backup list-backup-plans": [],
  "backup start-backup-job": ["--backup-vault-name", "--resource-arn", "--iam-role-arn"],
  "cloudtrail describe-trails": ["--trail-name-list"],
  "cloudtrail get-trail-status": ["--name"],
  "cloudtrail lookup-events": ["--lookup-attributes", "--start-time", "--end-time", "--max-items"],
  "cloudtrail validate-logs": ["--trail-arn", "--start-time", "--end-time", "--verbose"],
  "cloudwatch list-metrics": ["--namespace", "--metric-name"],
  "cloudwatch set-alarm-state": ["--alarm-name", "--state-value", "--state-reason"],
  "dynamodb describe-table": ["--table-name"],
  "dynamodb get-item": ["--table-name", "--key", "--consistent-read"],
  "dynamodb query": [
    "--table-name",
    "--consistent-read",
    "--key-condition-expression",
    "--expression-attribute-values",
    "--index-name",
  ],
  "dynamodb update-time-to-live": ["--table-name", "--time-to-live-specification"],
  "ec2 describe-network-interfaces": ["--filters"],
  "ec2 describe-vpc-endpoints": ["--filters", "--vpc-endpoint-ids"],
  "iam attach-role-policy": ["--role-name", "--policy-arn"],
  "iam delete-role-permissions-boundary": ["--role-name"],
  "kms describe-key": ["--key-id"],
  "kms get-key-policy": ["--key-id", "--policy-name"],
  "kms get-key-rotation-status": ["--key-id"],
  "lambda get-function": ["--function-name", "--qualifier"],
  "lambda get-function-configuration": ["--function-name", "--qualifier"],
  "lambda invoke": ["--function-name", "--payload", "--invocation-type", "--log-type"],
  "lambda get-account-settings": [],
  "lambda get-function-concurrency": ["--function-name"],
  "lambda update-function-code": ["--function-name", "--zip-file"],
  "lambda list-event-source-mappings": ["--function-name", "--event-source-arn"],
  "logs filter-log-events": ["--log-group-name", "--filter-pattern", "--start-time", "--end-time"],
  "logs tail": ["--since", "--follow", "--format", "--filter-pattern"],
  "s3 cp": ["--recursive", "--sse", "--sse-kms-key-id"],
  "s3 ls": ["--recursive"],
  "s3 sync": [],
  "s3api delete-objects": ["--bucket", "--delete", "--bypass-governance-retention"],
  "s3api get-bucket-encryption": ["--bucket"],
  "s3api head-object": ["--bucket", "--key", "--version-id"],
  "s3api list-object-versions": ["--bucket", "--max-items", "--prefix"],
  "s3api wait object-exists": ["--bucket", "--key", "--version-id"],
  "scheduler get-schedule": ["--group-name", "--name"],
  "sns subscribe": ["--topic-arn", "--protocol", "--notification-endpoint"],
  "sqs get-queue-attributes": ["--queue-url", "--attribute-names"],
  "sqs get-queue-url": ["--queue-name"],
  "sqs send-message": [
    "--queue-url",
    "--message-body",
    "--message-group-id",
    "--message-deduplication-id",
    "--message-attributes",
  ],
  "sts get-caller-identity": [],
};
const CDKTF_OPTIONS = ["--ignore-missing-stack-dependencies", "--auto-approve", "--skip-synth", "--parallelism"];

const { scripts } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as { scripts: object };

function awsFaults(call: RecordedCall): string[] {
  const known = AWS_COMMANDS[operationOf(call)];
  if (known === undefined) return [`aws ${operationOf(call)} is no command`];
  const wrong = optionsOf(call).filter((option) => !known.includes(option) && !GLOBAL.includes(option));
  return wrong.map((option) => `aws ${operationOf(call)} has no ${option}`);
}

function npmFaults({ args }: RecordedCall): string[] {
  const [first = "", second = ""] = args;
  const script = first === "run" ? second : first;
  return script in scripts && args.length <= 2 ? [] : [`npm ${args.join(" ")} is no script`];
}

function npxFaults(call: RecordedCall): string[] {
  const [tool, command = ""] = call.args;
  if (tool === "jest") return jestFaults(call.args.slice(1));
  if (tool === "payledger") return payledgerFaults(call.args.slice(1));
  if (tool !== "cdktf" || !["synth", "diff", "deploy", "destroy"].includes(command)) {
    return [`npx ${call.args.join(" ")} is no command`];
  }
  return optionsOf(call)
    .filter((option) => !CDKTF_OPTIONS.includes(option))
    .map((option) => `cdktf has no ${option}`);
}

function payledgerFaults(words: readonly string[]): string[] {
  try {
    commandOf(words, PAYLEDGER.commands);
    return [];
  } catch (error) {
    return [`npx payledger ${words.join(" ")}: ${error instanceof Error ? error.message : "it does not parse"}`];
  }
}

/** Paths of tests that exist, or the option that measures their coverage. */
function jestFaults(words: readonly string[]): string[] {
  return words
    .filter((word) => word !== "--coverage" && !(word.startsWith("__tests__/") && existsSync(join(PROJECT, word))))
    .map((word) => `jest takes no ${word}`);
}

function terraformFaults({ args }: RecordedCall, { stacks }: World): string[] {
  const [, stack = ""] = /^-chdir=cdktf\.out\/stacks\/(\w+)$/.exec(args[0] ?? "") ?? [];
  if (args[1] === "output" && args.length === 2 && stack in stacks) return [];
  const isOutput = args[1] === "output" && args[2] === "-raw";
  const there = (stacks as Readonly<Record<string, StackJson>>)[stack]?.output ?? {};
  return isOutput && (args[3] ?? "") in there ? [] : [`terraform ${args.join(" ")}: no such output`];
}

export const commandExists: CommandRule = (call, world) => {
  if (call.tool === "aws") return awsFaults(call);
  if (call.tool === "npm") return npmFaults(call);
  return call.tool === "npx" ? npxFaults(call) : terraformFaults(call, world);
};

/** Which of the deployment's names each option may hold. */
function deployedBy({ names, buckets, keyArn, trailArn }: World): Readonly<Record<string, readonly string[]>> {
  return {
    "--function-name": Object.values(names.functions),
    "--table-name": Object.values(names.tables),
    "--table": Object.values(names.tables),
    "--alarm-name": Object.values(names.alarms),
    "--backup-vault-name": [names.backupVault],
    "--by-backup-vault-name": [names.backupVault],
    "--queue-name": [...Object.values(names.queues), ...Object.values(names.deadLetterQueues)],
    "--log-group-name": [...Object.values(names.functionLogGroups), names.flowLogGroup],
    "--bucket": Object.values(buckets),
    "--key-id": [KEY_ID, keyArn, ...Object.values(names.keyAliases), ...Object.values(names.checkpointKeyAliases)],
    "--sse-kms-key-id": [keyArn],
    "--name": [names.trail, ...Object.values(names.schedules)],
    "--group-name": [names.scheduleGroup],
    "--trail-name-list": [names.trail],
    "--trail-arn": [trailArn],
  };
}

export const namesAreDeployed: CommandRule = (call, world) => {
  const deployed = deployedBy(world);
  const { names } = world;
  const wrong = Object.entries(deployed).filter(([option, known]) => {
    const value = optionOf(call, option);
    return value !== undefined && !known.includes(value);
  });
  const group = call.tool === "aws" && operationOf(call) === "logs tail" ? [call.args[2] ?? ""] : [];
  const buckets = call.args.flatMap((arg) => /^s3:\/\/([^/]+)/.exec(arg)?.[1] ?? []);
  const queues = [...(deployed["--queue-name"] ?? []), names.failureQueue];
  const isRedrive = call.tool === "npx" && call.args[1] === "redrive";
  const queue = isRedrive ? [call.args[2] ?? ""] : [];
  return [
    ...wrong.map(([option]) => `${option} ${optionOf(call, option)} is not deployed`),
    ...group.filter((name) => !deployed["--log-group-name"]?.includes(name)).map((name) => `no log group ${name}`),
    ...buckets.filter((name) => !deployed["--bucket"]?.includes(name)).map((name) => `no bucket ${name}`),
    ...queue.filter((name) => !queues.includes(name)).map((name) => `no queue ${name}`),
  ];
};

const NOW = new Date("2026-11-21T12:00:00Z");

type Judge = (value: unknown) => { readonly ok: boolean };

/** What the code itself says of a text that is sent. Lambda parses a payload before the code does; the rest the code parses. */
function faultOf(text: string, judge: Judge, parse: (text: string) => unknown = parseExactJson): string[] {
  const parsed = text === "" ? undefined : parse(text);
  return parsed !== undefined && judge(parsed).ok ? [] : [`the code refuses ${text}`];
}

const ofKind =
  (...kinds: readonly string[]): Judge =>
  (value) => ({ ok: kinds.some((kind) => JSON.stringify(value) === JSON.stringify({ kind })) });

/** Who judges what each function is sent. */
function judges({ names: { functions } }: World): Readonly<Record<string, Judge>> {
  return {
    [functions.paymentProcessor]: (value) => parseTransaction((value as { payment_data?: unknown }).payment_data, NOW),
    [functions.queryPaymentLedger]: (value) => parseWith(ledgerQuerySchema, value),
    [functions.queryTransactions]: (value) => parseWith(transactionQuerySchema, value),
    [functions.queryPaymentAuditTrail]: (value) => parseWith(auditQuerySchema, value),
    [functions.exportTables]: ofKind("incremental", "full"),
    [functions.publishCheckpoint]: ofKind("heartbeat"),
    [functions.sweepAuditTrail]: ofKind("sweep"),
    [functions.drillRestore]: ofKind("step", "start"),
    [functions.attestCallers]: ofKind("attest"),
  };
}

export const payloadIsTaken: CommandRule = (call, world) => {
  if (call.tool !== "aws") return [];
  const operation = operationOf(call);
  if (operation === "lambda invoke") {
    const judge = judges(world)[optionOf(call, "--function-name") ?? ""];
    if (judge === undefined) return ["nothing judges what this function is sent"];
    if (optionOf(call, "--cli-binary-format") !== "raw-in-base64-out") return ["the payload is not sent as written"];
    return faultOf(textOf(call, optionOf(call, "--payload")), judge, JSON.parse);
  }
  if (operation === "sqs send-message") {
    const isEvent = optionOf(call, "--message-group-id") !== undefined;
    const judge: Judge = (value) => (isEvent ? parseAuditEvent(value, NOW) : parsePaymentMessage(value, NOW));
    return faultOf(textOf(call, optionOf(call, "--message-body")), judge);
  }
  const [, , from = "", to = ""] = call.args;
  return operation === "s3 cp" && to.startsWith("s3://") ? uploadFaults(call, from, to, world) : [];
};

/** The bucket takes an upload without encryption headers, or with its own key named by its ARN; `aws:kms` alone is another key. */
function uploadFaults(call: RecordedCall, from: string, to: string, { keyArn }: World): string[] {
  const key = to.replace(/^s3:\/\/[^/]+\//, "");
  const [sse, sseKey] = [optionOf(call, "--sse"), optionOf(call, "--sse-kms-key-id")];
  const headersFit = sse === undefined ? sseKey === undefined : sse === "aws:kms" && sseKey === keyArn;
  return [
    ...(key.startsWith(FILE_PREFIXES.payments) ? [] : [`${key} does not start the processor`]),
    ...(headersFit ? [] : ["the bucket refuses these encryption headers"]),
    ...faultOf(call.files[from] ?? "", (value) => ({ ok: [value].flat().every((row) => rowOf(row).ok) })),
  ];
}

/** A row of a payment file: a payment, or a fact about one. */
function rowOf(value: unknown): { readonly ok: boolean } {
  return isPaymentEvent(value) ? parseFact(value, NOW) : parseTransaction(value, NOW);
}
