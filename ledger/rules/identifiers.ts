/** Identifiers: what callers may send, and the ids that the ledger derives. */

import { hash } from "node:crypto";
import { FUNCTIONS } from "../../contract";
import { canonicalJson } from "./canonical-json";

/**
 * Ids that callers send. Bounded, printable, and without `#`, which separates the parts of index keys.
 * The first character is a letter or digit, so no id looks like an option or a path.
 */
export const IDENTIFIER_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:/@+=-]*$/;

/** The actor of records about a request that named none, or none that could be stored. */
export const UNCLAIMED_ACTOR = "unclaimed";
/** Names under which the ledger itself acts: nobody may claim them. */
export const OWN_ACTORS: readonly string[] = [UNCLAIMED_ACTOR, ...Object.values(FUNCTIONS).map(({ name }) => name)];
/** An actor that a request may claim. */
export const ACTOR_PATTERN = new RegExp(`^(?!(${OWN_ACTORS.join("|")})$)${IDENTIFIER_PATTERN.source.slice(1)}`);

/**
 * Words that programs write where they have no id, in any capitals. Two payments under one of them would be taken for one.
 */
export const ID_PLACEHOLDERS = [
  // No value, as JSON, JavaScript, Python, Ruby and Go write it into a text.
  "null",
  "undefined",
  "none",
  "nil",
  // A calculation that failed, as floating-point numbers (IEEE 754) are written.
  "nan",
  "inf",
  "infinity",
  // A truth value in the place of an id.
  "true",
  "false",
  // What people and spreadsheets put into an empty cell.
  "n/a",
  "na",
  "n.a.",
  "unknown",
  "empty",
  "missing",
  "tbd",
  // ISO 20022 and SEPA for a reference that nobody gave (EndToEndId).
  "notprovided",
  "not_provided",
  "not-provided",
  "notavailable",
  // RFC 9562: the nil and the max UUID.
  "00000000-0000-0000-0000-000000000000",
  "ffffffff-ffff-ffff-ffff-ffffffffffff",
] as const;

/**
 * A number in scientific notation, as spreadsheets and floats write a long number: its last digits are lost. Without a
 * point or a sign it may be hexadecimal (`3e8`), and passes.
 */
const SCIENTIFIC_NUMBER = "[0-9](\\.[0-9]+[Ee][+-]?|[Ee][+-])[0-9]{1,3}";

const inAnyCapitals = (word: string) =>
  word.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`).replace(/[.]/g, "\\.");

/**
 * Ids of what is to be recorded: an identifier that is neither a placeholder nor a number in scientific notation. Reading
 * asks for any identifier. Written without flags, because the published schemas carry it.
 */
export const NEW_IDENTIFIER_PATTERN = new RegExp(
  `^(?!(${ID_PLACEHOLDERS.map(inAnyCapitals).join("|")}|${SCIENTIFIC_NUMBER})$)${IDENTIFIER_PATTERN.source.slice(1)}`,
);
export const TRANSACTION_ID_LENGTH_MAX = 128;
export const PROCESSOR_ID_LENGTH_MAX = 64;
export const ACTOR_LENGTH_MAX = 256;
export const AUDIT_ID_LENGTH_MAX = 128;
export const EVENT_ID_LENGTH_MAX = 128;
export const IMPORTED_FROM_LENGTH_MAX = 128;

/** Kinds of audit ids that the ledger makes itself. Callers may not send ids that begin so: they could take a payment's guard. */
const AUDIT_ID_KINDS = {
  WRITE: "W",
  UPDATE: "U",
  DUPLICATE: "D",
  CONFLICT: "C",
  REFUSAL: "X",
  ALARM: "A",
  EVENT: "E",
  READ: "R",
  GAP: "G",
} as const;
export type AuditIdKind = keyof typeof AUDIT_ID_KINDS;

const RESERVED_AUDIT_ID = /^[A-Z]~/;
/** `~` is outside `IDENTIFIER_PATTERN`, so a caller's id can never collide with one of ours. */
const KIND_SEPARATOR = "~";

/** What may name a record: an id that callers choose, or an audit id that the ledger made, with a pointer's index. */
export const RECORD_ID_PATTERN = /^([A-Za-z0-9][A-Za-z0-9._:/@+=-]*|[A-Z]~[A-Za-z0-9_-]{32}(\.[0-9]{2})?)$/;

/** 192 bits of the hash: enough that nobody finds two names with one id, short enough for an index key. */
const DERIVED_ID_BYTES = 24;

/**
 * The audit id that follows from what it records, so that recording the same thing twice is the same id and the second
 * put fails its condition. This makes the WRITE record the uniqueness guard of its payment.
 */
export function derivedAuditId(kind: AuditIdKind, ...parts: readonly string[]): string {
  return formatAuditId(kind, hash("sha256", canonicalJson(["payment-ledger/audit-id/1", kind, ...parts]), "buffer"));
}

/** An audit id for something that happens anew each time (a read). `random` is at least 24 random bytes. */
export function freshAuditId(kind: AuditIdKind, random: Uint8Array): string {
  return formatAuditId(kind, random);
}

/** The audit id of the n-th pointer record of a list read. */
export function pointerAuditId(listReadAuditId: string, index: number): string {
  return `${listReadAuditId}.${String(index).padStart(2, "0")}`;
}

export function isReservedAuditId(auditId: string): boolean {
  return RESERVED_AUDIT_ID.test(auditId);
}

function formatAuditId(kind: AuditIdKind, bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, DERIVED_ID_BYTES)).toString("base64url");
  return `${AUDIT_ID_KINDS[kind]}${KIND_SEPARATOR}${text}`;
}
