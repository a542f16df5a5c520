/** What a check of exports is about, as the manifests in a folder say it: plain data, found before any data file is read. */

import { type ExportFolder, type FolderFile, filesOf } from "../ledger/exports/folder";
import { type Manifest, readManifest, summariesIn } from "../ledger/exports/manifest";
import { SUMMARY_FILE } from "../ledger/exports/names";
import { type Chain, chainsOf } from "./chain";
import { CheckFindings } from "./findings";
import { type PlannedExport, planOfPath } from "./layout";

export interface PreparedCheck {
  /** The folder's name. */
  readonly folder: string;
  readonly manifests: readonly Manifest[];
  /** Of the data files in the manifests, those that are there. */
  readonly listed: ReadonlyMap<string, FolderFile>;
}

interface Preparation {
  readonly folder: ExportFolder;
  readonly listed: ReadonlyMap<string, FolderFile>;
  readonly findings: CheckFindings;
}

/**
 * @param findings gets what is wrong with the manifests, the files beside them and the windows.
 * @param planOf what the export was asked for whose summary lies under this path. Default: what the path itself says.
 */
export async function prepareCheck(
  folder: ExportFolder,
  findings: CheckFindings,
  planOf: (summaryPath: string) => PlannedExport | undefined = planOfPath,
): Promise<PreparedCheck> {
  const listed = await filesOf(folder, (problem) => findings.add({ code: "CHECK_INCOMPLETE", message: problem }));
  const preparation = { folder, listed, findings };
  const manifests = (await readManifests(preparation)).map((each) => asPlanned(each, planOf, preparation));
  reportUnlisted(manifests, preparation);
  chainsOf(manifests, findings);
  const files = manifests.flatMap((manifest) => manifest.files.map(({ path }) => path));
  const known = files.flatMap((path) => {
    const file = listed.get(path);
    return file === undefined ? [] : [[path, file] as const];
  });
  return { folder: folder.name, manifests, listed: new Map(known) };
}

/** The exports in the order in which their files are read: first those that no table is compared with, then chain by chain. */
export interface ReadingOrder {
  readonly alone: readonly Manifest[];
  readonly chains: readonly Chain[];
}

/** @param isCompared whether there is a table of this deployed name to compare with. */
export function readingOrderOf(
  { manifests }: PreparedCheck,
  isCompared: (deployedTable: string) => boolean,
): ReadingOrder {
  const chains = chainsOf(manifests, new CheckFindings());
  const compared = new Set(
    chains.filter(({ deployedTable }) => isCompared(deployedTable)).flatMap(({ exports }) => exports),
  );
  return { alone: manifests.filter((manifest) => !compared.has(manifest)), chains };
}

async function readManifests(check: Preparation): Promise<Manifest[]> {
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
  { findings }: Preparation,
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
function reportUnlisted(manifests: readonly Manifest[], { listed, findings }: Preparation): void {
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
