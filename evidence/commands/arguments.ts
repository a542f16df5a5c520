/** What the evidence commands are given: their options, and what these name (folders, keys, records, checkpoints). */

import { existsSync, statSync } from "node:fs";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { isItem } from "../../ledger/exports/lines";
import { FileError, readRegularFile } from "../../ledger/files/regular-file";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import { canonicalJson } from "../../ledger/rules/canonical-json";
import { type Checkpoint, parseCheckpoint } from "../log/checkpoint";
import { checkSignatures, NoteError, parseVerifierKey, type VerifierKey } from "../log/note";
import { CHECKPOINT_PATH } from "../log/paths";
import { parseItem } from "../verifier/digest";
import { type EvidenceFolder, localEvidence } from "../verifier/evidence";
import { EvidenceToolError, UsageError } from "./errors";

/** `many`: may be given several times. `file`, like `one`, has a value. */
export type OptionKind = "one" | "many" | "flag";
export type Options = Readonly<Record<string, OptionKind>>;

/** How a command talks to who started it. */
export interface Terminal {
  print(text: string): void;
  /** To the error channel, which a reader of the result does not get. */
  tell(text: string): void;
  /** Undefined when nobody looks on. */
  readonly progress?: (done: number, total: number, what: string) => void;
  /** Resolves when the command is told to end. A command that never asks ends at once, as any program does. */
  stopped?(): Promise<void>;
}

export interface Command {
  /** How it is used, each line indented below the list's head. */
  readonly usage: string;
  readonly options: Options;
  run(given: Given, terminal: Terminal): Promise<number>;
}

export class Given {
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

export function parseWords(words: readonly string[], options: Options): Given {
  const config: NonNullable<ParseArgsConfig["options"]> = Object.fromEntries(
    Object.entries(options).map(([name, kind]) => [
      name,
      kind === "flag" ? { type: "boolean" as const } : { type: "string" as const, multiple: kind === "many" },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...words], allowPositionals: true, options: config });
    return new Given(positionals, values);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : "The options do not fit.");
  }
}

// ------------------------------------------------------------------------------------------------ what options name

/** @throws EvidenceToolError FOLDER_MISSING */
export function folderAt(place: string, what: string): string {
  if (existsSync(place) && statSync(place).isDirectory()) return place;
  throw new EvidenceToolError("FOLDER_MISSING", `There is no folder ${place}. --${what} names one; correct the path.`);
}

/** Keys, proofs, checkpoints, one record, known findings: none is longer. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** @throws EvidenceToolError FILE_MISSING, for what is no regular file or too long too. */
export function fileAt(place: string, what: string): Buffer {
  try {
    const bytes = readRegularFile(place, FILE_BYTES_MAX);
    if (bytes !== undefined) return bytes;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new EvidenceToolError("FILE_MISSING", `${place} cannot be read for ${what}: ${error.message}`);
  }
  throw new EvidenceToolError("FILE_MISSING", `There is no file ${place} for ${what}. Correct the path.`);
}

export function evidenceAt(given: Given): EvidenceFolder {
  return localEvidence(folderAt(given.needed("evidence"), "evidence"));
}

/** Verifier keys, each as it is or in a file with one or more, a line each. @throws UsageError */
export function verifierKeys(words: readonly string[], option: string): VerifierKey[] {
  return words.flatMap((word) => {
    const lines = existsSync(word) ? fileAt(word, `--${option}`).toString("utf8").split("\n") : [word];
    return lines.filter((line) => line.trim() !== "").map((line) => verifierKey(line.trim(), option));
  });
}

function verifierKey(text: string, option: string): VerifierKey {
  try {
    return parseVerifierKey(text);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new UsageError(
      `--${option} is a verifier key (name+keyid+base64) or a file with such keys. ${error.message}`,
    );
  }
}

/** Keys of logs sign notes, keys of witnesses cosign checkpoints; the one in place of the other would find nothing. */
export function logKeys(given: Given, option = "key"): VerifierKey[] {
  const keys = verifierKeys(given.many(option), option);
  const other = keys.find(({ type }) => type === "cosignature");
  if (other !== undefined) throw new UsageError(`${other.name} is a witness's key; --${option} takes the log's.`);
  return keys;
}

/** Keys that the log had before; they vouch for its earlier checkpoints only. */
export function retiredKeys(given: Given): VerifierKey[] {
  return logKeys(given, "retired-key");
}

export function witnessKeys(given: Given): VerifierKey[] {
  const keys = verifierKeys(given.many("witness"), "witness");
  const other = keys.find(({ type }) => type !== "cosignature");
  if (other !== undefined) throw new UsageError(`${other.name} is no witness's key; --witness takes keys that cosign.`);
  return keys;
}

export interface ReadCheckpoint extends Checkpoint {
  readonly bytes: Buffer;
}

/** The folder's newest checkpoint. Its signatures are still to be checked. */
export async function newestCheckpoint(evidence: EvidenceFolder): Promise<ReadCheckpoint> {
  const bytes = await evidence.read(CHECKPOINT_PATH);
  if (bytes !== undefined) return { ...parseCheckpoint(bytes), bytes };
  throw new EvidenceToolError(
    "CHECKPOINT_MISSING",
    `${evidence.name} holds no checkpoint: it is no evidence folder, or nothing was published yet. Fetch the evidence.`,
    "incomplete",
  );
}

export function checkpointFile(place: string, option: string): ReadCheckpoint {
  const bytes = fileAt(place, `--${option}`);
  return { ...parseCheckpoint(bytes), bytes };
}

/** @throws EvidenceToolError when keys are pinned and none of them signed, or one of them did not sign what bears its name. */
export function checkSigned({ origin, note }: Checkpoint, keys: readonly VerifierKey[]): readonly VerifierKey[] {
  if (keys.length === 0) return [];
  const { good, bad } = checkSignatures(note, keys);
  const [forged] = bad;
  if (forged !== undefined) {
    const message = `The checkpoint names the key ${forged.name} (${forged.keyId}), which did not sign it.`;
    throw new EvidenceToolError("BAD_SIGNATURE", message, "bad-signature");
  }
  const signers = good.filter(({ name }) => name === origin);
  if (signers.length > 0) return signers;
  const message = `No key given with --key signed the checkpoint of ${origin}. Pin the key that the log's operator handed over.`;
  throw new EvidenceToolError("WRONG_KEY", message, "wrong-key");
}

/** Said where no key was given, so that nobody takes the rest for more than it is. */
export const UNSIGNED_NOTE = "The checkpoint's signature was not checked: no --key was given.";

// ------------------------------------------------------------------------------------------------------------ records

/**
 * A record as exports write it: a line of a data file (`Item`, or an incremental export's `NewImage`), or the item itself.
 * @throws EvidenceToolError NOT_A_RECORD
 */
export function recordFile(place: string): ItemJson {
  const item = itemIn(fileAt(place, "--record").toString("utf8"));
  if (item !== undefined) return item;
  throw new EvidenceToolError(
    "NOT_A_RECORD",
    `${place} holds no record. It is one line of an export's data file, with Item or NewImage in typed DynamoDB JSON. ` +
      "Take the line of this record alone, unchanged.",
  );
}

function itemIn(text: string): ItemJson | undefined {
  try {
    const line: Readonly<Record<string, unknown>> = parseItem(text);
    const item = line["NewImage"] ?? line["Item"] ?? line;
    const isRecord = isItem(item) && Object.keys(item).length > 0 && Object.values(item).every(isTyped);
    // What has no canonical form was never sealed.
    return isRecord && canonicalJson(item) !== "" ? item : undefined;
  } catch {
    return undefined;
  }
}

const TYPES: ReadonlySet<string> = new Set(["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"]);

function isTyped(attribute: object): boolean {
  const types = Object.keys(attribute);
  return types.length === 1 && TYPES.has(types[0] ?? "");
}
