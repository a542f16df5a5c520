/** Text that is kept up to a limit as its pieces arrive. What lies behind the limit is searched for card data, not kept. */

import { CardDataSearch, OVERLAP_LENGTH } from "./card-data-search";

export interface BoundedTextResult {
  readonly text: string;
  readonly tooLong: boolean;
  /** Card data was found around or behind the limit. */
  readonly cardDataBehind: boolean;
}

export class BoundedText {
  private text = "";
  private search: CardDataSearch | undefined;

  constructor(private readonly lengthMax: number) {}

  get isEmpty(): boolean {
    return this.text === "";
  }

  append(piece: string): void {
    if (this.search !== undefined) this.search.push(piece);
    else this.text += piece;
    if (this.text.length <= this.lengthMax) return;
    this.search = new CardDataSearch();
    this.search.push(this.text.slice(Math.max(0, this.lengthMax - OVERLAP_LENGTH)));
    this.text = this.text.slice(0, this.lengthMax);
  }

  /** What was kept; the next text begins empty. */
  take(): BoundedTextResult {
    const taken = {
      text: this.text,
      tooLong: this.search !== undefined,
      cardDataBehind: this.search?.end() ?? false,
    };
    this.text = "";
    this.search = undefined;
    return taken;
  }
}
