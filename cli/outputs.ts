/** `payledger outputs`: what the stacks give out: names, ARNs, the log's origin. */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import type { CommandBody } from "../evidence/commands/command";
import { UsageError } from "../evidence/commands/errors";
import { nearest } from "../evidence/commands/nearest";
import { DONE } from "../evidence/commands/program";
import { embeddedState, type Outputs } from "../local/embedded-state";
import { onAws } from "./aws";
import { CommandError } from "./errors";

const STACKS = ["security", "network", "data", "functions"];

export const outputs: CommandBody = onAws({
  operands: "[NAME]",
  details:
    "Of the embedded AWS while it is in use; else what Terraform keeps for the stacks that were synthesized here (cdktf.out). With a NAME its value alone, for a script.",
  options: {},
  examples: ["outputs", "outputs PaymentBucketName"],
  run: async (args, { answer }) => {
    const [name, ...others] = args.operands;
    if (others.length > 0) throw new UsageError("The command takes one name, or none.");
    const all = await outputsOfDeployment();
    const flat = Object.values(all).flatMap((stack) => Object.entries(stack));
    if (name === undefined) {
      answer(all, flat.map(([key, value]) => `${key} = ${textOfOutput(value)}`).join("\n"));
      return DONE;
    }
    const found = flat.find(([key]) => key === name);
    if (found !== undefined) {
      answer({ [name]: found[1] }, textOfOutput(found[1]));
      return DONE;
    }
    const close = nearest(
      name,
      flat.map(([key]) => key),
    );
    throw new UsageError(`There is no output ${name}.${close === undefined ? "" : ` Did you mean ${close}?`}`);
  },
});

export function textOfOutput(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

async function outputsOfDeployment(): Promise<Outputs> {
  const state = await embeddedState();
  if (state !== undefined && state.endpoint === process.env["AWS_ENDPOINT_URL"]) return state.outputs;
  return Object.fromEntries(STACKS.map((stack) => [stack, terraformOutputs(stack)]));
}

/** @throws CommandError NO_OUTPUTS */
function terraformOutputs(stack: string): Readonly<Record<string, unknown>> {
  const folder = path.join("cdktf.out", "stacks", stack);
  if (!existsSync(folder)) {
    throw new CommandError("NO_OUTPUTS", `There is no folder ${folder}. Synthesize the stacks first: npm run synth`);
  }
  try {
    const text = execFileSync("terraform", [`-chdir=${folder}`, "output", "-json"], {
      encoding: "utf8",
      stdio: "pipe",
    });
    const values = JSON.parse(text) as Readonly<Record<string, { value: unknown }>>;
    const own = Object.entries(values).filter(([name]) => !name.startsWith("cross-stack-output-"));
    return Object.fromEntries(own.map(([name, { value }]) => [name, value]));
  } catch (error) {
    throw new CommandError(
      "NO_OUTPUTS",
      `Terraform gives no outputs of ${folder}. It needs Terraform 1.10 or newer on the path, terraform init in that folder, and the credentials of its backend.`,
      { cause: error },
    );
  }
}
