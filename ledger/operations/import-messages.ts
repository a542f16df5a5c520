/**
 * Records payments of messages that another system recorded before. They come by direct call, because their queue is gone. New
 * payments of this book come by the queue alone, where AWS states who sent them.
 */

import { type PaymentMessage, parsePaymentMessage } from "../rules/payment-message";
import type { PersistResponse, RefusedResponse } from "../rules/responses";
import { accepted, type Parsed, refused } from "../rules/schema";
import type { Services } from "../store/services";
import type { Call } from "./call";
import { messagesBook } from "./messages-book";
import type { SentPayment } from "./payment-books";
import { persistInto } from "./persist-payments";

export function isImportOfMessages(event: unknown): boolean {
  return typeof event === "object" && event !== null && "payments" in event;
}

export function importMessages(
  event: unknown,
  call: Call,
  services: Services,
): Promise<PersistResponse | RefusedResponse> {
  return persistInto({ ...messagesBook(services), parse: parseImported }, event, call, services);
}

function parseImported(input: unknown, now: Date, listActor?: string): Parsed<SentPayment<PaymentMessage>> {
  const parsed = parsePaymentMessage(input, now);
  if (!parsed.ok) return parsed;
  if (parsed.value.imported === undefined) return refused("MISSING_FIELD", "importedFrom");
  return accepted(listActor === undefined ? parsed.value : { actor: listActor, ...parsed.value });
}
