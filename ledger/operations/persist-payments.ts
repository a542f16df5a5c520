/** Records payments sent to the ledger directly: one, or a list. */

import { TABLES } from "../../contract";
import { envelopeOf, parseEntries } from "../rules/entries";
import { type PersistResponse, persistResponse, type RefusedResponse } from "../rules/responses";
import { SentTokens } from "../rules/sent-tokens";
import type { Services } from "../store/services";
import type { Call } from "./call";
import { ledgerBook } from "./payment-books";
import { recordPayments } from "./record-payments";
import { type RefusedEntry, recordRefused, refuseCall } from "./refusal-records";
import { refuseHarmful, validatePayments } from "./validation";

const LEDGER = TABLES.paymentLedger.logicalName;

export async function persistPayments(
  event: unknown,
  call: Call,
  services: Services,
): Promise<PersistResponse | RefusedResponse> {
  const envelope = envelopeOf(event, "payments");
  const tokens = SentTokens.in(event);
  const envelopeRefusal = refuseHarmful(envelope, services, { tokens, clear: envelope });
  const parsed = envelopeRefusal === undefined ? parseEntries(event, "payments") : { refusal: envelopeRefusal };
  if ("refusal" in parsed) return refuseCall(event, parsed.refusal, LEDGER, call, services);
  const book = ledgerBook(services);
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
