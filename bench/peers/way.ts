/**
 * A way of passing items between threads: a part that is made once, and code for each end that runs
 * in that end's thread.
 */
import type { Transferable } from 'node:worker_threads'
import type { Payload } from './payload.js'

export interface Setup {
  readonly producers: number
  readonly consumers: number
  readonly capacity: number
  readonly payload: Payload
}

/** The data that the thread of an end gets. */
export interface End {
  readonly data: unknown
  readonly transfer?: readonly Transferable[]
}

export interface Ends {
  readonly producers: readonly End[]
  readonly consumers: readonly End[]
}

/** Blocks until there is room. */
export type Put = (item: unknown) => void

/** Blocks until there is an item. */
export type Get = () => unknown

export interface Way {
  readonly id: string
  readonly name: string
  readonly package?: string
  readonly note?: string
  readonly native?: boolean
  readonly everywhere?: boolean
  /** Returns the reason why it can't do that setup, else undefined. */
  cannot?(setup: Setup): string | undefined
  open(setup: Setup): Ends
  putter(data: never): Put
  /** Receives item by item. A way has either this or `receiver`. */
  getter?(data: never): Get
  /** Calls `use` for each of the next `count` items. */
  receiver?(data: never): (count: number, use: (item: unknown) => void) => Promise<void>
}

export function onlyNumbers({ payload }: Setup): string | undefined {
  return payload.kind === 'number' ? undefined : 'a ring of numbers: it has no messages'
}

export function onlyOneToOne({ producers, consumers }: Setup): string | undefined {
  return producers === 1 && consumers === 1 ? undefined : 'one producer and one consumer only'
}

/** Gives all ends the same data. */
export function share(setup: Setup, data: unknown): Ends {
  return {
    producers: Array.from({ length: setup.producers }, () => ({ data })),
    consumers: Array.from({ length: setup.consumers }, () => ({ data })),
  }
}

const PATIENCE = 1000
const NAP = 0.02
const nothing = new Int32Array(new SharedArrayBuffer(4))

/**
 * Waits on behalf of rings that can't: tries again and again, and after a thousand tries naps
 * between them, so that more threads than cores still make progress.
 */
export function insist(attempt: () => boolean): void {
  for (let tries = 1; !attempt(); tries++) {
    if (tries > PATIENCE) Atomics.wait(nothing, 0, 0, NAP)
  }
}
