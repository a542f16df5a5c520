/**
 * Which numbers card schemes issue: prefix ranges and lengths, as the schemes, ISO/IEC 7812 registrars and the large
 * gateways publish them. Pure data and arithmetic; `card-data.ts` decides where in a text such a number may be.
 *
 * The lists lean towards finding too much, because a card number stored is worse than an identifier refused. They stop
 * where a prefix says next to nothing:
 * - UATP (prefix 1, 15 digits) is left out. One digit covers a tenth of all 15-digit numbers and the check digit
 *   removes only nine in ten of them, so time-based identifiers (all of which begin with 1) would be refused at random.
 * - GPN's 1946 and the Korean local 9 are left out for the same reason: the first collides with clock readings, the
 *   second is one digit.
 * - Visa's 18 digits, which some libraries accept, are left out: the scheme publishes 13, 16 and 19.
 */

export interface CardBrand {
  readonly name: string;
  /** Leading digits, at most six: `"4"`, or an inclusive range of equally long prefixes such as `"2221-2720"`. */
  readonly prefixes: readonly string[];
  readonly lengths: readonly number[];
}

const SIXTEEN_TO_NINETEEN = [16, 17, 18, 19] as const;

export const CARD_BRANDS: readonly CardBrand[] = [
  { name: "Visa", prefixes: ["4"], lengths: [13, 16, 19] },
  { name: "Mastercard", prefixes: ["51-55", "2221-2720"], lengths: [16] },
  { name: "American Express", prefixes: ["34", "37"], lengths: [15] },
  { name: "Discover", prefixes: ["6011", "622126-622925", "644-649", "65"], lengths: SIXTEEN_TO_NINETEEN },
  { name: "Diners Club", prefixes: ["300-305", "3095", "36", "38-39"], lengths: [14, 16, 19] },
  { name: "JCB", prefixes: ["3528-3589"], lengths: SIXTEEN_TO_NINETEEN },
  // JCB's ranges from before 1989; gateways still publish test numbers of them.
  { name: "JCB (older)", prefixes: ["3088-3094", "3096-3102", "3112-3120", "3158-3159", "3337-3349"], lengths: [16] },
  { name: "JCB (15 digits)", prefixes: ["1800", "2131"], lengths: [15] },
  { name: "UnionPay", prefixes: ["62"], lengths: SIXTEEN_TO_NINETEEN },
  { name: "UnionPay (81)", prefixes: ["8100-8171"], lengths: [13, ...SIXTEEN_TO_NINETEEN] },
  {
    // The short lengths are accepted only for the ranges that issued them, because most numbers of 12 and 13 digits are
    // something else: telephone numbers, and retrieval reference numbers, which begin with the last digit of the year
    // and the day of the year.
    name: "Maestro",
    prefixes: ["5018", "5020", "5038", "5893", "6759", "6761-6763", "6767"],
    lengths: [12, 13, 14, 15, ...SIXTEEN_TO_NINETEEN],
  },
  // Laser issued 16 to 19 digits. With 12 allowed, one in ten retrieval references of 31 October 2026 (6304...) would be
  // refused.
  { name: "Laser", prefixes: ["6304", "6390", "6706", "6709", "6771"], lengths: SIXTEEN_TO_NINETEEN },
  // Everything else that Mastercard routes as Maestro. It contains Dankort, Switch, Solo, Bancontact and eftpos.
  { name: "Maestro (wide)", prefixes: ["50", "56-59", "6"], lengths: [16, 18, 19] },
  { name: "Mir", prefixes: ["2200-2204"], lengths: SIXTEEN_TO_NINETEEN },
  { name: "RuPay", prefixes: ["60", "65", "81-82", "508", "353", "356"], lengths: [16] },
  {
    // Elo's many ranges under 65 are written as one: everything with 16 digits there is Discover, RuPay or Troy anyway.
    name: "Elo",
    prefixes: ["504175", "506699-506778", "509000-509999", "627780", "636297", "636368", "650031-655058"],
    lengths: [16],
  },
  { name: "Hipercard", prefixes: ["606282", "384100", "384140", "384160"], lengths: [13, 16, 19] },
  { name: "Hiper", prefixes: ["637095", "637568", "637599", "637609", "637612"], lengths: [16] },
  { name: "Verve", prefixes: ["5060-5061", "5078-5079", "6500"], lengths: [16, 18, 19] },
  { name: "Troy", prefixes: ["9792", "65"], lengths: [16] },
  { name: "mada", prefixes: ["968201-968211"], lengths: [16] },
  { name: "Napas", prefixes: ["9704"], lengths: [16, 19] },
  { name: "Humo and Uzcard", prefixes: ["9860", "8600"], lengths: [16] },
  { name: "Belkart", prefixes: ["9112"], lengths: [16] },
  { name: "Borica", prefixes: ["2205"], lengths: [16] },
];

export const PAN_DIGITS_MIN = 12;
export const PAN_DIGITS_MAX = 19;

interface PrefixRange {
  readonly first: number;
  readonly last: number;
  readonly lengths: number;
}

/** Widens a prefix range to the six leading digits it covers: "65" becomes 650000 to 659999. */
function sixDigitRange(prefix: string, lengths: number): PrefixRange {
  const [from = prefix, to = from] = prefix.split("-");
  return { first: Number(from.padEnd(6, "0")), last: Number(to.padEnd(6, "9")), lengths };
}

/** One bit for each length, so that the brands that share a prefix merge into a single number. */
function lengthBits(lengths: readonly number[]): number {
  return lengths.reduce((bits, length) => bits | (1 << length), 0);
}

/** Ranges by the first two digits: a lookup then compares a handful of ranges, not all of them. */
const RANGES: readonly (readonly PrefixRange[])[] = (() => {
  const ranges = CARD_BRANDS.flatMap((brand) =>
    brand.prefixes.map((prefix) => sixDigitRange(prefix, lengthBits(brand.lengths))),
  );
  return Array.from({ length: 100 }, (_, firstTwo) =>
    ranges.filter((range) => range.first < (firstTwo + 1) * 10_000 && range.last >= firstTwo * 10_000),
  );
})();

/** The lengths that some brand issues under these six leading digits, as bits: bit 16 set means sixteen digits. */
export function issuedLengths(firstSixDigits: number): number {
  let bits = 0;
  for (const range of RANGES[Math.floor(firstSixDigits / 10_000)] ?? []) {
    if (firstSixDigits >= range.first && firstSixDigits <= range.last) bits |= range.lengths;
  }
  return bits;
}

export function hasLength(lengthBits: number, length: number): boolean {
  return ((lengthBits >> length) & 1) === 1;
}
