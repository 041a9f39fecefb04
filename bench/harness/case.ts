/**
 * What a case is, and who takes part in it. A case is data: nothing runs before a contender's
 * `open`, in a process of its own.
 */
import type { CaseResult, Topology } from '../report/result.js'

/**
 * Does so many items and answers, by the case's kind: what one item took or needs, in the case's
 * unit, or the latencies in nanoseconds.
 */
export type Runner = (items: number) => Sample | Promise<Sample>
export type Sample = number | readonly number[]

export interface Contender {
  readonly id: string
  readonly name: string
  /** The npm package whose version is told. */
  readonly package?: string
  readonly note?: string
  /** Why it can't do this case. Then there is no `open`. */
  readonly cannot?: string
  /** Needs what native/bench builds. */
  readonly native?: boolean
  /** Measured on other runtimes as well, where its case is. */
  readonly everywhere?: boolean
  readonly open?: () => Runner | Promise<Runner>
}

export interface Goal {
  readonly text: string
  /** Who is measured; ours if not said. */
  readonly of?: string
  /** Whom the ratio is to; null: the figure itself counts. */
  readonly against: string | null
  /** Which latencies of all rounds are compared, instead of the rounds' medians. */
  readonly percentile?: 'p99'
  readonly atMost: number
}

export interface Case {
  readonly id: string
  readonly title: string
  readonly topology: Topology
  /** Lower is better in each. */
  readonly kind: CaseResult['kind']
  readonly unit: string
  readonly series?: string
  readonly parameter?: CaseResult['parameter']
  /** How many items a round has. Left out: as many as take the time of a round. */
  readonly items?: number
  /** Each round in a new process and without warm-up: for what only the first time shows. */
  readonly fresh?: boolean
  /**
   * Measured on other runtimes as well, if there are any: few are, as each runtime costs as much
   * time again.
   */
  readonly everywhere?: boolean
  /** Ours first. */
  readonly contenders: readonly Contender[]
  readonly goals?: readonly Goal[]
}

/** Thrown by `open`: the contender can't do this here, and says why. */
export class Unavailable extends Error {}

export const OURS = 'threadsafe'
