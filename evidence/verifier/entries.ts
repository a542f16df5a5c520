/**
 * The log's entries, read back from their bytes. Written apart from the code that writes them: an entry that is not, byte
 * for byte, the canonical form of what it says is refused, so no two texts can say the same.
 */

import { CodedError, type LogicalTableName, TABLES } from "../../contract";
import { canonicalJson } from "../../ledger/rules/canonical-json";
import type { EntryKind, HeartbeatEntry, LogEntry, RecordEntry, RecordKind } from "../log/entry";

export class EntryError extends CodedError<"BAD_ENTRY"> {
  override readonly name = "EntryError";

  constructor(message: string) {
    super("BAD_ENTRY", message);
  }
}

const HASH = "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]";
/** Text that JSON writes as it is. Anything else takes the long way. */
const PLAIN = "[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]";
const COUNT = "0|[1-9][0-9]{0,15}";

const RECORD = new RegExp(
  `^\\{"commitment":"(|${HASH})","format":"payment-ledger/entry/1","key":\\["(${PLAIN}*)"(?:,"(${PLAIN}*)")?\\],` +
    `"kind":"(RECORD|FORGED|TAMPER|LATE)","previous":"(|${HASH})","sequence":"([0-9]{0,64})",` +
    `"table":"(${PLAIN}+)","version":"(${PLAIN}*)"\\}$`,
);

const HEARTBEAT = new RegExp(
  `^\\{"counts":\\{"FORGED":"(${COUNT})","HEARTBEAT":"(${COUNT})","LATE":"(${COUNT})","RECORD":"(${COUNT})",` +
    `"TAMPER":"(${COUNT})"\\},"format":"payment-ledger/entry/1","kind":"HEARTBEAT",` +
    `"previousCheckpoint":"(|${HASH})","previousSize":"(${COUNT})","time":"([0-9TZ:.-]{24})"\\}$`,
);

/** @throws EntryError for anything that is no entry of this log, or is not written as this log writes it. */
export function parseEntry(bytes: Buffer): LogEntry {
  // Bytes above ASCII become characters that neither pattern takes.
  const text = bytes.toString("latin1");
  const record = RECORD.exec(text);
  if (record !== null) return checkedRecord(recordOf(record));
  const heartbeat = HEARTBEAT.exec(text);
  if (heartbeat !== null) return heartbeatOf(heartbeat);
  return checkedRecord(parseSlowly(bytes));
}

/** Undefined for bytes that are none. */
export function readEntry(bytes: Buffer): LogEntry | undefined {
  try {
    return parseEntry(bytes);
  } catch (error) {
    if (error instanceof EntryError) return undefined;
    throw error;
  }
}

/** Whether these bytes can only be a heartbeat: no other entry begins with its counts. */
export function looksLikeHeartbeat(bytes: Buffer): boolean {
  return bytes[4] === 0x75; // {"counts, not {"commitment
}

const COMMITMENT_END = '{"commitment":"'.length + 43;
const KEY_START = COMMITMENT_END + '","format":"payment-ledger/entry/1","key":["'.length;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACKET = 0x5d;

/**
 * Where the key of an entry lies in its bytes, when it has one part and nothing is escaped in it; 0 where only parsing can
 * tell. For passing over most entries of a log that was parsed before.
 */
export function plainKeyEnd(bytes: Buffer): number {
  if (looksLikeHeartbeat(bytes) || bytes[COMMITMENT_END] !== QUOTE) return 0;
  let end = KEY_START;
  while (end < bytes.length && bytes[end] !== QUOTE && bytes[end] !== BACKSLASH) end += 1;
  return bytes[end] === QUOTE && bytes[end + 1] === BRACKET ? end : 0;
}

export { KEY_START };

function recordOf(match: RegExpExecArray): RecordEntry {
  const [, commitment = "", partition = "", sort, kind, previous = "", sequence = "", table = "", version = ""] = match;
  const key = sort === undefined ? [partition] : [partition, sort];
  return {
    kind: kind as RecordKind,
    table: table as LogicalTableName,
    key,
    version,
    sequence,
    commitment,
    previous,
  };
}

const KEY_PARTS: ReadonlyMap<string, number> = new Map(
  Object.values(TABLES).map((table) => [table.logicalName, "sortKey" in table ? 2 : 1]),
);

/**
 * What the log says of a record that the ledger wrote has its form. An entry about tampering may hold whatever the one who
 * tampered made up.
 */
function checkedRecord(entry: RecordEntry): RecordEntry {
  const { kind, table, key, version, sequence, commitment } = entry;
  if (KEY_PARTS.get(table) !== key.length) throw new EntryError("It names no table of this ledger, or not its key.");
  if (kind === "FORGED" || kind === "TAMPER") return entry;
  if (!/^[1-9][0-9]{0,15}$/.test(version)) throw new EntryError("Its version is no number from 1.");
  if (commitment === "") throw new EntryError("It does not say which record it is about.");
  if ((kind === "LATE") !== (sequence === "")) {
    throw new EntryError("What a stream told has a sequence number, and what a sweep found has none.");
  }
  return entry;
}

/** Texts that JSON escapes, or that are not ASCII: of records that none of the functions wrote. */
function parseSlowly(bytes: Buffer): RecordEntry {
  const { key, version, ...rest } = jsonOf(bytes);
  if (!Array.isArray(key) || ![...key, version].every((text) => typeof text === "string")) throw notCanonical();
  // With plain texts in their places the rest must be what the pattern takes.
  const match = RECORD.exec(canonicalText({ ...rest, key: key.map(() => ""), version: "" }));
  if (match === null || !Buffer.from(canonicalText({ ...rest, key, version })).equals(bytes)) throw notCanonical();
  return { ...recordOf(match), key, version: version as string };
}

function jsonOf(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw notCanonical();
}

function canonicalText(value: unknown): string {
  try {
    return canonicalJson(value);
  } catch {
    throw notCanonical();
  }
}

function notCanonical(): EntryError {
  return new EntryError("Its bytes are not the canonical form of an entry of this log.");
}

function heartbeatOf(match: RegExpExecArray): HeartbeatEntry {
  const [, FORGED, HEARTBEAT, LATE, RECORD, TAMPER, previousCheckpoint = "", previousSize, time = ""] = match;
  const counts: Record<EntryKind, number> = {
    RECORD: Number(RECORD),
    FORGED: Number(FORGED),
    TAMPER: Number(TAMPER),
    LATE: Number(LATE),
    HEARTBEAT: Number(HEARTBEAT),
  };
  const size = Number(previousSize);
  if (!isTime(time)) throw new EntryError("Its time is no moment of the calendar.");
  if (![...Object.values(counts), size].every(Number.isSafeInteger)) throw new EntryError("A number is too large.");
  if ((size === 0) !== (previousCheckpoint === "")) {
    throw new EntryError("It names a checkpoint without a size, or a size without a checkpoint.");
  }
  return { kind: "HEARTBEAT", time, counts, previousSize: size, previousCheckpoint };
}

/** RFC 3339 in UTC with milliseconds, and a day that there was. */
function isTime(time: string): boolean {
  const milliseconds = Date.parse(time);
  return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString() === time;
}
