/** `cdktf synth --hcl` says what the JSON form says, attribute by attribute. */

import { parse } from "@cdktf/hcl2json";
import { CONNECTIVITIES } from "../../stacks/config/types";
import { configOf, type Json, type JsonObject, STACK_IDS, synthesize } from "../support/synth";

/** A block is a list of one in HCL and an object in JSON: a list of one is replaced by its only member in both. */
function normalised(value: Json): Json {
  if (Array.isArray(value)) {
    const items = value.map(normalised);
    return items.length === 1 ? (items[0] as Json) : items;
  }
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, normalised(item)]));
}

/** Every value with the path to it. */
function paths(value: Json, path = ""): [string, Json][] {
  if (value === null || typeof value !== "object") return [[path, value]];
  const entries = Object.entries(value);
  return entries.length === 0 ? [[path, value]] : entries.flatMap(([key, item]) => paths(item, `${path}/${key}`));
}

/** What one form says and the other does not, or says otherwise. */
function differences(json: Json, hcl: Json): string[] {
  const [left, right] = [json, hcl].map((form) => new Map(paths(normalised(form))));
  const all = new Set([...(left as Map<string, Json>).keys(), ...(right as Map<string, Json>).keys()]);
  return [...all].filter((path) => JSON.stringify(left?.get(path)) !== JSON.stringify(right?.get(path)));
}

async function parsed(text: string): Promise<JsonObject> {
  return JSON.parse(JSON.stringify(await parse("cdk.tf", text))) as JsonObject;
}

/** CDKTF 0.21 cannot write it into HCL; `docs/deploy.md` says so for those who apply that form. */
const ONLY_IN_JSON = ["/terraform/required_version"];

describe.each([
  ...CONNECTIVITIES.map((connectivity) => ["prod", connectivity] as const),
  ["dev", "privatelink"] as const,
])("%s, %s", (environment, connectivity) => {
  const config = configOf(environment, { connectivity });
  const json = synthesize(config);
  const hcl = synthesize(config, "hcl");

  test.each(STACK_IDS)("%s says in HCL what it says in JSON, attribute by attribute", async (id) => {
    const { terraform, provider, data, resource, output } = json.stacks[id];
    const whole = { terraform, provider, data, resource, output } as unknown as Json;
    expect(paths(normalised(whole)).length).toBeGreaterThan(300);
    // CDKTF writes its references as texts, which Terraform refuses; it accepts such texts in depends_on and ignore_changes.
    expect(paths(whole).filter(([path]) => path.includes("/replace_triggered_by"))).toEqual([]);
    expect(differences(whole, await parsed(hcl.files.get(`stacks/${id}/cdk.tf`) as string))).toEqual(ONLY_IN_JSON);
  });
});

test.each([
  ["an attribute is changed", "timeout = 3", "timeout = 4"],
  ["an attribute is left out", "timeout = 3", ""],
  ["a block is left out", 'tracing {\n mode = "Active"\n }', ""],
  ["a resource is left out", 'resource "b" "two" {\n x = 1\n }', ""],
])("a difference is found where %s", async (_what, from, to) => {
  const text =
    'resource "a" "one" {\n timeout = 3\n tracing {\n mode = "Active"\n }\n }\nresource "b" "two" {\n x = 1\n }\n';
  expect(text).toContain(from);
  const original = await parsed(text);
  expect(differences(original, original)).toEqual([]);
  expect(differences(original, await parsed(text.replace(from, to)))).not.toEqual([]);
});
