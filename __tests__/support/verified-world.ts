/** A world with its exports and evidence, to be changed in one place and verified: what every mutation test does. */

import { gunzipSync, gzipSync } from "node:zlib";
import { type LogicalTableName, TABLES } from "../../contract";
import { type ExportSources, exportSources } from "../../evidence/verifier/export-source";
import type { VerificationReport } from "../../evidence/verifier/report";
import { type VerifyOptions, verifyLog } from "../../evidence/verifier/verify";
import { addManifest, at, type BuiltWorld, buildWorld, FolderOnDisk, md5Of, type World } from "./log-world";
import { type Files, logKey, memoryEvidence, NaiveLog, type Step } from "./naive-log";
import { verifyInPieces } from "./pieces";
import type { Item } from "./stored-records";

export const key = logKey("log");
export const otherKey = logKey("somebody else");
export const witness = logKey("witness", "cosignature", "witness.example/w1");

/** The auditor's clock: an hour after all that the worlds hold. */
export const NOW = new Date(at(3600));

/** Each takes as long as four of the whole. 1 in the environment compares them all. The fuzzer, outside of Jest, compares none. */
const IN_PIECES_EVERY = typeof expect === "function" ? Number(process.env["VERIFY_IN_PIECES_EVERY"] ?? 25) : Infinity;
let verifications = 0;

/** Of all drafts of a test file, one after the other: they differ in a file or two. */
const exportsOnDisk = new FolderOnDisk();
/** Of the exports that lie there now. */
let sourcesOnDisk: Promise<ExportSources> | undefined;
let isInUse = false;
// The fuzzer verifies drafts too, outside of Jest.
if (typeof afterAll === "function") afterAll(() => exportsOnDisk.remove());
else process.once("exit", () => exportsOnDisk.remove());

async function whileOnDisk<T>(exports: Files, use: (sources: ExportSources) => Promise<T>): Promise<T> {
  if (isInUse) throw new Error("Another draft is being verified. Await it first: both use the same folder.");
  isInUse = true;
  try {
    const isChanged = exportsOnDisk.write(exports);
    if (isChanged || sourcesOnDisk === undefined) sourcesOnDisk = exportSources(exportsOnDisk.folder);
    return await use(await sourcesOnDisk);
  } finally {
    isInUse = false;
  }
}

/** A copy of a world's files, which a test may change. */
export class Draft {
  evidence: Files;
  readonly exports: Files;
  options: Partial<VerifyOptions>;

  constructor(readonly built: BuiltWorld) {
    this.evidence = new Map(built.evidence);
    this.exports = new Map(built.exports);
    this.options = { lastCheckpoint: built.lastCheckpoint };
  }

  get tables(): readonly { readonly logicalName: LogicalTableName }[] {
    return Object.values(TABLES);
  }

  get world(): World {
    return this.built.world;
  }

  /** The report of the whole; at each few calls that of pieces is compared with it, so that all damage of all suites is verified both ways. */
  verify(options: Partial<VerifyOptions> = {}): Promise<VerificationReport> {
    return whileOnDisk(this.exports, async (sources) => {
      const whole: VerifyOptions = {
        evidence: memoryEvidence(this.evidence),
        ...sources,
        keys: [key.vkey],
        settleMs: 0,
        now: NOW,
        ...this.options,
        ...options,
      };
      const report = await verifyLog(whole);
      verifications += 1;
      const isInPieces = verifications % IN_PIECES_EVERY === 0 && whole.outOfTime === undefined;
      if (isInPieces) {
        const pieces = 1 + ((verifications / IN_PIECES_EVERY) % 4);
        const { onFinding: _silent, ...inPieces } = whole;
        expect(await verifyInPieces({ ...inPieces, blockHeight: 8 }, pieces)).toEqual(report);
      }
      return report;
    });
  }

  /** The newest published checkpoint but the last: what somebody kept who looked at this log before. */
  earlierCheckpoint(): string {
    const published = [...this.evidence.keys()].filter((path) => path.startsWith("checkpoints/")).sort();
    return (this.evidence.get(published.at(-2) ?? published.at(-1) ?? "") ?? "").toString();
  }

  /** Changes the lines of a full export, and its manifests with them: only the log can tell. */
  changeLines(table: LogicalTableName, change: (lines: string[]) => string[]): void {
    const files = [...this.exports.keys()].filter(
      (path) => path.startsWith(`exports/${table}/`) && path.includes("full"),
    );
    const [data, more] = files.filter((path) => path.includes("/data/"));
    if (data === undefined || more === undefined) throw new Error(`There is no export of ${table}.`);
    const lines = [data, more].flatMap((path) => this.linesOf(path));
    this.setLines(data, change(lines));
    this.setLines(more, []);
    this.rewriteManifests(data);
  }

  linesOf(path: string): string[] {
    return gunzipSync(this.exports.get(path) ?? "")
      .toString("utf8")
      .split("\n")
      .slice(0, -1);
  }

  setLines(path: string, lines: readonly string[]): void {
    this.exports.set(path, gzipSync(lines.map((line) => `${line}\n`).join(""), { level: 1 }));
  }

  /** @param path of a manifest in JSON, whose checksum is made anew with it. */
  setManifest(path: string, text: string): void {
    addManifest(this.exports, path.replace(/\.json$/, ""), text);
  }

  /** What a forger does who changes a data file and remembers its manifests. */
  rewriteManifests(dataPath: string): void {
    const top = dataPath.slice(0, dataPath.indexOf("/data/"));
    const manifest = (this.exports.get(`${top}/manifest-files.json`) ?? "").toString().split("\n").slice(0, -1);
    let total = 0;
    const lines = manifest.map((line) => {
      const each = JSON.parse(line) as { dataFileS3Key: string };
      const path = each.dataFileS3Key.replace("some/prefix/", "");
      const itemCount = this.linesOf(path).length;
      total += itemCount;
      return JSON.stringify({ ...each, itemCount, md5Checksum: md5Of(this.exports.get(path) as Buffer) });
    });
    addManifest(this.exports, `${top}/manifest-files`, lines.map((line) => `${line}\n`).join(""));
    const summary = JSON.parse((this.exports.get(`${top}/manifest-summary.json`) ?? "").toString()) as object;
    addManifest(this.exports, `${top}/manifest-summary`, JSON.stringify({ ...summary, itemCount: total }));
  }

  /** Changes the one item of this key. */
  changeItem(table: LogicalTableName, keyText: string, change: (item: Item) => Item | undefined): void {
    let found = 0;
    this.changeLines(table, (lines) =>
      lines.flatMap((line) => {
        const { Item: item } = JSON.parse(line) as { Item: Item };
        if (keyTextOf(table, item) !== keyText) return [line];
        found += 1;
        const changed = change(item);
        return changed === undefined ? [] : [JSON.stringify({ Item: changed })];
      }),
    );
    if (found !== 1) throw new Error(`There are ${found} items ${keyText}.`);
  }

  /** The log as its sealer would have written it with other entries: consistent, and signed by these keys. */
  reseal(change: (steps: Step[]) => Step[], keys = [key]): void {
    const log = NaiveLog.replay(change([...this.world.log.steps]), keys);
    this.evidence = new Map(log.files);
  }
}

/** Whether a whole verification of this folder needs the file, as docs/verification.md says under "What `ok` demands". */
export function isNeeded(path: string, evidence: Files, isWitnessed: boolean): boolean {
  if (path.startsWith("keys/")) return false;
  if (path.startsWith("cosignatures/")) return isWitnessed && path === newestCosignature(evidence);
  const [tile, width] = path.split(".p/");
  if (width === undefined) return true;
  const others = [...evidence.keys()].filter((other) => other !== path && other.split(".p/")[0] === tile);
  return !others.some((other) => other === tile || Number(other.split(".p/")[1]) > Number(width));
}

function newestCosignature(evidence: Files): string | undefined {
  return [...evidence.keys()]
    .filter((path) => path.startsWith("cosignatures/"))
    .sort()
    .at(-1);
}

const KEY_NAMES: Readonly<Record<LogicalTableName, readonly string[]>> = {
  PaymentLedger: ["TransactionID"],
  PaymentAuditTrail: ["AuditID"],
  "payment-audit-trail": ["paymentId"],
  "payment-transactions": ["transactionId", "timestamp"],
  PaymentEvents: ["TransactionID", "Place"],
};

export function keyTextOf(table: LogicalTableName, item: Item): string {
  return KEY_NAMES[table].map((name) => Object.values(item[name] as Record<string, string>)[0]).join("\n");
}

export function genuineDraft(between?: (world: World) => void): Draft {
  return new Draft(buildWorld([key], witness, false, between));
}

export function incrementalDraft(): Draft {
  return new Draft(buildWorld([key], witness, true));
}

/** Number of the step that adds entry `index`. */
export function stepOfEntry(steps: readonly Step[], index: number): number {
  let entries = -1;
  return steps.findIndex((step) => {
    if (step.kind !== "publish") entries += 1;
    return entries === index;
  });
}
