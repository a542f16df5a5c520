/** A call's entries: one object, a list, or a list with its actor around it. */

import { z } from "zod";
import { type Refusal, refusal } from "./refusals";
import { actor, parseWith, schemaVersion } from "./schema";

export const ENTRIES_MAX = 500;

export interface Entries {
  readonly entries: readonly unknown[];
  readonly actor?: string;
}

/** @param listName the field that holds the list when it is wrapped: `payments` or `events`. */
export function parseEntries(event: unknown, listName: "payments" | "events"): Entries | { readonly refusal: Refusal } {
  if (Array.isArray(event)) return checkedLength({ entries: event });
  if (typeof event !== "object" || event === null || !(listName in event)) return { entries: [event] };
  const envelope = z.strictObject({
    schemaVersion,
    Actor: actor.optional(),
    [listName]: z.array(z.unknown(), "NOT_AN_OBJECT"),
  });
  const parsed = parseWith(envelope, event);
  if (!parsed.ok) return { refusal: parsed.refusal };
  const { Actor: listActor, [listName]: entries } = parsed.value as {
    Actor?: string;
    payments?: unknown[];
    events?: unknown[];
  };
  return checkedLength({ entries: entries ?? [], ...(listActor === undefined ? {} : { actor: listActor }) });
}

function checkedLength(parsed: Entries): Entries | { readonly refusal: Refusal } {
  if (parsed.entries.length === 0) return { refusal: refusal("EMPTY_LIST") };
  if (parsed.entries.length > ENTRIES_MAX) return { refusal: refusal("LIST_TOO_LONG") };
  return parsed;
}

/** What stands around the list; the list's entries are looked at one by one. */
export function envelopeOf(event: unknown, listName: "payments" | "events"): unknown {
  if (Array.isArray(event)) return {};
  if (typeof event !== "object" || event === null || !(listName in event)) return {};
  return { ...event, [listName]: [] };
}
