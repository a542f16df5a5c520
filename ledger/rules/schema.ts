/** Building blocks of the request schemas. Each field carries its refusal code, so that one place maps faults to answers. */

import * as z from "zod";
import {
  ACTOR_LENGTH_MAX,
  ACTOR_PATTERN,
  AUDIT_ID_LENGTH_MAX,
  EVENT_ID_LENGTH_MAX,
  IDENTIFIER_PATTERN,
  IMPORTED_FROM_LENGTH_MAX,
  NEW_IDENTIFIER_PATTERN,
  PROCESSOR_ID_LENGTH_MAX,
  RECORD_ID_PATTERN,
  TRANSACTION_ID_LENGTH_MAX,
} from "./identifiers";
import { REFUSAL_CODES, type Refusal, type RefusalCode, refusal } from "./refusals";
import { TIMESTAMP_PATTERN } from "./timestamps";

export const SCHEMA_VERSION = 1;

const MISSING: RefusalCode = "MISSING_FIELD";

/** The refusal code of a field: for its type, and for each check that names no other. An absent value is MISSING_FIELD. */
export function coded(code: RefusalCode): { error: (issue: { input?: unknown }) => string } {
  return { error: (issue) => (issue.input === undefined ? MISSING : code) };
}

const identifier = (code: RefusalCode, lengthMax: number, pattern = IDENTIFIER_PATTERN) =>
  z.string(coded(code)).min(1).max(lengthMax).regex(pattern);

/** Names a payment that may be there; what is to be recorded is named by `newTransactionId`. */
export const transactionId = identifier("INVALID_TRANSACTION_ID", TRANSACTION_ID_LENGTH_MAX);
export const newTransactionId = identifier("INVALID_TRANSACTION_ID", TRANSACTION_ID_LENGTH_MAX, NEW_IDENTIFIER_PATTERN);
export const processorId = identifier("INVALID_PROCESSOR_ID", PROCESSOR_ID_LENGTH_MAX);
export const actor = identifier("INVALID_ACTOR", ACTOR_LENGTH_MAX, ACTOR_PATTERN);
/** Any actor that may be on record, the ledger itself too. */
export const recordedActor = identifier("INVALID_ACTOR", ACTOR_LENGTH_MAX);
export const eventId = identifier("INVALID_EVENT_ID", EVENT_ID_LENGTH_MAX);
export const newEventId = identifier("INVALID_EVENT_ID", EVENT_ID_LENGTH_MAX, NEW_IDENTIFIER_PATTERN);
export const newAuditId = identifier("INVALID_AUDIT_ID", AUDIT_ID_LENGTH_MAX, NEW_IDENTIFIER_PATTERN);
export const recordId = identifier("INVALID_RECORD_ID", AUDIT_ID_LENGTH_MAX, RECORD_ID_PATTERN);
export const importedFrom = identifier("INVALID_IMPORTED_FROM", IMPORTED_FROM_LENGTH_MAX).describe(
  "Marks what was recorded before in another system, and names that system, for example its table. Stored with the record; not part of its content.",
);
export const timestamp = z.string(coded("INVALID_TIMESTAMP")).regex(TIMESTAMP_PATTERN);
export const schemaVersion = z.literal(SCHEMA_VERSION, coded("UNSUPPORTED_SCHEMA_VERSION")).optional();
export const reason = z
  .string(coded("INVALID_REASON"))
  .min(1)
  .max(256)
  .refine((text) => text.isWellFormed());

/**
 * What a schema takes, without the members that are not part of what is recorded. A member that was not sent is absent, never
 * `undefined`: the MAC of the content covers what is there.
 */
export type Sent<Schema extends z.ZodType, Dropped extends PropertyKey> = {
  readonly [Name in keyof z.infer<Schema> as Exclude<Name, Dropped>]: Exclude<z.infer<Schema>[Name], undefined>;
};

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

export const accepted = <T>(value: T): Parsed<T> => ({ ok: true, value });
export const refused = (code: RefusalCode, field?: string): { readonly ok: false; readonly refusal: Refusal } => ({
  ok: false,
  refusal: refusal(code, field),
});

/**
 * The first fault of the input as a refusal. Where fields are missing, `field` names all of them.
 * @param requiredToo fields that this input must have although the schema leaves them optional. They are named with the
 *   others that are missing; an input that lacks nothing else passes here, and its parser refuses it.
 */
export function parseWith<T>(schema: z.ZodType<T>, input: unknown, requiredToo: readonly string[] = []): Parsed<T> {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return refused("NOT_AN_OBJECT");
  const result = schema.safeParse(input);
  if (result.success) return accepted(result.data);
  const issue = result.error.issues[0];
  if (issue === undefined) return refused("INVALID_QUERY");
  if (issue.code === "unrecognized_keys") return refused("UNKNOWN_FIELD");
  const code = codeOf(issue.message);
  if (code !== MISSING) return refused(code, fieldOf(issue.path));
  const absent = requiredToo.filter((name) => (input as Readonly<Record<string, unknown>>)[name] === undefined);
  return refused(code, missingFields(result.error.issues, absent));
}

function missingFields(issues: readonly z.core.$ZodIssue[], absent: readonly string[]): string | undefined {
  const fields = [...issues.filter(({ message }) => message === MISSING).map(({ path }) => fieldOf(path)), ...absent];
  return [...new Set(fields.filter((field) => field !== undefined))].join(", ") || undefined;
}

function codeOf(message: string): RefusalCode {
  return (REFUSAL_CODES as string[]).includes(message) ? (message as RefusalCode) : "INVALID_QUERY";
}

/** Paths lead through our schemas only, so a segment is a name that we chose or a list position. */
function fieldOf(path: readonly PropertyKey[]): string | undefined {
  return path.length === 0 ? undefined : path.map(String).join(".");
}
