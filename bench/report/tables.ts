/** The tables beneath the plots, which also serve as the plots' keys. */
import type { Cost, Rival } from './costs.js'
import { parameterName, parameterValue, figures, type Figure, measured, number, ratio, unit } from './figures.js'
import { html, type Html } from './html.js'
import { look, type Looks } from './look.js'
import { swatch } from './marks.js'
import { participants } from './chapters.js'
import type { CaseResult, ContenderResult } from './result.js'

function contenderName(contender: ContenderResult, looks: Looks, key: boolean): Html {
  const { id, name, version, note } = contender
  return html`<th scope="row">
    <span class="name"
      >${key && swatch(looks, id)}<span
        >${name}${version !== undefined && html` <small>${version}</small>`}${note !== undefined && html`<small class="note">${note}</small>`}</span
      ></span
    >
  </th>`
}

function timesOurs({ ours, ratio: times }: Figure): string {
  return ours ? 'ours' : times === undefined ? '–' : ratio(times)
}

function scrolled(caption: string, table: Html): Html {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">${table}</div>`
}

function rowClass(id: string, looks: Looks): string {
  return look(looks, id).ours ? 'ours' : ''
}

/** One case: the median and spread of rates, or the percentiles of latencies. */
export function caseTable(one: CaseResult, looks: Looks, key: boolean): Html {
  const known = new Map(figures(one).map((figure) => [figure.contender, figure]))
  const percentiles = [...known.keys()].some(({ percentiles }) => percentiles !== undefined)
  const heads = percentiles ? ['p50', 'p90', 'p99', 'p99.9', 'max'] : ['median', 'lowest', 'highest']
  const cells = (figure: Figure) => {
    const { percentiles: at } = figure.contender
    if (!percentiles) return [figure.middle, figure.low, figure.high]
    return at ? [at.p50, at.p90, at.p99, at.p999, at.max] : [figure.middle, NaN, NaN, NaN, NaN]
  }
  const rows = one.contenders.map((contender) => {
    const figure = known.get(contender)
    const values = figure
      ? html`${cells(figure).map((value) => html`<td>${number(value)}</td>`)}
          <td>${timesOurs(figure)}</td>`
      : html`<td colspan="${heads.length + 1}" class="unavailable">${contender.unavailable ?? 'not measured'}</td>`
    return html`<tr class="${rowClass(contender.id, looks)}">
      ${contenderName(contender, looks, key && figure !== undefined)}${values}
    </tr>`
  })
  return scrolled(
    `Figures of: ${one.title}`,
    html`<table>
      <thead>
        <tr>
          <th scope="col">${unit(one)}</th>
          ${heads.map((head) => html`<th scope="col">${head}</th>`)}
          <th scope="col">× ours</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`,
  )
}

/** A series: a column for each value of the parameter. */
export function seriesTable(cases: readonly CaseResult[], title: string, looks: Looks): Html {
  const [first] = cases as [CaseResult]
  const columns = cases.map((one) => new Map(figures(one).map((figure) => [figure.contender.id, figure])))
  const cell = (contender: ContenderResult, k: number) => {
    const figure = columns[k]?.get(contender.id)
    if (figure) return html`<td>${number(figure.middle)} <small>${!figure.ours && timesOurs(figure)}</small></td>`
    const reason = cases[k]?.contenders.find(({ id }) => id === contender.id)?.unavailable ?? 'not measured'
    return html`<td class="unavailable" title="${reason}">–</td>`
  }
  const rows = participants(cases).map((contender) => {
    const values = measured(contender)
      ? cases.map((_, k) => cell(contender, k))
      : html`<td colspan="${cases.length}" class="unavailable">${contender.unavailable ?? 'not measured'}</td>`
    return html`<tr class="${rowClass(contender.id, looks)}">
      ${contenderName(contender, looks, measured(contender))}${values}
    </tr>`
  })
  return scrolled(
    `Figures of: ${title}`,
    html`<table>
      <thead>
        <tr>
          <th scope="col">${unit(first)}, by ${parameterName(first)}</th>
          ${cases.map((one) => html`<th scope="col">${parameterValue(one)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`,
  )
}

function rivalCell(rival: Rival | undefined): Html {
  if (!rival) return html`<td class="rival none">–</td>`
  return html`<td class="rival">${rival.figure} <b>${ratio(rival.times)}</b><small class="note">${rival.name}</small></td>`
}

/** The table of costs: our figure, that of Node alone, and that of another package. */
export function costsTable(rows: readonly Cost[]): Html {
  return html`<table class="costs">
    <thead>
      <tr>
        <th scope="col"></th>
        <th scope="col">threadsafe</th>
        <th scope="col">Node alone</th>
        <th scope="col">another package</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ({ what, ours, node, other }) =>
          html`<tr>
            <th scope="row">${code(what)}</th>
            <td class="mine">${ours}</td>
            ${rivalCell(node)} ${rivalCell(other)}
          </tr>`,
      )}
    </tbody>
  </table>`
}

/** Turns what is between backquotes into code. */
function code(text: string): Html[] {
  return text.split('`').map((part, k) => (k % 2 === 0 ? html`${part}` : html`<code>${part}</code>`))
}
