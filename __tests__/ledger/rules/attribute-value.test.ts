/** The ten attribute types of DynamoDB, with bytes and as DynamoDB JSON. */

import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { fromItemJson, type ItemJson, isTypedItem, itemText, toItemJson } from "../../../ledger/rules/attribute-value";
import { CanonicalJsonError, canonicalJson } from "../../../ledger/rules/canonical-json";
import type { StoredItem, StoredValue } from "../../../ledger/rules/stored-item";
import { storedItem } from "../../../ledger/store/transaction";
import { anyCharacter } from "../../support/any-character";

const BYTES = Uint8Array.of(0, 1, 250, 255);

const number = fc.oneof(fc.integer().map(String), fc.constantFrom("1.5", "-0.25", "1E+20", "9007199254740993"));
const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array));
const { value } = fc.letrec<{ value: StoredValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.record({ S: fc.string({ unit: anyCharacter }) }),
    fc.record({ N: number }),
    fc.record({ B: bytes }),
    fc.record({ BOOL: fc.boolean() }),
    fc.constant({ NULL: true } as const),
    fc.record({ M: fc.dictionary(fc.string(), tie("value")) }),
    fc.record({ L: fc.array(tie("value"), { maxLength: 4 }) }),
    fc.record({ SS: fc.array(fc.string(), { minLength: 1, maxLength: 4 }) }),
    fc.record({ NS: fc.array(number, { minLength: 1, maxLength: 4 }) }),
    fc.record({ BS: fc.array(bytes, { minLength: 1, maxLength: 4 }) }),
  ),
}));
const item: fc.Arbitrary<StoredItem> = fc.dictionary(fc.string(), value, { maxKeys: 8 });

test("DynamoDB JSON is what a DynamoDB export writes: binary as base64, at every depth", () => {
  const item: StoredItem = {
    Text: { S: "é" },
    Number: { N: "1" },
    Bytes: { B: BYTES },
    Flag: { BOOL: false },
    Nothing: { NULL: true },
    Map: { M: { Inner: { B: BYTES }, Texts: { SS: ["b", "a"] } } },
    List: { L: [{ B: BYTES }, { M: { Deep: { BS: [BYTES, Uint8Array.of()] } } }] },
    Numbers: { NS: ["2", "1"] },
  };
  expect(toItemJson(item)).toEqual({
    Text: { S: "é" },
    Number: { N: "1" },
    Bytes: { B: "AAH6/w==" },
    Flag: { BOOL: false },
    Nothing: { NULL: true },
    Map: { M: { Inner: { B: "AAH6/w==" }, Texts: { SS: ["b", "a"] } } },
    List: { L: [{ B: "AAH6/w==" }, { M: { Deep: { BS: ["AAH6/w==", ""] } } }] },
    Numbers: { NS: ["2", "1"] },
  });
});

test("every item comes back from its DynamoDB JSON as it was", () => {
  fc.assert(
    fc.property(item, (stored) => {
      expect(fromItemJson(toItemJson(stored) as ItemJson)).toEqual(stored);
    }),
  );
});

test("the text of every item is the canonical JSON of its DynamoDB JSON", () => {
  fc.assert(
    fc.property(item, (stored) => {
      const isCanonical = !JSON.stringify(stored).includes("\\ud");
      if (isCanonical) expect(itemText(stored)).toBe(canonicalJson(toItemJson(stored)));
      else expect(() => itemText(stored)).toThrow(CanonicalJsonError);
    }),
  );
});

/** A client that answers with this item. */
function answering(answer: () => string): DynamoDBClient {
  return new DynamoDBClient({
    region: "eu-central-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    requestHandler: {
      handle: async () => ({ response: { statusCode: 200, headers: {}, body: Buffer.from(answer()) } }),
    },
  });
}
const read = new GetItemCommand({ TableName: "T", Key: { K: { S: "k" } } });

test("what the SDK reads is an item as it is, whatever types it has", async () => {
  const answers: string[] = [];
  const dynamo = answering(() => answers.pop() ?? "");
  // The SDK loses the value of an attribute of this name; the next test shows what follows.
  const readable = item.filter((stored) => !Object.hasOwn(stored, "__proto__"));
  await fc.assert(
    fc.asyncProperty(readable, async (stored) => {
      answers.push(JSON.stringify({ Item: toItemJson(stored) }));
      const { Item = {} } = await dynamo.send(read);
      expect(toItemJson(storedItem(Item))).toEqual(toItemJson(stored));
    }),
    { numRuns: 50 },
  );
});

test("an item is not read without its attribute __proto__, of which the SDK loses the value", async () => {
  const { Item = {} } = await answering(() => '{"Item":{"A":{"S":"a"},"__proto__":{"S":"b"}}}').send(read);
  expect(() => toItemJson(storedItem(Item))).toThrow(expect.objectContaining({ code: "ITEM_UNREADABLE" }));
});

test.each<[string, unknown]>([
  ["nothing", undefined],
  ["a list", []],
  ["a value without a type", { A: {} }],
  ["a value of two types", { A: { S: "a", N: "1" } }],
  ["an unknown type", { A: { X: "a" } }],
  ["a text that is a number", { A: { S: 1 } }],
  ["a number that is not written as text", { A: { N: 1 } }],
  ["a number with letters", { A: { N: "1x" } }],
  ["bytes that are not base64", { A: { B: "a-b_" } }],
  ["bytes of a broken length", { A: { B: "YQ=" } }],
  ["a truth in quotes", { A: { BOOL: "true" } }],
  ["a null that is false", { A: { NULL: false } }],
  ["a map that is a list", { A: { M: [] } }],
  ["a map with a broken value", { A: { M: { B: { S: 1 } } } }],
  ["a list that is a text", { A: { L: "a" } }],
  ["a list with a broken value", { A: { L: [{}] } }],
  ["an empty set", { A: { SS: [] } }],
  ["a set of texts with a number", { A: { SS: ["a", 1] } }],
  ["a set of numbers with a text", { A: { NS: ["1", "a"] } }],
  ["a set of bytes with other text", { A: { BS: ["YQ==", "?"] } }],
])("%s is not an item of DynamoDB's types", (_, json) => {
  expect(isTypedItem(json)).toBe(false);
});

test("an item is as deep as DynamoDB allows, and not deeper", () => {
  const nested = (levels: number): object => (levels === 0 ? { S: "a" } : { L: [nested(levels - 1)] });
  expect(isTypedItem({ A: nested(32) })).toBe(true);
  expect(isTypedItem({ A: nested(33) })).toBe(false);
});
