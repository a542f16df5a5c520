/** The rule that no file holds a card number, except those that are published for testing. */

import { containsPan } from "../../ledger/rules/card-data";
import { ALL_TEST_NUMBERS } from "../ledger/rules/card-test-numbers";
import type { SourceFile } from "./project-files";

const PUBLISHED = ALL_TEST_NUMBERS.toSorted((a, b) => b.length - a.length).map(
  (number) => new RegExp(`(?<!\\d)${[...number].join("[^0-9A-Za-z]{0,3}")}(?!\\d)`, "g"),
);
/** Files in which no card number is looked for, and why. */
export const CARD_NUMBERS_NOT_SEARCHED: ReadonlySet<string> = new Set([
  // Lists of line numbers, which in a row read like the groups of a card number.
  "samples/payments.expected.json",
  // An article number that would be a card number in any other field: what is to be recorded, and no published number is one.
  "samples/cases/ean-13-in-its-field.ndjson",
  // The published numbers in every disguise that the search must see through, and this one need not.
  "__tests__/ledger/rules/card-numbers.test.ts",
  "__tests__/ledger/rules/card-data.test.ts",
]);
const HASHES = /sha(?:256:[0-9a-f]{64}|512-[\w+/]+=*)/g;

export function unpublishedCardNumbers({ path, text }: SourceFile): string[] {
  if (CARD_NUMBERS_NOT_SEARCHED.has(path)) return [];
  return text.split("\n").flatMap((line, index) => {
    const plain = line.replace(HASHES, "");
    return containsPan(plain) && [plain, decoded(plain)].every((form) => containsPan(withoutPublished(form)))
      ? [`${path}:${index + 1} holds a card number. Only the published ones of card-test-numbers.ts are allowed.`]
      : [];
  });
}

function withoutPublished(text: string): string {
  return PUBLISHED.reduce((rest, number) => rest.replace(number, "x"), text);
}

/** Percent-encoding twice over, JSON's escapes, and the digits of other scripts. */
function decoded(text: string): string {
  const character = (_: string, hex: string) => String.fromCharCode(Number.parseInt(hex, 16));
  const once = (form: string) => form.replace(/%([0-9a-f]{2})/gi, character);
  return once(once(text.replace(/\\u([0-9a-f]{4})/gi, character))).normalize("NFKC");
}
