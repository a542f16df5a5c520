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

export function integerOf(item: StoredItem, name: string): number | undefined {
  const value = item[name];
  return value !== undefined && "N" in value && /^[0-9]{1,15}$/.test(value.N) ? Number(value.N) : undefined;
}

export function bytesOf(item: StoredItem, name: string): Uint8Array | undefined {
  const value = item[name];
  return value !== undefined && "B" in value ? value.B : undefined;
}

/** The text of a string attribute within a map attribute. */
export function textWithin(item: StoredItem, map: string, name: string): string | undefined {
  const value = item[map];
  return value !== undefined && "M" in value ? textOf(value.M, name) : undefined;
}

/** Those of the text attributes that the item has, by their names. */
export function presentTexts(item: StoredItem, names: readonly string[]): Record<string, string> {
  const present = names.flatMap((name) => {
    const text = textOf(item, name);
    return text === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(present);
}
