/**
 * `payledger drill`: a whole restore drill, now. The function does it, step by step, and this waits for its verdict; or, with
 * `--here`, this machine does the same steps. Works on AWS, and on the endpoint that AWS_ENDPOINT_URL names.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { TABLES, type TableId } from "../contract";
import type { DrillResponse } from "../evidence/checks/drill-operation";
import { type DrillState, MemoryDrillBucket } from "../evidence/checks/drill-state";
import { type DrillSettings, stepDrill } from "../evidence/checks/drill-steps";
import { drillTables, scratchNameOf } from "../evidence/checks/drill-tables";
import { s3Evidence } from "../evidence/checks/s3-evidence";
import { isGood } from "../evidence/checks/verification";
import type { CommandArguments, CommandBody, Terminal } from "../evidence/commands/command";
import { UsageError } from "../evidence/commands/errors";
import { writeReport } from "../evidence/commands/report";
import { EXIT_CODES, type Verdict } from "../evidence/verifier/report";
import { loadConfig } from "../stacks/config/load";
import { bucketNamesOf, namesOf } from "../stacks/config/names";
import { onAws } from "./aws";
import { CommandError } from "./errors";

const POLL_SECONDS_DEFAULT = 20;
/** Of the drill's own tables: none that the function's drill makes or removes. */
const HERE = "here-";

type Print = (text: string) => void;

/** What one step tells. */
type DrillStatus = Pick<DrillResponse, "outcome" | "drill" | "codes"> & {
  readonly last?: {
    readonly drill: string;
    readonly verdict: Verdict;
    readonly passed: boolean;
    readonly report: string;
  };
};

export const drill: CommandBody = onAws({
  details:
    "The function drill_restore does it and records it; this waits, and tells each step. Ends with the exit code of the verdict: 0 ok, 20 where nothing pins the log's end, 10 and up for what was found.",
  options: {
    here: {
      kind: "flag",
      about:
        "This machine does it, under its own credentials: without the function's limit of time, and without an audit record.",
    },
    key: { kind: "many", value: "KEY", about: "With --here: verifier key of the log, as it was handed over." },
    html: {
      kind: "one",
      value: "FILE",
      about: "With --here: write the result as a page, too, as the command report does.",
    },
    "poll-seconds": { kind: "one", value: "N", about: `Between two steps. Default: ${POLL_SECONDS_DEFAULT}.` },
  },
  run: runDrill,
});

async function runDrill(args: CommandArguments, terminal: Terminal): Promise<number> {
  args.noOperand();
  const seconds = Number(args.one("poll-seconds") ?? POLL_SECONDS_DEFAULT);
  if (!(seconds > 0)) throw new UsageError("--poll-seconds is a number above 0.");
  const isJson = args.flag("json");
  const tell = isJson ? terminal.tell : terminal.print;
  const page = args.one("html");
  if (!args.flag("here")) {
    if (args.many("key").length > 0) throw new UsageError("--key goes with --here.");
    if (page !== undefined) throw new UsageError("--html goes with --here.");
    const { functions } = namesOf(loadConfig());
    const ended = await untilVerdict(invoked(new LambdaClient({}), functions.drillRestore), seconds, tell);
    if (isJson) terminal.answer(ended, "");
    return ended.exitCode;
  }
  const here = await onThisMachine(args.many("key"), async (options, verification) => {
    if (page !== undefined) await writeReport(page, { options, verification, args, say: terminal.tell });
  });
  const ended = await untilVerdict(here.step, seconds, tell);
  if (isJson) for (const report of here.reports.values()) terminal.print(report);
  tell("It is recorded nowhere: the audit trail knows the function's drills only.");
  return ended.exitCode;
}

type DrillCall = (kind: "start" | "step") => Promise<DrillStatus>;

interface FinishedDrill {
  readonly drill: string;
  readonly verdict: Verdict;
  readonly passed: boolean;
  readonly report: string;
  readonly exitCode: number;
}

/** Begins a drill, or joins the one under way, and goes on until it is over. */
export async function untilVerdict(step: DrillCall, pollSeconds: number, print: Print): Promise<FinishedDrill> {
  let state = await step("start");
  const drill = state.drill ?? state.last?.drill;
  if (state.codes.includes("NO_EXPORT") || drill === undefined) {
    throw new CommandError(
      "NO_EXPORT",
      "There is no full export of every table yet, so there is nothing to restore. Make one: npx payledger export.",
    );
  }
  print(`drill of ${drill}: ${state.outcome}`);
  for (let told = state.outcome; state.outcome !== "idle" || state.last?.drill !== drill; ) {
    await sleep(pollSeconds * 1000);
    state = await step("step");
    for (const code of state.codes) print(`  ${code}`);
    if (state.outcome !== told) print(`  ${state.outcome}`);
    told = state.outcome;
  }
  const { verdict, passed, report } = state.last;
  print(`${passed ? "PASSED" : "FAILED"}: ${verdict}. The report: ${report}`);
  const exitCode = EXIT_CODES[isGood(verdict) && !passed ? "incomplete" : verdict];
  return { drill, verdict, passed, report, exitCode };
}

export function invoked(lambda: Pick<LambdaClient, "send">, functionName: string): DrillCall {
  return async (kind) => {
    const command = new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify({ kind }) });
    const { FunctionError, Payload } = await lambda.send(command);
    const answer: unknown = JSON.parse(Buffer.from(Payload ?? []).toString("utf8"));
    if (FunctionError === undefined) return answer as DrillStatus;
    throw new CommandError(
      "FUNCTION_FAILED",
      `${functionName} failed. Its log group /aws/lambda/${functionName} says why. Run this command again to continue the drill.`,
    );
  };
}

async function onThisMachine(keys: readonly string[], onVerified: NonNullable<DrillSettings["onVerified"]>) {
  if (keys.length === 0) {
    throw new UsageError("--here takes --key: a log is held against a key that did not come with it.");
  }
  const config = loadConfig();
  const dynamo = new DynamoDBClient({});
  // Paths instead of host names for buckets, because an endpoint on this machine has no such names.
  const s3 = new S3Client({ forcePathStyle: true });
  const tables = await deployedTables(dynamo, namesOf(config).tables);
  const buckets = bucketNamesOf(config, tables[0]?.arn.split(":")[4] ?? "");
  const state = new MemoryDrillBucket();
  const step = stepsHere({
    tables,
    exports: { s3, bucket: buckets.exports },
    state,
    dynamo,
    scratch: drillTables(dynamo),
    scratchName: (deployedName) => scratchNameOf(deployedName, HERE),
    evidence: s3Evidence(s3, buckets.evidence),
    keys: async () => keys,
    everyDays: Number.POSITIVE_INFINITY,
    onVerified,
  });
  return { step, reports: state.reports };
}

/** The function's steps, without what it writes into the audit trail. */
export function stepsHere(settings: DrillSettings, clock = () => new Date()): DrillCall {
  return async (kind) => {
    const codes: DrillStatus["codes"][number][] = [];
    const state = await stepDrill({
      ...settings,
      now: clock(),
      begin: kind === "start",
      outOfTime: () => false,
      tell: (code) => codes.push(code),
    });
    return { ...statusOf(state), codes };
  };
}

function statusOf({ phase, drill, last }: DrillState): Omit<DrillStatus, "codes"> {
  return {
    outcome: phase,
    ...(drill === undefined ? {} : { drill: drill.id }),
    ...(last === undefined ? {} : { last: { ...last, drill: last.id, report: "--json prints it" } }),
  };
}

async function deployedTables(dynamo: DynamoDBClient, names: Readonly<Record<TableId, string>>) {
  return Promise.all(
    (Object.keys(TABLES) as TableId[]).map(async (id) => {
      const { Table } = await dynamo.send(new DescribeTableCommand({ TableName: names[id] }));
      return { table: TABLES[id].logicalName, arn: Table?.TableArn ?? "" };
    }),
  );
}
