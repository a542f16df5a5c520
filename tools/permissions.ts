/**
 * `npm run permissions`: proves the plan's permissions. Deploys dev to the embedded AWS, drives every function and command
 * through the gate, and evaluates what was asked against dev and prod in each layout of the network. Ends with 0 when nothing
 * would be denied, every permission that is granted is used or has its reason, and none that is used can be missing unnoticed.
 */

import "../local/sdk-warning";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { deploy } from "../local/deploy";
import { startEmbeddedAws } from "../local/embedded-aws";
import { LocalError } from "../local/errors";
import type { Authorisation } from "../local/iam/authorisation";
import type { EffectivePolicies } from "../local/iam/effective";
import { plannedPolicies, renaming } from "../local/iam/planned";
import { platformAuthorisations } from "../local/iam/platform";
import { buildApp } from "../stacks/build-app";
import { loadConfig, OVERRIDES } from "../stacks/config/load";
import { type AppConfig, CONNECTIVITIES } from "../stacks/config/types";
import { buildArtifacts } from "./build-artifacts";
import { removeSingly } from "./permissions/control";
import { driveEverything } from "./permissions/flow";
import { type UnusedReason, unusedGrants } from "./permissions/grants";
import { gateOverhead } from "./permissions/overhead";
import { type PlanResult, permissionsPage, type RecordedCalls } from "./permissions/page";

const ACCOUNT = "111122223333";
const ENVIRONMENTS = ["dev", "prod"] as const;

/** The operator's commands read queues that hold tokens, which only a named reader may. */
const READERS = { failureQueueReaderArns: [`arn:aws:iam::${ACCOUNT}:user/operator`] };

interface Recorded extends RecordedCalls {
  readonly policies: EffectivePolicies;
}

interface Plan {
  readonly name: string;
  readonly policies: EffectivePolicies;
}

async function main(): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-permissions-"));
  try {
    const recorded = await record(folder);
    const plans: Plan[] = [];
    for (const environment of ENVIRONMENTS) {
      for (const connectivity of CONNECTIVITIES) plans.push(await plan(folder, environment, connectivity));
    }
    return report(recorded, plans);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function synthesize(folder: string, name: string, config: AppConfig): string {
  const outdir = path.join(folder, name);
  buildApp({ ...config, ...READERS }, buildArtifacts(), outdir).synth();
  return outdir;
}

async function plan(folder: string, environment: string, connectivity: AppConfig["connectivity"]): Promise<Plan> {
  const name = `${environment} ${connectivity}`;
  const config = { ...loadConfig({ [OVERRIDES.environment]: environment }), connectivity };
  return { name, policies: await plannedPolicies(synthesize(folder, name.replace(" ", "-"), config), ACCOUNT) };
}

/** Calls of the functions and the people, and what services do for them. */
async function record(folder: string): Promise<Recorded> {
  const outputDirectory = synthesize(folder, "deployed", loadConfig({ [OVERRIDES.environment]: "dev" }));
  const aws = await startEmbeddedAws({ onInstall: (message) => console.error(message) });
  try {
    const deployment = await deploy({ aws, outputDirectory });
    const { gate } = deployment;
    if (gate?.policies === undefined) throw new Error("AWS_ENDPOINT_URL is set: only the embedded AWS has a gate.");
    const distinct = new Map<string, Authorisation>();
    gate.onAllowed = (each) => distinct.set(JSON.stringify(each), each);
    await driveEverything(deployment, folder, (step) => console.log(`  ${step}`));
    gate.onAllowed = undefined;
    const counts = structuredClone(gate.counts);
    const overhead = await gateOverhead(deployment);
    return { authorisations: [...distinct.values()], policies: gate.policies, counts, overhead };
  } finally {
    await aws.stop();
  }
}

function report(recorded: Recorded, plans: readonly Plan[]): number {
  const { authorisations, policies } = recorded;
  const reasons = JSON.parse(
    readFileSync(path.join(__dirname, "permissions", "unused.json"), "utf8"),
  ) as UnusedReason[];
  const results = plans.map(({ name, policies: planned }) => {
    const rename = renaming(policies.resources, planned.resources);
    const asked = authorisations.map((each) => JSON.parse(rename(JSON.stringify(each))) as Authorisation);
    return planResult(name, planned, [...withEndpoints(asked, planned), ...platformAuthorisations(planned)], reasons);
  });
  const strictest = plans.find(({ name }) => name.startsWith("prod"))?.policies ?? policies;
  const { problems, lines } = permissionsPage(recorded, results, strictest);
  console.log(`\n${lines.join("\n")}`);
  return problems.length === 0 ? 0 : 1;
}

function planResult(
  name: string,
  policies: EffectivePolicies,
  asked: readonly Authorisation[],
  reasons: readonly UnusedReason[],
): PlanResult {
  return {
    name,
    questions: asked.length,
    denied: asked.flatMap((each) => deniedText(each, policies)),
    ...unusedGrants(policies, asked, reasons),
    ...removeSingly(policies, asked),
  };
}

/** A layout without an endpoint for a service asks no policy of one. */
function withEndpoints(authorisations: readonly Authorisation[], { endpoints }: EffectivePolicies): Authorisation[] {
  return authorisations.map((each) => {
    const { via, ...rest } = each;
    return via === undefined || endpoints.has(via) ? each : rest;
  });
}

function deniedText(authorisation: Authorisation, policies: EffectivePolicies): string[] {
  const decision = policies.decide(authorisation);
  if (decision.allowed) return [];
  const { caller, action, resource, because } = authorisation;
  return [
    `${caller.kind === "service" ? caller.name : caller.arn} ${action} ${resource} ${decision.reason} (${because})`,
  ];
}

main().then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    console.error(error instanceof LocalError ? error.message : error);
    process.exitCode = 1;
  },
);
