/**
 * HTML as text. Only `html` makes it, and it escapes every value that it is given, so no value of a record becomes markup.
 * What it writes is exactly what a browser's `innerHTML` gives back, so a page can be compared with what was written.
 */

export class Html {
  constructor(readonly text: string) {}
}

export type Part = Html | string | number | false | undefined | readonly Part[];

/** Parts may be in the text of an element, or between the double quotes of an attribute's value; nowhere else. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = strings[0] ?? "";
  for (const [at, part] of parts.entries()) {
    const isAttribute = text.lastIndexOf("<") > text.lastIndexOf(">");
    text += `${textOf(part, isAttribute)}${strings[at + 1] ?? ""}`;
  }
  return new Html(text);
}

function textOf(part: Part, isAttribute: boolean): string {
  if (part === undefined || part === false) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "string" || typeof part === "number") return escaped(String(part), isAttribute);
  return part.map((each) => textOf(each, isAttribute)).join("");
}

const IN_TEXT: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\u00a0": "&nbsp;" };

function escaped(text: string, isAttribute: boolean): string {
  const safe = visible(text).replace(/[&<>\u00a0]/g, (character) => IN_TEXT[character] ?? "");
  return isAttribute ? safe.replaceAll('"', "&quot;") : safe;
}

/** Characters that show nothing, or that change how their neighbours are shown, written out as their numbers. */
export function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\u2028\u2029]/gu,
    (character) => `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`,
  );
}

const SHOWN_CHARACTERS_MAX = 300;

/** What a page shows of a text that somebody else wrote: all of it, unless it is too long to read. */
export function shown(text: string): string {
  const characters = [...visible(text)];
  return characters.length <= SHOWN_CHARACTERS_MAX
    ? characters.join("")
    : `${characters.slice(0, SHOWN_CHARACTERS_MAX).join("")}… (${characters.length} characters)`;
}

const IN_SCRIPT = /[<>&\u2028\u2029]/g;

/** JSON for a script element: nothing in it ends the element or opens a comment. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(
    IN_SCRIPT,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
