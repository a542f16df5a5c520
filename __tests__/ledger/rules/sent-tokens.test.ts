/** A token is found wherever it would be kept readable, and what is no token is not taken for one. */

import fc from "fast-check";
import { parseExactJson } from "../../../ledger/rules/exact-json";
import { holdsToken, SentTokens, TOKEN_LENGTH_MIN, withoutToken } from "../../../ledger/rules/sent-tokens";

const TOKEN = "tok_9fKx27Qm";

function isInClear(payment: unknown): boolean {
  return holdsToken(withoutToken(payment), SentTokens.in(payment));
}

describe("in a payment of the ledger", () => {
  test("the token in its own field alone is in its place", () => {
    expect(isInClear({ TransactionID: "pay-1", SecureToken: TOKEN, Actor: "checkout" })).toBe(false);
  });

  test.each<[string, object]>([
    ["another field", { Actor: TOKEN }],
    ["a part of another field", { TransactionID: `pay/${TOKEN}/1` }],
    ["an unknown field", { note: { deep: [`see ${TOKEN}`] } }],
    ["the name of a field", { [`x${TOKEN}`]: 1 }],
    ["a text of JSON", { note: JSON.stringify({ a: TOKEN }) }],
  ])("%s holds it in clear", (_, fields) => {
    expect(isInClear({ SecureToken: TOKEN, ...fields })).toBe(true);
  });

  test("a token of 8 characters counts, a shorter one is in other texts by chance", () => {
    const payment = (token: string) => ({ SecureToken: token, TransactionID: `pay-${token}` });
    expect(isInClear(payment("h7qbhgx2"))).toBe(true);
    expect(isInClear(payment("h7qbhg2"))).toBe(false);
  });

  test("a token that is no text counts too: it is refused, and its record would name it", () => {
    expect(isInClear({ SecureToken: [TOKEN], Actor: TOKEN })).toBe(true);
    expect(isInClear({ SecureToken: 1234567890, Actor: "a1234567890" })).toBe(true);
    expect(isInClear(parseExactJson('{"SecureToken":1234567890.5,"Actor":"a1234567890.5"}'))).toBe(true);
  });

  test("the token of another payment of the list counts", () => {
    const payments = [{ SecureToken: TOKEN }, { SecureToken: "tok_other_one", Actor: TOKEN }];
    expect(payments.map((each) => holdsToken(withoutToken(each), SentTokens.in(payments)))).toEqual([false, true]);
  });
});

describe("in a request without a place for a token", () => {
  test.each<[string, unknown]>([
    ["a field of its name", { SecureToken: TOKEN }],
    ["the name in other capitals and with signs", { details: [{ "secure_token ": TOKEN }] }],
    ["a text of JSON", { Response: `answer: {"SecureToken": "${TOKEN}"}` }],
    ["a text of JSON in JSON", { Response: JSON.stringify({ body: JSON.stringify({ secureToken: TOKEN }) }) }],
  ])("%s holds a token", (_, input) => {
    expect(holdsToken(input, SentTokens.in(input))).toBe(true);
  });

  test.each<[string, unknown]>([
    ["the masked token of the ledger's own answers", { Response: { SecureToken: "****" } }],
    ["a longer masked one", { Response: { SecureToken: "tok_********27Qm" } }],
    ["whether there is one", { Response: { SecureToken: true, secureToken: null } }],
    ["a field whose name says more", { SecureTokenVersion: "version-of-2026" }],
    ["a text about tokens", { Reason: "SecureToken revealed for a refund" }],
  ])("%s is no token", (_, input) => {
    expect(holdsToken(input, SentTokens.in(input))).toBe(false);
  });
});

const token = fc.string({ unit: "grapheme", minLength: TOKEN_LENGTH_MIN, maxLength: 80 }).filter(isPlain);

/** A text with an asterisk is masked; the others are tokens. */
function isPlain(text: string): boolean {
  return !text.includes("*");
}

test("a text is found to hold a token exactly where it does, among any number of tokens", () => {
  fc.assert(
    fc.property(
      fc.array(token, { maxLength: 8 }),
      fc.string({ unit: "grapheme" }),
      fc.nat(8),
      (tokens, text, which) => {
        const sent = SentTokens.in(tokens.map((SecureToken) => ({ SecureToken })));
        const mixed = `${text}${tokens[which] ?? ""}${text}`;
        for (const each of [text, mixed, mixed.slice(1), mixed.slice(0, -1)]) {
          expect(sent.areIn(each)).toBe(tokens.some((one) => each.includes(one)));
        }
      },
    ),
  );
});

test("wherever a copy of the token is in a payment, the payment holds it in clear", () => {
  fc.assert(
    fc.property(
      token,
      fc.jsonValue(),
      fc.string(),
      fc.constantFrom("Actor", "note", "Metadata", "payments"),
      (secret, value, around, name) => {
        const payment = (copy: unknown) => ({ SecureToken: secret, [name]: [value, { copy }] });
        fc.pre(!JSON.stringify(value).includes(secret));
        expect(isInClear(payment(`${around}${secret}${around}`))).toBe(true);
      },
    ),
  );
});

describe("the work is bounded", () => {
  test("an input of any depth is searched to its end", () => {
    let deep: unknown = { SecureToken: TOKEN };
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(SentTokens.in(deep).areIn(TOKEN)).toBe(true);
  });

  test("what cannot be searched to its end counts as holding one", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    expect(SentTokens.in(cycle).areIn("checkout")).toBe(true);
    const manyOfOneEnd = Array.from({ length: 20_000 }, (_, index) => ({ SecureToken: `${index}${"a".repeat(20)}` }));
    expect(SentTokens.in(manyOfOneEnd).areIn("a".repeat(100_000))).toBe(true);
  });
});
