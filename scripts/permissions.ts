/**
 * `npm run permissions`: proves the plan's permissions. Deploys dev to the embedded AWS, drives every function and command
 * through the gate, and evaluates what was asked against dev and prod in each layout of the network. Ends with 0 when nothing
 * would be denied, every permission that is granted is used or has its reason, and none that is used can be missing unnoticed.
 */

import "../local/sdk-warning";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { loadConfig, OVERRIDES } from "../config/load";
import { type AppConfig, CONNECTIVITIES } from "../config/types";
import { deploy } from "../local/deploy";
import { startEmbeddedAws } from "../local/embedded-aws";
import { LocalError } from "../local/errors";
import type { Authorisation } from "../local/iam/authorisation";
import type { EffectivePolicies } from "../local/iam/effective";
import type { GateCounts } from "../local/iam/gate";
import { plannedPolicies, renaming } from "../local/iam/planned";
import { platformAuthorisations } from "../local/iam/platform";
import { buildApp } from "../stacks/build-app";
import { buildArtifacts } from "./build-artifacts";
import { administratorMatrix } from "./permissions-administrator";
import { removeSingly } from "./permissions-control";
import { driveEverything } from "./permissions-flow";
import { remarkable, type UnusedReason, unusedGrants, WITHOUT_CONDITION } from "./permissions-grants";

const ACCOUNT = "111122223333";
const ENVIRONMENTS = ["dev", "prod"] as const;

/** The operator's commands read queues that hold tokens, which only a named reader may. */
const READERS = { failureQueueReaderArns: [`arn:aws:iam::${ACCOUNT}:user/operator`] };

interface Recorded {
  readonly authorisations: readonly Authorisation[];
  readonly policies: EffectivePolicies;
  readonly counts: GateCounts;
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
    return { authorisations: [...distinct.values()], policies: gate.policies, counts: gate.counts };
  } finally {
    await aws.stop();
  }
}

function report({ authorisations, policies, counts }: Recorded, plans: readonly Plan[]): number {
  const problems: string[] = [];
  const count = (title: string, found: readonly string[]) => {
    problems.push(...found);
    console.log(`  ${title}: ${found.length}${found.map((each) => `\n    ${each}`).join("")}`);
  };
  console.log(`\n${counts.calls} calls, ${counts.authorisations} authorisations, ${authorisations.length} distinct`);
  console.log(
    `  deciding takes ${microseconds(counts, 0.5)} us a call (median), ${microseconds(counts, 0.99)} us (99 of 100)`,
  );
  count(
    "denied while it ran",
    counts.denied.map(({ message }) => message),
  );
  const reasons = JSON.parse(readFileSync(path.join(__dirname, "permissions-unused.json"), "utf8")) as UnusedReason[];
  for (const { name, policies: planned } of plans) {
    const rename = renaming(policies.resources, planned.resources);
    const asked = authorisations.map((each) => JSON.parse(rename(JSON.stringify(each))) as Authorisation);
    const all = [...withEndpoints(asked, planned), ...platformAuthorisations(planned)];
    console.log(`\n${name}: ${all.length} authorisations`);
    count(
      "denied",
      all.flatMap((each) => deniedText(each, planned)),
    );
    const { granted, explained, unexplained, stale } = unusedGrants(planned, all, reasons);
    console.log(`  granted to roles: ${granted} pairs of action and resource; not used, with a reason: ${explained}`);
    count(
      "granted and neither used nor explained",
      unexplained.map((grant) => Object.values(grant).join(" ")),
    );
    if (name === plans[0]?.name)
      count(
        "reasons for nothing",
        stale.map(({ role, sid, action }) => `${role} ${sid} ${action}`),
      );
    const { removals, undetected } = removeSingly(planned, all);
    count(`of ${removals} permissions taken away singly, missed by nobody`, undetected);
  }
  const strictest = plans.find(({ name }) => name.startsWith("prod"))?.policies ?? policies;
  console.log(`\n${matrixText(strictest)}`);
  const { wildcards, unconditioned } = remarkable(strictest);
  console.log(`\nAllowed by a wildcard\n${grouped(wildcards)}`);
  console.log("\nAllowed to a service for anybody's resource");
  const unexpected = unconditioned.filter((each) => !WITHOUT_CONDITION.some((sid) => each.includes(`, ${sid}: `)));
  console.log(`  where AWS supports no condition: ${unconditioned.length - unexpected.length}`);
  count("others", unexpected);
  console.log(`\n${problems.length === 0 ? "Success" : `${problems.length} problems, named above`}`);
  return problems.length === 0 ? 0 : 1;
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

function microseconds({ decisionMicroseconds }: GateCounts, share: number): string {
  const sorted = [...decisionMicroseconds].sort((a, b) => a - b);
  return (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0);
}

function matrixText(policies: EffectivePolicies): string {
  const mark = (isAllowed: boolean) => (isAllowed ? "ALLOWED" : "denied").padEnd(14);
  const rows = administratorMatrix(policies).map(({ kind, action, allowed }) =>
    `  ${kind.padEnd(18)}${action.padEnd(36)}${allowed.map(mark).join("")}`.trimEnd(),
  );
  const head = `  ${"on".padEnd(18)}${"action".padEnd(36)}${"administrator".padEnd(14)}${"root user".padEnd(14)}other account`;
  return ["What stops an administrator with every permission (prod)", head, ...rows].join("\n");
}

/** The same statement of several policies, once. */
function grouped(places: readonly string[]): string {
  const policies = new Map<string, string[]>();
  for (const place of places) {
    const [name = "", statement = ""] = place.split(/, (.*)/s);
    policies.set(statement, [...(policies.get(statement) ?? []), name]);
  }
  return [...policies].map(([statement, names]) => `  ${statement} (${names.length} policies)`).join("\n");
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
