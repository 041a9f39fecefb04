/**
 * The plots as ready SVG, so that the page needs no script. Each is drawn twice, for a wide page
 * and for a phone, and the style sheet shows one of the two. Colours are CSS variables, which
 * follow the theme.
 */
import * as Plot from '@observablehq/plot'
import { apart, costAxis, costAxisMarks, labels, roundNumbers, tick } from './axes.js'
import type { Cost } from './costs.js'
import { bothPages, drawn, HALO, lineMarks } from './drawing.js'
import { curve, figures, type Figure, marked, number, parameterName, parameterValue, ratio, unit } from './figures.js'
import type { Html } from './html.js'
import { look, type Looks } from './look.js'
import type { CaseResult } from './result.js'

function described({ contender, middle, low, high, ratio: times, ours }: Figure, of: string): string {
  const compared = ours || times === undefined ? '' : `, ${ratio(times)} ours`
  return `${contender.name}: ${number(middle)} ${of}, ${number(low)} to ${number(high)}${compared}`
}

/** The text at a bar: the figure, and how many times ours it is. */
function barText({ middle, ours, ratio: times }: Figure): string {
  return ours || times === undefined ? number(middle) : `${number(middle)}  ·  ${ratio(times)}`
}

/**
 * Draws bars with the rounds' spread. On a logarithmic axis it draws dots, as a bar's length would
 * mean nothing there. On a phone a contender's name stands above its bar.
 */
export function bars(one: CaseResult): Html {
  const rows = figures(one).map((figure, k) => ({ ...figure, row: String(k) }))
  const axis = costAxis(
    rows.flatMap(({ low, high }) => [low, high]),
    unit(one),
  )
  const broken = axis.type === 'log'
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
          lineWidth: 18,
          textOverflow: 'ellipsis',
        }),
        Plot.text(chosen, { ...style, text: barText, frameAnchor: 'right', textAnchor: 'end', dy: -11, fontVariant: 'tabular-nums' }),
      ]
    }
    const title = (row: Figure) => described(row, unit(one))
    const fill = ({ ours }: Figure) => (ours ? 'var(--ours)' : 'var(--others)')
    const bar = Plot.barX(rows, { x1: 0, x2: 'middle', y: 'row', fill, rx2: 2, title, ...inset })
    const dot = Plot.dot(rows, { x: 'middle', y: 'row', r: 5.5, dy: centre, fill, stroke: 'var(--spread)', title })
    return drawn(page, `${one.title}: the medians, with the spread of the rounds, in ${unit(one)}`, {
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
        ...(broken ? [] : [bar]),
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
        broken ? dot : Plot.ruleX([0], { stroke: 'var(--muted)' }),
        ...text(true),
        ...text(false),
      ],
    })
  })
}

const PERCENTILES: readonly number[] = [0, 50, 90, 99, 99.9, 99.99, 99.999]

/** Draws latency by percentile, on the axis of HDR histograms: each nine is as wide as the last. */
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

/** Draws cost against the parameter of a series, with the rounds' spread. */
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

const PARTIES = [
  { party: 'node', name: 'Node alone', symbol: 'square', colour: 'var(--c1)' },
  { party: 'other', name: 'another package', symbol: 'triangle', colour: 'var(--c2)' },
] as const

/** Draws the chosen costs on one axis: what Node and another package cost, as multiples of ours. */
export function overview(costs: readonly Cost[]): Html {
  const rows = costs.map((cost, k) => ({ cost, row: String(k) }))
  const points = rows.flatMap(({ cost, row }) =>
    PARTIES.flatMap(({ party, name, symbol, colour }) => {
      const rival = cost[party]
      // A cost of zero has no place on a logarithmic axis.
      if (rival === undefined || !(rival.times > 0)) return []
      return [{ x: rival.times, row, symbol, colour, title: `${cost.what}: ${rival.name} (${name}), ${ratio(rival.times)} ours` }]
    }),
  )
  const times = points.map(({ x }) => x)
  const low = Math.min(0.8, ...times.map((x) => x * 0.8))
  const high = Math.max(2, ...times.map((x) => x * 1.15))
  const ticks = roundNumbers(low, high)
  return bothPages((page) => {
    const wide = page.name === 'wide'
    const band = wide ? 26 : 36
    const centre = wide ? 0 : 9
    const name = { y: 'row', text: ({ cost }: (typeof rows)[number]) => cost.what.replaceAll('`', ''), fill: 'var(--ink)', ...HALO }
    return drawn(page, 'How many times our cost Node alone and another package take', {
      height: rows.length * band + 82,
      marginTop: 30,
      marginBottom: 48,
      marginLeft: wide ? 300 : 8,
      marginRight: wide ? 20 : 12,
      x: { type: 'log', domain: [low, high] },
      y: { type: 'band', domain: rows.map(({ row }) => row), padding: 0 },
      color: { type: 'identity' },
      symbol: { type: 'identity' },
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
          ? Plot.text(rows, { ...name, frameAnchor: 'left', textAnchor: 'end', dx: -10 })
          : Plot.text(rows, { ...name, frameAnchor: 'left', textAnchor: 'start', dy: -8 }),
        ...PARTIES.map(({ symbol }) =>
          Plot.dot(
            points.filter((point) => point.symbol === symbol),
            { x: 'x', y: 'row', dy: centre, symbol, r: 5, fill: 'colour', stroke: 'var(--paper)', title: 'title' },
          ),
        ),
      ],
    })
  })
}
