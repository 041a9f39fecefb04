/**
 * The plots, drawn by Observable Plot into a DOM of our own, so that the page holds ready SVG and
 * needs no script. Each is drawn twice, for a wide page and for a phone; the style sheet shows one
 * of them. Colours are CSS variables, which follow the theme.
 */
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import { curve, figures, type Figure, marked, number, parameterName, parameterValue, ratio, unit, type Verdict } from './figures.js'
import { Html, html } from './html.js'
import { look, type Looks } from './look.js'
import type { CaseResult } from './result.js'

const { document } = parseHTML('<!doctype html><html><body></body></html>')

/** An axis is logarithmic from this ratio of the highest value to the lowest on. */
const LOGARITHMIC_FROM = 15

interface Page {
  readonly name: 'wide' | 'narrow'
  readonly width: number
  readonly fontSize: number
}

/** Keeps text legible over grid lines. */
const HALO = { stroke: 'var(--paper)', strokeWidth: 5 } as const

const PAGES: readonly Page[] = [
  { name: 'wide', width: 800, fontSize: 13 },
  { name: 'narrow', width: 328, fontSize: 12 },
]

function drawn(page: Page, label: string, options: Plot.PlotOptions): Html {
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

function bothPages(draw: (page: Page) => Html): Html {
  return html`${PAGES.map(draw)}`
}

interface Axis {
  readonly type: 'linear' | 'log'
  readonly domain: [number, number]
  /** The ticks; undefined where the library chooses. */
  readonly ticks: number[] | undefined
  readonly label: string
}

/** An axis for costs, which begins at zero, or is logarithmic if the values range widely. */
function costAxis(values: readonly number[], label: string): Axis {
  const positive = values.filter((value) => value > 0)
  const low = Math.min(...positive)
  const high = Math.max(...positive)
  if (positive.length === 0) return { type: 'linear', domain: [0, 1], ticks: undefined, label }
  if (high / low < LOGARITHMIC_FROM || positive.length < values.length)
    return { type: 'linear', domain: [0, high], ticks: undefined, label }
  const from = roundNumberBelow(low)
  const ticks = roundNumbers(from, high)
  return { type: 'log', domain: [from, Math.max(high, ticks.at(-1) ?? high)], ticks, label: `${label}, logarithmic` }
}

function roundNumberBelow(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(value))
  return ([5, 2, 1].find((step) => step * decade <= value * 0.8) ?? 0.5) * decade
}

/** 1, 2 and 5 of each decade, or fewer over many decades. */
function roundNumbers(low: number, high: number): number[] {
  const decades = Math.log10(high / low)
  const steps = decades > 3 ? [1] : decades > 2 ? [1, 3] : [1, 2, 5]
  const result: number[] = []
  for (let exponent = Math.floor(Math.log10(low)); 10 ** exponent <= high; exponent++) {
    result.push(...steps.map((step) => step * 10 ** exponent).filter((value) => value >= low * 0.999 && value <= high * 1.001))
  }
  return result
}

function tick(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 })
}

function described({ contender, middle, low, high, ratio: times, ours }: Figure, of: string): string {
  const compared = ours || times === undefined ? '' : `, ${ratio(times)} ours`
  return `${contender.name}: ${number(middle)} ${of}, ${number(low)} to ${number(high)}${compared}`
}

/** The text at a bar: the figure, and how many times ours it is. */
function barText({ middle, ours, ratio: times }: Figure): string {
  return ours || times === undefined ? number(middle) : `${number(middle)}  ·  ${ratio(times)}`
}

/** Bars with the rounds' spread. On a phone a bar's name stands above it. */
export function bars(one: CaseResult): Html {
  const rows = figures(one).map((figure, k) => ({ ...figure, row: String(k) }))
  const axis = costAxis(
    rows.flatMap(({ low, high }) => [low, high]),
    unit(one),
  )
  const start = axis.type === 'log' ? axis.domain[0] : 0
  const longest = Math.max(...rows.map(({ contender }) => contender.name.length))
  return bothPages((page) => {
    const wide = page.name === 'wide'
    const names = Math.min(340, 18 + longest * 8.6)
    const band = wide ? 32 : 44
    const inset = wide ? { insetTop: 6, insetBottom: 6 } : { insetTop: 22, insetBottom: 6 }
    const centre = wide ? 0 : 8
    const text = (own: boolean) => {
      const chosen = rows.filter(({ ours }) => ours === own)
      const style = { y: 'row', fontWeight: own ? 650 : 400, fill: own ? 'var(--ours-text)' : 'var(--ink)', ...HALO }
      const name = (row: Figure) => row.contender.name
      if (wide) {
        return [
          Plot.text(chosen, {
            ...style,
            text: name,
            frameAnchor: 'left',
            textAnchor: 'end',
            dx: -10,
            lineWidth: 20,
            textOverflow: 'ellipsis',
          }),
          Plot.text(chosen, { ...style, x: 'high', text: barText, textAnchor: 'start', dx: 9, fontVariant: 'tabular-nums' }),
        ]
      }
      return [
        Plot.text(chosen, {
          ...style,
          text: name,
          frameAnchor: 'left',
          textAnchor: 'start',
          dy: -11,
          lineWidth: 17,
          textOverflow: 'ellipsis',
        }),
        Plot.text(chosen, { ...style, text: barText, frameAnchor: 'right', textAnchor: 'end', dy: -11, fontVariant: 'tabular-nums' }),
      ]
    }
    return drawn(page, `${one.title}: bars of the medians, with the spread of the rounds, in ${unit(one)}`, {
      height: rows.length * band + 52,
      marginTop: 4,
      marginBottom: 46,
      marginLeft: wide ? names : 4,
      marginRight: wide ? 140 : 8,
      x: { type: axis.type, domain: axis.domain },
      y: { type: 'band', domain: rows.map(({ row }) => row), padding: 0 },
      color: { type: 'identity' },
      marks: [
        costAxisMarks('x', axis, wide ? 7 : 4),
        Plot.barX(rows, {
          x1: start,
          x2: 'middle',
          y: 'row',
          fill: ({ ours }: Figure) => (ours ? 'var(--ours)' : 'var(--others)'),
          rx2: 2,
          title: (row: Figure) => described(row, unit(one)),
          ...inset,
        }),
        Plot.link(rows, { x1: 'low', x2: 'high', y: 'row', stroke: 'var(--spread)', strokeWidth: 1.5, dy: centre }),
        Plot.tickX(
          rows.flatMap((row) => [row.low, row.high].map((value) => ({ value, row: row.row }))),
          {
            x: 'value',
            y: 'row',
            stroke: 'var(--spread)',
            strokeWidth: 1.5,
            insetTop: inset.insetTop + 5,
            insetBottom: inset.insetBottom + 5,
          },
        ),
        Plot.ruleX([start], { stroke: 'var(--muted)' }),
        ...text(true),
        ...text(false),
      ],
    })
  })
}

/** Labels at just these ticks: on logarithmic axes the library's own leave some out. */
function labels(side: 'x' | 'y', ticks: readonly number[], format: (value: number) => string): Plot.Markish {
  const style = { text: format, fill: 'var(--muted)', fontVariant: 'tabular-nums' }
  return side === 'x'
    ? Plot.text(ticks, { ...style, x: (value: number) => value, frameAnchor: 'bottom', lineAnchor: 'top', dy: 8 })
    : Plot.text(ticks, { ...style, y: (value: number) => value, frameAnchor: 'left', textAnchor: 'end', dx: -8 })
}

/** The grid and the labels of an axis for costs. */
function costAxisMarks(side: 'x' | 'y', axis: Axis, count: number): Plot.Markish[] {
  const ticks = axis.ticks ?? count
  const label = { tickSize: 0, tickFormat: tick, fill: 'var(--muted)', label: null, ticks }
  if (side === 'x') {
    return [
      Plot.gridX({ ticks, stroke: 'var(--grid)', strokeOpacity: 1 }),
      axis.ticks ? labels('x', axis.ticks, tick) : Plot.axisX({ ...label, tickPadding: 7 }),
      Plot.text([axis.label], {
        frameAnchor: 'bottom-right',
        textAnchor: 'end',
        dy: 40,
        fill: 'var(--muted)',
        text: (text: string) => `${text} →`,
      }),
    ]
  }
  return [
    Plot.gridY({ ticks, stroke: 'var(--grid)', strokeOpacity: 1 }),
    axis.ticks ? labels('y', axis.ticks, tick) : Plot.axisY({ ...label, tickPadding: 7 }),
    Plot.text([axis.label], {
      frameAnchor: 'top-left',
      textAnchor: 'start',
      dx: -44,
      dy: -24,
      fill: 'var(--muted)',
      text: (text: string) => `↑ ${text}`,
    }),
  ]
}

interface Point {
  readonly id: string
  readonly x: number
  readonly y: number
  readonly title: string
}

interface Line {
  readonly id: string
  readonly points: readonly Point[]
}

/** Lines and symbols; ours are above the others, thicker, and filled. */
function lineMarks(lines: readonly Line[], symbols: readonly Point[], looks: Looks): Plot.Markish[] {
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

const PERCENTILES: readonly number[] = [0, 50, 90, 99, 99.9, 99.99, 99.999]

/** Latency by percentile, on the axis of HDR histograms: each nine as wide as the one before. */
export function curves(one: CaseResult, looks: Looks): Html {
  const at = (percentile: number) => 100 / (100 - percentile)
  const measured = figures(one).filter(({ contender }) => curve(contender).length > 0)
  const lines = measured.map(({ contender }) => ({
    id: contender.id,
    points: curve(contender).map(([percentile, y]) => ({ id: contender.id, x: at(percentile), y, title: '' })),
  }))
  const symbols = measured.flatMap(({ contender: { id, name, percentiles } }) =>
    (percentiles ? marked(percentiles) : []).map(([percentile, y]) => ({
      id,
      x: at(percentile),
      y,
      title: `${name}: ${percentile} % within ${number(y)} ${unit(one)}`,
    })),
  )
  const points = [...lines.flatMap(({ points }) => points), ...symbols]
  const last = Math.max(...points.map(({ x }) => x))
  const axis = costAxis(
    points.map(({ y }) => y),
    unit(one),
  )
  const ticks = PERCENTILES.map(at).filter((x) => x <= last * 1.001)
  return bothPages((page) => {
    const wide = page.name === 'wide'
    return drawn(page, `${one.title}: latency by percentile, a line for each contender, in ${unit(one)}`, {
      height: wide ? 360 : 300,
      marginTop: 40,
      marginBottom: 48,
      marginLeft: 54,
      marginRight: wide ? 28 : 18,
      x: { type: 'log', domain: [1, last] },
      y: { type: axis.type, domain: axis.domain, nice: axis.type === 'linear' },
      color: { type: 'identity' },
      marks: [
        costAxisMarks('y', axis, 6),
        Plot.gridX({ ticks, stroke: 'var(--grid)', strokeOpacity: 1 }),
        labels('x', ticks, (x) => String(Number((100 - 100 / x).toFixed(3)))),
        Plot.text(['percentile →'], { frameAnchor: 'bottom-right', textAnchor: 'end', dy: 42, fill: 'var(--muted)' }),
        ...lineMarks(lines, symbols, looks),
      ],
    })
  })
}

/** Cost against the parameter of a series, with the rounds' spread. */
export function series(cases: readonly CaseResult[], title: string, looks: Looks): Html {
  const [first] = cases as [CaseResult]
  const measured = cases.flatMap((one) =>
    figures(one).map((figure) => ({
      ...figure,
      id: figure.contender.id,
      x: one.parameter?.value ?? 0,
      y: figure.middle,
      colour: look(looks, figure.contender.id).colour,
      title: `${parameterValue(one)}: ${described(figure, unit(one))}`,
    })),
  )
  const lines = [...new Set(measured.map(({ id }) => id))].map((id) => ({ id, points: measured.filter((point) => point.id === id) }))
  const axis = costAxis(
    measured.flatMap(({ low, high }) => [low, high]),
    unit(first),
  )
  const values = cases.map(({ parameter }) => parameter?.value ?? 0)
  const low = Math.min(...values)
  const high = Math.max(...values)
  const logarithmic = low > 0 && high / low >= 8
  const names = new Map(cases.map((one) => [one.parameter?.value ?? 0, parameterValue(one)]))
  return bothPages((page) => {
    const wide = page.name === 'wide'
    return drawn(page, `${title}: cost against ${parameterName(first)}, a line for each contender, in ${unit(first)}`, {
      height: wide ? 340 : 290,
      marginTop: 40,
      marginBottom: 48,
      marginLeft: 54,
      marginRight: wide ? 28 : 18,
      x: { type: logarithmic ? 'log' : 'linear', domain: [low, high], insetLeft: 14, insetRight: 14 },
      y: { type: axis.type, domain: axis.domain, nice: axis.type === 'linear' },
      color: { type: 'identity' },
      marks: [
        costAxisMarks('y', axis, 6),
        Plot.gridX({ ticks: values, stroke: 'var(--grid)', strokeOpacity: 1 }),
        labels('x', apart(values, logarithmic, wide ? 12 : 5), (value) => names.get(value) ?? ''),
        Plot.text([parameterName(first)], {
          frameAnchor: 'bottom-right',
          textAnchor: 'end',
          dy: 42,
          fill: 'var(--muted)',
          text: (name: string) => `${name}${logarithmic ? ', logarithmic' : ''} →`,
        }),
        Plot.link(measured, { x: 'x', y1: 'low', y2: 'high', stroke: 'colour', strokeWidth: 1.5 }),
        ...lineMarks(lines, measured, looks),
      ],
    })
  })
}

/**
 * Picks from rising values those that leave room for their labels, where `count` labels would fill
 * the axis.
 */
function apart(values: readonly number[], logarithmic: boolean, count: number): number[] {
  const place = (value: number) => (logarithmic ? Math.log(value) : value)
  const [first = 0] = values
  const gap = (place(values.at(-1) ?? first) - place(first)) / count
  const result: number[] = []
  for (const value of values) {
    const previous = result.at(-1)
    if (previous === undefined || place(value) - place(previous) >= gap) result.push(value)
  }
  return result
}

/** Every case on one axis: how many times our cost each contender has. */
export function overview(cases: readonly CaseResult[], looks: Looks): Html {
  const rows = cases.map((one, k) => ({ one, row: String(k) }))
  const points = rows.flatMap(({ one, row }) =>
    figures(one)
      // A cost of zero has no place on a logarithmic axis.
      .filter(({ ratio }) => ratio !== undefined && ratio > 0)
      .map((figure) => ({
        ...figure,
        id: figure.contender.id,
        row,
        x: figure.ratio as number,
        title: `${one.title}. ${described(figure, unit(one))}`,
      })),
  )
  const ratios = points.map(({ x }) => x)
  const low = Math.min(0.8, ...ratios.map((x) => x * 0.8))
  const high = Math.max(2, ...ratios.map((x) => x * 1.15))
  const ticks = roundNumbers(low, high)
  const titles = rows.map(({ one }) => one.title)
  return bothPages((page) => {
    const wide = page.name === 'wide'
    const band = wide ? 27 : 40
    const centre = wide ? 0 : 9
    const name = { y: 'row', text: (_: unknown, k: number) => titles[k], fill: 'var(--ink)', ...HALO }
    return drawn(page, 'Every case: how many times our cost each contender has', {
      height: rows.length * band + 82,
      marginTop: 30,
      marginBottom: 48,
      marginLeft: wide ? 330 : 8,
      marginRight: wide ? 20 : 12,
      x: { type: 'log', domain: [low, high] },
      y: { type: 'band', domain: rows.map(({ row }) => row), padding: 0 },
      color: { type: 'identity' },
      marks: [
        Plot.gridX({ ticks, stroke: 'var(--grid)', strokeOpacity: 1 }),
        labels(
          'x',
          wide || ticks.length < 8 ? ticks : ticks.filter((value) => Number.isInteger(Math.log10(value))),
          (value) => `${tick(value)} ×`,
        ),
        Plot.text(['times our cost, logarithmic →'], { frameAnchor: 'bottom-right', textAnchor: 'end', dy: 42, fill: 'var(--muted)' }),
        Plot.ruleX([1], { stroke: 'var(--ours)', strokeWidth: 1.5 }),
        Plot.text([1], { x: 1, text: () => 'ours', frameAnchor: 'top', dy: -16, fill: 'var(--ours-text)', fontWeight: 650 }),
        wide
          ? Plot.text(rows, { ...name, frameAnchor: 'left', textAnchor: 'end', dx: -10, lineWidth: 20, textOverflow: 'ellipsis' })
          : Plot.text(rows, { ...name, frameAnchor: 'left', textAnchor: 'start', dx: 0, dy: -10, lineWidth: 22, textOverflow: 'ellipsis' }),
        ...[...looks].map(([id, { colour, symbol, ours }]) =>
          Plot.dot(
            points.filter((point) => point.id === id),
            {
              x: 'x',
              y: 'row',
              dy: centre,
              symbol: symbol as 'circle',
              r: 4.5,
              fill: ours ? colour : 'var(--paper)',
              stroke: colour,
              strokeWidth: 1.75,
              title: 'title',
            },
          ),
        ),
      ],
    })
  })
}

/**
 * For a row of the goals' table: the measured figure as a share of the limit, on an axis that all
 * rows have in common.
 */
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
