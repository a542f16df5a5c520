/**
 * What each character means to the search for card numbers: a digit of any script or style, something that may be between
 * two digits of one number, or neither.
 */

/** Codes 0 to 9 are digits. */
export const WHITE_SPACE = 10;
/** A dash, dot or bullet, which people write between the groups of a card number. */
export const JOINER = 11;
/** A comma, slash, bar and the like: between digits of one number only in a card's usual groups. */
export const DIVIDER = 12;
/** Shows nothing: control and format characters, combining marks, variation selectors. */
export const INVISIBLE = 13;
/** One character for two digits, such as a circled 12. */
export const TWO_DIGITS = 14;
export const OTHER = 15;
const UNKNOWN = 255;

const ASCII_CLASSES: Readonly<Record<number, string>> = {
  // In a form a plus sign is a space.
  [WHITE_SPACE]: " \t\n\r\v\f+",
  [JOINER]: "-.",
  [DIVIDER]: ",;:/|_\\*~'",
};

const CLASSES = new Uint8Array(0x110000).fill(UNKNOWN);
for (let code = 0; code < 0x80; code++) CLASSES[code] = asciiClass(String.fromCharCode(code));

function asciiClass(character: string): number {
  if (/\d/.test(character)) return Number(character);
  for (const [code, characters] of Object.entries(ASCII_CLASSES))
    if (characters.includes(character)) return Number(code);
  return /\p{Cc}/u.test(character) ? INVISIBLE : OTHER;
}

/** The digit that the character means, or one of the codes above. */
export function characterClass(codePoint: number): number {
  const known = CLASSES[codePoint] ?? OTHER;
  if (known !== UNKNOWN) return known;
  const found = classOf(codePoint);
  CLASSES[codePoint] = found;
  return found;
}

/** Both digits of a `TWO_DIGITS` character. */
export function twoDigits(codePoint: number): readonly [number, number] {
  const [tens = "0", units = "0"] = digitsIn(String.fromCodePoint(codePoint).normalize("NFKC"));
  return [Number(tens), Number(units)];
}

/** Bullets, middle dots and bars that replace a dash, and a NEL, which ends a line. */
const UNICODE_JOINER = /^[\p{Pd}\u2212\u2043\u00b7\u2022\u2024\u30fb\u30fc]$/u;
const UNICODE_SPACE = /^[\p{Z}\u0085\u2800]$/u;
const UNICODE_INVISIBLE = /^[\p{Cc}\p{Cf}\p{M}\p{Default_Ignorable_Code_Point}]$/u;

function classOf(codePoint: number): number {
  const character = String.fromCodePoint(codePoint);
  if (UNICODE_SPACE.test(character)) return WHITE_SPACE;
  if (UNICODE_JOINER.test(character)) return JOINER;
  if (UNICODE_INVISIBLE.test(character)) return INVISIBLE;
  const digit = digitOfScript(codePoint) ?? circledDigit(codePoint);
  if (digit !== undefined) return digit;
  // Compatibility forms: superscript, subscript, circled, bracketed and full-width characters, ligatures.
  const folded = character.normalize("NFKC");
  if (folded === character) return OTHER;
  const digits = digitsIn(folded);
  if (digits.length === 1) return Number(digits);
  if (digits.length === 2) return TWO_DIGITS;
  return [...folded].length === 1 ? characterClass(folded.codePointAt(0) ?? 0) : OTHER;
}

/** The digits of a form such as `(7)` or `7.`; none when it holds anything else, as a vulgar fraction does. */
function digitsIn(folded: string): string {
  return /^\(?(\d{1,2})[.,)]?$/.exec(folded)?.[1] ?? "";
}

/** A decimal digit of any script (Unicode category Nd). */
function digitOfScript(codePoint: number): number | undefined {
  if (!isDigit(codePoint)) return undefined;
  // Unicode keeps the digits of a script together and in order, beginning with zero; the mathematical styles follow
  // each other without a gap, fifty digits long.
  let zero = codePoint;
  while (isDigit(zero - 1)) zero--;
  return (codePoint - zero) % 10;
}

function isDigit(codePoint: number): boolean {
  return /^\p{Nd}$/u.test(String.fromCodePoint(codePoint));
}

/** Circled digits without a compatibility form, as the first code point of one to nine; then their zeros. */
const CIRCLED_ONES = [0x24f5, 0x2776, 0x2780, 0x278a];
const CIRCLED_ZEROS = [0x24ff, 0x1f10b, 0x1f10c];

function circledDigit(codePoint: number): number | undefined {
  if (CIRCLED_ZEROS.includes(codePoint)) return 0;
  const one = CIRCLED_ONES.find((first) => codePoint >= first && codePoint < first + 9);
  return one === undefined ? undefined : codePoint - one + 1;
}
