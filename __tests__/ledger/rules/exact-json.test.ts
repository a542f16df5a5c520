/** JSON with exact numbers: every digit stays, nothing is lost or repeated, and no text of a stranger exhausts the stack. */

import fc from "fast-check";
import { isLosslessNumber } from "lossless-json";
import { canonicalJson } from "../../../ledger/rules/canonical-json";
import { exactJsonText, inexactNumbersIn, numbersAsText, parseExactJson } from "../../../ledger/rules/exact-json";

const again = (text: string) => exactJsonText(parseExactJson(text));

test.each([
  "1.10",
  "-0",
  "0.0",
  "1E+5",
  "1e-400",
  "12345678901234567890.12345678901234567890",
  "9".repeat(5_000),
  `0.${"0".repeat(5_000)}1`,
])("the number %.30s keeps its digits", (text) => {
  expect(again(text)).toBe(text);
  expect(numbersAsText(parseExactJson(text))).toBe(text);
  expect(again(`{"a":[${text}]}`)).toBe(`{"a":[${text}]}`);
});

test("members are sorted like canonical JSON, white space goes, and texts have one form", () => {
  expect(again(' { "b" : 1.10 , "a" : [ null , true , "\\u00e9\\/" ] , "Z" : { } } ')).toBe(
    '{"Z":{},"a":[null,true,"é/"],"b":1.10}',
  );
});

test("a member named __proto__ is a member like others", () => {
  const text = '{"__proto__":{"x":1.0},"constructor":2}';
  expect(again(text)).toBe(text);
  expect(JSON.stringify(numbersAsText(parseExactJson(text)))).toBe('{"__proto__":{"x":"1.0"},"constructor":"2"}');
});

test("an object that looks like the parser's own numbers is an object", () => {
  const text = '{"isLosslessNumber":true,"value":"1,\\"b\\":2"}';
  expect(again(text)).toBe(text);
  expect(numbersAsText(parseExactJson(text))).toEqual({ isLosslessNumber: true, value: '1,"b":2' });
});

test.each([
  '{"a":1,"a":2}',
  '{"a":1,"a":1}',
  '{"a":"x","b":0,"a":"x"}',
  '{"a":1,"\\u0061":1}',
  '{"a":{},"a":{}}',
  '{"__proto__":1,"__proto__":1}',
  '[{"x":{"a":null,"a":null}}]',
  '{"a":1,"a":{"value":"1","isLosslessNumber":true}}',
])("a key that is named twice is refused: %s", (text) => {
  expect(parseExactJson(text)).toBeUndefined();
});

test.each(['{"a:":":","b":"\\":{"}', '{"a":"\\\\","b":":"}', '":"', '[":",{"::":[":"]}]'])(
  "colons in texts are no members: %s",
  (text) => {
    expect(again(text)).toBe(canonicalJson(JSON.parse(text)));
  },
);

test.each([
  "",
  " ",
  "{",
  "[1,]",
  "{'a':1}",
  "01",
  ".5",
  "+1",
  "NaN",
  '"\n"',
  '"\u0000"',
  "1 2",
  "nul",
  '{"a"}',
  "\u{feff}1",
])("%j is no JSON", (text) => {
  expect(parseExactJson(text)).toBeUndefined();
});

const jsonTexts = fc.json({ maxDepth: 5 });
const changedTexts = fc
  .tuple(jsonTexts, fc.nat(), fc.constantFrom("", "0", "-", ".", ",", '"', "\\", "[", "}", "e", "\u0000"))
  .map(([text, place, sign]) => {
    const at = place % (text.length + 1);
    return text.slice(0, at) + sign + text.slice(at + 1);
  });

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test("property: what JSON.parse takes is taken, and nothing else (keys named twice apart)", () => {
  fc.assert(
    fc.property(fc.oneof(jsonTexts, changedTexts), (text) => {
      const parsed = parseExactJson(text);
      if (parsed !== undefined) expect(isJson(text)).toBe(true);
      else if (isJson(text)) expect(text).toMatch(/"[^"]*"\s*:[\s\S]*:/);
    }),
    { numRuns: 2_000 },
  );
});

test("property: a value goes through unchanged, and its text is a fixed point", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = again(JSON.stringify(value));
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(again(text)).toBe(text);
    }),
    { numRuns: 500 },
  );
});

const digits = fc.stringMatching(/^[0-9]{1,40}$/);
const numberTexts = fc
  .tuple(fc.constantFrom("", "-"), fc.stringMatching(/^(0|[1-9][0-9]{0,60})$/), fc.option(digits), fc.option(digits))
  .map(([sign, whole, fraction, exponent]) => {
    const decimals = fraction === null ? "" : `.${fraction}`;
    return `${sign}${whole}${decimals}${exponent === null ? "" : `e${exponent}`}`;
  });

test("property: no number of any length or form changes, wherever it is", () => {
  fc.assert(
    fc.property(fc.array(numberTexts, { minLength: 1 }), (numbers) => {
      const list = `[${numbers.join(",")}]`;
      expect(again(list)).toBe(list);
      expect(numbersAsText(parseExactJson(list))).toEqual(numbers);
    }),
  );
});

test("nesting of any depth is either parsed or refused, and looked at without exhausting the stack", () => {
  for (const depth of [63, 64, 65, 128, 1_000, 3_000, 4_000, 5_000, 20_000, 120_000]) {
    for (const text of ["[".repeat(depth) + "]".repeat(depth), `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`]) {
      const value = parseExactJson(text);
      if (depth <= 1_000) expect(value).toBeDefined();
      expect(() => numbersAsText(value)).not.toThrow();
    }
  }
});

test("down to the depth at which the card-data search refuses, every number is text", () => {
  const value = parseExactJson(`${"[".repeat(100)}4.0${"]".repeat(100)}`);
  expect(JSON.stringify(numbersAsText(value))).toBe(`${"[".repeat(100)}"4.0"${"]".repeat(100)}`);
});

test("numbers are the parser's own, not floats", () => {
  expect(isLosslessNumber(parseExactJson("1"))).toBe(true);
  expect(() => exactJsonText(parseExactJson('"\\ud800"'))).toThrow(/surrogate/);
});

test("the numbers that a float writes in another way are found as they were written; digits in texts are not numbers", () => {
  const json = '{"1.10":"2.20","a":1.10,"b":["\\"3.30",12345678901234567890,-0,7,-2.5,"",1E+5]}';
  expect(inexactNumbersIn(json)).toEqual(["1.10", "12345678901234567890", "-0", "1E+5"]);
});

test("of JSON that this platform writes, no number is found", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(inexactNumbersIn(JSON.stringify(value))).toEqual([]);
    }),
  );
});
