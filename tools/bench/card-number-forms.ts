/** The ways in which people and systems write a card number, for the measurement of detection. */

/** A writing of a card number: groups of the given sizes (the last one takes the rest) joined by the separators in turn. */
function grouped(sizes: readonly number[], ...separators: readonly string[]): (pan: string) => string {
  return (pan) => {
    let written = "";
    for (let at = 0, group = 0; at < pan.length; group++) {
      const size = group < sizes.length ? (sizes[group] ?? 0) : pan.length - at;
      written += (group === 0 ? "" : separators[(group - 1) % separators.length]) + pan.slice(at, at + size);
      at += size;
    }
    return written;
  };
}

/** Thousands from the right, as a spreadsheet or a number format writes them. */
const inThousands = (pan: string) => pan.replace(/\B(?=(?:\d{3})+$)/g, ",");

/** Each digit as another character. */
const spelled = (digit: (value: number) => string) => (pan: string) =>
  [...pan].map((each) => digit(Number(each))).join("");
/** A writing in the digits of another script, whose zero is given. */
const inScript = (zero: number) => spelled((value) => String.fromCodePoint(zero + value));
const circled = (one: number, zero: number) =>
  spelled((value) => String.fromCodePoint(value === 0 ? zero : one + value - 1));
const hex = (value: number, digits = 2) => value.toString(16).toUpperCase().padStart(digits, "0");

/** Tag 5A of chip data: the length in bytes, and the number filled up with F. */
const asTag5A = (pan: string) => `5A${hex(Math.ceil(pan.length / 2))}${pan}${pan.length % 2 === 1 ? "F" : ""}`;
function asTag57(pan: string): string {
  const track = `${pan}D27122010000012345678`;
  return `57${hex(Math.ceil(Math.min(track.length, 37) / 2))}${track}`;
}

const FOURS = [4, 4, 4, 4];

export const FORMS: readonly ((pan: string) => string)[] = [
  (pan) => pan,
  grouped(FOURS, " "),
  grouped(FOURS, "-"),
  grouped([4, 6, 5], " "),
  grouped([4, 6, 5], "-"),
  grouped([4, 4, 4, 4, 3], " "),
  grouped([4, 4, 4, 4, 3], "-"),
  grouped([6], " "),
  grouped([8], "-"),
  grouped([2, 2, 2, 2, 2, 2, 2, 2, 2], " "),
  grouped([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], " "),
  grouped([5, 3, 1, 4], "-"),
  grouped(FOURS, " ", "-"),
  grouped(FOURS, " - "),
  grouped(FOURS, "  "),
  grouped(FOURS, "."),
  grouped(FOURS, "\t"),
  grouped(FOURS, "\r\n"),
  grouped(FOURS, "\u00a0"),
  grouped(FOURS, "\u2009", "\u202f", "\u3000"),
  grouped(FOURS, "\u2010", "\u2011", "\u2013", "\u2212"),
  grouped(FOURS, "\u200b", "\u00ad"),
  inScript(0xff10),
  inScript(0x0660),
  inScript(0x0966),
  inScript(0x1d7ce),
  (pan) => grouped(FOURS, "\u3000")(inScript(0xff10)(pan)),
  // Divided by one mark, in a card's usual groups.
  ...[",", ", ", "/", "|", " | ", ":", ";", "_", "\uff0c", "\uff0f"].map((mark) => grouped(FOURS, mark)),
  inThousands,
  // In columns and over lines with an indent.
  grouped(FOURS, "    "),
  grouped(FOURS, "\n    "),
  grouped(FOURS, "\t\t\t\t\t"),
  grouped(FOURS, " ", "\n        "),
  // Characters that show nothing between the digits.
  spelled((value) => `${value}\ufe0f\u20e3`),
  spelled((value) => `${value}\u0336`),
  grouped([3, 3, 3, 3, 3], "\u034f", "\u0000", "\ufe0e", "\u3164"),
  // Digits in other styles.
  spelled((value) => "⁰¹²³⁴⁵⁶⁷⁸⁹".charAt(value)),
  spelled((value) => "₀₁₂₃₄₅₆₇₈₉".charAt(value)),
  circled(0x2460, 0x24ea),
  circled(0x2776, 0x24ff),
  // Escaped.
  grouped(FOURS, "&nbsp;"),
  grouped(FOURS, "&#160;", "&#xA0;", "&ensp;"),
  spelled((value) => `&#${48 + value};`),
  spelled((value) => `&#x${hex(48 + value)};`),
  spelled((value) => `\\u${hex(48 + value, 4)}`),
  grouped(FOURS, "\\n", "\\t"),
  // In files of fixed width, and in chip data.
  (pan) => (pan.length < 14 ? pan : pan.padStart(19, "0")),
  (pan) => (pan.length < 14 ? pan : pan.padStart(24, "0")),
  (pan) => (pan.length < 15 ? pan : `${pan}2712`),
  asTag5A,
  asTag57,
];

export const SURROUNDINGS: readonly ((written: string) => string)[] = [
  (written) => written,
  (written) => `card ${written} exp 12/27`,
  (written) => `card${written}x`,
  (written) => `order 12 ${written} 34 items`,
  (written) => `[ref ${written}]`,
  (written) => `card=${encodeURIComponent(written)}&exp=12`,
  (written) => `card=${encodeURIComponent(encodeURIComponent(written))}`,
  (written) => `card=${encodeURIComponent(written).replaceAll("%20", "+")}`,
  (written) => `<td>${written}</td>`,
  (written) => JSON.stringify({ note: written }),
  (written) => JSON.stringify(JSON.stringify([written])),
];
