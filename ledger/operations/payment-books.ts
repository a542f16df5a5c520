/**
 * What a table of payments has alone; how payments are validated and recorded is the same for all. Each of the three books
 * is in a file, so that a function loads only the schema of its payments.
 */

import type { LogicalTableName } from "../../contract";
import type { JsonObject } from "../rules/canonical-json";
import type { RecordedContent } from "../rules/differing-fields";
import { derivedAuditId } from "../rules/identifiers";
import type { Imported } from "../rules/imported";
import type { MacedRecord } from "../rules/record-mac";
import type { Parsed } from "../rules/schema";
import type { StoredItem } from "../rules/stored-item";
import type { Recording } from "../store/recording";

/** A payment as it was understood: all that its sender said, and nothing that the ledger added. */
export type PaymentContent = JsonObject;

/** A payment and who claims to send it. */
export interface SentPayment<Payment> {
  readonly payment: Payment;
  readonly actor?: string;
  readonly imported?: Imported;
}

export interface PaymentBook<Payment extends PaymentContent> {
  readonly table: LogicalTableName;
  /** As it is deployed. */
  readonly tableName: string;
  readonly partitionKey: string;
  /**
   * `row`: the id alone is the table's key, so the row itself prevents a second one. `write-record`: the key has a sort key
   * too, so only the WRITE record, whose id follows from the payment's id, is unique.
   */
  readonly uniqueBy: "row" | "write-record";
  readonly idOf: (payment: Payment) => string;
  /** The input without what is stored encrypted. */
  readonly clearPart: (input: unknown) => unknown;
  readonly parse: (input: unknown, now: Date, listActor?: string) => Parsed<SentPayment<Payment>>;
  readonly record: (payment: Payment, recording: Recording) => Promise<MacedRecord>;
  /** What a conflict's record keeps of the attempt: nothing secret. */
  readonly attempted: (payment: Payment) => JsonObject;
  /**
   * The content that a row with a good MAC recorded, to name the fields in which another one differs. Absent where a
   * conflict finds the WRITE record and not the row.
   */
  readonly recorded?: (row: StoredItem) => RecordedContent;
}

/** The id of the WRITE record that is put together with the payment: it follows from the payment's id. */
export function writeAuditId(table: LogicalTableName, id: string): string {
  return derivedAuditId("WRITE", table, id);
}
