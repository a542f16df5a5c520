/** Card numbers: every form in which they are found, and numbers that only look like one. */

import fc from "fast-check";
import { CARD_BRANDS, issuedLengths } from "../../../ledger/rules/card-brands";
import { containsPan, findCardData } from "../../../ledger/rules/card-data";
import { parseExactJson } from "../../../ledger/rules/exact-json";
import { ALL_TEST_NUMBERS, isLuhnValid, PUBLISHED_TEST_NUMBERS } from "./card-test-numbers";

const VISA = "4111111111111111";
const AMEX = "378282246310005";

const kindsOf = (value: unknown): string[] => findCardData(value).map((finding) => finding.kind);
const pathsOf = (value: unknown): string[] => findCardData(value).map((finding) => finding.path);

function groupedAs(pan: string, sizes: readonly number[], separator: string): string {
  const groups: string[] = [];
  let at = 0;
  for (const size of sizes) {
    groups.push(pan.slice(at, at + size));
    at += size;
  }
  return [...groups, pan.slice(at)].filter((group) => group !== "").join(separator);
}

describe("card numbers that brands publish for testing", () => {
  test.each(Object.entries(PUBLISHED_TEST_NUMBERS))("%s", (_brand, numbers) => {
    for (const pan of numbers) {
      expect(kindsOf(pan)).toEqual(["PAN"]);
      expect(kindsOf(Number(pan))).toEqual(["PAN"]);
      expect(kindsOf(BigInt(pan))).toEqual(["PAN"]);
      expect(containsPan(pan)).toBe(true);
    }
  });

  test.each([
    ["4-4-4-4 with spaces", groupedAs(VISA, [4, 4, 4], " ")],
    ["4-4-4-4 with hyphens", groupedAs(VISA, [4, 4, 4], "-")],
    ["4-6-5", groupedAs(AMEX, [4, 6], " ")],
    ["4-4-4-4-3", groupedAs("6799990100000000019", [4, 4, 4, 4], " ")],
    ["6-13", groupedAs("6205500000000000004", [6], " ")],
    ["uneven groups", groupedAs(VISA, [1, 7, 2], " ")],
    ["single digits", [...VISA].join(" ")],
    ["mixed separators", "4111 1111-1111.1111"],
    ["spaced hyphens", "4111 - 1111 - 1111 - 1111"],
    ["line breaks", "4111\r\n1111\r\n1111\r\n1111"],
    ["no-break and thin spaces", "4111\u00a01111\u20091111\u202f1111"],
    ["en dashes and minus signs", "4111\u20131111\u22121111\u20111111"],
    ["invisible characters", "4111\u200b1111\u00ad1111\u20601111"],
    ["full-width digits", "４１１１　１１１１　１１１１　１１１１"],
    ["Arabic-Indic digits", "٤١١١١١١١١١١١١١١١"],
    ["mathematical digits", [...VISA].map((digit) => String.fromCodePoint(0x1d7d8 + Number(digit))).join("")],
    ["in a sentence", "card 4111 1111 1111 1111 exp 12/27"],
    ["glued to letters", `card${VISA}x`],
    ["beside other numbers", `12 ${VISA} 34`],
    ["beside other grouped numbers", "room 7 4111 1111 1111 1111 12 27"],
    ["percent-encoded", "card=4111%201111%201111%201111&exp=12"],
    ["percent-encoded twice", "card=4111%25201111%25201111%25201111"],
    ["percent-encoded digits", "%34%31%31%31111111111111"],
    ["in a form", "card=4111+1111+1111+1111"],
    ["in a form after a word", `note=card+${AMEX}`],
    ["after a stray percent sign", `100%${VISA}`],
    ["in scientific notation", "4.111111111111111e15"],
    ["with commas", "4111,1111,1111,1111"],
    ["with commas and spaces", "4111, 1111, 1111, 1111"],
    ["with slashes", "4111/1111/1111/1111"],
    ["with bars", "4111 | 1111 | 1111 | 1111"],
    ["with colons", "4111:1111:1111:1111"],
    ["with underscores", "4111_1111_1111_1111"],
    ["in thousands", "4,111,111,111,111,111"],
    ["in thousands over columns", "4 111   111 111 111\n    111"],
    ["in columns", "4111    1111    1111    1111"],
    ["over lines with an indent", "4111\n    1111\n    1111\n    1111"],
    ["broken over two lines", "4111 1111\n        1111 1111"],
    ["hyphenated over two lines", "4111-1111-\n      1111-1111"],
    [
      "with ideographic spaces",
      "4111\u3000\u3000\u3000\u30001111\u3000\u3000\u3000\u30001111\u3000\u3000\u3000\u30001111",
    ],
    ["with line separators of Unicode", "4111\u20281111\u20291111\u00851111"],
    ["with blank Braille patterns and Ogham spaces", "4111\u28001111\u16801111\u28001111"],
    ["with combining marks", [...VISA].join("\u0336")],
    ["with variation selectors", [...VISA].join("\ufe0f")],
    ["as keycaps", [...VISA].map((digit) => `${digit}\ufe0f\u20e3`).join(" ")],
    ["with grapheme joiners", [...VISA].join("\u034f")],
    ["with NULs", [...VISA].join("\u0000")],
    ["with more invisible characters than separators", "4111\u200b\u200b\u200b\u200b\u200b11111111\u20601111"],
    ["in superscript", "⁴¹¹¹¹¹¹¹¹¹¹¹¹¹¹¹"],
    ["in subscript", "₄₁₁₁₁₁₁₁₁₁₁₁₁₁₁₁"],
    ["in circles", "④①①①①①①①①①①①①①①①"],
    ["in black circles", "❹❶❶❶❶❶❶❶❶❶❶❶❶❶❶❶"],
    ["with digits two to a circle", "④⑪⑪⑪⑪⑪⑪⑪①"],
    ["with HTML spaces", "4111&nbsp;1111&#160;1111&#xA0;1111"],
    ["in HTML digits", [...VISA].map((digit) => `&#${48 + Number(digit)};`).join("")],
    ["in HTML that was escaped twice", "4111&amp;nbsp;1111&amp;nbsp;1111&amp;nbsp;1111"],
    ["with backslash escapes", "note: 4111\\t1111\\u00201111\\n1111"],
    ["in backslash digits", `x ${[...VISA].map((digit) => `\\u003${digit}`).join("")}`],
    ["filled up with zeros to 19 digits", "0004111111111111111"],
    ["filled up with zeros to 32 digits", VISA.padStart(32, "0")],
    ["Amex, filled up with zeros", AMEX.padStart(19, "0")],
    ["joined with its expiry", `${VISA}2712`],
    ["Amex, joined with its expiry", `${AMEX}3001`],
    ["filled up, and joined with its expiry", `000${VISA}2712`],
    ["behind EMV tag 5A", "9F3704AABBCCDD5A0841111111111111115F2403271231"],
    ["behind EMV tag 5A, filled up with F", "5A08378282246310005F"],
    ["behind EMV tag 5A, in bytes apart", "5A 08 41 11 11 11 11 11 11 11 5F 24"],
    ["in JSON in a text", JSON.stringify({ card: VISA })],
    ["escaped in JSON in a text", '{"card":"4111\\u00201111\\u00201111\\u00201111"}'],
    ["twice under one name in JSON in a text", `{"a":"${VISA}","a":"x"}`],
    ["in percent-encoded JSON", encodeURIComponent('{"card":"4111\\u00201111\\u00201111\\u00201111"}')],
  ])("found %s", (_name, written) => {
    expect(kindsOf(written)).toContain("PAN");
    expect(pathsOf({ outer: [{ note: written }] })).toEqual(["outer[0].note"]);
  });

  test("found in bytes, sets and maps", () => {
    expect(kindsOf({ data: new TextEncoder().encode(`card ${VISA}`) })).toEqual(["PAN"]);
    expect(pathsOf({ set: new Set(["x", VISA]) })).toEqual(["set[1]"]);
    expect(pathsOf(new Map([["note", VISA]]))).toEqual(["note"]);
  });

  test("a number whose last digits a float has lost is found by prefix and length", () => {
    expect(kindsOf(9792030394440796)).toEqual(["PAN"]);
    expect(kindsOf(Number("4111141011111111116"))).toEqual(["PAN"]);
    expect(kindsOf(Number("1111141011111111116"))).toEqual([]);
  });
});

describe("what is no card number", () => {
  test.each([
    ["a wrong check digit", "4111111111111112"],
    ["a wrong check digit, grouped", "4111 1111 1111 1112"],
    ["a prefix nobody issues", "1111111111111117"],
    ["UATP, whose prefix 1 says too little", "135410014004955"],
    ["Visa with 15 digits", "411111111111116"],
    ["Mastercard with 19 digits", "5555555555554444008"],
    ["more digits than a card number has", `${VISA}9999`],
    ["a card number inside a 20-digit identifier", `12${VISA}34`],
    ["digits on both sides of a letter", "41111111x11111111"],
    ["other groups than a card's with other signs than spaces", "41/1111/1111/1111/11"],
    ["other groups than a card's in columns", "41111    1111    1111    111"],
    ["a card's groups with two signs", "4111,1111/1111,1111"],
    ["a card's groups further apart than columns", `4111${" ".repeat(41)}1111 1111 1111`],
    ["two ids and a slash", "41111111/11111111"],
    ["a list of digits", [..."4111111111111111"].join(",")],
    ["a telephone number with zeros in front", "004222222222222"],
    ["a number joined with something that is no month", `${VISA}2713`],
    ["a number joined with a year long gone", `${VISA}1012`],
    ["chip data of another length", "5A0741111111111111115F24"],
    ["chip data without a card number", "57114111111111111112D2712201000001234F"],
    ["an exchange rate", "1.4072640523226205"],
    ["an exchange rate that begins with 4", "4.111111111111111"],
    ["a UUID with a prefix", "pay_4e499928-3072-444b-99fc-63580cdcf7b3"],
    ["a file named by a UUID", "payments/b69a664e-689e-4275-8088-32269f85963a.csv"],
    ["a vulgar fraction between digits", "4111111½11111111"],
    ["a telephone number of 13 digits", "+4222222222222"],
    ["a telephone number in a link", "tel=%2B4222222222222"],
    ["a fraction", "score 0.4111111111111111"],
    ["a fraction as a number", 0.4111111111111111],
    ["an acquirer reference number", "74111111111111111111116"],
    ["an epoch in milliseconds", 1795255200000],
    ["an epoch in microseconds", "1795255200000000"],
    ["no number at all", "a note"],
    [
      "values that are not data",
      [null, undefined, true, Number.NaN, Number.POSITIVE_INFINITY, new Date(0), () => VISA],
    ],
  ])("%s", (_name, value) => {
    expect(findCardData({ value })).toEqual([]);
  });

  test("a plus sign hides neither longer numbers nor forms", () => {
    expect(kindsOf(`+${VISA}`)).toEqual(["PAN"]);
    expect(kindsOf(`+${AMEX}`)).toEqual(["PAN"]);
    expect(kindsOf("card+4222222222222")).toEqual(["PAN"]);
  });

  test("an IBAN needs its country's length and its check digits", () => {
    // The Danish example of the SWIFT registry, and a valid IBAN whose digits pass as a card number.
    expect(kindsOf("DK5000400440116243")).toEqual([]);
    const clash = ibanThatLooksLikeACard();
    expect(kindsOf(clash.slice(2))).toEqual(["PAN"]);
    expect(kindsOf(clash)).toEqual([]);
    expect(kindsOf(`refund to ${clash} please`)).toEqual([]);
    expect(kindsOf(groupedAs(clash, [4, 4, 4, 4], " "))).toEqual([]);
    expect(kindsOf(`XX${clash.slice(2)}`)).toEqual(["PAN"]);
    expect(kindsOf(`DK${VISA}`)).toEqual(["PAN"]);
  });
});

/** Found by counting, so that this file holds no card number other than the published ones. */
function ibanThatLooksLikeACard(): string {
  for (let account = 0; ; account++) {
    const national = String(account).padStart(14, "0");
    const check = 98n - (BigInt(`${national}132000`) % 97n);
    const digits = `${String(check).padStart(2, "0")}${national}`;
    const issued = issuedLengths(Number(digits.slice(0, 6))) & (1 << 16);
    if (issued !== 0 && isLuhnValid(digits)) return `DK${digits}`;
  }
}

describe("exemptions", () => {
  test.each([
    "2026-11-21T10:15:30Z",
    "2026-11-21T10:15:30.123456789+05:30",
    "20261121T101530Z",
    "2026-11-21 10:15:30-08:00",
  ])("a whole timestamp: %s", (value) => {
    expect(findCardData({ value })).toEqual([]);
  });

  test("a timestamp's fraction is no place for a card number", () => {
    expect(kindsOf(`2026-11-21T10:15:30.${VISA}Z`)).toEqual(["PAN"]);
    expect(kindsOf(`2026-11-21T10:15:30Z ${VISA}`)).toEqual(["PAN"]);
  });

  test("a UUID that exists is exempt; its form alone is not", () => {
    expect(kindsOf("41111111-1111-4111-8111-111111111111")).toEqual([]);
    expect(kindsOf("41111111-1111-1111-1111-111111111111")).toEqual(["PAN"]);
    expect(kindsOf(`41111111-1111-4111-8111-111111111111 ${VISA}`)).toEqual(["PAN"]);
  });
});

describe("numbers", () => {
  const exact = (text: string): unknown => parseExactJson(`{"value":${text}}`);

  test.each(["1.4072640523226205", "4.4111111111111111", "-0.4111111111111111", "4111.111111111111", "1e-16", "0"])(
    "a fraction is no part of a card number: %s",
    (text) => {
      expect(findCardData(exact(text))).toEqual([]);
      expect(findCardData(JSON.parse(text))).toEqual([]);
    },
  );

  test.each([VISA, `-${VISA}`, `${VISA}.25`, "41111111111111110e-1", "4.111111111111111e15", "4111111111111111.0E+0"])(
    "what is before the point may be one: %s",
    (text) => {
      expect(kindsOf(exact(text))).toEqual(["PAN"]);
      expect(kindsOf(JSON.parse(text))).toEqual(["PAN"]);
    },
  );

  test("an exponent costs nothing", () => {
    for (const text of ["4e999999999999", "4e-999999999999", `4${"0".repeat(100_000)}e-99985`])
      expect(kindsOf(exact(text))).toEqual([]);
    expect(kindsOf(exact("41111111111111110000000000000000e-16"))).toEqual(["PAN"]);
  });

  test("an amount is kept as text, so its digits count across the point", () => {
    for (const amount of ["411111111111.1111", "4111111111111.111", "501800000009"]) {
      expect(kindsOf({ amount })).toEqual(["PAN"]);
      expect(kindsOf(parseExactJson(`[{"amount":${amount}}]`))).toEqual(["PAN"]);
      expect(kindsOf(parseExactJson(`[{"Amount":${amount}}]`))).toEqual(["PAN"]);
    }
    expect(kindsOf({ amount: "411111111111.11" })).toEqual([]);
    expect(kindsOf(parseExactJson('{"rate":411111111111.1111}'))).toEqual([]);
  });
});

describe("properties", () => {
  /** Any number that a listed brand could issue: its prefix, its length, random digits, the right check digit. */
  const issuedNumber = fc
    .constantFrom(
      ...CARD_BRANDS.flatMap((brand) => brand.prefixes.map((prefix) => ({ prefix, lengths: brand.lengths }))),
    )
    .chain(({ prefix, lengths }) =>
      fc.tuple(prefixIn(prefix), fc.constantFrom(...lengths), fc.array(fc.nat(9), { minLength: 19, maxLength: 19 })),
    )
    .map(([prefix, length, filler]) => withCheckDigit(`${prefix}${filler.join("")}`.slice(0, length - 1)));

  function prefixIn(range: string): fc.Arbitrary<string> {
    const [from = range, to = from] = range.split("-");
    return fc
      .integer({ min: Number(from), max: Number(to) })
      .map((prefix) => String(prefix).padStart(from.length, "0"));
  }

  function withCheckDigit(payload: string): string {
    const complete = Array.from({ length: 10 }, (_, check) => `${payload}${check}`);
    return complete.find((pan) => isLuhnValid(pan)) ?? "";
  }

  const separator = fc.constantFrom(" ", "-", ".", "\u00a0", "\u2013", " - ", "\u200b", "+", "\n");
  const grouping = fc.array(fc.tuple(fc.integer({ min: 1, max: 19 }), separator), { maxLength: 19 });
  const zero = fc.constantFrom(0x30, 0x30, 0x30, 0xff10, 0x0660, 0x1d7ce);

  function written(pan: string, groups: readonly (readonly [number, string])[], zeroOfScript: number): string {
    const inScript = [...pan].map((digit) => String.fromCodePoint(zeroOfScript + Number(digit)));
    let text = "";
    let at = 0;
    for (const [size, between] of groups) {
      if (at + size >= inScript.length) break;
      text += inScript.slice(at, at + size).join("") + between;
      at += size;
    }
    return text + inScript.slice(at).join("");
  }

  const surrounding = fc.constantFrom<(text: string) => unknown>(
    (text) => text,
    (text) => `card ${text} exp`,
    (text) => `x${text}y`,
    (text) => `no 12 ${text} 34`,
    (text) => `a=${encodeURIComponent(text)}&b=1`,
    (text) => JSON.stringify({ note: text }),
    (text) => ({ [text]: 1 }),
  );
  const steps = fc.array(fc.constantFrom("object", "array"), { maxLength: 12 });
  const nestedBy = (value: unknown, shape: readonly string[]): unknown =>
    shape.reduce<unknown>((inner, step) => (step === "array" ? ["x", inner] : { field: inner }), value);

  test("any number a listed brand issues is found, in any grouping, script, surrounding and nesting", () => {
    fc.assert(
      fc.property(issuedNumber, grouping, zero, surrounding, steps, (pan, groups, zeroOfScript, surround, shape) => {
        const text = written(pan, groups, zeroOfScript);
        // Alone it is a number like any exchange rate; "an exchange rate that begins with 4" above.
        fc.pre(!/^\d{1,3}\.\d+$/.test(text));
        const input = nestedBy(surround(text), shape);
        return findCardData(input).some((finding) => finding.kind === "PAN");
      }),
      { numRuns: 5000 },
    );
  });

  const mark = fc.constantFrom(",", ", ", "/", " / ", "|", ":", ";", "_", "    ", "\n      ", "-----", "\uff0c");
  const usualGroups = fc.constantFrom([4, 4, 4, 4], [4, 6, 5], [6, 13]);

  test("any number a listed brand issues is found in the groups of cards, whatever one mark divides them", () => {
    fc.assert(
      fc.property(issuedNumber, usualGroups, mark, surrounding, (pan, sizes, between, surround) => {
        const fits = sizes.length === 4 || (sizes.length === 3 ? pan.length === 15 : pan.length === 19);
        const text = groupedAs(pan, fits ? sizes : [4, 4, 4, 4], between);
        return kindsOf(surround(text)).includes("PAN");
      }),
      { numRuns: 3000 },
    );
  });

  test("any number a listed brand issues is found filled up with zeros, and joined with its expiry", () => {
    const year = fc.integer({ min: 20, max: 39 });
    const month = fc.integer({ min: 1, max: 12 }).map((number) => String(number).padStart(2, "0"));
    fc.assert(
      fc.property(issuedNumber, fc.integer({ min: 16, max: 40 }), year, month, (pan, width, yy, mm) => {
        fc.pre(pan.length >= 14);
        expect(kindsOf(`x ${pan.padStart(width, "0")} y`)).toEqual(["PAN"]);
        if (pan.length >= 15) expect(kindsOf(`${pan}${yy}${mm}`)).toEqual(["PAN"]);
      }),
      { numRuns: 2000 },
    );
  });

  test("any number a listed brand issues is found with characters between its digits that show nothing", () => {
    const nothing = fc.string({
      unit: fc.constantFrom(
        "\u0000",
        "\u034f",
        "\ufe0f",
        "\u200b",
        "\u0301",
        "\u00ad",
        "\u2060",
        "\u3164",
        "\u{e0001}",
      ),
      maxLength: 6,
    });
    fc.assert(
      fc.property(issuedNumber, fc.array(nothing, { minLength: 19, maxLength: 19 }), (pan, between) =>
        kindsOf([...pan].map((digit, index) => digit + between[index]).join("")).includes("PAN"),
      ),
      { numRuns: 2000 },
    );
  });

  test("no UUID is a card number, bare, behind a prefix, in a sentence or as a file name", () => {
    const word = fc.constantFrom("", "pay_", "order:", "payments/2026-11-21/", "refund of ", "{");
    const rest = fc.constantFrom("", ".csv", " please", "}", "-2");
    fc.assert(
      fc.property(fc.uuid(), word, rest, (uuid, before, after) => kindsOf(`${before}${uuid}${after}`).length === 0),
      { numRuns: 20_000 },
    );
  });

  test("a number is judged alike as a float, a bigint, an exact number and in JSON in a text", () => {
    fc.assert(
      fc.property(fc.oneof(issuedNumber.map(Number), fc.double({ noNaN: true, noDefaultInfinity: true })), (number) => {
        fc.pre(Math.abs(number) <= Number.MAX_SAFE_INTEGER);
        const json = JSON.stringify({ value: number });
        const kinds = kindsOf(number);
        expect(kindsOf(parseExactJson(json))).toEqual(kinds);
        expect(kindsOf(json)).toEqual(kinds);
        expect(kindsOf(BigInt(Math.trunc(number)))).toEqual(kinds);
      }),
      { numRuns: 3000 },
    );
  });

  test("any number a listed brand issues is found as a JSON number", () => {
    fc.assert(
      fc.property(issuedNumber, (pan) => kindsOf({ n: Number(pan) }).includes("PAN")),
      { numRuns: 2000 },
    );
  });

  test("a wrong check digit is never a card number on its own", () => {
    fc.assert(
      fc.property(issuedNumber, fc.integer({ min: 1, max: 9 }), (pan, shift) => {
        const wrong = `${pan.slice(0, -1)}${(Number(pan.at(-1)) + shift) % 10}`;
        // Such digits may be a shorter number with its date of expiry.
        fc.pre(!/[23]\d(?:0[1-9]|1[0-2])$/.test(wrong));
        return findCardData(wrong).length === 0;
      }),
      { numRuns: 2000 },
    );
  });

  test("no finding repeats three digits in a row of the input, wherever the number is", () => {
    const key = fc.oneof(fc.constantFrom("note", "cvv", "pin", "a b"), issuedNumber, fc.string());
    const leaf = fc.oneof(issuedNumber, issuedNumber.map(Number), fc.string(), fc.constant("1234"));
    const tree = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { depthSize: "small" },
        leaf,
        fc.array(tie("node"), { maxLength: 5 }),
        fc.dictionary(key, tie("node")),
      ),
    })).node;
    fc.assert(
      fc.property(tree, (input) => findCardData(input).every((finding) => !/\d{3}/.test(finding.path))),
      { numRuns: 2000 },
    );
  });

  test("any JSON value is searched without an error and left as it is", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (input) => {
        const before = JSON.stringify(input);
        findCardData(input);
        return JSON.stringify(input) === before;
      }),
    );
  });
});

describe("the brand list", () => {
  test("every brand has prefixes of at most six digits and lengths within a card number's", () => {
    for (const brand of CARD_BRANDS) {
      for (const prefix of brand.prefixes) expect(prefix).toMatch(/^\d{1,6}(?:-\d{1,6})?$/);
      for (const length of brand.lengths) expect(length).toBeGreaterThanOrEqual(12);
      expect(Math.max(...brand.lengths)).toBeLessThanOrEqual(19);
    }
  });

  test.each([
    ["Mastercard below its second series", "222099"],
    ["Mastercard above its second series", "272100"],
    ["JCB below its range", "352799"],
    ["JCB above its range", "359000"],
    ["Mir above its range", "220600"],
    ["UATP", "135410"],
  ])("%s is not issued", (_name, prefix) => {
    expect(issuedLengths(Number(prefix)) & (1 << 16)).toBe(0);
  });

  test("the published numbers are distinct", () => {
    expect(new Set(ALL_TEST_NUMBERS).size).toBe(ALL_TEST_NUMBERS.length);
  });

  test("Unicode keeps every script's digits in blocks of ten, on which the reading of digits relies", () => {
    const points = Array.from({ length: 0x20000 - 0x80 }, (_, index) => String.fromCodePoint(index + 0x80)).join("");
    const blocks = points.match(/\p{Nd}+/gu) ?? [];
    expect(blocks.length).toBeGreaterThan(50);
    for (const block of blocks) expect([...block].length % 10).toBe(0);
  });
});
