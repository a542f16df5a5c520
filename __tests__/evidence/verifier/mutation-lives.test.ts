/** The events of payments, changed in every way that somebody with the tables could: each change is named. */

import type { FindingCode, VerificationReport } from "../../../evidence/verifier/report";
import { commitmentOf } from "../../../ledger/rules/commitment";
import { liveThrough } from "../../support/log-world";
import type { Item } from "../../support/stored-records";
import { Draft, genuineDraft } from "../../support/verified-world";

const genuine = genuineDraft(liveThrough);
const draft = () => new Draft(genuine.built);
const EVENTS = "PaymentEvents";
const rowOf = (keyText: string) => genuine.world.rows(EVENTS).get(keyText) as Item;

/** The codes of the findings of one event, or of all. */
function codesOf({ findings }: VerificationReport, keyText?: string): FindingCode[] {
  return findings.filter(({ key }) => keyText === undefined || key?.join("\n") === keyText).map(({ code }) => code);
}

test("genuine lives are ok and counted, with what is open in them", async () => {
  const report = await draft().verify();
  expect(report).toMatchObject({ verdict: "ok", findings: [], counts: { lives: 2, openHolds: 0, openBreaches: 1 } });
});

test("a life is judged the same where the events do not fit into memory at once", async () => {
  expect(await draft().verify({ heldMax: 3 })).toMatchObject({ verdict: "ok", counts: { lives: 2, openBreaches: 1 } });
  const changed = draft();
  changed.changeItem(EVENTS, "pay-7\n2", () => undefined);
  expect(codesOf(await changed.verify({ heldMax: 3 }))).toContain("LIFE_EVENT_MISSING");
});

test("a hold that is open for more than a week when the export was taken is counted as old", async () => {
  const late = genuineDraft((world) => {
    world.happen("pay-7", "authorisation-7", "AUTHORISED", "125.50");
    world.happen("pay-7", "capture-7", "CAPTURED", "100.00");
    world.happen("pay-7", "hold-7", "REFUND_HELD", "20.00");
    world.clock += 8 * 24 * 3600;
  });
  const now = new Date(Date.UTC(2025, 10, 30, 12));
  expect((await late.verify({ now })).counts).toMatchObject({ openHolds: 1, oldHolds: 1 });
});

test("an event removed from the middle: the one behind it names the gap", async () => {
  const changed = draft();
  changed.changeItem(EVENTS, "pay-7\n2", () => undefined);
  const report = await changed.verify();
  expect(codesOf(report, "pay-7\n3")).toEqual(["LIFE_EVENT_MISSING"]);
  expect(codesOf(report)).toEqual(expect.arrayContaining(["RECORD_MISSING", "ROW_MISSING"]));
});

test("the last event removed: the log and its WRITE record name it", async () => {
  const changed = draft();
  changed.changeItem(EVENTS, "pay-7\n5", () => undefined);
  expect(codesOf(await changed.verify())).toEqual(expect.arrayContaining(["RECORD_MISSING", "ROW_MISSING"]));
});

test("an event doubled at the next place", async () => {
  const changed = draft();
  const copy = { ...rowOf("pay-7\n5"), Place: { N: "6" } };
  changed.changeLines(EVENTS, (lines) => [...lines, JSON.stringify({ Item: copy })]);
  const report = await changed.verify();
  expect(codesOf(report, "pay-7\n6")).toEqual(
    expect.arrayContaining(["RECORD_UNSEALED", "LIFE_NOT_LINKED", "LIFE_EVENT_REPEATED"]),
  );
});

test("two events in each other's place", async () => {
  const changed = draft();
  const [second, third] = [rowOf("pay-7\n2"), rowOf("pay-7\n3")];
  changed.changeItem(EVENTS, "pay-7\n2", () => ({ ...third, Place: { N: "2" } }));
  changed.changeItem(EVENTS, "pay-7\n3", () => ({ ...second, Place: { N: "3" } }));
  const report = await changed.verify();
  expect(codesOf(report, "pay-7\n2")).toEqual(expect.arrayContaining(["RECORD_ALTERED", "LIFE_NOT_LINKED"]));
  expect(codesOf(report, "pay-7\n3")).toEqual(expect.arrayContaining(["RECORD_ALTERED", "LIFE_NOT_LINKED"]));
});

const CHANGES: readonly [string, (item: Item) => Item, FindingCode][] = [
  ["its amount", (item) => ({ ...item, Amount: { S: "100.01" } }), "LIFE_STATE_WRONG"],
  ["its state", (item) => ({ ...item, State: { M: {} } }), "LIFE_STATE_WRONG"],
  ["its postings, to zero", (item) => ({ ...item, Postings: { L: [] } }), "LIFE_POSTINGS_WRONG"],
  ["its mode", (item) => ({ ...item, Mode: { S: "none" } }), "LIFE_EVENT_UNREADABLE"],
  ["its breach", (item) => ({ ...item, Breach: { L: [{ S: "OVER_CAPTURED" }] } }), "LIFE_BREACH_WRONG"],
  ["its kind", (item) => ({ ...item, Kind: { S: "FEE" } }), "LIFE_STATE_WRONG"],
  ["its predecessor", (item) => ({ ...item, Previous: { S: "x" } }), "LIFE_NOT_LINKED"],
];

test.each(CHANGES)("an event altered in %s is named, and so is the one behind it", async (_, change, code) => {
  const changed = draft();
  changed.changeItem(EVENTS, "pay-7\n2", change);
  const report = await changed.verify();
  expect(codesOf(report, "pay-7\n2")).toEqual(expect.arrayContaining(["RECORD_ALTERED", code]));
  expect(codesOf(report, "pay-7\n3")).toContain("LIFE_NOT_LINKED");
  expect(report.verdict).toBe("altered");
});

test("a rewritten chain after a changed event is found by the sums alone", async () => {
  const changed = draft();
  let before = { ...rowOf("pay-7\n2"), Amount: { S: "120.00" } };
  changed.changeItem(EVENTS, "pay-7\n2", () => before);
  for (const place of ["3", "4", "5"]) {
    const next: Item = { ...rowOf(`pay-7\n${place}`), Previous: { S: commitmentOf(EVENTS, before) } };
    changed.changeItem(EVENTS, `pay-7\n${place}`, () => next);
    before = next as typeof before;
  }
  const report = await changed.verify();
  expect(codesOf(report, "pay-7\n2")).toContain("LIFE_STATE_WRONG");
  expect(codesOf(report)).not.toContain("LIFE_NOT_LINKED");
});

test("a grant against a rule is named, however well it is linked", async () => {
  const granted = genuineDraft((world) => {
    world.happen("pay-7", "hold-7", "REFUND_HELD", "20.00");
  });
  expect(codesOf(await granted.verify(), "pay-7\n1")).toEqual(["LIFE_GRANT_BROKE_RULE"]);
});

test("the payment's row changed or removed after its life began", async () => {
  const changed = draft();
  changed.changeItem("PaymentLedger", "pay-7", (item) => ({ ...item, Amount: { S: "900.00" } }));
  expect(codesOf(await changed.verify(), "pay-7\n1")).toContain("LIFE_NOT_LINKED");
  const removed = draft();
  removed.changeItem("PaymentLedger", "pay-7", () => undefined);
  expect(codesOf(await removed.verify(), "pay-7\n1")).toContain("LIFE_ROW_MISSING");
});
