/** The functions' bundles for tests that run them as separate processes. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildSync } from "esbuild";
import { ENV, TABLES } from "../../contract";
import type { Harness } from "./ledger-harness";
import { PROJECT } from "./project-files";

/** @returns a new folder that holds `<entry>.js` for each entry of `handlers/`; it is the caller's to remove. */
export function bundleHandlers(...entries: readonly string[]): string {
  const folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-bundles-"));
  buildSync({
    absWorkingDir: PROJECT,
    entryPoints: entries.map((entry) => `handlers/${entry}.ts`),
    outdir: folder,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    mainFields: ["module", "main"],
  });
  return folder;
}

/** The variables that every bundled function takes, for the embedded AWS at this endpoint. */
export function ledgerVariables(endpoint: string, keyArns: Harness["keyArns"]): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    [ENV.dynamodbEndpointUrl]: endpoint,
    [ENV.connectivity]: "embedded",
    [ENV.ledgerTable]: TABLES.paymentLedger.logicalName,
    [ENV.auditTable]: TABLES.paymentAuditTrail.logicalName,
    [ENV.messagesTable]: TABLES.paymentMessages.logicalName,
    [ENV.transactionsTable]: TABLES.paymentTransactions.logicalName,
    [ENV.eventsTable]: TABLES.paymentEvents.logicalName,
    [ENV.tokenKeyArn]: keyArns.token,
    [ENV.auditKeyArn]: keyArns.audit,
    [ENV.macKeyArn]: keyArns.mac,
    [ENV.indexShardCount]: "4",
    [ENV.fieldEncryption]: "cached",
  };
}
