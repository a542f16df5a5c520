/** A stored record, and its attributes by type. */

import type { AttributeOf } from "./attribute-value";

/** Binary values are bytes, as the SDK has them. */
export type StoredValue = AttributeOf<Uint8Array>;
export type StoredItem = { readonly [name: string]: StoredValue };

/** String attributes of the texts that are there. */
export function textAttributes(texts: Readonly<Record<string, string | undefined>>): StoredItem {
  const attributes: Record<string, StoredValue> = {};
  for (const name of Object.keys(texts)) {
    const text = texts[name];
    if (text !== undefined) attributes[name] = { S: text };
  }
  return attributes;
}

/** The text of a string attribute, or undefined when it is absent or of another type (a forged row may hold anything). */
export function textOf(item: StoredItem, name: string): string | undefined {
  const value = item[name];
  return value !== undefined && "S" in value ? value.S : undefined;
}

/** The text of an attribute that every record of its kind has. Empty in a row without it, which only a forger writes. */
export function textOrEmpty(item: StoredItem, name: string): string {
  return textOf(item, name) ?? "";
}

export function integerOf(item: StoredItem, name: string): number | undefined {
  const value = item[name];
  return value !== undefined && "N" in value && /^[0-9]{1,15}$/.test(value.N) ? Number(value.N) : undefined;
}

/** The integer of an attribute that every record of its kind has. 0 in a row without it, which only a forger writes. */
export function integerOrZero(item: StoredItem, name: string): number {
  return integerOf(item, name) ?? 0;
}

export function bytesOf(item: StoredItem, name: string): Uint8Array | undefined {
  const value = item[name];
  return value !== undefined && "B" in value ? value.B : undefined;
}

/** The parts of a map attribute; none when it is absent or of another type. */
export function partsOf(item: StoredItem, map: string): StoredItem {
  const value = item[map];
  return value !== undefined && "M" in value ? value.M : {};
}

/** The text of a string attribute within a map attribute. */
export function textWithin(item: StoredItem, map: string, name: string): string | undefined {
  return textOf(partsOf(item, map), name);
}

/** Those of the text attributes that the item has, by their names. */
export function presentTexts(item: StoredItem, names: readonly string[]): Record<string, string> {
  const present = names.flatMap((name) => {
    const text = textOf(item, name);
    return text === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(present);
}
