/** What a restore from exports takes: a full export that was checked, the windows after it, and their lines as DynamoDB writes them. */

import type { AttributeDefinition, AttributeValue, KeySchemaElement } from "@aws-sdk/client-dynamodb";
import { type ExportFolder, filesOf } from "../ledger/exports/folder";
import { type Manifest, readManifest, summariesIn } from "../ledger/exports/manifest";
import { fromItemJson, type ItemJson } from "../ledger/rules/attribute-value";
import { sdkItem } from "../ledger/store/transaction";
import { chainsOf } from "./chain";
import { type CheckOptions, checkFolder } from "./check";
import { checkDataFile } from "./data-file";
import { BackupError } from "./errors";
import { shapeOf, type TableShape } from "./export-lines";
import { CheckFindings, checkReportText } from "./findings";

export interface RestorePlan {
  readonly full: Manifest;
  readonly windows: readonly Manifest[];
}

/**
 * Checks the folder first: nothing is restored from exports with a fault. That an item was removed is a fault of the table
 * and not of its exports: after such an incident a restore is needed most.
 */
export async function planRestore(
  table: string,
  folder: ExportFolder,
  options: CheckOptions = {},
): Promise<RestorePlan> {
  const report = await checkFolder(folder, options);
  const codes = [...report.findings.map(({ code }) => code), ...Object.keys(report.further)];
  const onlyRemovals = codes.every((code) => code === "REMOVED_ITEM");
  if (report.verdict !== "good" && !(report.verdict === "faulty" && onlyRemovals)) {
    throw new BackupError(
      "EXPORT_FAULTY",
      `The exports are not good, so nothing was restored:\n${checkReportText(report)}\nRestore from another full export, from a backup, or to a point in time.`,
    );
  }
  const listed = await filesOf(folder);
  const manifests: Manifest[] = [];
  for (const path of summariesIn(listed)) {
    const manifest = await readManifest(path, folder, listed, () => {});
    if (manifest !== undefined) manifests.push(manifest);
  }
  const chain = chainsOf(manifests, new CheckFindings()).find(({ deployedTable }) => deployedTable === table);
  if (chain?.full === undefined) {
    throw new BackupError(
      "EXPORT_FAULTY",
      `${folder.name} holds no full export of ${table}. A restore needs one, and takes the increments after it from the same folder. Give a folder that holds both.`,
    );
  }
  return { full: chain.full, windows: chain.exports.filter((manifest) => manifest !== chain.full) };
}

/** Every line of an incremental export: the item after it, or only its key where it was removed. */
export async function readLinesOf(
  manifest: Manifest,
  folder: ExportFolder,
  onLine: (line: { readonly keys: ItemJson; readonly item: ItemJson | undefined }) => Promise<void>,
): Promise<void> {
  const listed = await filesOf(folder);
  const findings = new CheckFindings();
  for (const file of manifest.files) {
    await checkDataFile({ file, manifest, folder, listed: listed.get(file.path) }, findings, async ({ key, item }) => {
      await onLine({ keys: keysOf(key, shapeOf(manifest.table)), item });
    });
  }
  if (findings.verdict === "good") return;
  throw changedMeanwhile();
}

function changedMeanwhile(): BackupError {
  return new BackupError(
    "EXPORT_FAULTY",
    "The export changed while it was restored. Remove the scratch table and restore again.",
  );
}

function keysOf(key: string, { keys }: TableShape): ItemJson {
  const parts = keys.length === 1 ? [key] : (JSON.parse(key) as string[]);
  return Object.fromEntries(keys.map(({ name, type }, index) => [name, { [type]: parts[index] }]));
}

export function keyAttributes({ keys }: TableShape): {
  AttributeDefinitions: AttributeDefinition[];
  KeySchema: KeySchemaElement[];
} {
  return {
    AttributeDefinitions: keys.map(({ name, type }) => ({ AttributeName: name, AttributeType: type })),
    KeySchema: keys.map(({ name }, index) => ({ AttributeName: name, KeyType: index === 0 ? "HASH" : "RANGE" })),
  };
}

/** The export's JSON as the SDK wants it. The line was checked before, so an invalid item means that the file has changed since. */
export function sdkItemOf(item: ItemJson): Record<string, AttributeValue> {
  const stored = fromItemJson(item);
  if (stored === undefined) throw changedMeanwhile();
  return sdkItem(stored);
}
