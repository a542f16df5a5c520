/** Records in the form in which DynamoDB exports them: of real shape and size, the same for the same number each time. */

import { hash } from "node:crypto";
import type { LogicalTableName } from "../../contract";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import { commitmentOf } from "../../ledger/rules/commitment";
import { derivedAuditId } from "../../ledger/rules/identifiers";
import { checkLife, outcomeForm } from "../../ledger/rules/life-check";
import type { LifeEvent } from "../../ledger/rules/life-effects";

export type Item = Record<string, { readonly S: string } | { readonly N: string } | { readonly B: string } | object>;

/** As many bytes as asked for, in base64, that follow from the label. */
export function someBytes(label: string, length: number): string {
  let bytes = Buffer.alloc(0);
  for (let part = 0; bytes.length < length; part++) {
    bytes = Buffer.concat([bytes, hash("sha512", `${label}/${part}`, "buffer")]);
  }
  return bytes.toString("base64", 0, length);
}

/** An own salt and MAC, as every record has. */
function sealed(label: string, item: Item): Item {
  return { ...item, Salt: { B: someBytes(`salt/${label}`, 16) }, Mac: { B: someBytes(`mac/${label}`, 41) } };
}

export function paymentRow(id: string, at: string, version = 1): Item {
  const label = `payment/${id}/${version}`;
  const day = at.slice(0, 10).replaceAll("-", "");
  return sealed(label, {
    Format: { N: "1" },
    TransactionID: { S: id },
    Amount: { S: "125.50" },
    Currency: { S: "EUR" },
    ProcessorID: { S: "processor-7" },
    Status: { S: version % 2 === 1 ? "Failure" : "Success" },
    Timestamp: { S: at },
    RecordedAt: { S: at },
    Version: { N: String(version) },
    ...(version > 1 ? { StatusChangedAt: { S: at } } : {}),
    FieldKey: { B: someBytes(`key/${id}`, 190) },
    SecureToken: { B: someBytes(`token/${id}`, 60) },
    ContentMac: { S: someBytes(`content/${id}`, 32) },
    ProcessorDay: { S: `processor-7#${day}#03` },
    TimeKey: { S: `${at}#${id}` },
    ...(version % 2 === 1 ? { FailureDay: { S: `Failure#${day}#05` } } : {}),
  });
}

/** The same payment with its next status. */
export function nextVersion(row: Item, at: string): Item {
  const { S: id } = row["TransactionID"] as { S: string };
  const { N: version } = row["Version"] as { N: string };
  const { FailureDay: _day, ...rest } = row;
  const next = paymentRow(id, at, Number(version) + 1);
  const { Status, Version, Salt, Mac, FailureDay } = next;
  return {
    ...rest,
    Status: Status as object,
    Version: Version as object,
    StatusChangedAt: { S: at },
    Salt: Salt as object,
    Mac: Mac as object,
    ...(FailureDay === undefined ? {} : { FailureDay }),
  };
}

export function messageRow(id: string, at: string): Item {
  return sealed(`message/${id}`, {
    Format: { N: "1" },
    paymentId: { S: id },
    amount: { S: "9.99" },
    currency: { S: "USD" },
    timestamp: { S: at },
    processedAt: { S: at },
    ContentMac: { S: someBytes(`content/${id}`, 32) },
  });
}

export function transactionRow(id: string, at: string): Item {
  return sealed(`transaction/${id}`, {
    Format: { N: "1" },
    transactionId: { S: id },
    timestamp: { N: String(Date.parse(at)) },
    amount: { S: "42.00" },
    currency: { S: "USD" },
    cardLast4: { S: "0042" },
    status: { S: "processed" },
    processedAt: { S: at },
    metadata: { S: '{"merchant":"Café № 7"}' },
    ContentMac: { S: someBytes(`content/${id}`, 32) },
  });
}

/** The next event of a payment's life, as the ledger's own rules have it. @param life the payment's row, then its events. */
export function eventRow(event: LifeEvent, life: readonly [Item, ...Item[]], at: string): Item {
  const [row, ...events] = life;
  const { S: id } = row["TransactionID"] as { S: string };
  const before = checkLife(
    { item: row },
    events.map((item) => ({ item })),
  ).life;
  const place = events.length + 1;
  const table = place === 1 ? "PaymentLedger" : "PaymentEvents";
  const texts = Object.entries(event).map(([name, text]) => [name, { S: text }] as const);
  return sealed(`event/${event.EventID}`, {
    Format: { N: "1" },
    TransactionID: { S: id },
    Place: { N: String(place) },
    ...Object.fromEntries(texts),
    Timestamp: { S: at },
    RecordedAt: { S: at },
    ...outcomeForm(before.add(event)),
    Previous: { S: commitmentOf(table, life.at(-1) ?? row) },
    ContentMac: { S: someBytes(`content/${event.EventID}`, 32) },
  });
}

export function auditRecord(auditId: string, action: string, table: LogicalTableName, id: string, at: string): Item {
  const day = at.slice(0, 10).replaceAll("-", "");
  return sealed(`audit/${auditId}`, {
    Format: { N: "1" },
    AuditID: { S: auditId },
    Action: { S: action },
    Actor: { S: "checkout-service" },
    Timestamp: { S: at },
    RecordedAt: { S: at },
    Origin: { S: "LEDGER" },
    Caller: { M: { RequestID: { S: "7c3a1f0e-0001" }, Function: { S: "persist_payment_ledger" } } },
    Table: { S: table },
    TransactionID: { S: id },
    TransactionOrder: { S: at },
    ActorDay: { S: `checkout-service#${day}#02` },
    AuditDay: { S: `#${day}#06` },
    TimeKey: { S: `${at}#${auditId}` },
    FieldKey: { B: someBytes(`auditkey/${auditId}`, 190) },
    QueryDetails: { B: someBytes(`query/${auditId}`, 90) },
    Response: { B: someBytes(`response/${auditId}`, 110) },
  });
}

/** @param payment of an event: whose it is, beside its own id. */
export function writeRecord(table: LogicalTableName, id: string, at: string, payment = id): Item {
  return auditRecord(derivedAuditId("WRITE", table, id), "WRITE", table, payment, at);
}

export function updateRecord(id: string, version: string, at: string): Item {
  return auditRecord(derivedAuditId("UPDATE", "PaymentLedger", id, version), "UPDATE", "PaymentLedger", id, at);
}

export function itemOf(item: Item): ItemJson {
  return item;
}
