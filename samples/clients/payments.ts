/**
 * Records, reads and refunds one payment with the package `payment-ledger-client`, and handles every answer of the ledger.
 * Its argument is the suffix of the ledger's environment: `dev` (default) or another.
 */

import { LambdaClient } from "@aws-sdk/client-lambda";
import { LedgerClient, type NewPayment, type RecordResult } from "payment-ledger-client";

const ledger = new LedgerClient({
  lambda: new LambdaClient({}),
  environment: process.argv[2] ?? "dev",
  actor: "checkout",
});

const payment: NewPayment = {
  TransactionID: "order-1001",
  SecureToken: "tok_8fA2kQ91x",
  Amount: "25.00",
  Currency: "EUR",
  ProcessorID: "acme-pay",
  Status: "Success",
};

function text(result: RecordResult): string {
  switch (result.outcome) {
    case "stored":
      return `stored, audit record ${result.AuditID}`;
    case "duplicate":
      return "duplicate: it is recorded already, which is fine";
    case "conflict":
      return `conflict: other content is recorded under this id; it differs in ${result.field ?? "a field"}`;
    case "refused":
      return `refused: ${result.code}: ${result.message}`;
  }
}

async function main(): Promise<void> {
  console.log("first:", text(await ledger.record(payment)));
  console.log("again:", text(await ledger.record(payment)));
  console.log("other amount:", text(await ledger.record({ ...payment, Amount: "26.00" })));
  console.log("no amount:", text(await ledger.record({ ...payment, TransactionID: "order-1002", Amount: "" })));

  const read = await ledger.read("order-1001", { Reason: "Refund of order 1001" });
  if (read.outcome === "found") console.log("read:", read.payment.Amount, read.payment.Currency, read.payment.Status);
  console.log("unknown:", (await ledger.read("order-9999")).outcome);

  const refund = await ledger.recordEvent({
    TransactionID: "order-1001",
    EventID: "refund-1001",
    Kind: "REFUND_HELD",
    Mode: "grant",
    Amount: "5.00",
    Currency: "EUR",
  });
  console.log("refund:", refund.outcome, refund.outcome === "stored" ? refund.State.RefundHeld : "");
}

void main();
