/** A stored record in DynamoDB's own JSON form, which is also the form of exports: what MACs and commitments are made over. */

export type StoredValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: Uint8Array }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }
  | { readonly M: { readonly [name: string]: StoredValue } }
  | { readonly L: readonly StoredValue[] }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] }
  | { readonly BS: readonly Uint8Array[] };

export type StoredItem = { readonly [name: string]: StoredValue };

/** The value as plain JSON with binary as base64, exactly as a DynamoDB export writes it. */
export function exportForm(value: StoredValue): object {
  if ("B" in value) return { B: Buffer.from(value.B).toString("base64") };
  if ("BS" in value) return { BS: value.BS.map((bytes) => Buffer.from(bytes).toString("base64")) };
  if ("M" in value) return { M: exportFormOfItem(value.M) };
  if ("L" in value) return { L: value.L.map(exportForm) };
  return value;
}

export function exportFormOfItem(item: StoredItem): Record<string, object> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, exportForm(value)]));
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
