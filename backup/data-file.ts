/** One data file of an export, streamed: its checksum, size and gzip form, and each of its lines. */

import { createHash } from "node:crypto";
import { linesOf } from "../ledger/files/lines";
import { decodedText, UnreadableGzipError } from "../ledger/files/text";
import { type ExportLine, parseExportLine } from "./export-lines";
import type { CheckFindings } from "./findings";
import type { ExportFolder, FolderFile } from "./folder";
import type { DataFile, Manifest } from "./manifest";

/** An item has at most 400 KB; escapes and two images make it longer, but not this long. */
const LINE_CHARACTERS_MAX = 8 * 1024 * 1024;
const GZIP_MAGIC = "1f8b";

export type OnLine = (line: ExportLine) => void | Promise<void>;

/** What the bytes of a file are, counted while they pass. */
interface Measured {
  bytes: number;
  head: Buffer;
  complete: boolean;
  readonly md5: ReturnType<typeof createHash>;
}

/** @returns how many lines and bytes it has. */
export async function checkDataFile(
  file: DataFile,
  manifest: Manifest,
  folder: ExportFolder,
  listed: FolderFile | undefined,
  findings: CheckFindings,
  onLine: OnLine,
): Promise<{ readonly items: number; readonly bytes: number }> {
  const place = { table: manifest.deployedTable, export: manifest.id, file: file.path };
  if (listed === undefined) {
    findings.add({ code: "MISSING_FILE", ...place, message: "The manifest lists it, and it is not there." });
    return { items: 0, bytes: 0 };
  }
  const reading = await readLines(file, manifest, folder, findings, onLine);
  const { items, damaged } = reading;
  // Damaged data ends the reading early; its checksum is that of the whole file all the same.
  const measured = reading.measured.complete ? reading.measured : await measure(folder, file.path);
  if (damaged || (measured.bytes > 0 && measured.head.toString("hex") !== GZIP_MAGIC)) {
    findings.add({ code: "BAD_GZIP", ...place, message: `Its gzip data is damaged after ${items} items.` });
  }
  const md5 = measured.md5.digest("base64");
  if (md5 !== file.md5) {
    findings.add({ code: "WRONG_CHECKSUM", ...place, message: `Its MD5 is ${md5}; the manifest says ${file.md5}.` });
  }
  if (measured.bytes !== listed.bytes) {
    findings.add({
      code: "WRONG_SIZE",
      ...place,
      message: `${measured.bytes} bytes were read of ${listed.bytes} that it is said to have.`,
    });
  }
  if (items !== file.itemCount) {
    findings.add({
      code: "WRONG_COUNT",
      ...place,
      message: `It has ${items} items; the manifest says ${file.itemCount}.`,
    });
  }
  if (listed.etag !== undefined && file.etag !== undefined && listed.etag !== file.etag) {
    findings.note(
      `${file.path} is no longer the object that the export wrote (ETag); its bytes were judged as they are.`,
    );
  }
  return { items, bytes: measured.bytes };
}

interface Reading {
  readonly items: number;
  readonly damaged: boolean;
  readonly measured: Measured;
}

/** Counts the lines that there are, and reports those that are no items. */
async function readLines(
  file: DataFile,
  manifest: Manifest,
  folder: ExportFolder,
  findings: CheckFindings,
  onLine: OnLine,
): Promise<Reading> {
  const place = { table: manifest.deployedTable, export: manifest.id, file: file.path };
  const measured = nothingYet();
  let items = 0;
  try {
    const bytes = metered(await folder.open(file.path), measured);
    for await (const { number, text, tooLong } of linesOf(decodedText(bytes), LINE_CHARACTERS_MAX)) {
      if (text === "") continue;
      items += 1;
      const line = tooLong ? "The line is longer than any item." : parseExportLine(text, manifest.kind, manifest.shape);
      if (typeof line === "string") findings.add({ code: "BAD_ITEM", ...place, line: number, message: line });
      else await onLine(line);
    }
  } catch (error) {
    if (error instanceof UnreadableGzipError) return { items, damaged: true, measured };
    throw error;
  }
  return { items, damaged: false, measured };
}

async function measure(folder: ExportFolder, path: string): Promise<Measured> {
  const measured = nothingYet();
  for await (const _chunk of metered(await folder.open(path), measured));
  return measured;
}

async function* metered(bytes: AsyncIterable<Uint8Array>, measured: Measured): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    if (measured.head.length < 2) measured.head = Buffer.concat([measured.head, chunk]).subarray(0, 2);
    measured.bytes += chunk.length;
    measured.md5.update(chunk);
    yield chunk;
  }
  measured.complete = true;
}

function nothingYet(): Measured {
  return { bytes: 0, head: Buffer.alloc(0), complete: false, md5: createHash("md5") };
}
