/**
 * Checks a folder of exports: manifests, every file, every line, the windows, and, where the table is within reach, that
 * nothing which the table holds is missing. It shares no code with what writes exports but the names of the folders.
 */

import { CodedError } from "../contract";
import { type ExportFolder, type FolderFile, filesOf } from "../ledger/exports/folder";
import { type Manifest, readManifest, summariesIn } from "../ledger/exports/manifest";
import { SUMMARY_FILE } from "../ledger/exports/names";
import { type Chain, chainsOf } from "./chain";
import { checkDataFile, type OnLine } from "./data-file";
import { type CheckedExport, type CheckFinding, CheckFindings, type CheckReport, type Comparison } from "./findings";
import { type PlannedExport, planOfPath } from "./layout";
import { TableComparison } from "./table-comparison";
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

const SETTLE_MS = 15 * 60 * 1000;

interface Check {
  readonly folder: ExportFolder;
  readonly listed: ReadonlyMap<string, FolderFile>;
  readonly findings: CheckFindings;
  readonly outOfTime: () => boolean;
}

/** Ends the check early; caught in this file. */
class OutOfTime extends CodedError<"OUT_OF_TIME"> {
  override readonly name = "OutOfTime";

  constructor() {
    super("OUT_OF_TIME", "The time that was given for the work is over.");
  }
}

export async function checkFolder(folder: ExportFolder, options: CheckOptions = {}): Promise<CheckReport> {
  const { findings = new CheckFindings() } = options;
  const listed = await filesOf(folder, (problem) => findings.add({ code: "CHECK_INCOMPLETE", message: problem }));
  const check = { folder, listed, findings, outOfTime: options.outOfTime ?? (() => false) };
  const exports: CheckedExport[] = [];
  const comparisons: Comparison[] = [];
  try {
    const manifests = (await readManifests(check)).map((each) => asPlanned(each, options.planOf ?? planOfPath, check));
    reportUnlisted(manifests, check);
    const chains = chainsOf(manifests, findings);
    for (const manifest of manifests) {
      const chain = chains.find(({ exports: links }) => links.includes(manifest));
      const table = chain && options.tableOf?.(chain.deployedTable);
      if (chain === undefined || table === undefined) exports.push(await checkExport(manifest, check, ignore));
    }
    for (const chain of chains) await checkChain(chain, options, check, exports, comparisons);
  } catch (error) {
    if (!(error instanceof OutOfTime)) throw error;
    findings.add({
      code: "CHECK_INCOMPLETE",
      message: `The time was up after ${exports.length} exports. Run the check from a machine, which has more.`,
    });
  }
  return {
    verdict: findings.verdict,
    folder: folder.name,
    exports,
    comparisons,
    findings: findings.list,
    further: findings.further,
    notes: findings.notes,
  };
}

const ignore: OnLine = () => {};

async function readManifests(check: Check): Promise<Manifest[]> {
  const { folder, listed, findings } = check;
  const summaries = summariesIn(listed);
  if (summaries.length === 0) {
    findings.add({
      code: "NO_EXPORT",
      message: `There is no ${SUMMARY_FILE} under ${folder.name}, so no finished export.`,
    });
  }
  const manifests: Manifest[] = [];
  for (const summary of summaries) {
    const manifest = await readManifest(summary, folder, listed, (fault) => findings.add(fault));
    if (manifest !== undefined) manifests.push(manifest);
  }
  return manifests;
}

/** The export under the window that it was asked for: what it must hold follows from that, and not from what it says of itself. */
function asPlanned(
  manifest: Manifest,
  planOf: (summaryPath: string) => PlannedExport | undefined,
  { findings }: Check,
): Manifest {
  const plan = planOf(manifest.path);
  if (plan === undefined) return manifest;
  const { from: _from, ...rest } = manifest;
  const [said, asked] = [windowText(manifest), windowText(plan)];
  if (said === asked) return manifest;
  findings.add({
    code: "WRONG_WINDOW",
    table: manifest.deployedTable,
    export: manifest.id,
    file: manifest.path,
    message: `Its manifest calls it ${said}, and ${asked} was asked for.`,
  });
  return { ...rest, ...plan };
}

function windowText({ kind, from, to }: PlannedExport): string {
  return from === undefined ? `the ${kind} export of ${to}` : `the ${kind} export of ${from} to ${to}`;
}

/** Increments share one data folder, so what one export does not list another may. */
function reportUnlisted(manifests: readonly Manifest[], { listed, findings }: Check): void {
  const known = new Set(manifests.flatMap(({ files }) => files.map(({ path }) => path)));
  const folders = new Set(manifests.map(({ dataFolder }) => dataFolder));
  for (const path of listed.keys()) {
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    if (!folders.has(folder) || known.has(path)) continue;
    findings.add({
      code: "UNLISTED_FILE",
      file: path,
      message: "It lies among the data files, and no manifest lists it.",
    });
  }
}

async function checkExport(manifest: Manifest, check: Check, onLine: OnLine): Promise<CheckedExport> {
  const { id, deployedTable, kind, from, to, files, itemCount } = manifest;
  let items = 0;
  let bytes = 0;
  for (const file of files) {
    if (check.outOfTime()) throw new OutOfTime();
    const { folder, listed, findings } = check;
    const onEachLine: OnLine = (line) => {
      if (line.effect === "removed")
        findings.add(removedItem(deployedTable, line.key, "An export says that it was removed."));
      onLine(line);
    };
    const read = await checkDataFile({ file, manifest, folder, listed: listed.get(file.path) }, findings, onEachLine);
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

function removedItem(table: string, key: string, fact: string): CheckFinding {
  return { code: "REMOVED_ITEM", table, key, message: `${fact} Nothing may be removed from this table.` };
}

async function checkChain(
  chain: Chain,
  options: CheckOptions,
  check: Check,
  exports: CheckedExport[],
  comparisons: Comparison[],
): Promise<void> {
  const table = options.tableOf?.(chain.deployedTable);
  if (table === undefined) {
    check.findings.note(`${chain.deployedTable} was not compared with its table.`);
    return;
  }
  const dueUntil = new Date(Date.parse(chain.until) - (options.settleMs ?? SETTLE_MS)).toISOString();
  const comparison = new TableComparison(dueUntil, chain.until);
  for (const manifest of chain.exports) {
    const onLine: OnLine = ({ effect, key, recordedAt }) => {
      if (effect !== "changed") comparison.addExported(key, recordedAt, effect === "added" ? 1 : -1);
    };
    exports.push(await checkExport(manifest, check, onLine));
  }
  if (chain.full === undefined) {
    check.findings.note(`${chain.deployedTable} has no full export here, so nothing was compared with its table.`);
    return;
  }
  for await (const { key, recordedAt } of untilTime(table.keys(), check)) comparison.addHeld(key, recordedAt);
  const extent = comparison.extent();
  comparisons.push({ table: chain.deployedTable, ...extent });
  if (extent.compared === 0 && comparison.items > 0) reportNothingCompared(chain, comparison, check);
  const { isDiffering, some, all } = comparison.differences();
  if (some) await nameDifferences(chain, table, isDiffering, comparison, check);
  if (!all)
    check.findings.note(
      `${chain.deployedTable} differs in more keys than were looked up; those named are some of them.`,
    );
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

/** The keys of the differing buckets, read once more on both sides. Only what differs now is reported. */
async function nameDifferences(
  chain: Chain,
  table: TableReader,
  isDiffering: (key: string) => boolean,
  comparison: TableComparison,
  check: Check,
): Promise<void> {
  const exported = new Map<string, boolean>();
  const silent = new CheckFindings();
  for (const manifest of chain.exports) {
    await checkExport(manifest, { ...check, findings: silent }, ({ effect, key, recordedAt }) => {
      if (!isDiffering(key)) return;
      if (effect === "removed") exported.delete(key);
      else exported.set(key, comparison.isDue(recordedAt));
    });
  }
  for await (const { key, recordedAt } of untilTime(table.keys(), check)) {
    if (!isDiffering(key)) continue;
    if (!exported.has(key) && comparison.isDue(recordedAt)) {
      const message = `The table holds it since ${recordedAt}, and no export does.`;
      check.findings.add({ code: "MISSING_ITEM", table: chain.deployedTable, key, message });
    }
    exported.delete(key);
  }
  for (const [key, due] of exported) {
    if (!due) continue;
    const fact = "It was exported, and the table does not hold it any more.";
    check.findings.add(removedItem(chain.deployedTable, key, fact));
  }
}

async function* untilTime<T>(items: AsyncIterable<T>, check: Check): AsyncGenerator<T> {
  let seen = 0;
  for await (const item of items) {
    if (seen++ % 1000 === 0 && check.outOfTime()) throw new OutOfTime();
    yield item;
  }
}
