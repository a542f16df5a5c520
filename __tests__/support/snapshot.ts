/** Snapshots as plain JSON with sorted keys, so that a diff of one reads like a diff of the plan. */

import type { Json } from "./synth";

class PlainText {
  constructor(readonly text: string) {}
}

expect.addSnapshotSerializer({
  test: (value: unknown) => value instanceof PlainText,
  serialize: (value: unknown) => (value as PlainText).text,
});

export function asJson(value: unknown): PlainText {
  return new PlainText(JSON.stringify(sorted(value as Json), null, 2));
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) {
    return value.map(sorted);
  }
  if (value === null || typeof value !== "object") {
    return value;
  }
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

/** Where `dev` says something other than `prod`, names aside. */
export function differences(prod: Json, dev: Json, path = ""): string[] {
  if (isPlain(prod) && isPlain(dev)) {
    const [one, other] = [withoutSuffix(prod), withoutSuffix(dev)];
    return one === other ? [] : [`${path}: ${one} | ${other}`];
  }
  const [one, other] = [entriesOf(prod), entriesOf(dev)];
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])].sort();
  return keys.flatMap((key) => differences(one[key] ?? null, other[key] ?? null, `${path}/${key}`));
}

function isPlain(value: Json): value is string | number | boolean | null {
  return value === null || typeof value !== "object";
}

function entriesOf(value: Json): Record<string, Json> {
  return isPlain(value) ? { value } : { ...(value as Record<string, Json>) };
}

function withoutSuffix(value: string | number | boolean | null): string {
  return String(value).replace(/-(dev|prod)\b/g, "");
}
