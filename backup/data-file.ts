/** One data file of an export, streamed: its checksum, size and gzip form, and each of its lines. */

import { createHash } from "node:crypto";
import { DataFileReading } from "../ledger/exports/data-file";
import type { ExportFolder, FolderFile } from "../ledger/exports/folder";
import type { DataFile, Manifest } from "../ledger/exports/manifest";
import { type ExportLine, readExportLine, shapeOf } from "./export-lines";
import type { CheckFindings } from "./findings";

export type OnLine = (line: ExportLine) => void | Promise<void>;

export interface ListedDataFile {
  readonly file: DataFile;
  readonly manifest: Manifest;
  readonly folder: ExportFolder;
  /** The file as its folder lists it; undefined when it is missing there. */
  readonly listed: FolderFile | undefined;
}

/** @returns how many lines and bytes it has. */
export async function checkDataFile(
  { file, manifest, folder, listed }: ListedDataFile,
  findings: CheckFindings,
  onLine: OnLine,
): Promise<{ readonly items: number; readonly bytes: number }> {
  const place = { table: manifest.deployedTable, export: manifest.id, file: file.path };
  if (listed === undefined) {
    findings.add({ code: "MISSING_FILE", ...place, message: "The manifest lists it, and it is not there." });
    return { items: 0, bytes: 0 };
  }
  const reading = new DataFileReading(file, folder);
  await readLines(
    reading,
    manifest,
    (line, message) => findings.add({ code: "BAD_ITEM", ...place, line, message }),
    onLine,
  );
  const { items, fault } = reading;
  if (fault?.kind === "unreadable") {
    findings.add({ code: "MISSING_FILE", ...place, message: fault.message });
    return { items, bytes: 0 };
  }
  if (fault?.kind === "bad-gzip") {
    findings.add({ code: "BAD_GZIP", ...place, message: `Its gzip data is damaged after ${items} items.` });
  }
  // Damaged data ends the reading early. The checksum still covers the whole file.
  const { bytes, md5 } = fault === undefined ? reading : await measure(folder, file.path);
  if (md5 !== file.md5) {
    findings.add({ code: "WRONG_CHECKSUM", ...place, message: `Its MD5 is ${md5}; the manifest says ${file.md5}.` });
  }
  if (bytes !== listed.bytes) {
    const message = `${bytes} bytes were read of ${listed.bytes} that it is said to have.`;
    findings.add({ code: "WRONG_SIZE", ...place, message });
  }
  if (items !== file.itemCount) {
    const message =
      fault?.kind === "too-many-lines" ? fault.message : `It has ${items} items; the manifest says ${file.itemCount}.`;
    findings.add({ code: "WRONG_COUNT", ...place, message });
  }
  if (listed.etag !== undefined && file.etag !== undefined && listed.etag !== file.etag) {
    findings.note(
      `${file.path} is no longer the object that the export wrote (ETag); its bytes were judged as they are.`,
    );
  }
  return { items, bytes };
}

async function readLines(
  reading: DataFileReading,
  { table, kind }: Manifest,
  onFault: (line: number, message: string) => void,
  onLine: OnLine,
): Promise<void> {
  const shape = shapeOf(table);
  for await (const lines of reading.lines()) {
    for (const each of lines) {
      const line = "fault" in each ? each.fault : readExportLine(each.line, kind, shape);
      if (typeof line === "string") onFault(each.number, line);
      else await onLine(line);
    }
  }
}

async function measure(folder: ExportFolder, path: string): Promise<{ readonly bytes: number; readonly md5: string }> {
  const md5 = createHash("md5");
  let bytes = 0;
  for await (const chunk of await folder.open(path)) {
    bytes += chunk.length;
    md5.update(chunk);
  }
  return { bytes, md5: md5.digest("base64") };
}
