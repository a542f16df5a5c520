/** Reading attributes of records that anybody may have put there. */

import {
  bytesOf,
  integerOf,
  integerOrZero,
  partsOf,
  type StoredItem,
  textOf,
  textOrEmpty,
  textWithin,
} from "../../../ledger/rules/stored-item";

const BYTES = Uint8Array.of(0, 1, 250, 255);

test("an attribute of another type than asked for is absent, whatever a forged row holds", () => {
  const item: StoredItem = { Text: { S: "1" }, Number: { N: "1" }, Bytes: { B: BYTES }, Map: { M: {} } };
  for (const name of ["Number", "Bytes", "Map", "Missing"]) expect(textOf(item, name)).toBeUndefined();
  for (const name of ["Text", "Bytes", "Map", "Missing"]) expect(integerOf(item, name)).toBeUndefined();
  for (const name of ["Text", "Number", "Map", "Missing"]) expect(bytesOf(item, name)).toBeUndefined();
  expect([textOf(item, "Text"), integerOf(item, "Number"), bytesOf(item, "Bytes")]).toEqual(["1", 1, BYTES]);
});

test("parts of a map are none where it is absent or no map", () => {
  const item: StoredItem = { Map: { M: { Part: { S: "1" } } }, Text: { S: "1" } };
  expect(["Map", "Text", "Missing"].map((name) => partsOf(item, name))).toEqual([{ Part: { S: "1" } }, {}, {}]);
  expect(["Map", "Text", "Missing"].map((name) => textWithin(item, name, "Part"))).toEqual(["1", undefined, undefined]);
});

test("what every record has is its value, or empty in a forged row without it", () => {
  const item: StoredItem = { Text: { S: "1" }, Number: { N: "7" } };
  expect([textOrEmpty(item, "Text"), textOrEmpty(item, "Number"), textOrEmpty(item, "Missing")]).toEqual(["1", "", ""]);
  expect([integerOrZero(item, "Number"), integerOrZero(item, "Text"), integerOrZero(item, "Missing")]).toEqual([
    7, 0, 0,
  ]);
});

test.each(["-1", "1.5", "1e3", "", "NaN", "9".repeat(16)])("the number %j is no count", (number) => {
  expect(integerOf({ Version: { N: number } }, "Version")).toBeUndefined();
});
