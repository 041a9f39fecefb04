/** From samples to the figures that are shown, and how they are written. */
import type { CaseResult, ContenderResult, GoalResult, Percentiles } from './result.js'

const OURS = 'threadsafe'

export interface Figure {
  readonly contender: ContenderResult
  readonly ours: boolean
  /** The median of the rounds; of a latency, the median of all that was measured. */
  readonly middle: number
  readonly low: number
  readonly high: number
  /** How many times our cost; undefined where we have none. */
  readonly ratio: number | undefined
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half] ?? Number.NaN
  return sorted.length % 2 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2
}

/** The contender whose figures the others' are divided by. */
export function ours({ contenders }: CaseResult): ContenderResult | undefined {
  return contenders.find(({ id }) => id === OURS) ?? contenders.find(({ id }) => id.startsWith(OURS))
}

function spread({ samples, percentiles }: ContenderResult): { middle: number; low: number; high: number } {
  const middle = percentiles?.p50 ?? median(samples)
  return { middle, low: Math.min(middle, ...samples), high: Math.max(middle, ...samples) }
}

export function measured(contender: ContenderResult): boolean {
  return contender.unavailable === undefined && (contender.samples.length > 0 || contender.percentiles !== undefined)
}

/** The figures of those contenders that have some, in the suite's order. */
export function figures(one: CaseResult): Figure[] {
  const mine = ours(one)
  const base = mine && measured(mine) ? spread(mine).middle : undefined
  return one.contenders.filter(measured).map((contender) => {
    const figure = spread(contender)
    return { contender, ours: contender === mine, ...figure, ratio: base ? figure.middle / base : undefined }
  })
}

/** The points of a percentile curve, below 100, which a logarithmic axis cannot show. */
export function curve({ curve, percentiles }: ContenderResult): [percentile: number, value: number][] {
  if (curve?.length) return curve.filter(([percentile]) => percentile >= 0 && percentile < 100)
  return percentiles ? marked(percentiles) : []
}

/** The percentiles that are marked on a curve. */
export function marked({ p50, p90, p99, p999 }: Percentiles): [percentile: number, value: number][] {
  return [
    [50, p50],
    [90, p90],
    [99, p99],
    [99.9, p999],
  ]
}

/** Three significant digits, and no fraction from 100 on. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const digits = value === 0 ? 0 : Math.max(0, Math.min(3, 2 - Math.floor(Math.log10(Math.abs(value)))))
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** Two significant digits, which is more than the spread allows. */
export function ratio(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return `${value.toLocaleString('en-US', value < 1 ? { minimumSignificantDigits: 2, maximumSignificantDigits: 2 } : { minimumFractionDigits: value < 10 ? 1 : 0, maximumFractionDigits: value < 10 ? 1 : 0 })} ×`
}

export function unit(one: CaseResult): string {
  return one.unit.replace(/^us\b/, 'µs')
}

const PARAMETERS = { capacity: 'capacity in items', bytes: 'message size', threads: 'threads', queues: 'queues' } as const

export function parameterName({ parameter }: CaseResult): string {
  return parameter ? PARAMETERS[parameter.name] : ''
}

export function parameterValue({ parameter }: CaseResult): string {
  if (!parameter) return ''
  const { name, value } = parameter
  if (name !== 'bytes') return value.toLocaleString('en-US')
  if (value >= 2 ** 20) return `${number(value / 2 ** 20).replace(/\.0+$/, '')} MiB`
  return value >= 1024 ? `${number(value / 1024).replace(/\.0+$/, '')} KiB` : `${value} B`
}

export interface Verdict {
  readonly text: string
  readonly measured: string
  readonly limit: string
  readonly state: 'met' | 'missed' | 'not measured'
}

/** A goal below 1 is about being faster, so both its sides are turned over. */
export function verdict(goal: GoalResult, one: CaseResult): Verdict {
  const { text, against, atMost, met } = goal
  const value = goal.measured ?? Number.NaN
  const state = !Number.isFinite(value) ? 'not measured' : met ? 'met' : 'missed'
  const show = (shown: string) => (state === 'not measured' ? '–' : shown)
  if (against === null) return { text, state, measured: show(`${number(value)} ${unit(one)}`), limit: `≤ ${atMost} ${unit(one)}` }
  if (atMost >= 1) return { text, state, measured: show(`${ratio(value)} the cost`), limit: `≤ ${ratio(atMost)}` }
  return { text, state, measured: show(`${ratio(1 / value)} as fast`), limit: `≥ ${ratio(1 / atMost)}` }
}
