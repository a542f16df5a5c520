/**
 * For other services: sends audit events to the ledger's FIFO queue, checked by the ledger's own rules before they leave,
 * so that what SQS has taken will be recorded. Documented in docs/clients.md.
 */

import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { CodedError } from "../contract";
import { parseAuditEvent } from "../ledger/rules/audit-event";
import { groupedBy } from "../ledger/rules/grouped";
import { harmfulInput } from "../ledger/rules/harmful-input";
import { type Refusal, refusal } from "../ledger/rules/refusals";
import type { AuditEventInput } from "./results";

export interface AuditEventClientOptions {
  readonly sqs: SQSClient;
  /** URL of `payment-audit-trail.fifo`. */
  readonly queueUrl: string;
  /** How often one event is tried before it is given up. Default: 5. */
  readonly attemptsMax?: number;
  /** The wait after the first failed try, doubled with each further one and spread at random. Default: 100. */
  readonly backoffMs?: number;
  readonly now?: () => Date;
}

/** An event that SQS has taken. */
export interface SentEvent {
  /** Position in what was given to `send`. */
  readonly position: number;
  readonly AuditID: string;
}

export interface RefusedEvent extends Refusal {
  readonly position: number;
}

export interface UnsentEvent {
  readonly position: number;
  readonly AuditID: string;
  /** SQS's own code, the name of the error, or `EARLIER_EVENT_UNSENT`: an event before it in its group was not sent. */
  readonly reason: string;
  /** With its AuditID; give it to `send` again, and it is recorded once. */
  readonly event: AuditEventInput;
}

/** `refused`: some events break a rule of the ledger, and none of the call was sent. */
export type SendResult =
  | { readonly outcome: "sent"; readonly events: readonly SentEvent[] }
  | { readonly outcome: "refused"; readonly refusals: readonly RefusedEvent[] };

/** Some events did not reach SQS. Those in `sent` did, and are not lost. */
export class AuditEventsNotSent extends CodedError<"EVENTS_NOT_SENT"> {
  override readonly name = "AuditEventsNotSent";

  constructor(
    readonly unsent: readonly UnsentEvent[],
    readonly sent: readonly SentEvent[],
  ) {
    super(
      "EVENTS_NOT_SENT",
      `${unsent.length} audit events did not reach the queue (${[...new Set(unsent.map(({ reason }) => reason))].join(", ")}); ${sent.length} did. ` +
        "An event is audited only once it is in the queue. Send those in `unsent` again: they carry their AuditID.",
    );
  }
}

/** SQS's bounds for one call. */
const BATCH_EVENTS_MAX = 10;
const BATCH_BYTES_MAX = 256 * 1024;
const ATTEMPTS_MAX = 5;
const BACKOFF_MS = 100;

interface Prepared {
  readonly position: number;
  readonly auditId: string;
  readonly group: string;
  readonly body: string;
  readonly event: AuditEventInput;
  attempts: number;
}

export class AuditEventClient {
  constructor(private readonly options: AuditEventClientOptions) {}

  /**
   * Returns once SQS has taken every event, in the order given within each payment, or at once if any breaks a rule.
   * @throws AuditEventsNotSent naming those that SQS did not take.
   */
  async send(events: AuditEventInput | readonly AuditEventInput[]): Promise<SendResult> {
    const { prepared, refusals } = this.prepare(isList(events) ? events : [events]);
    if (refusals.length > 0) return { outcome: "refused", refusals };
    const sent: SentEvent[] = [];
    const unsent: UnsentEvent[] = [];
    const groups = groupedBy(prepared, ({ group }) => group);
    while (groups.size > 0) await this.sendNext(groups, sent, unsent);
    if (unsent.length === 0) return { outcome: "sent", events: inOrder(sent) };
    throw new AuditEventsNotSent(inOrder(unsent), inOrder(sent));
  }

  private prepare(events: readonly AuditEventInput[]): { prepared: Prepared[]; refusals: RefusedEvent[] } {
    const now = this.options.now?.() ?? new Date();
    const refusals: RefusedEvent[] = [];
    const prepared: Prepared[] = [];
    for (const [position, given] of events.entries()) {
      const refused = refusalOf(given, now);
      if (refused === undefined) prepared.push(preparedEvent(given, position, now));
      else refusals.push({ position, ...refused });
    }
    return { prepared, refusals };
  }

  /**
   * The first event of up to ten groups. Never two of one group: SQS takes or refuses each message of a batch by itself, so
   * a later event could be taken before an earlier one that must be tried again.
   */
  private async sendNext(groups: Map<string, Prepared[]>, sent: SentEvent[], unsent: UnsentEvent[]): Promise<void> {
    const batch = nextBatch(groups);
    const failures = await this.sendBatch(batch);
    for (const event of batch) {
      const reason = failures.get(event);
      if (reason === undefined) sent.push({ position: event.position, AuditID: event.auditId });
      else if (reason.mayPass && ++event.attempts < (this.options.attemptsMax ?? ATTEMPTS_MAX)) continue;
      else giveUp(groups.get(event.group) ?? [], reason.code, unsent);
      const rest = reason === undefined ? (groups.get(event.group) ?? []).slice(1) : [];
      if (rest.length === 0) groups.delete(event.group);
      else moveBehind(groups, event.group, rest);
    }
    const tried = Math.max(0, ...batch.map(({ attempts }) => attempts));
    if (tried > 0 && groups.size > 0) await sleep(backoff(this.options.backoffMs ?? BACKOFF_MS, tried));
  }

  private async sendBatch(batch: readonly Prepared[]): Promise<Map<Prepared, Failure>> {
    const Entries = batch.map(({ body, group, auditId }, index) => ({
      Id: String(index),
      MessageBody: body,
      MessageGroupId: group,
      MessageDeduplicationId: auditId,
    }));
    try {
      const answer = await this.options.sqs.send(
        new SendMessageBatchCommand({ QueueUrl: this.options.queueUrl, Entries }),
      );
      return failuresOf(batch, answer.Successful ?? [], answer.Failed ?? []);
    } catch (error) {
      // Whether SQS took them is unknown. The deduplication id makes trying again safe.
      const code = error instanceof Error ? error.name : "UNKNOWN";
      const fault = (error as { $fault?: string }).$fault;
      return new Map(batch.map((event) => [event, { code, mayPass: fault !== "client" || isThrottled(error) }]));
    }
  }
}

interface Failure {
  readonly code: string;
  /** It may be taken the next time. */
  readonly mayPass: boolean;
}

function failuresOf(
  batch: readonly Prepared[],
  successful: readonly { Id?: string | undefined }[],
  failed: readonly { Id?: string | undefined; Code?: string | undefined; SenderFault?: boolean | undefined }[],
): Map<Prepared, Failure> {
  const taken = new Set(successful.map(({ Id }) => Id));
  const failures = batch.flatMap((event, index): [Prepared, Failure][] => {
    if (taken.has(String(index))) return [];
    const failure = failed.find(({ Id }) => Id === String(index));
    // Named nowhere in the answer: not known to be taken.
    return [[event, { code: failure?.Code ?? "NO_ANSWER", mayPass: failure?.SenderFault !== true }]];
  });
  return new Map(failures);
}

function isThrottled(error: unknown): boolean {
  return error instanceof Error && /Throttl|TooManyRequests|RequestLimit/.test(error.name);
}

/** What of the group was not sent may not overtake the event that could not be. */
function giveUp(group: readonly Prepared[], reason: string, unsent: UnsentEvent[]): void {
  for (const [index, { position, auditId, event }] of group.entries()) {
    unsent.push({ position, AuditID: auditId, reason: index === 0 ? reason : "EARLIER_EVENT_UNSENT", event });
  }
}

function nextBatch(groups: ReadonlyMap<string, readonly Prepared[]>): Prepared[] {
  const batch: Prepared[] = [];
  let bytes = 0;
  for (const [first] of groups.values()) {
    if (first === undefined) continue;
    const size = Buffer.byteLength(first.body);
    if (batch.length > 0 && (batch.length === BATCH_EVENTS_MAX || bytes + size > BATCH_BYTES_MAX)) break;
    batch.push(first);
    bytes += size;
  }
  return batch;
}

/** Groups take turns. */
function moveBehind(groups: Map<string, Prepared[]>, group: string, rest: Prepared[]): void {
  groups.delete(group);
  groups.set(group, rest);
}

/** What is judged is what will be sent: the JSON of the event, without what JSON leaves out. */
function refusalOf(given: AuditEventInput, now: Date): Refusal | undefined {
  const text = jsonOf(given);
  if (text === undefined) return refusal("NOT_JSON");
  if (Buffer.byteLength(text) > BATCH_BYTES_MAX) return refusal("INVALID_DETAILS");
  const event = JSON.parse(text) as unknown;
  const harmful = harmfulInput(event);
  if (harmful !== undefined) return harmful;
  const parsed = parseAuditEvent(event, now);
  return parsed.ok ? undefined : parsed.refusal;
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function preparedEvent(given: AuditEventInput, position: number, now: Date): Prepared {
  const auditId = given.AuditID ?? newAuditId(now);
  const event = { ...given, AuditID: auditId };
  return { position, auditId, group: groupOf(given), body: JSON.stringify(event), event, attempts: 0 };
}

/** Order is kept within a payment; what concerns none keeps its order within its actor. `~` is in no id of a payment. */
function groupOf({ TransactionID, Actor, user_id }: AuditEventInput): string {
  if (TransactionID !== undefined) return TransactionID;
  const actor = createHash("sha256")
    .update(Actor ?? user_id ?? "")
    .digest("base64url");
  return `actor~${actor}`;
}

/** A UUID of version 7 (RFC 9562): the time first, so that ids sort as the events were made. */
function newAuditId(now: Date): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now.getTime(), 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function backoff(firstMs: number, attempt: number): number {
  return Math.random() * firstMs * 2 ** attempt;
}

function inOrder<T extends { readonly position: number }>(events: readonly T[]): T[] {
  return events.toSorted((a, b) => a.position - b.position);
}

function isList(events: AuditEventInput | readonly AuditEventInput[]): events is readonly AuditEventInput[] {
  return Array.isArray(events);
}
