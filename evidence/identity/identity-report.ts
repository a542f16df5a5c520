/** What `verify --identities` and the report say about who called, on the days whose files were given. */

import type { IdentityCounts } from "./attestation";
import type { AttestedCall } from "./judge";

/**
 * `altered`: a file is not sealed, or leaves out records. `forged`: a call is contradicted. `incomplete`: a day has no
 * file, or not everything of it could be looked at.
 */
export type IdentityResult = "ok" | "altered" | "forged" | "incomplete";

export interface IdentityReport {
  /** The gravest of all days. */
  readonly verdict: IdentityResult;
  /** Of all days that have a file. Records, not calls. */
  readonly counts: IdentityCounts;
  /** Each day from the first to the last that a file is about. */
  readonly days: readonly CheckedDay[];
  readonly contradicted: readonly ContradictedCall[];
  /** The busiest first. */
  readonly actors: readonly ActorCallers[];
}

export interface CheckedDay {
  /** UTC, `2026-11-27`. */
  readonly day: string;
  readonly verdict: IdentityResult;
  /** Absent for a day that has no file. */
  readonly counts?: IdentityCounts;
  /** What is wrong, one sentence each. */
  readonly findings: readonly string[];
}

export interface ContradictedCall extends AttestedCall {
  readonly day: string;
  /** The call's records in the exports, each with the actor that it claims. */
  readonly claims: readonly { readonly auditId: string; readonly actor: string }[];
}

/** What a claimed actor's records say of who called. */
export interface ActorCallers {
  readonly actor: string;
  /** Of the records that name the actor. */
  readonly counts: IdentityCounts;
  /** Who called as this actor, as CloudTrail or the service that delivered says it; the busiest first. */
  readonly principals: readonly { readonly principal: string; readonly records: number }[];
}

const RESULTS = ["altered", "forged", "incomplete", "ok"] as const satisfies readonly IdentityResult[];

/** `ok` for none. */
export function gravestOf(results: readonly IdentityResult[]): IdentityResult {
  return RESULTS.find((each) => results.includes(each)) ?? "ok";
}

/** Who it was, in one text: the principal's ARN, else its id, else the AWS service that invoked. */
export function truePrincipal({ principalArn, principalId, service }: AttestedCall): string {
  return principalArn ?? principalId ?? service ?? "unknown";
}

/** Counts for each actor who called. */
export class CallerTally {
  private readonly actors = new Map<
    string,
    { counts: Record<keyof IdentityCounts, number>; by: Map<string, number> }
  >();

  /** @param actors as the call's records claim them, with the number of the records. */
  add(call: AttestedCall, actors: ReadonlyMap<string, number>): void {
    for (const [actor, records] of actors) {
      const known = this.actors.get(actor) ?? {
        counts: { attested: 0, unattested: 0, contradicted: 0 },
        by: new Map(),
      };
      this.actors.set(actor, known);
      known.counts[call.verdict] += records;
      if (call.verdict === "unattested") continue;
      const principal = truePrincipal(call);
      known.by.set(principal, (known.by.get(principal) ?? 0) + records);
    }
  }

  get all(): ActorCallers[] {
    return byRecords(
      [...this.actors].map(([actor, { counts, by }]) => ({
        actor,
        counts,
        records: counts.attested + counts.unattested + counts.contradicted,
        principals: byRecords(
          [...by].map(([principal, records]) => ({ principal, records })),
          "principal",
        ),
      })),
      "actor",
    ).map(({ actor, counts, principals }) => ({ actor, counts, principals }));
  }
}

/** The most records first; of as many, in the order of the name, so that the same exports give the same report. */
function byRecords<Name extends string, T extends Readonly<Record<Name, string>> & { readonly records: number }>(
  rows: readonly T[],
  name: Name,
): T[] {
  return rows.toSorted((one, other) => other.records - one.records || (one[name] < other[name] ? -1 : 1));
}

export const NO_FILE = "No file is about this day.";

export function identityText({ verdict, days, contradicted, actors }: IdentityReport): string {
  const lines = [
    ...(days.length > 1 ? [`Callers of ${days.length} days: ${verdict.toUpperCase()}`] : []),
    ...days.flatMap((day) => [dayText(day), ...day.findings.map((finding) => `  ${finding}`)]),
    ...contradicted.map(
      (call) =>
        `  contradicted ${call.reason}: request ${call.request} names ${call.toldPrincipal ?? "nobody"}, made by ${truePrincipal(call)}; records ${call.claims.map(({ auditId, actor }) => `${auditId} (actor ${actor})`).join(", ") || "not in the exports"}`,
    ),
    ...actors.map(
      ({ actor, counts, principals }) =>
        `  actor ${actor}: ${countsText(counts)}; called by ${principals.map(({ principal, records }) => `${principal} (${records})`).join(", ") || "unknown"}`,
    ),
  ];
  // Exports may hold any text, and a terminal obeys some.
  return lines.map((line) => line.replace(/\p{C}/gu, "\ufffd")).join("\n");
}

function dayText({ day, verdict, counts }: CheckedDay): string {
  return `Callers of ${day}: ${verdict.toUpperCase()}${counts === undefined ? "" : `; ${countsText(counts)}`}`;
}

export function countsText({ attested, unattested, contradicted }: IdentityCounts): string {
  return `${attested} records attested, ${unattested} unattested, ${contradicted} contradicted`;
}
