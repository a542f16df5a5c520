/** The search through a whole input: fields by their names, codes by their form, paths, and input that is made to hurt. */

import { LosslessNumber } from "lossless-json";
import { CardDataScanError, findCardData, holdsCardData, type ScanMeter } from "../../../ledger/rules/card-data";

const VISA = "4111111111111111";
const AMEX = "378282246310005";

const kindsOf = (value: unknown): string[] => findCardData(value).map((finding) => finding.kind);
const pathsOf = (value: unknown): string[] => findCardData(value).map((finding) => finding.path);

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
    ["cvv", new LosslessNumber("123"), "CVV"],
    ["pin", new LosslessNumber("1234"), "PIN"],
    ["pin", "560001", "PIN"],
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

describe("numbers that a field's name tells apart", () => {
  test.each([
    ["ean", "4000000000105"],
    ["EAN_13", 4000000000105],
    ["product-gtin", "04000000000105"],
    ["barcode", new LosslessNumber("4000000000105")],
    ["upc", "400000000008"],
    ["phone", "4222222222222"],
    ["customerPhone", "42 222-222 (222) 22"],
    ["msisdn", 4222222222222],
  ])("%s: %j passes", (name, value) => {
    expect(findCardData({ item: { [name]: value } })).toEqual([]);
  });

  test.each([
    ["ean", VISA],
    ["ean", "4222222222222"],
    ["ean", "4111 1111 1111 1111"],
    ["ocean", "4000000000105"],
    ["note", "4000000000105"],
    ["phone", VISA],
    ["phone", "call 4222222222222"],
    ["hotel", "4222222222222"],
  ])("%s: %j does not", (name, value) => {
    expect(kindsOf({ item: { [name]: value } })).toEqual(["PAN"]);
  });

  test("a pin of six digits beside an address is India's postal code", () => {
    expect(findCardData({ address: { line1: "12 MG Road", city: "Bengaluru", pin: "560001" } })).toEqual([]);
    expect(findCardData({ shipping_city: "Bengaluru", pin: 560001 })).toEqual([]);
    expect(kindsOf({ city: "Bengaluru", pin: "5600" })).toEqual(["PIN"]);
    expect(kindsOf({ city: "Bengaluru", cardPin: "560001" })).toEqual(["PIN"]);
    expect(kindsOf({ card: { pin: "560001" }, city: "Bengaluru" })).toEqual(["PIN"]);
  });
});

describe("JSON in a text", () => {
  test("its numbers are judged as numbers, its texts as texts", () => {
    const gateway = (rate: string) => JSON.stringify({ raw: `{"fxRate":${rate},"note":"ok"}` });
    expect(kindsOf({ note: gateway("1.4072640523226205") })).toEqual([]);
    expect(kindsOf({ note: gateway('"4111.111111111111"') })).toEqual(["PAN"]);
    expect(kindsOf({ note: gateway(VISA) })).toEqual(["PAN"]);
  });

  test("as characters it is searched whatever it means", () => {
    expect(findCardData('{"rate":4111.111111111111}')).toEqual([]);
    expect(holdsCardData('{"rate":4111.111111111111}')).toBe(true);
    expect(holdsCardData('{"a":"4111\\u00201111\\u00201111\\u00201111"')).toBe(true);
    expect(holdsCardData('{"a":"x","cvv":"123","cvv":""}')).toBe(true);
    expect(holdsCardData('{"a":"4111","b":"1111 1111"}')).toBe(false);
  });
});

describe("card data by its form in a text", () => {
  test.each([
    [`%B${VISA}^DOE/JOHN^27121010000000000000?`, ["PAN", "TRACK"]],
    ["%B3782 822463 10005^DOE/JOHN^27121010000000000000?", ["PAN", "TRACK"]],
    [`;${VISA}=27121010000012345678?`, ["PAN", "TRACK"]],
    [`${VISA}D27121010000012345678F`, ["PAN", "TRACK"]],
    [`${VISA}=27991010000012345678`, ["PAN"]],
    ["57114111111111111111D2712201000001234F", ["PAN", "TRACK"]],
    // Another issuer's number is a track too.
    [";9999999999999999=27121010000012345678?", ["TRACK"]],
    ["the CVV is fine", []],
    ["cvv 123", ["CVV"]],
    ["user=7&cvc=123&x=1", ["CVV"]],
    ['body: {"cvv2":"123"}', ["CVV"]],
    ['body: {\\"cvv2\\":\\"123\\"}', ["CVV"]],
    ["security code: 123", ["CVV"]],
    ["Security-Code = 1234.", ["CVV"]],
    ["the card security code is 123", ["CVV"]],
    ["CSC: 123", ["CVV"]],
    ["card code: 123", ["CVV"]],
    ['"securityCode":"123","securityCode":""', ["CVV"]],
    ["security code: 123456", []],
    ["security code 123", []],
    ["postal code: 1234", []],
    ["card number: 4242", []],
    // A status behind the name of a service: refused, because people write codes in just this way.
    ["cvc 200 OK", ["CVV"]],
    ["PIN code: 1234", ["PIN"]],
    ["card pin: 123456", ["PIN"]],
    ["Bengaluru, PIN: 560001", []],
    ["cvv_result=123", []],
    ["cvv=12345", []],
    ["pin=1234", ["PIN"]],
    ["PIN block: 0412AC89ABCDEF67", ["PIN"]],
    ["spin=1234", []],
    ["PIN: 560001", []],
    ['{"pin":"123456"}', ["PIN"]],
    ['{"card":{"cvv":"12"}}', ["CVV"]],
    ['{"pin":"123456","pin":""}', ["PIN"]],
    ['{"a":{"track1":"x","b":1,"track1":""}}', ["TRACK"]],
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
    expect(pathsOf([{ a: { b: VISA } }])).toEqual(["[0].a.b"]);
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

  const LENGTH = 200_000;
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
    ["IBANs", "DK5000400440116243 "],
    ["columns", "4111    "],
    ["commas", "4,"],
    ["combining marks", "4\u0301\u0315"],
    ["HTML entities", "&#52;"],
    ["UUIDs that do not end", "41111111-1111-4111-"],
    ["chip tags", "5A0857"],
    ["JSON", '{"a":4},'],
  ])("200 KB of %s takes work in proportion to its length", (_name, unit) => {
    const work = (length: number): number => {
      const meter: ScanMeter = { characters: 0, candidates: 0 };
      findCardData({ text: unit.repeat(length / unit.length) }, meter);
      return meter.characters + meter.candidates;
    };
    const whole = work(LENGTH);
    // Up to four readings (plain and three decodings), and up to 23 candidates for each digit.
    expect(whole).toBeLessThanOrEqual(27 * LENGTH);
    expect(whole).toBeLessThanOrEqual(2.1 * work(LENGTH / 2));
  });
});
