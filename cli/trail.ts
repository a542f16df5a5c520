/** `payledger trail`: the audit trail of a payment, of an actor or of a time. */

import { setTimeout as delay } from "node:timers/promises";
import type { CommandArguments, CommandBody, Terminal } from "../evidence/commands/command";
import { UsageError } from "../evidence/commands/errors";
import { ANSWER_IS_NO, DONE } from "../evidence/commands/program";
import type { AuditQueryResponse, AuditView, RefusedResponse } from "../ledger/rules/responses";
import { onAws } from "./aws";
import { allPages } from "./functions";
import { refusedAnswer, refusedLines } from "./payments";
import { ACTOR_OPTION, actorOf, rangeOf, TIME_OPTIONS, tableText } from "./query-options";

const FOLLOW_EVERY_MS = 5_000;

export const trail: CommandBody = onAws({
  operands: "[ID]",
  details:
    "Of a payment by its id, of an actor with --of, or of a time. Reading the trail is itself recorded. --follow goes on and shows what comes, until stopped.",
  options: {
    of: { kind: "one", value: "ACTOR", about: "What one actor did." },
    ...TIME_OPTIONS,
    follow: { kind: "flag", about: "Show new records as they come; with --json one a line." },
    reason: { kind: "one", value: "TEXT", about: "Why you read, for the audit trail." },
    actor: ACTOR_OPTION,
  },
  examples: ["trail txn-0001", "trail --of support:maria --last 7d", "trail --last 1h --follow"],
  run: async (args, terminal) => {
    if (args.flag("follow")) return follow(args, terminal);
    const answer = await trailPages(args);
    if (answer.outcome === "refused") return refusedAnswer(answer, terminal);
    terminal.answer(answer, [trailText(answer.records), ...refusedLines(answer.refused)].join("\n"));
    return answer.refused.length > 0 ? ANSWER_IS_NO : DONE;
  },
});

type Answered = Exclude<AuditQueryResponse, RefusedResponse>;

/** All pages as one answer. */
export async function trailPages(args: CommandArguments, query = queryOf(args)): Promise<AuditQueryResponse> {
  const reason = args.one("reason");
  const found = await allPages<Answered>("queryPaymentAuditTrail", {
    ...query,
    Actor: actorOf(args),
    ...(reason === undefined ? {} : { Reason: reason }),
  });
  if ("refused" in found) return found.refused;
  const { NextPageToken: _token, ...first } = found.pages[0];
  return {
    ...first,
    records: found.pages.flatMap(({ records }) => records),
    refused: found.pages.flatMap(({ refused }) => refused),
  };
}

function queryOf(args: CommandArguments): object {
  const [id, ...others] = args.operands;
  const of = args.one("of");
  if (others.length > 0 || (id !== undefined && of !== undefined))
    throw new UsageError("Give one id, or --of, or a time.");
  if (id !== undefined) return { Query: "transaction", TransactionID: id };
  return of === undefined ? { Query: "time", ...rangeOf(args) } : { Query: "actor", OfActor: of, ...rangeOf(args) };
}

/** Its own readings are records too; they are left out, or each look would show the one before. */
async function follow(args: CommandArguments, terminal: Terminal): Promise<number> {
  const seen = new Set<string>();
  const own = new Set<string>();
  let isStopped = false;
  void terminal.stopped?.().then(() => {
    isStopped = true;
  });
  for (;;) {
    const answer = await trailPages(args);
    if (answer.outcome === "refused") return refusedAnswer(answer, terminal);
    own.add(answer.AuditID);
    const fresh = answer.records.filter(({ AuditID }) => !seen.has(AuditID) && !own.has(AuditID));
    for (const record of fresh) {
      seen.add(record.AuditID);
      terminal.print(args.flag("json") ? JSON.stringify(record) : rowOf(record).join("  "));
    }
    const deadline = Date.now() + FOLLOW_EVERY_MS;
    while (!isStopped && Date.now() < deadline) await delay(100);
    if (isStopped) return DONE;
  }
}

export function trailText(records: readonly AuditView[]): string {
  if (records.length === 0) return "No records.";
  return tableText(["recorded at (UTC)", "action", "actor", "about", "result"], records.map(rowOf));
}

function rowOf(record: AuditView): string[] {
  const { RecordedAt, Action, Actor, TransactionID, ImportedFrom, query_record_id, query_result } = record;
  const about = TransactionID ?? [query_record_id ?? ""].flat().join(", ");
  const mark = ImportedFrom === undefined ? "" : ` (imported from ${ImportedFrom})`;
  return [RecordedAt, Action, Actor, about, `${query_result ?? ""}${mark}`];
}
