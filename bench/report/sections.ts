/** A case or series of the report, open or folded, and the chapters that contain them. */
import { slug, type Chapter, type Entry, type Series, type Single } from './chapters.js'
import { curve, figures, number, ratio, unit } from './figures.js'
import { html, type Html } from './html.js'
import { looks, type Looks } from './look.js'
import { bars, curves, series as seriesPlot } from './plots.js'
import type { CaseResult } from './result.js'
import { caseTable, seriesTable } from './tables.js'

export function figure(id: string, plot: Html, caption: Html): Html {
  return html`<figure data-plot="${id}">
    ${plot}
    <figcaption>${caption}</figcaption>
  </figure>`
}

function folded(table: Html, open: boolean): Html {
  return html`<details ${open && 'open'}>
    <summary>Figures</summary>
    ${table}
  </details>`
}

function hasCurves(one: CaseResult): boolean {
  return figures(one).some(({ contender }) => curve(contender).length > 0)
}

function single({ id, one }: Single, looks: Looks): Html {
  const nothing = figures(one).length === 0
  const caption = html`Median in ${unit(one)}, and times ours. Thin lines: lowest to highest of the rounds.`
  const plot = hasCurves(one)
    ? figure(`curves:${id}`, curves(one, looks), html`Latency by percentile, in ${unit(one)}; symbols at p50, p90, p99, p99.9.`)
    : !nothing && figure(`bars:${id}`, bars(one), caption)
  return html`${plot} ${hasCurves(one) ? caseTable(one, looks, true) : folded(caseTable(one, looks, false), nothing)}`
}

function series({ id, title, cases }: Series, looks: Looks): Html {
  const drawn = cases.some((one) => figures(one).length > 0)
  const [first] = cases as [CaseResult]
  const curved = cases
    .filter(hasCurves)
    .map((one) => figure(`curves:${one.id}`, curves(one, looks), html`${one.title}: latency by percentile, in ${unit(one)}.`))
  return html`${
    drawn &&
    figure(
      `series:${id}`,
      seriesPlot(cases, title, looks),
      html`Medians in ${unit(first)}. Vertical lines: lowest to highest of the rounds.`,
    )
  }
  ${seriesTable(cases, title, looks)} ${curved}`
}

/** Sums up a folded case in one line: our figure, and the others' as multiples of it. */
function gist(entry: Entry): string {
  const one = entry.kind === 'single' ? entry.one : entry.cases[0]
  const all = one ? figures(one) : []
  const mine = all.find(({ ours }) => ours)
  if (!one || !mine) return ''
  const name = (text: string) => text.replace(/,.*/, '')
  const others = all.filter((figure) => !figure.contender.id.startsWith('threadsafe') && figure.ratio !== undefined)
  const shown = others.slice(0, 2).map(({ contender, ratio: times }) => `${name(contender.name)} ${ratio(times as number)}`)
  return [`${number(mine.middle)} ${unit(one).replace(/\/(item|job|element)$/, '')}`, ...shown].join(' · ')
}

function content(entry: Entry, looks: Looks): Html {
  return entry.kind === 'single' ? single(entry, looks) : series(entry, looks)
}

function open(entry: Entry, looks: Looks): Html {
  return html`<article id="${entry.id}">
    <h3>${entry.title}</h3>
    ${content(entry, looks)}
  </article>`
}

function closed(entry: Entry, looks: Looks): Html {
  return html`<details class="case" id="${entry.id}">
    <summary>
      <h3>${entry.title}</h3>
      <small>${gist(entry)}</small>
    </summary>
    ${content(entry, looks)}
  </details>`
}

/** Opens the first case of a chapter by which readers choose between queues. */
export function chapter({ id, title, entries, decides }: Chapter, looks: Looks): Html {
  return html`<section id="${id}">
    <h2>${title}</h2>
    ${entries.map((entry, k) => (decides && k === 0 ? open(entry, looks) : closed(entry, looks)))}
  </section>`
}

export function runtimes(cases: readonly CaseResult[]): Html | false {
  const known = looks(cases)
  const caption = (one: CaseResult) =>
    html`Median in ${unit(one)}, and times ours on the same runtime. Thin lines: lowest to highest of the rounds.`
  return (
    cases.length > 0 &&
    html`<section id="runtimes">
      <h2>Other runtimes</h2>
      ${cases.map(
        (one) =>
          html`<details class="case" id="${slug(one.id)}">
            <summary><h3>${one.title}</h3></summary>
            ${figures(one).length > 0 && figure(`bars:${slug(one.id)}`, bars(one), caption(one))} ${caseTable(one, known, false)}
          </details>`,
      )}
    </section>`
  )
}
