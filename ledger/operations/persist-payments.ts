/** Records payments sent to the ledger directly: one, or a list. */

import { TABLES } from "../../contract";
import type { AuditEntry } from "../rules/audit-entry";
import { envelopeOf, parseEntries } from "../rules/entries";
import { type Payment, parsePayment } from "../rules/payment";
import type { Refusal } from "../rules/refusals";
import { type PersistResponse, persistResponse, type RefusedResponse } from "../rules/responses";
import { paymentContentMac, paymentRecord } from "../store/payment-record";
import type { Store } from "../store/store";
import { admitEntries, type Call, cardDataRefusal, refuseCall, refusedResult } from "./call";
import { recordEntries } from "./record-entries";
import { type Accepted, type PaymentBook, recordPayments } from "./record-payments";

const { logicalName: LEDGER, partitionKey } = TABLES.paymentLedger;

export async function persistPayments(
  event: unknown,
  call: Call,
  store: Store,
): Promise<PersistResponse | RefusedResponse> {
  const envelopeRefusal = cardDataRefusal(envelopeOf(event, "payments"), store);
  const parsed = envelopeRefusal === undefined ? parseEntries(event, "payments") : { refusal: envelopeRefusal };
  if ("refusal" in parsed) return refuseCall(event, parsed.refusal, LEDGER, call, store);
  const admitOne = (entry: unknown, position: number) => admit(entry, parsed.actor, position, call, store);
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
  listActor: string | undefined,
  position: number,
  call: Call,
  store: Store,
): Promise<Accepted<Payment> | Refusal> {
  const cardData = cardDataRefusal(entry, store);
  if (cardData !== undefined) return cardData;
  const parsed = parsePayment(entry, listActor, call.now);
  if (!parsed.ok) return parsed.refusal;
  const { payment, actor } = parsed.value;
  return { position, id: payment.TransactionID, actor, payment, contentMac: await paymentContentMac(payment, store) };
}

function transactionIdOf(record: AuditEntry): { TransactionID?: string } {
  return record.transactionId === undefined ? {} : { TransactionID: record.transactionId };
}
