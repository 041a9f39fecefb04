/** The face of a queue that a stage of a pipeline is written against, wherever the queue lives. */
import type { ForEachOptions, WaitOptions } from './wait/options.js'

/**
 * What a stage needs of a queue: it runs over a `ThreadSafeQueue` in one process, and over a
 * `RedisQueue` of `threadsafe/redis` between several.
 *
 * ```ts
 * async function double(from: AsyncQueue<number>, to: AsyncQueue<number>): Promise<void> {
 *   for await (const number of from) await to.put(2 * number)
 *   await to.close()
 * }
 * ```
 */
export interface AsyncQueue<T, Batch = ArrayLike<T> & Iterable<T>, In = T> extends AsyncIterable<T> {
  /** Puts an item. Full: waits for room. Closed: rejects with `QueueClosedError`. */
  put(item: In, options?: WaitOptions): Promise<void>
  /** Gets an item. Empty: waits for one. Closed and drained: rejects with `QueueClosedError`. */
  get(options?: WaitOptions): Promise<T>
  /** Puts all items, piece by piece. An error has `count`, the number of those that went in. */
  putMany(items: Iterable<In>, options?: WaitOptions): Promise<void>
  /** Gets at least one item, and at most `max`. */
  getMany(max: number, options?: WaitOptions): Promise<Batch>
  /** Iterates over items until the queue is closed and drained. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T>
  /** Iterates over batches of at most `max` items until the queue is closed and drained. */
  batches(max: number): AsyncIterableIterator<Batch>
  /** Calls `fn` for each item until the queue is closed and drained; awaits what it returns. */
  forEach(fn: (item: T) => unknown, options?: ForEachOptions): Promise<void>
  /** Ends puts, everywhere. What is in the queue can still be got. */
  close(): void | Promise<void>
  /** Whether it is known here to be closed. */
  readonly closed: boolean
}
