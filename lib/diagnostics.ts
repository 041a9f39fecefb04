/**
 * Publishes what this thread does on node:diagnostics_channel: losses, closes and long blocks. See
 * docs/diagnostics.md. Costs nothing where nobody listens, and puts and gets that succeed never
 * come here.
 */
import { channel } from 'node:diagnostics_channel'
import type { ThreadSafeEvent } from './event.js'
import type { ThreadSafeQueue } from './queue/typed-queue.js'
import type { Lock } from './shared/lock.js'
import type { BufferPool } from './shared/pool-types.js'
import type { Message, SharedRecord } from './shared/typed.js'

/**
 * Message on `threadsafe:queue:drop`: a put of this thread that did not wait found the queue full,
 * and its overflow policy dropped items.
 */
export interface QueueDropMessage {
  /** The queue that lost them, as this thread has it. */
  queue: ThreadSafeQueue<unknown, unknown>
  /**
   * The number of items. It may include items of the same queue that other threads lose at that
   * very moment.
   */
  count: number
}

/**
 * Message on `threadsafe:queue:close`: a call of this thread has closed the queue, which was open.
 */
export interface QueueCloseMessage {
  /** The queue that was closed, as this thread has it. */
  queue: ThreadSafeQueue<unknown, unknown>
  /** Whether the close was to drop the items that were left. */
  discard: boolean
}

/**
 * Message on `threadsafe:block`: a synchronous call has blocked this thread for longer than 100 ms,
 * whatever its outcome.
 */
export interface BlockMessage {
  /**
   * The call that blocked: 'select' waits for several objects, 'wait' for an event, a message or a
   * record, 'acquire' for a lock, 'lend' for a buffer of a pool.
   */
  operation: 'put' | 'get' | 'wait' | 'select' | 'acquire' | 'lend'
  /** What it waited for: one object, or all those given to `selectSync()`. */
  sources: readonly (
    | ThreadSafeQueue<unknown, unknown>
    | ThreadSafeEvent
    | Message<unknown, never>
    | SharedRecord<unknown, never>
    | Lock
    | BufferPool<unknown>
  )[]
  /** Milliseconds for which the call blocked. */
  duration: number
}

const drops = channel('threadsafe:queue:drop')
const closes = channel('threadsafe:queue:close')
const blocks = channel('threadsafe:block')

const LONG_BLOCK_MILLISECONDS = 100

/**
 * Runs a put that may lose items, by the overflow policy. `dropped` returns how many items the
 * queue has lost so far, modulo 2^32.
 */
export function tellingDrops<R>(queue: ThreadSafeQueue<unknown, unknown>, dropped: () => number, put: () => R): R {
  if (!drops.hasSubscribers) return put()
  const before = dropped()
  const result = put()
  const count = (dropped() - before) >>> 0
  if (count > 0) drops.publish({ queue, count } satisfies QueueDropMessage)
  return result
}

/** Runs the call that closes the queue, and publishes that it did. */
export function tellingClose(queue: ThreadSafeQueue<unknown, unknown>, discard: boolean, close: () => void): void {
  const tell = closes.hasSubscribers && !queue.closed
  close()
  if (tell) closes.publish({ queue, discard } satisfies QueueCloseMessage)
}

export function blocksAreTold(): boolean {
  return blocks.hasSubscribers
}

export function tellBlock(operation: BlockMessage['operation'], sources: BlockMessage['sources'], duration: number): void {
  if (duration > LONG_BLOCK_MILLISECONDS) blocks.publish({ operation, sources, duration } satisfies BlockMessage)
}
