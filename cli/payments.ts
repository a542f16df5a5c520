/** `payledger pay | read | reveal | status-change`: payments by direct call. */

import type { CommandArguments, CommandBody, Terminal } from "../evidence/commands/command";
import { UsageError } from "../evidence/commands/errors";
import { ANSWER_IS_NO, DONE } from "../evidence/commands/program";
import type {
  LedgerQueryResponse,
  PaymentView,
  PersistResponse,
  RefusedRecord,
  RefusedResponse,
  RevealResponse,
  StatusResponse,
} from "../ledger/rules/responses";
import type { MessageView, TransactionsResponse, TransactionView } from "../ledger/rules/transaction-responses";
import { onAws } from "./aws";
import { CommandError } from "./errors";
import { allPages, callFunction } from "./functions";
import { ACTOR_OPTION, actorOf, rangeOf, TIME_OPTIONS, tableText } from "./query-options";

export const pay: CommandBody = onAws({
  operands: "ID",
  details:
    "Sending the same again is safe: it is a duplicate. The same id with other content is a conflict and changes nothing. Ends with 1 when the payment was refused or is in conflict.",
  options: {
    amount: { kind: "one", value: "AMOUNT", required: true, about: 'Decimal text, as "10.50".' },
    currency: { kind: "one", value: "CODE", required: true, about: "ISO 4217 code, as EUR." },
    token: {
      kind: "one",
      value: "TOKEN",
      required: true,
      about: "The processor's token. It is stored encrypted; never give a card number.",
    },
    processor: { kind: "one", value: "NAME", about: "Payment processor. Default: stripe." },
    status: { kind: "one", value: "STATUS", about: "Success (default) or Failure." },
    time: { kind: "one", value: "TIME", about: "When the payment happened. Default: when it is recorded." },
    actor: ACTOR_OPTION,
  },
  examples: ["pay txn-0001 --amount 10.50 --currency EUR --token tok_5f2c9a --actor checkout"],
  run: async (args, terminal) => {
    const time = args.one("time");
    const answer = await callFunction<PersistResponse | RefusedResponse>("persistPaymentLedger", {
      TransactionID: args.onlyOperand("id"),
      SecureToken: args.needed("token"),
      Amount: args.needed("amount"),
      Currency: args.needed("currency"),
      ProcessorID: args.one("processor") ?? "stripe",
      Status: args.one("status") ?? "Success",
      Actor: actorOf(args),
      ...(time === undefined ? {} : { Timestamp: time }),
    });
    if (!("results" in answer)) return refusedAnswer(answer, terminal);
    const [result] = answer.results;
    const isDone = result?.outcome === "stored" || result?.outcome === "duplicate";
    terminal.answer(
      answer,
      `${result?.TransactionID ?? args.operands[0]}: ${resultText(result)}${auditText(result?.AuditID)}`,
    );
    return isDone ? DONE : ANSWER_IS_NO;
  },
});

/** What became of an entry: a conflict or a refusal with its code, its fields and what to do. */
export function resultText(result: PersistResponse["results"][number] | undefined): string {
  const code = result?.field === undefined ? result?.code : `${result.code} (${result.field})`;
  return [result?.outcome, code, result?.message].filter((part) => part !== undefined).join(": ");
}

function auditText(auditId: string | undefined): string {
  return auditId === undefined ? "" : `\n  audit record ${auditId}`;
}

export function refusedAnswer(answer: RefusedResponse, terminal: Terminal): number {
  const field = answer.field === undefined ? "" : ` (${answer.field})`;
  terminal.answer(answer, `refused: ${answer.code}${field}: ${answer.message}${auditText(answer.AuditID)}`);
  return ANSWER_IS_NO;
}

const BOOKS = ["calls", "files", "messages"] as const;
type Answered = Exclude<LedgerQueryResponse | TransactionsResponse, RefusedResponse>;

export const read: CommandBody = onAws({
  operands: "[ID]",
  details:
    "One payment by its id, or with --from, --to or --last all of a time; --processor and --failures choose among the calls. The read is recorded before anything is shown. Tokens are masked. Ends with 1 when a payment is not there, or its record is forged.",
  options: {
    book: { kind: "one", value: "BOOK", about: `Where the payment came in: ${BOOKS.join(", ")}. Default: calls.` },
    processor: { kind: "one", value: "NAME", about: "Payments of one processor." },
    failures: { kind: "flag", about: "Failed payments." },
    ...TIME_OPTIONS,
    reason: { kind: "one", value: "TEXT", about: "Why you read, for the audit trail." },
    actor: ACTOR_OPTION,
  },
  examples: [
    "read txn-0001 --actor support:maria",
    "read --processor stripe --last 7d",
    "read pay-0001 --book messages",
  ],
  run: async (args, terminal) => {
    const { id, payload, isLedger } = readRequest(args);
    const found = await allPages<Answered>(isLedger ? "queryPaymentLedger" : "queryTransactions", payload);
    if ("refused" in found) return refusedAnswer(found.refused, terminal);
    const { NextPageToken: _token, ...first } = found.pages[0];
    const rows = found.pages.flatMap<Row>((page) => ("payments" in page ? page.payments : page.transactions));
    const refused = found.pages.flatMap((page) => page.refused);
    const list = "payments" in first ? { payments: rows } : { transactions: rows };
    terminal.answer({ ...first, ...list, refused }, [paymentsText(rows, id), ...refusedLines(refused)].join("\n"));
    const isMissing = id !== undefined && rows.length === 0;
    return isMissing || refused.length > 0 ? ANSWER_IS_NO : DONE;
  },
});

function readRequest(args: CommandArguments): { id: string | undefined; payload: object; isLedger: boolean } {
  const [id, ...others] = args.operands;
  if (others.length > 0) throw new UsageError("The command takes one id, or a time.");
  const book = args.one("book") ?? "calls";
  if (!BOOKS.some((each) => each === book)) throw new UsageError(`--book is one of ${BOOKS.join(", ")}.`);
  const reason = args.one("reason");
  const asking = { Actor: actorOf(args), ...(reason === undefined ? {} : { Reason: reason }) };
  return { id, isLedger: book === "calls", payload: { ...askedFor(args, book, id), ...asking } };
}

function askedFor(args: CommandArguments, book: string, id: string | undefined): object {
  const processor = args.one("processor");
  if (book === "files") {
    return id === undefined
      ? { Query: "time", Table: "payment-transactions", ...rangeOf(args) }
      : { Query: "transaction", transactionId: id };
  }
  if (book === "messages") {
    return id === undefined
      ? { Query: "time", Table: "payment-audit-trail", ...rangeOf(args) }
      : { Query: "payment", paymentId: id };
  }
  if (id !== undefined) return { Query: "transaction", TransactionID: id };
  if (processor !== undefined) return { Query: "processor", ProcessorID: processor, ...rangeOf(args) };
  if (args.flag("failures")) return { Query: "failures", ...rangeOf(args) };
  throw new UsageError("Give an id, --processor or --failures.");
}

type Row = PaymentView | TransactionView | MessageView;

function paymentsText(rows: readonly Row[], id: string | undefined): string {
  if (rows.length === 0) return id === undefined ? "No payments." : `There is no payment ${id} in this book.`;
  return tableText(["id", "amount", "currency", "status", "time"], rows.map(cellsOf));
}

function cellsOf(row: Row): string[] {
  if ("TransactionID" in row) return [row.TransactionID, row.Amount, row.Currency, row.Status, row.Timestamp];
  const id = "transactionId" in row ? row.transactionId : row.paymentId;
  return [id, row.amount, row.currency ?? "", row.status ?? "", row.processedAt];
}

export function refusedLines(refused: readonly RefusedRecord[]): string[] {
  return refused.map(({ code, message, TransactionID = "" }) => `NOT SHOWN ${TransactionID} ${code}: ${message}`);
}

export const reveal: CommandBody = onAws({
  operands: "ID",
  details:
    "The reveal is recorded, with its reason, before the token is shown. The token goes to standard output alone.",
  options: {
    reason: { kind: "one", value: "TEXT", required: true, about: "Why the clear token is needed." },
    actor: ACTOR_OPTION,
  },
  examples: ['reveal txn-0001 --reason "refund 4711" --actor refunds'],
  run: async (args, terminal) => {
    const TransactionID = args.onlyOperand("id");
    const request = { TransactionID, Reason: args.needed("reason"), Actor: actorOf(args) };
    const answer = await callFunction<RevealResponse>("revealPaymentToken", request);
    if (answer.outcome === "refused") return refusedAnswer(answer, terminal);
    terminal.answer(answer, answer.SecureToken);
    return DONE;
  },
});

export const statusChange: CommandBody = onAws({
  operands: "ID",
  details: "Changes Success to Failure or back, from the status that you expect. Ends with 1 when it has another one.",
  options: {
    from: { kind: "one", value: "STATUS", required: true, about: "Status that the payment has: Success or Failure." },
    to: { kind: "one", value: "STATUS", required: true, about: "The new status." },
    reason: { kind: "one", value: "TEXT", required: true, about: "Why it changes." },
    actor: ACTOR_OPTION,
  },
  examples: ['status-change txn-0001 --from Success --to Failure --reason "charged back" --actor refunds'],
  run: async (args, terminal) => {
    const answer = await callFunction<StatusResponse>("updatePaymentStatus", {
      TransactionID: args.onlyOperand("id"),
      ExpectedStatus: args.needed("from"),
      Status: args.needed("to"),
      Reason: args.needed("reason"),
      Actor: actorOf(args),
    });
    if (answer.outcome === "refused") return refusedAnswer(answer, terminal);
    const { outcome, TransactionID, Status, Version, AuditID } = answer;
    terminal.answer(answer, `${TransactionID}: ${outcome}. It has ${Status}, version ${Version}.${auditText(AuditID)}`);
    return outcome === "conflict" ? ANSWER_IS_NO : DONE;
  },
});

/** @throws CommandError NOT_FOUND */
export function assertFound(isFound: boolean, id: string): void {
  if (!isFound) throw new CommandError("NOT_FOUND", `Nothing is known of ${id}: no payment, no audit record.`);
}
