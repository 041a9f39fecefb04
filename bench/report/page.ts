/** The report as one HTML document without scripts and without anything to load. */
import { chapters, comparable, slug, type Chapter, type Series, type Single } from './chapters.js'
import { curve, figures, place, unit, verdict, type Verdict } from './figures.js'
import { html, Html } from './html.js'
import { looks, type Looks } from './look.js'
import { goalMark } from './marks.js'
import { bars, curves, overview, series as seriesPlot } from './plots.js'
import type { CaseResult, Result } from './result.js'
import { here, onRuntimes } from './runtimes.js'
import { STYLE } from './style.js'
import { caseTable, key, seriesTable } from './tables.js'

const MARKS = { met: '✓', missed: '✗', 'not measured': '–' } as const

function figure(id: string, plot: Html, caption: Html): Html {
  return html`<figure data-plot="${id}">
    ${plot}
    <figcaption>${caption}</figcaption>
  </figure>`
}

function state({ state }: Verdict): Html {
  return html`<span class="state ${state.replace(' ', '-')}"><span aria-hidden="true">${MARKS[state]}</span> ${state}</span>`
}

function goalsOf(cases: readonly CaseResult[]): Html | false {
  const items = cases.flatMap((one) =>
    one.goals.map((goal) => {
      const result = verdict(goal, one)
      const at = cases.length > 1 && html`<small>${place(one)}:</small>`
      return html`<li>${state(result)} ${at} ${result.text}: <b>${result.measured}</b> <small>goal ${result.limit}</small></li>`
    }),
  )
  return (
    items.length > 0 &&
    html`<ul class="goals">
      ${items}
    </ul>`
  )
}

function hasCurves(one: CaseResult): boolean {
  return figures(one).some(({ contender }) => curve(contender).length > 0)
}

function single({ id, title, one }: Single, looks: Looks): Html {
  const nothing = figures(one).length === 0
  const plot = hasCurves(one)
    ? html`${figure(`curves:${id}`, curves(one, looks), html`Latency by percentile, in ${unit(one)}; symbols at p50, p90, p99, p99.9.`)}
      ${caseTable(one, looks, true)}`
    : html`${
          !nothing &&
          figure(`bars:${id}`, bars(one), html`Median in ${unit(one)}, and times ours. Whiskers: lowest and highest of the rounds.`)
        }
        <details ${nothing && 'open'}>
          <summary>Figures</summary>
          ${caseTable(one, looks, false)}
        </details>`
  return html`<article id="${id}">
    <h3>${title}</h3>
    ${goalsOf([one])} ${plot}
  </article>`
}

function series({ id, title, cases }: Series, looks: Looks): Html {
  const drawn = cases.some((one) => figures(one).length > 0)
  const [first] = cases as [CaseResult]
  const curved = cases
    .filter(hasCurves)
    .map((one) => figure(`curves:${one.id}`, curves(one, looks), html`${one.title}: latency by percentile, in ${unit(one)}.`))
  return html`<article id="${id}">
    <h3>${title}</h3>
    ${goalsOf(cases)}
    ${
      drawn &&
      figure(
        `series:${id}`,
        seriesPlot(cases, title, looks),
        html`Medians in ${unit(first)}. Vertical lines: lowest to highest of the rounds.`,
      )
    }
    ${seriesTable(cases, title, looks)} ${curved}
  </article>`
}

function runtimes(cases: readonly CaseResult[]): Html | false {
  const known = looks(cases)
  const caption = (one: CaseResult) =>
    html`Median in ${unit(one)}, and times ours on the same runtime. Whiskers: lowest and highest of the rounds.`
  return (
    cases.length > 0 &&
    html`<section id="runtimes">
      <h2>Other runtimes</h2>
      ${cases.map(
        (one) =>
          html`<article id="${slug(one.id)}">
            <h3>${one.title}</h3>
            ${figures(one).length > 0 && figure(`bars:${slug(one.id)}`, bars(one), caption(one))} ${caseTable(one, known, false)}
          </article>`,
      )}
    </section>`
  )
}

function chapter({ id, title, entries }: Chapter, looks: Looks): Html {
  return html`<section id="${id}">
    <h2>${title}</h2>
    ${entries.map((entry) => (entry.kind === 'single' ? single(entry, looks) : series(entry, looks)))}
  </section>`
}

function summary(cases: readonly CaseResult[]): Html | false {
  const all = cases.flatMap((one) => one.goals.map((goal) => ({ one, goal, ...verdict(goal, one) })))
  if (all.length === 0) return false
  const number = (wanted: Verdict['state']) => all.filter(({ state }) => state === wanted).length
  const shareOf = ({ goal }: (typeof all)[number]) => (goal.measured ?? NaN) / goal.atMost
  const drawable = (share: number) => share > 0 && Number.isFinite(share)
  const shares = all.map(shareOf).filter(drawable)
  const rows = all.map(
    (entry) =>
      html`<tr class="${entry.state.replace(' ', '-')}">
        <th scope="row">${entry.text}<small class="note">${entry.one.title}</small></th>
        <td class="verdict">${state(entry)}</td>
        <td class="mark">${drawable(shareOf(entry)) && goalMark(entry, shareOf(entry), shares)}</td>
        <td class="measured">${entry.measured}</td>
        <td class="limit">${entry.limit}</td>
      </tr>`,
  )
  const table = html`<table class="verdicts">
    <thead>
      <tr>
        <th scope="col">goal</th>
        <th scope="col"></th>
        <th scope="col" class="mark">against the limit</th>
        <th scope="col">measured</th>
        <th scope="col">limit</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`
  return html`<section id="goals">
    <h2>Goals</h2>
    <p class="score">
      <span><strong>${number('met')}</strong> of ${all.length} met</span>
      <span class="also">${number('missed')} missed${number('not measured') > 0 && `, ${number('not measured')} not measured`}</span>
    </p>
    <div class="strip" aria-hidden="true">${all.map(({ state }) => html`<i class="${state.replace(' ', '-')}"></i>`)}</div>
    ${figure('goals', table, html`The marks show the measured figure against the limit, on one logarithmic scale; left of the line keeps the goal.`)}
  </section>`
}

function facts({ machine, command, rounds }: Result): Html {
  const rows: [string, string][] = [
    ['Processor', `${machine.cpu}, ${machine.cores} cores`],
    ['Memory', `${Math.round(machine.memoryGiB * 10) / 10} GiB`],
    ['System', `${machine.os}, kernel ${machine.kernel}`],
    ['Node', `${machine.node.replace(/^v/, '')}, V8 ${machine.v8}`],
    ['Commit', machine.commit],
    ['Rounds', String(rounds)],
    ['Command', command],
  ]
  return html`<dl class="facts">
    ${rows.map(
      ([name, value]) =>
        html`<div class="${slug(name)}">
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`
}

export function page(result: Result): string {
  const { quick, rounds } = result
  const { cases } = here(result)
  const elsewhere = onRuntimes(result)
  const known = looks(cases)
  const parts = chapters({ ...result, cases })
  const compared = comparable(cases)
  const links = [
    cases.some(({ goals }) => goals.length > 0) && ['goals', 'Goals'],
    compared.length > 0 && ['overview', 'Overview'],
    ...parts.map(({ id, title }) => [id, title]),
    elsewhere.length > 0 && ['runtimes', 'Other runtimes'],
  ].filter((link) => link !== false)
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:" />
        <link rel="icon" href="data:," />
        <title>threadsafe: benchmark report</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <main>
          <header>
            <p class="kicker">Benchmark report</p>
            <h1>threadsafe</h1>
            <p class="lead">
              All figures are of one run, in which each of ${rounds} rounds runs every contender once. Lower is better everywhere; “×” is a
              contender’s cost divided by ours in the same round, by the median of the rounds.
            </p>
            ${quick && html`<p class="warning" role="note">A quick run, with few rounds: its figures are a first look, not a result.</p>`}
            ${facts(result)}
          </header>
          <nav aria-label="Contents">${links.map(([id, title]) => html`<a href="#${id}">${title}</a>`)}</nav>
          ${summary(cases)}
          ${
            compared.length > 0 &&
            html`<section id="overview">
              <h2>Overview</h2>
              ${key(compared, known)}
              ${figure('overview', overview(compared, known), html`How many times our cost each contender has. Right of the line: costs more than ours.`)}
            </section>`
          }
          ${parts.map((part) => chapter(part, known))} ${runtimes(elsewhere)}
          <footer>Made by the benchmark suite of threadsafe from its own JSON. Plots by Observable Plot.</footer>
        </main>
      </body>
    </html>`
  return `${document.toString().replace(/^\s+/gm, '')}\n`
}
