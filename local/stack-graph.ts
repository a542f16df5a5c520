/** Evaluates the stacks' blocks, each once and after everything that it refers to. */
import { LocalError } from "./errors";
import { Arguments } from "./resources/arguments";
import type { CreateByType, DeployContext } from "./resources/context";
import { DATA_SOURCES, RESOURCES } from "./resources/index";
import { isUnansweredUrl } from "./resources/plan-only";
import type { Block, Stack } from "./synthesized";
import { type Json, type Lookup, type ReferencePath, resolveValue, type TerraformObject } from "./terraform-expression";

/** CDKTF names the remote state of another stack after that stack. */
const REMOTE_STATE_NAME = /^cross-stack-reference-input-(.+)$/;

const EXISTS_ERRORS = new Set([
  "ResourceInUseException",
  "ResourceConflictException",
  "ResourceAlreadyExistsException",
  "AlreadyExistsException",
  "EntityAlreadyExistsException",
  "EntityAlreadyExists",
  "QueueAlreadyExists",
  "QueueNameExists",
  "BucketAlreadyExists",
  "BucketAlreadyOwnedByYou",
  "ConflictException",
]);

/** A block with its final attributes: the resolved arguments and what its creation added. */
export interface Deployed {
  readonly stack: string;
  readonly block: Block;
  readonly attributes: TerraformObject;
}

export class StackGraph {
  private readonly byId: ReadonlyMap<string, Stack>;
  private readonly done = new Map<string, Deployed>();

  /** @param resources what creates each type; other than by default, nothing is created but attributes. */
  constructor(
    private readonly stacks: readonly Stack[],
    private readonly context: DeployContext,
    private readonly resources: CreateByType = RESOURCES,
  ) {
    this.byId = new Map(stacks.map((stack) => [stack.id, stack]));
  }

  /** Refuses unknown types before anything is created, then creates stack by stack. */
  async deploy(): Promise<readonly Deployed[]> {
    for (const stack of this.stacks) for (const block of stack.blocks.values()) this.assertKnownType(block);
    for (const stack of this.stacks) {
      for (const block of stack.blocks.values()) {
        if (block.type !== "terraform_remote_state") await this.evaluate(stack, block, []);
      }
    }
    return [...this.done.values()];
  }

  /** The outputs of every stack, by stack and name, once all of it is deployed. URLs where nothing answers are left out. */
  async outputs(): Promise<Readonly<Record<string, TerraformObject>>> {
    const all: Record<string, TerraformObject> = {};
    for (const stack of this.stacks) {
      const values = Object.entries(stack.outputs).filter(
        ([name, value]) => !name.startsWith("cross-stack-output-") && !isUnansweredUrl(value),
      );
      const resolved = await resolveValue(Object.fromEntries(values), this.lookupFrom(stack, []));
      all[stack.id] = resolved as TerraformObject;
    }
    return all;
  }

  private async evaluate(stack: Stack, block: Block, trail: readonly string[]): Promise<TerraformObject> {
    const id = `${stack.id}/${block.address}`;
    const existing = this.done.get(id);
    if (existing !== undefined) return existing.attributes;
    if (trail.includes(id)) throw cycle([...trail, id]);
    const ownTrail = [...trail, id];
    for (const address of block.dependsOn)
      await this.evaluate(stack, find(stack, address.split("."), address), ownTrail);
    const resolved = await resolveValue(block.arguments, this.lookupFrom(stack, ownTrail));
    const values = resolved as TerraformObject;
    const attributes = { ...values, ...(await this.create(block, values)) };
    this.done.set(id, { stack: stack.id, block, attributes });
    return attributes;
  }

  private async create(block: Block, values: TerraformObject): Promise<TerraformObject> {
    const create = this.creatorOf(block);
    const args = new Arguments(block.address, values);
    try {
      const attributes = await create(args, this.context);
      args.assertAllRead();
      return attributes;
    } catch (cause) {
      if (cause instanceof LocalError) throw cause;
      throw failed(block, cause);
    }
  }

  private creatorOf(block: Block) {
    return (block.mode === "data" ? DATA_SOURCES : this.resources)[block.type] ?? unknownType(block);
  }

  private assertKnownType(block: Block): void {
    if (block.type !== "terraform_remote_state") this.creatorOf(block);
  }

  private lookupFrom(stack: Stack, trail: readonly string[]): Lookup {
    return async (path) => {
      const [first, second] = path;
      if (first === "path" && second === "module") return { value: stack.directory, rest: path.slice(2) };
      if (first === "data" && second === "terraform_remote_state") return this.output(stack, path, trail);
      const block = find(stack, path, path.join("."));
      return { value: await this.evaluate(stack, block, trail), rest: path.slice(block.mode === "data" ? 3 : 2) };
    };
  }

  /** `data.terraform_remote_state.<input>.outputs.<name>`: the producer's own expression, evaluated in the producer's stack. */
  private async output(
    consumer: Stack,
    path: ReferencePath,
    trail: readonly string[],
  ): Promise<{ value: Json; rest: ReferencePath }> {
    const [, , input, outputs, name] = path;
    const producer = this.byId.get(REMOTE_STATE_NAME.exec(String(input))?.[1] ?? "");
    const value = producer?.outputs[String(name)];
    if (producer === undefined || outputs !== "outputs" || value === undefined) {
      throw new LocalError(
        "EXPRESSION_UNRESOLVED",
        `Stack ${consumer.id} reads ${path.join(".")}, which no synthesized stack gives out. Synthesize all stacks together.`,
      );
    }
    return { value: await resolveValue(value, this.lookupFrom(producer, trail)), rest: path.slice(5) };
  }
}

function find(stack: Stack, path: ReferencePath, written: string): Block {
  const address = path.slice(0, path[0] === "data" ? 3 : 2).join(".");
  const block = stack.blocks.get(address);
  if (block !== undefined) return block;
  throw new LocalError(
    "EXPRESSION_UNRESOLVED",
    `Stack ${stack.id} refers to ${written}, but declares no ${address}. Variables, locals and other stacks' resources ` +
      "cannot be referred to; give the value out of its stack.",
  );
}

function unknownType(block: Block): never {
  throw new LocalError(
    "TYPE_UNKNOWN",
    `${block.address}: the embedded AWS does not know the type ${block.type}. Nothing is skipped silently; add it to ` +
      "local/resources/: with the call that creates it, or in plan-only.ts where only real AWS has it.",
  );
}

function failed(block: Block, cause: unknown): LocalError {
  const name = cause instanceof Error ? cause.name : "Error";
  const message = cause instanceof Error ? cause.message : String(cause);
  if (EXISTS_ERRORS.has(name)) return environmentExists(block.address, cause);
  return new LocalError(
    "RESOURCE_FAILED",
    `${block.address} could not be created: ${name}: ${message}. The endpoint refused what the synthesized JSON says.`,
    { cause },
  );
}

export function environmentExists(what: string, cause?: unknown): LocalError {
  return new LocalError(
    "ENVIRONMENT_EXISTS",
    `${what} already exists on this endpoint. A deployment starts from nothing and never replaces or deletes what it finds. ` +
      "Embedded AWS: npx payledger down, then up again. Your own endpoint: remove it with the tool that made it, or use another suffix.",
    { cause },
  );
}

function cycle(trail: readonly string[]): LocalError {
  return new LocalError(
    "REFERENCE_CYCLE",
    `These resources need each other: ${trail.join(" -> ")}. One of them must not.`,
  );
}
