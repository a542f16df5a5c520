/**
 * The one validation that every input passes, whichever way it comes in: the search for what must not be kept (card data, a
 * token outside its field), then its schema. What passes as a payment gets the MAC of its content, which is made only here.
 */

import type * as z from "zod";
import type { LogicalTableName } from "../../contract";
import { actorFault } from "../rules/actor-rule";
import type { Caller } from "../rules/audit-entry";
import { harmfulInput, type InputPart } from "../rules/harmful-input";
import { UNCLAIMED_ACTOR } from "../rules/identifiers";
import type { Imported } from "../rules/imported";
import { contentMac } from "../rules/record-mac";
import { type Refusal, refusal } from "../rules/refusals";
import type { RefusedResponse } from "../rules/responses";
import { parseWith } from "../rules/schema";
import { SentTokens } from "../rules/sent-tokens";
import type { Services } from "../store/services";
import type { Call } from "./call";
import { type PaymentBook, type PaymentContent, type SentPayment, writeAuditId } from "./payment-books";
import { type RefusedEntry, refusalEntry, refuseCall } from "./refusal-records";

/** The refusal of a harmful input, with its signal; see `harmfulInput`. */
export function refuseHarmful(input: unknown, services: Services, part?: InputPart): Refusal | undefined {
  const reason = harmfulInput(input, part);
  if (reason?.code === "CARD_DATA") services.signal("CardDataRefused");
  return reason;
}

/** The refusal of an actor who is not the caller, where the configuration compares them. */
export function refuseActor(
  actor: string | undefined,
  { principal }: Caller,
  { actorRule }: Services,
): Refusal | undefined {
  const code = actorRule === undefined ? undefined : actorFault(actorRule, principal, actor);
  return code === undefined ? undefined : refusal(code, code === "ACTOR_NOT_CALLER" ? "Actor" : undefined);
}

/** How an input is validated as a payment. */
export interface PaymentInput {
  readonly now: Date;
  /** What AWS says of who sent it. */
  readonly caller: Caller;
  /** The actor named around a list; an entry's own actor goes before it. */
  readonly listActor?: string | undefined;
  /** The tokens of the whole request, where the input is an entry of it. */
  readonly tokens?: SentTokens;
}

/** The payment that the input is, or why it is refused. */
export function validatePayment<Payment extends PaymentContent>(
  book: PaymentBook<Payment>,
  input: unknown,
  { now, caller, listActor, tokens = SentTokens.in(input) }: PaymentInput,
  services: Services,
): SentPayment<Payment> | Refusal {
  const harmful = refuseHarmful(input, services, { tokens, clear: book.clearPart(input) });
  if (harmful !== undefined) return harmful;
  const parsed = book.parse(input, now, listActor);
  if (!parsed.ok) return parsed.refusal;
  return refuseActor(parsed.value.actor, caller, services) ?? parsed.value;
}

/** A payment that may be recorded. */
export interface Accepted<Payment> {
  /** Its place in the request, the batch or the file. */
  readonly position: number;
  readonly id: string;
  /** AuditID of its WRITE record. */
  readonly writeId: string;
  readonly actor: string;
  /** What AWS says of this payment's message or file, where it is not the call itself. */
  readonly caller?: Caller;
  readonly payment: Payment;
  readonly imported?: Imported | undefined;
  /** Keyed MAC of what was sent, normalised: decides duplicate or conflict. */
  readonly contentMac: string;
}

export async function acceptPayment<Payment extends PaymentContent>(
  book: PaymentBook<Payment>,
  { payment, actor = UNCLAIMED_ACTOR, imported }: SentPayment<Payment>,
  place: Pick<Accepted<Payment>, "position" | "caller">,
  services: Services,
): Promise<Accepted<Payment>> {
  const { content } = await services.macKeys();
  const id = book.idOf(payment);
  const writeId = writeAuditId(book.table, id);
  const mac = contentMac(book.table, payment, content);
  return { ...place, id, writeId, actor, payment, imported, contentMac: mac };
}

export interface ValidatedList<Valid> {
  readonly accepted: Valid[];
  readonly refused: RefusedEntry[];
}

/** Entries of one request. */
export interface EntryList {
  readonly entries: readonly unknown[];
  /** The actor named around the list. */
  readonly actor?: string;
  /** Those of the whole request. */
  readonly tokens: SentTokens;
}

/** Validates the entries of a list one by one; one bad entry stops no other. */
export async function validateEntries<Valid extends object>(
  { entries, actor: listActor, tokens }: EntryList,
  validate: (entry: unknown, position: number) => Promise<Valid | Refusal>,
  table: LogicalTableName,
  call: Call,
): Promise<ValidatedList<Valid>> {
  const accepted: Valid[] = [];
  const refused: RefusedEntry[] = [];
  for (const [position, entry] of entries.entries()) {
    const judged = await validate(entry, position);
    if (isRefusal(judged)) {
      const record = refusalEntry(entry, judged, { table, position, listActor, tokens }, call);
      refused.push({ position, reason: judged, record });
    } else accepted.push(judged);
  }
  return { accepted, refused };
}

/** Validates the entries of a list as payments of the book. */
export function validatePayments<Payment extends PaymentContent>(
  book: PaymentBook<Payment>,
  list: EntryList,
  call: Call,
  services: Services,
): Promise<ValidatedList<Accepted<Payment>>> {
  const validate = async (entry: unknown, position: number) => {
    const { now, caller } = call;
    const sent = validatePayment(book, entry, { now, caller, listActor: list.actor, tokens: list.tokens }, services);
    return isRefusal(sent) ? sent : acceptPayment(book, sent, { position }, services);
  };
  return validateEntries(list, validate, book.table, call);
}

export function isRefusal(judged: object): judged is Refusal {
  return "code" in judged && "message" in judged;
}

/** Validates the request of a function that takes one: what it is, or the refusal, whose record is written already. */
export async function validateRequest<T extends { readonly Actor: string }>(
  schema: z.ZodType<T>,
  event: unknown,
  table: LogicalTableName,
  call: Call,
  services: Services,
): Promise<{ readonly request: T } | { readonly refused: RefusedResponse }> {
  const harmful = refuseHarmful(event, services);
  if (harmful !== undefined) return { refused: await refuseCall(event, harmful, table, call, services) };
  const parsed = parseWith(schema, event);
  if (!parsed.ok) return { refused: await refuseCall(event, parsed.refusal, table, call, services) };
  const notCaller = refuseActor(parsed.value.Actor, call.caller, services);
  if (notCaller === undefined) return { request: parsed.value };
  return { refused: await refuseCall(event, notCaller, table, call, services) };
}
