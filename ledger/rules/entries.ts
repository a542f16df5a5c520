/** A call's entries: one object, a list, or a list with its actor around it. */

import * as z from "zod";
import { type Refusal, refusal } from "./refusals";
import { actor, parseWith, schemaVersion } from "./schema";

export const ENTRIES_MAX = 500;

/** The field that holds the list when it is wrapped. */
export type ListName = "payments" | "events";

export interface Entries {
  readonly entries: readonly unknown[];
  readonly actor?: string;
}

export function parseEntries(event: unknown, listName: ListName): Entries | { readonly refusal: Refusal } {
  const isBareList = Array.isArray(event);
  if (!isBareList && !isWrapped(event, listName)) return { entries: [event] };
  // Entries are judged one by one, so that a bad one stops no other: around them, any form passes.
  const parsed = parseWith(envelopeSchema(listName, z.unknown()), isBareList ? { [listName]: event } : event);
  // A bare list has no field to name.
  if (!parsed.ok) return { refusal: isBareList ? refusal(parsed.refusal.code) : parsed.refusal };
  const { Actor, [listName]: entries } = parsed.value as { Actor?: string; payments?: unknown[]; events?: unknown[] };
  return { entries: entries ?? [], ...(Actor === undefined ? {} : { actor: Actor }) };
}

/** The request without its entries; these are looked at one by one. */
export function envelopeOf(event: unknown, listName: ListName): unknown {
  return isWrapped(event, listName) ? { ...event, [listName]: [] } : {};
}

function isWrapped(event: unknown, listName: ListName): event is object {
  return typeof event === "object" && event !== null && !Array.isArray(event) && listName in event;
}

const listActor = actor.describe("Counts for the entries that name no actor themselves.");

function listOf(entry: z.ZodType) {
  return z.array(entry, "NOT_AN_OBJECT").min(1, "EMPTY_LIST").max(ENTRIES_MAX, "LIST_TOO_LONG");
}

function envelopeSchema(listName: ListName, entry: z.ZodType) {
  return z.strictObject({ schemaVersion, Actor: listActor.optional(), [listName]: listOf(entry) });
}

/**
 * The published form of a whole request: what `parseEntries` takes, with entries that are each validated on their own. Every
 * entry needs an actor, in one of its fields or around the list.
 */
export function requestSchema(listName: ListName, entry: z.ZodType, actorFields: readonly string[]) {
  const namesActor = z.union(actorFields.map((field) => z.looseObject({ [field]: z.unknown() })));
  const entryWithActor = z.intersection(entry, namesActor).meta({ id: "entry-with-actor" });
  return z.union([
    entryWithActor,
    listOf(entryWithActor),
    envelopeSchema(listName, entry).extend({ Actor: listActor }),
    envelopeSchema(listName, entryWithActor),
  ]);
}
