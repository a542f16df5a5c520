/** Judges the rows of a payment file one by one, in the order of the file: payment or fact, what may be recorded, what is refused. */

import type { BadRow } from "../files/progress";
import type { Row } from "../files/row";
import { SeenIds } from "../files/seen-ids";
import type { Caller } from "../rules/audit-entry";
import { EVENT_ID_FIELD } from "../rules/event-kinds";
import { isPaymentEvent } from "../rules/payment-event";
import { type Refusal, refusal } from "../rules/refusals";
import { eventId as eventIdSchema, transactionId as transactionIdSchema } from "../rules/schema";
import type { Transaction } from "../rules/transaction";
import type { Services } from "../store/services";
import { type Claims, harmlessClaims } from "./claims";
import type { PaymentBook, SentPayment } from "./payment-books";
import { type ValidEvent, validateFact } from "./sent-events";
import { transactionsBook } from "./transactions-book";
import { isRefusal, refuseHarmful, validatePayment } from "./validation";

export interface FileLimits {
  /** Rows that are recorded; those behind them are only searched for card data. */
  readonly rowsMax: number;
  /** Rows with card data that have an audit record each; a file that will be removed is read no further. */
  readonly cardDataRowsMax: number;
  /** Rows of each result (conflict, another actor's duplicate, each kind of alarm, `LIFE_FULL`) that have an audit record each. */
  readonly attemptsMax: number;
}

export const FILE_LIMITS: FileLimits = { rowsMax: 5_000_000, cardDataRowsMax: 1_000, attemptsMax: 1_000 };

export type JudgedRow = PaymentRow | FactRow | RefusedRow;

interface AcceptedRow {
  readonly number: number;
  /** Its id was in an earlier row of the file. */
  readonly isRepeat: boolean;
}

interface PaymentRow extends AcceptedRow, SentPayment<Transaction> {}

interface FactRow extends AcceptedRow {
  readonly fact: ValidEvent;
}

export interface RefusedRow {
  readonly number: number;
  /** It was sent as an event of a payment's life. */
  readonly isEvent: boolean;
  readonly hasCardData: boolean;
  readonly hasAuditRecord: boolean;
  /** Who sent it and which payment it is, as far as that can be kept. */
  readonly claims: Claims;
  /** Its line in the report; absent where another line covers it. */
  readonly badRow?: BadRow;
}

export interface JudgeSettings {
  /** Rows with card data in earlier runs of the file. */
  readonly cardDataRows: number;
  readonly stopsAtLimit: boolean;
  readonly limits: FileLimits;
  readonly now: Date;
  /** What AWS says of who put the file there. */
  readonly caller: Caller;
}

export class RowJudge {
  /** The file is not read further. */
  isStopped = false;
  private rows = 0;
  private cardDataRows: number;
  private readonly seenIds = new SeenIds();
  private readonly book: PaymentBook<Transaction>;

  constructor(
    private readonly settings: JudgeSettings,
    private readonly services: Services,
  ) {
    this.cardDataRows = settings.cardDataRows;
    this.book = transactionsBook(services);
  }

  /** Takes note of a row that an earlier run has done. */
  pass(row: Row): void {
    this.rows += 1;
    this.seesAgain(sentId(row));
  }

  judge(row: Row): JudgedRow {
    this.rows += 1;
    const { limits, stopsAtLimit } = this.settings;
    this.isStopped = stopsAtLimit && this.cardDataRows >= limits.cardDataRowsMax;
    if (this.isStopped) return this.refused(row, refusal("TOO_MUCH_CARD_DATA"));
    const judgement = this.judgementOf(row);
    if (isRefusal(judgement)) {
      this.seesAgain(sentId(row));
      return this.refused(row, judgement);
    }
    const { number } = row;
    if ("event" in judgement)
      return { number, isRepeat: this.seesAgain(keyOfEvent(judgement.event.EventID)), fact: judgement };
    return { number, isRepeat: this.seesAgain(judgement.payment.transactionId), ...judgement };
  }

  private judgementOf(row: Row): SentPayment<Transaction> | ValidEvent | Refusal {
    if (this.rows > this.settings.limits.rowsMax) return this.harmOf(row) ?? refusal("TOO_MANY_ROWS");
    if ("fault" in row) return this.harmOf(row) ?? refusal(row.fault);
    const { now, caller } = this.settings;
    if (isPaymentEvent(row.value)) return validateFact(row.value, row.number, { now, caller }, this.services);
    return validatePayment(this.book, row.value, { now, caller }, this.services);
  }

  private harmOf(row: Row): Refusal | undefined {
    if ("value" in row) return refuseHarmful(row.value, this.services);
    if (!row.cardData) return undefined;
    this.services.signal("CardDataRefused");
    return refusal("CARD_DATA");
  }

  private refused(row: Row, { code, field }: Refusal): RefusedRow {
    const hasCardData = code === "CARD_DATA";
    if (hasCardData) this.cardDataRows += 1;
    const isListed = code !== "TOO_MANY_ROWS" || this.rows === this.settings.limits.rowsMax + 1;
    const claims = "value" in row ? harmlessClaims(row.value) : {};
    const { transactionId, eventId } = claims;
    const badRow: BadRow = {
      row: row.number,
      outcome: "refused",
      code,
      ...(field === undefined ? {} : { field }),
      // The sender finds the row by this id; the file itself may be gone by then.
      ...(transactionId === undefined ? {} : { transactionId }),
      ...(eventId === undefined ? {} : { eventId }),
    };
    return {
      number: row.number,
      isEvent: "value" in row && isPaymentEvent(row.value),
      hasCardData,
      claims,
      hasAuditRecord: hasCardData && this.cardDataRows <= this.settings.limits.cardDataRowsMax,
      ...(isListed ? { badRow } : {}),
    };
  }

  private seesAgain(id: string | undefined): boolean {
    const isKept = id !== undefined && this.rows <= this.settings.limits.rowsMax;
    return isKept && this.seenIds.add(id);
  }
}

/** The id that the row gives its payment or event. */
function sentId(row: Row): string | undefined {
  const value = "value" in row && typeof row.value === "object" && row.value !== null ? row.value : {};
  if (EVENT_ID_FIELD in value && isPaymentEvent(value)) {
    const eventId = eventIdSchema.safeParse(value[EVENT_ID_FIELD]).data;
    return eventId === undefined ? undefined : keyOfEvent(eventId);
  }
  return transactionIdSchema.safeParse("transactionId" in value ? value.transactionId : undefined).data;
}

/** No id has a space, so an event's is never taken for a payment's. */
function keyOfEvent(eventId: string): string {
  return `event ${eventId}`;
}
