/** Reports of a small ledger, made as the commands make them. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { IdentityReport } from "../../../evidence/identity/identity-report";
import { type GatherOptions, gatherReport } from "../../../evidence/report/gather";
import type { ReportModel } from "../../../evidence/report/model";
import { reportPage } from "../../../evidence/report/page";
import { exportSources } from "../../../evidence/verifier/export-source";
import { localEvidence } from "../../../evidence/verifier/local-evidence";
import { type VerifyOptions, verifyLog } from "../../../evidence/verifier/verify";
import { type BuiltWorld, buildWorld, type World } from "../../support/log-world";
import { type Files, logKey } from "../../support/naive-log";

export const KEYS = [logKey("log"), logKey("log", "ecdsa")] as const;
export const WITNESS = logKey("witness", "cosignature", "witness.example/w1");
const MADE_AT = new Date("2025-11-21T10:30:00Z");

const CHECKOUT = "arn:aws:sts::111122223333:assumed-role/checkout/m7";
const REPORTING = "arn:aws:sts::111122223333:assumed-role/reporting/m1";

/** Records of all three outcomes, a day whose trail was not whole, and a day without a file. */
export const IDENTITIES: IdentityReport = {
  verdict: "forged",
  counts: { attested: 1_405, unattested: 7, contradicted: 1 },
  days: [
    { day: "2025-11-19", verdict: "forged", counts: { attested: 1_400, unattested: 4, contradicted: 1 }, findings: [] },
    { day: "2025-11-20", verdict: "incomplete", findings: ["No file is about this day."] },
    {
      day: "2025-11-21",
      verdict: "incomplete",
      counts: { attested: 5, unattested: 3, contradicted: 0 },
      findings: ["No digest covers 03:00 to 04:00."],
    },
  ],
  contradicted: [
    {
      day: "2025-11-19",
      request: "r-2",
      function: "process_payment_messages",
      verdict: "contradicted",
      reason: "NOT_BY_SERVICE",
      records: 1,
      via: "queue",
      toldPrincipal: "AROACFO:cfo",
      principalArn: REPORTING,
      principalId: "AROAREPORTING:m1",
      sourceIdentity: "mallory",
      sourceAddress: "203.0.113.9",
      vpcEndpoint: "vpce-0a1b2c3d",
      claims: [{ auditId: "made-up-1", actor: "cfo" }],
    },
  ],
  actors: [
    {
      actor: "checkout-service",
      counts: { attested: 1_405, unattested: 7, contradicted: 0 },
      principals: [{ principal: CHECKOUT, records: 1_405 }],
    },
    {
      actor: "cfo",
      counts: { attested: 0, unattested: 0, contradicted: 1 },
      principals: [{ principal: REPORTING, records: 1 }],
    },
  ],
};

export class ReportWorld {
  readonly folder = mkdtempSync(path.join(tmpdir(), "payment-ledger-report-"));
  readonly built: BuiltWorld;

  constructor(between?: (world: World) => void) {
    this.built = buildWorld(KEYS, WITNESS, true, between);
    this.put("evidence", this.built.evidence);
    this.put("", this.built.exports);
  }

  put(under: string, files: Files): void {
    for (const [name, bytes] of files) {
      const file = path.join(this.folder, under, ...name.split("/"));
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, bytes);
    }
  }

  async verifyOptions(changes: Partial<VerifyOptions> = {}): Promise<VerifyOptions> {
    return {
      evidence: localEvidence(path.join(this.folder, "evidence")),
      ...(await exportSources(path.join(this.folder, "exports"))),
      keys: KEYS.map(({ vkey }) => vkey),
      witnessKeys: [WITNESS.vkey],
      lastCheckpoint: this.built.lastCheckpoint,
      settleMs: 0,
      now: MADE_AT,
      ...changes,
    };
  }

  async model(changes: Partial<VerifyOptions> = {}, more: Partial<GatherOptions> = {}): Promise<ReportModel> {
    const verify = await this.verifyOptions(changes);
    return gatherReport({ verify, verification: await verifyLog(verify), madeAt: MADE_AT, ...more });
  }

  /** Writes the page beside the evidence. @returns its path. */
  write(name: string, page: string): string {
    const file = path.join(this.folder, name);
    writeFileSync(file, page);
    return file;
  }

  delete(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** The data of the check, as the page holds them. */
export function dataIn(page: string): string {
  return /id="report-evidence">([^<]*)</.exec(page)?.[1] ?? "";
}

export { reportPage };
