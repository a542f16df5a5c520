/**
 * The page that `npm run permissions` prints for an auditor: the figures of each plan, what an administrator may do, what a
 * reviewer looks for in any policy, and what is wrong.
 */

import type { Authorisation } from "../../local/iam/authorisation";
import type { EffectivePolicies } from "../../local/iam/effective";
import type { GateCounts } from "../../local/iam/gate";
import { administratorMatrix, type MatrixRow } from "./administrator";
import type { RemovalControl } from "./control";
import { remarkable, type UnusedGrants, WITHOUT_CONDITION } from "./grants";
import type { GateOverhead } from "./overhead";

/** What the gate saw while functions and commands ran. */
export interface RecordedCalls {
  /** Each once. */
  readonly authorisations: readonly Authorisation[];
  readonly counts: GateCounts;
  readonly overhead: GateOverhead;
}

/** All that was asked, evaluated against one plan. */
export interface PlanResult extends UnusedGrants, RemovalControl {
  readonly name: string;
  readonly questions: number;
  readonly denied: readonly string[];
}

/** @param strictest the plan whose policies an administrator would have to pass. */
export function permissionsPage(
  { authorisations, counts, overhead }: RecordedCalls,
  results: readonly PlanResult[],
  strictest: EffectivePolicies,
): { readonly problems: readonly string[]; readonly lines: readonly string[] } {
  const { wildcards, unconditioned } = remarkable(strictest);
  const unexpected = unconditioned.filter((each) => !WITHOUT_CONDITION.some((sid) => each.includes(`, ${sid}: `)));
  const problems = [
    ...counts.denied.map(({ message }) => `denied while it ran: ${message}`),
    ...results.flatMap((result) => problemsOf(result)),
    // The reasons are the same for all plans.
    ...(results[0]?.stale ?? []).map((each) => `a reason for what is not granted, or is used: ${each}`),
    ...unexpected.map((each) => `allowed to a service for anybody's resource: ${each}`),
  ];
  const lines = [
    `${counts.calls} calls asked ${counts.authorisations} questions, ${authorisations.length} of them distinct; denied: ${counts.denied.length}`,
    `Deciding takes ${microseconds(counts, 0.5)} us a call (median), ${microseconds(counts, 0.99)} us (99 of 100)`,
    `A call takes ${milliseconds(overhead.extra)} longer through the gate (median of the quietest round): ` +
      `${milliseconds(overhead.throughGate)} against ${milliseconds(overhead.atEmulator)}`,
    "",
    ...planTable(results),
    "",
    ...administratorText(administratorMatrix(strictest)),
    "",
    "Granted on every resource, because the services know no narrower one for these actions (prod)",
    ...grouped(wildcards),
    "",
    "Allowed to a service without naming the account it acts for, because it supports no such condition (prod)",
    ...unconditioned.filter((each) => !unexpected.includes(each)).map((each) => `  ${withKeyNames(each, strictest)}`),
    "",
    ...(problems.length === 0 ? ["Success"] : [...problems.map((each) => `  ${each}`), `${problems.length} problems`]),
  ];
  return { problems, lines };
}

function problemsOf({ name, denied, unexplained, undetected }: PlanResult): string[] {
  return [
    ...denied.map((each) => `${name}: denied: ${each}`),
    ...unexplained.map(
      (grant) => `${name}: granted, and neither used nor explained: ${Object.values(grant).join(" ")}`,
    ),
    ...undetected.map((each) => `${name}: missed by nobody: ${each}`),
  ];
}

const NAME_WIDTH = 20;
const PAGE_WIDTH = 118;

function planTable(results: readonly PlanResult[]): string[] {
  const columns: [title: string, of: (result: PlanResult) => number][] = [
    ["questions", ({ questions }) => questions],
    ["denied", ({ denied }) => denied.length],
    ["granted", ({ granted }) => granted],
    ["unused, explained", ({ explained }) => explained],
    ["unused, unexplained", ({ unexplained }) => unexplained.length],
    ["removed singly", ({ removals }) => removals],
    ["not missed", ({ undetected }) => undetected.length],
  ];
  const line = (name: string, cells: readonly (string | number)[]) =>
    name.padEnd(NAME_WIDTH) +
    cells.map((cell, index) => String(cell).padStart((columns[index]?.[0].length ?? 0) + 2)).join("");
  return [
    line(
      "plan",
      columns.map(([title]) => title),
    ),
    ...results.map((result) =>
      line(
        result.name,
        columns.map(([, of]) => of(result)),
      ),
    ),
    "Granted: pairs of action and resource in the roles' policies. The reasons are in tools/permissions/unused.json.",
    "Removed singly: a used permission is taken away, and the question is asked again. Each must then be denied.",
  ];
}

/** What each resource's own policy lets pass, by kind of resource. */
function administratorText(matrix: readonly MatrixRow[]): string[] {
  const actions = (rows: readonly MatrixRow[]) => rows.map(({ action }) => action.replace(/^.*:/, "")).join(", ");
  const others = (who: 1 | 2, allowed: (row: MatrixRow) => boolean) =>
    matrix.filter((row) => row.allowed[who] !== allowed(row));
  const [root, foreign] = [others(1, (row) => row.allowed[0]), others(2, () => false)];
  return [
    "What the resources' policies let an administrator with every permission do (prod)",
    "  Object Lock, deletion protection and alarms come on top: SECURITY.md.",
    ...[...new Set(matrix.map(({ kind }) => kind))].flatMap((kind) => {
      const rows = matrix.filter((row) => row.kind === kind);
      return [
        ...wrapped(`  ${kind.padEnd(17)} allowed  `, actions(rows.filter(({ allowed }) => allowed[0])) || "nothing"),
        ...wrapped(`  ${"".padEnd(17)} denied   `, actions(rows.filter(({ allowed }) => !allowed[0])) || "nothing"),
      ];
    }),
    `  The root user: ${root.length === 0 ? "the same" : `otherwise for ${actions(root)}`}. An administrator of another account: ${actions(foreign) || "nothing"}.`,
  ];
}

/** Lines of the page's width: the head, and the words beside and below it. */
function wrapped(head: string, words: string): string[] {
  const lines = [head];
  for (const word of words.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last.length + word.length > PAGE_WIDTH) lines.push(`${"".padEnd(head.length)}${word} `);
    else lines[lines.length - 1] = `${last}${word} `;
  }
  return lines.map((line) => line.trimEnd());
}

/** Keys by their alias: their ids say nothing to a reader. */
function withKeyNames(text: string, { keyArnsByAlias }: EffectivePolicies): string {
  return [...keyArnsByAlias].reduce((named, [alias, arn]) => named.replaceAll(arn, alias), text);
}

/** The same statement of several policies, once. */
function grouped(places: readonly string[]): string[] {
  const policies = new Map<string, number>();
  for (const place of places) {
    const statement = place.split(/, (.*)/s)[1] ?? "";
    policies.set(statement, (policies.get(statement) ?? 0) + 1);
  }
  return [...policies].map(([statement, count]) => `  ${statement} (${count} ${count === 1 ? "policy" : "policies"})`);
}

function milliseconds(value: number): string {
  return `${value.toFixed(2)} ms`;
}

function microseconds({ decisionMicroseconds }: GateCounts, share: number): string {
  const sorted = [...decisionMicroseconds].sort((a, b) => a - b);
  return (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0);
}
