/** Gathers what a report shows, from an evidence folder, exported records and their verification. */

import { TABLES } from "../../contract";
import type { IdentityReport } from "../identity/identity-report";
import { type Checkpoint, type ReadCheckpoint, readCheckpoint } from "../log/checkpoint";
import type { RecordEntry } from "../log/entry";
import { checkSignatures, fingerprintOf, NoteError, parseVerifierKey } from "../log/note";
import { CHECKPOINT_PATH } from "../log/paths";
import { EntryError } from "../verifier/entries";
import { EvidenceError } from "../verifier/evidence";
import { MissingTileError } from "../verifier/merkle-tree";
import { auditIdsOf } from "../verifier/pairs";
import { findEntries, MissingBundleError } from "../verifier/proof-search";
import { type FindingCode, graverOf, type VerificationReport } from "../verifier/report";
import { SourceError } from "../verifier/sources";
import type { VerifyOptions } from "../verifier/verify";
import { changesSince, type ReportSummary, summaryOf } from "./changes";
import { newestEntries, type WindowEntry, withHeartbeats } from "./log-window";
import type { KeyFact, RecordStory, ReportModel, ShownEntry } from "./model";
import { pageProof } from "./proof-parts";
import { RecordPass } from "./record-pass";
import { lagSummary } from "./sealing-lag";
import { counted } from "./words";

export interface GatherOptions {
  /** As they were verified. */
  readonly verify: VerifyOptions;
  readonly verification: VerificationReport;
  /** Who called; left out where nobody asked. */
  readonly identities?: IdentityReport;
  /** The payment whose story is shown. Default: one that a finding names, else the newest that changed. */
  readonly paymentId?: string;
  /** What the last report said. */
  readonly before?: ReportSummary;
  readonly madeAt: Date;
}

/** Newest entries that are listed one by one. */
const LATEST = 60;

export async function gatherReport(options: GatherOptions): Promise<ReportModel> {
  const problems: string[] = [];
  const { verify, verification, identities } = options;
  const before = options.before?.origin === verification.origin ? options.before : undefined;
  if (options.before !== undefined && before === undefined)
    problems.push("The earlier report is of another log, so nothing was compared with it.");
  const head = await orProblem(problems, () => headOf(verify));
  const window = (head && (await orProblem(problems, () => newestEntries(verify.evidence, head.size)))) ?? [];
  const shown = window.slice(-LATEST);
  const paymentId = options.paymentId ?? storyOf(verification, window);
  const ofPayment = paymentId === undefined ? {} : { paymentId };
  const pass = new RecordPass({ sources: verify.sources, window, shown, ...ofPayment });
  await orProblem(problems, () => pass.run());
  countLog(pass, window);
  const latest = shown.map((each) => withRecord(each, pass)).reverse();
  const story =
    head && paymentId !== undefined
      ? await orProblem(problems, () => tellStory(paymentId, head, verify, pass))
      : undefined;
  const entries = distinct([...latest, ...(story?.entries ?? [])]);
  const proof = head && (await orProblem(problems, () => pageProof(head, { verify, story, before, entries })));
  if (pass.withheld > 0)
    problems.push(`${counted(pass.withheld, "record")} not shown: something in it looks like a card number.`);
  const keys = keyFacts(verify, head);
  const activity = pass.tally.activity();
  const madeAt = options.madeAt.toISOString();
  const verdict = graverOf(verification.verdict, identities?.verdict ?? "ok");
  const summary = summaryOf({
    madeAt,
    verdict,
    verification,
    checkpoint: proof?.evidence.checkpoint ?? "",
    keys: keys.map(({ role, vkey }) => `${role} ${vkey}`),
    actors: activity.actors.map(({ actor }) => actor),
  });
  return {
    madeAt,
    verdict,
    verification,
    keys,
    activity,
    latest,
    summary,
    problems,
    lag: lagSummary(pass.lagsMs, window.filter(isOpen).length),
    ...(identities && { identities }),
    ...(story && { story }),
    ...(before && { changes: changesSince(before, summary) }),
    ...(proof && { proof }),
  };
}

/** What the evidence or the exports are at fault for is said in the report; the verification has judged it. */
async function orProblem<T>(problems: string[], gather: () => Promise<T>): Promise<T | undefined> {
  try {
    return await gather();
  } catch (error) {
    const isKnown = [EvidenceError, EntryError, MissingBundleError, MissingTileError, NoteError, SourceError];
    if (!isKnown.some((kind) => error instanceof kind)) throw error;
    problems.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

async function headOf({ evidence }: VerifyOptions): Promise<ReadCheckpoint | undefined> {
  const bytes = await evidence.read(CHECKPOINT_PATH);
  return bytes && readCheckpoint(bytes);
}

function isOpen({ entry, sealedBefore }: WindowEntry): boolean {
  return entry.kind !== "HEARTBEAT" && sealedBefore === undefined;
}

/** Seals, and the log's own alarms: their time is that of the heartbeat that follows. */
function countLog({ tally }: RecordPass, window: readonly WindowEntry[]): void {
  for (const { entry, sealedBefore = "" } of window) {
    if (entry.kind === "HEARTBEAT") tally.add("seal", entry.time);
    else if (entry.kind === "FORGED" || entry.kind === "TAMPER") tally.add("alarm", sealedBefore);
  }
}

function withRecord({ index, entry, sealedBefore }: WindowEntry, pass: RecordPass): ShownEntry {
  const record = entry.kind === "HEARTBEAT" ? null : pass.recordOf(entry);
  return { index, entry, record, ...(sealedBefore && { sealedBefore }) };
}

function distinct(entries: readonly ShownEntry[]): ShownEntry[] {
  return [...new Map(entries.map((each) => [each.index, each])).values()].sort((a, b) => a.index - b.index);
}

// -------------------------------------------------------------------------------------------------- one payment's story

const PAYMENT_TABLES = Object.values(TABLES)
  .map(({ logicalName }) => logicalName)
  .filter((name) => name !== TABLES.paymentAuditTrail.logicalName);
const STORY_ENTRIES_MAX = 200;

/** Findings about records that the ledger wrote; the report shows one of these rather than a made-up record. */
const OF_A_GENUINE_RECORD: ReadonlySet<FindingCode> = new Set([
  ...(["RECORD_ALTERED", "ROLLED_BACK", "RECORD_CHANGED", "RECORD_REMOVED", "RECORD_MISSING"] as const),
]);

function storyOf({ findings }: VerificationReport, window: readonly WindowEntry[]): string | undefined {
  const about = findings.filter(({ table, key }) => key !== undefined && PAYMENT_TABLES.some((name) => name === table));
  const named = about.find(({ code }) => OF_A_GENUINE_RECORD.has(code)) ?? about[0];
  const entries = window.flatMap(({ entry }) => (entry.kind === "HEARTBEAT" ? [] : [entry])).reverse();
  const payments = entries.filter(({ table }) => PAYMENT_TABLES.some((name) => name === table));
  const changed = payments.find(({ version }) => version !== "1");
  return named?.key?.[0] ?? (changed ?? payments[0])?.key[0];
}

/** Every entry about the payment: its versions, and the audit records that name it. */
async function tellStory(
  id: string,
  { size }: Checkpoint,
  { evidence }: VerifyOptions,
  pass: RecordPass,
): Promise<RecordStory | undefined> {
  const found: Omit<WindowEntry, "sealedBefore">[] = [];
  for await (const { leaf, entry } of findEntries(evidence, size, new Set([id, ...auditIdsOf(id), ...pass.auditIds]))) {
    found.push({ index: leaf, entry });
  }
  const about = withHeartbeats(found).filter(({ entry }) => entry.kind !== "HEARTBEAT");
  const entries = about.slice(-STORY_ENTRIES_MAX).map((each) => withRecord(each, pass));
  const payments = entries.filter(({ entry }) => (entry as RecordEntry).key[0] === id);
  const drawn = payments.findLast(({ record }) => record !== null) ?? payments.at(-1) ?? entries.at(-1);
  return drawn && { id, entries, drawn };
}

// ----------------------------------------------------------------------------------------------------------------- keys

function keyFacts(
  { keys, retiredKeys = [], witnessKeys = [] }: VerifyOptions,
  head: Checkpoint | undefined,
): KeyFact[] {
  const facts = (vkeys: readonly string[], role: KeyFact["role"]) =>
    vkeys.map(parseVerifierKey).map((key): KeyFact => {
      const { name, keyId, type, vkey } = key;
      const signedCheckpoint = head !== undefined && checkSignatures(head.note, [key]).good.length > 0;
      return { role, name, keyId, type, vkey, fingerprint: fingerprintOf(key), signedCheckpoint };
    });
  return [...facts(keys, "log"), ...facts(retiredKeys, "retired"), ...facts(witnessKeys, "witness")];
}
