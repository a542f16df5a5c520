/**
 * The part of Terraform's template language that CDKTF synthesizes: references, literals, a few functions, nesting.
 * Everything else is refused by name: a guess would let the embedded AWS run something that the plan does not say.
 */
import { createHash } from "node:crypto";
import { LocalError } from "./errors";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type TerraformObject = { [key: string]: Json };

/** `aws_kms_key.data.arn` as ["aws_kms_key", "data", "arn"]; an index is one more step. */
export type ReferencePath = readonly (string | number)[];

/** Gives the value of as many leading steps as it knows, and the steps that are left to take inside that value. */
export type Lookup = (path: ReferencePath) => Promise<{ value: Json; rest: ReferencePath }>;

type Expression =
  | { kind: "literal"; value: Json }
  | { kind: "template"; parts: readonly Expression[] }
  | { kind: "list"; items: readonly Expression[] }
  | { kind: "object"; entries: readonly (readonly [Expression, Expression])[] }
  | { kind: "call"; name: string; args: readonly Expression[] }
  | { kind: "reference"; path: ReferencePath }
  | { kind: "access"; of: Expression; path: ReferencePath };

/** Functions that a stack may use. A new one belongs here only with Terraform's own behaviour. */
const FUNCTIONS: Readonly<Record<string, (args: readonly Json[]) => Json | undefined>> = {
  jsonencode: ([value]) => (value === undefined ? undefined : JSON.stringify(value)),
  sha1: ([text]) => (typeof text === "string" ? createHash("sha1").update(text).digest("hex") : undefined),
  join: ([separator, items]) =>
    typeof separator === "string" && Array.isArray(items) ? items.map(scalarText).join(separator) : undefined,
  element: ([items, index]) =>
    Array.isArray(items) && items.length > 0 && typeof index === "number" ? items[index % items.length] : undefined,
  concat: (lists) => (lists.every(Array.isArray) ? lists.flat() : undefined),
  tolist: ([items]) => (Array.isArray(items) ? items : undefined),
  toset: ([items]) => (Array.isArray(items) ? [...new Set(items)] : undefined),
  timestamp: () => inSeconds(Date.now()),
  timeadd: ([time, duration]) => {
    const hours = /^(\d+)h$/.exec(String(duration))?.[1];
    const start = Date.parse(String(time));
    return hours === undefined || Number.isNaN(start) ? undefined : inSeconds(start + Number(hours) * 3_600_000);
  },
};

/** RFC 3339 in UTC, as Terraform writes times. */
function inSeconds(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

/**
 * Resolves every template inside a value of the synthesized JSON. One after the other on purpose: a look-up may create
 * the resource that it names, and only a single line of look-ups lets a cycle be seen instead of waited for.
 */
export async function resolveValue(value: Json, lookup: Lookup): Promise<Json> {
  if (typeof value === "string") return resolveTemplate(value, lookup);
  if (Array.isArray(value)) return inOrder(value, (item) => resolveValue(item, lookup));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    await inOrder(Object.entries(value), async ([key, item]) => [key, await resolveValue(item, lookup)] as const),
  );
}

async function inOrder<Item, Result>(items: readonly Item[], each: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await each(item));
  return results;
}

export async function resolveTemplate(template: string, lookup: Lookup): Promise<Json> {
  if (!/[$%]\{/.test(template)) return template;
  return evaluate(new Parser(template).template(), lookup, template);
}

async function evaluate(expression: Expression, lookup: Lookup, source: string): Promise<Json> {
  const inner = (part: Expression) => evaluate(part, lookup, source);
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "template":
      return (await inOrder(expression.parts, inner)).map((part) => scalarOrRefuse(part, source)).join("");
    case "list":
      return inOrder(expression.items, inner);
    case "object": {
      const entry = async ([key, value]: readonly [Expression, Expression]) =>
        [scalarOrRefuse(await inner(key), source), await inner(value)] as const;
      return Object.fromEntries(await inOrder(expression.entries, entry));
    }
    case "call":
      return call(expression.name, await inOrder(expression.args, inner), source);
    case "reference": {
      const { value, rest } = await lookup(expression.path);
      return step(value, rest, source);
    }
    case "access":
      return step(await inner(expression.of), expression.path, source);
  }
}

function call(name: string, args: readonly Json[], source: string): Json {
  const implementation = FUNCTIONS[name];
  if (implementation === undefined) throw unresolved(source, `the function ${name}() is not one of ${known()}`);
  const result = implementation(args);
  if (result === undefined) throw unresolved(source, `${name}() got arguments of another kind than it takes`);
  return result;
}

function step(start: Json, path: ReferencePath, source: string): Json {
  let value: Json | undefined = start;
  for (const key of path) {
    if (Array.isArray(value) && typeof key === "number") value = value[key];
    else if (typeof value === "object" && value !== null && !Array.isArray(value)) value = value[key];
    else value = undefined;
    if (value === undefined) throw unresolved(source, `there is no value at ${JSON.stringify(key)}`);
  }
  return value ?? null;
}

function scalarText(value: Json): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function scalarOrRefuse(value: Json, source: string): string {
  if (typeof value === "object") throw unresolved(source, "a list, an object or null cannot be part of a text");
  return String(value);
}

function known(): string {
  return Object.keys(FUNCTIONS).join(", ");
}

function unresolved(source: string, reason: string): LocalError {
  return new LocalError(
    "EXPRESSION_UNRESOLVED",
    `The expression ${source} cannot be resolved for the embedded AWS: ${reason}. Only what is understood completely ` +
      "is deployed; say it more plainly in the stack, or teach local/terraform-expression.ts.",
  );
}

const TOKEN_IDENTIFIER = /[A-Za-z_][A-Za-z0-9_-]*/y;
const TOKEN_NUMBER = /-?\d+(\.\d+)?/y;
const TOKEN_SPACE = /\s*/y;
const STRING_ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", '"': '"', "\\": "\\" };

/** Recursive descent over one template. A text inside an expression is another template. */
class Parser {
  private at = 0;

  constructor(private readonly source: string) {}

  template(): Expression {
    const parts = this.parts(undefined);
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return only;
    return { kind: "template", parts };
  }

  /** Reads text and `${...}` up to the closing quote, or to the end of the source when no quote is given. */
  private parts(quote: string | undefined): Expression[] {
    const parts: Expression[] = [];
    let text = "";
    const flush = () => {
      if (text !== "") parts.push({ kind: "literal", value: text });
      text = "";
    };
    while (this.at < this.source.length && this.source[this.at] !== quote) {
      const two = this.source.slice(this.at, this.at + 2);
      const three = this.source.slice(this.at, this.at + 3);
      if (three === "$${" || three === "%%{") {
        text += three.slice(1);
        this.at += 3;
      } else if (two === "${") {
        this.at += 2;
        flush();
        parts.push(this.expression());
        this.expect("}");
      } else if (two === "%{") {
        throw this.refuse("template directives (%{...}) are not supported");
      } else if (quote !== undefined && two.startsWith("\\")) {
        text += STRING_ESCAPES[two[1] ?? ""] ?? this.fail(`the escape ${two} is unknown`);
        this.at += 2;
      } else {
        text += two[0];
        this.at += 1;
      }
    }
    flush();
    return parts;
  }

  private expression(): Expression {
    this.space();
    const primary = this.primary();
    const path = this.steps();
    this.space();
    if (path.length === 0) return primary;
    if (primary.kind === "reference") return { kind: "reference", path: [...primary.path, ...path] };
    return { kind: "access", of: primary, path };
  }

  private primary(): Expression {
    const next = this.source[this.at];
    if (next === '"') return this.quoted();
    if (next === "[") return { kind: "list", items: this.sequence("[", "]", () => this.expression()) };
    if (next === "{") return { kind: "object", entries: this.sequence("{", "}", () => this.entry()) };
    const number = this.take(TOKEN_NUMBER);
    if (number !== undefined) return { kind: "literal", value: Number(number) };
    const name = this.take(TOKEN_IDENTIFIER);
    if (name === undefined) throw this.refuse("only references, literals and function calls are supported");
    if (this.source[this.at] === "(") {
      return { kind: "call", name, args: this.sequence("(", ")", () => this.expression()) };
    }
    if (name === "true" || name === "false") return { kind: "literal", value: name === "true" };
    if (name === "null") return { kind: "literal", value: null };
    return { kind: "reference", path: [name] };
  }

  private steps(): (string | number)[] {
    const path: (string | number)[] = [];
    for (;;) {
      if (this.source[this.at] === ".") {
        this.at += 1;
        path.push(this.take(TOKEN_IDENTIFIER) ?? Number(this.take(/\d+/y) ?? this.fail("splats are not supported")));
      } else if (this.source[this.at] === "[") {
        this.at += 1;
        const index = this.expression();
        this.expect("]");
        if (index.kind !== "literal") throw this.refuse("an index must be a number or a plain text");
        path.push(typeof index.value === "number" ? index.value : String(index.value));
      } else {
        return path;
      }
    }
  }

  private quoted(): Expression {
    this.expect('"');
    const parts = this.parts('"');
    this.expect('"');
    if (parts.length === 0) return { kind: "literal", value: "" };
    const [only] = parts;
    return parts.length === 1 && only?.kind === "literal" ? only : { kind: "template", parts };
  }

  private entry(): readonly [Expression, Expression] {
    this.space();
    const bare = this.take(TOKEN_IDENTIFIER);
    const key: Expression = bare === undefined ? this.expression() : { kind: "literal", value: bare };
    this.space();
    if (this.source[this.at] === ":") this.at += 1;
    else this.expect("=");
    return [key, this.expression()];
  }

  private sequence<Item>(open: string, close: string, item: () => Item): Item[] {
    this.expect(open);
    const items: Item[] = [];
    this.space();
    while (this.source[this.at] !== close) {
      items.push(item());
      this.space();
      if (this.source[this.at] !== close) this.expect(",");
      this.space();
    }
    this.expect(close);
    return items;
  }

  private expect(text: string): void {
    if (!this.source.startsWith(text, this.at)) throw this.refuse(`expected "${text}" at position ${this.at}`);
    this.at += text.length;
  }

  private space(): void {
    this.take(TOKEN_SPACE);
  }

  private take(token: RegExp): string | undefined {
    token.lastIndex = this.at;
    const found = token.exec(this.source)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private fail(reason: string): never {
    throw this.refuse(reason);
  }

  private refuse(reason: string): LocalError {
    return unresolved(this.source, reason);
  }
}
