/**
 * Finds what became slower between two results, beyond the noise.
 *
 * One of our contenders counts as slower in a case when its median rose by more than 5 % and by
 * more than 3 deviations of the two runs together. A run's deviation is 1.4826 times the median
 * absolute deviation of its rounds; two are combined by the root of the sum of their squares. The
 * rise must remain when the machine's own drift is taken out, which is the median rise of the
 * case's other contenders. So neither a machine that was busier the second time nor a noisy case
 * raises an alarm.
 */
import { OURS } from './case.js'
import type { CaseResult, ContenderResult, Result } from '../report/result.js'
import { deviation, median } from './statistics.js'
import { short } from './tables.js'

const LEAST_RISE = 0.05
const DEVIATIONS = 3

export interface Change {
  readonly where: string
  readonly unit: string
  readonly before: number
  readonly after: number
  /** The factor by which the median rose, with the machine's drift taken out. */
  readonly ratio: number
  readonly verdict: 'slower' | 'faster' | 'same'
}

const isOurs = ({ id }: ContenderResult) => id.startsWith(OURS)

/** Pairs of contenders that both results have measured. */
function pairs(before: CaseResult, after: CaseResult): [ContenderResult, ContenderResult][] {
  return after.contenders.flatMap((now): [ContenderResult, ContenderResult][] => {
    const then = before.contenders.find(({ id }) => id === now.id)
    return then?.samples.length && now.samples.length ? [[then, now]] : []
  })
}

function verdict(before: readonly number[], after: readonly number[], drift: number): Change['verdict'] {
  const from = median(before)
  const noise = DEVIATIONS * Math.hypot(deviation(before), deviation(after))
  const differs = (difference: number) => difference > Math.max(LEAST_RISE * from, noise)
  const to = [median(after), median(after) / drift]
  if (to.every((middle) => differs(middle - from))) return 'slower'
  if (to.every((middle) => differs(from - middle))) return 'faster'
  return 'same'
}

export function compare(before: Result, after: Result): Change[] {
  return after.cases.flatMap((now) => {
    const then = before.cases.find(({ id }) => id === now.id)
    if (!then) return []
    const both = pairs(then, now)
    const rises = both.filter(([, contender]) => !isOurs(contender)).map(([a, b]) => median(b.samples) / median(a.samples))
    const drift = rises.length ? median(rises) : 1
    return both
      .filter(([, contender]) => isOurs(contender))
      .map(([a, b]): Change => {
        const [from, to] = [median(a.samples), median(b.samples)]
        const where = `${now.title}: ${b.name}`
        return { where, unit: now.unit, before: from, after: to, ratio: to / drift / from, verdict: verdict(a.samples, b.samples, drift) }
      })
  })
}

export function changesText(changes: readonly Change[]): string {
  const lines = changes
    .filter((change) => change.verdict !== 'same')
    .map(({ where, unit, before, after, ratio, verdict }) => {
      return `- ${verdict.toUpperCase()}: ${where}: ${short(before)} -> ${short(after)} ${unit}, ${short(ratio)} x with the machine's drift taken out`
    })
  const slower = changes.filter((change) => change.verdict === 'slower').length
  return [...lines, `${changes.length} compared, ${slower} slower beyond the noise`].join('\n')
}
