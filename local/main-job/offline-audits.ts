/**
 * The offline audits: each copies the tables and the evidence to a folder and verifies them with the commands that any
 * user has. The folders stay, so that every verdict can be looked at again.
 */

import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { KMSClient } from "@aws-sdk/client-kms";
import { ENV, TABLES, type TableId } from "../../contract";
import { s3Evidence } from "../../evidence/checks/s3-evidence";
import { scanTables } from "../../evidence/checks/scan-tables";
import { OFFLINE } from "../../evidence/commands/cli";
import { fetchEvidence } from "../../evidence/commands/fetch";
import { runCommand } from "../../evidence/commands/program";
import { checkpointSigners } from "../../evidence/sealing/signers";
import type { VerificationReport } from "../../evidence/verifier/report";
import { present } from "../resources/context";
import type { LedgerCalls } from "./calls";
import type { JobEnvironment } from "./job-environment";

/** Streams deliver within a second or two; this is for a machine under load. */
const SEALING_MAX_MS = 60_000;
const POLL_MS = 500;

export interface OfflineAudit {
  readonly folder: string;
  /** Checkpoint that the audit found, kept for the next one. */
  readonly checkpoint: string;
  readonly report: VerificationReport;
  /** What the auditor typed, for a reader who wants to repeat it. */
  readonly command: string;
}

export class OfflineAudits {
  /** File with the log's public keys. They come from KMS and not from the evidence that they are to vouch for. */
  readonly keyFile: string;
  /** What the last audit found, as a page that checks its own proofs; it says what changed since the audit before. */
  readonly page: string;

  /** @param folder is emptied: what an earlier run left would be mixed with this one's. */
  constructor(
    private readonly environment: JobEnvironment,
    private readonly calls: LedgerCalls,
    private readonly folder: string,
  ) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    this.keyFile = path.join(folder, "log.vkey");
    this.page = path.join(path.dirname(folder), "report.html");
    // Of an earlier run, and so of another log.
    rmSync(this.page, { force: true });
  }

  async pinKeys(): Promise<void> {
    const { deployment } = this.environment;
    const variables = deployment.functionEnvironment("publishCheckpoint");
    const kms = new KMSClient(deployment.clientConfig("auditor"));
    try {
      const arns = present(variables[ENV.checkpointKeyArns], ENV.checkpointKeyArns).split(",");
      const signers = await checkpointSigners(kms, arns, present(variables[ENV.logOrigin], ENV.logOrigin))();
      writeFileSync(this.keyFile, signers.map(({ verifierKey }) => `${verifierKey}\n`).join(""));
    } finally {
      kms.destroy();
    }
  }

  /** Copies the tables, then the evidence, until all that was copied is sealed; then verifies. @param last pinned checkpoint. */
  async audit(name: string, last?: OfflineAudit): Promise<OfflineAudit> {
    const folder = path.join(this.folder, name);
    const { auditor, deployment, evidenceBucket } = this.environment;
    const names = (Object.keys(TABLES) as TableId[]).map((id) => deployment.tableName(id));
    // What is sealed before the tables are copied must be in the copy; without a heartbeat before, nothing would have to.
    await this.calls.publishCheckpoint();
    await scanTables(auditor.dynamo, names, path.join(folder, "tables"), () => new Date());
    const deadline = Date.now() + SEALING_MAX_MS;
    for (;;) {
      await this.calls.publishCheckpoint();
      await fetchEvidence(s3Evidence(auditor.s3, evidenceBucket), path.join(folder, "evidence"));
      const audit = await this.verify(folder, last);
      const isSealing = audit.report.verdicts.some((verdict) => verdict === "unsealed" || verdict === "stale");
      if (!isSealing || Date.now() > deadline) {
        await this.runAuditorCommand(["report", "--out", this.page, ...this.wordsFor(folder, last)]);
        return audit;
      }
      await delay(POLL_MS);
    }
  }

  /** A copy of an earlier audit's folder, as somebody would hand it over who wants what came later forgotten. */
  async handedOver(earlier: OfflineAudit, name: string, last: OfflineAudit): Promise<OfflineAudit> {
    const folder = path.join(this.folder, name);
    cpSync(earlier.folder, folder, { recursive: true });
    return this.verify(folder, last);
  }

  async verify(folder: string, last: OfflineAudit | undefined): Promise<OfflineAudit> {
    const words = ["verify", ...this.wordsFor(folder, last)];
    const { text } = await this.runAuditorCommand([...words, "--json"]);
    return {
      folder,
      checkpoint: path.join(folder, "evidence", "checkpoint"),
      report: JSON.parse(text) as VerificationReport,
      command: `npx payledger ${words.map((word) => (path.isAbsolute(word) ? path.relative("", word) : word)).join(" ")}`,
    };
  }

  private wordsFor(folder: string, last: OfflineAudit | undefined): string[] {
    return [
      ...["--evidence", path.join(folder, "evidence"), "--export", path.join(folder, "tables"), "--key", this.keyFile],
      ...(last === undefined ? [] : ["--last-checkpoint", last.checkpoint]),
    ];
  }

  async runAuditorCommand(words: readonly string[]): Promise<{ readonly exitCode: number; readonly text: string }> {
    const said: string[] = [];
    const exitCode = await runCommand(words, OFFLINE, { print: (text) => said.push(text), tell: () => {} });
    return { exitCode, text: said.join("\n") };
  }
}
