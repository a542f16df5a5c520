/** Payment files as a test sends them: put into the bucket, processed, and their reports read back. */

import type { BadRow, FileReport } from "../../ledger/files/progress";
import type { Call } from "../../ledger/operations/call";
import { runPaymentProcessor } from "../../ledger/operations/payment-processor";
import type { FileSettings } from "../../ledger/operations/process-file";
import type { Harness, S3Event } from "./ledger-harness";

export interface Processed {
  readonly report: FileReport;
  readonly badRows: readonly BadRow[];
}

export function processEvent(
  harness: Harness,
  event: unknown,
  { call = harness.call("payment-processor"), ...settings }: { call?: Call } & Partial<FileSettings> = {},
) {
  return runPaymentProcessor(event, call, harness.services, {
    files: harness.files,
    removeCardDataFiles: true,
    ...settings,
  });
}

/** Uploads a file, processes its event and returns its report. */
export async function processUpload(
  harness: Harness,
  key: string,
  body: string | Uint8Array,
  settings: { readonly call?: Call } & Partial<FileSettings> = {},
): Promise<Processed & { readonly event: S3Event }> {
  const event = await harness.upload(key, body);
  const { statusCode, body: answer } = await processEvent(harness, event, settings);
  if (statusCode !== 200) throw new Error(`The processor answered ${statusCode}: ${answer}`);
  return { event, ...(await reportOf(harness, event)) };
}

/** @param folder of the request that wrote the report, where it is not the first. */
export async function reportOf(harness: Harness, event: S3Event, folder = ""): Promise<Processed> {
  const { key, versionId } = event.Records[0].s3.object;
  const prefix = `reports/${decodeURIComponent(key.replaceAll("+", " "))}/${versionId}/${folder}`;
  const report = JSON.parse(await harness.readObject(`${prefix}summary.json`)) as FileReport;
  const parts = await Promise.all(report.badRows.map((part) => harness.readObject(part)));
  const lines = parts.flatMap((part) => part.split("\n")).filter((line) => line !== "");
  return { report, badRows: lines.map((line) => JSON.parse(line) as BadRow) };
}
