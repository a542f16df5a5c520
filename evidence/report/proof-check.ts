/**
 * The check that a report makes of itself: leaf, path, root, signature, records, and what the page shows of them. It runs in
 * the reader's browser, and is written apart from the verifier: the two agree by the published formats alone.
 */

import type { ItemJson } from "../../ledger/rules/attribute-value";
import { canonicalJson } from "../../ledger/rules/canonical-json";
import type { LogEntry } from "../log/entry";
import { entryTexts, headTexts, pathTexts, recordTexts, treeTexts } from "./entry-text";
import { type EarlierTree, type PageEntry, type PageEvidence, REPORT_FORMAT } from "./page-evidence";
import {
  type Bytes,
  base64,
  base64url,
  beginsWith,
  fromBase64,
  hashOfLeaf,
  hasSigned,
  hex,
  type PageKey,
  parseKey,
  pathSteps,
  sha256,
  type TreeHead,
  UnsupportedKeyError,
  utf8,
} from "./web-crypto";

export interface PageCheck {
  readonly what: string;
  /** `unknown`: this browser cannot tell. */
  readonly state: "valid" | "invalid" | "unknown";
}

export interface CheckResult {
  readonly state: PageCheck["state"];
  readonly checks: readonly PageCheck[];
  /** Numbers of the entries that lead to the root, with a record that is the sealed one where there is one. */
  readonly proven: ReadonlySet<number>;
  /** What the page must show, by the name of the element that shows it: computed from proven bytes alone. */
  readonly texts: ReadonlyMap<string, readonly string[]>;
}

interface Head extends TreeHead {
  readonly origin: string;
  readonly rootText: string;
  readonly text: string;
  readonly signatures: readonly { readonly name: string; readonly keyId: string; readonly signature: Bytes }[];
}

/** Never throws: whatever is wrong with the evidence is a check that failed. */
export async function checkEvidence(evidence: PageEvidence): Promise<CheckResult> {
  const checks: PageCheck[] = [];
  const check = async (what: string, holds: () => Promise<boolean>) => {
    checks.push({ what, state: await stateOf(holds) });
  };
  const proven = new Set<number>();
  const texts = new Map<string, readonly string[]>();
  let head: Head | undefined;
  await check("The evidence in this file has the form that it must have.", async () => {
    head = headOf(evidence.checkpoint);
    return evidence.format === REPORT_FORMAT;
  });
  if (head === undefined) return { state: "invalid", checks, proven, texts };
  const tree: Head = head;
  texts.set("head", headTexts(tree));
  const signers = evidence.keys.length === 1 ? "the pinned key" : `each of the ${evidence.keys.length} pinned keys`;
  await check(`The checkpoint of ${tree.size} entries is signed with ${signers}.`, () => isSigned(tree, evidence.keys));
  let records = 0;
  for (const entry of evidence.entries) {
    try {
      await proveEntry(entry, evidence, tree, texts);
      proven.add(entry.index);
      if (entry.record !== null) records += 1;
    } catch {
      // It is counted as one that is not proven.
    }
  }
  const all = evidence.entries.length;
  const sealed = evidence.entries.filter(({ record }) => record !== null).length;
  await check(
    `${proven.size} of ${all} entries in this file lead to the signed root.`,
    async () => proven.size === all,
  );
  await check(
    `${records} of ${sealed} records in this file are those that the log sealed.`,
    async () => records === sealed,
  );
  const { earlier } = evidence;
  if (earlier !== null) {
    await check("The log begins with all that it had at the earlier checkpoint.", () =>
      continues(tree, earlier, evidence),
    );
  }
  return { state: worst(checks), checks, proven, texts };
}

export function worst(checks: readonly PageCheck[]): PageCheck["state"] {
  if (checks.some(({ state }) => state === "invalid")) return "invalid";
  return checks.some(({ state }) => state === "unknown") ? "unknown" : "valid";
}

async function stateOf(holds: () => Promise<boolean>): Promise<PageCheck["state"]> {
  try {
    return (await holds()) ? "valid" : "invalid";
  } catch (error) {
    return error instanceof UnsupportedKeyError ? "unknown" : "invalid";
  }
}

/** @throws Error for what is no signed checkpoint (C2SP tlog-checkpoint) as this log writes it. */
function headOf(note: string): Head {
  const split = note.lastIndexOf("\n\n");
  const text = note.slice(0, split + 1);
  const [, origin = "", sizeText = "", rootText = ""] = /^([^\n]+)\n(0|[1-9][0-9]*)\n([^\n]+)\n$/.exec(text) ?? [];
  const size = Number(sizeText);
  const root = fromBase64(rootText);
  if (split < 0 || !note.endsWith("\n") || !Number.isSafeInteger(size) || root.length !== 32) {
    throw new Error("It is no checkpoint.");
  }
  const signatures = note
    .slice(split + 2, -1)
    .split("\n")
    .map(signatureOf);
  return { origin, size, root, rootText, text, signatures };
}

function signatureOf(line: string) {
  const [, name = "", encoded = ""] = /^\u2014 (\S+) (\S+)$/u.exec(line) ?? [];
  const bytes = fromBase64(encoded);
  return { name, keyId: hex(bytes.slice(0, 4)), signature: bytes.slice(4) };
}

/** Each key signed, and no signature is another's: one that no key checks could say anything. */
async function isSigned({ text, signatures, origin }: Head, vkeys: readonly string[]): Promise<boolean> {
  const keys = await Promise.all(vkeys.map(parseKey));
  if (!keys.some((key) => key.name === origin) || keys.length !== signatures.length) return false;
  for (const key of keys) {
    const own = signatures.find(({ name, keyId }) => name === key.name && keyId === key.keyId);
    if (own === undefined || !(await hasSigned(key, text, own.signature))) return false;
  }
  return true;
}

/** @throws Error unless the entry leads to the root and commits to its record. */
async function proveEntry(
  { index, text, path, record }: PageEntry,
  { hashes, drawn }: PageEvidence,
  head: Head,
  texts: Map<string, readonly string[]>,
): Promise<void> {
  const leaf = await hashOfLeaf(utf8(text));
  const steps = await pathSteps(
    leaf,
    index,
    head.size,
    path.map((at) => fromBase64(hashes[at] ?? "")),
  );
  const root = steps.at(-1)?.node ?? leaf;
  if (base64(root) !== head.rootText) throw new Error("It does not lead to the root.");
  const entry = JSON.parse(text) as LogEntry;
  if (canonicalJson(entry) !== text) throw new Error("It is not canonical.");
  if (record !== null) {
    if (entry.kind === "HEARTBEAT" || (await commitment(entry.table, record)) !== entry.commitment)
      throw new Error("The record is not the one that was sealed.");
    texts.set(`record-${index}`, recordTexts(record));
  }
  texts.set(`entry-${index}`, entryTexts(index, entry, record));
  if (index !== drawn) return;
  const way = pathTexts(base64(leaf), index, steps);
  texts.set("path", way);
  texts.set("tree", treeTexts(way));
}

const SETS = ["SS", "NS", "BS"];

/** SHA-256, in base64url, over the canonical JSON of [format, salt or null, logical table, item without its salt]. */
async function commitment(table: string, item: ItemJson): Promise<string> {
  const { Salt, ...rest } = item;
  const members = Salt === undefined ? [] : Object.keys(Salt);
  const salt = members.join() === "B" ? (Salt as { readonly B: unknown }).B : undefined;
  const isSalted = typeof salt === "string";
  const canonical = canonicalJson([
    "payment-ledger/commitment/1",
    isSalted ? salt : null,
    table,
    sorted(isSalted ? rest : item),
  ]);
  return base64url(await sha256(utf8(canonical)));
}

/** DynamoDB promises no order for the members of a set. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => {
    const isSet = SETS.includes(name) && Array.isArray(member) && member.every((each) => typeof each === "string");
    return [name, isSet ? [...member].sort() : sorted(member)];
  });
  return Object.fromEntries(members);
}

async function continues(
  tree: Head,
  { checkpoint, keys, proof }: EarlierTree,
  { hashes }: PageEvidence,
): Promise<boolean> {
  const earlier = headOf(checkpoint);
  const signers: PageKey[] = await Promise.all(keys.map(parseKey));
  const isGood = await isSigned(
    earlier,
    signers.map(({ vkey }) => vkey),
  );
  const path = proof.map((at) => fromBase64(hashes[at] ?? ""));
  return isGood && earlier.origin === tree.origin && beginsWith(tree, earlier, path);
}
