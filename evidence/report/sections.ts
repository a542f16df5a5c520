/** The sections of a report about the log as a whole: verdict, keys, findings, changes, actors, sealing lag. */

import { type Finding, VERDICTS } from "../verifier/report";
import { type ActorFact, GROUPS } from "./activity";
import { barChart, GROUP_WORDS } from "./charts";
import { type Html, html, type Part, shown } from "./html";
import type { KeyFact, ReportModel } from "./model";
import { LAG_STEPS_MS } from "./sealing-lag";
import { counted, digits, duration } from "./words";

export interface Column {
  readonly name: string;
  readonly isNumber?: boolean;
}

/** @param rows of `tr` elements. Wide tables scroll in their own frame, which the keyboard reaches. */
export function table(caption: string, columns: readonly Column[], rows: readonly Html[]): Html {
  const head = columns.map(
    ({ name, isNumber }) => html`<th scope="col" class="${isNumber === true ? "number" : "text"}">${name}</th>`,
  );
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table><caption>${caption}</caption><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

export function section(id: string, title: string, ...content: readonly Part[]): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${content}</section>`;
}

const cell = (text: string) => html`<td>${shown(text)}</td>`;
const amount = (value: number) => html`<td class="number">${digits(value)}</td>`;

export function coverage({ verification, problems }: ReportModel): Html {
  const { sources, counts, coveredUntil, pinnedBy, pinnedSize, size, notes, asOf } = verification;
  const rows = sources.map(
    ({ table: name, name: source, takenAt, records, entries, compared }) =>
      html`<tr><th scope="row">${name}</th>${cell(source)}${cell(takenAt)}${amount(records)}${amount(entries)}${amount(compared)}</tr>`,
  );
  const pin = {
    "last-checkpoint": `A checkpoint that was kept from before vouches for the first ${counted(pinnedSize, "entry", "entries")}.`,
    witness: `A witness outside the log vouches for the first ${counted(pinnedSize, "entry", "entries")}.`,
  };
  const open = size - pinnedSize;
  const columns = [
    { name: "Table" },
    { name: "Source" },
    { name: "Taken at" },
    ...["Records", "Entries", "Compared"].map((name) => ({ name, isNumber: true })),
  ];
  return section(
    "coverage",
    "What was covered",
    table("Exported tables that were held against the log", columns, rows),
    html`<ul><li>${counted(counts.records, "record")}, ${counted(counts.leaves, "log entry", "log entries")}, ${counted(counts.pairs, "pair")} of a payment and its audit record, ${counts.lives > 0 && `${counted(counts.lives, "payment")} whose events follow from each other, `}${counted(counts.heartbeats, "seal")} and ${counted(counts.checkpoints, "earlier checkpoint")} were looked at.</li><li>Last seal (heartbeat): ${coveredUntil || "never"}. Ages were judged as of ${asOf}.</li><li>${pinnedBy === null ? "Nobody outside the log vouches for any of its entries." : pin[pinnedBy]}${pinnedBy !== null && open > 0 && ` Nobody vouches for the ${counted(open, "entry", "entries")} after these.`}</li>${[...notes, ...problems].map((note) => html`<li>${shown(note)}</li>`)}</ul>`,
  );
}

const ROLES = { log: "The log's key, pinned", retired: "An earlier key of the log", witness: "A witness" } as const;

export function keysSection({ keys }: ReportModel): Html {
  const rows = keys.map(
    (key: KeyFact) =>
      html`<tr><th scope="row">${ROLES[key.role]}</th><td class="code"><code>${shown(key.name)}</code></td><td class="word"><code>${key.keyId}</code></td><td class="word">${key.type}</td><td><code>${key.fingerprint}</code></td><td>${key.signedCheckpoint ? "yes" : "no"}</td></tr>`,
  );
  const columns = [
    "Role",
    "Name",
    "Key id",
    "Kind",
    "Fingerprint (SHA-256 of the public key)",
    "Signed the checkpoint",
  ].map((name) => ({ name }));
  return section(
    "keys",
    "Keys and pins",
    html`<p>The auditor who made this report pinned these keys. Compare each fingerprint with the one that the log's operator gave you by another way: a report can bear any key.</p>`,
    table("Keys", columns, rows),
    html`<details><summary>The keys as the commands take them</summary>${keys.map(({ vkey }) => html`<p><code>${shown(vkey)}</code></p>`)}</details>`,
  );
}

export function findingsSection({ verification }: ReportModel): Html {
  const { findings, further, acknowledged, acknowledgedCount } = verification;
  const columns = ["Verdict", "Code", "Record", "Entry", "What was found"].map((name) => ({ name }));
  const more = VERDICTS.filter((verdict) => further[verdict] > 0);
  return section(
    "findings",
    "Findings",
    findings.length === 0
      ? html`<p>Nothing was found.</p>`
      : table(
          counted(findings.length, "finding"),
          columns,
          findings.map((finding) => findingRow(finding)),
        ),
    more.length > 0 &&
      html`<ul>${more.map((verdict) => html`<li>${verdict}: ${digits(further[verdict])} more</li>`)}</ul>`,
    acknowledged.length > 0 &&
      html`<h3>Findings that were settled before</h3>${table(
        counted(acknowledgedCount, "acknowledged finding"),
        [...columns, { name: "Reason" }],
        acknowledged.map((finding) => findingRow(finding, finding.reason)),
      )}`,
  );
}

function findingRow({ verdict, code, table: name, key, version, leaf, message }: Finding, reason?: string): Html {
  const record = [name, key?.join(" "), version && `version ${version}`].filter(Boolean).join(" ");
  return html`<tr><th scope="row">${verdict}</th><td class="code"><code>${code}</code></td>${cell(record)}${cell(leaf === undefined ? "" : String(leaf))}${cell(message)}${reason !== undefined && cell(reason)}</tr>`;
}

const LISTED_MAX = 20;

export function changesSection({ changes, verdict, proof }: ReportModel): Html {
  if (changes === undefined) {
    return section(
      "changes",
      "Since the last report",
      html`<p>There is no earlier report to compare with. The next one written to the same file is compared with this one.</p>`,
    );
  }
  const { before } = changes;
  const signed = (value: number) => `${value < 0 ? "\u2212" : "+"}${digits(Math.abs(value))}`;
  const isSame = before.verdict === verdict;
  const isProven = proof?.evidence.earlier?.checkpoint === before.checkpoint;
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ["New findings", changes.newFindings],
    ["Findings that are gone", changes.goneFindings],
    ["New keys", changes.newKeys],
    ["Keys that are gone", changes.goneKeys],
    ["New actors", changes.newActors],
  ];
  return section(
    "changes",
    "Since the last report",
    html`<ul><li>The last report is of ${shown(before.madeAt)}. Its verdict was ${before.verdict}; ${isSame ? "it is the same now" : `now it is ${verdict}`}.</li><li>Entries: ${signed(changes.entries)}. Records: ${signed(changes.records)}.</li><li>${isProven ? "The log begins with all that it had then; the check of this page proves it." : "Nothing proves that the log begins with all that it had then: no pinned key signed the last report's checkpoint, or the log is shorter now."}</li></ul>`,
    lists.map(
      ([title, texts]) =>
        texts.length > 0 &&
        html`<h3>${title}</h3><ul>${texts.slice(0, LISTED_MAX).map((text) => html`<li>${shown(text)}</li>`)}${texts.length > LISTED_MAX && html`<li>${digits(texts.length - LISTED_MAX)} more</li>`}</ul>`,
    ),
  );
}

export function actorsSection({ activity }: ReportModel): Html {
  const { actors, furtherActors } = activity;
  const groups = GROUPS.filter((group) => group !== "seal" && activity.totals[group] > 0);
  const rows = actors.map(
    ({ actor, counts, total, first, last }: ActorFact) =>
      html`<tr><th scope="row">${shown(actor)}</th>${amount(total)}${groups.map((group) => amount(counts[group]))}${cell(first)}${cell(last)}</tr>`,
  );
  const columns = [
    { name: "Actor" },
    { name: "All", isNumber: true },
    ...groups.map((group) => ({ name: GROUP_WORDS[group], isNumber: true })),
    ...[{ name: "First" }, { name: "Last" }],
  ];
  return section(
    "actors",
    "Actors",
    html`<p>Who the audit trail names, as the callers gave it.</p>`,
    table(counted(actors.length, "actor"), columns, rows),
    furtherActors > 0 && html`<p>There are ${counted(furtherActors, "further actor")} at least.</p>`,
  );
}

export function lagSection({ lag }: ReportModel): Html {
  const { measured, open, medianMs, p95Ms, longestMs, steps } = lag;
  const bars = steps.map((count, at) => {
    const step = LAG_STEPS_MS[at];
    return { label: step === undefined ? "longer" : `within ${duration(step)}`, count };
  });
  return section(
    "lag",
    "Sealing lag",
    html`<p>How long after its recording a record was sealed at the latest: until the first seal after its entry.</p>`,
    measured === 0
      ? html`<p>No record was measured.</p>`
      : html`<p>Of ${counted(measured, "record")}: half within ${duration(medianMs)}, 95 of 100 within ${duration(p95Ms)}, the longest ${duration(longestMs)}.${open > 0 && ` ${counted(open, "entry", "entries")} at the end of the log wait for the next seal.`}</p>${barChart(bars, `Sealing lag of ${measured} records: half within ${duration(medianMs)}, the longest ${duration(longestMs)}`)}`,
  );
}
