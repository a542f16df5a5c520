import { createHash } from "node:crypto";
import fc from "fast-check";
import type { ItemJson } from "../../../ledger/rules/attribute-value";
import { CanonicalJsonError, canonicalJson } from "../../../ledger/rules/canonical-json";
import { commitmentOf } from "../../../ledger/rules/commitment";
import { naiveCommitment } from "../../evidence/sealing/naive-log";
import { anyCharacter } from "../../support/any-character";

const sha256 = (text: string) => createHash("sha256").update(text, "utf8").digest("base64url");

/** As it is specified: the set members sorted, everything else as it is stored. */
function specified(table: string, item: ItemJson): string {
  const { Salt, ...unsalted } = item;
  const salt = Salt !== undefined && Object.keys(Salt).join() === "B" ? (Salt as { B: string }).B : null;
  const covered = salt === null ? item : unsalted;
  return sha256(canonicalJson(["payment-ledger/commitment/1", salt, table, withSortedSets(covered)]));
}

function withSortedSets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedSets);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) =>
    ["SS", "NS", "BS"].includes(name) && Array.isArray(member)
      ? ([name, [...(member as string[])].sort()] as const)
      : ([name, withSortedSets(member)] as const),
  );
  return Object.fromEntries(members);
}

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: anyCharacter }),
  fc.constantFrom("", '"', "\\", "\u007f", "\u2028", "é"),
);
const binary = fc.uint8Array({ maxLength: 24 }).map((bytes) => Buffer.from(bytes).toString("base64"));
const number = fc.integer().map(String);
const name = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.constantFrom("__proto__", "constructor", "SS", "B", "Mac", "10", "9"),
);
const { attribute } = fc.letrec((tie) => ({
  attribute: fc.oneof(
    { depthSize: "small" },
    text.map((S) => ({ S })),
    number.map((N) => ({ N })),
    binary.map((B) => ({ B })),
    fc.boolean().map((BOOL) => ({ BOOL })),
    fc.constant({ NULL: true }),
    fc.uniqueArray(text, { minLength: 1, maxLength: 5 }).map((SS) => ({ SS })),
    fc.uniqueArray(number, { minLength: 1, maxLength: 5 }).map((NS) => ({ NS })),
    fc.uniqueArray(binary, { minLength: 1, maxLength: 5 }).map((BS) => ({ BS })),
    fc.array(tie("attribute"), { maxLength: 4 }).map((L) => ({ L })),
    fc.array(fc.tuple(name, tie("attribute")), { maxLength: 4 }).map((members) => ({ M: Object.fromEntries(members) })),
  ),
}));
const salt = fc.oneof(
  fc.constant(undefined),
  binary.map((B) => ({ B })),
  text.map((S) => ({ S })),
);
const item: fc.Arbitrary<ItemJson> = fc
  .tuple(fc.array(fc.tuple(name, attribute), { maxLength: 8 }), salt)
  .map(
    ([members, Salt]) => Object.fromEntries(Salt === undefined ? members : [...members, ["Salt", Salt]]) as ItemJson,
  );

test("for any item it is SHA-256 over the canonical JSON that the format names", () => {
  fc.assert(
    fc.property(item, (each) => {
      expect(commitmentOf("PaymentLedger", each)).toBe(specified("PaymentLedger", each));
    }),
    { numRuns: 2_000 },
  );
});

test("neither the order of attributes nor that of a set's members changes it", () => {
  const one = { A: { SS: ["b", "a", "\u{1f600}", "\uffff"] }, B: { M: { x: { NS: ["2", "10"] }, w: { S: "1" } } } };
  const other = { B: { M: { w: { S: "1" }, x: { NS: ["10", "2"] } } }, A: { SS: ["\uffff", "a", "\u{1f600}", "b"] } };
  expect(commitmentOf("PaymentLedger", one)).toBe(commitmentOf("PaymentLedger", other));
  expect(commitmentOf("PaymentLedger", { A: { L: [{ S: "a" }, { S: "b" }] } })).not.toBe(
    commitmentOf("PaymentLedger", { A: { L: [{ S: "b" }, { S: "a" }] } }),
  );
});

test("table, salt and every attribute count; types differ", () => {
  const base = { TransactionID: { S: "t" }, Salt: { B: "AAAA" } };
  const others = [
    commitmentOf("PaymentAuditTrail", base),
    commitmentOf("PaymentLedger", { ...base, Salt: { B: "AAAB" } }),
    commitmentOf("PaymentLedger", { ...base, Salt: { S: "AAAA" } }),
    commitmentOf("PaymentLedger", { TransactionID: { S: "t" } }),
    commitmentOf("PaymentLedger", { ...base, TransactionID: { B: "t" } }),
    commitmentOf("PaymentLedger", { ...base, Extra: { NULL: true } }),
  ];
  expect(new Set([...others, commitmentOf("PaymentLedger", base)]).size).toBe(others.length + 1);
});

/** Golden: the text was written out by hand, so that a change of the format cannot pass. */
test("golden commitments", () => {
  const plain = { TransactionID: { S: "txn-1" }, Version: { N: "1" }, Salt: { B: "AAECAwQFBgcICQoLDA0ODw==" } };
  const plainText =
    '["payment-ledger/commitment/1","AAECAwQFBgcICQoLDA0ODw==","PaymentLedger",{"TransactionID":{"S":"txn-1"},"Version":{"N":"1"}}]';
  expect(commitmentOf("PaymentLedger", plain)).toBe(sha256(plainText));
  expect(commitmentOf("PaymentLedger", plain)).toBe("BSpinggUWVHemcgpazOrzLHG3MsIyBSjLVTHnEZY3z8");
  expect(naiveCommitment("PaymentLedger", plain)).toBe("BSpinggUWVHemcgpazOrzLHG3MsIyBSjLVTHnEZY3z8");
  const odd = {
    "€": { S: 'a"b\\c\n\u00e9\u{1f600}' },
    A: { M: { z: { BOOL: false }, a: { NULL: true } } },
    S: { SS: ["b", "a"] },
  };
  const oddText =
    '["payment-ledger/commitment/1",null,"payment-transactions",{"A":{"M":{"a":{"NULL":true},"z":{"BOOL":false}}},"S":{"SS":["a","b"]},"€":{"S":"a\\"b\\\\c\\né😀"}}]';
  expect(commitmentOf("payment-transactions", odd)).toBe(sha256(oddText));
  expect(commitmentOf("payment-transactions", odd)).toBe("SvWi-pZGUEvIag08z1jjeUApL7kcpElNdZGvqxK5zAI");
});

test.each<[string, ItemJson]>([
  ["a text", { A: { S: "tok_\ud800" } }],
  ["an attribute name", { "\udc00": { S: "a" } }],
  ["a nested text", { A: { L: [{ M: { x: { S: "\ud800" } } }] } }],
  ["the salt", { Salt: { B: "\ud800" } }],
])("a lone surrogate in %s is refused", (_where, each) => {
  expect(() => commitmentOf("PaymentLedger", each)).toThrow(CanonicalJsonError);
});
