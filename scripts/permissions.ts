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
import { administratorMatrix, type MatrixRow } from "./permissions-administrator";
import { type Control, removeSingly } from "./permissions-control";
import { driveEverything } from "./permissions-flow";
import {
  remarkable,
  type UnusedGrants,
  type UnusedReason,
  unusedGrants,
  WITHOUT_CONDITION,
} from "./permissions-grants";

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

/** One page: the figures of each plan, what is wrong, what an administrator may do, and what a reviewer looks for. */
function report({ authorisations, policies, counts }: Recorded, plans: readonly Plan[]): number {
  const reasons = JSON.parse(readFileSync(path.join(__dirname, "permissions-unused.json"), "utf8")) as UnusedReason[];
  const results = plans.map(({ name, policies: planned }) => {
    const rename = renaming(policies.resources, planned.resources);
    const asked = authorisations.map((each) => JSON.parse(rename(JSON.stringify(each))) as Authorisation);
    return planResult(name, planned, [...withEndpoints(asked, planned), ...platformAuthorisations(planned)], reasons);
  });
  const strictest = plans.find(({ name }) => name.startsWith("prod"))?.policies ?? policies;
  const { wildcards, unconditioned } = remarkable(strictest);
  const unexpected = unconditioned.filter((each) => !WITHOUT_CONDITION.some((sid) => each.includes(`, ${sid}: `)));
  const problems = [
    ...counts.denied.map(({ message }) => `denied while it ran: ${message}`),
    ...results.flatMap((result) => problemsOf(result)),
    // One plan is enough: a reason that some layout of the network needs is no reason for nothing.
    ...(results[0]?.stale ?? []).map((each) => `a reason for what is not granted, or is used: ${each}`),
    ...unexpected.map((each) => `allowed to a service for anybody's resource: ${each}`),
  ];
  const tell = (...lines: string[]) => console.log(lines.join("\n"));
  tell(
    `\n${counts.calls} calls asked ${counts.authorisations} questions, ${authorisations.length} of them distinct; denied: ${counts.denied.length}`,
    `Deciding takes ${microseconds(counts, 0.5)} us a call (median), ${microseconds(counts, 0.99)} us (99 of 100)`,
    "",
    ...planTable(results),
    "",
    ...administratorText(administratorMatrix(strictest)),
    "",
    "Granted on every resource, because the service knows no narrower one (prod)",
    ...grouped(wildcards),
    "",
    "Allowed to a service without naming the account it acts for, because it supports no such condition (prod)",
    ...unconditioned.filter((each) => !unexpected.includes(each)).map((each) => `  ${each}`),
    "",
    ...(problems.length === 0 ? ["Success"] : [...problems.map((each) => `  ${each}`), `${problems.length} problems`]),
  );
  return problems.length === 0 ? 0 : 1;
}

interface PlanResult extends UnusedGrants, Control {
  readonly name: string;
  readonly questions: number;
  readonly denied: readonly string[];
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

function problemsOf({ name, denied, unexplained, undetected }: PlanResult): string[] {
  return [
    ...denied.map((each) => `${name}: denied: ${each}`),
    ...unexplained.map(
      (grant) => `${name}: granted, and neither used nor explained: ${Object.values(grant).join(" ")}`,
    ),
    ...undetected.map((each) => `${name}: missed by nobody: ${each}`),
  ];
}

function planTable(results: readonly PlanResult[]): string[] {
  const columns: [title: string, of: (result: PlanResult) => number][] = [
    ["questions", ({ questions }) => questions],
    ["denied", ({ denied }) => denied.length],
    ["granted", ({ granted }) => granted],
    ["unused, explained", ({ explained }) => explained],
    ["unused, unexplained", ({ unexplained }) => unexplained.length],
    ["removed singly", ({ removals }) => removals],
    ["not missed", ({ undetected }) => undetected.length],
  ];
  const line = (name: string, cells: readonly (string | number)[]) =>
    name.padEnd(17) + cells.map((cell, index) => String(cell).padStart((columns[index]?.[0].length ?? 0) + 2)).join("");
  return [
    line(
      "plan",
      columns.map(([title]) => title),
    ),
    ...results.map((result) =>
      line(
        result.name,
        columns.map(([, of]) => of(result)),
      ),
    ),
    "Granted: pairs of action and resource in the roles' policies. The reasons are in scripts/permissions-unused.json.",
    "Removed singly: a used permission is taken away, and the question is asked again. Each must then be denied.",
  ];
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

/** What each resource's own policy lets pass, by kind of resource. */
function administratorText(matrix: readonly MatrixRow[]): string[] {
  const actions = (rows: readonly MatrixRow[]) => rows.map(({ action }) => action.replace(/^.*:/, "")).join(", ");
  const others = (who: 1 | 2, allowed: (row: MatrixRow) => boolean) =>
    matrix.filter((row) => row.allowed[who] !== allowed(row));
  const [root, foreign] = [others(1, (row) => row.allowed[0]), others(2, () => false)];
  return [
    "What an administrator with every permission may do (prod)",
    ...[...new Set(matrix.map(({ kind }) => kind))].flatMap((kind) => {
      const rows = matrix.filter((row) => row.kind === kind);
      return [
        `  ${kind.padEnd(17)} allowed  ${actions(rows.filter(({ allowed }) => allowed[0])) || "nothing"}`,
        `  ${"".padEnd(17)} denied   ${actions(rows.filter(({ allowed }) => !allowed[0])) || "nothing"}`,
      ];
    }),
    `  The root user: ${root.length === 0 ? "the same" : `otherwise for ${actions(root)}`}. An administrator of another account: ${actions(foreign) || "nothing"}.`,
  ];
}

/** The same statement of several policies, once. */
function grouped(places: readonly string[]): string[] {
  const policies = new Map<string, number>();
  for (const place of places) {
    const statement = place.split(/, (.*)/s)[1] ?? "";
    policies.set(statement, (policies.get(statement) ?? 0) + 1);
  }
  return [...policies].map(([statement, count]) => `  ${statement} (${count} ${count === 1 ? "policy" : "policies"})`);
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
