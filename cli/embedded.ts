/** `payledger up | down | status | env`: the embedded AWS in the background, with the four stacks in it. */

import type { CommandBody, Terminal } from "../evidence/commands/command";
import { ANSWER_IS_NO } from "../evidence/commands/program";
import { embeddedState, shellVariablesOf, type UpState } from "../local/embedded-state";
import { PEOPLE } from "../local/iam/identities";
import { loadConfig } from "../stacks/config/load";
import { personOf } from "./aws";
import { CommandError } from "./errors";

const NOT_UP = "The embedded AWS is not up. Bring it up with: npx payledger up";

const LIMITS = [
  "It is an emulator: exports write files only by payledger export, CloudTrail and alarms record nothing, and there is no VPC.",
  "Permissions are enforced as in the plan. All differences: docs/embedded-aws.md.",
];

export const upCommand: CommandBody = {
  details:
    "Needs Python 3.10 or newer; no AWS account, and it never reaches AWS. With AWS_ENDPOINT_URL set, the stacks are deployed to that endpoint instead.",
  options: {},
  run: async (args, terminal) => {
    args.noOperand();
    const background = require("../local/embedded-background") as typeof import("../local/embedded-background");
    const { synthesize } = require("../local/synthesize") as typeof import("../local/synthesize");
    loadConfig();
    const isGiven = !!process.env["AWS_ENDPOINT_URL"];
    if (!isGiven) await background.assertNotUp();
    terminal.tell("Synthesizing the stacks (about 10 seconds)");
    const outputDirectory = await synthesize(process.env["CDKTF_OUTDIR"]);
    terminal.tell(
      "Starting the emulator and deploying the stacks (about 20 seconds; the first time installs Python packages)",
    );
    if (isGiven) return deployToGiven(outputDirectory, terminal);
    const state = await background.up(outputDirectory);
    terminal.answer(publicState(state), [describe(state), ...LIMITS, ...NEXT].join("\n"));
    return 0;
  },
};

const NEXT = [
  "",
  "Next:",
  "  npx payledger pay txn-0001 --amount 10.50 --currency EUR --token tok_5f2c9a",
  "  npx payledger trail txn-0001",
  "Stop it, and lose everything in it, with: npx payledger down",
];

/** There is nothing to hold in the background. */
async function deployToGiven(outputDirectory: string, { answer }: Terminal): Promise<number> {
  const { startEmbeddedAws } = require("../local/embedded-aws") as typeof import("../local/embedded-aws");
  const { deploy } = require("../local/deploy") as typeof import("../local/deploy");
  const aws = await startEmbeddedAws();
  const { resources } = await deploy({ aws, outputDirectory });
  const count = resources.filter(({ block }) => block.mode === "resource").length;
  const text = `Deployed ${count} resources to ${aws.endpoint}, which AWS_ENDPOINT_URL names. "down" leaves it alone.`;
  answer({ endpoint: aws.endpoint, resourceCount: count }, text);
  return 0;
}

export const downCommand: CommandBody = {
  options: {},
  run: async (args, { answer }) => {
    args.noOperand();
    const stopped = await (
      require("../local/embedded-background") as typeof import("../local/embedded-background")
    ).down();
    const text =
      stopped === undefined ? "The embedded AWS was not up." : `The embedded AWS at ${stopped.endpoint} is gone.`;
    answer({ stopped: stopped?.endpoint ?? null }, text);
    return 0;
  },
};

export const statusCommand: CommandBody = {
  options: {},
  run: async (args, { answer }) => {
    args.noOperand();
    const state = await embeddedState();
    if (state === undefined) {
      answer({ up: false }, NOT_UP);
      return ANSWER_IS_NO;
    }
    const use = ['To use it with other tools: eval "$(npx payledger env)"'];
    answer(publicState(state), [describe(state), ...use].join("\n"));
    return 0;
  },
};

export const envCommand: CommandBody = {
  details:
    'For a shell to evaluate: eval "$(npx payledger env)". Beside endpoint, region and credentials it sets LEDGER_<OUTPUT> for each output of the stacks, but not for the URL of the private API, which the embedded AWS does not have.',
  options: {
    as: { kind: "one", value: "PERSON", about: `Who you are: ${PEOPLE.join(", ")}. Default: administrator.` },
  },
  examples: ["env --as auditor"],
  run: async (args, { answer }) => {
    args.noOperand();
    const person = personOf(args) ?? "administrator";
    const state = await embeddedState();
    if (state === undefined) throw new CommandError("NOT_EMBEDDED", NOT_UP);
    const variables = { ...shellVariablesOf(state, person), ...outputVariables(state) };
    const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`);
    answer(variables, [...lines, "unset AWS_PROFILE AWS_SESSION_TOKEN"].join("\n"));
    return 0;
  },
};

/** `PaymentBucketName` as `LEDGER_PAYMENT_BUCKET_NAME`. The names of functions follow from the documents; their outputs are left out. */
function outputVariables({ outputs }: UpState): Record<string, string> {
  const all = Object.values(outputs).flatMap((stack) => Object.entries(stack));
  const chosen = all.filter(([name]) => !/^[a-z].*-(name|arn)$/.test(name));
  return Object.fromEntries(chosen.map(([name, value]) => [variableName(name), textOfValue(value)]));
}

function variableName(output: string): string {
  const words = output.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2");
  return `LEDGER_${words.replaceAll("-", "_").toUpperCase()}`;
}

function textOfValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function publicState({ pid, endpoint, region, resourceCount, outputs }: UpState): object {
  return { up: true, pid, endpoint, region, resourceCount, outputs };
}

function describe({ endpoint, pid, resourceCount }: UpState): string {
  return `The embedded AWS is up at ${endpoint} (process ${pid}) with ${resourceCount} resources. payledger uses it from now on.`;
}
