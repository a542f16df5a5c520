/** Characters for texts of property tests. */

import fc from "fast-check";

const SURROGATES = { first: 0xd800, count: 0x800 };

/** Any code point but half of a pair: what fast-check calls "binary", whose table of all of them takes a second to make. */
export const anyCharacter: fc.Arbitrary<string> = fc.nat({ max: 0x10ffff - SURROGATES.count }).map(
  (place) => String.fromCodePoint(place < SURROGATES.first ? place : place + SURROGATES.count),
  (text) => placeOf(String(text)),
);

/** So that fast-check finds its own texts, such as `__proto__`, among those of these characters. */
function placeOf(text: string): number {
  const [code = -1] = [...text].map((character) => character.codePointAt(0) ?? -1);
  if (!text.isWellFormed() || [...text].length !== 1) throw new Error("It is no character.");
  return code < SURROGATES.first ? code : code - SURROGATES.count;
}
