/** The report's sections about files, messages, events and the export. */

import type { Arrivals } from "./arrivals";
import { codesOf, comparedItems, type ExportChecked } from "./exports";
import type { ProcessedFile } from "./partner-files";
import { number } from "./progress";

export function arrivalSections({ files, direct, events, samples }: Arrivals): string[][] {
  const { messages, stored, duplicate, distinctConflicts, refusals } = samples.messages;
  const refused = Object.entries(refusals).map(([code, count]) => `${count} ${code}`);
  const statuses = [...direct.statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${count} x ${status}`);
  return [
    filesSection(files),
    [
      "Direct payment_data, messages and events",
      `  payment_data: ${direct.calls} calls answered ${statuses.join(", ")}`,
      `  audit-trail-queue: ${messages} messages, ${stored} payments stored, ${duplicate} sent again,` +
        ` ${distinctConflicts} with other content, refused at first sight: ${refused.join(", ")}`,
      `  payment-audit-trail.fifo: ${events.sent} events, ${events.again} sent again, 1 invalid message in between that left a GAP` +
        `, 1 event held back by the client (${events.heldBack ?? "NOT"})`,
    ],
  ];
}

function filesSection(files: readonly ProcessedFile[]): string[] {
  const heading = ["file", "rows", "stored", "duplicate", "conflict", "refused", ""];
  const rows = files.map(({ file, report: { rows: count, counts, removed } }) => [
    file.name,
    ...[count, counts.stored, counts.duplicate, counts.conflict, counts.refused].map(number),
    removed ? "held a card number: removed" : "",
  ]);
  const widths = heading.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => {
    const padded = cells.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 || column === cells.length - 1 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `  ${padded.join("  ")}`.trimEnd();
  };
  return ["Payment files, as their reports tell it", line(heading), ...rows.map(line)];
}

export function exportSection({ at, scheduled, whole, damaged }: ExportChecked): string[] {
  const items = whole.exports.reduce((sum, each) => sum + each.items, 0);
  const compared = number(comparedItems(whole));
  const held =
    whole.verdict === "good" ? `all ${compared} recorded by then are there` : `${whole.verdict} against the tables`;
  return [
    `Export of all tables as of ${at}, files written by the stand-in`,
    `  ${whole.exports.length} tables, ${number(items)} items; ${held}`,
    `  backup check: ${scheduled.outcome}; after one byte was changed: ${damaged.outcome} (${codesOf(damaged)})`,
  ];
}
