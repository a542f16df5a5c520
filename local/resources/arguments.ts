/**
 * The resolved arguments of one resource, read by name and kind. It remembers what was read, so that an argument which
 * the deployer does not know is an error: a laptop must not silently run less than the plan says.
 */
import { LocalError } from "../errors";
import { isObject } from "../synthesized";
import type { Json, TerraformObject } from "../terraform-expression";

export class Arguments {
  private readonly read = new Set<string>();
  private readonly children: Arguments[] = [];

  constructor(
    readonly address: string,
    readonly values: TerraformObject,
  ) {}

  text(name: string): string {
    return this.optionalText(name) ?? this.invalid(name, "a text is required");
  }

  optionalText(name: string): string | undefined {
    const value = this.take(name);
    if (value === undefined || typeof value === "string") return value;
    return this.invalid(name, "must be a text");
  }

  /** One of the values that an AWS enumeration knows; AWS itself says which. */
  choice<Value extends string>(name: string): Value | undefined {
    return this.optionalText(name) as Value | undefined;
  }

  number(name: string): number | undefined {
    const value = this.take(name);
    if (value === undefined || typeof value === "number") return value;
    return this.invalid(name, "must be a number");
  }

  flag(name: string): boolean | undefined {
    const value = this.take(name);
    if (value === undefined || typeof value === "boolean") return value;
    return this.invalid(name, "must be true or false");
  }

  texts(name: string): string[] {
    const value = this.take(name) ?? [];
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
    return this.invalid(name, "must be a list of texts");
  }

  textMap(name: string): Record<string, string> {
    const value = this.take(name) ?? {};
    if (!isObject(value)) return this.invalid(name, "must be a map of texts");
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, String(item)]));
  }

  /** A nested block that may occur at most once; synthesized as an object or as a list of one. */
  block(name: string): Arguments | undefined {
    const blocks = this.blocks(name);
    if (blocks.length > 1) return this.invalid(name, "may occur only once");
    return blocks[0];
  }

  blocks(name: string): Arguments[] {
    const value = this.take(name) ?? [];
    const list = Array.isArray(value) ? value : [value];
    return list.map((item, index) => {
      if (!isObject(item)) return this.invalid(name, "must be a block");
      const child = new Arguments(`${this.address}.${name}[${index}]`, item);
      this.children.push(child);
      return child;
    });
  }

  /** Names arguments that change nothing on the embedded AWS. */
  withoutEffect(...names: readonly string[]): void {
    for (const name of names) this.read.add(name);
  }

  assertAllRead(): void {
    for (const child of this.children) child.assertAllRead();
    const unread = Object.keys(this.values).filter((name) => !this.read.has(name) && this.values[name] !== null);
    if (unread.length === 0) return;
    throw new LocalError(
      "ARGUMENT_UNKNOWN",
      `${this.address} has arguments that the embedded AWS does not carry out: ${unread.join(", ")}. ` +
        "Teach its function in local/resources/, or name them there as being without effect.",
    );
  }

  private take(name: string): Json | undefined {
    this.read.add(name);
    return this.values[name] ?? undefined;
  }

  private invalid(name: string, rule: string): never {
    throw new LocalError(
      "ARGUMENT_INVALID",
      `${this.address}: the argument "${name}" ${rule}. Correct it in the stack.`,
    );
  }
}
