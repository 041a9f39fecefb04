/** Medians, and how far figures spread around them. */

export function median(values: readonly number[]): number {
  if (values.length === 0) return NaN
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

/**
 * What the median absolute deviation is multiplied with, to estimate a standard deviation that
 * outliers do not blow up.
 */
const TO_DEVIATION = 1.4826

export function deviation(values: readonly number[]): number {
  const middle = median(values)
  return TO_DEVIATION * median(values.map((value) => Math.abs(value - middle)))
}

/**
 * How many times what `other` costs `one` does, whose rounds ran side by side: the median of the
 * rounds' ratios. A machine that is slower in some rounds slows down both in them, which moves the
 * ratio of the medians, but not this. NaN if there is none.
 */
export function pairedRatio(one: readonly number[], other: readonly number[]): number {
  const ratios = one.slice(0, other.length).map((value, round) => value / (other[round] as number))
  return median(ratios.filter(Number.isFinite))
}
