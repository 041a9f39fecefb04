/** The project's own goals, and what one run measured of each. */
import { place, verdict, type Verdict } from './figures.js'
import { html, type Html } from './html.js'
import { goalMark } from './marks.js'
import type { CaseResult, GoalResult } from './result.js'

const MARKS = { met: '✓', missed: '✗', 'not measured': '–' } as const

interface PlacedVerdict extends Verdict {
  readonly one: CaseResult
  readonly goal: GoalResult
}

function verdictsOf(cases: readonly CaseResult[]): PlacedVerdict[] {
  return cases.flatMap((one) => one.goals.map((goal) => ({ ...verdict(goal, one), one, goal })))
}

function state({ state }: Verdict): Html {
  return html`<span class="state ${state.replace(' ', '-')}"><span aria-hidden="true">${MARKS[state]}</span> ${state}</span>`
}

function verdicts(all: readonly PlacedVerdict[]): Html {
  const shareOf = ({ goal }: PlacedVerdict) => (goal.measured ?? NaN) / goal.atMost
  const drawable = (share: number) => share > 0 && Number.isFinite(share)
  const shares = all.map(shareOf).filter(drawable)
  const rows = all.map(
    (entry) =>
      html`<tr class="${entry.state.replace(' ', '-')}">
        <th scope="row">${entry.text}<small class="note">${entry.one.title}${entry.one.parameter && `, ${place(entry.one)}`}</small></th>
        <td class="verdict">${state(entry)}</td>
        <td class="mark">${drawable(shareOf(entry)) && goalMark(entry, shareOf(entry), shares)}</td>
        <td class="measured">${entry.measured}</td>
        <td class="limit">${entry.limit}</td>
      </tr>`,
  )
  return html`<table class="verdicts">
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
}

/** Shows all goals in one folded table. They are for those who work on the package. */
export function goals(cases: readonly CaseResult[]): Html | false {
  const all = verdictsOf(cases)
  if (all.length === 0) return false
  const number = (wanted: Verdict['state']) => all.filter(({ state }) => state === wanted).length
  return html`<section id="goals">
    <h2>Goals of the project</h2>
    <p class="score">
      <span><strong>${number('met')}</strong> of ${all.length} met</span>
      <span class="also">${number('missed')} missed${number('not measured') > 0 && `, ${number('not measured')} not measured`}</span>
    </p>
    <div class="strip" aria-hidden="true">${all.map(({ state }) => html`<i class="${state.replace(' ', '-')}"></i>`)}</div>
    <details>
      <summary>Each goal and its figure</summary>
      <figure data-plot="goals">
        ${verdicts(all)}
        <figcaption>
          The marks show the measured figure against the limit, on one logarithmic scale; left of the line keeps the goal.
        </figcaption>
      </figure>
    </details>
  </section>`
}
