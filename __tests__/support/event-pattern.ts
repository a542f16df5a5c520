/** The part of EventBridge's patterns that the stacks use: exact values, prefix, suffix, nested fields, `$or`. */

export type EventJson =
  | string
  | number
  | boolean
  | null
  | EventJson[]
  | { readonly [key: string]: EventJson | undefined };

/** @throws Error for a kind of match that is not among them. */
export function matches(pattern: EventJson, event: EventJson | undefined): boolean {
  return Object.entries(pattern as Record<string, EventJson>).every(([key, wanted]) => {
    if (key === "$or") return (wanted as EventJson[]).some((part) => matches(part, event));
    const found = fieldOf(event, key);
    if (!Array.isArray(wanted)) return matches(wanted, found);
    const values = Array.isArray(found) ? found : [found];
    return values.some((value) => wanted.some((one) => matchesValue(one, value)));
  });
}

/** Of an array of objects EventBridge looks at each: `resources.ARN` is every resource's. */
function fieldOf(event: EventJson | undefined, key: string): EventJson | undefined {
  if (Array.isArray(event)) return event.flatMap((one): EventJson[] => [fieldOf(one, key) ?? null].flat());
  return typeof event === "object" && event !== null ? event[key] : undefined;
}

function matchesValue(wanted: EventJson, value: EventJson | undefined): boolean {
  if (typeof wanted !== "object" || wanted === null) return wanted === value;
  const { prefix, suffix, ...others } = wanted as { prefix?: string; suffix?: string };
  if (Object.keys(others).length > 0) throw new Error(`EventBridge's ${Object.keys(others)} is not modelled here.`);
  if (typeof value !== "string") return false;
  return value.startsWith(prefix ?? "") && value.endsWith(suffix ?? "");
}
