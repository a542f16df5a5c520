/**
 * The script of a report: checks the evidence in the page, and that the page shows what the evidence says. It is bundled
 * into `page-script.json`, changes nothing but what the check found, and loads nothing.
 */

import { scriptJson, visible } from "./html";
import type { PageEvidence } from "./page-evidence";
import { type CheckResult, checkEvidence, type PageCheck, worst } from "./proof-check";
import { base64, sha256, utf8 } from "./web-crypto";

/** The part of the page's elements that is used here; the project's other code runs where there is no page. */
interface Element {
  textContent: string;
  innerHTML: string;
  className: string;
  getAttribute(name: string): string | null;
  querySelectorAll(selector: string): Iterable<Element>;
  append(child: Element): void;
}
declare const document: {
  querySelector(selector: string): Element | null;
  querySelectorAll(selector: string): Iterable<Element>;
  createElement(name: string): Element;
};

const WORDS: Readonly<Record<PageCheck["state"], string>> = {
  valid: "VALID: this page checked its own proofs, and all of them hold",
  invalid: "NOT VALID: this file was changed, or its proofs do not hold. Do not rely on it",
  unknown: "NOT CHECKED: this browser lacks what the check needs. Open the file in a current one",
};
const TONES = { valid: "good", invalid: "bad", unknown: "warn" } as const;
const MARKS: Readonly<Record<PageCheck["state"], string>> = {
  valid: "Holds",
  invalid: "DOES NOT HOLD",
  unknown: "Not checked",
};

async function run(): Promise<void> {
  const start = performance.now();
  // Browsers keep it from pages that came over an unprotected connection.
  if (globalThis.crypto?.subtle === undefined) {
    tell("unknown", [{ what: "The browser lets this page compute hashes and check signatures.", state: "unknown" }], 1);
    return;
  }
  const data = document.querySelector("#report-evidence");
  // The page says why there is nothing to check.
  if (data === null) return;
  const content = `${document.querySelector("main")?.innerHTML}${document.querySelector("#report-summary")?.textContent}`;
  const text = data.textContent;
  let result: CheckResult | undefined;
  const checks: PageCheck[] = [];
  try {
    const evidence = JSON.parse(text) as PageEvidence;
    result = await checkEvidence(evidence);
    checks.push(...result.checks);
    add(
      checks,
      "What this page shows of the entries, the records and the path is what the proven bytes say.",
      isShown(result),
    );
    add(checks, "The data of the check are as they were written.", scriptJson(evidence) === text);
    const isSame = base64(await sha256(utf8(content))) === evidence.contentSha256;
    add(
      checks,
      "The rest of the page is as it was written. This is a checksum and no proof: verify the log to be sure.",
      isSame,
    );
  } catch {
    add(checks, "The data of the check can be read.", false);
  }
  tell(worst(checks), checks, Math.max(1, Math.round(performance.now() - start)));
  for (const mark of document.querySelectorAll("[data-mark]")) {
    const isProven = result?.proven.has(Number(mark.getAttribute("data-mark"))) === true;
    const state = isProven && result !== undefined ? result.state : "invalid";
    mark.textContent = { valid: "proven", invalid: "not proven", unknown: "not checked" }[state];
    mark.className = `mark ${TONES[state]}`;
  }
}

function add(checks: PageCheck[], what: string, holds: boolean): void {
  checks.push({ what, state: holds ? "valid" : "invalid" });
}

/** Every element that shows what was proven has exactly those texts, and each of them is there. */
function isShown({ texts }: CheckResult): boolean {
  const seen = new Set<string>();
  for (const element of document.querySelectorAll("[data-proven]")) {
    const name = element.getAttribute("data-proven") ?? "";
    const found = Array.from(element.querySelectorAll("[data-text]"), ({ textContent }) => textContent);
    const expected = texts.get(name);
    if (expected === undefined || JSON.stringify(expected.map(visible)) !== JSON.stringify(found)) return false;
    seen.add(name);
  }
  return [...texts.keys()].every((name) => seen.has(name) || name.startsWith("record-"));
}

function tell(state: PageCheck["state"], checks: readonly PageCheck[], took: number): void {
  const verdict = document.querySelector("#check-verdict");
  if (verdict === null) return;
  verdict.textContent = `${WORDS[state]} (${checks.length} checks in ${took} ms).`;
  verdict.className = TONES[state];
  const list = document.querySelector("#check-list");
  if (list !== null) list.textContent = "";
  for (const { what, state: each } of checks) {
    const item = document.createElement("li");
    item.className = TONES[each];
    item.textContent = `${MARKS[each]}: ${what}`;
    list?.append(item);
  }
}

void run();
