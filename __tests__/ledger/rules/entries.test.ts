/** One entry, a list, or a list with its actor around it. */

import { ENTRIES_MAX, envelopeOf, type ListName, parseEntries } from "../../../ledger/rules/entries";

const many = (count: number) => Array.from({ length: count }, (_, index) => ({ TransactionID: `txn-${index}` }));

describe.each<ListName>(["payments", "events"])("%s", (listName) => {
  test.each<[string, unknown]>([
    ["an object", { TransactionID: "txn-1" }],
    ["an object wrapped for the other function", { [listName === "events" ? "payments" : "events"]: [] }],
    ["null", null],
    ["a text", "payments"],
    ["a number", 7],
  ])("%s is one entry, which the validation of its kind judges", (_name, event) => {
    expect(parseEntries(event, listName)).toEqual({ entries: [event] });
  });

  test("a list's entries keep their order, whatever each of them is", () => {
    const entries = [{ a: 1 }, null, "text", [[]], 7];
    expect(parseEntries(entries, listName)).toEqual({ entries });
    expect(parseEntries({ [listName]: entries }, listName)).toEqual({ entries });
    expect(parseEntries({ [listName]: entries, Actor: "importer", schemaVersion: 1 }, listName)).toEqual({
      entries,
      actor: "importer",
    });
  });

  test.each<[string, unknown, string, string | undefined]>([
    ["an empty list", [], "EMPTY_LIST", undefined],
    ["an empty wrapped list", { [listName]: [] }, "EMPTY_LIST", listName],
    ["501 entries", many(501), "LIST_TOO_LONG", undefined],
    ["501 wrapped entries", { [listName]: many(501) }, "LIST_TOO_LONG", listName],
    ["an object for a list", { [listName]: {} }, "NOT_AN_OBJECT", listName],
    ["null for a list", { [listName]: null }, "NOT_AN_OBJECT", listName],
    ["a bad actor", { [listName]: [{}], Actor: "a b" }, "INVALID_ACTOR", "Actor"],
    ["a bad version", { [listName]: [{}], schemaVersion: "1" }, "UNSUPPORTED_SCHEMA_VERSION", "schemaVersion"],
    ["anything else around it", { [listName]: [{}], TransactionID: "txn-1" }, "UNKNOWN_FIELD", undefined],
  ])("%s refuses the whole call", (_name, event, code, field) => {
    const parsed = parseEntries(event, listName);
    if (!("refusal" in parsed)) throw new Error("It was taken.");
    expect([parsed.refusal.code, parsed.refusal.field]).toEqual([code, field]);
  });

  test("a call carries up to 500 entries", () => {
    expect(ENTRIES_MAX).toBe(500);
    for (const event of [many(500), { [listName]: many(500) }]) {
      const parsed = parseEntries(event, listName);
      expect("entries" in parsed && parsed.entries.length).toBe(500);
    }
  });

  test("the members around a list are searched for card data separately from its entries", () => {
    expect(envelopeOf({ [listName]: [{ a: 1 }], Actor: "importer", Note: "x" }, listName)).toEqual({
      [listName]: [],
      Actor: "importer",
      Note: "x",
    });
    for (const event of [[{ a: 1 }], { a: 1 }, null, "text"]) expect(envelopeOf(event, listName)).toEqual({});
  });
});
