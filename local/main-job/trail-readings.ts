/** The auditor looks up what the trail says of every read that the job made, and of one payment. */

import type { AuditView } from "../../ledger/rules/responses";
import { ACTORS, SENT_EVENT_IDS } from "./ledger-usage";
import type { Reader } from "./reader";
import { gapOrder } from "./service-events";

/** Clocks of another endpoint may differ from ours by this much. */
const CLOCK_SLACK_MS = 5 * 60 * 1000;

export interface TrailReadings {
  /** All records of the actors that read something, the auditor's own reads among them. */
  readonly records: readonly AuditView[];
  /** Everything about the sample payment, in order of recording. */
  readonly samplePaymentTrail: readonly AuditView[];
  /** The events of the order that has an invalid message among them. */
  readonly gapTrail: readonly AuditView[];
}

export async function readTrail(reader: Reader, samplePaymentId: string, since: Date): Promise<TrailReadings> {
  const range = () => ({
    From: new Date(since.getTime() - CLOCK_SLACK_MS).toISOString(),
    To: new Date(Date.now() + CLOCK_SLACK_MS).toISOString(),
  });
  const samplePaymentTrail = await reader.trail(ACTORS.auditor, {
    Query: "transaction",
    TransactionID: samplePaymentId,
  });
  const gapTrail = await reader.trail(ACTORS.auditor, { Query: "transaction", TransactionID: gapOrder });
  const records: AuditView[] = [];
  for (const OfActor of [ACTORS.refunds, ACTORS.risk, ACTORS.support]) {
    records.push(...(await reader.trail(ACTORS.auditor, { Query: "actor", OfActor, ...range(), Limit: 90 })));
  }
  // Somebody reads after the auditor, too; only this last reading is looked up in the table itself.
  records.push(
    ...(await reader.trail(ACTORS.lead, { Query: "actor", OfActor: ACTORS.auditor, ...range(), Limit: 90 })),
  );
  return { records, samplePaymentTrail, gapTrail };
}

/** Each read must have exactly one record, by the same actor, with the same ids. */
export function unauditedReads({ records }: TrailReadings, reader: Reader): string[] {
  const looked = reader.made.filter(({ actor }) => actor !== ACTORS.lead);
  return looked.flatMap((read) => {
    const found = records.filter(({ AuditID }) => AuditID === read.auditId);
    const [record] = found;
    const ids = record?.response_record_ids ?? [];
    const sameIds = ids.length === read.returnedIds.length && ids.every((id, index) => id === read.returnedIds[index]);
    const good = found.length === 1 && record?.Action === read.action && record.Actor === read.actor && sameIds;
    return good ? [] : [`the ${read.action} ${read.auditId} by ${read.actor} has ${found.length} records that fit`];
  });
}

/** The events told by others must come back in both vocabularies. */
export function unrecordedEvents({ samplePaymentTrail }: TrailReadings): string[] {
  return SENT_EVENT_IDS.flatMap((id) => {
    const found = samplePaymentTrail.filter(({ AuditID }) => AuditID === id);
    const [event] = found;
    const both = event?.user_id === event?.Actor && event?.timestamp === event?.Timestamp;
    return found.length === 1 && event?.Origin === "EVENT" && both ? [] : [`the event ${id} does not read back`];
  });
}
