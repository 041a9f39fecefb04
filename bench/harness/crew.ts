/**
 * The worker threads of a contender. They live as long as its process, and start each round
 * together. Where they pass many items to each other, the first ones are a lead that does not
 * count, as threads that have just been woken often share a core until the scheduler separates
 * them.
 */
import { type Transferable, Worker } from 'node:worker_threads'
import { onCore } from './affinity.js'
import { threadsShareClock } from './clock.js'

/**
 * The work of one thread. `roles[role]` of that module makes, from `data`, the function that runs a
 * round.
 */
export interface Post {
  readonly module: string
  readonly role: string
  readonly data: unknown
  readonly transfer?: readonly Transferable[]
  /** The core to stay on, as an index into those that the process may use. Default: any. */
  readonly core?: number
}

export type Work = (items: number) => unknown
export type Roles = Readonly<Record<string, (data: never) => Work | Promise<Work>>>

export interface WorkerSetup {
  readonly module: string
  readonly role: string
  readonly data: unknown
  readonly threads: number
  /** The number of threads that have reached the gate, and the number of times it was opened. */
  readonly gate: SharedArrayBuffer
}

export interface Outcome {
  readonly start: number
  readonly end: number
  readonly result: unknown
  readonly error?: string
}

export interface RoundOfCrew {
  /** From the first start to the last end. */
  readonly nanoseconds: number
  /** The results of all threads, in the order of the posts. */
  readonly results: readonly unknown[]
}

export class Crew {
  readonly #workers: readonly Worker[]

  constructor(posts: readonly Post[]) {
    const gate = new SharedArrayBuffer(8)
    this.#workers = posts.map(({ module, role, data, transfer, core }) => {
      const workerData: WorkerSetup = { module, role, data, threads: posts.length, gate }
      const start = () => new Worker(new URL('./role-worker.js', import.meta.url), { workerData, transferList: [...(transfer ?? [])] })
      return core === undefined ? start() : onCore(core, start)
    })
  }

  /** The nth worker runs lead(n) items, then items(n) that count. */
  async run(items: number | ((n: number) => number), lead: (n: number) => number = () => 0): Promise<RoundOfCrew> {
    const outcomes = await Promise.all(
      this.#workers.map((worker, n) => {
        worker.postMessage({ lead: lead(n), items: typeof items === 'number' ? items : items(n) })
        return outcomeOf(worker)
      }),
    )
    return { nanoseconds: elapsed(outcomes), results: outcomes.map(({ result }) => result) }
  }
}

/**
 * Returns the time that all threads took together. Without a common clock it is the longest of
 * their times, as they start together.
 */
function elapsed(outcomes: readonly Outcome[]): number {
  if (!threadsShareClock) return Math.max(...outcomes.map(({ start, end }) => end - start))
  return Math.max(...outcomes.map(({ end }) => end)) - Math.min(...outcomes.map(({ start }) => start))
}

function outcomeOf(worker: Worker): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (outcome: Outcome) => {
      worker.off('error', reject)
      if (outcome.error === undefined) resolve(outcome)
      else reject(new Error(outcome.error))
    })
  })
}
