/** `--identities`: files of `attest_callers` against the records that seal their hashes, and against the records of their days. */

import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { IDENTITIES_PREFIX, TABLES } from "../../contract";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import {
  type Attestation,
  AttestationError,
  attestationHash,
  countsOf,
  parseAttestation,
} from "../identity/attestation";
import {
  CallerTally,
  type CheckedDay,
  type ContradictedCall,
  gravestOf,
  type IdentityReport,
  type IdentityResult,
  NO_FILE,
} from "../identity/identity-report";
import { type AttestedCall, callKey, callOnRecord, DayOfCalls } from "../identity/judge";
import { readableItem, textAttribute } from "../verifier/digest";
import { maxBytesOf } from "../verifier/evidence";
import type { RecordSource } from "../verifier/sources";
import { fileAt } from "./arguments";
import type { CommandArguments, Options } from "./command";
import { UsageError } from "./errors";

export const IDENTITIES_OPTION = {
  identities: {
    kind: "many",
    value: "FILE",
    about:
      "Check who called on a day, too: a file of the evidence's folder identities, or that folder for all days from its first to its last.",
  },
} as const satisfies Options;

/** The files of `--identities`; none where it was not given. @throws UsageError, EvidenceToolError */
export function attestedDays(args: CommandArguments): AttestedDay[] {
  return args.many("identities").flatMap(filesAt).map(attestedDay);
}

/** Reads the whole audit trail. Undefined where no file was given. @throws UsageError */
export async function identitiesOf(
  attested: readonly AttestedDay[],
  sources: readonly RecordSource[],
): Promise<IdentityReport | undefined> {
  return attested.length === 0 ? undefined : checkIdentities(attested, sources);
}

interface IdentityFile {
  readonly name: string;
  /** As `attest_callers` wrote it. */
  readonly bytes: Buffer;
}

function filesAt(place: string): IdentityFile[] {
  const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
  const inFolder = () => readdirSync(place).filter((name) => name.endsWith(".ndjson"));
  const places = isFolder ? inFolder().map((name) => path.join(place, name)) : [place];
  if (places.length === 0) throw new UsageError(`--identities: the folder ${place} holds no file of attest_callers.`);
  return places.toSorted().map((each) => ({
    name: path.basename(each),
    bytes: fileAt(each, "--identities", maxBytesOf(IDENTITIES_PREFIX)),
  }));
}

/** @throws UsageError for days too far apart. */
export async function checkIdentities(
  attested: readonly AttestedDay[],
  sources: readonly RecordSource[],
): Promise<IdentityReport> {
  const everyDay = allDays(attested);
  const onRecord = await daysInExport(attested, sources);
  const tally = new CallerTally();
  const contradicted: ContradictedCall[] = [];
  const total = { attested: 0, unattested: 0, contradicted: 0 };
  const days = everyDay.map((day): CheckedDay => {
    const ofDay = attested.filter((each) => each.day === day);
    const counting = fileThatCounts(ofDay, onRecord.sealedAt);
    if (counting === undefined) return { day, verdict: "incomplete", findings: [NO_FILE] };
    const records = onRecord.days.get(day) ?? new DayInExport();
    const altered = [...notSealed(ofDay, onRecord.sealedAt), ...leftOut(counting, records.calls)];
    const incomplete = [...counting.problems, ...notInExport(counting, records.calls)];
    for (const call of counting.calls) {
      const key = keyOf(call);
      tally.add(call, records.actorsOf(key));
      total[call.verdict] += call.records;
      if (call.verdict === "contradicted") contradicted.push({ ...call, day, claims: records.claims.get(key) ?? [] });
    }
    const counts = countsOf(counting.calls);
    const verdict: readonly IdentityResult[] = [
      ...(altered.length > 0 ? (["altered"] as const) : []),
      ...(counts.contradicted > 0 ? (["forged"] as const) : []),
      ...(incomplete.length > 0 ? (["incomplete"] as const) : []),
    ];
    return { day, verdict: gravestOf(verdict), counts, findings: [...altered, ...incomplete] };
  });
  return {
    verdict: gravestOf(days.map(({ verdict }) => verdict)),
    counts: total,
    days,
    contradicted,
    actors: tally.all,
  };
}

export interface AttestedDay extends Attestation {
  readonly name: string;
  readonly hash: string;
}

/** @throws UsageError for a file of another form. */
export function attestedDay({ name, bytes }: IdentityFile): AttestedDay {
  try {
    const attestation = parseAttestation(bytes.toString("utf8"));
    const time = Date.parse(attestation.day);
    const isDate = !Number.isNaN(time) && new Date(time).toISOString().startsWith(attestation.day);
    if (isDate) return { ...attestation, name, hash: attestationHash(bytes) };
    throw new UsageError(`--identities: the day of the file ${name} is not in the calendar.`);
  } catch (error) {
    if (error instanceof AttestationError) throw new UsageError(`--identities: ${name}: ${error.message}`);
    throw error;
  }
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** A century. Without a bound, two files a millennium apart would list every day between them. */
const DAYS_MAX = 36_600;

/** From the first to the last, those without a file too. */
function allDays(attested: readonly Attestation[]): string[] {
  const times = attested.map(({ day }) => Date.parse(day));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const count = Math.round((last - first) / DAY_MS) + 1;
  if (count > DAYS_MAX) throw new UsageError("--identities: the files' days are more than a century apart.");
  return Array.from({ length: count }, (_, at) => new Date(first + at * DAY_MS).toISOString().slice(0, 10));
}

/** Of several files of a day one with a contradiction, so that no later check hides it; else the one that was sealed last. */
function fileThatCounts(ofDay: readonly AttestedDay[], sealedAt: ReadonlyMap<string, string>): AttestedDay | undefined {
  const time = ({ hash }: AttestedDay) => sealedAt.get(hash) ?? "";
  const byTime = ofDay.toSorted((one, other) => (time(one) < time(other) ? 1 : -1));
  const isContradicted = ({ calls, hash }: AttestedDay) =>
    sealedAt.has(hash) && calls.some(({ verdict }) => verdict === "contradicted");
  return byTime.find(isContradicted) ?? byTime[0];
}

function notSealed(ofDay: readonly AttestedDay[], sealedAt: ReadonlyMap<string, string>): string[] {
  return ofDay
    .filter(({ hash }) => !sealedAt.has(hash))
    .map(
      ({ name }) =>
        `No IDENTITY_CHECK record of these exports has the hash of the file ${name}. If the file is newer than the exports, take new exports.`,
    );
}

/** The records of one day. */
class DayInExport {
  readonly calls = new DayOfCalls();
  /** Of the records of contradicted calls, by the calls' keys. */
  readonly claims = new Map<string, { readonly auditId: string; readonly actor: string }[]>();
  private readonly actors = new Map<string, Map<string, number>>();

  /** @param contradicted keys of the calls whose records are listed. */
  constructor(contradicted: readonly string[] = []) {
    for (const key of contradicted) this.claims.set(key, []);
  }

  add(item: ItemJson, auditId: string): void {
    const call = callOnRecord(item);
    const [key, actor] = [callKey(call), textAttribute(item, "Actor") ?? ""];
    this.calls.add(call);
    this.claims.get(key)?.push({ auditId, actor });
    const actors = this.actors.get(key) ?? new Map<string, number>();
    actors.set(actor, (actors.get(actor) ?? 0) + 1);
    this.actors.set(key, actors);
  }

  /** The actors that the call's records claim, with the number of the records. */
  actorsOf(key: string): ReadonlyMap<string, number> {
    return this.actors.get(key) ?? new Map();
  }
}

interface DaysInExport {
  readonly days: ReadonlyMap<string, DayInExport>;
  /** When the exports' records sealed an attestation, by its hash. */
  readonly sealedAt: ReadonlyMap<string, string>;
}

const AUDIT_TRAIL = TABLES.paymentAuditTrail.logicalName;

/** Most records are of other days, and are not even parsed. */
async function daysInExport(attested: readonly AttestedDay[], sources: readonly RecordSource[]): Promise<DaysInExport> {
  const days = new Map<string, DayInExport>();
  for (const { day } of attested) {
    const calls = attested.filter((each) => each.day === day).flatMap((each) => each.calls);
    const contradicted = calls.filter(({ verdict }) => verdict === "contradicted");
    if (!days.has(day)) days.set(day, new DayInExport(contradicted.map(keyOf)));
  }
  const sealedAt = new Map<string, string>();
  const seen = new Set<string>();
  const ofInterest = new RegExp([...days.keys(), "EvidenceHash"].join("|"));
  const take = (item: ItemJson) => {
    const auditId = textAttribute(item, "AuditID") ?? "";
    const hash = textAttribute(item, "EvidenceHash");
    const recordedAt = textAttribute(item, "RecordedAt") ?? "";
    const isSeal = textAttribute(item, "Action") === "IDENTITY_CHECK" && textAttribute(item, "Origin") === "LEDGER";
    if (isSeal && hash !== undefined) sealedAt.set(hash, recordedAt);
    const ofDay = days.get(recordedAt.slice(0, 10));
    if (ofDay === undefined || textAttribute(item, "PartOf") !== undefined || seen.has(auditId)) return;
    seen.add(auditId);
    ofDay.add(item, auditId);
  };
  for (const source of sources.filter(({ table }) => table === AUDIT_TRAIL)) {
    for await (const batch of source.batches()) {
      for (const { now } of batch) {
        const isRead = now !== undefined && (typeof now !== "string" || ofInterest.test(now));
        const item = isRead ? readableItem(now) : undefined;
        if (item !== undefined) take(item);
      }
    }
  }
  return { days, sealedAt };
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
