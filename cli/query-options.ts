/** Options of the commands that ask the ledger: who asks, and for which time. */

import { userInfo } from "node:os";
import type { CommandArguments, Option, Options } from "../evidence/commands/command";
import { UsageError } from "../evidence/commands/errors";

export const ACTOR_OPTION: Option = {
  kind: "one",
  value: "NAME",
  about: "Who does this, for the audit trail. Default: cli: and your user name.",
};

export function actorOf(args: CommandArguments): string {
  return args.one("actor") ?? `cli:${userName()}`;
}

/** Of a user without an entry in the system's list there is no name. */
function userName(): string {
  try {
    return userInfo().username.replaceAll(/[^A-Za-z0-9._-]/g, "-") || "unknown";
  } catch {
    return "unknown";
  }
}

export const TIME_OPTIONS: Options = {
  from: { kind: "one", value: "TIME", about: "First moment, as 2026-11-21T10:00:00Z." },
  to: { kind: "one", value: "TIME", about: "Last moment. Default: now." },
  last: { kind: "one", value: "DURATION", about: "Instead of --from: the last 30m, 24h or 7d. Default: 24h." },
};

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Recorded times are the ledger's; its clock may be a little ahead of this machine's. */
const CLOCK_SLACK_MS = 60_000;

export function rangeOf(args: CommandArguments, now = Date.now()): { readonly From: string; readonly To: string } {
  const To = args.one("to") ?? new Date(now + CLOCK_SLACK_MS).toISOString();
  const from = args.one("from");
  if (from !== undefined && args.one("last") !== undefined) throw new UsageError("Give --from or --last.");
  return { From: from ?? new Date(now - durationMs(args.one("last") ?? "24h")).toISOString(), To };
}

function durationMs(text: string): number {
  const [, count = "", unit = ""] = /^([0-9]{1,5})([mhd])$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  if (unitMs === undefined) throw new UsageError("--last is a number with m, h or d: 30m, 24h, 7d.");
  return Number(count) * unitMs;
}

/** Columns of text, each as wide as its widest cell. */
export function tableText(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [heading, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
