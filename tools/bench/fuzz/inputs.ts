/**
 * What the fuzz sends: good requests, with any member replaced, removed, renamed or added, and card data and copies of the
 * request's own token hidden in them.
 */

import { ALL_TEST_NUMBERS } from "../../../__tests__/ledger/rules/card-test-numbers";
import { damaged, type Random } from "./random";

type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
export type FuzzObject = { [name: string]: Json };

/** A clear token says so: it may be found nowhere at rest. */
export const TOKEN_MARK = "tok_fuzz_secret_";

const SEPARATORS = ["", " ", "-", " - ", "\u00a0", "\u2009"];
const TEXTS = [
  "",
  " ",
  "\u0000",
  "\ud800",
  "__proto__",
  "constructor",
  "null",
  "undefined",
  "1.23457E+15",
  "-0",
  "1e2",
  "0x10",
  "10.50",
  "EUR",
  "2026-11-20T10:00:00.000Z",
  "2026-02-30T10:00:00Z",
  "ä".repeat(40),
  "\u202e",
  "a".repeat(5_000),
  "'; DROP TABLE PaymentLedger; --",
  "W~0",
  "R~0",
];

/** A published test number, written as people write one. */
export function fuzzCardNumber(random: Random): string {
  const digits = random.pick(ALL_TEST_NUMBERS);
  const separator = random.pick(SEPARATORS);
  return digits.replace(/.{4}(?=.)/g, `$&${separator}`);
}

export function anyJson(random: Random, depth = 0): Json {
  const kind = random.below(depth > 4 ? 6 : 8);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(0.5);
  if (kind === 2) return random.pick([0, -1, 1.5, 1e21, 2 ** 53, -(2 ** 31), random.below(100_000)]);
  if (kind < 5) return random.pick(TEXTS);
  if (kind === 5) return `${random.pick(TEXTS)}${random.below(1000)}`;
  if (kind === 6) return Array.from({ length: random.below(4) }, () => anyJson(random, depth + 1));
  const names = Array.from({ length: random.below(4) }, () =>
    random.pick(["a", "Actor", "amount", "__proto__", "", "💳"]),
  );
  return Object.fromEntries(names.map((name) => [name, anyJson(random, depth + 1)]));
}

/** A request that differs from a good one in none to three places. */
export function changed(good: FuzzObject, random: Random): Json {
  const result: FuzzObject = { ...good };
  const ownToken = good["SecureToken"];
  const token = typeof ownToken === "string" ? ownToken : `${TOKEN_MARK}${random.below(1_000)}`;
  for (let times = random.below(4); times > 0; times--) {
    const names = Object.keys(result);
    const name = names.length > 0 ? random.pick(names) : "a";
    const value = result[name] ?? null;
    const act = random.below(9);
    if (act === 0) delete result[name];
    else if (act === 1) result[random.pick(["note", "user_id", "Actor", "actor", `${name} `, "__proto__"])] = value;
    else if (act === 2) result[name] = anyJson(random);
    else if (act === 3) result[name] = `${typeof value === "string" ? value : ""}${random.pick(TEXTS)}`;
    else if (act === 4) result[random.chance(0.5) ? name : "note"] = fuzzCardNumber(random);
    else if (act === 5) result[name] = { nested: [`paid with ${fuzzCardNumber(random)} today`] };
    else if (act === 6) result[fuzzCardNumber(random)] = value;
    else if (act === 7) result[name] = [value, value];
    else result[name] = copyOf(token, random);
  }
  return random.chance(0.02) ? anyJson(random) : withOwnToken(result, token);
}

function copyOf(token: string, random: Random): Json {
  if (random.chance(0.5)) return token;
  return random.pick<Json>([
    `see ${token}.`,
    { nested: [token] },
    { SecureToken: token },
    { [token]: 1 },
    JSON.stringify({ secure_token: token }),
  ]);
}

/** A copy is known by a field with the token's name: without one nobody could tell it from an id. */
function withOwnToken(request: FuzzObject, token: string): FuzzObject {
  const { SecureToken: _token, ...others } = request;
  const text = JSON.stringify(others);
  const isNamed = new RegExp(`secure_?token\\\\*":\\\\*"${token}`, "i").test(text);
  return text.includes(token) && !isNamed ? { ...request, SecureToken: token } : request;
}

export function holdsMarkedToken(value: Json): boolean {
  return JSON.stringify(value).includes(TOKEN_MARK);
}

/** A message's or a file row's text: mostly JSON, sometimes with a member twice, sometimes broken. */
export function damagedText(value: Json, random: Random): string {
  const text = JSON.stringify(value);
  // Damage could leave the copy of a token and take the token's name.
  if (holdsMarkedToken(value)) return text;
  if (random.chance(0.1) && text.startsWith("{") && text.length > 2) {
    return `{"note":"${fuzzCardNumber(random)}",${text.slice(1, -1)},"note":"x"}`;
  }
  if (random.chance(0.1)) return damaged(Buffer.from(text), random).toString("utf8");
  if (random.chance(0.05))
    return `${random.pick(["\ufeff", " ", "[", '"'])}${text}${random.pick(["", "]", ",", text])}`;
  return text;
}
