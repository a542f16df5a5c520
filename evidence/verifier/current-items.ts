/** The items that the sources hold under each key, for the records that are compared one by one. */

import type { LogicalTableName } from "../../contract";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import { tableContract } from "../log/identity";
import type { Digest } from "./digest";

export interface CurrentItem {
  readonly commitment: string;
  readonly version: string;
  /** Kept only where a finding will need it. */
  readonly item?: ItemJson;
  /** When the ledger wrote it, as it says; kept where no entry is about it. */
  readonly writtenAt?: string;
}

export type ItemForFinding = Pick<CurrentItem, "item" | "writtenAt">;

export interface CurrentVersions {
  readonly table: LogicalTableName;
  readonly keyText: string;
  /** Normally one; none where it was removed or never there; more where the source contains it more than once. */
  readonly items: CurrentItem[];
  /** How often an increment states another previous item than the source has reported so far. */
  contradictions: number;
}

export class CurrentItems {
  readonly all = new Map<string, CurrentVersions>();

  /** @param kept what a finding about this item will need of it. */
  take(
    table: LogicalTableName,
    digests: { readonly now?: Digest; readonly before?: Digest },
    replay: boolean,
    kept: (now: Digest) => ItemForFinding,
  ): void {
    const { now, before } = digests;
    if (before !== undefined) this.replace(this.at(table, before.keyText), before, replay);
    if (now === undefined) return;
    const current = this.at(table, now.keyText);
    if (replay) current.items.length = 0;
    const { commitment, version } = now;
    current.items.push({ commitment, version, ...kept(now) });
  }

  private replace(current: CurrentVersions, { commitment }: Digest, replay: boolean): void {
    const at = current.items.findIndex((item) => item.commitment === commitment);
    if (at >= 0) current.items.splice(at, 1);
    else if (!replay) current.contradictions += 1;
    if (replay) current.items.length = 0;
  }

  private at(table: LogicalTableName, keyText: string): CurrentVersions {
    const id = recordPlace(table, keyText);
    let current = this.all.get(id);
    if (current === undefined) {
      current = { table, keyText, items: [], contradictions: 0 };
      this.all.set(id, current);
    }
    return current;
  }
}

/** The parts of a key: only a partition key can hold a newline itself. */
export function keyParts(table: LogicalTableName, keyText: string): string[] {
  const end = "sortKey" in tableContract(table) ? keyText.lastIndexOf("\n") : -1;
  return end < 0 ? [keyText] : [keyText.slice(0, end), keyText.slice(end + 1)];
}

export function recordPlace(table: LogicalTableName, keyText: string): string {
  return `${table}\n${keyText}`;
}
