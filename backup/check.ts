/**
 * Checks a folder of exports: manifests, every file, every line, the windows, and, where the table is within reach, that
 * nothing which the table holds is missing. It shares no code with what writes exports but the names of the folders.
 */

import type { ExportFolder } from "../ledger/exports/folder";
import type { Manifest } from "../ledger/exports/manifest";
import type { Chain } from "./chain";
import { CheckOutOfTime, type CheckReadings, OwnCheckReadings } from "./check-readings";
import { type CheckedExport, CheckFindings, type CheckReport, type Comparison, removedItem } from "./findings";
import type { PlannedExport } from "./layout";
import { type PreparedCheck, prepareCheck, readingOrderOf } from "./prepared-check";
import { comparisonOf, type TableComparison } from "./table-comparison";
import type { TableReader } from "./table-keys";

export interface CheckOptions {
  /** The table to compare the exports of this deployed name with; undefined compares them with none. */
  readonly tableOf?: (deployedName: string) => TableReader | undefined;
  /** Items recorded so shortly before the end of the exports may have been written after it. Default: 15 minutes, as long as a function runs. */
  readonly settleMs?: number;
  /** True when the check must come to its end; what it has not looked at is then said. */
  readonly outOfTime?: () => boolean;
  /**
   * What the export was asked for whose summary lies under this path: an export that says something else of itself is not
   * that export, even if somebody else wrote the files. Default: what the path itself says.
   */
  readonly planOf?: (summaryPath: string) => PlannedExport | undefined;
  /** What was found before about the same exports. */
  readonly findings?: CheckFindings;
}

export async function checkFolder(folder: ExportFolder, options: CheckOptions = {}): Promise<CheckReport> {
  const { findings = new CheckFindings(), outOfTime = () => false, tableOf = () => undefined } = options;
  const prepared = await prepareCheck(folder, findings, options.planOf);
  const readings = new OwnCheckReadings({ folder, listed: prepared.listed, tableOf }, outOfTime);
  const isCompared = (name: string) => tableOf(name) !== undefined;
  return judgeExports(prepared, { ...options, findings, outOfTime, isCompared, readings });
}

export interface JudgeOptions extends Pick<CheckOptions, "settleMs"> {
  /** What was found while the check was prepared. */
  readonly findings: CheckFindings;
  readonly outOfTime: () => boolean;
  readonly isCompared: (deployedName: string) => boolean;
  readonly readings: CheckReadings;
}

interface Check extends JudgeOptions {
  readonly exports: CheckedExport[];
  readonly comparisons: Comparison[];
}

/** The check of what was prepared, by any readings of the files and the tables. */
export async function judgeExports(prepared: PreparedCheck, options: JudgeOptions): Promise<CheckReport> {
  const check: Check = { ...options, exports: [], comparisons: [] };
  const { findings, exports, comparisons } = check;
  const { alone, chains } = readingOrderOf(prepared, options.isCompared);
  try {
    for (const manifest of alone) exports.push(await checkExport(manifest, check));
    for (const chain of chains) await checkChain(chain, check);
  } catch (error) {
    if (!(error instanceof CheckOutOfTime)) throw error;
    findings.add({
      code: "CHECK_INCOMPLETE",
      message: `The time was up after ${exports.length} exports. Run the check from a machine, which has more.`,
    });
  }
  return {
    verdict: findings.verdict,
    folder: prepared.folder,
    exports,
    comparisons,
    findings: findings.list,
    further: findings.further,
    notes: findings.notes,
  };
}

async function checkExport(manifest: Manifest, check: Check, comparison?: TableComparison): Promise<CheckedExport> {
  const { id, deployedTable, kind, from, to, files, itemCount } = manifest;
  let items = 0;
  let bytes = 0;
  for (const file of files) {
    if (check.outOfTime()) throw new CheckOutOfTime();
    const read = await check.readings.file({ manifest, file }, comparison);
    check.findings.addAll(read.found);
    items += read.items;
    bytes += read.bytes;
  }
  if (items !== itemCount) {
    check.findings.add({
      code: "WRONG_COUNT",
      table: deployedTable,
      export: id,
      message: `It has ${items} items; its summary says ${itemCount}.`,
    });
  }
  const window = from === undefined ? { to } : { from, to };
  return { export: id, table: deployedTable, kind, ...window, files: files.length, items, bytes };
}

async function checkChain(chain: Chain, check: Check): Promise<void> {
  const { findings, readings } = check;
  if (!check.isCompared(chain.deployedTable)) {
    findings.note(`${chain.deployedTable} was not compared with its table.`);
    return;
  }
  const comparison = comparisonOf(chain, readings.runKey, check.settleMs);
  for (const manifest of chain.exports) check.exports.push(await checkExport(manifest, check, comparison));
  if (chain.full === undefined) {
    findings.note(`${chain.deployedTable} has no full export here, so nothing was compared with its table.`);
    return;
  }
  await readings.table(chain, comparison);
  const extent = comparison.extent();
  check.comparisons.push({ table: chain.deployedTable, ...extent });
  if (extent.compared === 0 && comparison.items > 0) reportNothingCompared(chain, comparison, check);
  const { buckets, all } = comparison.differing();
  if (buckets.size > 0) await nameDifferences(chain, comparison, buckets, check);
  if (!all)
    findings.note(`${chain.deployedTable} differs in more keys than were looked up; those named are some of them.`);
}

function reportNothingCompared({ deployedTable, until }: Chain, comparison: TableComparison, check: Check): void {
  const { items, youngItems, dueUntil } = comparison;
  const rest =
    youngItems === 0
      ? `None of them says that it was recorded before the exports end at ${until}.`
      : `None of them says that it was recorded before ${dueUntil}, and the exports do not hold all ${youngItems} that were recorded from then to their end at ${until}.`;
  check.findings.add({
    code: "NOTHING_COMPARED",
    table: deployedTable,
    message: `The table holds ${items} items. ${rest} So no item was compared; the check of the next exports will compare them.`,
  });
}

/**
 * The keys of the differing buckets, read once more on both sides. Only what differs now is reported, missing items by their keys' order:
 * a table gives them in any order.
 */
async function nameDifferences(
  chain: Chain,
  comparison: TableComparison,
  buckets: ReadonlySet<number>,
  { findings, readings }: Check,
): Promise<void> {
  const table = chain.deployedTable;
  const exported = new Map<string, boolean>();
  const missing: [key: string, message: string][] = [];
  await readings.again(chain, comparison, buckets, {
    exported: ({ key, isRemoved, isDue }) => {
      if (isRemoved) exported.delete(key);
      else exported.set(key, isDue);
    },
    held: ({ key, recordedAt }) => {
      if (!exported.has(key) && comparison.isDue(recordedAt)) {
        missing.push([key, `The table holds it since ${recordedAt}, and no export does.`]);
      }
      exported.delete(key);
    },
  });
  for (const [key, message] of missing.sort(([a], [b]) => (a < b ? -1 : 1))) {
    findings.add({ code: "MISSING_ITEM", table, key, message });
  }
  for (const [key, isDue] of exported) {
    if (!isDue) continue;
    findings.add(removedItem(table, key, "It was exported, and the table does not hold it any more."));
  }
}
