/** The small drawings in tables: a goal's mark, and a contender's line and symbol. */
import * as Plot from '@observablehq/plot'
import { document, lineMarks } from './drawing.js'
import type { Verdict } from './figures.js'
import { Html } from './html.js'
import { look, type Looks } from './look.js'

/** Draws the measured figure of a row as a share of the limit, on an axis that all rows share. */
export function goalMark(verdict: Verdict, share: number, all: readonly number[]): Html {
  const { text, measured, limit, state } = verdict
  const range = Math.max(2, ...all.map((other) => Math.max(other, 1 / other) * 1.15))
  const colour = `var(--${state})`
  const svg = Plot.plot({
    document: document as unknown as Document,
    className: 'goal',
    width: 150,
    height: 18,
    margin: 1,
    axis: null,
    x: { type: 'log', domain: [1 / range, range] },
    y: { domain: [-1, 1] },
    color: { type: 'identity' },
    ariaLabel: `${text}: ${measured}, goal ${limit}, ${state}`,
    marks: [
      Plot.rect([1], { x1: 1, x2: range, y1: -1, y2: 1, fill: 'var(--missed)', fillOpacity: 0.1 }),
      Plot.ruleX([1], { stroke: 'var(--muted)' }),
      Plot.ruleY([0], { x1: 1, x2: share, stroke: colour, strokeWidth: 2 }),
      Plot.dot([share], {
        x: share,
        y: 0,
        r: state === 'met' ? 4 : 5,
        symbol: state === 'met' ? 'circle' : 'times',
        fill: state === 'met' ? colour : 'none',
        stroke: colour,
        strokeWidth: 2,
      }),
    ],
  })
  svg.querySelector('style')?.remove()
  svg.setAttribute('role', 'img')
  return new Html(svg.outerHTML)
}

/** A contender's line and symbol, as a key for the plots. */
export function swatch(looks: Looks, id: string): Html {
  const { ours } = look(looks, id)
  const point = { id, x: 0.5, y: 0.5, title: '' }
  const svg = Plot.plot({
    document: document as unknown as Document,
    className: 'swatch',
    width: 32,
    height: 14,
    margin: 0,
    axis: null,
    x: { domain: [0, 1] },
    y: { domain: [0, 1] },
    color: { type: 'identity' },
    marks: lineMarks(
      [
        {
          id,
          points: [
            { ...point, x: 0 },
            { ...point, x: 1 },
          ],
        },
      ],
      [point],
      looks,
    ),
  })
  svg.querySelector('style')?.remove()
  svg.setAttribute('aria-hidden', 'true')
  svg.setAttribute('class', ours ? 'swatch ours' : 'swatch')
  return new Html(svg.outerHTML)
}
