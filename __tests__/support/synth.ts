/** Synthesizes the app as `main.ts` does, with stub code, and reads what it wrote. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { inForm } from "../../local/synthesize";
import type { Artifacts } from "../../stacks/build-app";
import { loadConfig, OVERRIDES } from "../../stacks/config/load";
import type { AppConfig } from "../../stacks/config/types";

export const STACK_IDS = ["security", "network", "data", "functions"] as const;
export type StackId = (typeof STACK_IDS)[number];

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** `cdk.tf.json` without CDKTF's own notes. */
export interface StackJson {
  readonly terraform: JsonObject;
  readonly provider: Record<string, JsonObject[]>;
  readonly data: Record<string, Record<string, JsonObject>>;
  readonly resource: Record<string, Record<string, JsonObject>>;
  readonly output: Record<string, JsonObject>;
}

export interface Statement {
  readonly sid: string;
  readonly effect: "Allow" | "Deny";
  readonly actions: string[];
  readonly resources: string[];
  readonly principals?: { type: string; identifiers: string[] }[];
  readonly condition?: { test: string; variable: string; values: string[] }[];
}

export interface Synthesized {
  readonly stacks: Record<StackId, StackJson>;
  readonly manifest: { stacks: Record<string, { dependencies: string[] }> };
  /** Every file written, by its path from the output folder. */
  readonly files: ReadonlyMap<string, string>;
}

const STUB = { zip: join(__dirname, "stub-handler.txt"), sha256: "5".repeat(64) };
/** Stand in for what is built, so that no snapshot changes with the code. */
export const STUB_ARTIFACTS: Artifacts = {
  handlerCode: () => STUB,
  auditorKit: { directory: join(__dirname, "stub-kit"), sha256: "6".repeat(64) },
};

export function configOf(environment: "dev" | "prod", changes: Partial<AppConfig> = {}): AppConfig {
  return { ...loadConfig({ [OVERRIDES.environment]: environment }), ...changes };
}

/** With the private API, and actors that are compared with callers. */
export const WITH_PRIVATE_API: Partial<AppConfig> = {
  privateApi: { state: "on", callerCidrs: ["10.20.0.0/16"], requestsPerSecond: 50, burst: 100 },
  actors: "caller",
  actorsOfCallers: { AROAEXAMPLE1234567: ["checkout"] },
};

declare global {
  /** Written files by configuration, as JSON. Set by `test-environment.ts`, one per worker; undefined outside of Jest. */
  var synthesizedApps: Map<string, string> | undefined;
}

/** A configuration is synthesized once per worker, as the same configuration always gives the same files. */
export function synthesize(config: AppConfig, form: "json" | "hcl" = "json"): Synthesized {
  const key = JSON.stringify([form, lastChange(), config]);
  const kept = globalThis.synthesizedApps?.get(key);
  const files =
    kept === undefined ? synthesizeAnew(config, form) : new Map(JSON.parse(kept) as readonly [string, string][]);
  if (kept === undefined) globalThis.synthesizedApps?.set(key, JSON.stringify([...files]));
  const stacks = form === "hcl" ? [] : STACK_IDS.map((id) => [id, parseStack(files.get(`stacks/${id}/cdk.tf.json`))]);
  return {
    files,
    stacks: Object.fromEntries(stacks) as Record<StackId, StackJson>,
    manifest: JSON.parse(files.get("manifest.json") as string) as Synthesized["manifest"],
  };
}

/** Jest may keep a worker while it watches for changes, so a change of what is synthesized must be seen. */
function lastChange(): number {
  const root = join(__dirname, "..", "..");
  const sources = pathsIn(join(root, "stacks")).map((path) => join("stacks", path));
  return Math.max(...["contract.ts", ...sources].map((path) => statSync(join(root, path)).mtimeMs));
}

/** Every file written, by its path from the output folder; nothing that was synthesized before is used. */
export function synthesizeAnew(config: AppConfig, form: "json" | "hcl" = "json"): Map<string, string> {
  // Loaded only here: the classes of all AWS resources take longer to load than a kept synth takes to read.
  const { buildApp } = require("../../stacks/build-app") as typeof import("../../stacks/build-app");
  const outdir = mkdtempSync(join(tmpdir(), "payment-ledger-synth-"));
  try {
    inForm(form, () => buildApp(config, STUB_ARTIFACTS, outdir).synth());
    return new Map(pathsIn(outdir).map((path) => [path, readFileSync(join(outdir, path), "utf8")]));
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

function pathsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => relative(folder, join(file.parentPath, file.name)).split(sep).join("/"))
    .sort();
}

function parseStack(text: string | undefined): StackJson {
  const parsed = JSON.parse(text as string, (key, value: Json) => (key === "//" ? undefined : value)) as StackJson;
  return { ...parsed, data: parsed.data ?? {}, resource: parsed.resource ?? {}, output: parsed.output ?? {} };
}

/** `2 aws_dynamodb_table`, ... : what a reviewer wants to see before the long snapshot. */
export function resourceCounts(stack: StackJson): string[] {
  const count = (prefix: string, blocks: Record<string, object>) =>
    Object.entries(blocks).map(([type, byId]) => `${prefix}${type}: ${Object.keys(byId).length}`);
  return [...count("", stack.resource), ...count("data.", stack.data)].sort();
}

export function only(stack: StackJson, type: string, id: string): JsonObject {
  const found = stack.resource[type]?.[id];
  if (found === undefined) {
    throw new Error(`There is no ${type}.${id}; there are ${Object.keys(stack.resource[type] ?? {}).join(", ")}.`);
  }
  return found;
}

export function statements(stack: StackJson, documentId: string): Statement[] {
  const document = stack.data["aws_iam_policy_document"]?.[documentId];
  if (document === undefined) {
    throw new Error(`There is no policy document ${documentId}.`);
  }
  return document["statement"] as unknown as Statement[];
}

export function statement(stack: StackJson, documentId: string, sid: string): Statement {
  const found = statements(stack, documentId).find((candidate) => candidate.sid === sid);
  if (found === undefined) {
    throw new Error(`${documentId} has no statement ${sid}.`);
  }
  return found;
}

export function allStatements(stack: StackJson): (Statement & { documentId: string })[] {
  return Object.keys(stack.data["aws_iam_policy_document"] ?? {}).flatMap((documentId) =>
    statements(stack, documentId).map((found) => ({ ...found, documentId })),
  );
}

/** What payment processing has under its documents' names carries the suffix in production too. */
export function prodName(base: string): string {
  return ["payment-lambda-role", "payment-processor", "payment-transactions"].includes(base) ? `${base}-prod` : base;
}

/** The last parts of ARNs such as `arn:...:role/payment-query-role`. */
export function lastParts(arns: readonly string[]): string[] {
  return arns.map((arn) => arn.slice(arn.lastIndexOf("/") + 1));
}

export function conditionOf(found: Statement, variable: string): { test: string; values: string[] } | undefined {
  return found.condition?.find((condition) => condition.variable === variable);
}

/** `${aws_kms_key.data-key.arn}`, as Terraform writes a reference. */
export function reference(address: string): string {
  return `\${${address}}`;
}

/** The reference to what an earlier stack published. */
export function published(stack: StackId, type: string, id: string, attribute: string): string {
  const remote = `data.terraform_remote_state.cross-stack-reference-input-${stack}`;
  return reference(`${remote}.outputs.cross-stack-output-${type}${id}${attribute}`);
}
