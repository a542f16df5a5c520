/** The elements of a JSON array as it streams by. Only brackets and strings are followed; each element is parsed whole. */

import { parseExactJson } from "../ledger/exact-json";
import type { RefusalCode } from "../ledger/refusals";
import type { Row } from "./rows";

/**
 * An element that is no JSON is one bad row. Where brackets do not close or something stands between elements, the rest
 * of the array cannot be told apart any more and is one bad row.
 */
export async function* arrayElements(chunks: AsyncIterable<string>, lengthMax: number): AsyncGenerator<Row> {
  const scanner = new ElementScanner(lengthMax);
  for await (const chunk of chunks) {
    for (const element of scanner.push(chunk)) yield rowOf(element);
    if (scanner.broken) return;
  }
  const rest = scanner.end();
  if (rest !== undefined) yield rowOf(rest);
}

interface Element {
  readonly number: number;
  readonly text: string;
  readonly fault?: RefusalCode;
}

function rowOf({ number, text, fault }: Element): Row {
  if (fault !== undefined) return { number, fault, text };
  const value = parseExactJson(text);
  return value === undefined ? { number, fault: "NOT_JSON", text } : { number, value };
}

class ElementScanner {
  /** Set when what follows cannot be told apart into elements. */
  broken = false;
  private depth = 0;
  private inString = false;
  private escaped = false;
  private closed = false;
  private number = 0;
  private text = "";
  private tooLong = false;

  constructor(private readonly lengthMax: number) {}

  *push(chunk: string): Generator<Element> {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const character = chunk[at] as string;
      if (this.closed) {
        if (character.trim() === "") continue;
        this.broken = true;
        yield { number: this.number + 1, text: chunk.slice(at, at + this.lengthMax), fault: "NOT_JSON" };
        return;
      }
      if (this.inString) this.stepInString(character);
      else if (character === '"') this.inString = true;
      else if (character === "[" || character === "{") {
        if (this.depth === 0) start = at + 1;
        this.depth += 1;
      } else if (this.endsElement(character)) {
        this.keep(chunk.slice(start, at));
        yield* this.take(character);
        start = at + 1;
        this.closed = character === "]";
      }
    }
    if (!this.closed) this.keep(chunk.slice(start));
  }

  /** What stands open at the end of the file: even a whole element, because nobody knows what was to follow it. */
  end(): Element | undefined {
    if (this.closed) return undefined;
    return { number: this.number + 1, text: this.text, fault: this.tooLong ? "ROW_TOO_LONG" : "NOT_JSON" };
  }

  /** Counts the closing brackets. One that closes nothing spoils the element that it stands in, and no other. */
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

  private keep(text: string): void {
    if (this.tooLong) return;
    this.text += text;
    if (this.text.length > this.lengthMax) {
      this.text = this.text.slice(0, this.lengthMax);
      this.tooLong = true;
    }
  }

  /** An empty array, or nothing behind the last comma's bracket, is no element; nothing between two commas is a bad one. */
  private *take(ending: string): Generator<Element> {
    const fault: { fault?: RefusalCode } = this.tooLong ? { fault: "ROW_TOO_LONG" } : {};
    const element: Element = { number: this.number + 1, text: this.text, ...fault };
    this.text = "";
    this.tooLong = false;
    if (element.text.trim() === "" && ending !== "," && this.number === 0) return;
    this.number += 1;
    yield element;
  }
}
