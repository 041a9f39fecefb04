/** Latencies of a contender over all its rounds. */
import * as hdr from 'hdr-histogram-js'

export interface Percentiles {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

const LONGEST = 60e9
const CURVE = [0, 1, 5, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97, 98, 99, 99.5, 99.7, 99.9, 99.95, 99.99, 100]

export class Latencies {
  /** The counts of latencies up to 1 us, up to 2 us, up to 4 us and so on. */
  readonly #doublings: number[] = []
  readonly #histogram = hdr.build({ lowestDiscernibleValue: 1, highestTrackableValue: LONGEST, numberOfSignificantValueDigits: 3 })

  /** Records latencies in nanoseconds. */
  record(latencies: readonly number[]): void {
    for (const latency of latencies) {
      const bucket = Math.max(0, Math.ceil(Math.log2(latency / 1000)))
      this.#doublings[bucket] = (this.#doublings[bucket] ?? 0) + 1
      this.#histogram.recordValue(Math.min(Math.max(Math.round(latency), 1), LONGEST))
    }
  }

  /** Percentiles, like everything below, are in microseconds. */
  percentiles(): Percentiles {
    return { p50: this.#at(50), p90: this.#at(90), p99: this.#at(99), p999: this.#at(99.9), max: this.#histogram.maxValue / 1000 }
  }

  curve(): [percentile: number, value: number][] {
    return CURVE.map((percentile) => [percentile, this.#at(percentile)])
  }

  /**
   * The counts between half of each bound and the bound, from the first that is not 0 to the last.
   */
  histogram(): [upTo: number, count: number][] {
    const counts = Array.from(this.#doublings, (count = 0, bucket): [number, number] => [2 ** bucket, count])
    return counts.slice(counts.findIndex(([, count]) => count > 0))
  }

  #at(percentile: number): number {
    return this.#histogram.getValueAtPercentile(percentile) / 1000
  }
}
