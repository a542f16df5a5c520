/** The elements of a JSON array as it streams by. Only brackets and strings are followed; each element is parsed whole. */

import { parseExactJson } from "../rules/exact-json";
import type { RefusalCode } from "../rules/refusals";
import { BoundedText, type BoundedTextResult } from "./bounded-text";
import type { Row } from "./row";

/**
 * An element that is no JSON is one bad row. Where brackets do not close or something follows the array, the rest of the
 * file cannot be split into elements any more and is one bad row.
 */
export async function* arrayElements(chunks: AsyncIterable<string>, lengthMax: number): AsyncGenerator<Row> {
  const scanner = new ElementScanner(lengthMax);
  for await (const chunk of chunks) {
    for (const element of scanner.push(chunk)) yield rowOf(element);
  }
  const rest = scanner.end();
  if (rest !== undefined) yield rowOf(rest);
}

interface Element extends BoundedTextResult {
  readonly number: number;
  readonly fault?: RefusalCode;
}

function rowOf({ number, text, tooLong, cardDataBehind, fault }: Element): Row {
  const found = fault ?? (tooLong ? "ROW_TOO_LONG" : undefined);
  if (found !== undefined) return { number, fault: found, text, cardData: cardDataBehind };
  const value = parseExactJson(text);
  return value === undefined ? { number, fault: "NOT_JSON", text, cardData: false } : { number, value };
}

class ElementScanner {
  private depth = 0;
  private inString = false;
  private escaped = false;
  private closed = false;
  private number = 0;
  /** The element that is being read; behind the array's end, what follows it. */
  private readonly text: BoundedText;

  constructor(lengthMax: number) {
    this.text = new BoundedText(lengthMax);
  }

  *push(chunk: string): Generator<Element> {
    let start = 0;
    for (let at = 0; at < chunk.length && !this.closed; at++) {
      const character = chunk[at] as string;
      if (this.inString) this.stepInString(character);
      else if (character === '"') this.inString = true;
      else if (character === "[" || character === "{") {
        if (this.depth === 0) start = at + 1;
        this.depth += 1;
      } else if (this.endsElement(character)) {
        this.text.append(chunk.slice(start, at));
        yield* this.take(character);
        start = at + 1;
        this.closed = character === "]";
      }
    }
    const rest = chunk.slice(start);
    this.text.append(this.closed && this.text.isEmpty ? rest.trimStart() : rest);
  }

  /** What is open at the end of the file: even a whole element, because nobody knows what was to follow it. */
  end(): Element | undefined {
    if (this.closed && this.text.isEmpty) return undefined;
    const open = this.text.take();
    return { number: this.number + 1, ...open, ...(this.closed || !open.tooLong ? { fault: "NOT_JSON" } : {}) };
  }

  /** Counts the closing brackets. One that closes nothing spoils the element that it is in, and no other. */
  private endsElement(character: string): boolean {
    if (this.depth === 1) return character === "," || character === "]";
    if (character === "]" || character === "}") this.depth -= 1;
    return false;
  }

  private stepInString(character: string): void {
    if (this.escaped) this.escaped = false;
    else if (character === "\\") this.escaped = true;
    else if (character === '"') this.inString = false;
  }

  /** An empty array, or nothing behind the last comma's bracket, is no element; nothing between two commas is a bad one. */
  private *take(ending: string): Generator<Element> {
    const element = { number: this.number + 1, ...this.text.take() };
    if (element.text.trim() === "" && !element.tooLong && ending !== "," && this.number === 0) return;
    this.number += 1;
    yield element;
  }
}
