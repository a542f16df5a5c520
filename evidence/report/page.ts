/** The report as one HTML file: it loads nothing, sends nothing, and checks its own proofs where scripts run. */

import { createHash } from "node:crypto";
import { callersSection } from "./callers-section";
import { storySection, timelineSection } from "./entry-sections";
import { HEAD_LABELS, headTexts } from "./entry-text";
import { type Html, html, scriptJson, shown } from "./html";
import type { ReportModel } from "./model";
import script from "./page-script.json";
import { actorsSection, changesSection, coverage, findingsSection, keysSection, lagSection } from "./sections";
import { STYLE } from "./style";
import { CALLER_WORDS, toneOf, VERDICT_WORDS } from "./words";

export const PAGE_SCRIPT: string = script.lines.join("\n");

const SECTIONS = [
  ["coverage", "What was covered"],
  ["keys", "Keys and pins"],
  ["findings", "Findings"],
  ["changes", "Since the last report"],
  ["timeline", "Timeline"],
  ["actors", "Actors"],
  ["callers", "Who called"],
  ["story", "One payment"],
  ["lag", "Sealing lag"],
  ["yourself", "Check it yourself"],
] as const;

export function reportPage(model: ReportModel): string {
  const content = mainOf(model);
  const { verdict } = model;
  const policy = `default-src 'none'; script-src 'sha256-${sha256(PAGE_SCRIPT)}'; style-src 'sha256-${sha256(STYLE)}'; base-uri 'none'; form-action 'none'`;
  const head = html`<head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer"><title>Payment ledger report: ${verdict}, ${model.madeAt}</title>`;
  const summary = scriptJson(model.summary);
  const data = model.proof && { ...model.proof.evidence, contentSha256: sha256(content.text + summary) };
  return [
    `<!DOCTYPE html>\n<html lang="en">${head.text}<style>${STYLE}</style></head>\n<body>\n`,
    headerOf(model).text,
    `\n<main id="main" tabindex="-1">${content.text}</main>\n`,
    html`<footer><p class="soft">Made at ${model.madeAt}. This file loads nothing and sends nothing.</p></footer>`.text,
    `\n<script type="application/json" id="report-summary">${summary}</script>\n`,
    data === undefined ? "" : `<script type="application/json" id="report-evidence">${scriptJson(data)}</script>\n`,
    `<script>${PAGE_SCRIPT}</script>\n</body></html>\n`,
  ].join("");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

function headerOf({ proof, problems }: ReportModel): Html {
  const links = SECTIONS.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`);
  const standing =
    proof === undefined
      ? html`<p id="check-verdict" role="status" class="warn">NOTHING TO CHECK: no proof could be put into this file.</p><ul>${problems.map((problem) => html`<li>${shown(problem)}</li>`)}</ul>`
      : html`<p id="check-verdict" role="status" class="warn">NOT CHECKED: scripts do not run here. Open this file in a browser, or verify the log with the command at its end.</p>`;
  return html`<header><a class="skip" href="#main">To the content</a><h1>Payment ledger: what the sealed log proves</h1><section class="panel" aria-labelledby="check-title"><h2 id="check-title">The check of this page</h2>${standing}<ul id="check-list"></ul></section><nav aria-label="Sections"><ul>${links}</ul></nav></header>`;
}

const PARTS = [
  ...[coverage, keysSection, findingsSection, changesSection, timelineSection],
  ...[actorsSection, callersSection, storySection, lagSection],
];

function mainOf(model: ReportModel): Html {
  const { verdict, verification, identities } = model;
  const others = verification.verdicts.filter((each) => each !== verdict && each !== "ok");
  const words = VERDICT_WORDS[verification.verdict];
  const meaning =
    identities === undefined
      ? html`<p>${words}</p>`
      : html`<p>The records and the log: ${verification.verdict}. ${words}</p><p><a href="#callers">Who called</a>: ${identities.verdict}. ${CALLER_WORDS[identities.verdict]}</p>`;
  return html`<section class="panel ${toneOf(verdict)}" aria-labelledby="verdict-title"><h2 id="verdict-title">The verdict of the verification</h2><p class="verdict">${verdict.toUpperCase()}</p>${others.length > 0 && html`<p>Also found: ${others.join(", ")}.</p>`}${meaning}${headFacts(model)}</section>${PARTS.map((part) => part(model))}${yourself(model)}`;
}

/** Of the checkpoint in the file, where there is one: the page's check compares them. */
function headFacts({ verification, proof }: ReportModel): Html {
  const { origin, size, root } = verification;
  const texts = proof?.result.texts.get("head") ?? headTexts({ origin, size, rootText: root });
  const rows = HEAD_LABELS.map(
    (label, at) => html`<dt>${label}</dt><dd class="hash" data-text="">${texts[at] ?? ""}</dd>`,
  );
  return html`<dl class="facts" data-proven="head">${rows}</dl>`;
}

function yourself({ keys, story, verification }: ReportModel): Html {
  const pinned = keys.filter(({ role }) => role === "log").map(({ vkey }) => ` --key '${vkey}'`);
  return html`<section id="yourself" aria-labelledby="yourself-title"><h2 id="yourself-title">Check it yourself</h2><p>This page proves that the entries and records in it are sealed in the log of ${verification.size} entries. It proves nothing about records that are not in it, and a file that somebody made to deceive can bear another script. The verdict above is what <code>verify</code> found. With the evidence folder, the exported tables, the key and Node.js you get it again:</p><p><code>node evidence.js verify --evidence DIR --export DIR${pinned.map(shown)}</code></p>${story !== undefined && html`<p>All about the payment: <code>node evidence.js history '${shown(story.id)}' --evidence DIR --export DIR${pinned.map(shown)}</code></p>`}<p>The script in this file has the SHA-256 <code>${sha256(PAGE_SCRIPT)}</code>. The same version of the verifier always writes the same script.</p></section>`;
}
