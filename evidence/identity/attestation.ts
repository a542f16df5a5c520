/** The file of one day's attestation: a first line about the day, then a line for each call. JSON, a line each. */

import { createHash } from "node:crypto";
import { CodedError, IDENTITIES_PREFIX } from "../../contract";
import { canonicalJson, type JsonValue } from "../../ledger/rules/canonical-json";
import type { AttestedCall, IdentityVerdict } from "./judge";

const ATTESTATION_FORMAT = "payment-ledger/identities/1";

/** Records, not calls. */
export type IdentityCounts = Readonly<Record<IdentityVerdict, number>>;

export interface Attestation {
  /** UTC, `2026-11-27`: the day on which the records were recorded. */
  readonly day: string;
  /** What of the trail or of the records was missing or altered. Empty: everything was looked at. */
  readonly problems: readonly string[];
  readonly calls: readonly AttestedCall[];
}

/** `good`: every record's caller is attested. `incomplete`: not everything could be looked at, and nothing is contradicted. */
export type IdentityOutcome = "good" | "unattested" | "contradicted" | "incomplete";

export class AttestationError extends CodedError<"BAD_ATTESTATION"> {
  override readonly name = "AttestationError";
}

export function attestationText({ day, problems, calls }: Attestation): string {
  const first = { format: ATTESTATION_FORMAT, day, problems: [...problems] };
  return [first, ...calls.map((call) => ({ ...call, records: String(call.records) }))]
    .map((line) => `${canonicalJson(line as JsonValue)}\n`)
    .join("");
}

/** @throws AttestationError */
export function parseAttestation(text: string): Attestation {
  const [first, ...lines] = text.split("\n").slice(0, -1).map(parsedLine);
  const { format, day, problems } = first ?? {};
  const isDay = typeof day === "string" && /^\d{4}-\d{2}-\d{2}$/.test(day);
  if (format !== ATTESTATION_FORMAT || !isDay || !isTexts(problems) || !text.endsWith("\n"))
    throw bad("Its first line is not that of an attestation of identities");
  return { day, problems, calls: lines.map(callIn) };
}

const VERDICTS: readonly unknown[] = ["attested", "unattested", "contradicted"] satisfies IdentityVerdict[];

function callIn({ records, ...call }: Readonly<Record<string, unknown>>): AttestedCall {
  const isCall =
    Object.values(call).every((value) => typeof value === "string") &&
    typeof call["request"] === "string" &&
    typeof call["function"] === "string" &&
    VERDICTS.includes(call["verdict"]) &&
    typeof records === "string" &&
    /^[1-9]\d{0,14}$/.test(records);
  if (isCall) return { ...(call as Omit<AttestedCall, "records">), records: Number(records) };
  throw bad("A line of it is not about one call");
}

function parsedLine(line: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === "object" && parsed !== null) return parsed as Readonly<Record<string, unknown>>;
  } catch {
    // Said below.
  }
  throw bad("A line of it is no JSON object");
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function bad(what: string): AttestationError {
  return new AttestationError("BAD_ATTESTATION", `${what}. Give the file as attest_callers wrote it.`);
}

export function countsOf(calls: readonly AttestedCall[]): IdentityCounts {
  const counts = { attested: 0, unattested: 0, contradicted: 0 };
  for (const { verdict, records } of calls) counts[verdict] += records;
  return counts;
}

/** A contradiction outweighs what could not be looked at. */
export function outcomeOf({ problems, calls }: Attestation): IdentityOutcome {
  const { unattested, contradicted } = countsOf(calls);
  if (contradicted > 0) return "contradicted";
  if (problems.length > 0) return "incomplete";
  return unattested > 0 ? "unattested" : "good";
}

/** Hexadecimal SHA-256, as the sealed record has it. */
export function attestationHash(text: string | Buffer): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Below the evidence's prefix. The name follows from the content: another result of the same day is another file. */
export function attestationPath(day: string, hash: string): string {
  return `${IDENTITIES_PREFIX}${day}-${hash.slice(0, 16)}.ndjson`;
}
