/** Medians, and the spread of figures around them. */

export function median(values: readonly number[]): number {
  if (values.length === 0) return NaN
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

/**
 * The factor from a median absolute deviation to a standard deviation. Unlike the usual estimate,
 * this one is not inflated by outliers.
 */
const TO_DEVIATION = 1.4826

export function deviation(values: readonly number[]): number {
  const middle = median(values)
  return TO_DEVIATION * median(values.map((value) => Math.abs(value - middle)))
}

/**
 * Returns the cost of `one` divided by that of `other`: the median over pairs of rounds that ran
 * next to each other. A moment in which the machine is slow affects both rounds of a pair, so it
 * moves the ratio of the medians, but not this. NaN if there are no rounds.
 */
export function pairedRatio(one: readonly number[], other: readonly number[]): number {
  const ratios = one.slice(0, other.length).map((value, round) => value / (other[round] as number))
  return median(ratios.filter(Number.isFinite))
}
