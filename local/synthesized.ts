/** Reads what `cdktf synth` wrote: the manifest and one `cdk.tf.json` a stack, in the order in which they are applied. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { LocalError } from "./errors";
import type { Json, TerraformObject } from "./terraform-expression";

/** One resource or data source, its arguments not yet resolved. */
export interface Block {
  /** `aws_kms_key.data`, or `data.aws_region.current`. */
  readonly address: string;
  readonly mode: "resource" | "data";
  readonly type: string;
  readonly name: string;
  readonly dependsOn: readonly string[];
  readonly arguments: TerraformObject;
}

export interface Stack {
  readonly id: string;
  /** Value of `path.module`. */
  readonly directory: string;
  /** Region of the AWS provider. */
  readonly region: string;
  readonly blocks: ReadonlyMap<string, Block>;
  readonly outputs: Readonly<Record<string, Json>>;
}

/** Arguments that belong to Terraform itself. The first list changes nothing on the embedded AWS; the second is refused. */
const META_WITHOUT_EFFECT = new Set(["//", "depends_on", "lifecycle", "provider"]);
const META_REFUSED = ["count", "for_each", "provisioner", "connection"];

/** Stacks in dependency order: a stack comes after every stack that it reads outputs of. */
export function readSynthesized(outputDirectory: string): Stack[] {
  const manifest = readJson(path.join(outputDirectory, "manifest.json"));
  const entries = objectAt(manifest, "stacks");
  const ordered: string[] = [];
  const visit = (id: string, trail: readonly string[]): void => {
    if (ordered.includes(id)) return;
    if (trail.includes(id)) throw cycle([...trail, id]);
    const dependencies = objectAt(entries, id)["dependencies"];
    for (const dependency of Array.isArray(dependencies) ? dependencies : []) visit(String(dependency), [...trail, id]);
    ordered.push(id);
  };
  for (const id of Object.keys(entries)) visit(id, []);
  return ordered.map((id) => {
    const file = objectAt(entries, id)["synthesizedStackPath"];
    return readStack(id, path.join(outputDirectory, String(file)));
  });
}

function readStack(id: string, file: string): Stack {
  const json = readJson(file);
  const blocks = [...blocksOf(json, "resource"), ...blocksOf(json, "data")];
  const outputs = Object.entries(optionalObjectAt(json, "output")).map(([name, output]) => {
    return [name, isObject(output) ? (output["value"] ?? null) : null] as const;
  });
  return {
    id,
    directory: path.dirname(file),
    region: providerRegion(json, file),
    blocks: new Map(blocks.map((block) => [block.address, block])),
    outputs: Object.fromEntries(outputs),
  };
}

function blocksOf(json: TerraformObject, mode: Block["mode"]): Block[] {
  return Object.entries(optionalObjectAt(json, mode)).flatMap(([type, byName]) =>
    Object.entries(isObject(byName) ? byName : {}).map(([name, body]) => {
      const all = isObject(body) ? body : {};
      const address = mode === "data" ? `data.${type}.${name}` : `${type}.${name}`;
      const refused = META_REFUSED.find((meta) => meta in all);
      if (refused !== undefined) throw metaRefused(address, refused);
      const dependsOn = all["depends_on"];
      return {
        address,
        mode,
        type,
        name,
        dependsOn: Array.isArray(dependsOn) ? dependsOn.map(String) : [],
        arguments: Object.fromEntries(Object.entries(all).filter(([key]) => !META_WITHOUT_EFFECT.has(key))),
      };
    }),
  );
}

function providerRegion(json: TerraformObject, file: string): string {
  const aws = optionalObjectAt(json, "provider")["aws"];
  const first = Array.isArray(aws) ? aws[0] : aws;
  const region = isObject(first) ? first["region"] : undefined;
  if (typeof region !== "string" || region.includes("${")) {
    throw new LocalError(
      "SYNTH_OUTPUT_MISSING",
      `${file} names no region in its AWS provider. The embedded AWS uses the region that the plan uses; set it in the configuration.`,
    );
  }
  return region;
}

function readJson(file: string): TerraformObject {
  if (!existsSync(file)) {
    throw new LocalError(
      "SYNTH_OUTPUT_MISSING",
      `${file} does not exist. The embedded AWS gets what the synthesized stacks say; run "npx cdktf synth" first.`,
    );
  }
  const parsed: Json = JSON.parse(readFileSync(file, "utf8"));
  if (!isObject(parsed)) throw new LocalError("SYNTH_OUTPUT_MISSING", `${file} is no JSON object; synthesize again.`);
  return parsed;
}

export function isObject(value: Json | undefined): value is TerraformObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function optionalObjectAt(json: TerraformObject, key: string): TerraformObject {
  const value = json[key];
  return isObject(value) ? value : {};
}

function objectAt(json: TerraformObject, key: string): TerraformObject {
  const value = json[key];
  if (isObject(value)) return value;
  throw new LocalError(
    "SYNTH_OUTPUT_MISSING",
    `The manifest has no "${key}"; synthesize again with "npx cdktf synth".`,
  );
}

function cycle(trail: readonly string[]): LocalError {
  return new LocalError(
    "REFERENCE_CYCLE",
    `These stacks need each other: ${trail.join(" -> ")}. One of them must not.`,
  );
}

function metaRefused(address: string, meta: string): LocalError {
  return new LocalError(
    "EXPRESSION_UNRESOLVED",
    `${address} uses "${meta}", which the embedded AWS does not carry out. Write each resource out in the stack.`,
  );
}
