/** Searches for values that must never be in plaintext: tokens, card numbers, and what audit records keep encrypted. */

import type { StoredItem, StoredValue } from "../../ledger/rules/stored-item";
import type { InputLine } from "./input";

/** Shorter values would be found by chance. All real tokens are longer. */
const LENGTH_MIN = 10;

export class Secrets {
  /** By their first characters, so that a text is read once however many secrets there are. */
  private readonly byBeginning = new Map<string, string[]>();

  constructor(
    secrets: readonly string[],
    private readonly cardNumbers: readonly string[],
  ) {
    for (const secret of new Set(secrets.filter(({ length }) => length >= LENGTH_MIN))) {
      const beginning = secret.slice(0, LENGTH_MIN);
      this.byBeginning.set(beginning, [...(this.byBeginning.get(beginning) ?? []), secret]);
    }
  }

  get count(): number {
    return [...this.byBeginning.values()].reduce((sum, secrets) => sum + secrets.length, this.cardNumbers.length);
  }

  isIn(text: string): boolean {
    for (let at = 0; at + LENGTH_MIN <= text.length; at++) {
      const candidates = this.byBeginning.get(text.slice(at, at + LENGTH_MIN));
      if (candidates?.some((secret) => text.startsWith(secret, at))) return true;
    }
    // Card numbers may have been written in groups.
    const joined = text.replace(/[ -]/g, "");
    return this.cardNumbers.some((pan) => joined.includes(pan));
  }
}

/** Every token in the file, of refused lines too: a refused payment must leave none of it behind. */
export function clearTokensOf(lines: readonly InputLine[]): string[] {
  return lines.flatMap(({ entry }) => {
    const token = (entry as { SecureToken?: unknown } | null | undefined)?.SecureToken;
    return typeof token === "string" ? [token] : [];
  });
}

/** Everything that an item says, names and values, binary as it is. */
export function everythingIn(item: StoredItem): string {
  return Object.entries(item)
    .map(([name, value]) => `${name}\n${textIn(value)}`)
    .join("\n");
}

function textIn(value: StoredValue): string {
  if ("S" in value) return value.S;
  if ("N" in value) return value.N;
  if ("B" in value) return Buffer.from(value.B).toString("latin1");
  if ("M" in value) return everythingIn(value.M);
  if ("L" in value) return value.L.map(textIn).join("\n");
  if ("SS" in value) return value.SS.join("\n");
  if ("NS" in value) return value.NS.join("\n");
  if ("BS" in value) return value.BS.map((bytes) => Buffer.from(bytes).toString("latin1")).join("\n");
  return "";
}
