import { readFileSync } from "node:fs";
import path from "node:path";
import { type SendMessageBatchCommand, SQSClient } from "@aws-sdk/client-sqs";
import { transformSync } from "esbuild";
import fc from "fast-check";
import { AuditEventClient, AuditEventsNotSent } from "../../client/audit-events";
import * as client from "../../client/index";
import type { AuditEventInput } from "../../client/results";
import { parseAuditEvent } from "../../ledger/rules/audit-event";
import { ALL_TEST_NUMBERS } from "../ledger/rules/card-test-numbers";
import { PROJECT } from "../support/project-files";

const NOW = new Date("2026-11-21T12:00:00.000Z");
const URL = "https://sqs.us-east-1.amazonaws.com/111122223333/payment-audit-trail.fifo";

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly MessageGroupId: string;
  readonly MessageDeduplicationId: string;
}

type Fate = "taken" | "refused" | "lostAnswer" | "unnamed";

/** SQS as documented: each entry is taken or refused by itself, a known deduplication id adds nothing. */
class FakeQueue {
  readonly taken: Entry[] = [];
  readonly batches: Entry[][] = [];
  private readonly known = new Set<string>();

  constructor(
    private readonly fate: (entry: Entry, call: number) => Fate | { code: string; senderFault: boolean } = () =>
      "taken",
  ) {}

  async send({ input }: SendMessageBatchCommand) {
    const entries = input.Entries as Entry[];
    this.batches.push(entries);
    const Successful: { Id: string }[] = [];
    const Failed: { Id: string; Code: string; SenderFault: boolean }[] = [];
    let lost = false;
    for (const entry of entries) {
      const fate = this.fate(entry, this.batches.length);
      if (typeof fate === "object") Failed.push({ Id: entry.Id, Code: fate.code, SenderFault: fate.senderFault });
      else if (fate === "refused") Failed.push({ Id: entry.Id, Code: "InternalError", SenderFault: false });
      else if (fate !== "unnamed") this.take(entry);
      if (fate === "taken") Successful.push({ Id: entry.Id });
      lost ||= fate === "lostAnswer";
    }
    if (lost) throw Object.assign(new Error("socket hang up"), { name: "TimeoutError" });
    return { Successful, Failed };
  }

  private take(entry: Entry): void {
    if (!this.known.has(entry.MessageDeduplicationId)) this.taken.push(entry);
    this.known.add(entry.MessageDeduplicationId);
  }
}

const clientOf = (queue: FakeQueue, attemptsMax = 5) =>
  new AuditEventClient({
    sqs: queue as unknown as SQSClient,
    queueUrl: URL,
    backoffMs: 0,
    attemptsMax,
    now: () => NOW,
  });

async function sentEvents(sending: Promise<client.SendResult>): Promise<readonly client.SentEvent[]> {
  const result = await sending;
  if (result.outcome === "refused") throw new Error("The events were refused.");
  return result.events;
}

const event = (transaction: string | undefined, order: number): AuditEventInput => ({
  ...(transaction === undefined ? {} : { TransactionID: transaction }),
  Actor: "support",
  Action: "READ",
  QueryDetails: { order },
});
const orderOf = ({ MessageBody }: Entry) =>
  (JSON.parse(MessageBody) as { QueryDetails: { order: number } }).QueryDetails.order;

describe("what is sent", () => {
  test("one event: its group is its payment, its deduplication id its AuditID, and the ledger takes it as it is", async () => {
    const queue = new FakeQueue();
    const [sent] = await sentEvents(clientOf(queue).send(event("txn-1", 1)));
    const [entry] = queue.taken;
    expect(entry).toMatchObject({ MessageGroupId: "txn-1", MessageDeduplicationId: sent?.AuditID });
    expect(sent?.AuditID).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const body = JSON.parse(entry?.MessageBody ?? "") as unknown;
    expect(parseAuditEvent(body, NOW)).toMatchObject({
      ok: true,
      value: { auditId: sent?.AuditID, transactionId: "txn-1" },
    });
  });

  test("an AuditID that the caller gives stays", async () => {
    const queue = new FakeQueue();
    expect(await clientOf(queue).send({ ...event("txn-1", 1), AuditID: "mine-1" })).toEqual({
      outcome: "sent",
      events: [{ position: 0, AuditID: "mine-1" }],
    });
    expect(queue.taken[0]).toMatchObject({ MessageDeduplicationId: "mine-1" });
  });

  test("made ids sort by time and never meet", async () => {
    const queue = new FakeQueue();
    const events = Array.from({ length: 200 }, (_, index) => event(`txn-${index}`, index));
    const sent = await sentEvents(clientOf(queue).send(events));
    expect(new Set(sent.map(({ AuditID }) => AuditID)).size).toBe(200);
    expect(new Set(sent.map(({ AuditID }) => AuditID.slice(0, 13))).size).toBe(1);
  });

  test("events without a payment are grouped by their actor, in either vocabulary, under what is no payment's id", async () => {
    const queue = new FakeQueue();
    await clientOf(queue).send([
      event(undefined, 1),
      { user_id: "support", QueryDetails: { order: 2 } },
      { Actor: "x".repeat(256), QueryDetails: { order: 3 } },
    ]);
    const groups = queue.taken.map(({ MessageGroupId }) => MessageGroupId);
    expect(new Set(groups).size).toBe(2);
    for (const group of groups) expect(group).toMatch(/^actor~[\w-]{43}$/);
  });

  test("a call has ten events, and no two of them are of the same payment", async () => {
    const queue = new FakeQueue();
    await clientOf(queue).send(Array.from({ length: 95 }, (_, index) => event(`txn-${index % 19}`, index)));
    expect(Math.max(...queue.batches.map(({ length }) => length))).toBe(10);
    expect(queue.batches.length).toBeLessThanOrEqual(11);
    for (const batch of queue.batches) {
      expect(new Set(batch.map(({ MessageGroupId }) => MessageGroupId)).size).toBe(batch.length);
    }
  });

  test("at most 256 KiB a call", async () => {
    const queue = new FakeQueue();
    const big = Array.from({ length: 12 }, (_, index) => ({
      ...event(`txn-${index}`, index),
      Response: "x".repeat(60_000),
    }));
    await clientOf(queue).send(big);
    const bytes = queue.batches.map((batch) =>
      batch.reduce((sum, { MessageBody }) => sum + Buffer.byteLength(MessageBody), 0),
    );
    expect(queue.batches.map(({ length }) => length)).toEqual([4, 4, 4]);
    expect(Math.max(...bytes)).toBeLessThanOrEqual(256 * 1024);
  });

  test("nothing, when there is nothing to send", async () => {
    const queue = new FakeQueue();
    expect(await clientOf(queue).send([])).toEqual({ outcome: "sent", events: [] });
    expect(queue.batches).toEqual([]);
  });
});

describe("what is refused", () => {
  test.each<[string, unknown, string]>([
    ["card data", { ...event("txn-1", 1), Response: { note: `card ${ALL_TEST_NUMBERS[0]}` } }, "CARD_DATA"],
    ["a token", { ...event("txn-1", 1), Response: { SecureToken: "tok_9fKx27Qm" } }, "TOKEN_IN_CLEAR"],
    ["a card number as the payment's id", event(ALL_TEST_NUMBERS[0], 1), "CARD_DATA"],
    ["nobody", { TransactionID: "txn-1" }, "MISSING_FIELD"],
    ["an unknown field", { ...event("txn-1", 1), Ip: "x" }, "UNKNOWN_FIELD"],
    ["two actors", { ...event("txn-1", 1), user_id: "other" }, "VOCABULARY_CONFLICT"],
    ["too much", { ...event("txn-1", 1), Response: "x".repeat(300_000) }, "INVALID_DETAILS"],
    [
      "a cycle",
      (() => {
        const details: { self?: object } = {};
        details.self = details;
        return { Actor: "a", QueryDetails: details };
      })(),
      "NOT_JSON",
    ],
    ["nothing", undefined, "NOT_JSON"],
    ["a number", 7, "NOT_AN_OBJECT"],
    ["an id of the ledger's own kind", { ...event("txn-1", 1), AuditID: "W~x" }, "INVALID_AUDIT_ID"],
  ])("%s, by the ledger's own code, and nothing of the call is sent", async (_, bad, code) => {
    const queue = new FakeQueue();
    const result = await clientOf(queue).send([event("txn-0", 0), bad as AuditEventInput, event("txn-2", 2)]);
    expect(result).toMatchObject({ outcome: "refused", refusals: [{ position: 1, code }] });
    expect(JSON.stringify(result)).not.toContain(ALL_TEST_NUMBERS[0]);
    expect(queue.batches).toEqual([]);
  });
});

describe("what SQS does not take at once", () => {
  test("is tried again, and the next event of its payment waits for it", async () => {
    let refusals = 3;
    const queue = new FakeQueue((entry) =>
      entry.MessageGroupId === "txn-1" && orderOf(entry) === 1 && refusals-- > 0 ? "refused" : "taken",
    );
    await clientOf(queue).send([event("txn-1", 1), event("txn-2", 2), event("txn-1", 3), event("txn-2", 4)]);
    expect(queue.taken.filter(({ MessageGroupId }) => MessageGroupId === "txn-1").map(orderOf)).toEqual([1, 3]);
    expect(queue.taken).toHaveLength(4);
  });

  test("is taken once although its answer was lost", async () => {
    const queue = new FakeQueue((_, call) => (call === 1 ? "lostAnswer" : "taken"));
    expect(await sentEvents(clientOf(queue).send([event("txn-1", 1), event("txn-2", 2)]))).toHaveLength(2);
    expect(queue.taken).toHaveLength(2);
    expect(queue.batches).toHaveLength(2);
  });

  test("is named in the end, with those behind it, and can be sent again as it is", async () => {
    let isDown = true;
    const queue = new FakeQueue((entry) =>
      isDown && entry.MessageGroupId === "txn-1" && orderOf(entry) === 1 ? "refused" : "taken",
    );
    const sender = clientOf(queue, 3);
    const events = [event("txn-1", 0), event("txn-1", 1), event("txn-2", 2), event("txn-1", 3)];
    const error = (await sender.send(events).catch((reason: unknown) => reason)) as AuditEventsNotSent;
    expect(error).toBeInstanceOf(AuditEventsNotSent);
    expect(error).toMatchObject({ code: "EVENTS_NOT_SENT", sent: [{ position: 0 }, { position: 2 }] });
    expect(error.unsent.map(({ position, reason }) => [position, reason])).toEqual([
      [1, "InternalError"],
      [3, "EARLIER_EVENT_UNSENT"],
    ]);
    isDown = false;
    await sender.send(error.unsent.map(({ event: unsent }) => unsent));
    expect(queue.taken.filter(({ MessageGroupId }) => MessageGroupId === "txn-1").map(orderOf)).toEqual([0, 1, 3]);
    expect(error.message).not.toContain("support");
  });

  test("is not tried again when the sender is at fault", async () => {
    const queue = new FakeQueue(() => ({ code: "InvalidMessageContents", senderFault: true }));
    await expect(clientOf(queue).send(event("txn-1", 1))).rejects.toMatchObject({
      unsent: [{ reason: "InvalidMessageContents" }],
    });
    expect(queue.batches).toHaveLength(1);
  });

  test("is not taken for sent when the answer does not name it", async () => {
    const queue = new FakeQueue(() => "unnamed");
    await expect(clientOf(queue, 2).send(event("txn-1", 1))).rejects.toMatchObject({
      unsent: [{ reason: "NO_ANSWER" }],
      sent: [],
    });
  });

  test("a call that SQS refuses as a whole is not repeated without end", async () => {
    const denied = Object.assign(new Error("no"), { name: "AccessDenied", $fault: "client" });
    let calls = 0;
    const send = async () => {
      calls += 1;
      throw denied;
    };
    const sender = new AuditEventClient({ sqs: { send } as unknown as SQSClient, queueUrl: URL, backoffMs: 0 });
    await expect(sender.send(event("txn-1", 1))).rejects.toMatchObject({ unsent: [{ reason: "AccessDenied" }] });
    expect(calls).toBe(1);
  });

  test("in any pattern of failures: order within each payment, each event once, and sent or named", async () => {
    const fates = fc.infiniteStream(
      fc.oneof(
        { weight: 3, arbitrary: fc.constant<Fate>("taken") },
        { weight: 2, arbitrary: fc.constantFrom<Fate>("refused", "lostAnswer", "unnamed") },
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 40 }), fates, async (payments, stream) => {
        const queue = new FakeQueue(() => stream.next().value);
        const events = payments.map((payment, index) => event(`txn-${payment}`, index));
        const outcome = await sentEvents(clientOf(queue, 3).send(events)).catch(
          (error: unknown) => error as AuditEventsNotSent,
        );
        const unsent = outcome instanceof AuditEventsNotSent ? outcome.unsent : [];
        const sent = outcome instanceof AuditEventsNotSent ? outcome.sent : outcome;
        expect([...sent, ...unsent].map(({ position }) => position).sort((a, b) => a - b)).toEqual(
          events.map((_, index) => index),
        );
        const taken = queue.taken.map(orderOf);
        for (const { position } of sent) expect(taken).toContain(position);
        expect(new Set(taken).size).toBe(taken.length);
        for (const payment of new Set(payments)) {
          const own = queue.taken.filter(({ MessageGroupId }) => MessageGroupId === `txn-${payment}`).map(orderOf);
          expect(own).toEqual(own.toSorted((a, b) => a - b));
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("docs/clients.md", () => {
  const text = readFileSync(path.join(PROJECT, "docs", "clients.md"), "utf8");
  const [, source = ""] = /```ts\n(import \{ SQSClient[\s\S]*?)```/.exec(text) ?? [];

  /** The example as it is written, with this project's client. */
  function example(): (sqs: SQSClient, url: string) => Promise<unknown> {
    const { code } = transformSync(source, { loader: "ts", format: "cjs" });
    const module = { exports: {} as { auditRefundLookup: (sqs: SQSClient, url: string) => Promise<unknown> } };
    const load = (name: string) => {
      const found = { "payment-ledger-client": client, "@aws-sdk/client-sqs": { SQSClient } }[name];
      if (found === undefined) throw new Error(`The example imports ${name}.`);
      return found;
    };
    new Function("module", "exports", "require", code)(module, module.exports, load);
    return module.exports.auditRefundLookup;
  }

  test("its example of audit events runs, and the ledger takes what it sends", async () => {
    const queue = new FakeQueue();
    expect(await example()(queue as unknown as SQSClient, URL)).toMatchObject({
      outcome: "sent",
      events: [{ position: 0, AuditID: expect.any(String) }],
    });
    expect(parseAuditEvent(JSON.parse(queue.taken[0]?.MessageBody ?? ""), new Date())).toMatchObject({ ok: true });
  });

  test("its example sends again what the queue did not take", async () => {
    const queue = new FakeQueue((_, call) => (call === 1 ? { code: "KmsDisabled", senderFault: true } : "taken"));
    expect(await example()(queue as unknown as SQSClient, URL)).toMatchObject({ outcome: "sent" });
    expect(queue.taken).toHaveLength(1);
  });

  test("names every class of the package, its outcomes and what it throws", () => {
    const words = ["EVENTS_NOT_SENT", "EARLIER_EVENT_UNSENT", "FUNCTION_FAILED"];
    for (const word of [...Object.keys(client), ...words]) expect(text).toContain(word);
  });
});
