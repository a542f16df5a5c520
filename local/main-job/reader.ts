/** Reads through the deployed functions and remembers every read made, so that each can be looked up in the trail. */

import type { AuditView, LedgerQueryResponse, PaymentView, RefusedRecord } from "../../ledger/rules/responses";
import type { TransactionView } from "../../ledger/rules/transaction-responses";
import type { Answered, LedgerCalls } from "./calls";

export interface PerformedRead {
  readonly action: "READ" | "REVEAL" | "AUDIT_READ";
  readonly actor: string;
  readonly auditId: string;
  readonly returnedIds: readonly string[];
  /** A list read leaves a pointer under each payment that it returned. */
  readonly isList: boolean;
}

export interface LedgerRead {
  readonly payments: readonly PaymentView[];
  readonly refused: readonly RefusedRecord[];
  readonly pages: number;
}

type Query = Readonly<Record<string, string | number>>;

export class Reader {
  readonly made: PerformedRead[] = [];

  constructor(private readonly calls: LedgerCalls) {}

  /** All pages of one query of the ledger. */
  async ledger(actor: string, query: Query): Promise<LedgerRead> {
    const pages = await allPages((token) => this.calls.queryLedger({ ...query, ...token, Actor: actor }));
    for (const page of pages) this.remember(actor, page, query["Query"] !== "transaction");
    return {
      payments: pages.flatMap(({ payments }) => payments),
      refused: pages.flatMap(({ refused }) => refused),
      pages: pages.length,
    };
  }

  /** All records of one payment of the files and of direct `payment_data`. */
  async transactions(actor: string, transactionId: string, reason: string): Promise<readonly TransactionView[]> {
    const query = { transactionId, Reason: reason, Actor: actor };
    const answer = await this.calls.queryTransactions(query);
    if (!("transactions" in answer)) throw new Error("The answer is one about payments of messages.");
    const { AuditID: auditId, transactions } = answer;
    const returnedIds = transactions.map((found) => found.transactionId);
    this.made.push({ action: "READ", actor, auditId, returnedIds, isList: false });
    return transactions;
  }

  /** One payment of a message, and how many records of its id the answer has. */
  async paymentOfMessage(actor: string, paymentId: string, reason: string): Promise<number> {
    const query = { Query: "payment", paymentId, Reason: reason, Actor: actor };
    const answer = await this.calls.queryTransactions(query);
    if (!("payments" in answer)) throw new Error("The answer is one about payments of files.");
    const returnedIds = answer.payments.map((found) => found.paymentId);
    this.made.push({ action: "READ", actor, auditId: answer.AuditID, returnedIds, isList: false });
    return returnedIds.length;
  }

  /** All pages of one query of the audit trail. */
  async trail(actor: string, query: Query): Promise<AuditView[]> {
    const pages = await allPages((token) => this.calls.queryTrail({ ...query, ...token, Actor: actor }));
    for (const { AuditID, records } of pages) {
      const returnedIds = records.map((record) => record.AuditID);
      this.made.push({ action: "AUDIT_READ", actor, auditId: AuditID, returnedIds, isList: false });
    }
    return pages.flatMap(({ records }) => records);
  }

  async reveal(actor: string, transactionId: string, reason: string): Promise<string> {
    const revealed = await this.calls.revealToken({ TransactionID: transactionId, Reason: reason, Actor: actor });
    this.made.push({
      action: "REVEAL",
      actor,
      auditId: revealed.AuditID,
      returnedIds: [revealed.TransactionID],
      isList: false,
    });
    return revealed.SecureToken;
  }

  private remember(actor: string, page: Answered<LedgerQueryResponse>, isList: boolean): void {
    const returnedIds = page.payments.map(({ TransactionID }) => TransactionID);
    this.made.push({ action: "READ", actor, auditId: page.AuditID, returnedIds, isList });
  }
}

async function allPages<Page extends { readonly NextPageToken?: string | undefined }>(
  read: (token: { PageToken?: string }) => Promise<Page>,
): Promise<Page[]> {
  const pages = [await read({})];
  for (;;) {
    const token = pages.at(-1)?.NextPageToken;
    if (token === undefined) return pages;
    pages.push(await read({ PageToken: token }));
  }
}
