/**
 * The order in which the log's keys followed each other, as its checkpoints show it. Once a newer key signs, every later
 * checkpoint bears its signature: one that only older keys signed was not made by the log.
 */

import type { VerifierKey } from "../log/note";
import type { Findings } from "./findings";
import { named } from "./head";

interface SignerSet {
  readonly keys: readonly VerifierKey[];
  /** Of the smallest and of the largest tree that exactly these keys signed. */
  first: number;
  last: number;
}

export class SignerOrder {
  /** By the ids of their keys; a log has a few of them in its life. */
  private readonly sets = new Map<string, SignerSet>();

  /** @param keys with a good signature on the checkpoint of this size; checkpoints come in any order. */
  take(size: number, keys: readonly VerifierKey[]): void {
    const name = keys
      .map(({ keyId }) => keyId)
      .sort()
      .join();
    const set = this.sets.get(name);
    if (set === undefined) {
      this.sets.set(name, { keys, first: size, last: size });
      return;
    }
    set.first = Math.min(set.first, size);
    set.last = Math.max(set.last, size);
  }

  report(findings: Findings): void {
    const sets = [...this.sets.values()];
    const firstOf = (key: VerifierKey) =>
      Math.min(...sets.filter(({ keys }) => keys.includes(key)).map(({ first }) => first));
    const all = [...new Set(sets.flatMap(({ keys }) => keys))];
    for (const { keys, last } of sets) {
      const newest = Math.max(...keys.map(firstOf));
      const newer = all.find((key) => firstOf(key) > newest && firstOf(key) < last);
      if (newer === undefined) continue;
      const message = `The checkpoint of ${last} entries is signed by ${named(keys)}, and not by ${named([newer])}, which signs since the one of ${firstOf(newer)} entries. An older key vouches for no later checkpoint.`;
      findings.add({ verdict: "wrong-key", code: "RETIRED_KEY", message });
    }
  }
}
