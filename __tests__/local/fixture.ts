/** Writes small synthesized outputs. `fixtures/` holds one, made by hand, with one of everything that the deployer must get right. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildSync } from "esbuild";
import { zipSync } from "fflate";
import type { TerraformObject } from "../../local/terraform-expression";

export interface FixtureStack {
  readonly dependencies?: readonly string[];
  readonly body: TerraformObject;
}

export const REGION = "eu-west-1";
const PROVIDER = { aws: [{ region: REGION }] };

/** Writes `manifest.json` and one `cdk.tf.json` a stack into a new folder and returns it. */
export function writeStacks(stacks: Readonly<Record<string, FixtureStack>>): string {
  const directory = mkdtempSync(path.join(tmpdir(), "payment-ledger-fixture-"));
  const manifest = Object.fromEntries(
    Object.entries(stacks).map(([id, { dependencies = [] }]) => [
      id,
      { name: id, dependencies, synthesizedStackPath: `stacks/${id}/cdk.tf.json` },
    ]),
  );
  writeFileSync(path.join(directory, "manifest.json"), JSON.stringify({ version: "0.0.0", stacks: manifest }));
  for (const [id, { body }] of Object.entries(stacks)) {
    mkdirSync(path.join(directory, "stacks", id), { recursive: true });
    writeFileSync(
      path.join(directory, "stacks", id, "cdk.tf.json"),
      JSON.stringify({ provider: PROVIDER, terraform: {}, ...body }),
    );
  }
  return directory;
}

/**
 * Two stacks with keys, a role, a table, queues and the probe function, which answers to `FUNCTIONS.persistPaymentLedger`.
 * @param more further resources of the stack that holds the function, by type and name.
 */
export function writeProbeApp(more: Readonly<Record<string, TerraformObject>> = {}): string {
  const code = probeCode();
  const sourceCodeHash = createHash("sha256").update(code).digest("base64");
  const app = withResources(readFixture("app"), more);
  const functions = (app["resource"] as TerraformObject)["aws_lambda_function"] as { probe: TerraformObject };
  functions.probe["source_code_hash"] = sourceCodeHash;
  const directory = writeStacks({
    app: { dependencies: ["base"], body: app },
    base: { body: readFixture("base") },
  });
  const assets = path.join(directory, "stacks", "app", "assets");
  mkdirSync(assets);
  writeFileSync(path.join(assets, "probe.zip"), code);
  return directory;
}

function probeCode(): Uint8Array {
  const { outputFiles } = buildSync({
    entryPoints: [path.join(__dirname, "probe-handler.ts")],
    write: false,
    bundle: true,
    platform: "node",
    target: "node20",
    logLevel: "error",
  });
  return zipSync({ "index.js": (outputFiles[0] as { contents: Uint8Array }).contents });
}

function withResources(body: TerraformObject, more: Readonly<Record<string, TerraformObject>>): TerraformObject {
  const resource = body["resource"] as Readonly<Record<string, TerraformObject>>;
  const merged = Object.entries(more).map(([type, byName]) => [type, { ...resource[type], ...byName }]);
  return { ...body, resource: { ...resource, ...(Object.fromEntries(merged) as TerraformObject) } };
}

export function readFixture(name: "app" | "base"): TerraformObject {
  return JSON.parse(readFileSync(path.join(__dirname, "fixtures", `${name}.json`), "utf8")) as TerraformObject;
}
