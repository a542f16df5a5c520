/** The section of a report about who called: the days that were checked, the contradicted records, and who called as which actor. */

import {
  type ActorCallers,
  type CheckedDay,
  type ContradictedCall,
  countsText,
  type IdentityReport,
  truePrincipal,
} from "../identity/identity-report";
import { type Html, html, type Part, shown } from "./html";
import type { ReportModel } from "./model";
import { section, table } from "./sections";
import { CALLER_WORDS, counted, digits } from "./words";

const DAYS_SHOWN_MAX = 400;
const RECORDS_SHOWN_MAX = 200;
const ACTORS_SHOWN_MAX = 50;
const PRINCIPALS_SHOWN_MAX = 20;

const cell = (text: string) => html`<td>${shown(text)}</td>`;
const amount = (value: number | undefined) =>
  html`<td class="number">${value === undefined ? "unknown" : digits(value)}</td>`;
const texts = (...names: readonly string[]) => names.map((name) => ({ name }));
const numbers = (...names: readonly string[]) => names.map((name) => ({ name, isNumber: true }));

export function callersSection({ identities }: ReportModel): Html {
  if (identities === undefined)
    return section("callers", "Who called", html`<p>Who called was not checked; give <code>--identities</code>.</p>`);
  const { verdict, counts, days, contradicted, actors } = identities;
  return section(
    "callers",
    "Who called",
    html`<p>The verdict about who called is ${verdict}. ${CALLER_WORDS[verdict]}</p><p>${countsText(counts)}. Attested: CloudTrail has the invocation, and it fits the record. Unattested: CloudTrail has no such invocation. Contradicted: CloudTrail names another caller or another function.</p>`,
    daysTable(days),
    contradicted.length === 0 ? html`<p>No record is contradicted.</p>` : contradictedTable(identities),
    actors.length > 0 && actorsTable(actors),
  );
}

function daysTable(days: readonly CheckedDay[]): Part {
  // Where there are too many, those with a fault are the ones to read.
  const listed = days.length > DAYS_SHOWN_MAX ? days.filter(({ verdict }) => verdict !== "ok") : days;
  const rows = listed
    .slice(0, DAYS_SHOWN_MAX)
    .map(
      ({ day, verdict, counts, findings }) =>
        html`<tr><th scope="row">${day}</th><td class="word">${counts === undefined ? "missing" : verdict}</td>${amount(counts?.attested)}${amount(counts?.unattested)}${amount(counts?.contradicted)}<td>${shown(findings.join(" "))}</td></tr>`,
    );
  const without = days.filter(({ counts }) => counts === undefined).length;
  const incomplete = days.filter(({ counts, verdict }) => counts !== undefined && verdict === "incomplete").length;
  const columns = [
    ...texts("Day", "Verdict"),
    ...numbers("Attested", "Unattested", "Contradicted"),
    ...texts("What was found"),
  ];
  return [
    html`<p>${counted(days.length - without, "day was", "days were")} checked, ${incomplete === 0 ? "none" : digits(incomplete)} of them incomplete; ${counted(without, "day has", "days have")} no file.</p>`,
    table("Days, in UTC", columns, rows),
    further(days.length - rows.length, "day"),
  ];
}

function contradictedTable({ contradicted }: IdentityReport): Part {
  const rows = contradicted.flatMap(rowsOf);
  return [
    table(
      counted(rows.length, "contradicted record"),
      texts("Record", "Claimed actor", "Named by the event", "Named by CloudTrail", "Reason"),
      rows.slice(0, RECORDS_SHOWN_MAX),
    ),
    further(rows.length - RECORDS_SHOWN_MAX, "record"),
  ];
}

function rowsOf(call: ContradictedCall): Html[] {
  const claims = call.claims.length > 0 ? call.claims : [{ auditId: "not in the exports", actor: "unknown" }];
  return claims.map(
    ({ auditId, actor }) =>
      html`<tr class="alarm"><th scope="row">${shown(auditId)}</th>${cell(actor)}${cell(call.toldPrincipal ?? "nobody")}${cell(truePrincipal(call))}<td class="code"><code>${shown(call.reason ?? "")}</code></td></tr>`,
  );
}

function actorsTable(actors: readonly ActorCallers[]): Part {
  const rows = actors
    .slice(0, ACTORS_SHOWN_MAX)
    .map(
      ({ actor, counts, principals }) =>
        html`<tr><th scope="row">${shown(actor)}</th>${amount(counts.attested)}${amount(counts.unattested)}${amount(counts.contradicted)}<td>${principalList(principals)}</td></tr>`,
    );
  const columns = [
    ...texts("Claimed actor"),
    ...numbers("Attested", "Unattested", "Contradicted"),
    ...texts("Called by (records)"),
  ];
  return [table("Who called as which actor", columns, rows), further(actors.length - rows.length, "actor")];
}

function principalList(principals: ActorCallers["principals"]): Part {
  if (principals.length === 0) return "unknown";
  const items = principals
    .slice(0, PRINCIPALS_SHOWN_MAX)
    .map(({ principal, records }) => html`<li>${shown(principal)} (${digits(records)})</li>`);
  return html`<ul>${items}${principals.length > items.length && html`<li>${digits(principals.length - items.length)} more</li>`}</ul>`;
}

/** Nothing is left out in silence. */
function further(count: number, what: string): Part {
  return (
    count > 0 && html`<p>${counted(count, `further ${what}`)}: <code>verify --identities --json</code> lists all.</p>`
  );
}
