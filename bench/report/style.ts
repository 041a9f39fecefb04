/**
 * The style sheet of the report. The contenders' colours differ in lightness too, and have a
 * contrast of 3:1 against the paper in both themes.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fdfdfb; --ink: #1c2127; --muted: #5d6670; --grid: #e7e7e2; --line: #dcdcd6; --raised: #f5f5f1;
  --ours: #2558c9; --ours-text: #1d4cb3; --ours-tint: #eef2fc; --others: #c3c8cf; --spread: #414a55;
  --met: #1c7a4b; --missed: #b3341f; --not-measured: #6d7680; --warning: #fbf3dc;
  --c1: #c05a05; --c2: #9b3a86; --c3: #3b7a2a; --c4: #6a4fc0; --c5: #8a6a10; --c6: #0f7b77; --c7: #bd3448; --c8: #5f6b78;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --ink: #e4e6e8; --muted: #9aa3ad; --grid: #262b31; --line: #323840; --raised: #1b1f24;
    --ours: #6f9dff; --ours-text: #8fb3ff; --ours-tint: #1a2437; --others: #4b535d; --spread: #b9c1ca;
    --met: #5cc48f; --missed: #ff8a73; --not-measured: #8d96a0; --warning: #33290f;
    --c1: #f0954a; --c2: #dd84c8; --c3: #85c46f; --c4: #b09cf5; --c5: #d3b04c; --c6: #4fc4be; --c7: #f58195; --c8: #a3aebb;
  }
}
* { box-sizing: border-box }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100% }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 ui-sans-serif, system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', 'Noto Sans', 'Liberation Sans', sans-serif }
main { max-width: 53rem; margin: 0 auto; padding: 3.5rem 1rem 4rem }
h1, h2, h3, p, figure, dl, dd, ul { margin: 0; padding: 0 }
h1 { font-size: 2.6rem; line-height: 1.1; font-weight: 650; letter-spacing: -0.025em }
h2 { font-size: 1.55rem; line-height: 1.2; font-weight: 620; letter-spacing: -0.015em; margin-bottom: .7rem }
h3 { font-size: 1.05rem; line-height: 1.35; font-weight: 600; margin-bottom: .6rem; overflow-wrap: anywhere }
small { font-size: .82em; color: var(--muted); font-weight: 400 }
.kicker { color: var(--ours-text); font-weight: 600; font-size: .85rem; letter-spacing: .02em; margin-bottom: .35rem }
.lead { font-size: 1.08rem; color: var(--muted); max-width: 40rem; margin: .9rem 0 1.6rem }
.warning { background: var(--warning); border-radius: 6px; padding: .6rem .9rem; margin-bottom: 1.4rem; font-size: .95rem }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); gap: .8rem 1.8rem; border-top: 1px solid var(--line); padding-top: 1.2rem; font-size: .9rem }
.facts dt { color: var(--muted); font-size: .8rem }
.facts dd { overflow-wrap: anywhere }
div.command { grid-column: 1 / -1 }
.facts .command dd { font-family: ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', monospace; font-size: .82rem }
nav { display: flex; flex-wrap: wrap; gap: .4rem 1.1rem; margin: 1.6rem 0 0; padding: .9rem 0; border: solid var(--line); border-width: 1px 0; font-size: .88rem }
a { color: var(--ours-text); text-decoration: none; text-underline-offset: .2em }
a:hover, a:focus-visible { text-decoration: underline }
section { margin-top: 2.4rem; scroll-margin-top: 1rem }
article { margin-top: 1.4rem; padding-top: 1.3rem; border-top: 1px solid var(--line); scroll-margin-top: 1rem }
h2 + article { margin-top: 0; padding-top: 0; border-top: 0 }
figure { margin: .9rem 0 }
figcaption { color: var(--muted); font-size: .84rem; line-height: 1.45; margin-top: .3rem }
svg.plot { display: block; max-width: 100%; height: auto; overflow: visible; font-variant-numeric: tabular-nums }
svg.plot text { white-space: pre }
svg.narrow { display: none }
.score { font-size: 1.1rem; display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1em }
.score strong { font-size: 2.1rem; font-weight: 650; letter-spacing: -0.02em; line-height: 1.2 }
.score .also { color: var(--muted) }
.strip { display: flex; gap: 3px; margin: .5rem 0 1.2rem }
.strip i { flex: 1 1 0; height: 6px; border-radius: 2px; background: var(--met) }
.strip i.missed { background: var(--missed); height: 12px; margin-top: -3px }
.strip i.not-measured { background: none; border: 1px solid var(--not-measured) }
.state { white-space: nowrap; font-weight: 600; font-size: .88em }
.state.met { color: var(--met) }
.state.missed { color: var(--missed) }
.state.not-measured { color: var(--not-measured) }
ul { list-style: none }
.scroll { overflow-x: auto; margin: .6rem 0 }
.scroll:focus-visible, summary:focus-visible, a:focus-visible { outline: 2px solid var(--ours); outline-offset: 2px; border-radius: 3px }
table { border-collapse: collapse; width: 100%; font-size: .88rem; line-height: 1.4 }
th, td { padding: .42rem 0 .42rem 1rem; text-align: right; vertical-align: baseline; white-space: nowrap; font-variant-numeric: tabular-nums; border-bottom: 1px solid var(--grid) }
th:first-child { text-align: left; padding-left: 0; white-space: normal; font-weight: 400; min-width: 9.5rem }
thead th { color: var(--muted); font-weight: 400; font-size: .82rem; vertical-align: bottom; border-bottom-color: var(--line) }
tr.ours th, tr.ours td { color: var(--ours-text); font-weight: 600; background: var(--ours-tint) }
tr.ours th:first-child { box-shadow: -.5rem 0 0 var(--ours-tint) }
tr.ours td:last-child { box-shadow: .5rem 0 0 var(--ours-tint) }
tr.missed th:first-child { font-weight: 600 }
td.verdict { text-align: left }
th.mark { text-align: center }
td.mark { width: 150px; padding-block: 0; vertical-align: middle }
td.mark svg { display: inline-block; vertical-align: middle; max-width: none }
td.unavailable { color: var(--muted); font-style: italic; white-space: normal; text-align: left; min-width: 11rem }
td.unavailable[title] { min-width: 0; text-align: right }
.name { display: inline-flex; gap: .5rem; align-items: baseline }
.name .swatch { flex: none; position: relative; top: .1em; overflow: visible }
.note { display: block; font-weight: 400 }
table.costs b { font-weight: 600 }
table.costs td.mine { color: var(--ours-text); font-weight: 600 }
table.costs th:first-child { min-width: 7.5rem }
table.costs td { white-space: normal }
td.none { color: var(--muted) }
code { font-family: ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', monospace; font-size: .92em }
details { font-size: 1rem }
summary { cursor: pointer; color: var(--muted); font-size: .88rem; width: max-content }
details.case { border-top: 1px solid var(--line); scroll-margin-top: 1rem }
details.case > summary { padding: .5rem 0; width: auto; display: flex; flex-wrap: wrap; gap: .1rem 1rem; justify-content: space-between; align-items: baseline }
details.case > summary h3 { font-size: .95rem; font-weight: 500; margin: 0; color: var(--ink) }
details.case > summary h3::before { content: '▸'; display: inline-block; width: 1.1em; color: var(--muted) }
details.case[open] > summary h3::before { content: '▾' }
details.case > summary small { font-variant-numeric: tabular-nums; padding-left: 1.1rem }
details.case[open] { padding-bottom: 1.2rem }
summary:hover { color: var(--ink) }
footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--muted); font-size: .84rem }
@media (max-width: 660px) {
  main { padding-top: 1.5rem }
  section { margin-top: 1.9rem }
  h1 { font-size: 2.1rem }
  svg.wide { display: none }
  svg.narrow { display: block; width: 100%; max-width: 30rem }
  .facts { grid-template-columns: 1fr; gap: .5rem }
  .facts div { display: grid; grid-template-columns: 5.5rem 1fr; align-items: baseline }
  th, td { padding-left: .8rem }
  .costs thead { display: none }
  .costs tbody, .costs { display: block }
  .costs tr { display: grid; grid-template-columns: 1fr 1fr 1fr; gap: .05rem .5rem; padding: .4rem 0; border-bottom: 1px solid var(--grid) }
  .costs th:first-child { grid-column: 1 / -1 }
  .costs th, .costs td { padding: 0; border: 0; text-align: left }
  nav { display: none }
  .verdicts thead { display: none }
  .verdicts tbody, .verdicts { display: block }
  .verdicts tr { display: flex; flex-wrap: wrap; align-items: baseline; gap: .15rem .7rem; padding: .6rem 0; border-bottom: 1px solid var(--grid) }
  .verdicts th, .verdicts td { padding: 0; border: 0 }
  .verdicts th:first-child { flex: 1 1 calc(100% - 8rem) }
  .verdicts .measured { order: 1 }
  .verdicts .limit { order: 2; color: var(--muted) }
  .verdicts .mark { order: 3; width: auto; margin-left: auto }
  .verdicts .mark svg { width: 100px; height: auto }
}
@media print {
  details::details-content { content-visibility: visible; block-size: auto }
  nav { display: none }
  article { break-inside: avoid }
}
`
