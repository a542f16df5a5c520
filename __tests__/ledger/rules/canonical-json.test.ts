/** Canonical JSON against the vectors of RFC 8785, and against everything that must be refused. */

import fc from "fast-check";
import { CanonicalJsonError, canonicalJson } from "../../../ledger/rules/canonical-json";
import { anyCharacter } from "../../support/any-character";

/** RFC 8785 appendix B: IEEE 754 bits and their text. */
const NUMBERS = [
  ["0000000000000000", "0"],
  ["8000000000000000", "0"],
  ["0000000000000001", "5e-324"],
  ["8000000000000001", "-5e-324"],
  ["7fefffffffffffff", "1.7976931348623157e+308"],
  ["ffefffffffffffff", "-1.7976931348623157e+308"],
  ["4340000000000000", "9007199254740992"],
  ["c340000000000000", "-9007199254740992"],
  ["4430000000000000", "295147905179352830000"],
  ["44b52d02c7e14af5", "9.999999999999997e+22"],
  ["44b52d02c7e14af6", "1e+23"],
  ["44b52d02c7e14af7", "1.0000000000000001e+23"],
  ["444b1ae4d6e2ef4e", "999999999999999700000"],
  ["444b1ae4d6e2ef4f", "999999999999999900000"],
  ["444b1ae4d6e2ef50", "1e+21"],
  ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
  ["3eb0c6f7a0b5ed8d", "0.000001"],
  ["41b3de4355555553", "333333333.3333332"],
  ["41b3de4355555554", "333333333.33333325"],
  ["41b3de4355555555", "333333333.3333333"],
  ["41b3de4355555556", "333333333.3333334"],
  ["41b3de4355555557", "333333333.33333343"],
  ["becbf647612f3696", "-0.0000033333333333333333"],
  ["43143ff3c1cb0959", "1424953923781206.2"],
] as const;

test.each(NUMBERS)("RFC 8785 appendix B: %s is %s", (bits, text) => {
  expect(canonicalJson(Buffer.from(bits, "hex").readDoubleBE(0))).toBe(text);
});

test("RFC 8785 section 3.2.2: numbers, escapes and literals of the standard's sample", () => {
  const sample = JSON.parse(String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`);
  expect(canonicalJson(sample)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

test("RFC 8785 section 3.2.3: keys are in the order of their UTF-16 code units, not of their code points", () => {
  const sample = {
    "\u20ac": "Euro Sign",
    "\r": "Carriage Return",
    "\ufb33": "Hebrew Letter Dalet With Dagesh",
    "1": "One",
    "\u{1f600}": "Emoji: Grinning Face",
    "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis",
  };
  const values = [...canonicalJson(sample).matchAll(/:"([^"]*)"/g)].map(([, value]) => value);
  expect(values).toEqual([
    "Carriage Return",
    "One",
    "Control",
    "Latin Small Letter O With Diaeresis",
    "Euro Sign",
    "Emoji: Grinning Face",
    "Hebrew Letter Dalet With Dagesh",
  ]);
});

test("control characters have the escapes of RFC 8785 section 3.2.2.2, and nothing else is escaped", () => {
  const controls = Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code)).join("");
  const escapes =
    "\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000b\\f\\r\\u000e\\u000f\\u0010\\u0011\\u0012" +
    "\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001a\\u001b\\u001c\\u001d\\u001e\\u001f";
  expect(canonicalJson(controls)).toBe(`"${escapes}"`);
  expect(canonicalJson("\u007f\u2028\u2029/<é\u{1f600}")).toBe('"\u007f\u2028\u2029/<é\u{1f600}"');
});

test("members named like object internals are members like any other", () => {
  expect(canonicalJson(JSON.parse('{"toJSON":1,"constructor":2,"__proto__":{"a":3}}'))).toBe(
    '{"__proto__":{"a":3},"constructor":2,"toJSON":1}',
  );
});

class Money {
  amount = "1";
}
const cyclic: unknown[] = [];
cyclic.push(cyclic);
const nested = (levels: number): unknown => JSON.parse(`${'{"a":['.repeat(levels / 2)}1${"]}".repeat(levels / 2)}`);

test.each<[string, unknown]>([
  ["NaN", Number.NaN],
  ["infinity", Number.POSITIVE_INFINITY],
  ["minus infinity", [Number.NEGATIVE_INFINITY]],
  ["undefined", undefined],
  ["a member that is undefined", { a: undefined }],
  ["a hole in a list", new Array(2)],
  ["a function", () => 1],
  ["a symbol", Symbol("a")],
  ["a bigint", 1n],
  ["a date", new Date(0)],
  ["a map", new Map()],
  ["bytes", new Uint8Array(1)],
  ["an instance of a class", new Money()],
  ["a high surrogate alone", "a\ud800"],
  ["a low surrogate alone", "\udc00a"],
  ["surrogates in the wrong order", "\udc00\ud800"],
  ["a lone surrogate in a key", { "\ud800": 1 }],
  ["a cycle", cyclic],
  ["130 levels", nested(130)],
  ["100,000 levels", nested(100_000)],
])("refuses %s", (_name, value) => {
  expect(() => canonicalJson(value)).toThrow(CanonicalJsonError);
});

test("128 levels still have a canonical form, more than DynamoDB can nest", () => {
  expect(canonicalJson(nested(128))).toBe(JSON.stringify(nested(128)));
});

const jsonObjects = fc.dictionary(fc.string({ unit: anyCharacter }), fc.jsonValue({ stringUnit: anyCharacter }));

test("property: the text is JSON of the same value", () => {
  fc.assert(
    fc.property(jsonObjects, (value) => {
      // JSON has one zero, so the sign of -0 is not part of the value.
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("property: the order in which members were added does not matter, and the form is its own canonical form", () => {
  fc.assert(
    fc.property(jsonObjects, (value) => {
      const text = canonicalJson(value);
      expect(canonicalJson(Object.fromEntries(Object.entries(value).reverse()))).toBe(text);
      expect(canonicalJson(JSON.parse(text))).toBe(text);
    }),
  );
});
