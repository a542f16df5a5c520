/** What the sources say stands under each key at the moment they were taken, for the records that are looked at one by one. */

import type { LogicalTableName } from "../../contract";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import type { Digest } from "./digest";

export interface StandingItem {
  readonly commitment: string;
  readonly version: string;
  /** Kept only where a finding will need it. */
  readonly item?: ItemJson;
  /** When the ledger wrote it, as it says; kept where no entry is about it. */
  readonly writtenAt?: string;
}

export type Kept = Pick<StandingItem, "item" | "writtenAt">;

export interface Standing {
  readonly table: LogicalTableName;
  readonly keyText: string;
  /** One, none where it was removed or never there, or several where the source tells it more than once. */
  readonly items: StandingItem[];
  /** An increment says that something else stood there before than the source told so far. */
  contradictions: number;
}

export class StandingItems {
  readonly all = new Map<string, Standing>();

  /** @param kept what a finding about this item will need of it. */
  take(
    table: LogicalTableName,
    digests: { readonly now?: Digest; readonly before?: Digest },
    replay: boolean,
    kept: (now: Digest) => Kept,
  ): void {
    const { now, before } = digests;
    if (before !== undefined) this.replace(this.at(table, before.keyText), before, replay);
    if (now === undefined) return;
    const standing = this.at(table, now.keyText);
    if (replay) standing.items.length = 0;
    const { commitment, version } = now;
    standing.items.push({ commitment, version, ...kept(now) });
  }

  private replace(standing: Standing, { commitment }: Digest, replay: boolean): void {
    const at = standing.items.findIndex((item) => item.commitment === commitment);
    if (at >= 0) standing.items.splice(at, 1);
    else if (!replay) standing.contradictions += 1;
    if (replay) standing.items.length = 0;
  }

  private at(table: LogicalTableName, keyText: string): Standing {
    const id = recordPlace(table, keyText);
    let standing = this.all.get(id);
    if (standing === undefined) {
      standing = { table, keyText, items: [], contradictions: 0 };
      this.all.set(id, standing);
    }
    return standing;
  }
}

/** The parts of a key: only a partition key can hold a newline itself. */
export function keyParts(table: LogicalTableName, keyText: string): string[] {
  const end = table === "payment-transactions" ? keyText.lastIndexOf("\n") : -1;
  return end < 0 ? [keyText] : [keyText.slice(0, end), keyText.slice(end + 1)];
}

export function recordPlace(table: LogicalTableName, keyText: string): string {
  return `${table}\n${keyText}`;
}
