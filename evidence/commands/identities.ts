/** `verify --identities`: a file of `attest_callers` against the record that seals its hash, and against the day's records. */

import { TABLES } from "../../contract";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import {
  type Attestation,
  AttestationError,
  attestationHash,
  countsOf,
  type IdentityCounts,
  parseAttestation,
} from "../identity/attestation";
import { type AttestedCall, callKey, callOnRecord, DayOfCalls } from "../identity/judge";
import { readableItem, textAttribute } from "../verifier/digest";
import { VERDICTS, type Verdict } from "../verifier/report";
import type { RecordSource } from "../verifier/sources";
import { UsageError } from "./errors";

export interface IdentityReport {
  /** `altered`: the file is not sealed, or leaves out records. `forged`: it names made-up events. */
  readonly verdict: Extract<Verdict, "ok" | "altered" | "forged" | "incomplete">;
  readonly day: string;
  readonly counts: IdentityCounts;
  /** What is wrong, one sentence each. */
  readonly findings: readonly string[];
  readonly contradicted: readonly (AttestedCall & { readonly auditIds: readonly string[] })[];
}

/** @param file as `attest_callers` wrote it. @throws UsageError for another file. */
export async function checkIdentities(file: Buffer, sources: readonly RecordSource[]): Promise<IdentityReport> {
  const attestation = parsed(file);
  const contradictedCalls = attestation.calls.filter(({ verdict }) => verdict === "contradicted");
  const records = await dayInExport(attestation.day, sources, new Set(contradictedCalls.map(keyOf)));
  const counts = countsOf(attestation.calls);
  const isSealed = records.sealedHashes.has(attestationHash(file));
  const altered = [
    ...(isSealed ? [] : ["No IDENTITY_CHECK record of these exports has the hash of this file."]),
    ...leftOut(attestation, records.calls),
  ];
  const incomplete = [...attestation.problems, ...notInExport(attestation, records.calls)];
  const contradicted = contradictedCalls.map((call) => ({ ...call, auditIds: records.idsOf.get(keyOf(call)) ?? [] }));
  const verdict =
    altered.length > 0 ? "altered" : contradicted.length > 0 ? "forged" : incomplete.length > 0 ? "incomplete" : "ok";
  return { verdict, day: attestation.day, counts, findings: [...altered, ...incomplete], contradicted };
}

export function identityText({ verdict, day, counts, findings, contradicted }: IdentityReport): string {
  const { attested, unattested } = counts;
  return [
    `Callers of ${day}: ${verdict.toUpperCase()}; ${attested} records attested, ${unattested} unattested, ${counts.contradicted} contradicted`,
    ...findings.map((finding) => `  ${finding}`),
    ...contradicted.map(
      ({ request, reason, toldPrincipal = "nobody", principalArn = "unknown", auditIds }) =>
        `  contradicted ${reason}: request ${request} names ${toldPrincipal}, made by ${principalArn}; records ${auditIds.join(", ")}`,
    ),
  ].join("\n");
}

/** The graver of the two. */
export function graverOf(one: Verdict, other: Verdict): Verdict {
  return VERDICTS.indexOf(one) < VERDICTS.indexOf(other) ? one : other;
}

function parsed(file: Buffer): Attestation {
  try {
    return parseAttestation(file.toString("utf8"));
  } catch (error) {
    if (error instanceof AttestationError) throw new UsageError(`--identities: ${error.message}`);
    throw error;
  }
}

interface DayInExport {
  readonly calls: DayOfCalls;
  /** Of the records of the calls that were asked for, by the calls' keys. */
  readonly idsOf: ReadonlyMap<string, readonly string[]>;
  /** Of all attestations that the exports' records seal. */
  readonly sealedHashes: ReadonlySet<string>;
}

const AUDIT_TRAIL = TABLES.paymentAuditTrail.logicalName;

/** Most records are of other days, and are not even parsed. @param named keys of the calls whose audit ids are wanted. */
async function dayInExport(
  day: string,
  sources: readonly RecordSource[],
  named: ReadonlySet<string>,
): Promise<DayInExport> {
  const calls = new DayOfCalls();
  const idsOf = new Map([...named].map((key): [string, string[]] => [key, []]));
  const [sealedHashes, seen] = [new Set<string>(), new Set<string>()];
  const take = (item: ItemJson) => {
    const auditId = textAttribute(item, "AuditID") ?? "";
    const hash = textAttribute(item, "EvidenceHash");
    const isSeal = textAttribute(item, "Action") === "IDENTITY_CHECK" && textAttribute(item, "Origin") === "LEDGER";
    if (isSeal && hash !== undefined) sealedHashes.add(hash);
    const isOfDay = textAttribute(item, "RecordedAt")?.startsWith(day) === true;
    if (!isOfDay || textAttribute(item, "PartOf") !== undefined || seen.has(auditId)) return;
    seen.add(auditId);
    const call = callOnRecord(item);
    calls.add(call);
    idsOf.get(callKey(call))?.push(auditId);
  };
  for (const source of sources.filter(({ table }) => table === AUDIT_TRAIL)) {
    for await (const batch of source.batches()) {
      for (const { now } of batch) {
        const item = now !== undefined && isOfInterest(now, day) ? readableItem(now) : undefined;
        if (item !== undefined) take(item);
      }
    }
  }
  return { calls, idsOf, sealedHashes };
}

function isOfInterest(image: ItemJson | string, day: string): boolean {
  return typeof image !== "string" || image.includes(day) || image.includes("EvidenceHash");
}

function keyOf({ request, function: functionName, via, toldPrincipal }: AttestedCall): string {
  return callKey({
    requestId: request,
    functionName,
    ...(via === undefined ? {} : { via }),
    ...(toldPrincipal === undefined ? {} : { principal: toldPrincipal }),
  });
}

function leftOut({ calls }: Attestation, onRecord: DayOfCalls): string[] {
  const said = new Map(calls.map((call) => [keyOf(call), call.records]));
  return onRecord.all.flatMap(({ call, records }) => {
    const known = said.get(callKey(call)) ?? 0;
    if (records <= known) return [];
    return [`Request ${call.requestId} has ${records} records of that day, and the file says ${known}.`];
  });
}

function notInExport({ calls }: Attestation, onRecord: DayOfCalls): string[] {
  const found = new Map(onRecord.all.map(({ call, records }) => [callKey(call), records]));
  const absent = calls.filter((call) => (found.get(keyOf(call)) ?? 0) < call.records).length;
  return absent === 0 ? [] : [`The exports lack records of ${absent} calls that the file is about.`];
}
