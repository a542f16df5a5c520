/** The words and figures of speech that comments, messages and documents do not use, and what they say instead. */

import ts from "@typescript/typescript6";
import { type SourceFile, syntaxOf } from "./project-files";

interface Word {
  readonly pattern: RegExp;
  readonly instead: string;
}

const WORDS: readonly Word[] = [
  { pattern: /\bdoors?\b/gi, instead: "interface, validation" },
  { pattern: /\bhero(es)?\b/gi, instead: "sample" },
  { pattern: /\b(rings?|rang)\b/gi, instead: "(an alarm) starts, is active" },
  { pattern: /\b(is|are|was|were|be|been)\s+told\b/gi, instead: "receives, is reported" },
  { pattern: /\b(tells?|told)\s+of\b/gi, instead: "report" },
  { pattern: /(?<!-)\b(stands?|stood|standing)\b(?!-|\s+in\s+for|\s+alone)/gi, instead: "exist, be, current" },
  { pattern: /\b(holds?|held|holding)\s+(?:[\w'`,]+\s+){1,8}against\b/gi, instead: "compare" },
  { pattern: /\bfor\s+good\b/gi, instead: "permanently" },
  { pattern: /\bof\s+(its|their|his|her)\s+own\b/gi, instead: "its own ..., a separate ..." },
  { pattern: /\bis\s+none\b/gi, instead: "is not a ..., is invalid" },
  { pattern: /\bwho(so)?ever\b/gi, instead: "anyone who, the person who" },
  { pattern: /\bslip(s|ped)?\s+in\b/gi, instead: "insert" },
  { pattern: /\bcomes?\s+about\b/gi, instead: "be made" },
  { pattern: /\ball\s+the\s+same\b/gi, instead: "nevertheless, also" },
  { pattern: /\bguards?\s+(of\s+.{1,30}\s+)?off\b/gi, instead: "remove or weaken a protection" },
  { pattern: /\bis\s+news\b|\ba\s+hope\b|\bloudly\b/gi, instead: "the plain fact" },
];

/** Findings of one file: in comments and texts of code, and in documents outside of code. */
export function unplainWords(file: SourceFile): string[] {
  const prose = file.path.endsWith(".md") ? withoutCode(file.text) : commentsAndTexts(file);
  const found = WORDS.flatMap(({ pattern, instead }) =>
    [...prose.matchAll(pattern)].map((match) => ({ at: match.index, word: match[0], instead })),
  );
  return found
    .sort((one, other) => one.at - other.at)
    .map(({ at, word, instead }) => {
      const line = prose.slice(0, at).split("\n").length;
      return `${file.path}:${line} says "${word.replace(/\s+/g, " ")}". Write it plainly: ${instead}.`;
    });
}

const blank = (text: string) => text.replace(/[^\n]/g, " ");

/** Without code, and without what a table quotes, such as titles of tests. Lines keep their numbers. */
function withoutCode(text: string): string {
  return text
    .replace(/^```[\s\S]*?^```$/gm, blank)
    .replace(/`[^`\n]*`/g, blank)
    .replace(/^\|.*$/gm, (row) => row.replace(/"[^"]*"/g, blank));
}

/** The comments and texts of code, without the names in code marks, at their lines. */
function commentsAndTexts(file: SourceFile): string {
  const { text } = file;
  const places = [...commentsOf(text), ...textsOf(file)].sort(([one], [other]) => one - other);
  let rest = 0;
  let prose = "";
  for (const [start, end] of places) {
    if (start < rest) continue;
    // The stars at the beginning of lines would part the words of a phrase.
    const plain = text
      .slice(start, end)
      .replace(/`[^`\n]*`/g, blank)
      .replace(/^\s*\*/gm, blank);
    prose += blank(text.slice(rest, start)) + plain;
    rest = end;
  }
  return prose + blank(text.slice(rest));
}

type Place = readonly [start: number, end: number];

function commentsOf(text: string): Place[] {
  const comment = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/[^\n]*/gm;
  return [...text.matchAll(comment)].map(({ index, 0: match }) => [index, index + match.length]);
}

/** Texts of more than one word: messages, descriptions, titles of tests. */
function textsOf(file: SourceFile): Place[] {
  const source = syntaxOf(file);
  const places: Place[] = [];
  const visit = (node: ts.Node): void => {
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if (isText && node.text.includes(" ")) places.push([node.getStart(source) + 1, node.getEnd() - 1]);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return places;
}
