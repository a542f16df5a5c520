/** Files, messages and events: what the tables and queues hold against what their generators wrote. */

import { type LogicalTableName, TABLES } from "../../contract";
import { type StoredItem, textOf } from "../../ledger/rules/stored-item";
import type { Arrivals } from "./arrivals";
import { countsDiffer, firstConflicts, recordsOf, writesDiffer } from "./checks";
import { DIRECT_CONFLICTS, DIRECT_REFUSALS, DIRECT_SUMS } from "./direct";
import type { Invariants } from "./invariants";
import { filesDiffer, removalsDiffer } from "./partner-files";
import { currencySums, sumsDiffer } from "./payments";
import { number } from "./progress";
import { eventsDiffer } from "./service-events";
import type { Snapshot } from "./tables";

const MESSAGES = TABLES.paymentMessages;
const TRANSACTIONS = TABLES.paymentTransactions;

export function checkArrivals(snapshot: Snapshot, arrivals: Arrivals, invariants: Invariants): void {
  const { files, direct, events } = arrivals;
  const rows = files.reduce((sum, { report }) => sum + report.rows, 0);
  invariants.record("FILES_DIFFER", `${files.length} files, ${number(rows)} rows`, filesDiffer(files));
  invariants.record("FILE_KEPT", `${files.length} files`, removalsDiffer(files));
  invariants.record("DIRECT_DIFFERS", `${direct.calls} calls`, direct.faults);
  invariants.record("MESSAGES_DIFFER", ...messagesDiffer(snapshot, arrivals));
  const extent = `${events.sent} events, ${events.again} sent again, 1 invalid`;
  invariants.record("EVENTS_OUT_OF_ORDER", extent, eventsDiffer(snapshot.trail.values(), events));
  invariants.record("ARRIVALS_DIFFER", ...rowsDiffer(snapshot, arrivals));
}

type Finding = [extent: string, faults: string[]];

function messagesDiffer({ trail, messages }: Snapshot, { samples }: Arrivals): Finding {
  const { messages: sent, stored, distinctConflicts, refusals } = samples.messages;
  const is = { stored: messages.size, ...settledRecords(trail, MESSAGES.logicalName) };
  const refused = Object.values(refusals).reduce((sum, count) => sum + count, 0);
  return [`${sent} messages`, countsDiffer(is, { stored, refusals: refused, conflicts: distinctConflicts })];
}

function settledRecords(trail: Snapshot["trail"], table: LogicalTableName) {
  return {
    refusals: recordsOf(trail, "REFUSAL", table).length,
    conflicts: firstConflicts(trail, table).length,
  };
}

function rowsDiffer({ trail, messages, transactions }: Snapshot, { samples, files }: Arrivals): Finding {
  const cardDataRows = files.reduce((sum, { report }) => sum + report.cardDataRows, 0);
  const settled = {
    refusals: cardDataRows + DIRECT_REFUSALS,
    conflicts: samples.files.distinctConflicts + DIRECT_CONFLICTS,
  };
  return [
    `${messages.size} rows of messages, ${transactions.size} of files and payment_data`,
    [
      ...pairsDiffer(trail, messages.values(), MESSAGES),
      ...pairsDiffer(trail, transactions.values(), TRANSACTIONS),
      ...sumsDiffer(currencySums(messages.values()), samples.messages.sums),
      ...sumsDiffer(currencySums(transactions.values()), samples.files.sums, DIRECT_SUMS),
      ...countsDiffer(settledRecords(trail, TRANSACTIONS.logicalName), settled),
    ],
  ];
}

interface PaymentTable {
  readonly logicalName: LogicalTableName;
  readonly partitionKey: string;
}

function pairsDiffer(trail: Snapshot["trail"], rows: Iterable<StoredItem>, table: PaymentTable): string[] {
  const ids = [...rows].map((row) => textOf(row, table.partitionKey) ?? "");
  const repeated = ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id} has more than one row`);
  return [...repeated, ...writesDiffer(recordsOf(trail, "WRITE", table.logicalName), new Set(ids))];
}
