/** `payledger show ID`: all that the ledger knows of one payment: its row in each book, its life, its audit trail, its log entries. */

import { S3Client } from "@aws-sdk/client-s3";
import { s3Evidence } from "../evidence/checks/s3-evidence";
import { newestCheckpoint } from "../evidence/commands/arguments";
import type { CommandArguments, CommandBody } from "../evidence/commands/command";
import { DONE } from "../evidence/commands/program";
import { CHECKPOINT_PATH } from "../evidence/log/paths";
import { findEntries } from "../evidence/verifier/proof-search";
import type { AuditView, LedgerQueryResponse } from "../ledger/rules/responses";
import type { TransactionsResponse } from "../ledger/rules/transaction-responses";
import { onAws } from "./aws";
import { bucketsOfEnvironment } from "./environment";
import { callFunction } from "./functions";
import { type Life, lifeOf, lifeText } from "./life";
import { assertFound, refusedLines } from "./payments";
import { ACTOR_OPTION, actorOf } from "./query-options";
import { trailPages, trailText } from "./trail";

export const show: CommandBody = onAws({
  operands: "ID",
  details:
    "Reads the row and the life (each recorded as a read), the audit trail and the evidence bucket. A part that your credentials may not read is named and left out. The entries are what the log says; verify, history and prove check them.",
  options: {
    reason: { kind: "one", value: "TEXT", about: "Why you read, for the audit trail." },
    actor: ACTOR_OPTION,
  },
  examples: ["show txn-0001"],
  run: async (args, { answer }) => {
    const id = args.onlyOperand("id");
    const asking = { Actor: actorOf(args), Reason: args.one("reason") ?? "payledger show" };
    const rows = await part(() => rowsOf(id, asking));
    const life = await part(() => lifeOf(id, asking));
    const trail = await part(() => recordsOf(id, args));
    const entries = await part(() => entriesOf(id, trail.found?.records ?? []));
    assertFound(
      [rows.found?.rows, life.found?.events, trail.found?.records, entries.found].some(
        (list) => (list?.length ?? 1) > 0,
      ),
      id,
    );
    const text = [
      `Payment ${id}`,
      rows.denied ?? (rows.found?.rows.map((row) => `  ${JSON.stringify(row)}`).join("\n") || "  in no book"),
      ...(rows.found?.refused ?? []),
      ...lifeSection(life),
      "",
      "Audit trail",
      trail.denied ?? trailText(trail.found?.records ?? []),
      "",
      "Log entries (sealed, in the log's order)",
      entries.denied ??
        (entries.found?.map(entryText).join("\n") || "  none yet; they are sealed within a minute or two"),
    ];
    answer(
      {
        id,
        rows: rows.found ?? null,
        life: life.found ?? null,
        trail: trail.found ?? null,
        entries: entries.found ?? null,
      },
      text.join("\n"),
    );
    return DONE;
  },
});

interface Part<Found> {
  readonly found?: Found;
  readonly denied?: string;
}

async function part<Found>(work: () => Promise<Found>): Promise<Part<Found>> {
  try {
    return { found: await work() };
  } catch (error) {
    if (error instanceof Error && /AccessDenied/.test(error.name)) return { denied: `  not allowed: ${error.message}` };
    throw error;
  }
}

/** Nothing for a payment without events. */
function lifeSection({ found, denied }: Part<Life>): string[] {
  if (denied !== undefined) return ["", "Life", denied];
  if (found === undefined || found.events.length + found.refused.length === 0) return [];
  return ["", "Life", lifeText(found), ...refusedLines(found.refused).map((line) => `  ${line}`)];
}

async function rowsOf(id: string, asking: object): Promise<{ rows: object[]; refused: string[] }> {
  const answers = [
    await callFunction<LedgerQueryResponse>("queryPaymentLedger", {
      Query: "transaction",
      TransactionID: id,
      ...asking,
    }),
    await callFunction<TransactionsResponse>("queryTransactions", {
      Query: "transaction",
      transactionId: id,
      ...asking,
    }),
    await callFunction<TransactionsResponse>("queryTransactions", { Query: "payment", paymentId: id, ...asking }),
  ];
  const rows: object[] = [];
  const refused: string[] = [];
  for (const answer of answers) {
    if (answer.outcome === "refused") {
      refused.push(`  ${answer.code}: ${answer.message}`);
      continue;
    }
    rows.push(...("payments" in answer ? answer.payments : answer.transactions));
    refused.push(...refusedLines(answer.refused).map((line) => `  ${line}`));
  }
  return { rows, refused: [...new Set(refused)] };
}

async function recordsOf(id: string, args: CommandArguments): Promise<{ records: readonly AuditView[] }> {
  const answer = await trailPages(args, { Query: "transaction", TransactionID: id });
  return { records: answer.outcome === "refused" ? [] : answer.records };
}

interface ShownEntry {
  readonly leaf: number;
  readonly kind: string;
  readonly table: string;
  readonly version: string;
}

/** What the log holds under the payment's id and under the ids of its audit records. */
async function entriesOf(id: string, records: readonly AuditView[]): Promise<ShownEntry[]> {
  // Paths instead of host names for buckets, because an endpoint on this machine has no such names.
  const evidence = s3Evidence(new S3Client({ forcePathStyle: true }), (await bucketsOfEnvironment()).evidence);
  // Before the first checkpoint is published nothing is sealed that could be shown.
  const size = (await evidence.read(CHECKPOINT_PATH)) === undefined ? 0 : (await newestCheckpoint(evidence)).size;
  const ids = new Set([id, ...records.map(({ AuditID }) => AuditID)]);
  const found: ShownEntry[] = [];
  for await (const { leaf, entry } of findEntries(evidence, size, ids)) {
    if (entry.kind === "HEARTBEAT") continue;
    found.push({ leaf, kind: entry.kind, table: entry.table, version: entry.version });
  }
  return found;
}

function entryText({ leaf, kind, table, version }: ShownEntry): string {
  return `  entry ${leaf}: ${kind} ${table}, version ${version}`;
}
