/** Which exports of a folder make up a table: its newest full export, and the windows after it as far as none is missing. */

import type { LogicalTableName } from "../../contract";
import type { Manifest } from "../../ledger/exports/manifest";

export interface ExportChain {
  readonly table: LogicalTableName;
  readonly deployedTable: string;
  readonly exports: readonly Manifest[];
  /** Everything that was written before this moment is in the exports. */
  readonly takenAt: string;
}

/** One chain a table. */
export function sourceChainsOf(exports: readonly Manifest[], problems: string[]): ExportChain[] {
  return [...new Set(exports.map(({ table }) => table))].sort().flatMap((table) => {
    const own = exports.filter((each) => each.table === table);
    const deployed = [...new Set(own.map(({ deployedTable }) => deployedTable))].sort();
    const full = own
      .filter(({ kind }) => kind === "full")
      .sort((a, b) => byTime(a.to, b.to))
      .at(-1);
    if (deployed.length > 1)
      problems.push(`Exports of ${deployed.join(" and ")} lie in one folder. Give the folder of one deployment.`);
    else if (full === undefined) problems.push(`There is no full export of ${table}.`);
    if (deployed.length > 1 || full === undefined) return [];
    const windows = own.filter(({ kind, to }) => kind === "incremental" && to > full.to);
    return [
      chainOf(
        full,
        windows.sort((a, b) => byTime(a.from ?? "", b.from ?? "")),
        problems,
      ),
    ];
  });
}

function chainOf(full: Manifest, windows: readonly Manifest[], problems: string[]): ExportChain {
  const { table, deployedTable } = full;
  const exports = [full];
  let takenAt = full.to;
  for (const window of windows) {
    if ((window.from ?? "") > takenAt) {
      problems.push(
        `${table}: no export covers the time from ${takenAt} to ${window.from}; what came later was not read.`,
      );
      break;
    }
    exports.push(window);
    if (window.to > takenAt) takenAt = window.to;
  }
  return { table, deployedTable, exports, takenAt };
}

function byTime(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
