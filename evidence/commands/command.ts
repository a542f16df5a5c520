/** What a command is: its options with their help, how it reads them, and how it talks to the user. */

import { type ParseArgsConfig, parseArgs } from "node:util";
import { UsageError } from "./errors";
import { nearest } from "./nearest";

/** `one` and `many` take a value; `many` may be given several times. */
export type OptionKind = "one" | "many" | "flag";

export interface Option {
  readonly kind: OptionKind;
  /** What help calls the value: DIR, NAME. */
  readonly value?: string;
  readonly about: string;
  /** The command cannot work without it. Help shows it first; the command itself refuses. */
  readonly required?: boolean;
  /** Heading in the help for options that many commands have. */
  readonly section?: string;
  readonly short?: string;
}
export type Options = Readonly<Record<string, Option>>;

/** The channels to the user who started the command. */
export interface Output {
  print(text: string): void;
  /** To the error channel, which a reader of the result does not get. */
  tell(text: string): void;
  /** Undefined when nobody watches. */
  readonly progress?: (done: number, total: number, what: string) => void;
  /** Resolves when the command shall end. A command that never asks ends at once, as any program does. */
  stopped?(): Promise<void>;
}

export interface Terminal extends Output {
  /** The result: `value` as JSON with --json, `text` without. */
  answer(value: unknown, text: string): void;
}

export interface Command {
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What help calls the words that are no options: "ID", "QUEUE". */
  readonly operands?: string;
  /** More than the summary says. */
  readonly details?: string;
  readonly options: Options;
  /** Words behind the program's name. */
  readonly examples?: readonly string[];
  /** Runs the command. @returns the exit code. */
  run(args: CommandArguments, terminal: Terminal): Promise<number>;
}

/** A command without its line in the list. */
export type CommandBody = Omit<Command, "summary">;

/** A command whose code is loaded when it is called: the AWS SDK takes a second, and the list needs none of it. */
export interface LazyCommand {
  readonly summary: string;
  load(): CommandBody;
}

export interface CommandGroup {
  readonly summary: string;
  readonly commands: Commands;
}

export type CommandNode = (Command | LazyCommand | CommandGroup) & {
  /** Heading in the list of commands. */
  readonly section?: string;
};
export type Commands = Readonly<Record<string, CommandNode>>;

export function isGroup(node: CommandNode): node is CommandGroup {
  return "commands" in node;
}

export function loaded(node: Command | LazyCommand): Command {
  return "load" in node ? { ...node.load(), summary: node.summary } : node;
}

/** Options that every command takes. */
export const COMMON: Options = {
  json: { kind: "flag", about: "Print the answer as JSON.", section: "Common options" },
  debug: { kind: "flag", about: "On an error, print where it came from.", section: "Common options" },
  help: { kind: "flag", short: "h", about: "Print this help.", section: "Common options" },
};

export class CommandArguments {
  constructor(
    readonly operands: readonly string[],
    private readonly values: Readonly<Record<string, unknown>>,
  ) {}

  flag(name: string): boolean {
    return this.values[name] === true;
  }

  one(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === "string" ? value : undefined;
  }

  many(name: string): readonly string[] {
    const value = this.values[name];
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** @throws UsageError when it is not given. */
  needed(name: string): string {
    const value = this.one(name);
    if (value === undefined || value === "") throw new UsageError(`--${name} is missing.`);
    return value;
  }

  neededMany(name: string): readonly string[] {
    const values = this.many(name);
    if (values.length === 0) throw new UsageError(`--${name} is missing.`);
    return values;
  }

  /** A whole number from `min` to `max`. */
  number(name: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number | undefined {
    const text = this.one(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (/^[0-9]+$/.test(text) && value >= min && value <= max) return value;
    throw new UsageError(
      `--${name} is a whole number from ${min}${max < Number.MAX_SAFE_INTEGER ? ` to ${max}` : ""}.`,
    );
  }

  noOperand(): void {
    if (this.operands.length > 0) throw new UsageError(`"${this.operands[0]}" is too much here.`);
  }

  onlyOperand(what: string): string {
    const [only, ...others] = this.operands;
    if (only === undefined || others.length > 0) throw new UsageError(`The command takes exactly one ${what}.`);
    return only;
  }
}

/** @throws UsageError for an unknown option, and for a value that misses or is too much. */
export function parseWords(words: readonly string[], commandOptions: Options): CommandArguments {
  const options: Options = { ...COMMON, ...commandOptions };
  const config: NonNullable<ParseArgsConfig["options"]> = Object.fromEntries(
    Object.entries(options).map(([name, { kind, short }]) => [
      name,
      {
        type: kind === "flag" ? ("boolean" as const) : ("string" as const),
        multiple: kind === "many",
        ...(short === undefined ? {} : { short }),
      },
    ]),
  );
  const parsed = parseArgs({ args: [...words], allowPositionals: true, options: config, strict: false, tokens: true });
  for (const token of parsed.tokens) if (token.kind === "option") checkOption(token, options);
  return new CommandArguments(parsed.positionals, parsed.values);
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function checkOption({ name, rawName, value, inlineValue }: OptionToken, options: Options): void {
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option === undefined) {
    const close = nearest(name, Object.keys(options));
    throw new UsageError(`There is no option ${rawName}.${close === undefined ? "" : ` Did you mean --${close}?`}`);
  }
  if (option.kind === "flag") {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value.`);
    return;
  }
  if (value === undefined) throw new UsageError(`${rawName} takes a value.`);
  // What looks like an option is more often a forgotten value than a value.
  if (inlineValue !== true && /^-./.test(value)) {
    throw new UsageError(`${rawName} takes a value. If it is "${value}", write ${rawName}=${value}.`);
  }
}
