/** What the gate in front of the embedded AWS asked and refused during the job. */

import { number } from "./progress";
import type { Session } from "./session";
import type { Tampering } from "./tampering";

export interface PermissionsAsked {
  readonly calls: number;
  readonly authorisations: number;
  readonly refused: number;
  readonly medianMicroseconds: number;
}

/** Nothing is refused but what the administrator tried. Undefined on an endpoint without the gate. */
export function checkPermissions(
  { deployment: { gate }, invariants }: Session,
  { refusals }: Tampering,
): PermissionsAsked | undefined {
  if (gate === undefined) {
    invariants.record("PERMISSION_DENIED", "not checked: this endpoint has its own permissions, or none", []);
    return undefined;
  }
  const { calls, authorisations, denied, decisionMicroseconds } = gate.counts;
  const wanted = new Set(refusals);
  const others = denied.filter(({ message }) => !wanted.has(message)).map(({ message }) => message);
  invariants.record("PERMISSION_DENIED", `${number(calls)} calls`, others);
  const sorted = [...decisionMicroseconds].sort((a, b) => a - b);
  const medianMicroseconds = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return { calls, authorisations, refused: denied.length, medianMicroseconds };
}

export function permissionsSection(asked: PermissionsAsked | undefined): string[] {
  if (asked === undefined) return ["Permissions", "  not asked here: this endpoint has its own, or none"];
  const { calls, authorisations, refused, medianMicroseconds } = asked;
  return [
    "Permissions, as AWS evaluates the policies of the plan",
    `  ${number(calls)} calls of functions and people needed ${number(authorisations)} authorisations; ${refused} were refused, all of them the administrator's above`,
    `  deciding takes ${(medianMicroseconds / 1000).toFixed(2)} ms a call (median)`,
  ];
}
