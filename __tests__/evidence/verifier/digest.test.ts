import fc from "fast-check";
import { TABLES } from "../../../contract";
import { keyValuesOf, versionOf } from "../../../evidence/log/identity";
import { ItemDigester, parseItem } from "../../../evidence/verifier/digest";
import { ItemTemplate } from "../../../evidence/verifier/item-templates";
import { writeRecordId } from "../../../evidence/verifier/pairs";
import { ItemError } from "../../../ledger/exports/lines";
import { commitmentOf } from "../../../ledger/rules/commitment";
import { derivedAuditId } from "../../../ledger/rules/identifiers";
import { auditRecord, type Item, paymentRow, transactionRow, writeRecord } from "../../support/stored-records";

const TABLE_NAMES = Object.values(TABLES).map(({ logicalName }) => logicalName);

const name = fc.oneof(
  fc.constantFrom(
    "RecordedAt",
    "EventID",
    "processedAt",
    "StatusChangedAt",
    "A",
    "AB",
    "A-",
    "A.b",
    "Salt",
    "Version",
    "Status",
    "Caller",
    "a",
    "__proto__",
    "é",
  ),
  fc.stringMatching(/^[A-Za-z0-9_.-]{1,8}$/),
);
const text = fc.oneof(
  fc.stringMatching(/^[ -~]{0,30}$/),
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.constantFrom('"}', '":{"S":"', "\\", "\n", "\u2028", "}}", '"Salt":{"B":"', "\u007f", "\u0001"),
);
const simple = fc.oneof(
  text.map((S) => ({ S })),
  fc.integer().map((value) => ({ N: String(value) })),
  fc.uint8Array({ maxLength: 12 }).map((bytes) => ({ B: Buffer.from(bytes).toString("base64") })),
);
const attribute: fc.Arbitrary<object> = fc.oneof(
  { weight: 8, arbitrary: simple },
  fc.dictionary(name, simple, { maxKeys: 4 }).map((M) => ({ M })),
  fc.boolean().map((BOOL) => ({ BOOL })),
  fc.array(simple, { maxLength: 3 }).map((L) => ({ L })),
  fc.uniqueArray(text, { minLength: 1, maxLength: 3 }).map((SS) => ({ SS })),
  fc.constant({ NULL: true }),
);

/** An item of the table, its attributes in any order. */
const items = fc
  .record({
    table: fc.constantFrom(...TABLE_NAMES),
    attributes: fc.dictionary(name, attribute, { maxKeys: 8 }),
    key: fc.tuple(
      text.filter((each) => each !== ""),
      fc.nat(),
    ),
    order: fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
  })
  .map(({ table, attributes, key: [partition, sort], order }) => {
    const shape = Object.values(TABLES).find(({ logicalName }) => logicalName === table);
    const all: [string, object][] = Object.entries(attributes);
    all.push([shape?.partitionKey ?? "", { S: partition }]);
    if (shape !== undefined && "sortKey" in shape) all.push([shape.sortKey.name, { N: String(sort) }]);
    const shuffled = all.map((each, at) => [each, order[at] ?? 0] as const).sort((a, b) => a[1] - b[1]);
    return { table, item: Object.fromEntries(shuffled.map(([each]) => each)) as Item };
  });

function digestOf(table: (typeof TABLE_NAMES)[number], item: Item) {
  const times = ["StatusChangedAt", table.startsWith("Payment") ? "RecordedAt" : "processedAt"];
  const [writtenAt = ""] = times.flatMap((name) => {
    const { S } = (item[name] ?? {}) as { S?: string };
    return S === undefined ? [] : [S];
  });
  const digest = {
    keyText: keyValuesOf(table, item).join("\n"),
    version: versionOf(item),
    commitment: commitmentOf(table, item),
  };
  // A WRITE record is named from the partition key, but for events, of which a payment has many.
  const { S: eventId = "" } = (item["EventID"] ?? {}) as { S?: string };
  return { ...digest, writtenAt, ...(table === "PaymentEvents" ? { writtenAs: eventId } : {}) };
}

describe("an item's text gives the digest of the item", () => {
  test("for the records that the ledger writes, by a template", () => {
    const at = "2026-11-21T10:00:00.000Z";
    const records = [
      ["PaymentLedger", paymentRow("pay-1", at)],
      ["PaymentLedger", paymentRow("pay-2", at, 2)],
      ["PaymentAuditTrail", writeRecord("PaymentLedger", "pay-1", at)],
      ["PaymentAuditTrail", auditRecord("event-1", "READ", "PaymentLedger", "pay-1", at)],
      ["payment-transactions", transactionRow("txn-1", at)],
    ] as const;
    for (const [table, item] of records) {
      const digester = new ItemDigester(table);
      for (let times = 0; times < 3; times++)
        expect(digester.take(JSON.stringify(item))).toEqual(digestOf(table, item));
      expect(ItemTemplate.from(JSON.stringify(item), table)?.match(JSON.stringify(item))).toBeDefined();
    }
  });

  test("for items of any form, whatever was seen before", () => {
    const digesters = new Map(TABLE_NAMES.map((table) => [table, new ItemDigester(table)]));
    fc.assert(
      fc.property(items, ({ table, item }) => {
        const form = JSON.stringify(item);
        for (const digester of [digesters.get(table), new ItemDigester(table)]) {
          expect(digester?.take(form)).toEqual(digestOf(table, item));
          expect(digester?.take(item)).toEqual(digestOf(table, item));
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("for items of the same form with other values", () => {
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 3, maxLength: 3 }),
        fc.stringMatching(/^[0-9]{1,5}$/),
        (texts, version) => {
          const digester = new ItemDigester("PaymentLedger");
          const [a = "", b = "", c = ""] = texts;
          for (const [x, y, z] of [
            ["1", "2", "3"],
            [a, b, c],
            [c, a, b],
          ] as const) {
            const item = {
              Z: { S: x },
              TransactionID: { S: `id${y}` },
              Salt: { B: "AAAA" },
              M: { M: { b: { S: z }, a: { N: "1" } } },
              Version: { N: version },
            };
            expect(digester.take(JSON.stringify(item))).toEqual(digestOf("PaymentLedger", item));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test("for a text with white space and needless escapes", () => {
    const item = paymentRow("pay-1", "2026-11-21T10:00:00.000Z");
    const expected = digestOf("PaymentLedger", item);
    const spaced = JSON.stringify(item, undefined, 2);
    const escaped = JSON.stringify(item).replaceAll("-", "\\u002d").replaceAll("/", "\\/");
    for (const form of [spaced, escaped]) expect(new ItemDigester("PaymentLedger").take(form)).toEqual(expected);
  });
});

test("each form is learnt once, also where items of several forms alternate", () => {
  const learn = jest.spyOn(ItemTemplate, "from");
  const digester = new ItemDigester("payment-audit-trail");
  for (let round = 0; round < 5; round++) {
    for (const form of ["A", "B", "C"]) digester.take(JSON.stringify({ paymentId: { S: "m" }, [form]: { S: "x" } }));
  }
  const calls = learn.mock.calls.length;
  learn.mockRestore();
  expect(calls).toBe(3);
});

test("after more forms than are remembered, items are still read", () => {
  const digester = new ItemDigester("payment-audit-trail");
  for (let form = 0; form < 200; form++) {
    const item = { paymentId: { S: "m" }, [`A${form}`]: { S: "x" } };
    expect(digester.take(JSON.stringify(item))).toEqual(digestOf("payment-audit-trail", item));
  }
});

describe("no item", () => {
  const good = JSON.stringify(paymentRow("pay-1", "2026-11-21T10:00:00.000Z"));
  test.each([
    ["nothing", ""],
    ["no JSON", good.slice(1)],
    ["something behind it", `${good}}`],
    ["a comma too many", good.replace("},", "},,")],
    ["a comma at its end", good.replace(/\}$/, ",}")],
    ["a comma at the end of a map", '{"TransactionID":{"S":"a"},"M":{"M":{"a":{"S":"b"},}}}'],
    ["no commas", good.replaceAll("},", "}")],
    ["a control character in a text", good.replace("EUR", "E\u0001R")],
    ["a list", "[]"],
    ["a text", '"x"'],
    ["null", "null"],
    ["a value without its type", '{"TransactionID":"pay-1"}'],
    ["an attribute twice", good.replace("{", '{"Amount":{"S":"1"},')],
    ["a salt twice, of which one would fit", good.replace("{", '{"Salt":{"B":"AAAA"},')],
    ["a salt twice, the same", good.replace("{", `{"Salt":${/"Salt":(\{[^}]*\})/.exec(good)?.[1]},`)],
    ["a key twice", good.replace("{", '{"TransactionID":{"S":"pay-1"},')],
    ["a member of a map twice", '{"TransactionID":{"S":"a"},"M":{"M":{"a":{"S":"b"},"a":{"S":"c"}}}}'],
    ["a type twice", '{"TransactionID":{"S":"a","S":"b"}}'],
    ["half of a surrogate pair", '{"TransactionID":{"S":"a"},"X":{"S":"\\ud800"}}'],
    ["half of a surrogate pair as it is", '{"TransactionID":{"S":"a"},"X":{"S":"\ud800"}}'],
    ["too many levels", `{"TransactionID":{"S":"a"},"X":${'{"L":['.repeat(200)}${"]}".repeat(200)}}`],
    ["very many levels", `{"TransactionID":{"S":"a"},"X":${'{"L":['.repeat(50_000)}${"]}".repeat(50_000)}}`],
  ])("is %s", (_name, form) => {
    expect(() => new ItemDigester("PaymentLedger").take(form)).toThrow(ItemError);
  });

  test("is a text where a template was learnt from a good one", () => {
    const digester = new ItemDigester("PaymentLedger");
    digester.take(good);
    for (const form of [`${good} x`, good.replace("}}", "}},"), good.replace("EUR", "E\u0001R")]) {
      expect(() => digester.take(form)).toThrow(ItemError);
    }
  });

  test("can make anything but an ItemError", () => {
    const digester = new ItemDigester("PaymentLedger");
    const near = fc.record({ at: fc.nat(good.length), put: fc.string({ maxLength: 3 }), cut: fc.nat(4) });
    const forms = fc.oneof(
      fc.string(),
      fc.json(),
      near.map(({ at, put, cut }) => good.slice(0, at) + put + good.slice(at + cut)),
    );
    fc.assert(
      fc.property(forms, (form) => {
        try {
          const read = digester.take(form);
          expect(read).toEqual(digestOf("PaymentLedger", parseItem(form)));
        } catch (error) {
          expect(error).toBeInstanceOf(ItemError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

test("a WRITE record's id is derived as the ledger derives it", () => {
  fc.assert(
    fc.property(fc.constantFrom(...TABLE_NAMES), fc.string({ unit: "grapheme" }), (table, id) => {
      expect(writeRecordId(table, id)).toBe(derivedAuditId("WRITE", table, id));
    }),
  );
});
