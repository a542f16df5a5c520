/** The two manifests of an export: what the export is, and which files it consists of. */

import { createHash } from "node:crypto";
import { z } from "zod";
import { linesOf } from "../ledger/files/lines";
import { shapeOf, type TableShape } from "./export-lines";
import type { CheckFindings } from "./findings";
import type { ExportFolder, FolderFile } from "./folder";
import { AWS_FOLDER, CHECKSUM_ENDINGS, FILES_FILE, logicalNameOf, SUMMARY_FILE, tableNameOfArn } from "./layout";
import { jsonOf } from "./versioned-object";

const summarySchema = z.looseObject({
  exportArn: z.string().regex(/\/export\/[0-9A-Za-z-]+$/),
  tableArn: z.string(),
  exportTime: z.iso.datetime().optional(),
  exportFromTime: z.iso.datetime().optional(),
  exportToTime: z.iso.datetime().optional(),
  exportType: z.enum(["FULL_EXPORT", "INCREMENTAL_EXPORT"]).optional(),
  outputView: z.enum(["NEW_AND_OLD_IMAGES", "NEW_IMAGE"]).optional(),
  outputFormat: z.literal("DYNAMODB_JSON"),
  manifestFilesS3Key: z.string(),
  itemCount: z.int().nonnegative(),
});

const fileSchema = z.looseObject({
  itemCount: z.int().nonnegative(),
  md5Checksum: z.string().regex(/^[A-Za-z0-9+/]{22}==$/),
  etag: z.string().optional(),
  dataFileS3Key: z.string(),
});

export interface DataFile {
  readonly path: string;
  readonly itemCount: number;
  readonly md5: string;
  readonly etag?: string;
}

export interface Manifest {
  readonly id: string;
  /** Of its summary. */
  readonly path: string;
  readonly deployedTable: string;
  readonly shape: TableShape;
  readonly kind: "full" | "incremental";
  readonly from?: string;
  /** End of the window, or the moment of a full export. */
  readonly to: string;
  readonly itemCount: number;
  readonly files: readonly DataFile[];
  /** Where its data files lie; an incremental export shares the folder with others. */
  readonly dataFolder: string;
}

const MANIFEST_BYTES_MAX = 64 * 1024 * 1024;
const MANIFEST_LINE_MAX = 16 * 1024;

/** @returns undefined, with findings, when the export is not to be understood from its manifests. */
export async function readManifest(
  summaryPath: string,
  folder: ExportFolder,
  listed: ReadonlyMap<string, FolderFile>,
  findings: CheckFindings,
): Promise<Manifest | undefined> {
  const directory = summaryPath.slice(0, -SUMMARY_FILE.length);
  const summaryText = await readChecked(summaryPath, folder, listed, findings);
  const filesText = await readChecked(`${directory}${FILES_FILE}`, folder, listed, findings);
  if (summaryText === undefined || filesText === undefined) return undefined;
  const parsed = summarySchema.safeParse(jsonOf(summaryText));
  if (!parsed.success) {
    const place = parsed.error.issues[0]?.path.join(".") ?? "";
    findings.add({
      code: "BAD_MANIFEST",
      file: summaryPath,
      message: `It is no summary of an export: ${place || "no JSON object"}.`,
    });
    return undefined;
  }
  const summary = parsed.data;
  const id = summary.exportArn.slice(summary.exportArn.lastIndexOf("/") + 1);
  const times = timesOf(summary);
  const deployedTable = tableNameOfArn(summary.tableArn);
  const logicalName = logicalNameOf(deployedTable);
  if (times === undefined)
    findings.add({
      code: "BAD_MANIFEST",
      export: id,
      file: summaryPath,
      message: "It does not say what time it covers.",
    });
  if (logicalName === undefined)
    findings.add({
      code: "WRONG_TABLE",
      export: id,
      file: summaryPath,
      message: `${deployedTable} is no table of this ledger.`,
    });
  if (times === undefined || logicalName === undefined) return undefined;
  const locate = locator(directory, id);
  const files = await dataFiles(filesText, id, `${directory}${FILES_FILE}`, locate, findings);
  compareTotals(summary.itemCount, files, id, summaryPath, findings);
  const dataFolder = locate(`${AWS_FOLDER}/${times.kind === "full" ? `${id}/` : ""}data/`) ?? "";
  const { itemCount } = summary;
  return { id, path: summaryPath, deployedTable, shape: shapeOf(logicalName), ...times, itemCount, files, dataFolder };
}

/** The text of a manifest whose checksum file agrees with it. A wrong one is reported and read all the same. */
async function readChecked(
  path: string,
  folder: ExportFolder,
  listed: ReadonlyMap<string, FolderFile>,
  findings: CheckFindings,
): Promise<string | undefined> {
  const file = listed.get(path);
  if (file === undefined) {
    findings.add({ code: "MISSING_FILE", file: path, message: "The manifest is not there." });
    return undefined;
  }
  if (file.bytes > MANIFEST_BYTES_MAX) {
    findings.add({
      code: "BAD_MANIFEST",
      file: path,
      message: `It has ${file.bytes} bytes; no manifest is that long.`,
    });
    return undefined;
  }
  const bytes = await wholeFile(folder, path);
  const checksumPath = CHECKSUM_ENDINGS.map((ending) => path.replace(/\.json$/, ending)).find((name) =>
    listed.has(name),
  );
  if (checksumPath === undefined) {
    const expected = path.replace(/\.json$/, CHECKSUM_ENDINGS[0]);
    findings.add({ code: "MISSING_FILE", file: expected, message: "The checksum of the manifest is not there." });
  } else {
    const expected = (await wholeFile(folder, checksumPath)).toString("utf8").trim();
    const actual = createHash("md5").update(bytes).digest("base64");
    if (expected !== actual) {
      findings.add({
        code: "WRONG_CHECKSUM",
        file: path,
        message: `Its MD5 is ${actual}; ${checksumPath} says otherwise.`,
      });
    }
  }
  return bytes.toString("utf8");
}

async function wholeFile(folder: ExportFolder, path: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await folder.open(path)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function timesOf(summary: z.infer<typeof summarySchema>): Pick<Manifest, "kind" | "from" | "to"> | undefined {
  const { exportType = "FULL_EXPORT", exportTime, exportFromTime, exportToTime } = summary;
  if (exportType === "FULL_EXPORT") {
    return exportTime === undefined ? undefined : { kind: "full", to: normal(exportTime) };
  }
  if (exportFromTime === undefined || exportToTime === undefined) return undefined;
  return { kind: "incremental", from: normal(exportFromTime), to: normal(exportToTime) };
}

function normal(time: string): string {
  return new Date(time).toISOString();
}

/**
 * Manifests name their files by whole S3 keys of the bucket that the export went to. Here the folder may be a copy
 * elsewhere, or start further down, so a key is followed from its last `AWSDynamoDB` on.
 */
function locator(directory: string, id: string): (key: string) => string | undefined {
  const top = /^(?:.*\/)?(?=AWSDynamoDB\/)/.exec(directory)?.[0];
  return (key) => {
    const inside = key.slice(key.lastIndexOf(`${AWS_FOLDER}/`));
    if (!key.includes(`${AWS_FOLDER}/`)) return undefined;
    if (top !== undefined) return `${top}${inside}`;
    const own = `${AWS_FOLDER}/${id}/`;
    return inside.startsWith(own) ? `${directory}${inside.slice(own.length)}` : undefined;
  };
}

async function dataFiles(
  text: string,
  id: string,
  manifestPath: string,
  locate: (key: string) => string | undefined,
  findings: CheckFindings,
): Promise<DataFile[]> {
  const files = new Map<string, DataFile>();
  const chunks = (async function* () {
    yield text;
  })();
  for await (const { number, text: line } of linesOf(chunks, MANIFEST_LINE_MAX)) {
    if (line.trim() === "") continue;
    const place = { export: id, file: manifestPath, line: number };
    const parsed = fileSchema.safeParse(jsonOf(line));
    const path = parsed.success ? locate(parsed.data.dataFileS3Key) : undefined;
    if (!parsed.success || path === undefined) {
      const message = parsed.success
        ? "The data file lies outside the folder that is checked. Check the folder that holds AWSDynamoDB."
        : "The line describes no data file.";
      findings.add({ code: "BAD_MANIFEST", ...place, message });
      continue;
    }
    if (files.has(path)) findings.add({ code: "DUPLICATE_FILE", ...place, message: `It lists ${path} again.` });
    const { itemCount, md5Checksum: md5, etag } = parsed.data;
    files.set(path, { path, itemCount, md5, ...(etag === undefined ? {} : { etag }) });
  }
  return [...files.values()];
}

function compareTotals(
  total: number,
  files: readonly DataFile[],
  id: string,
  path: string,
  findings: CheckFindings,
): void {
  const sum = files.reduce((items, { itemCount }) => items + itemCount, 0);
  if (sum === total) return;
  findings.add({
    code: "WRONG_COUNT",
    export: id,
    file: path,
    message: `The summary says ${total} items, and its files together ${sum}.`,
  });
}
