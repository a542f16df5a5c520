/** Exports on disk in the documented layout, for the check to read and for tests to damage. */

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import type { TableKey, TableReader } from "../../backup/table-keys";
import type { StoredItem } from "../../ledger/rules/stored-item";
import { exportFiles, type RequestedExport } from "../../local/export-stand-in";

export const T0 = Date.UTC(2026, 10, 21, 3);
export const at = (minutes: number) => new Date(T0 + minutes * 60_000).toISOString();
export const TABLE = "PaymentLedger-dev";
const ARN = `arn:aws:dynamodb:us-east-1:111122223333:table/${TABLE}`;
/** The ids of exports begin with the time of the request. */
export const idAt = (minutes: number) => `0${T0 + minutes * 60_000}-a1b2c3d4`;

export function payment(id: string, recordedAt: string): StoredItem {
  return {
    TransactionID: { S: id },
    Amount: { S: "10.50" },
    SecureToken: { B: Buffer.from(`ciphertext of ${id}`) },
    Version: { N: "1" },
    RecordedAt: { S: recordedAt },
    Note: { M: { tags: { L: [{ S: "a\nb" }, { NULL: true }, { BOOL: false }] }, sizes: { NS: ["1", "2.5"] } } },
  };
}

/** `count` payments, one a minute, beginning with the given minute. */
export function payments(count: number, fromMinute: number): StoredItem[] {
  return Array.from({ length: count }, (_, index) =>
    payment(`txn-${String(fromMinute + index).padStart(6, "0")}`, at(fromMinute + index)),
  );
}

export type Window = Pick<RequestedExport, "kind" | "to"> & { readonly from?: string };

export function requested(window: Window, minutes: number, prefix = "exports"): RequestedExport {
  const id = idAt(minutes);
  return {
    id,
    exportArn: `${ARN}/export/${id}`,
    tableArn: ARN,
    bucket: "payment-exports",
    prefix,
    ...window,
    startTime: at(minutes),
    kmsKey: "arn:aws:kms:us-east-1:111122223333:key/x",
  };
}

export class ExportOnDisk {
  readonly top = mkdtempSync(path.join(tmpdir(), "payment-ledger-export-"));

  write(window: Window, minutes: number, items: readonly StoredItem[], files = 4, prefix = "exports"): RequestedExport {
    const request = requested(window, minutes, prefix);
    for (const { key, body } of exportFiles(request, items, files)) this.put(key, body);
    return request;
  }

  path(key: string): string {
    return path.join(this.top, key);
  }

  put(key: string, body: Uint8Array): void {
    mkdirSync(path.dirname(this.path(key)), { recursive: true });
    writeFileSync(this.path(key), body);
  }

  read(key: string): Buffer {
    return readFileSync(this.path(key));
  }

  remove(key: string): void {
    rmSync(this.path(key));
  }

  keys(ending = ""): string[] {
    return readdirSync(this.top, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => path.relative(this.top, path.join(file.parentPath, file.name)))
      .filter((key) => key.endsWith(ending))
      .sort();
  }

  dataFiles(): string[] {
    return this.keys(".json.gz");
  }

  /** The fullest data file, so that there is something to damage. */
  aDataFile(): string {
    const [key] = this.dataFiles().toSorted((a, b) => this.read(b).length - this.read(a).length);
    if (key === undefined) throw new Error("The export has no data file.");
    return key;
  }

  lines(key: string): string[] {
    return gunzipSync(this.read(key)).toString("utf8").split("\n").filter(Boolean);
  }

  /** Puts other lines into a data file; with `sealed`, all checksums and counts are made to agree, as a forger would. */
  rewrite(key: string, lines: readonly string[], sealed: boolean): void {
    this.put(key, gzipSync(lines.map((line) => `${line}\n`).join("")));
    if (sealed) this.seal(key, lines.length);
  }

  private seal(key: string, itemCount: number): void {
    const [filesManifest = ""] = this.keys("manifest-files.json").filter((name) => this.read(name).includes(key));
    const md5Checksum = createHash("md5").update(this.read(key)).digest("base64");
    const files = this.read(filesManifest).toString("utf8").split("\n").filter(Boolean);
    const changed = files.map((line) => {
      const file = JSON.parse(line) as { dataFileS3Key: string };
      return file.dataFileS3Key === key ? { ...file, md5Checksum, itemCount } : file;
    }) as { itemCount: number }[];
    this.putManifest(filesManifest, changed.map((file) => `${JSON.stringify(file)}\n`).join(""));
    const total = changed.reduce((sum, file) => sum + file.itemCount, 0);
    const summary = filesManifest.replace("manifest-files", "manifest-summary");
    this.editManifest(summary, (text) => text.replace(/"itemCount":\d+/, `"itemCount":${total}`));
  }

  /** Changes a manifest, with a checksum that agrees. */
  editManifest(key: string, edit: (text: string) => string): void {
    this.putManifest(key, edit(this.read(key).toString("utf8")));
  }

  private putManifest(key: string, text: string): void {
    this.put(key, Buffer.from(text));
    this.put(key.replace(/\.json$/, ".md5"), Buffer.from(createHash("md5").update(text).digest("base64")));
  }

  delete(): void {
    rmSync(this.top, { recursive: true });
  }
}

/** A table within reach. */
export function tableOf(items: readonly StoredItem[], deployedName = TABLE): TableReader {
  const text = (item: StoredItem, name: string) => (item[name] as { S: string } | undefined)?.S;
  return {
    deployedName,
    keys: async function* ({ segment, of } = { segment: 0, of: 1 }): AsyncGenerator<TableKey> {
      for (const item of items.filter((_, index) => index % of === segment)) {
        const recordedAt = text(item, "RecordedAt");
        yield { key: text(item, "TransactionID") ?? "", ...(recordedAt === undefined ? {} : { recordedAt }) };
      }
    },
  };
}
