/** Lines of streaming text, each with its number; a line beyond the limit is cut and marked as too long. */

import { BoundedText, type BoundedTextResult } from "./bounded-text";

export interface Line extends BoundedTextResult {
  readonly number: number;
}

export async function* linesOf(chunks: AsyncIterable<string>, lengthMax: number): AsyncGenerator<Line> {
  const open = new BoundedText(lengthMax);
  let number = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf("\n"); end >= 0; end = chunk.indexOf("\n", start)) {
      open.append(chunk.slice(start, end));
      number += 1;
      yield { number, ...open.take() };
      start = end + 1;
    }
    open.append(chunk.slice(start));
  }
  if (!open.isEmpty) yield { number: number + 1, ...open.take() };
}
