/** `history`: all that the log holds about one payment (its versions, and the audit records about it), in the log's order. */

import { TABLES } from "../../contract";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import type { Checkpoint } from "../log/checkpoint";
import { entryBytes, type HeartbeatEntry, type RecordEntry } from "../log/entry";
import { keyValuesOf, versionOf } from "../log/identity";
import { textAttribute, writtenAtOf } from "../verifier/digest";
import type { EvidenceFolder } from "../verifier/evidence";
import { type SubtreeHashes, tileReader } from "../verifier/merkle-tree";
import { auditIdsOf } from "../verifier/pairs";
import { type FoundEntry, findEntries, provenPath } from "../verifier/proof-search";
import {
  type AcknowledgedFinding,
  EXIT_CODES,
  type Finding,
  findingText,
  VERDICTS,
  type Verdict,
} from "../verifier/report";
import { type VerifyOptions, verifyLog } from "../verifier/verify";
import { checkSigned, logKeys, newestCheckpoint } from "./arguments";
import type { Command } from "./command";
import { EvidenceToolError } from "./errors";
import { imagesWhere, type RecordImage } from "./records";
import { VERIFY_OPTIONS, verifyOptions } from "./verify-options";

interface Sealed extends FoundEntry {
  /** The record, where the exports hold the one that was sealed. */
  readonly item?: ItemJson;
  /** When, by the first heartbeat after it, it had been sealed; and by the last one before it, had not. */
  readonly sealedBefore?: string;
  readonly sealedAfter?: string;
}

interface SealedHistory {
  readonly sealed: readonly Sealed[];
  /** Records about the payment that no entry commits to. */
  readonly unsealed: readonly RecordImage[];
  readonly lastHeartbeat?: string;
}

interface PaymentHistory extends SealedHistory {
  /** What the verification of everything found about the payment, and about the log, the evidence and the exports as a whole. */
  readonly findings: readonly Finding[];
  readonly acknowledged: readonly AcknowledgedFinding[];
}

export const history: Command = {
  summary: "Show all that the log holds about one payment, forged and altered records too",
  operands: "TransactionID",
  details: `Every version of the payment and every audit record about it: entry, kind, version, when it was recorded, and before which heartbeat it was sealed. Everything is verified, and the verdict is the gravest of what was found about this payment, and about the log and the exports as a whole.`,
  options: VERIFY_OPTIONS,
  run: async (args, { answer, progress }) => {
    const id = args.onlyOperand("TransactionID");
    const options = await verifyOptions(args);
    const checkpoint = await newestCheckpoint(options.evidence);
    checkSigned(checkpoint, logKeys(args));
    const { images } = await imagesWhere(options, id, (table, item) => isAbout(id, table, item));
    const known = await historyOf(id, images, options.evidence, checkpoint);
    const judged = await findingsAbout(known, {
      ...options,
      ...(progress === undefined ? {} : { onProgress: progress }),
    });
    const found = { ...known, ...judged };
    const verdict = VERDICTS.find((each) => found.findings.some((finding) => finding.verdict === each)) ?? "ok";
    answer(historyJson(id, verdict, found), historyText(id, verdict, found, checkpoint));
    return EXIT_CODES[verdict];
  },
};

/** Verifies everything, and keeps what is about this payment or about no record at all. */
async function findingsAbout(
  { sealed, unsealed }: SealedHistory,
  options: VerifyOptions,
): Promise<Pick<PaymentHistory, "findings" | "acknowledged">> {
  const names = new Set([
    ...sealed.map(({ entry }) => nameOf(entry.table, entry.key)),
    ...unsealed.map(({ table, item }) => nameOf(table, keyValuesOf(table, item))),
  ]);
  const findings: Finding[] = [];
  const acknowledged: AcknowledgedFinding[] = [];
  const onFinding = (finding: Finding, reason?: string) => {
    if (finding.key === undefined || !names.has(nameOf(finding.table ?? "", finding.key))) return;
    if (reason === undefined) findings.push(finding);
    else acknowledged.push({ ...finding, reason });
  };
  const report = await verifyLog({ ...options, onFinding });
  return { findings: [...report.findings.filter(({ key }) => key === undefined), ...findings], acknowledged };
}

function nameOf(table: string, key: readonly string[]): string {
  return JSON.stringify([table, ...key]);
}

const TRAIL = TABLES.paymentAuditTrail.logicalName;

/** Audit records name their payment; a payment is named by its key. */
function isAbout(id: string, table: RecordImage["table"], item: ItemJson): boolean {
  return (table === TRAIL ? textAttribute(item, "TransactionID") : keyValuesOf(table, item)[0]) === id;
}

async function historyOf(
  id: string,
  images: readonly RecordImage[],
  evidence: EvidenceFolder,
  checkpoint: Checkpoint,
): Promise<SealedHistory> {
  const auditIds = images
    .filter(({ table }) => table === TRAIL)
    .map(({ table, item }) => keyValuesOf(table, item)[0] ?? "");
  const ids = new Set([id, ...auditIdsOf(id), ...auditIds]);
  const hashes = tileReader(evidence, checkpoint.size);
  const sealed: Sealed[] = [];
  let last: FoundEntry<HeartbeatEntry> | undefined;
  let open: Sealed[] = [];
  for await (const each of findEntries(evidence, checkpoint.size, ids)) {
    if (each.entry.kind === "HEARTBEAT") {
      last = { leaf: each.leaf, entry: each.entry };
      sealed.push(...(await closed(open, last, hashes, checkpoint)));
      open = [];
    } else {
      const { entry, leaf } = each;
      const item = images.find((image) => commits(entry, image))?.item;
      open.push({ leaf, entry, ...(item && { item }), ...(last && { sealedAfter: last.entry.time }) });
    }
  }
  sealed.push(...(await closed(open, undefined, hashes, checkpoint)));
  if (sealed.length === 0 && images.length === 0) throw notKnown(id, checkpoint);
  const unsealed = images.filter((image) => !sealed.some(({ entry }) => commits(entry, image)));
  return { sealed, unsealed, ...(last && { lastHeartbeat: last.entry.time }) };
}

/** Proven against the checkpoint's root, with the heartbeat that follows. */
async function closed(
  open: readonly Sealed[],
  heartbeat: FoundEntry<HeartbeatEntry> | undefined,
  hashes: SubtreeHashes,
  checkpoint: Checkpoint,
): Promise<Sealed[]> {
  for (const { leaf, entry } of open) await provenPath(hashes, checkpoint, leaf, entryBytes(entry));
  if (heartbeat === undefined) return [...open];
  if (open.length > 0) await provenPath(hashes, checkpoint, heartbeat.leaf, entryBytes(heartbeat.entry));
  return open.map((each) => ({ ...each, sealedBefore: heartbeat.entry.time }));
}

function commits({ table, commitment }: RecordEntry, image: RecordImage): boolean {
  return table === image.table && commitment === image.commitment;
}

function notKnown(id: string, { size }: Checkpoint): EvidenceToolError {
  const message = `Neither the ${size} entries nor the exports hold anything about ${id}. Give the TransactionID, paymentId or transactionId.`;
  return new EvidenceToolError("NOT_SEALED", message, "unsealed");
}

// --------------------------------------------------------------------------------------------------------- as it reads

/** When the ledger recorded this version, by its own clock. */
function recordedAt(table: RecordEntry["table"], item: ItemJson | undefined): string | undefined {
  return (item && writtenAtOf(table, item)) || undefined;
}

function whatOf(item: ItemJson = {}): string {
  const texts = ["Action", "Kind", "Status", "status"].map((name) => textAttribute(item, name));
  return texts.find((text) => text !== undefined) ?? "";
}

const WHAT_IT_MEANS = {
  RECORD: "",
  LATE: "a sweep found it",
  FORGED: "none of the functions wrote it",
  TAMPER: "the stored record was changed",
} as const;

function meaningOf({ kind, commitment }: RecordEntry): string {
  return kind === "TAMPER" && commitment === "" ? "the stored record was removed" : WHAT_IT_MEANS[kind];
}

function sealedLine({ leaf, entry, item, sealedBefore, sealedAfter }: Sealed): string {
  const time = recordedAt(entry.table, item);
  const notes = [
    whatOf(item),
    meaningOf(entry),
    time === undefined ? "not in the exports" : `recorded ${time}`,
    sealedBefore === undefined ? "no heartbeat after it yet" : `sealed before ${sealedBefore}`,
    sealedAfter === undefined ? "" : `and after ${sealedAfter}`,
  ];
  const text = notes.filter((note) => note !== "").join(", ");
  return `  entry ${leaf} ${entry.kind} ${entry.table} ${entry.key.join(" ")} version ${entry.version}: ${text}`;
}

function unsealedLine({ table, item }: RecordImage): string {
  const time = recordedAt(table, item) ?? "at an unknown time";
  return `  NO ENTRY ${table} ${keyValuesOf(table, item).join(" ")} version ${versionOf(item)}: ${[whatOf(item), `recorded ${time}`].filter(Boolean).join(", ")}`;
}

function historyText(id: string, verdict: Verdict, found: PaymentHistory, { origin, size }: Checkpoint): string {
  const { sealed, unsealed, findings, acknowledged, lastHeartbeat } = found;
  return [
    `${verdict.toUpperCase()} ${id}: ${sealed.length} entries of ${size} in ${origin}; last heartbeat ${lastHeartbeat ?? "never"}`,
    ...sealed.map(sealedLine),
    ...unsealed.map(unsealedLine),
    ...findings.map((finding) => `  ${findingText(finding)}`),
    ...acknowledged.map((finding) => `  acknowledged (${finding.reason}) ${findingText(finding)}`),
  ].join("\n");
}

function historyJson(id: string, verdict: Verdict, found: PaymentHistory): object {
  const { sealed, unsealed, findings, acknowledged, lastHeartbeat } = found;
  return {
    verdict,
    id,
    lastHeartbeat: lastHeartbeat ?? null,
    findings: findings.map(({ item: _item, ...finding }) => finding),
    acknowledged,
    entries: sealed.map(({ leaf, entry, item, sealedBefore, sealedAfter }) => ({
      leaf,
      ...entry,
      recordedAt: recordedAt(entry.table, item) ?? null,
      what: whatOf(item),
      inExport: item !== undefined,
      sealedAfter: sealedAfter ?? null,
      sealedBefore: sealedBefore ?? null,
    })),
    withoutEntry: unsealed.map(({ table, item }) => ({
      table,
      key: keyValuesOf(table, item),
      version: versionOf(item),
      recordedAt: recordedAt(table, item) ?? null,
    })),
  };
}
