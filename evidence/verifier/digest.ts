/**
 * What a verification needs of an item: which record it is, its version, and its commitment. Items come parsed, or as the
 * JSON text in which an export holds them: that of an ordinary record needs no parsing to be put into its canonical form,
 * and a million of them take half the time.
 */

import { hash } from "node:crypto";
import type { LogicalTableName } from "../../contract";
import { ItemError, isItem, parseStrictly } from "../../ledger/exports/lines";
import type { ItemJson } from "../../ledger/rules/attribute-value";
import { commitmentOf } from "../../ledger/rules/commitment";
import { keyValuesOf, versionOf } from "../log/identity";
import { ItemTemplate, type TemplateMatch, timeNames, writtenAsName } from "./item-templates";

export interface Digest {
  /** The values of the key attributes, a newline between them. */
  readonly keyText: string;
  readonly version: string;
  readonly commitment: string;
  /** When the ledger wrote it last, as it says; empty when it does not. */
  readonly writtenAt: string;
  /** What its WRITE record is named from, where that is not the partition key. */
  readonly writtenAs?: string;
}

/** No item is longer, but for escapes; a pattern would need memory by its length. */
const PLAIN_CHARACTERS_MAX = 512 * 1024;
/** Enough for the forms that records have; each further form is parsed. */
const TEMPLATES_MAX = 64;

export class ItemDigester {
  /** The last used first. */
  private readonly templates: ItemTemplate[] = [];

  constructor(private readonly table: LogicalTableName) {}

  /** @throws ItemError for what is no item. */
  take(item: ItemJson | string): Digest {
    if (typeof item !== "string") return this.parsed(item);
    return this.plain(item) ?? this.parsed(parseItem(item));
  }

  private parsed(item: ItemJson): Digest {
    try {
      const commitment = commitmentOf(this.table, item);
      const keyText = keyValuesOf(this.table, item).join("\n");
      const name = writtenAsName(this.table);
      const named = name === undefined ? {} : { writtenAs: textAttribute(item, name) ?? "" };
      return { keyText, version: versionOf(item), commitment, writtenAt: writtenAtOf(this.table, item), ...named };
    } catch {
      throw new ItemError(
        "It has no canonical form: a text in it is no well-formed Unicode, or it is nested too deep.",
      );
    }
  }

  /** The same from the text alone; undefined where that cannot be done. */
  private plain(text: string): Digest | undefined {
    if (text.length > PLAIN_CHARACTERS_MAX) return undefined;
    // A half of a surrogate pair has no UTF-8 form to hash.
    if (!text.isWellFormed()) return undefined;
    const match = this.match(text);
    if (match === undefined) return undefined;
    const { salt, content, keyText, version, writtenAt, writtenAs } = match;
    const canonical = `["payment-ledger/commitment/1",${salt},"${this.table}",{${content}}]`;
    const digest = { keyText, version, commitment: hash("sha256", canonical, "base64url"), writtenAt };
    return writtenAs === undefined ? digest : { ...digest, writtenAs };
  }

  private match(text: string): TemplateMatch | undefined {
    for (const [at, template] of this.templates.entries()) {
      const match = template.match(text);
      if (match === undefined) continue;
      if (at > 0) this.templates.unshift(...this.templates.splice(at, 1));
      return match;
    }
    const template = this.templates.length < TEMPLATES_MAX ? ItemTemplate.from(text, this.table) : undefined;
    const match = template?.match(text);
    // A text with an escape in its key is not matched even by its own template.
    if (template !== undefined && match !== undefined) this.templates.unshift(template);
    return match;
  }
}

/** When the ledger wrote the item last, as it says; empty when it does not. */
export function writtenAtOf(table: LogicalTableName, item: ItemJson): string {
  return (
    timeNames(table)
      .map((name) => textAttribute(item, name))
      .find((time) => time !== undefined) ?? ""
  );
}

export function textAttribute(item: ItemJson, name: string): string | undefined {
  const { S } = (item[name] ?? {}) as Readonly<Record<string, unknown>>;
  return typeof S === "string" ? S : undefined;
}

/** The item of a source; undefined for what is no item at all, which the verification reports. */
export function readableItem(form: ItemJson | string): ItemJson | undefined {
  if (typeof form !== "string") return form;
  try {
    return parseItem(form);
  } catch (error) {
    if (error instanceof ItemError) return undefined;
    throw error;
  }
}

/** @throws ItemError */
export function parseItem(text: string): ItemJson {
  const item = parseStrictly(text);
  if (!isItem(item)) throw new ItemError("It is no item in typed DynamoDB JSON.");
  return item;
}
