/**
 * Draws plots with Observable Plot into a DOM of our own, once for a wide page and once for a
 * phone, in the looks of the contenders.
 */
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import { Html, html } from './html.js'
import { look, type Looks } from './look.js'

export const { document } = parseHTML('<!doctype html><html><body></body></html>')

export interface Page {
  readonly name: 'wide' | 'narrow'
  readonly width: number
  readonly fontSize: number
}

/** Keeps text legible over grid lines. */
export const HALO = { stroke: 'var(--paper)', strokeWidth: 5 } as const

const PAGES: readonly Page[] = [
  { name: 'wide', width: 800, fontSize: 13 },
  { name: 'narrow', width: 328, fontSize: 12 },
]

export function drawn(page: Page, label: string, options: Plot.PlotOptions): Html {
  const { name, width, fontSize } = page
  const svg = Plot.plot({
    ...options,
    document: document as unknown as Document,
    className: 'plot',
    width,
    axis: null,
    ariaLabel: label,
    style: { fontSize: `${fontSize}px`, fontFamily: 'inherit' },
  })
  svg.querySelector('style')?.remove()
  svg.setAttribute('role', 'img')
  svg.setAttribute('class', `plot ${name}`)
  return new Html(svg.outerHTML)
}

export function bothPages(draw: (page: Page) => Html): Html {
  return html`${PAGES.map(draw)}`
}

export interface Point {
  readonly id: string
  readonly x: number
  readonly y: number
  readonly title: string
}

export interface Line {
  readonly id: string
  readonly points: readonly Point[]
}

/** Draws lines and symbols. Ours are on top, thicker, and filled. */
export function lineMarks(lines: readonly Line[], symbols: readonly Point[], looks: Looks): Plot.Markish[] {
  const sorted = [...lines].sort((a, b) => Number(look(looks, a.id).ours) - Number(look(looks, b.id).ours))
  return sorted.flatMap(({ id, points }) => {
    const { colour, symbol, dashes, ours } = look(looks, id)
    return [
      Plot.line(points, { x: 'x', y: 'y', stroke: colour, strokeWidth: ours ? 3 : 1.75, strokeDasharray: dashes, strokeLinejoin: 'round' }),
      Plot.dot(
        symbols.filter((point) => point.id === id),
        {
          x: 'x',
          y: 'y',
          symbol: symbol as 'circle',
          r: ours ? 5 : 4.5,
          fill: ours ? colour : 'var(--paper)',
          stroke: colour,
          strokeWidth: 1.75,
          title: 'title',
        },
      ),
    ]
  })
}
