/** Records payments sent to the ledger directly: one, or a list. */

import { TABLES } from "../../contract";
import type { AuditEntry } from "../rules/audit-entry";
import { envelopeOf, parseEntries } from "../rules/entries";
import { type Payment, parsePayment } from "../rules/payment";
import type { Refusal } from "../rules/refusals";
import { type PersistResponse, persistResponse, type RefusedResponse } from "../rules/responses";
import { SentTokens, withoutToken } from "../rules/sent-tokens";
import { paymentContentMac, paymentRecord } from "../store/payment-record";
import type { Store } from "../store/store";
import { admitEntries, type Call, refuseCall, refusedResult, refuseHarmful } from "./call";
import { recordEntries } from "./record-entries";
import { type Accepted, type PaymentBook, recordPayments } from "./record-payments";

const { logicalName: LEDGER, partitionKey } = TABLES.paymentLedger;

export async function persistPayments(
  event: unknown,
  call: Call,
  store: Store,
): Promise<PersistResponse | RefusedResponse> {
  const envelope = envelopeOf(event, "payments");
  const envelopeRefusal = refuseHarmful(envelope, store, { tokens: SentTokens.in(event), clear: envelope });
  const parsed = envelopeRefusal === undefined ? parseEntries(event, "payments") : { refusal: envelopeRefusal };
  if ("refusal" in parsed) return refuseCall(event, parsed.refusal, LEDGER, call, store);
  const admitOne = (entry: unknown, position: number, tokens: SentTokens) =>
    admit(entry, tokens, parsed.actor, position, call, store);
  const { accepted, refused } = await admitEntries(parsed.entries, admitOne, LEDGER, call, parsed.actor);
  const results = await recordPayments(ledgerBook(store), accepted, call, store);
  await recordEntries(
    refused.map(({ record }) => record),
    store,
  );
  const refusedResults = refused.map((entry) => ({ ...refusedResult(entry), ...transactionIdOf(entry.record) }));
  return persistResponse([...refusedResults, ...results]);
}

function ledgerBook(store: Store): PaymentBook<Payment> {
  return {
    table: LEDGER,
    tableName: store.tables.paymentLedger,
    partitionKey,
    uniqueBy: "row",
    record: (payment, recordedAt) => paymentRecord(payment, recordedAt, store),
    attempted: ({ SecureToken: _token, ...attempted }) => ({ ...attempted }),
  };
}

async function admit(
  entry: unknown,
  tokens: SentTokens,
  listActor: string | undefined,
  position: number,
  call: Call,
  store: Store,
): Promise<Accepted<Payment> | Refusal> {
  const harmful = refuseHarmful(entry, store, { tokens, clear: withoutToken(entry) });
  if (harmful !== undefined) return harmful;
  const parsed = parsePayment(entry, listActor, call.now);
  if (!parsed.ok) return parsed.refusal;
  const { payment, actor } = parsed.value;
  return { position, id: payment.TransactionID, actor, payment, contentMac: await paymentContentMac(payment, store) };
}

function transactionIdOf(record: AuditEntry): { TransactionID?: string } {
  return record.transactionId === undefined ? {} : { TransactionID: record.transactionId };
}
