/**
 * Cases and contenders. A case is data: nothing runs before a contender's `open`, in a process of
 * its own.
 */
import type { CaseResult, Topology } from '../report/result.js'

/**
 * Runs that many items. Returns the latencies in nanoseconds, or else what one item took or needs,
 * in the case's unit.
 */
export type Runner = (items: number) => Sample | Promise<Sample>
export type Sample = number | readonly number[]

export interface Contender {
  readonly id: string
  readonly name: string
  /** The npm package whose version is reported. */
  readonly package?: string
  readonly note?: string
  /** The reason why it can't do this case. It then has no `open`. */
  readonly cannot?: string
  /** Whether it needs the build of native/bench. */
  readonly native?: boolean
  /** Whether it is measured on other runtimes as well, if its case is. */
  readonly everywhere?: boolean
  readonly open?: () => Runner | Promise<Runner>
}

export interface Goal {
  readonly text: string
  /** The contender that is judged. Default: ours. */
  readonly of?: string
  /** The contender that it is compared with; null if the figure itself counts. */
  readonly against: string | null
  /** Compares this percentile over all rounds, instead of the rounds' medians. */
  readonly percentile?: 'p99'
  readonly atMost: number
}

export interface Case {
  readonly id: string
  readonly title: string
  readonly topology: Topology
  /** The kind of figure. Lower is always better. */
  readonly kind: CaseResult['kind']
  readonly unit: string
  readonly series?: string
  readonly parameter?: CaseResult['parameter']
  /** The number of items in a round. Default: as many as fill a round's time. */
  readonly items?: number
  /** Runs each round in a new process without warm-up, for costs that only the first time shows. */
  readonly fresh?: boolean
  /**
   * Measures it on other runtimes as well, if there are any. Few cases set this, as every runtime
   * adds as much time again.
   */
  readonly everywhere?: boolean
  /** The contenders, ours first. */
  readonly contenders: readonly Contender[]
  readonly goals?: readonly Goal[]
}

/** Thrown by `open` if the contender can't do this here. The message says why. */
export class Unavailable extends Error {}

export const OURS = 'threadsafe'
