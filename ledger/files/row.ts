/** One row of a payment file, as each format yields it. */

import type { RefusalCode } from "../rules/refusals";

/** A row's number is its (last) line in NDJSON and CSV, and its place in an array; all from 1. */
export type Row = { readonly number: number; readonly value: unknown } | BadRowText;

export interface BadRowText {
  readonly number: number;
  readonly fault: RefusalCode;
  /** The row as far as it is kept. */
  readonly text: string;
  /** Card data was found in the row, also in what is not kept of it. */
  readonly cardData: boolean;
}
