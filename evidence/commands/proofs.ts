/** `prove`, `verify-proof` and `consistency`: proofs as files, made from an evidence folder and checked without one. */

import type { ItemJson } from "../../ledger/rules/attribute-value";
import { commitmentOf } from "../../ledger/rules/commitment";
import type { ReadCheckpoint } from "../log/checkpoint";
import { entryBytes } from "../log/entry";
import { keyValuesOf } from "../log/identity";
import { type NoteSignature, strictBase64 } from "../log/note";
import type { EvidenceFolder } from "../verifier/evidence";
import { consistencyProof, isConsistent, tileReader } from "../verifier/merkle-tree";
import { checkProof, type ProofReport, parseProof, proofBytes } from "../verifier/proof";
import { bearing, type FoundEntry, findEntries, proofOf, provenPath, withCosignatures } from "../verifier/proof-search";
import { EXIT_CODES } from "../verifier/report";
import {
  checkpointFile,
  checkSigned,
  evidenceAt,
  fileAt,
  logKeys,
  newestCheckpoint,
  OPTIONS,
  recordFile,
  retiredKeys,
  UNSIGNED_NOTE,
  witnessKeys,
} from "./arguments";
import type { Command, CommandArguments, Terminal } from "./command";
import { EvidenceToolError, UsageError } from "./errors";
import { writeWhole } from "./files";
import { exportedSources, imagesWhere } from "./records";

// --------------------------------------------------------------------------------------------------------------- prove

export const proveRecord: Command = {
  summary: "Write the proof that the log sealed one record",
  operands: "AuditID|TransactionID",
  details: `Writes <id>.tlog-proof, and from an export the record beside it. The proof bears the signatures of the keys and witnesses that are given; checking it needs the same keys. Takes --export or --record.`,
  options: {
    evidence: OPTIONS.evidence,
    export: { ...OPTIONS.export, required: false },
    record: { kind: "one", value: "FILE", about: "The record itself, instead of exports to find it in." },
    key: { ...OPTIONS.key, required: false },
    witness: OPTIONS.witness,
    table: { kind: "one", value: "NAME", about: "Table, where the id names records of several." },
    version: { kind: "one", value: "N", about: "Version of the record. Default: the newest." },
    leaf: { kind: "one", value: "N", about: "Entry of the log, where several fit." },
    out: { kind: "one", value: "FILE", about: "Where the proof goes. Default: <id>.tlog-proof." },
  },
  examples: ["prove txn-0001 --evidence audit/evidence --export audit/tables --key log.vkey"],
  run: prove,
};

async function prove(args: CommandArguments, terminal: Terminal): Promise<number> {
  const id = args.onlyOperand("id");
  const isFromExport = args.many("export").length > 0;
  if (isFromExport === (args.one("record") !== undefined)) throw new UsageError("prove takes --export or --record.");
  const evidence = evidenceAt(args);
  const checkpoint = await newestCheckpoint(evidence);
  const signers = checkSigned(checkpoint, logKeys(args));
  const candidates = chosen(await leavesOf(id, evidence, checkpoint.size), id, args);
  const records = isFromExport
    ? await exportedRecords(id, candidates, args, terminal)
    : [recordFile(args.needed("record"))];
  const { found, item } = matched(candidates, records, id);
  const bytes = entryBytes(found.entry);
  const path = await provenPath(tileReader(evidence, checkpoint.size), checkpoint, found.leaf, bytes);
  const note = bearing(await withCosignatures(evidence, checkpoint.bytes), signatureRule(args, checkpoint));
  const proof = proofBytes(proofOf(found, path, note));
  // No id is a path: an id may hold a slash.
  const out = args.one("out") ?? `${encodeURIComponent(id)}.tlog-proof`;
  writeWhole(out, proof);
  const record = `${out.replace(/\.tlog-proof$/, "")}.record.json`;
  if (isFromExport) writeWhole(record, `${JSON.stringify({ Item: item })}\n`);
  const { table, version, kind } = found.entry;
  const lines = [
    `${out}: ${table} ${id}, version ${version}, is entry ${found.leaf} (${kind}) of ${checkpoint.size}; ${proof.length} bytes.`,
    ...(isFromExport ? [`${record}: the record, which verify-proof takes with it.`] : []),
  ];
  const files = { proof: out, ...(isFromExport ? { record } : {}) };
  const entry = { table, version, kind, leaf: found.leaf, size: checkpoint.size };
  terminal.answer({ id, ...files, ...entry, bytes: proof.length, signed: signers.length > 0 }, lines.join("\n"));
  if (signers.length === 0) terminal.tell(UNSIGNED_NOTE);
  return 0;
}

/** Without a key the log's own signatures stay in the proof, unchecked. */
function signatureRule(args: CommandArguments, { origin }: ReadCheckpoint) {
  const keys = logKeys(args);
  const wanted = [...keys, ...witnessKeys(args)];
  return ({ name, keyId }: NoteSignature) =>
    wanted.some((key) => key.name === name && key.keyId === keyId) || (keys.length === 0 && name === origin);
}

/** Every state of the chosen record that the exports hold. */
async function exportedRecords(
  id: string,
  [first]: readonly FoundEntry[],
  args: CommandArguments,
  { tell }: Terminal,
): Promise<ItemJson[]> {
  const { images, problems } = await imagesWhere(await exportedSources(args), id, (table, item) => {
    return table === first?.entry.table && keyValuesOf(table, item)[0] === id;
  });
  for (const problem of problems) tell(`Not read: ${problem}`);
  return images.map(({ item }) => item);
}

async function leavesOf(id: string, evidence: EvidenceFolder, size: number): Promise<FoundEntry[]> {
  const found: FoundEntry[] = [];
  for await (const { leaf, entry } of findEntries(evidence, size, new Set([id]))) {
    if (entry.kind !== "HEARTBEAT") found.push({ leaf, entry });
  }
  if (found.length > 0) return found;
  throw new EvidenceToolError(
    "NOT_SEALED",
    `None of the ${size} entries is about ${id}. The log names records by AuditID, TransactionID, paymentId or ` +
      "transactionId; what was written a moment ago is sealed with the next checkpoint.",
    "unsealed",
  );
}

/** The entries of one key and one version, the newest first. */
function chosen(found: readonly FoundEntry[], id: string, args: CommandArguments): FoundEntry[] {
  const [table, version, leaf] = [args.one("table"), args.one("version"), args.number("leaf", 0)];
  const fitting = found.filter(
    (each) =>
      (table === undefined || each.entry.table === table) &&
      (version === undefined || each.entry.version === version) &&
      (leaf === undefined || each.leaf === leaf),
  );
  const [first] = fitting;
  if (first === undefined) {
    throw new EvidenceToolError(
      "NOT_SEALED",
      `No entry about ${id} is of that kind. There are: ${named(found)}.`,
      "unsealed",
    );
  }
  const nameOf = ({ entry }: FoundEntry) => JSON.stringify([entry.table, entry.key]);
  if (fitting.some((each) => nameOf(each) !== nameOf(first))) {
    const message = `${id} names several records: ${named(fitting)}. Choose with --table, or with --leaf.`;
    throw new EvidenceToolError("AMBIGUOUS_ID", message);
  }
  const newest = fitting.findLast(({ entry }) => entry.commitment !== "") ?? first;
  return fitting.filter(({ entry }) => entry.version === newest.entry.version).toReversed();
}

function named(found: readonly FoundEntry[]): string {
  const texts = found.map(
    ({ leaf, entry }) => `entry ${leaf} (${entry.table}, version ${entry.version}, ${entry.kind})`,
  );
  return texts.length > 10 ? `${texts.slice(0, 10).join("; ")} and ${texts.length - 10} more` : texts.join("; ");
}

/** Of the entries that commit to one of the records, the earliest: what was sealed first, as far as the record is that. */
function matched(candidates: readonly FoundEntry[], records: readonly ItemJson[], id: string) {
  const [newest] = candidates;
  if (newest === undefined) throw new Error("There are no entries to choose from.");
  const { table, version } = newest.entry;
  for (const found of candidates.toReversed()) {
    const item = records.find((record) => commitmentOf(table, record) === found.entry.commitment);
    if (item !== undefined) return { found, item };
  }
  if (records.length === 0) {
    const message = `The export holds no record ${id} of ${table}, and the log does: ${named(candidates)}. Take the record from an earlier export.`;
    throw new EvidenceToolError("RECORD_NOT_FOUND", message, "missing");
  }
  const message = `The record is not the one that the log sealed as version ${version} of ${id} in ${table}: ${named(candidates)}. No proof was written.`;
  throw new EvidenceToolError("RECORD_DIFFERS", message, "altered");
}

// -------------------------------------------------------------------------------------------------------- verify-proof

export const verifyProof: Command = {
  summary: "Check a proof with the record and pinned keys alone",
  operands: "PROOF",
  details: "No evidence folder and no network are needed.",
  options: {
    record: {
      kind: "one",
      value: "FILE",
      required: true,
      about: "The record that the proof is about, as prove wrote it.",
    },
    key: OPTIONS.key,
    witness: OPTIONS.witness,
  },
  examples: ["verify-proof txn-0001.tlog-proof --record txn-0001.record.json --key log.vkey"],
  run: async (args, { answer }) => {
    const proof = parseProof(fileAt(args.onlyOperand("proof"), "the proof"));
    const record = recordFile(args.needed("record"));
    args.neededMany("key");
    const report = checkProof(proof, record, logKeys(args), witnessKeys(args));
    answer(proofJson(report), proofText(report));
    return EXIT_CODES[report.verdict];
  },
};

function proofJson({ signers, ...report }: ProofReport): object {
  return { ...report, signers: signers.map(({ name, keyId }) => ({ name, keyId })) };
}

function proofText({ verdict, code, message, origin, size, index, entry, signers, witnesses }: ProofReport): string {
  const { kind, table, key, version } = entry;
  return [
    `${verdict.toUpperCase()} ${code}: ${message}`,
    `  ${table} ${key.join(" ")}, version ${version}: entry ${index} (${kind}) of ${size} in ${origin}`,
    ...signers.map(({ keyId }) => `  signed by the log's key ${keyId}`),
    ...witnesses.map(({ name, time }) => `  seen by ${name} at ${time}`),
  ].join("\n");
}

// --------------------------------------------------------------------------------------------------------- consistency

export const consistency: Command = {
  summary: "Prove that the log still begins with all that it had at an earlier checkpoint, or check such a proof",
  details: "Takes --evidence, or --to with --proof.",
  options: {
    from: { kind: "one", value: "FILE", required: true, about: "The earlier checkpoint." },
    to: { kind: "one", value: "FILE", about: "The later checkpoint. Default: the newest of the evidence." },
    evidence: { ...OPTIONS.evidence, required: false },
    proof: { kind: "one", value: "FILE", about: "Proof to check." },
    out: { kind: "one", value: "FILE", about: "Where the proof goes." },
    key: { ...OPTIONS.key, required: false },
    "retired-key": OPTIONS.retiredKey,
  },
  run: async (args, terminal) => {
    args.noOperand();
    const from = checkpointFile(args.needed("from"), "from");
    const to = await laterCheckpoint(args);
    const keys = logKeys(args);
    checkSigned(from, keys.length === 0 ? keys : [...keys, ...retiredKeys(args)]);
    checkSigned(to, keys);
    checkOrder(from, to);
    const proof = await proofBetween(from, to, args);
    if (!isConsistent(from, to, proof)) {
      const message = `The log of ${to.size} entries does not begin with the ${from.size} of the earlier checkpoint: it was forked, or the ${args.one("proof") === undefined ? "evidence" : "proof"} was altered.`;
      throw new EvidenceToolError("LOG_FORKED", message, "forked");
    }
    printConsistency(from, to, proof, args, terminal);
    if (keys.length === 0) terminal.tell(UNSIGNED_NOTE);
    return 0;
  },
};

function laterCheckpoint(args: CommandArguments): ReadCheckpoint | Promise<ReadCheckpoint> {
  const place = args.one("to");
  if (args.one("evidence") === undefined && (place === undefined || args.one("proof") === undefined)) {
    throw new UsageError("consistency takes --evidence, or --to with --proof.");
  }
  return place === undefined ? newestCheckpoint(evidenceAt(args)) : checkpointFile(place, "to");
}

function checkOrder(from: ReadCheckpoint, to: ReadCheckpoint): void {
  if (from.origin !== to.origin) {
    const message = `The checkpoints are of two logs: ${from.origin} and ${to.origin}. Take two of the same.`;
    throw new EvidenceToolError("WRONG_KEY", message, "wrong-key");
  }
  if (from.size <= to.size) return;
  const message = `The log had ${from.size} entries, and now ${to.size}: it is an older copy, or it was set back. A log only grows.`;
  throw new EvidenceToolError("LOG_WENT_BACK", message, "stale");
}

async function proofBetween(from: ReadCheckpoint, to: ReadCheckpoint, args: CommandArguments): Promise<Buffer[]> {
  const place = args.one("proof");
  if (place === undefined) {
    const evidence = evidenceAt(args);
    // The tiles of the newest tree: a copy need not hold those that only an earlier one ended with.
    const { size } = await newestCheckpoint(evidence);
    return consistencyProof(tileReader(evidence, Math.max(size, to.size)), from.size, to.size);
  }
  const lines = fileAt(place, "--proof").toString("utf8").split("\n");
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const hash = strictBase64(line);
      if (hash !== undefined) return hash;
      throw new UsageError(`${place} is no consistency proof: it holds one hash in base64 a line, and nothing else.`);
    });
}

function printConsistency(
  from: ReadCheckpoint,
  to: ReadCheckpoint,
  proof: readonly Buffer[],
  args: CommandArguments,
  { answer }: Terminal,
): void {
  const lines = proof.map((hash) => hash.toString("base64"));
  const out = args.one("out");
  if (out !== undefined) writeWhole(out, lines.map((line) => `${line}\n`).join(""));
  const said = `OK: the log ${to.origin} of ${to.size} entries begins with all ${from.size} of the earlier checkpoint.`;
  answer({ verdict: "ok", origin: to.origin, from: from.size, to: to.size, proof: lines }, [said, ...lines].join("\n"));
}
