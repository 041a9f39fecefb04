/** Makes the figures that are shown from samples, and formats them. */
import { OURS } from '../harness/case.js'
import { contenderId } from './runtimes.js'
import type { CaseResult, ContenderResult, GoalResult, Percentiles } from './result.js'
import { median, pairedRatio } from '../harness/statistics.js'

export interface Figure {
  readonly contender: ContenderResult
  readonly ours: boolean
  /** The median of the rounds. For a latency, it is the median of the rounds' medians. */
  readonly middle: number
  readonly low: number
  readonly high: number
  /** The cost as a multiple of ours in the same rounds; undefined where we have none. */
  readonly ratio: number | undefined
}

/** Returns the contender by whose figures the others on that runtime are divided. */
export function ours({ contenders }: CaseResult, runtime?: string): ContenderResult | undefined {
  return contenders.find((contender) => contender.runtime === runtime && contenderId(contender) === OURS)
}

function spread({ samples, percentiles }: ContenderResult): { middle: number; low: number; high: number } {
  const middle = samples.length > 0 ? median(samples) : (percentiles?.p50 ?? NaN)
  return { middle, low: Math.min(middle, ...samples), high: Math.max(middle, ...samples) }
}

export function measured(contender: ContenderResult): boolean {
  return contender.unavailable === undefined && (contender.samples.length > 0 || contender.percentiles !== undefined)
}

/** Returns the figures of the contenders that have some, in the suite's order. */
export function figures(one: CaseResult): Figure[] {
  return one.contenders.filter(measured).map((contender) => {
    const mine = ours(one, contender.runtime)
    const times = mine && measured(mine) ? pairedRatio(contender.samples, mine.samples) : NaN
    return { contender, ours: contender === mine, ...spread(contender), ratio: Number.isFinite(times) ? times : undefined }
  })
}

export type Point = readonly [percentile: number, value: number]

/** Returns the points of a percentile curve. They end below 100, which the axis cannot show. */
export function curve({ curve, percentiles }: ContenderResult): readonly Point[] {
  if (curve?.length) return curve.filter(([percentile]) => percentile >= 0 && percentile < 100)
  return percentiles ? marked(percentiles) : []
}

/** The percentiles that are marked on a curve. */
export function marked({ p50, p90, p99, p999 }: Percentiles): readonly Point[] {
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
  const digits = value >= 10 ? 0 : value >= 1 ? 1 : Math.min(4, 1 - Math.floor(Math.log10(value)))
  return `${value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ×`
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

/** The name of this case within its series. */
export function place(one: CaseResult): string {
  const { parameter } = one
  if (!parameter || parameter.name === 'bytes') return parameterValue(one)
  return parameter.name === 'capacity' ? `capacity ${parameterValue(one)}` : `${parameterValue(one)} ${parameter.name}`
}

export interface Verdict {
  readonly text: string
  readonly measured: string
  readonly limit: string
  readonly state: 'met' | 'missed' | 'not measured'
}

/**
 * Shows one digit more than other ratios have, so that a near miss does not read like the limit
 * itself.
 */
function exact(ratio: number): string {
  return `${ratio.toLocaleString('en-US', { maximumSignificantDigits: 3 })} ×`
}

/** Inverts both sides of a goal below 1, as such a goal is about being faster. */
export function verdict(goal: GoalResult, one: CaseResult): Verdict {
  const { text, against, atMost, met } = goal
  const value = goal.measured ?? NaN
  const state = !Number.isFinite(value) ? 'not measured' : met ? 'met' : 'missed'
  const told = (measured: string, limit: string) => ({ text, state, measured: state === 'not measured' ? '–' : measured, limit }) as const
  if (against === null) return told(`${number(value)} ${unit(one)}`, `≤ ${atMost.toLocaleString('en-US')} ${unit(one)}`)
  if (atMost >= 1) return told(`${exact(value)} the cost`, `≤ ${exact(atMost)}`)
  return told(`${exact(1 / value)} as fast`, `≥ ${exact(1 / atMost)}`)
}
