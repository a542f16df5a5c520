/** Lines of streaming text, each with its number; a line beyond the limit is cut and said to be too long. */

export interface Line {
  readonly number: number;
  readonly text: string;
  readonly tooLong: boolean;
}

export async function* linesOf(chunks: AsyncIterable<string>, lengthMax: number): AsyncGenerator<Line> {
  let number = 0;
  let open = "";
  let tooLong = false;
  const line = (text: string): Line => {
    number += 1;
    const whole = tooLong ? open : open + text;
    const result = { number, text: whole.slice(0, lengthMax), tooLong: tooLong || whole.length > lengthMax };
    open = "";
    tooLong = false;
    return result;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf("\n"); end >= 0; end = chunk.indexOf("\n", start)) {
      yield line(chunk.slice(start, end));
      start = end + 1;
    }
    if (tooLong) continue;
    open += chunk.slice(start);
    if (open.length > lengthMax) {
      open = open.slice(0, lengthMax);
      tooLong = true;
    }
  }
  if (open !== "" || tooLong) yield line("");
}
