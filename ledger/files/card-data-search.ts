/**
 * Searches text for card data piece by piece, in bounded memory: for text of a file that becomes no row, or is cut.
 * What is found in the pieces is what would be found in the whole text, because the windows overlap by more than any card
 * data is long, and no window begins or ends inside a word.
 */

import { holdsCardData } from "../rules/card-data";

const WINDOW_LENGTH = 64 * 1024;
/** Card data of 19 digits in columns 40 characters apart, percent-encoded twice, is shorter. */
export const OVERLAP_LENGTH = 4 * 1024;
/** A longer run of characters without white space is cut inside. */
const WORD_LENGTH_MAX = 1024;

export class CardDataSearch {
  private held = "";
  private isFound = false;

  get found(): boolean {
    return this.isFound;
  }

  push(text: string): void {
    if (this.isFound) return;
    this.held += text;
    while (!this.isFound && this.held.length > WINDOW_LENGTH) {
      const window = this.held.slice(0, WINDOW_LENGTH);
      this.isFound = holdsCardData(window.slice(0, endOfWords(window)));
      this.held = this.held.slice(startOfWord(window));
    }
  }

  /** Searches what is left. @returns whether card data was found anywhere since the last end. */
  end(): boolean {
    const found = this.isFound || holdsCardData(this.held);
    this.held = "";
    this.isFound = false;
    return found;
  }
}

/** Where the last word that the window may have cut begins. */
function endOfWords(window: string): number {
  const word = /\S*$/.exec(window.slice(-WORD_LENGTH_MAX))?.[0] ?? "";
  if (word.length < WORD_LENGTH_MAX) return window.length - word.length;
  return window.length - (/\p{Nd}*$/u.exec(word)?.[0].length ?? 0);
}

/** Where the first whole word of the overlap begins. */
function startOfWord(window: string): number {
  const start = window.length - OVERLAP_LENGTH;
  const word = /^\S*/.exec(window.slice(start, start + WORD_LENGTH_MAX))?.[0] ?? "";
  if (word.length < WORD_LENGTH_MAX) return start + word.length;
  return start + (/^\p{Nd}*/u.exec(word)?.[0].length ?? 0);
}
