/** What a restore takes of a table's exports: the newest full one and the windows after it; and whether windows are missing. */

import type { Manifest } from "../ledger/exports/manifest";
import type { CheckFindings } from "./findings";

export interface Chain {
  readonly deployedTable: string;
  /** First the full export, then the windows after it in their order. Without a full one, all windows. */
  readonly exports: readonly Manifest[];
  readonly full?: Manifest;
  /** Everything before this moment is in the chain. */
  readonly until: string;
}

/** One chain a table. Gaps between windows are findings, except where a full export after them made them needless. */
export function chainsOf(manifests: readonly Manifest[], findings: CheckFindings): Chain[] {
  const tables = new Set(manifests.map(({ deployedTable }) => deployedTable));
  return [...tables].sort().map((deployedTable) => {
    const own = manifests.filter((manifest) => manifest.deployedTable === deployedTable);
    const fulls = own.filter(({ kind }) => kind === "full").sort((a, b) => byTime(a.to, b.to));
    const windows = own.filter(({ kind }) => kind === "incremental").sort((a, b) => byTime(a.from ?? "", b.from ?? ""));
    reportGaps(deployedTable, fulls, windows, findings);
    const full = fulls.at(-1);
    const after = full === undefined ? windows : windows.filter(({ to }) => to > full.to);
    const exports = full === undefined ? after : [full, ...after];
    const until =
      exports
        .map(({ to }) => to)
        .sort()
        .at(-1) ?? "";
    return { deployedTable, exports, ...(full === undefined ? {} : { full }), until };
  });
}

function reportGaps(
  table: string,
  fulls: readonly Manifest[],
  windows: readonly Manifest[],
  findings: CheckFindings,
): void {
  let covered = fulls.at(0)?.to ?? windows.at(0)?.from ?? "";
  if ((windows.at(0)?.from ?? covered) < covered) covered = windows.at(0)?.from ?? covered;
  for (const { id, from = "", to } of windows) {
    const mended = fulls.some((full) => full.to >= from && full.to > covered);
    if (from > covered && !mended) {
      findings.add({
        code: "WINDOW_GAP",
        table,
        export: id,
        message: `Its window starts at ${from}; what was exported before ends at ${covered}.`,
      });
    }
    if (to > covered) covered = to;
  }
}

function byTime(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
