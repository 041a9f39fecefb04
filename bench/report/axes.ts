/** The axes of plots: their ranges, ticks, grids and labels. */
import * as Plot from '@observablehq/plot'

/** An axis is logarithmic if its highest value is at least this many times its lowest. */
const LOGARITHMIC_FROM = 15

export interface Axis {
  readonly type: 'linear' | 'log'
  readonly domain: [number, number]
  /** The ticks; undefined to let the library choose. */
  readonly ticks: number[] | undefined
  readonly label: string
}

/** An axis for costs, which begins at zero, or is logarithmic if the values range widely. */
export function costAxis(values: readonly number[], label: string): Axis {
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
export function roundNumbers(low: number, high: number): number[] {
  const decades = Math.log10(high / low)
  const steps = decades > 3 ? [1] : decades > 2 ? [1, 3] : [1, 2, 5]
  const result: number[] = []
  for (let exponent = Math.floor(Math.log10(low)); 10 ** exponent <= high; exponent++) {
    result.push(...steps.map((step) => step * 10 ** exponent).filter((value) => value >= low * 0.999 && value <= high * 1.001))
  }
  return result
}

export function tick(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 })
}

/** Labels at exactly these ticks. The library's own labels leave some out on logarithmic axes. */
export function labels(side: 'x' | 'y', ticks: readonly number[], format: (value: number) => string): Plot.Markish {
  const style = { text: format, fill: 'var(--muted)', fontVariant: 'tabular-nums' }
  return side === 'x'
    ? Plot.text(ticks, { ...style, x: (value: number) => value, frameAnchor: 'bottom', lineAnchor: 'top', dy: 8 })
    : Plot.text(ticks, { ...style, y: (value: number) => value, frameAnchor: 'left', textAnchor: 'end', dx: -8 })
}

/** The grid and the labels of an axis for costs. */
export function costAxisMarks(side: 'x' | 'y', axis: Axis, count: number): Plot.Markish[] {
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

/**
 * Picks from rising values those whose labels don't overlap, if `count` labels would fill the axis.
 */
export function apart(values: readonly number[], logarithmic: boolean, count: number): number[] {
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
