/**
 * The worker threads of a contender. They live as long as its process; each round they start
 * together, and if they pass many items to each other, with a lead that does not count: threads
 * that have just been woken often share a core, until the scheduler sets them apart.
 */
import { type Transferable, Worker } from 'node:worker_threads'
import { onCore } from './affinity.js'
import { threadsShareClock } from './clock.js'

/**
 * What one of the threads does: `roles[role]` of that module makes, of `data`, the function that
 * does a round.
 */
export interface Post {
  readonly module: string
  readonly role: string
  readonly data: unknown
  readonly transfer?: readonly Transferable[]
  /** Which core it stays on, among those that the process may use; any if not said. */
  readonly core?: number
}

export type Work = (items: number) => unknown
export type Roles = Readonly<Record<string, (data: never) => Work | Promise<Work>>>

export interface WorkerSetup {
  readonly module: string
  readonly role: string
  readonly data: unknown
  readonly threads: number
  /** How many have come to the gate, and how often it was open. */
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
  /** What each has answered, in the order of the posts. */
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

  /** The nth worker does lead(n) items, and then items(n) that count. */
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

/** They start together, so that the longest time is that of all, where there is no common clock. */
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
