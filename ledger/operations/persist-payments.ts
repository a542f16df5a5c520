/** Records payments of direct calls: one, or a list. */

import { persistResponse } from "../rules/answers";
import { envelopeOf, parseEntries } from "../rules/entries";
import type { PersistResponse, RefusedResponse } from "../rules/responses";
import { SentTokens } from "../rules/sent-tokens";
import type { Services } from "../store/services";
import type { Call } from "./call";
import { ledgerBook } from "./ledger-book";
import type { PaymentBook, PaymentContent } from "./payment-books";
import { recordPayments } from "./record-payments";
import { type RefusedEntry, recordRefused, refuseCall } from "./refusal-records";
import { refuseHarmful, validatePayments } from "./validation";

/** Payments sent to the ledger. */
export function persistPayments(
  event: unknown,
  call: Call,
  services: Services,
): Promise<PersistResponse | RefusedResponse> {
  return persistInto(ledgerBook(services), event, call, services);
}

/** Records what a call sends into the book. */
export async function persistInto<Payment extends PaymentContent>(
  book: PaymentBook<Payment>,
  event: unknown,
  call: Call,
  services: Services,
): Promise<PersistResponse | RefusedResponse> {
  const envelope = envelopeOf(event, "payments");
  const tokens = SentTokens.in(event);
  const envelopeRefusal = refuseHarmful(envelope, services, { tokens, clear: envelope });
  const parsed = envelopeRefusal === undefined ? parseEntries(event, "payments") : { refusal: envelopeRefusal };
  if ("refusal" in parsed) return refuseCall(event, parsed.refusal, book.table, call, services);
  const { accepted, refused } = await validatePayments(book, { ...parsed, tokens }, call, services);
  const results = await recordPayments(book, accepted, call, services);
  const refusedResults = await recordRefused(refused, services);
  return persistResponse([
    ...refusedResults.map((result, index) => ({ ...result, ...transactionIdOf(refused[index]) })),
    ...results,
  ]);
}

function transactionIdOf(refused: RefusedEntry | undefined): { TransactionID?: string } {
  const transactionId = refused?.record.transactionId;
  return transactionId === undefined ? {} : { TransactionID: transactionId };
}
