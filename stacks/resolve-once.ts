/**
 * Resolves the elements of a stack once. CDKTF resolves each of them three times: to find the references between stacks, to write
 * it, and as a part of the whole; and each value with six patterns, whether it refers to anything or not. That was half of the
 * time of a synth.
 */

import { DefaultTokenResolver, StringConcat, TerraformElement, TerraformStack, Token, Tokenization } from "cdktf";

const RESOLVER = new DefaultTokenResolver(new StringConcat());
/** How CDKTF writes a reference into a string: with its own mark, or as a number of the form -1.888e+289. */
const REFERENCE = /TfToken\[|e\+\d/;

type Block = Record<string, unknown>;

/** A stack whose blocks are the same as CDKTF's own. */
export abstract class ResolvedOnceStack extends TerraformStack {
  private readonly blocks = new Map<TerraformElement, Block>();
  /** What the strings with references resolve to: most of them are in many policies. */
  private readonly strings = new Map<string, unknown>();

  /** Adds elements to other stacks too: the outputs to which this one refers. */
  override prepareStack(): void {
    this.ensureBackendExists();
    for (const element of this.elements()) this.blockOf(element);
  }

  override toTerraform(): Block {
    const blocks = this.elements().map((element) => this.blockOf(element));
    // What remains for CDKTF are its own notes on the stack, and the overrides.
    for (const element of this.blocks.keys()) element.toTerraform = () => ({});
    return [...blocks, super.toTerraform()].reduce<Block>(merge, {});
  }

  private elements(): TerraformElement[] {
    return this.node.findAll().filter((each) => TerraformElement.isTerraformElement(each));
  }

  private blockOf(element: TerraformElement): Block {
    const block = this.blocks.get(element) ?? (this.resolve(element.toTerraform()) as Block);
    this.blocks.set(element, block);
    return block;
  }

  /** CDKTF gets what may be a reference, and what it refuses. */
  private resolve(value: unknown): unknown {
    if (value === null || value === undefined || typeof value === "boolean") return value;
    if (typeof value === "string") return REFERENCE.test(value) ? this.resolveString(value) : value;
    // CDKTF writes a reference in place of a number as one far below zero.
    if (typeof value === "number") return value < 0 ? this.resolveByCdktf(value) : value;
    if (Array.isArray(value)) {
      if (Token.isUnresolved(value)) return this.resolveByCdktf(value);
      return value.map((each) => this.resolve(each)).filter((each) => each !== undefined);
    }
    if (!isPlain(value) || Object.keys(value).some((key) => REFERENCE.test(key))) return this.resolveByCdktf(value);
    const entries = Object.entries(value).map(([key, each]) => [key, this.resolve(each)] as const);
    return Object.fromEntries(entries.filter(([, each]) => each !== undefined));
  }

  private resolveString(value: string): unknown {
    if (!this.strings.has(value)) this.strings.set(value, this.resolveByCdktf(value));
    return this.strings.get(value);
  }

  private resolveByCdktf(value: unknown): unknown {
    return Tokenization.resolve(value, { scope: this, resolver: RESOLVER, preparing: true });
  }
}

/** Whether it has values alone, and is no reference or construct. */
function isPlain(value: unknown): value is Block {
  if (typeof value !== "object" || value === null || "resolve" in value) return false;
  return Object.getPrototypeOf(value) === Object.prototype;
}

/** The lists of two blocks, such as those of providers, are joined. */
function merge(target: Block, source: Block): Block {
  for (const [key, value] of Object.entries(source)) {
    const present = target[key];
    if (Array.isArray(value) && Array.isArray(present)) target[key] = [...present, ...value];
    else target[key] = isPlain(value) ? merge(isPlain(present) ? present : {}, value) : value;
  }
  return target;
}
