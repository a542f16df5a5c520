/** The stored form of a payment, and what of it may be shown. */

import { TABLES } from "../../contract";
import type { RecordedContent } from "../rules/differing-fields";
import { dayKeyOf, timeKey } from "../rules/index-keys";
import { isPaymentStatus, PAYMENT_STATUSES, type Payment } from "../rules/payment";
import { pooledRandomBytes } from "../rules/random-bytes";
import { type MacedRecord, macedRecord, withRecordMac } from "../rules/record-mac";
import type { PaymentView } from "../rules/responses";
import {
  integerOrZero,
  type StoredItem,
  type StoredValue,
  textAttributes,
  textOf,
  textOrEmpty,
} from "../rules/stored-item";
import type { Recording } from "./recording";
import type { Services } from "./services";

const { logicalName: TABLE } = TABLES.paymentLedger;

/** Version of the stored form, in every record: so a reader knows a later form from this one without guessing. */
const FORMAT = "1";
/** Salt of the record's commitment in the Merkle log; random, so that the log tells nothing about the record. */
const SALT_BYTES = 16;
/** One value for all failures: the sharded day key spreads them. */
const FAILURE_INDEX_VALUE = "Failure";

export async function paymentRecord(
  payment: Payment,
  { recordedAt, contentMac, imported }: Recording,
  services: Services,
): Promise<MacedRecord> {
  const { TransactionID, SecureToken, Timestamp, ...clear } = payment;
  const timestamp = Timestamp ?? recordedAt;
  const sealed = await services.tokenFields.seal(TransactionID, { SecureToken });
  const keys = await services.macKeys();
  const item: Record<string, StoredValue> = {
    Format: { N: FORMAT },
    TransactionID: { S: TransactionID },
    ...textAttributes({ ...clear, ImportedFrom: imported?.from }),
    Timestamp: { S: timestamp },
    RecordedAt: { S: recordedAt },
    Version: { N: "1" },
    FieldKey: { B: sealed.fieldKey },
    SecureToken: { B: sealed.ciphertexts.SecureToken },
    ContentMac: { S: contentMac },
    Salt: { B: pooledRandomBytes(SALT_BYTES) },
    ProcessorDay: { S: dayKeyOf(payment.ProcessorID, timestamp, TransactionID, services.indexShardCount) },
    TimeKey: { S: timeKey(timestamp, TransactionID) },
    ...failureDay(payment.Status, timestamp, TransactionID, services),
  };
  return macedRecord(TABLE, item, keys.record);
}

/** The record after a status change; everything that identifies the payment stays as it was recorded. */
export async function recordWithStatus(
  current: StoredItem,
  status: PaymentView["Status"],
  changedAt: string,
  services: Services,
): Promise<StoredItem> {
  const { FailureDay: _failureDay, ...kept } = current;
  const transactionId = textOrEmpty(current, "TransactionID");
  const item: StoredItem = {
    ...kept,
    Status: { S: status },
    Version: { N: String(integerOrZero(current, "Version") + 1) },
    StatusChangedAt: { S: changedAt },
    Salt: { B: pooledRandomBytes(SALT_BYTES) },
    ...failureDay(status, textOrEmpty(current, "Timestamp"), transactionId, services),
  };
  return withRecordMac(TABLE, item, (await services.macKeys()).record);
}

/**
 * The content as it was sent, as far as it is readable, to name the fields in which another one differs. Each change of
 * the status is from one of the two to the other, so the version tells the status that was sent.
 */
export function recordedPayment(row: StoredItem): RecordedContent {
  const {
    TransactionID,
    Amount,
    Currency,
    ProcessorID,
    Status: status,
    Timestamp,
    RecordedAt,
    Version,
  } = paymentView(row);
  const isChanged = Version % 2 === 0;
  const Status = isChanged ? PAYMENT_STATUSES.find((each) => each !== status) : status;
  return {
    fields: { TransactionID, Amount, Currency, ProcessorID, Status, Timestamp },
    defaultedTime: Timestamp === RecordedAt ? "Timestamp" : undefined,
    encrypted: ["SecureToken"],
  };
}

/** Only failures have the attribute, so the index of failures holds nothing else. */
function failureDay(status: string, timestamp: string, transactionId: string, services: Services): StoredItem {
  if (status !== "Failure") return {};
  return { FailureDay: { S: dayKeyOf(FAILURE_INDEX_VALUE, timestamp, transactionId, services.indexShardCount) } };
}

/** What a reader sees. The record's MAC must have been checked before. */
export function paymentView(item: StoredItem): PaymentView {
  const status = textOf(item, "Status");
  const changedAt = textOf(item, "StatusChangedAt");
  const importedFrom = textOf(item, "ImportedFrom");
  if (!isPaymentStatus(status)) throw new Error("A payment record with a good MAC has an unknown status.");
  return {
    TransactionID: textOrEmpty(item, "TransactionID"),
    SecureToken: "****",
    Amount: textOrEmpty(item, "Amount"),
    Currency: textOrEmpty(item, "Currency"),
    ProcessorID: textOrEmpty(item, "ProcessorID"),
    Status: status,
    Timestamp: textOrEmpty(item, "Timestamp"),
    RecordedAt: textOrEmpty(item, "RecordedAt"),
    Version: integerOrZero(item, "Version"),
    ...(changedAt === undefined ? {} : { StatusChangedAt: changedAt }),
    ...(importedFrom === undefined ? {} : { ImportedFrom: importedFrom }),
  };
}

export { FAILURE_INDEX_VALUE };
