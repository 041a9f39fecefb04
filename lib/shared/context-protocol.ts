/** What a context and its worker tell each other: jobs through one queue, answers through another. */
import type { QueueHandle } from '../queue/types.js'

/** How a context's module is named: by a URL, or as `require()` in that file would name it. */
export type ModuleName = { readonly url: string } | { readonly specifier: string; readonly from: string }

/** The first message to a worker. Its `workerData` belongs to the module. */
export interface Setup {
  readonly module: ModuleName
  readonly jobs: QueueHandle<Job>
  readonly answers: QueueHandle<Answer>
  /** Not 0 where a job that is in the queue was cancelled: at its number, modulo the length. */
  readonly cancelled: Int32Array
}

/** Numbers rise from job to job, and are never used twice. */
export type Job = readonly [number: number, name: string, ...args: unknown[]]

/** What became of a job. The worker puts exactly one answer for each job it takes, in their order. */
export const OUTCOME = {
  /** The value is what it returned. */
  returned: 0,
  /** The value is what it threw, packed. */
  threw: 1,
  /** There is no function of that name; the value is a list of those there are. */
  unknown: 2,
  /** It had been cancelled, and did not run. */
  dropped: 3,
  /** In place of all answers: the module can't be loaded. The value is why, packed. */
  unloadable: 4,
} as const

export type Answer = readonly [number: number, outcome: number, value?: unknown]

/** The longest job, and the longest result, in bytes as they are encoded. */
export const MOST_BYTES = 2 ** 26
