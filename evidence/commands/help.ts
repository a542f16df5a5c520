/** The help of a program, of a group and of a command. */

import { COMMON, type Command, type Commands, type Option, type Options } from "./command";

const WIDTH = 100;
/** Heading of options that are the command's own. */
const OWN = "Options";

/** What a command is called with: required options, then the others. */
export function usageLine(name: string, { operands, options }: Command): string {
  const own = Object.entries(options).filter(([, { section }]) => section === undefined);
  const required = own.filter(([, option]) => option.required === true).map(([key, option]) => optionText(key, option));
  const others = own.filter(([, option]) => option.required !== true);
  const isLong = others.length > 4;
  const optional = isLong ? ["[options]"] : others.map(([key, option]) => `[${optionText(key, option)}]`);
  const words = [...(operands === undefined ? [] : [operands]), ...required, ...optional];
  return wrapped(`Usage: ${name} ${words.join(" ")}`.trimEnd(), "  ");
}

function optionText(name: string, { kind, value = "VALUE" }: Option): string {
  return `--${name}${kind === "flag" ? "" : ` ${value}`}${kind === "many" ? "..." : ""}`;
}

export function commandHelp(program: string, path: readonly string[], command: Command): string {
  const { summary, details, examples = [] } = command;
  const options: Options = { ...command.options, ...COMMON };
  const sections = new Map<string, [string, string][]>();
  for (const [name, option] of Object.entries(options)) {
    const section = option.section ?? OWN;
    const short = option.short === undefined ? "" : `-${option.short}, `;
    const row: [string, string] = [`${short}${optionText(name, option)}`, option.about];
    sections.set(section, [...(sections.get(section) ?? []), row]);
  }
  return [
    usageLine([program, ...path].join(" "), command),
    "",
    wrapped(`  ${summary}`, "  "),
    ...(details === undefined ? [] : ["", ...details.split("\n").map((line) => wrapped(`  ${line}`, "  "))]),
    ...[...sections].flatMap(([title, rows]) => ["", `${title}:`, ...tableOf(rows)]),
    ...(examples.length === 0 ? [] : ["", "Examples:", ...examples.map((words) => `  ${program} ${words}`)]),
  ].join("\n");
}

/** The list of commands, under the headings that they name. */
export function listHelp(name: string, about: string, commands: Commands, footer: readonly string[] = []): string {
  const sections = new Map<string, [string, string][]>();
  for (const [key, { summary, section = "Commands" }] of Object.entries(commands)) {
    sections.set(section, [...(sections.get(section) ?? []), [key, summary]]);
  }
  return [
    `Usage: ${name} <command> [options]`,
    "",
    wrapped(`  ${about}`, "  "),
    ...[...sections].flatMap(([title, rows]) => ["", `${title}:`, ...tableOf(rows)]),
    "",
    `Help of a command: ${name} <command> --help`,
    ...footer,
  ].join("\n");
}

const COLUMN_MAX = 26;

function tableOf(rows: readonly [string, string][]): string[] {
  const column = Math.min(COLUMN_MAX, Math.max(...rows.map(([left]) => left.length)));
  return rows.map(([left, right]) => {
    const indent = " ".repeat(column + 4);
    const first = left.length > column ? `  ${left}\n${indent}` : `  ${left.padEnd(column)}  `;
    return first + wrapped(`${indent}${right}`, indent).trimStart();
  });
}

/** Breaks lines at spaces; what goes on is indented. */
export function wrapped(text: string, indent: string): string {
  const lines: string[] = [];
  let line = /^ */.exec(text)?.[0] ?? "";
  let isEmpty = true;
  for (const word of text.trim().split(" ")) {
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = `${indent}${word}`;
    } else {
      line += isEmpty ? word : ` ${word}`;
    }
    isEmpty = false;
  }
  return [...lines, line].join("\n");
}
