/**
 * Finds card numbers in a text, reading it once. A card number has a prefix and length that a brand issues
 * (`card-brands.ts`) and a valid check digit. A group of digits is never cut: a card number begins and ends where a group
 * does, so a long identifier is not searched for the card number that may lie inside it. Two exceptions, because files of
 * fixed width hold them: zeros before the number, and the date of expiry (YYMM) after it.
 */

import { hasLength, issuedLengths, PAN_DIGITS_MAX, PAN_DIGITS_MIN } from "./card-brands";
import { characterClass, DIVIDER, INVISIBLE, JOINER, OTHER, TWO_DIGITS, twoDigits } from "./card-characters";
import { isFraction, isInIban, isSmallDecimal, isTelephone, withoutUuids } from "./card-lookalikes";

/** Counts the work done, for tests that it is linear; it changes nothing else. */
export interface ScanMeter {
  characters: number;
  candidates: number;
}

export type CardDataKind = "PAN" | "CVV" | "TRACK" | "PIN";

/** Up to this many spaces, line breaks, dashes, dots and plus signs join digits in any grouping. */
const CLOSE_GAP_MAX = 3;
/** Up to this many characters join the groups in which cards are printed, as the columns of a table have them. */
const WIDE_GAP_MAX = 40;

/** Digits and groups that are remembered: more than any candidate has, with 19 digits, four of expiry and zeros before. */
const WINDOW = 64;
const EXPIRY_DIGITS = 4;
const CANDIDATE_DIGITS_MAX = PAN_DIGITS_MAX + EXPIRY_DIGITS;
/** Fields of fixed width are at least as wide as most card numbers; telephone numbers with `00` before them are not. */
const PADDED_DIGITS_MIN = 16;
const PADDED_PAN_DIGITS_MIN = 14;

/** Adds the kinds found in the text to `kinds`. */
export function findCardNumbers(text: string, kinds: Set<CardDataKind>, meter: ScanMeter): void {
  meter.characters += text.length;
  if (!isSmallDecimal(text)) search.run(withoutUuids(text), kinds, meter);
}

/**
 * Reads a text as runs: groups of digits with gaps between them that can be part of one number. Everything about the last
 * groups and digits is in circular buffers of fixed size, so that a text of any form costs the same for each character.
 */
class NumberSearch {
  private text = "";
  private kinds = new Set<CardDataKind>();

  /** Digits read in this run. */
  private count = 0;
  private readonly digits = new Uint8Array(WINDOW);
  /**
   * Running sums of the check digit's weights before each digit: those at even places doubled, and those at odd places.
   * The check of any candidate is then one subtraction.
   */
  private readonly sums = [new Uint32Array(WINDOW), new Uint32Array(WINDOW)] as const;

  /** Groups read in this run. Of each: the places of its first digit, and of its first digit that is not zero. */
  private groups = 0;
  private readonly from = new Uint32Array(WINDOW);
  private readonly significantFrom = new Uint32Array(WINDOW);
  /** Where the latter is in the text. */
  private readonly start = new Uint32Array(WINDOW);
  /** The lengths that brands issue for a number that begins there; -1 until asked. */
  private readonly lengths = new Int32Array(WINDOW);
  /** Of the gap before it: the punctuation mark in it, 0 for none, and whether it joins digits in any grouping. */
  private readonly markBefore = new Uint32Array(WINDOW);
  private readonly isCloseBefore = new Uint8Array(WINDOW);

  private inGap = false;
  private gapLength = 0;
  private gapMark = 0;
  private isGapClose = true;

  run(text: string, kinds: Set<CardDataKind>, meter: ScanMeter): void {
    this.text = text;
    this.kinds = kinds;
    this.endRun();
    for (let at = 0; at < text.length; at++) {
      const start = at;
      let codePoint = text.charCodeAt(at);
      if (codePoint >= 0xd800) codePoint = text.codePointAt(at) ?? codePoint;
      if (codePoint > 0xffff) at++;
      const what = characterClass(codePoint);
      if (what <= 9) this.addDigit(what, start);
      else if (what === TWO_DIGITS) for (const digit of twoDigits(codePoint)) this.addDigit(digit, start);
      else if (this.count > 0) this.addGap(what, codePoint, start, meter);
    }
    if (!this.inGap) this.endGroup(text.length, meter);
  }

  private addDigit(digit: number, start: number): void {
    const { count } = this;
    if (this.inGap || count === 0) this.beginGroup(start);
    const group = (this.groups - 1) % WINDOW;
    if (this.significantFrom[group] === count) {
      if (digit === 0) this.significantFrom[group] = count + 1;
      else this.start[group] = start;
    }
    const here = count % WINDOW;
    const next = (count + 1) % WINDOW;
    const doubled = digit > 4 ? digit * 2 - 9 : digit * 2;
    const [even, odd] = this.sums;
    const isEven = count % 2 === 0;
    this.digits[here] = digit;
    even[next] = (even[here] ?? 0) + (isEven ? doubled : digit);
    odd[next] = (odd[here] ?? 0) + (isEven ? digit : doubled);
    this.count = count + 1;
  }

  private beginGroup(start: number): void {
    const group = this.groups % WINDOW;
    this.from[group] = this.count;
    this.significantFrom[group] = this.count;
    this.start[group] = start;
    this.lengths[group] = -1;
    this.markBefore[group] = this.gapMark;
    this.isCloseBefore[group] = this.isGapClose ? 1 : 0;
    this.groups++;
    this.inGap = false;
  }

  private addGap(what: number, codePoint: number, start: number, meter: ScanMeter): void {
    if (!this.inGap) {
      this.endGroup(start, meter);
      this.inGap = true;
      this.gapLength = 0;
      this.gapMark = 0;
      this.isGapClose = true;
    }
    if (what === INVISIBLE) return;
    this.gapLength++;
    if (this.gapLength > CLOSE_GAP_MAX || what === DIVIDER) this.isGapClose = false;
    const isMark = what === JOINER || what === DIVIDER;
    // Two marks of which one is a divider are between two different things.
    const isMixed = isMark && this.gapMark !== 0 && this.gapMark !== codePoint && !this.isGapClose;
    if (isMark) this.gapMark = codePoint;
    if (isMixed || what === OTHER || this.gapLength > WIDE_GAP_MAX) this.endRun();
  }

  private endRun(): void {
    this.count = 0;
    this.groups = 0;
    this.inGap = false;
    this.gapMark = 0;
    this.isGapClose = true;
    for (const sums of this.sums) sums[0] = 0;
  }

  /** Tries every sequence of whole groups that ends here. */
  private endGroup(end: number, meter: ScanMeter): void {
    if (this.count < PAN_DIGITS_MIN) return;
    const isTrack = "=Dd".includes(this.text.charAt(end)) && TRACK_2_REST.test(this.text.slice(end, end + 5));
    if (this.kinds.has("PAN") && !isTrack) return;
    const last = this.groups - 1;
    let areClose = true;
    for (let first = last; first >= 0; first--) {
      const group = first % WINDOW;
      const length = this.count - (this.significantFrom[group] ?? 0);
      if (length > CANDIDATE_DIGITS_MAX) return;
      meter.candidates++;
      const isFound =
        length >= PAN_DIGITS_MIN &&
        this.isCardNumber(group, length, first === last) &&
        (areClose || this.areUsualGroups(first)) &&
        !this.isSomethingElse(this.start[group] ?? 0, end, length);
      if (isFound) {
        this.kinds.add("PAN");
        if (isTrack) this.kinds.add("TRACK");
        return;
      }
      areClose &&= this.isCloseBefore[group] === 1;
    }
  }

  private isCardNumber(group: number, length: number, isAlone: boolean): boolean {
    const from = this.significantFrom[group] ?? 0;
    const zeros = from - (this.from[group] ?? 0);
    if (zeros > 0 && !(isAlone && this.isPadded(zeros, length))) return false;
    if (this.lengths[group] === -1) this.lengths[group] = issuedLengths(this.firstSix(from));
    const lengths = this.lengths[group] ?? 0;
    if (hasLength(lengths, length) && this.hasCheckDigit(from, this.count)) return true;
    return isAlone && this.isJoinedWithExpiry(lengths, from);
  }

  /** Whether zeros fill a number up to the width of its field. */
  private isPadded(zeros: number, length: number): boolean {
    return length >= PADDED_PAN_DIGITS_MIN && zeros + length >= PADDED_DIGITS_MIN;
  }

  private sizeOf(group: number): number {
    const isLast = group === (this.groups - 1) % WINDOW;
    const to = isLast ? this.count : (this.from[(group + 1) % WINDOW] ?? 0);
    return to - (this.from[group] ?? 0);
  }

  private firstSix(from: number): number {
    let value = 0;
    for (let index = from; index < from + 6; index++) value = value * 10 + (this.digits[index % WINDOW] ?? 0);
    return value;
  }

  /** The check of ISO/IEC 7812-1 annex B: every second digit is doubled, from the last but one on. */
  private hasCheckDigit(from: number, to: number): boolean {
    const sums = this.sums[(to % 2) as 0 | 1];
    return ((sums[to % WINDOW] ?? 0) - (sums[from % WINDOW] ?? 0)) % 10 === 0;
  }

  /** The date as ISO 8583 field 14 has it: year and month. Fifteen digits and more, as all such files hold. */
  private isJoinedWithExpiry(lengths: number, from: number): boolean {
    const to = this.count - EXPIRY_DIGITS;
    if (to - from < 15 || !hasLength(lengths, to - from) || !this.hasCheckDigit(from, to)) return false;
    const expiry = [0, 1, 2, 3].map((index) => this.digits[(to + index) % WINDOW]).join("");
    return /^[23]\d(?:0[1-9]|1[0-2])$/.test(expiry);
  }

  /**
   * Whether the groups from `first` on have the sizes in which cards are printed, or are thousands, with the same mark (or
   * none) between all of them.
   */
  private areUsualGroups(first: number): boolean {
    const mark = this.markBefore[(first + 1) % WINDOW];
    const sizes: number[] = [];
    for (let index = first; index < this.groups; index++) {
      const size = this.sizeOf(index % WINDOW);
      const isRest = index === this.groups - 1;
      if (index > first && (this.markBefore[index % WINDOW] !== mark || (size < 3 && !isRest))) return false;
      sizes.push(size);
    }
    return USUAL_GROUPS.test(sizes.join(" "));
  }

  private isSomethingElse(start: number, end: number, length: number): boolean {
    const { text } = this;
    return isFraction(text, start) || isTelephone(text, start, length) || isInIban(text, start, end);
  }
}

/** One for all texts: it keeps its memory from text to text, and starts anew with each. */
const search = new NumberSearch();

/** Sizes of the groups, in order: fours with a rest; 4-6-5 and 4-6-4; 6-13; thousands. */
const USUAL_GROUPS = /^(?:4 4 4( 4)*( [1-7])?|4 6 [45]|6 13|[123]( 3){3,6})$/;

/** Right after a card number: the separator of track 2 (`=`, on chips `D`), then year and month of expiry. */
const TRACK_2_REST = /^[=D]\d\d(?:0[1-9]|1[0-2])/i;

/** Whether the digits are a card number, as they are. */
export function isCardNumber(digits: string): boolean {
  const kinds = new Set<CardDataKind>();
  if (/^[1-9]\d{11,18}$/.test(digits)) findCardNumbers(digits, kinds, { characters: 0, candidates: 0 });
  return kinds.has("PAN");
}
