/** The sections of a report that show single entries of the log: the timeline, and one payment's story with its path. */

import { GROUPS } from "./activity";
import { activityChart, GROUP_WORDS, legend } from "./charts";
import { ENTRY_COLUMNS, entryTexts, PATH_COLUMNS, pathRows, recordTexts } from "./entry-text";
import { type Html, html, shown } from "./html";
import type { RecordStory, ReportModel, ShownEntry } from "./model";
import { section, table } from "./sections";
import { treeDrawing } from "./tree-drawing";
import { counted, digits, duration } from "./words";

const ENTRY_TABLE = [...ENTRY_COLUMNS, "Sealed before", "Proof"].map((name) => ({ name }));

/** Of the columns after the first, by which narrow ones keep their words whole. */
const CELL_CLASSES = ["what", "record", "version", "actor", "time"];

function entryRow({ index, entry, record, sealedBefore }: ShownEntry): Html {
  const [number = "", ...others] = entryTexts(index, entry, record);
  const isAlarm = entry.kind === "FORGED" || entry.kind === "TAMPER";
  const cells = others.map(
    (text, at) => html`<td class="${CELL_CLASSES[at] ?? ""}" data-text="">${brokenTime(text)}</td>`,
  );
  return html`<tr class="${isAlarm ? "alarm" : "entry"}" data-proven="entry-${index}"><th scope="row" data-text="">${number}</th>${cells}<td class="time">${brokenTime(sealedBefore ?? "")}</td><td class="mark" data-mark="${index}">not checked</td></tr>`;
}

/** A time may go on in the next line after its day. */
function brokenTime(text: string): Html {
  const [, day, rest] = /^(\d{4}-\d\d-\d\dT)(.+)$/.exec(text) ?? [];
  return day === undefined ? html`${text}` : html`${day}<wbr>${rest}`;
}

export function timelineSection({ activity, latest }: ReportModel): Html {
  const groups = GROUPS.filter((group) => activity.totals[group] > 0);
  const periods = activity.periods.map(
    ({ from, counts }) =>
      html`<tr><th scope="row">${from}</th>${groups.map((group) => html`<td class="number">${digits(counts[group])}</td>`)}</tr>`,
  );
  const columns = [{ name: "From" }, ...groups.map((group) => ({ name: GROUP_WORDS[group], isNumber: true }))];
  const totals = groups.map((group) => `${GROUP_WORDS[group]}: ${digits(activity.totals[group])}`).join(". ");
  return section(
    "timeline",
    "Timeline",
    html`<p>${totals}.</p>${activityChart(activity)}${legend()}`,
    html`<details><summary>The counts as a table</summary>${table(`Periods of ${duration(activity.periodMs)}`, columns, periods)}</details>`,
    html`<h3>The newest entries of the log</h3>`,
    table(counted(latest.length, "entry", "entries"), ENTRY_TABLE, latest.map(entryRow)),
  );
}

export function storySection({ story, proof }: ReportModel): Html {
  if (story === undefined)
    return section("story", "One payment", html`<p>The log holds no payment that could be shown.</p>`);
  const { id, entries } = story;
  return section(
    "story",
    `One payment: ${shown(id)}`,
    table(
      `All ${counted(entries.length, "entry", "entries")} of the log about this payment`,
      ENTRY_TABLE,
      entries.map(entryRow),
    ),
    recordOf(story),
    pathOf(proof?.result.texts.get("path")),
  );
}

function recordOf({ drawn: { index, record } }: RecordStory): Html {
  if (record === null) {
    return html`<p>The record of entry ${index} is not shown: the exports do not hold it as it was sealed, or the log holds it as forged or changed.</p>`;
  }
  const texts = recordTexts(record);
  const rows = Array.from({ length: texts.length / 2 }, (_, at) => texts.slice(2 * at, 2 * at + 2)).map(
    ([name = "", value = ""]) => html`<dt data-text="">${name}</dt><dd data-text="">${value}</dd>`,
  );
  return html`<h3>The record of entry ${index}, as it is stored</h3><dl class="facts" data-proven="record-${index}">${rows}</dl>`;
}

function pathOf(path: readonly string[] | undefined): Html | false {
  if (path === undefined) return false;
  const [index = "", leaf = ""] = path;
  const code = (text: string) => html`<td><code data-text="">${text}</code></td>`;
  const rows = pathRows(path).map(
    ({ sibling, side, node }, at) =>
      html`<tr><th scope="row" data-text="">${at + 1}</th>${code(sibling)}<td data-text="">${side}</td>${code(node)}</tr>`,
  );
  const head = html`<p>Entry <span data-text="">${index}</span> has the leaf hash <code data-text="">${leaf}</code>. Hashed with its siblings it gives the root, which the checkpoint signs.</p>`;
  return html`<h3>Its path to the signed root</h3>${treeDrawing(path)}<div data-proven="path">${head}<details><summary>The path as a table</summary>${table(
    "From the leaf up",
    PATH_COLUMNS.map((name) => ({ name })),
    rows,
  )}</details></div>`;
}
