/** The report's one style sheet: light and dark by the reader's setting, and a printable form. */

export const STYLE = `
:root {
  color-scheme: light dark;
  --back: #ffffff; --panel: #f4f6f8; --text: #1b2430; --soft: #4a5665; --line: #c9d1da; --link: #0b57a4;
  --good: #0b6b35; --warn: #7a4d00; --bad: #a31515;
  --write: #2f6fb3; --read: #5b8c3a; --refusal: #b8741a; --alarm: #c02626; --check: #6b5bb0; --event: #66737f; --seal: #128a8a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #12171d; --panel: #1b222b; --text: #e6ebf0; --soft: #aab5c1; --line: #3a4553; --link: #7db8f5;
    --good: #63d08d; --warn: #eebb5c; --bad: #ff8f86;
    --write: #6aa6e6; --read: #93c46f; --refusal: #e0a04a; --alarm: #ff7b72; --check: #a99bef; --event: #9aa7b4; --seal: #4fc4c4;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, "Open Sans", sans-serif; }
header, main, footer { max-width: 70rem; margin: 0 auto; padding: 1rem 1.25rem; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--back); padding: .5rem; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
h1 { font-size: 1.7rem; margin: .5rem 0; }
h2 { font-size: 1.3rem; margin: 2rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.25rem 0 .4rem; }
p, ul, dl { margin: .5rem 0; max-width: 60rem; }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
.panel { background: var(--panel); border: 1px solid var(--line); border-left: .5rem solid var(--soft); border-radius: .3rem; padding: .75rem 1rem; margin: 1rem 0; }
.panel p:first-child { margin-top: 0; }
.panel h2 { margin: 0 0 .25rem; padding: 0; border: 0; }
.panel:has(#check-verdict.good), .panel.good { border-left-color: var(--good); }
.panel:has(#check-verdict.bad), .panel.bad { border-left-color: var(--bad); }
.panel:has(#check-verdict.warn), .panel.warn { border-left-color: var(--warn); }
.verdict { font-size: 1.5rem; font-weight: 700; margin: 0; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.panel.good, .panel.warn, .panel.bad { color: var(--text); }
.panel.good .verdict, #check-verdict.good { color: var(--good); }
.panel.warn .verdict, #check-verdict.warn { color: var(--warn); }
.panel.bad .verdict, #check-verdict.bad { color: var(--bad); }
#check-verdict { font-weight: 700; }
.soft, caption { color: var(--soft); }
.scroll { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; padding: .25rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { white-space: nowrap; }
td.number, th.number { text-align: right; }
.mark, td.word { white-space: nowrap; } td.time { overflow-wrap: normal; }
td ul { margin: 0; padding-left: 1rem; }
td.what, td.actor { min-width: 7rem; } td.code { min-width: 12.5rem; }
tr.alarm td { color: var(--bad); font-weight: 600; }
code, .hash { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .85rem; overflow-wrap: anywhere; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
svg { display: block; max-width: 100%; height: auto; margin: .5rem 0; }
svg text { fill: var(--text); font: 12px ui-monospace, "DejaVu Sans Mono", monospace; }
svg .box { fill: var(--panel); stroke: var(--line); } svg .own { stroke: var(--seal); stroke-width: 2; }
svg .wire { stroke: var(--line); stroke-width: 1.5; fill: none; } svg .way { stroke: var(--seal); stroke-width: 2.5; }
svg .axis { stroke: var(--line); }
.write { fill: var(--write); } .read { fill: var(--read); } .refusal { fill: var(--refusal); } .alarm { fill: var(--alarm); }
.check { fill: var(--check); } .event { fill: var(--event); } .seal { fill: var(--seal); }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
.legend svg { display: inline-block; margin: 0 .3rem 0 0; vertical-align: middle; }
details { margin: .5rem 0; } summary { cursor: pointer; color: var(--link); }
@media (max-width: 40rem) { dl.facts { grid-template-columns: 1fr; } dl.facts dd { margin-bottom: .4rem; } }
@media print {
  :root { color-scheme: light; --back: #fff; --panel: #fff; --text: #000; --soft: #333; --line: #999; --link: #0b57a4; --good: #0b6b35; --warn: #7a4d00; --bad: #a31515;
    --write: #2f6fb3; --read: #5b8c3a; --refusal: #b8741a; --alarm: #c02626; --check: #6b5bb0; --event: #66737f; --seal: #128a8a; }
  nav, .skip { display: none; }
  header, main, footer { max-width: none; padding: 0; }
  .scroll { overflow: visible; }
  tr, .panel, svg { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
}
`;
