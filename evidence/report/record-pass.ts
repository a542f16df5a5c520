/** One pass over the exported records: counts who did what, measures how long sealing took, and keeps the records to be shown. */

import { type LogicalTableName, TABLES } from "../../contract";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import { containsPan } from "../../ledger/rules/card-data";
import { commitmentOf } from "../../ledger/rules/commitment";
import type { RecordEntry } from "../log/entry";
import { keyValuesOf, versionOf } from "../log/identity";
import { readableItem } from "../verifier/digest";
import type { RecordSource } from "../verifier/sources";
import { ActivityTally, groupOf } from "./activity";
import { recordedAt, textIn } from "./entry-text";
import type { WindowEntry } from "./log-window";

const TRAIL = TABLES.paymentAuditTrail.logicalName;

interface PassOptions {
  readonly sources: readonly RecordSource[];
  readonly window: readonly WindowEntry[];
  /** Entries whose records are kept. */
  readonly shown: readonly WindowEntry[];
  /** The payment whose records are all kept. */
  readonly paymentId?: string;
}

/** All about one payment is shown up to so many records. */
const ABOUT_MAX = 200;

export class RecordPass {
  readonly tally = new ActivityTally();
  readonly lagsMs: number[] = [];
  /** Audit ids of the records about the payment. */
  readonly auditIds = new Set<string>();
  /** Records that are not shown because something in them looks like a card number. */
  withheld = 0;
  private readonly kept = new Map<string, ItemJson>();
  private readonly sealed = new Map<string, string>();
  private readonly wanted: ReadonlySet<string>;

  constructor(private readonly options: PassOptions) {
    this.wanted = new Set(options.shown.flatMap(({ entry }) => (entry.kind === "HEARTBEAT" ? [] : [nameOf(entry)])));
    for (const { entry, sealedBefore } of options.window) {
      if (entry.kind === "RECORD" && sealedBefore !== undefined) this.sealed.set(nameOf(entry), sealedBefore);
    }
  }

  async run(): Promise<void> {
    for (const { table, batches } of this.options.sources) {
      for await (const batch of batches()) {
        for (const { now, replay } of batch) {
          const item = now === undefined || replay === true ? undefined : readableItem(now);
          if (item !== undefined) this.take(table, item);
        }
      }
    }
  }

  /** The record to which the entry commits, where the exports hold it and it may be shown. */
  recordOf(entry: RecordEntry): ItemJson | null {
    // A forger may have put anything into such a record.
    if (entry.kind === "FORGED" || entry.kind === "TAMPER") return null;
    return this.kept.get(`${entry.table} ${entry.commitment}`) ?? null;
  }

  private take(table: LogicalTableName, item: ItemJson): void {
    const [key, version] = [keyValuesOf(table, item), versionOf(item)];
    const name = nameOf({ table, key, version });
    const time = recordedAt(item) ?? "";
    if (table === TRAIL)
      this.tally.add(groupOf(textIn(item, "Action") ?? "", textIn(item, "Origin")), time, textIn(item, "Actor"));
    const sealedBefore = this.sealed.get(name);
    const lag = Date.parse(sealedBefore ?? "") - Date.parse(time);
    if (!Number.isNaN(lag)) this.lagsMs.push(lag);
    this.sealed.delete(name);
    const isAbout = this.isAbout(table, key, item);
    if (isAbout && table === TRAIL) this.auditIds.add(key[0] ?? "");
    if (this.wanted.has(name) || isAbout) this.keep(table, item);
  }

  private isAbout(table: LogicalTableName, [first]: readonly string[], item: ItemJson): boolean {
    const { paymentId } = this.options;
    if (paymentId === undefined || this.auditIds.size >= ABOUT_MAX) return false;
    return (table === TRAIL ? textIn(item, "TransactionID") : first) === paymentId;
  }

  private keep(table: LogicalTableName, item: ItemJson): void {
    if (holdsCardNumber(item)) this.withheld += 1;
    else this.kept.set(`${table} ${commitmentOf(table, item)}`, item);
  }
}

function nameOf({ table, key, version }: Pick<RecordEntry, "table" | "key" | "version">): string {
  return JSON.stringify([table, version, ...key]);
}

/** In a text that would be shown; ciphertext is not. Card numbers never get into a record of the ledger, but others may write. */
function holdsCardNumber(item: ItemJson): boolean {
  return Object.values(item).some((attribute) => {
    const [type = "", value] = Object.entries(attribute)[0] ?? [];
    return type !== "B" && containsPan(typeof value === "string" ? value : JSON.stringify(value));
  });
}
