import { persistAuditEvents } from "../../../ledger/operations/persist-audit-events";
import { persistPayments } from "../../../ledger/operations/persist-payments";
import { queryAuditTrail } from "../../../ledger/operations/query-audit-trail";
import { queryLedger } from "../../../ledger/operations/query-ledger";
import { revealToken } from "../../../ledger/operations/reveal-token";
import { withRecordMac } from "../../../ledger/rules/record-mac";
import type { AuditQueryResponse, LedgerQueryResponse, RevealResponse } from "../../../ledger/rules/responses";
import { type StoredItem, textOf } from "../../../ledger/rules/stored-item";
import { FAULTS } from "../../../local/fault-proxy";
import { everythingIn, freshId, type Harness, paymentInput, startHarness } from "../../support/ledger-harness";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness?.stop());
afterEach(() => harness?.proxy.reset());

type Answered<T> = Extract<T, { outcome: "answered" }>;

async function query(event: Record<string, unknown>): Promise<Answered<LedgerQueryResponse>> {
  const response = await queryLedger(
    { Actor: "support-desk", ...event },
    harness.call("query_payment_ledger"),
    harness.services,
  );
  if (response.outcome !== "answered") throw new Error(`The query was refused: ${response.code}`);
  return response;
}

async function trail(event: Record<string, unknown>): Promise<Answered<AuditQueryResponse>> {
  const response = await queryAuditTrail(
    { Actor: "auditor", ...event },
    harness.call("query_payment_audit_trail"),
    harness.services,
  );
  if (response.outcome !== "answered") throw new Error(`The query was refused: ${response.code}`);
  return response;
}

const trailOf = async (TransactionID: string) => (await trail({ Query: "transaction", TransactionID })).records;
const reveal = (event: Record<string, unknown>): Promise<RevealResponse> =>
  revealToken(
    { Actor: "refund-service", Reason: "refund", ...event },
    harness.call("reveal_payment_token"),
    harness.services,
  );

async function record(...payments: Record<string, unknown>[]): Promise<void> {
  const response = await persistPayments(payments, harness.call(), harness.services);
  expect(response).toMatchObject({ counts: { stored: payments.length } });
}

const rowOf = async (id: string): Promise<StoredItem> => {
  const row = (await harness.scan("ledger")).find((item) => textOf(item, "TransactionID") === id);
  if (row === undefined) throw new Error("The payment has no row.");
  return row;
};
const touchesAudit = ({ input }: { input?: unknown }) => JSON.stringify(input ?? {}).includes("PaymentAuditTrail");

describe("reading one payment", () => {
  test("returns it masked, after the read was recorded with the id asked for and the id returned", async () => {
    const payment = paymentInput();
    await record(payment);
    const { payments, AuditID } = await query({ Query: "transaction", TransactionID: payment.TransactionID });
    expect(payments).toMatchObject([
      { TransactionID: payment.TransactionID, Amount: "10.50", SecureToken: "****", Version: 1 },
    ]);
    const read = (await trailOf(payment.TransactionID)).find((entry) => entry.AuditID === AuditID);
    expect(await query({ Query: "transaction", TransactionID: payment.TransactionID })).not.toHaveProperty("notFound");
    expect(read).toMatchObject({
      Action: "READ",
      Actor: "support-desk",
      query_record_id: payment.TransactionID,
      response_record_ids: [payment.TransactionID],
      query_result: "returned",
    });
  });

  test("a read that finds nothing is recorded too", async () => {
    const TransactionID = freshId("absent");
    expect(await trail({ Query: "transaction", TransactionID: freshId("absent") })).toMatchObject({ notFound: true });
    expect(await query({ Query: "life", TransactionID: freshId("absent") })).toMatchObject({ notFound: true });
    const answer = await query({ Query: "transaction", TransactionID });
    expect(answer).toMatchObject({ payments: [], notFound: true });
    expect(await trailOf(TransactionID)).toMatchObject([
      { Action: "READ", response_record_ids: [], query_result: "not-found" },
    ]);
  });

  test("when the audit record cannot be stored nothing is returned", async () => {
    const payment = paymentInput();
    await record(payment);
    harness.proxy.inject({ target: "DynamoDB.*", where: touchesAudit, fault: FAULTS.accessDenied() });
    await expect(query({ Query: "transaction", TransactionID: payment.TransactionID })).rejects.toThrow();
    await expect(reveal({ TransactionID: payment.TransactionID })).rejects.toThrow();
    await expect(trailOf(payment.TransactionID)).rejects.toThrow();
  });

  test.each([
    ["an attribute was changed", (row: StoredItem) => ({ ...row, Amount: { S: "99999.00" } })],
    ["an attribute was added", (row: StoredItem) => ({ ...row, Note: { S: "added" } })],
    ["an attribute was removed", ({ ContentMac: _mac, ...row }: StoredItem) => row as StoredItem],
    ["the MAC was removed", ({ Mac: _mac, ...row }: StoredItem) => row as StoredItem],
  ])("refuses the row and leaves an alarm record for each read when %s", async (_what, tamper) => {
    const payment = paymentInput();
    await record(payment);
    await harness.put("ledger", tamper(await rowOf(payment.TransactionID)));
    const answers = [
      await query({ Query: "transaction", TransactionID: payment.TransactionID }),
      await query({ Query: "transaction", TransactionID: payment.TransactionID }),
    ];
    for (const { payments, refused } of answers) {
      expect(payments).toEqual([]);
      expect(refused).toMatchObject([{ code: "RECORD_FORGED", TransactionID: payment.TransactionID }]);
    }
    const actions = (await trailOf(payment.TransactionID)).map((entry) => entry.Action);
    expect(actions.filter((action) => action === "ALARM")).toHaveLength(2);
    expect(harness.signals).toContain("IntegrityAlarm");
  });
});

describe("lists", () => {
  const range = { From: "2026-11-01T00:00:00Z", To: "2026-11-10T00:00:00Z" };

  /** Payments of one processor over several days, some at the same moment. */
  function spread(count: number, overrides: Record<string, unknown>): Record<string, unknown>[] {
    return Array.from({ length: count }, (_, index) =>
      paymentInput({ Timestamp: `2026-11-0${1 + (index % 5)}T0${index % 3}:00:00.000Z`, ...overrides }),
    );
  }

  async function allPages(
    event: Record<string, unknown>,
  ): Promise<{ ids: string[]; pages: Answered<LedgerQueryResponse>[] }> {
    const pages: Answered<LedgerQueryResponse>[] = [];
    let token: string | undefined;
    do {
      const page = await query({ ...event, ...(token === undefined ? {} : { PageToken: token }) });
      pages.push(page);
      token = page.NextPageToken;
    } while (token !== undefined && pages.length < 50);
    return { ids: pages.flatMap((page) => page.payments.map((payment) => payment.TransactionID)), pages };
  }

  test("by processor and time: every payment once, in order of time, over shards, days and pages", async () => {
    const ProcessorID = freshId("processor");
    const payments = spread(37, { ProcessorID });
    await record(...payments);
    const { ids, pages } = await allPages({ Query: "processor", ProcessorID, ...range, Limit: 7 });
    expect([...ids].sort()).toEqual(payments.map((payment) => String(payment["TransactionID"])).sort());
    const times = pages.flatMap((page) => page.payments.map((payment) => payment.Timestamp));
    expect(times).toEqual([...times].sort());
    expect(pages.slice(0, 5).every((page) => page.payments.length === 7)).toBe(true);
  });

  test("the range is exact at both ends", async () => {
    const ProcessorID = freshId("processor");
    const at = (Timestamp: string) => paymentInput({ ProcessorID, Timestamp });
    const inside = [at("2026-11-02T00:00:00.000Z"), at("2026-11-03T00:00:00.000Z")];
    await record(...inside, at("2026-11-01T23:59:59.999Z"), at("2026-11-03T00:00:00.001Z"));
    const { payments } = await query({
      Query: "processor",
      ProcessorID,
      From: "2026-11-02T00:00:00Z",
      To: "2026-11-03T00:00:00Z",
    });
    expect(payments.map((payment) => payment.TransactionID)).toEqual(inside.map((payment) => payment.TransactionID));
  });

  test("failures by time holds failures only", async () => {
    const when = "2026-10-05T00:00:00.000Z";
    const failure = paymentInput({ Status: "Failure", Timestamp: when });
    await record(failure, paymentInput({ Status: "Success", Timestamp: when }));
    const { payments } = await query({ Query: "failures", From: "2026-10-05T00:00:00Z", To: "2026-10-05T01:00:00Z" });
    expect(payments.map((payment) => payment.TransactionID)).toEqual([failure.TransactionID]);
  });

  test("a full page of 90 is one transaction: the read, and a pointer under each payment returned", async () => {
    const ProcessorID = freshId("processor");
    const payments = spread(91, { ProcessorID });
    await record(...payments.slice(0, 50));
    await record(...payments.slice(50));
    harness.proxy.reset();
    const page = await query({ Query: "processor", ProcessorID, ...range, Limit: 90 });
    expect(page.payments).toHaveLength(90);
    expect(harness.proxy.count("DynamoDB.TransactWriteItems")).toBe(1);
    const returned = page.payments[89]?.TransactionID ?? "";
    const pointer = (await trailOf(returned)).find((entry) => entry.PartOf !== undefined);
    expect(pointer).toMatchObject({ Action: "READ", Actor: "support-desk", PartOf: page.AuditID });
    const [read] = (await trail({ Query: "actor", OfActor: "support-desk", ...today(), Limit: 90 })).records.filter(
      (entry) => entry.AuditID === page.AuditID,
    );
    expect(read?.response_record_ids).toEqual(page.payments.map((payment) => payment.TransactionID));
  });

  test("a forged row in a list is left out and alarmed; the others are returned", async () => {
    const ProcessorID = freshId("processor");
    const payments = spread(3, { ProcessorID });
    await record(...payments);
    const victim = String(payments[1]?.["TransactionID"]);
    await harness.put("ledger", { ...(await rowOf(victim)), Status: { S: "Failure" } });
    const page = await query({ Query: "processor", ProcessorID, ...range });
    expect(page.payments).toHaveLength(2);
    expect(page.refused).toMatchObject([{ code: "RECORD_FORGED", TransactionID: victim }]);
  });

  test("an index row inserted under another day's key moves no page and hides nothing", async () => {
    const ProcessorID = freshId("processor");
    const payments = [1, 2, 3, 4].map((day) =>
      paymentInput({ ProcessorID, Timestamp: `2026-11-0${day}T00:00:00.000Z` }),
    );
    await record(...payments);
    const firstDay = textOf(await rowOf(String(payments[0]?.TransactionID)), "ProcessorDay") ?? "";
    await harness.put("ledger", {
      TransactionID: { S: freshId("forged") },
      ProcessorDay: { S: firstDay },
      TimeKey: { S: "2026-11-04T12:00:00.000Z#x" },
    });
    const { ids } = await allPages({ Query: "processor", ProcessorID, ...range, Limit: 2 });
    expect(ids).toEqual(payments.map((payment) => payment.TransactionID));
  });

  test.each([
    ["INVALID_QUERY", { Query: "everything" }],
    ["INVALID_LIMIT", { Query: "failures", ...range, Limit: 91 }],
    ["INVALID_LIMIT", { Query: "failures", ...range, Limit: 0 }],
    ["RANGE_TOO_LONG", { Query: "failures", From: "2026-01-01T00:00:00Z", To: "2026-03-01T00:00:00Z" }],
    ["RANGE_TOO_LONG", { Query: "failures", From: range.To, To: range.From }],
    ["INVALID_PAGE_TOKEN", { Query: "failures", ...range, PageToken: "bm90IGEgdG9rZW4" }],
    ["MISSING_FIELD", { Query: "processor", ...range }],
    ["INVALID_ACTOR", { Query: "failures", ...range, Actor: "" }],
    ["CARD_DATA", { Query: "transaction", TransactionID: "4111111111111111" }],
  ])("refuses with %s and records the refusal", async (code, event) => {
    const refusals = async () =>
      (await harness.scan("audit")).filter((item) => textOf(item, "Action") === "REFUSAL").length;
    const before = await refusals();
    const response = await queryLedger(
      { Actor: "support-desk", ...event },
      harness.call("query_payment_ledger"),
      harness.services,
    );
    expect(response).toMatchObject({ outcome: "refused", code });
    expect(await refusals()).toBe(before + 1);
  });

  test("a token of one query does not continue another", async () => {
    const ProcessorID = freshId("processor");
    await record(...spread(3, { ProcessorID }));
    const { NextPageToken } = await query({ Query: "processor", ProcessorID, ...range, Limit: 2 });
    const other = {
      Actor: "support-desk",
      Query: "processor",
      ProcessorID: "other",
      ...range,
      PageToken: NextPageToken,
    };
    expect(await queryLedger(other, harness.call("query_payment_ledger"), harness.services)).toMatchObject({
      code: "INVALID_PAGE_TOKEN",
    });
  });
});

describe("revealing a token", () => {
  test("returns the clear token after a REVEAL record was stored", async () => {
    const payment = paymentInput();
    await record(payment);
    expect(await reveal({ TransactionID: payment.TransactionID })).toMatchObject({
      outcome: "revealed",
      SecureToken: payment.SecureToken,
    });
    const actions = (await trailOf(payment.TransactionID)).map((entry) => [entry.Action, entry.Actor]);
    expect(actions).toContainEqual(["REVEAL", "refund-service"]);
    expect(everythingIn(await harness.scan("audit"))).not.toContain(payment.SecureToken);
  });

  test("swapped ciphertexts do not decrypt, even when their rows carry a good MAC", async () => {
    const [a, b] = [paymentInput(), paymentInput()];
    await record(a, b);
    const [rowA, rowB] = [await rowOf(a.TransactionID), await rowOf(b.TransactionID)];
    const { record: macKey } = await harness.services.macKeys();
    const swapped = { ...rowA, SecureToken: rowB["SecureToken"] ?? { S: "" }, FieldKey: rowB["FieldKey"] ?? { S: "" } };
    await harness.put("ledger", withRecordMac("PaymentLedger", swapped, macKey));
    await expect(reveal({ TransactionID: a.TransactionID })).rejects.toMatchObject({ code: "FIELD_NOT_DECRYPTABLE" });
  });

  test("swapped ciphertexts as an administrator could make them are refused as forged", async () => {
    const [a, b] = [paymentInput(), paymentInput()];
    await record(a, b);
    const rowB = await rowOf(b.TransactionID);
    await harness.put("ledger", { ...(await rowOf(a.TransactionID)), SecureToken: rowB["SecureToken"] ?? { S: "" } });
    expect(await reveal({ TransactionID: a.TransactionID })).toMatchObject({
      outcome: "refused",
      code: "RECORD_FORGED",
    });
  });

  test.each([
    ["NOT_FOUND", { TransactionID: "no-such-payment" }],
    ["MISSING_FIELD", { TransactionID: "x", Reason: undefined }],
    ["CARD_DATA", { TransactionID: "x", Reason: "pan 4111-1111-1111-1111" }],
  ])("refuses with %s", async (code, event) => {
    expect(await reveal(event)).toMatchObject({ outcome: "refused", code });
  });
});

describe("the audit trail", () => {
  test("reading the trail is in the trail", async () => {
    const payment = paymentInput();
    await record(payment);
    const first = await trail({ Query: "transaction", TransactionID: payment.TransactionID });
    const second = await trailOf(payment.TransactionID);
    expect(second.find((entry) => entry.AuditID === first.AuditID)).toMatchObject({
      Action: "AUDIT_READ",
      Actor: "auditor",
    });
  });

  test("by time and by actor, over pages, each record once", async () => {
    const OfActor = freshId("actor");
    // The claimed time does not place a record; the time of recording does.
    const recordedAt = new Date(Date.now() - 3 * 60 * 60 * 1000);
    const Timestamp = "2001-01-01T00:00:00.000Z";
    const events = Array.from({ length: 23 }, () => ({
      AuditID: freshId("event"),
      Actor: OfActor,
      Action: "EXPORT",
      Timestamp,
    }));
    await persistAuditEvents(events, harness.call("persist_payment_audit_trail", recordedAt), harness.services);
    const moment = recordedAt.toISOString();
    for (const asked of [{ Query: "actor", OfActor }, { Query: "time" }]) {
      const ids: string[] = [];
      let token: string | undefined;
      do {
        const page = await trail({
          ...asked,
          From: moment,
          To: moment,
          Limit: 5,
          ...(token === undefined ? {} : { PageToken: token }),
        });
        ids.push(...page.records.map((entry) => entry.AuditID));
        token = page.NextPageToken;
      } while (token !== undefined);
      expect([...ids].sort()).toEqual(events.map((event) => event.AuditID).sort());
    }
  });

  test("by transaction, over pages, in order of recording", async () => {
    const TransactionID = freshId();
    for (let index = 0; index < 7; index++) {
      await persistAuditEvents(
        { TransactionID, Actor: "user-service", Action: "READ" },
        harness.call("persist_payment_audit_trail"),
        harness.services,
      );
    }
    const seen: string[] = [];
    let token: string | undefined;
    do {
      const page = await trail({
        Query: "transaction",
        TransactionID,
        Limit: 3,
        ...(token === undefined ? {} : { PageToken: token }),
      });
      seen.push(...page.records.filter((entry) => entry.Origin === "EVENT").map((entry) => entry.RecordedAt));
      token = page.NextPageToken;
    } while (token !== undefined);
    expect(seen).toHaveLength(7);
    expect(seen).toEqual([...seen].sort());
  });

  test("a forged audit record is refused and alarmed", async () => {
    const payment = paymentInput();
    await record(payment);
    const [write] = await harness.trailOf(payment.TransactionID);
    const forgedId = `R~${"f".repeat(32)}`;
    await harness.put("audit", { ...write, AuditID: { S: forgedId }, Action: { S: "READ" } });
    const Actor = freshId("auditor");
    const { records, refused } = await trail({ Query: "transaction", TransactionID: payment.TransactionID, Actor });
    expect(records.map((entry) => entry.Action)).toEqual(["WRITE"]);
    expect(refused).toMatchObject([{ code: "RECORD_FORGED" }]);
    const alarms = (await trail({ Query: "actor", OfActor: Actor, ...today() })).records.filter(
      (entry) => entry.Action === "ALARM",
    );
    expect(alarms.map((entry) => entry.query_record_id)).toContain(forgedId);
  });
});

function today(): { From: string; To: string } {
  const now = Date.now();
  return { From: new Date(now - 60 * 60 * 1000).toISOString(), To: new Date(now + 60_000).toISOString() };
}
