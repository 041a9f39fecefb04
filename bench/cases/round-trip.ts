/**
 * Shared by the ping-pongs: two threads, a number that goes there and back, and how a round begins
 * and ends.
 */
import type { Runner } from '../harness/case.js'
import type { Placement } from '../harness/affinity.js'
import { Crew } from '../harness/crew.js'
import type { End } from '../peers/way.js'

/** Nanoseconds in a millisecond. */
export const NANOSECONDS = 1e6
/**
 * Milliseconds of round trips before the measurement. Two threads that have just been woken often
 * share a core until the scheduler separates them, and their caches are cold.
 */
export const SETTLING = 100
/** The number that ends a round. */
export const LAST = -1

/** Maps a number to a word of shared memory; 0 means that there is none. */
export const wordOf = (value: number): number => value + 1 - LAST
export const numberOf = (word: number): number => word - 1 + LAST

export interface Pair {
  readonly ping: End
  readonly echo: End
}

export interface Words {
  readonly inbox: SharedArrayBuffer
  readonly outbox: SharedArrayBuffer
}

export function wordPair(): Pair {
  const [there, back] = [new SharedArrayBuffer(4), new SharedArrayBuffer(4)]
  return { ping: { data: { inbox: back, outbox: there } }, echo: { data: { inbox: there, outbox: back } } }
}

interface Parties {
  readonly module: string
  /** Roles of that module: the one whose latencies count, and its partner. */
  readonly roles: readonly [ping: string, echo: string]
  readonly placement?: Placement
}

/** Both parties get `job`, and each the `data` of its own end. */
export function pairRunner({ module, roles, placement }: Parties, job: object, ends: () => Pair): () => Runner {
  return () => {
    const { ping, echo } = ends()
    const post = (k: 0 | 1, { data, transfer }: End) => ({ module, role: roles[k], data: { ...job, data }, transfer, core: placement?.[k] })
    const crew = new Crew([post(0, ping), post(1, echo)])
    return async (trips) => (await crew.run(trips)).results[0] as number[]
  }
}
