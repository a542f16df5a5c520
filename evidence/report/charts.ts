/** The report's bar charts: what happened when, and how long sealing took. The tables beside them say the same. */

import { type Activity, GROUPS, type Group, sumOfGroups } from "./activity";
import { type Html, html } from "./html";

const WIDTH = 960;
const HEIGHT = 170;
const FOOT = 24;
const BAR_MAX = 60;

export const GROUP_WORDS: Readonly<Record<Group, string>> = {
  write: "Writes",
  read: "Reads",
  refusal: "Refusals and repeats",
  alarm: "Alarms",
  check: "Checks",
  event: "Events of others",
  seal: "Seals",
};

export function legend(): Html {
  const items = GROUPS.map(
    (group) =>
      html`<li><svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true"><rect class="${group}" width="12" height="12"></rect></svg>${GROUP_WORDS[group]}</li>`,
  );
  return html`<ul class="legend">${items}</ul>`;
}

/** One column a period, in true distance of time. */
export function activityChart({ periods, periodMs }: Activity): Html {
  const [first, last] = [periods[0], periods.at(-1)];
  if (first === undefined || last === undefined) return html`<p>Nothing bears a time.</p>`;
  const start = Date.parse(first.from);
  const columns = (Date.parse(last.from) - start) / periodMs + 1;
  const step = WIDTH / columns;
  const most = Math.max(...periods.map(({ counts }) => sumOfGroups(counts)));
  const scale = (HEIGHT - FOOT - 20) / most;
  const bars = periods.map(({ from, counts }) => {
    const width = Math.min(BAR_MAX, step * 0.8);
    const x = ((Date.parse(from) - start) / periodMs + 0.5) * step - width / 2;
    let y = HEIGHT - FOOT;
    return GROUPS.filter((group) => counts[group] > 0).map((group) => {
      const height = Math.max(2, counts[group] * scale);
      y -= height;
      return html`<rect class="${group}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"></rect>`;
    });
  });
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="Columns: what happened in each period; the table below has the same counts">${bars}<path class="axis" d="M0 ${HEIGHT - FOOT}L${WIDTH} ${HEIGHT - FOOT}"></path><text x="0" y="${HEIGHT - 6}">${first.from}</text>${columns > 1 && html`<text x="${WIDTH}" y="${HEIGHT - 6}" text-anchor="end">${last.from}</text>`}<text x="0" y="12">at most ${most}</text></svg>`;
}

export interface Bar {
  readonly label: string;
  readonly count: number;
}

/** One row a bar. */
export function barChart(bars: readonly Bar[], label: string): Html {
  const [row, left] = [26, 150];
  const most = Math.max(1, ...bars.map(({ count }) => count));
  const height = bars.length * row;
  const rows = bars.map((bar, at) => {
    const width = (bar.count / most) * (WIDTH - left - 110);
    return html`<text x="${left - 8}" y="${at * row + 17}" text-anchor="end">${bar.label}</text><rect class="seal" x="${left}" y="${at * row + 4}" width="${round(width)}" height="${row - 8}"></rect><text x="${round(left + width + 8)}" y="${at * row + 17}">${bar.count}</text>`;
  });
  return html`<svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${label}">${rows}</svg>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
