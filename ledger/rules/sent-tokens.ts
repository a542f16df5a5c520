/**
 * A token has one place: the `SecureToken` of a payment of the ledger, which is stored encrypted. The same text anywhere
 * else in a request would be kept readable. Each way in therefore looks up the tokens that a request carries, and
 * refuses it where one of them is outside that place.
 */

import { scalarText } from "./card-field-names";

/** The member of a payment of the ledger that holds its token. */
export const TOKEN_FIELD = "SecureToken";
/**
 * A shorter text is in other texts by chance, so it does not count as a token here. Eight digits are in an id of twenty
 * random digits once in eight million times.
 */
export const TOKEN_LENGTH_MIN = 8;

/** The field's name as people write it: in any capitals, with spaces, dashes or underscores. */
const TOKEN_NAME = /^[\W_]*secure[\W_]*token[\W_]*$/i;
/** The same in a text that holds JSON, which may be escaped because it is in a text of JSON itself. */
const TOKEN_IN_JSON_TEXT = /secure[\W_]{0,3}token\s*\\*"\s*:\s*\\*"([^"\\]+)/gi;
/** More values than Lambda's 6 MB of input can hold; only shared references can exceed it, by repeating themselves. */
const VALUES_MAX = 4_000_000;
const COMPARISONS_MAX = 10_000_000;

/** The tokens that an input carries, by the name of their field. */
export class SentTokens {
  /** By their last characters, so that a text is searched for all of them at once. */
  readonly #byEnd = new Map<string, Set<string>>();
  #isComplete = true;
  #comparisons = 0;

  /** @param input JSON as it was parsed, of any depth. */
  static in(input: unknown): SentTokens {
    const tokens = new SentTokens();
    tokens.#isComplete = visitTexts(input, (text, isToken) => {
      if (isToken) tokens.#add(text);
      if (text.length > TOKEN_FIELD.length + TOKEN_LENGTH_MIN) tokens.#addFromJson(text);
      return true;
    });
    return tokens;
  }

  get isEmpty(): boolean {
    return this.#isComplete && this.#byEnd.size === 0;
  }

  /**
   * Whether one of the tokens is in the text. True where that cannot be known: for an input with too many values, and after
   * too many comparisons, which only tokens of equal ends and texts made of them can cause.
   */
  areIn(text: string): boolean {
    if (!this.#isComplete) return true;
    if (this.#byEnd.size === 0) return false;
    for (let end = TOKEN_LENGTH_MIN; end <= text.length; end++) {
      for (const token of this.#byEnd.get(text.slice(end - TOKEN_LENGTH_MIN, end)) ?? []) {
        if (++this.#comparisons > COMPARISONS_MAX || text.endsWith(token, end)) return true;
      }
    }
    return false;
  }

  #addFromJson(text: string): void {
    for (const [, token = ""] of text.matchAll(TOKEN_IN_JSON_TEXT)) this.#add(token);
  }

  /** A text with an asterisk is a masked token, which may be kept. */
  #add(token: string): void {
    if (token.length < TOKEN_LENGTH_MIN || token.includes("*")) return;
    const end = token.slice(-TOKEN_LENGTH_MIN);
    const tokens = this.#byEnd.get(end) ?? new Set();
    this.#byEnd.set(end, tokens.add(token));
  }
}

/**
 * Whether a token is where it would be kept readable.
 * @param clear what is kept readable: the input without the member that is encrypted.
 * @param tokens those of the whole request.
 */
export function holdsToken(clear: unknown, tokens: SentTokens): boolean {
  if (tokens.isEmpty) return false;
  if (!SentTokens.in(clear).isEmpty) return true;
  return !visitTexts(clear, (text) => !tokens.areIn(text));
}

/** The payment without its token. */
export function withoutToken(payment: unknown): unknown {
  const isObject = typeof payment === "object" && payment !== null && !Array.isArray(payment);
  return isObject && TOKEN_FIELD in payment ? { ...payment, [TOKEN_FIELD]: undefined } : payment;
}

/**
 * Visits every text, number and member name.
 * @param visit told whether the text is below a member with the token's name; false ends the visit.
 * @returns false when the visit ended early or there are too many values.
 */
function visitTexts(input: unknown, visit: (text: string, isToken: boolean) => boolean): boolean {
  const open: (readonly [value: unknown, isToken: boolean])[] = [[input, false]];
  let values = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (++values > VALUES_MAX) return false;
    const [value, isToken] = next;
    const text = scalarText(value);
    if (text !== undefined) {
      if (!visit(text, isToken)) return false;
    } else if (typeof value === "object" && value !== null) {
      for (const [name, member] of Object.entries(value)) {
        if (!visit(name, false)) return false;
        open.push([member, isToken || TOKEN_NAME.test(name)]);
      }
    }
  }
  return true;
}
