/**
 * The messages between a context and its worker: jobs through one queue, answers through another.
 */
import type { QueueHandle } from '../queue/types.js'

/** How a context's module is named: by a URL, or as `require()` in that file would name it. */
export type ModuleName = { readonly url: string } | { readonly specifier: string; readonly from: string }

/** The first message to a worker. Its `workerData` belongs to the module. */
export interface Setup {
  readonly module: ModuleName
  readonly jobs: QueueHandle<Job>
  readonly answers: QueueHandle<Answer>
  /**
   * Has a word for each job in flight, at the job's number modulo the length. It is not 0 if the
   * job was cancelled.
   */
  readonly cancelled: Int32Array
}

/** Numbers rise from job to job, and are never used twice. */
export type Job = readonly [number: number, name: string, ...args: unknown[]]

/** Outcomes of a job. The worker puts exactly one answer for each job it takes, in their order. */
export const OUTCOME = {
  /** The value is what the function returned. */
  returned: 0,
  /** The value is what the function threw, packed. */
  threw: 1,
  /** There is no function of that name. The value is a list of the names there are. */
  unknown: 2,
  /** The job had been cancelled, and did not run. */
  dropped: 3,
  /** Comes in place of all answers: the module can't be loaded. The value is the reason, packed. */
  unloadable: 4,
} as const

export type Answer = readonly [number: number, outcome: number, value?: unknown]

/** The largest encoded job and the largest encoded result, in bytes. */
export const MOST_BYTES = 2 ** 26
