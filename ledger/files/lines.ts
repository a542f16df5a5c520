/** Lines of streaming text, each with its number; a line beyond the limit is cut and marked as too long. */

import { BoundedText, type BoundedTextResult } from "./bounded-text";

export interface Line extends BoundedTextResult {
  readonly number: number;
}

/**
 * For each chunk the lines that end in it, and then the last line where it has no end. A promise for each line would take longer
 * than the line. The lines of one chunk must be read before the next chunk is asked for.
 */
export async function* linesOf(chunks: AsyncIterable<string>, lengthMax: number): AsyncGenerator<Iterable<Line>> {
  const open = new BoundedText(lengthMax);
  let number = 0;
  function* endingIn(chunk: string): Generator<Line> {
    let start = 0;
    for (let end = chunk.indexOf("\n"); end >= 0; end = chunk.indexOf("\n", start)) {
      open.append(chunk.slice(start, end));
      number += 1;
      yield { number, ...open.take() };
      start = end + 1;
    }
    open.append(chunk.slice(start));
  }
  for await (const chunk of chunks) yield endingIn(chunk);
  if (!open.isEmpty) yield [{ number: number + 1, ...open.take() }];
}
