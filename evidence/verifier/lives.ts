/**
 * The events of each payment against each other and against the payment's row: whether they follow from each other, by the
 * ledger's own rules. A life is held whole, so both tables are read again, in as many parts as their events need.
 */

import { type LogicalTableName, TABLES } from "../../contract";
import { checkLife, type LifeFault, type LifeFaultCode, type StoredEvent } from "../../ledger/rules/life-check";
import { type Digest, textAttribute } from "./digest";
import { dueRule } from "./pairs";
import type { Readings } from "./readings";
import { itemIn } from "./record-pass";
import type { Finding } from "./report";
import type { Run } from "./run";
import { type RecordChange, type RecordSource, timeOf } from "./sources";

const LEDGER = TABLES.paymentLedger.logicalName;
const EVENTS = TABLES.paymentEvents.logicalName;
/** A hold that is open for longer than this is worth a look: its refund was made or failed long ago. */
const HOLD_AGE_MAX_MS = 7 * 24 * 60 * 60 * 1000;

interface StoredLife {
  /** By place. */
  readonly events: Map<string, StoredEvent>;
  row?: StoredEvent;
}

export class Lives {
  count = 0;
  openHolds = 0;
  oldHolds = 0;
  openBreaches = 0;

  /** @param heldMax how many events are held at once. */
  constructor(private readonly heldMax: number) {}

  /** @param counts how many records each table's source has. Without an event nothing is read again. */
  async check(
    sources: readonly RecordSource[],
    counts: ReadonlyMap<string, number>,
    settleMs: number,
    readings: Readings,
    run: Run,
  ): Promise<void> {
    const [events, payments] = [EVENTS, LEDGER].map((table) => sources.find((source) => source.table === table));
    // Lives need both tables. A table that was left out is a finding already.
    if (events === undefined || payments === undefined) return;
    const due = dueRule([events, payments], settleMs);
    const parts = Math.ceil((counts.get(EVENTS) ?? 0) / this.heldMax);
    for (let part = 0; part < parts; part++) {
      const held = new Map<string, StoredLife>();
      const filter = { by: "payment", part, parts } as const;
      await readings.recordsAgain(
        { sources: [events, payments], filter, what: "lives" },
        ({ table }, { now, before, change }) => keep(held, table, now, before, change),
      );
      for (const [id, each] of held) this.judge(id, each, due, timeOf(events), run);
    }
  }

  private judge(
    id: string,
    { events, row }: StoredLife,
    due: (writtenAt: string) => boolean,
    takenAt: number,
    run: Run,
  ): void {
    if (events.size === 0) return;
    const stored = [...events.values()];
    const { life, faults } = checkLife(row, stored);
    // Where the sources were taken at different moments, each may hold what the other lacks.
    const found = faults.filter(({ place }) => due(recordedAt(events.get(String(place)))));
    for (const fault of found) run.findings.add(findingOf(id, fault, events.get(String(fault.place))));
    if (found.length === 0) this.count += 1;
    const holds = new Map(stored.map((each) => [textAttribute(each.item, "EventID") ?? "", recordedAt(each)]));
    this.openHolds += life.openHolds.length;
    this.oldHolds += life.openHolds.filter(
      ({ EventID }) => takenAt - Date.parse(holds.get(EventID) ?? "") > HOLD_AGE_MAX_MS,
    ).length;
    this.openBreaches += life.openBreaches.length;
  }
}

function keep(
  held: Map<string, StoredLife>,
  table: LogicalTableName,
  now: Digest | undefined,
  before: Digest | undefined,
  change: RecordChange,
): void {
  const digest = now ?? before;
  if (digest === undefined) return;
  const id = paymentOf(digest);
  const life = held.get(id);
  const stored: StoredEvent | undefined =
    now === undefined || change.now === undefined
      ? undefined
      : { item: itemIn(change.now), commitment: now.commitment };
  if (table === LEDGER) {
    if (life === undefined) return;
    if (stored === undefined) delete life.row;
    else life.row = stored;
    return;
  }
  const events = life?.events ?? new Map<string, StoredEvent>();
  const place = digest.keyText.slice(id.length + 1);
  if (stored === undefined) events.delete(place);
  else events.set(place, stored);
  if (life === undefined) held.set(id, { events });
}

/** Its partition key. Ids hold no newline; of an item that none of the functions wrote the first one parts the key. */
function paymentOf({ keyText }: Digest): string {
  const end = keyText.indexOf("\n");
  return end < 0 ? keyText : keyText.slice(0, end);
}

/** Whether the record is of a payment of this part. */
export function isOfPart(digest: Digest, part: number, parts: number): boolean {
  return partOf(paymentOf(digest), parts) === part;
}

/** FNV-1a. The parts must be of similar size; anybody may know into which part an id falls. */
function partOf(id: string, parts: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193) >>> 0;
  return hash % parts;
}

function recordedAt(event: StoredEvent | undefined): string {
  return (event && textAttribute(event.item, "RecordedAt")) ?? "";
}

const VERDICTS_OF: Readonly<Partial<Record<LifeFaultCode, Finding["verdict"]>>> = {
  LIFE_EVENT_MISSING: "missing",
  LIFE_ROW_MISSING: "missing",
  LIFE_EVENT_REPEATED: "repeated",
};

function findingOf(id: string, { code, place, message }: LifeFault, event: StoredEvent | undefined): Finding {
  const eventId = event && textAttribute(event.item, "EventID");
  return {
    verdict: VERDICTS_OF[code] ?? "altered",
    code,
    table: EVENTS,
    key: [id, String(place)],
    message: eventId === undefined ? message : `Event ${eventId}: ${message}`,
  };
}
