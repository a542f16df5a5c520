import fc from "fast-check";
import { CARD_BRANDS, isLuhnValid, issuedLengths } from "../../ledger/card-brands";
import { CardDataScanError, containsPan, findCardData, type ScanMeter } from "../../ledger/card-data";
import { parseExactJson } from "../../ledger/exact-json";
import { ALL_TEST_NUMBERS, PUBLISHED_TEST_NUMBERS } from "./card-test-numbers";

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
    ["digits joined by underscores", "4111_1111_1111_1111"],
    ["digits further apart than a separator", "4111    1111    1111    1111"],
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

/** Found by counting, so that no card number other than the published ones stands in this file. */
function ibanThatLooksLikeACard(): string {
  for (let account = 0; ; account++) {
    const national = String(account).padStart(14, "0");
    const check = 98n - (BigInt(`${national}132000`) % 97n);
    const digits = `${String(check).padStart(2, "0")}${national}`;
    const numbers = [...digits].map(Number);
    const issued = issuedLengths(Number(digits.slice(0, 6))) & (1 << 16);
    if (issued !== 0 && isLuhnValid(numbers, 0, 16)) return `DK${digits}`;
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
    "what stands before the point may be one: %s",
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

describe("card data by field name", () => {
  test.each([
    ["cvv", "123", "CVV"],
    ["CVV2", 123, "CVV"],
    ["card_cvc", "1234", "CVV"],
    ["Card-Verification Value", "123", "CVV"],
    ["card.securityCode", "***", "CVV"],
    ["cvv", { S: "123" }, "CVV"],
    ["cid", "1234", "CVV"],
    ["CSC", "123", "CVV"],
    ["securityCode", "123", "CVV"],
    ["pin", "1234", "PIN"],
    ["PIN", 123456, "PIN"],
    ["card-pin", "1234", "PIN"],
    ["pin", "0412AC89ABCDEF67", "PIN"],
    ["pin", { S: "1234" }, "PIN"],
    ["pinBlock", "anything", "PIN"],
    ["encrypted_pin_block", "anything", "PIN"],
    ["track1", "anything", "TRACK"],
    ["Track_2_Data", "anything", "TRACK"],
    ["track2EquivalentData", "anything", "TRACK"],
    ["magStripe", "anything", "TRACK"],
    ["magnetic-stripe-data", "anything", "TRACK"],
    ["trackData", ["anything"], "TRACK"],
  ])("%s: %j is %s", (name, value, kind) => {
    expect(kindsOf({ payment: { [name]: value } })).toEqual([kind]);
  });

  test.each([
    ["cvv", ""],
    ["cvv", "  "],
    ["cvv", null],
    ["cvv", true],
    ["cvv", {}],
    ["cvvResult", "M"],
    ["cvc_check", "pass"],
    ["cavv", "AAABBBCCC"],
    ["cid", "customer-77"],
    ["cid", 12345],
    ["csc", "grade-4"],
    ["cve", "CVE-2026-12345"],
    ["pin", "map-marker"],
    ["pin", "123"],
    ["pincode", "560001"],
    ["spinner", "1234"],
    ["shippingNo", "1234"],
    ["trackingNumber", "1Z999"],
    ["track", "two"],
    ["soundtrack1", "song"],
  ])("%s: %j passes", (name, value) => {
    expect(findCardData({ payment: { [name]: value } })).toEqual([]);
  });
});

describe("card data by its form in a text", () => {
  test.each([
    [`%B${VISA}^DOE/JOHN^27121010000000000000?`, ["PAN", "TRACK"]],
    ["%B3782 822463 10005^DOE/JOHN^27121010000000000000?", ["PAN", "TRACK"]],
    [`;${VISA}=27121010000012345678?`, ["PAN", "TRACK"]],
    [`${VISA}D27121010000012345678F`, ["PAN", "TRACK"]],
    [`${VISA}=27991010000012345678`, ["PAN"]],
    // Another issuer's number is a track all the same.
    [";9999999999999999=27121010000012345678?", ["TRACK"]],
    ["the CVV is fine", []],
    ["cvv 123", ["CVV"]],
    ["user=7&cvc=123&x=1", ["CVV"]],
    ['body: {"cvv2":"123"}', ["CVV"]],
    ['body: {\\"cvv2\\":\\"123\\"}', ["CVV"]],
    ["cvv_result=123", []],
    ["cvv=12345", []],
    ["pin=1234", ["PIN"]],
    ["PIN block: 0412AC89ABCDEF67", ["PIN"]],
    ["spin=1234", []],
    ["PIN: 560001", []],
    ['{"pin":"123456"}', ["PIN"]],
    ['{"card":{"cvv":"12"}}', ["CVV"]],
    [JSON.stringify({ body: JSON.stringify({ pin: "123456" }) }), ["PIN"]],
  ])("%s", (text, kinds) => {
    expect(kindsOf({ note: text }).sort()).toEqual(kinds);
  });
});

describe("paths", () => {
  test("name the field, never a value", () => {
    expect(findCardData({ payments: [{}, { Metadata: { note: VISA, cvv: "123" } }] })).toEqual([
      { kind: "PAN", path: "payments[1].Metadata.note" },
      { kind: "CVV", path: "payments[1].Metadata.cvv" },
    ]);
    expect(pathsOf(VISA)).toEqual(["$"]);
    expect(pathsOf([[VISA]])).toEqual(["[0][0]"]);
  });

  test("hide keys that hold card data or are no plain names", () => {
    expect(pathsOf({ [VISA]: "x" })).toEqual(["<key>"]);
    expect(pathsOf({ a: { "4111 1111 1111 1111": { cvv: "123" } } })).toEqual(["a.<key>", "a.<key>.cvv"]);
    expect(pathsOf({ [`${"x".repeat(70)}`]: VISA })).toEqual(["<key>"]);
    expect(pathsOf({ "line\nbreak": VISA })).toEqual(["<key>"]);
    expect(pathsOf({ part4111: VISA })).toEqual(["<key>"]);
    expect(pathsOf({ "cvv 123": "x" })).toEqual(["<key>"]);
  });

  test("end at the text that holds JSON", () => {
    expect(pathsOf({ raw: JSON.stringify({ card: { number: VISA, cvv: "123" } }) })).toEqual(["raw", "raw"]);
  });

  test("each kind is reported once for a path", () => {
    expect(findCardData({ note: `${VISA} and ${AMEX} and ${VISA}` })).toHaveLength(1);
  });
});

describe("hostile input", () => {
  const nest = (levels: number): unknown => {
    let value: unknown = VISA;
    for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value };
    return value;
  };
  const tooDeep = expect.objectContaining({ code: "INPUT_TOO_DEEP", message: expect.stringContaining("Flatten it") });

  test("is searched to 64 levels and refused below", () => {
    expect(kindsOf(nest(64))).toEqual(["PAN"]);
    expect(() => findCardData(nest(65))).toThrow(tooDeep);
    expect(() => findCardData(nest(100_000))).toThrow(CardDataScanError);
  });

  test("a cycle is refused", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    expect(() => findCardData(cycle)).toThrow(tooDeep);
  });

  test("JSON nested in texts is refused where it is too deep", () => {
    expect(() => findCardData("[".repeat(200_000) + "]".repeat(200_000))).toThrow(tooDeep);
    expect(kindsOf("[".repeat(200_000) + VISA)).toEqual(["PAN"]);
    const quoted = (times: number): string => (times === 0 ? "x" : JSON.stringify([quoted(times - 1)]));
    expect(findCardData(quoted(4))).toEqual([]);
    expect(() => findCardData(quoted(5))).toThrow(tooDeep);
  });

  test("shared references cannot multiply the work without bound", () => {
    let shared: unknown = ["x"];
    for (let level = 0; level < 40; level++) shared = [shared, shared];
    expect(() => findCardData(shared)).toThrow(expect.objectContaining({ code: "INPUT_TOO_LARGE" }));
  });

  const MEGABYTE = 1_000_000;
  test.each([
    ["one long run of digits", "4"],
    ["single digits apart", "4 "],
    ["digits of another script", "٤ "],
    ["card numbers end to end", `${VISA} `],
    ["almost card numbers", "4111 1111 1111 1112 "],
    ["escapes", "%25"],
    ["escaped digits", "%34"],
    ["tracks that do not end", "%B4111111111111111^"],
    ["names without codes", "cvv  "],
    ["quotes", '"'],
    ["plus signs", "+4"],
    ["IBAN-like words", "DK"],
  ])("1 MB of %s takes work in proportion to its length", (_name, unit) => {
    const work = (length: number): number => {
      const meter: ScanMeter = { characters: 0, candidates: 0 };
      findCardData({ text: unit.repeat(length / unit.length) }, meter);
      return meter.characters + meter.candidates;
    };
    const whole = work(MEGABYTE);
    // Up to four readings (plain and three decodings), and up to 20 candidates for each digit.
    expect(whole).toBeLessThanOrEqual(24 * MEGABYTE);
    expect(whole).toBeLessThanOrEqual(2.1 * work(MEGABYTE / 2));
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
    return complete.find((pan) => isLuhnValid([...pan].map(Number), 0, pan.length)) ?? "";
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
        const input = nestedBy(surround(written(pan, groups, zeroOfScript)), shape);
        return findCardData(input).some((finding) => finding.kind === "PAN");
      }),
      { numRuns: 5000 },
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
        return findCardData(wrong).length === 0;
      }),
      { numRuns: 2000 },
    );
  });

  test("no finding repeats three digits in a row of the input, wherever the number stands", () => {
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
