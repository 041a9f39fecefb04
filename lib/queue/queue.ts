import type { AsyncQueue } from '../async-queue.js'
import type { Block } from '../codec/block.js'
import { native } from '../addon/native.js'
import { checkIterable, patienceOfBatch } from '../lane/batch.js'
import { CLOSED, type None } from '../lane/lane.js'
import { QueueClosedError } from '../errors.js'
import type { Liveness } from '../wait/loop.js'
import { checkObject, type ForEachOptions, patience, type SyncWaitOptions, syncTimeout, type WaitOptions } from '../wait/options.js'
import { NOTHING } from '../wait/selectable.js'
import type { Channel } from './channel.js'
import type { Take } from './lines.js'
import { forEach } from './for-each.js'
import { QueueIterator } from './iterator.js'
import { channelOfQueue, livenessOfQueue, QueueObject } from './object.js'
import { create, Existing, existing, wholeNumber } from './opening.js'
import type { IntoOf, IntoOneOf, IntoOption, QueueHandle, QueueOptions } from './types.js'
import type { ThreadSafeQueue as Typed } from './typed-queue.js'
import { getLate, offered, putLate, putManyLate } from './sync.js'

const { status: STATUS } = native

type AnyQueue = Typed<unknown, unknown>

function never(): never {
  throw new Error('threadsafe: a call that does not wait has waited')
}

/**
 * A queue of fixed capacity between any number of producers and consumers: event loops, blocking
 * workers, native threads and signal handlers. First in, first out for each producer.
 *
 * @example
 * const jobs = new ThreadSafeQueue(100, { type: 'float64' })
 * new Worker(file, { workerData: jobs.handle }) // there: ThreadSafeQueue.from(workerData)
 * await jobs.put(1.5)
 * for await (const job of jobs) handle(job)
 */
export class ThreadSafeQueue<T = unknown, Batch = T[], In = T> extends QueueObject<T, Batch, In> implements AsyncQueue<T, Batch, In> {
  readonly #channel: Channel
  readonly #liveness: Liveness

  /**
   * Creates a queue that holds `capacity` items: a whole number from 1 up to what 4 GiB hold.
   * Throws `RangeError` `ERR_OUT_OF_RANGE` for other capacities, `TypeError` `ERR_INVALID_ARG_TYPE`
   * or `ERR_INVALID_ARG_VALUE` for wrong options.
   */
  constructor(capacity: number, options?: QueueOptions)
  /** @internal For from(), which passes a queue that exists. */
  constructor(existing: Existing)
  constructor(capacity: number | Existing, options?: QueueOptions) {
    const isOpened = capacity instanceof Existing
    super(isOpened ? capacity : create(capacity, options), !isOpened)
    this.#channel = channelOfQueue(this)
    this.#liveness = livenessOfQueue(this)
  }

  /**
   * Opens the queue of that handle, in any thread of the process. Throws `TypeError`
   * `ERR_INVALID_ARG_TYPE` for anything that is not a queue's handle, and `Error`
   * `ERR_INCOMPATIBLE_HANDLE` for a handle of another version.
   */
  static from<T, Batch, In>(handle: QueueHandle): ThreadSafeQueue<T, Batch, In> {
    return new ThreadSafeQueue<T, Batch, In>(existing(handle, ThreadSafeQueue))
  }

  /**
   * Puts an item. With `block` or `timeout` it blocks this thread until there is room. Full:
   * without waiting, throws `QueueFullError` or does what the overflow policy says; otherwise
   * throws `TimeoutError` after `timeout` milliseconds. Closed: throws `QueueClosedError`.
   *
   * @example
   * queue.putSync(1.5, { timeout: 100 })
   */
  putSync(item: In, options?: SyncWaitOptions): void {
    const timeout = options === undefined ? undefined : syncTimeout(options)
    const { lane } = this.#channel
    const status = timeout ? lane.tryPutFirst(item) : lane.tryPut(item)
    if (status !== STATUS.ok) putLate(this as AnyQueue, this.#channel, status, timeout)
  }

  /**
   * Takes the oldest item. With `block` or `timeout` it blocks this thread until there is one.
   * Empty: without waiting, throws `QueueEmptyError`; otherwise throws `TimeoutError` after
   * `timeout` milliseconds. Closed and drained: throws `QueueClosedError`.
   *
   * `into`, for bytes and arrays of fixed length, is an array of yours that takes the item. It is
   * returned if the item fills it, else a view of its beginning. Too short for the item: throws
   * `RangeError` `ERR_OUT_OF_RANGE`, and the item stays. Of another type, or for a queue of another
   * type: throws `TypeError`.
   *
   * @example
   * const item = queue.getSync({ block: true })
   * @example
   * play(blocks.getSync({ timeout: 100, into: block }))
   */
  getSync(options?: SyncWaitOptions & IntoOption<IntoOneOf<T>>): T {
    if (options !== undefined) return this.#getOne(syncTimeout(options), this.#checkedOne(options.into)) as T
    const item = this.#channel.lane.tryGet()
    return (item === NOTHING || item === CLOSED ? getLate(this as AnyQueue, this.#channel, item, undefined, never) : item) as T
  }

  #getOne(timeout: number | undefined, into: Block | undefined): unknown {
    const { lane } = this.#channel
    const item = timeout ? lane.tryGetFirst(into) : lane.tryGet(into)
    return item === NOTHING || item === CLOSED ? this.#getOneLate(item, timeout, into) : item
  }

  // Kept separate: V8 allocates a context on every call of a function that contains closures.
  #getOneLate(tried: None, timeout: number | undefined, into: Block | undefined): unknown {
    const { lane } = this.#channel
    return getLate(this as AnyQueue, this.#channel, tried, timeout, (milliseconds) => lane.getBlocking(milliseconds, into))
  }

  /**
   * Puts an item if there is room, and returns whether it did. Full: false; with overflow
   * 'drop-oldest' the oldest goes and it returns true. Closed: throws `QueueClosedError`.
   *
   * @example
   * if (!queue.tryPut(item)) lost++
   */
  tryPut(item: In): boolean {
    const status = this.#channel.lane.tryPut(item)
    return status === STATUS.ok || offered(this as AnyQueue, this.#channel, status)
  }

  /**
   * Takes the oldest item if there is one. Empty: undefined. Closed and drained: throws
   * `QueueClosedError`. `into` is as for `getSync`.
   *
   * @example
   * for (let item = queue.tryGet(); item !== undefined; item = queue.tryGet()) use(item)
   */
  tryGet(options?: IntoOption<IntoOneOf<T>>): T | undefined {
    checkObject('options', options)
    const item = this.#channel.lane.tryGet(this.#checkedOne(options?.into))
    if (item === CLOSED) throw new QueueClosedError(this)
    return item === NOTHING ? undefined : (item as T)
  }

  /**
   * Puts an item as soon as there is room, after this thread's earlier puts. Rejects with
   * `QueueClosedError`, `TimeoutError`, or the signal's `reason`; then nothing was put.
   *
   * @example
   * await queue.put(1.5, { signal: AbortSignal.timeout(100) })
   */
  put(item: In, options?: WaitOptions): Promise<void> {
    try {
      return this.#channel.put(item, patience(options), this.#liveness)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Takes the oldest item as soon as there is one, after this thread's earlier gets. Closed and
   * drained: rejects with `QueueClosedError`. Also rejects with `TimeoutError`, or the signal's
   * `reason`; then nothing was taken. `into` is as for `getSync`; until the promise is settled it
   * may be written at any time, and each call that waits needs one of its own.
   *
   * @example
   * const item = await queue.get({ timeout: 100 })
   */
  get(options?: WaitOptions & IntoOption<IntoOneOf<T>>): Promise<T> {
    try {
      const into = options?.into
      const take = into === undefined ? this.#channel.takeOne : this.#takeInto(into)
      const limits = patience(options)
      return this.#channel.get(take, limits, this.#liveness) as Promise<T>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Iterates over the items until the queue is closed and drained. Leaving the loop loses no item.
   *
   * @example
   * for await (const item of queue) use(item)
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return new QueueIterator<T>(this.#channel, this.#liveness, this.#channel.takeOne)
  }

  /**
   * Calls `fn` for each item, in this thread's event loop, until the queue is closed and drained;
   * then it resolves. No promise is made for each item, so it is the fastest way to receive in an
   * event loop.
   *
   * - An `fn` that returns a promise is awaited before the next item is taken.
   * - After a millisecond of items, other work of the loop runs.
   * - Each item is taken as by a `get()`, after this thread's earlier gets; `fn` is never called
   *   before `forEach()` has returned.
   *
   * Empty: it waits. Rejects with what `fn` throws or rejects with, or with the signal's `reason`,
   * and then takes no more: the item for which `fn` was called is taken, all others stay in the
   * queue. While it is pending it keeps the process alive, unless the queue is `unref()`ed.
   * `TypeError` `ERR_INVALID_ARG_TYPE` for an `fn` that is no function.
   *
   * @example
   * await queue.forEach((item) => use(item))
   */
  forEach(fn: (item: T) => unknown, options?: ForEachOptions): Promise<void> {
    try {
      return forEach(this.#channel, fn as (item: unknown) => unknown, patience(options), this.#liveness)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Puts items, and returns how many went in. Without waiting, that is as many as there is room
   * for, or as the overflow policy lets in. With `block` or `timeout` it waits until all are in;
   * `TimeoutError` and `QueueClosedError` then have `count`. If one item is not of the type, none
   * goes in.
   *
   * @example
   * queue.putManySync(new Float64Array(128), { block: true })
   */
  putManySync(items: Iterable<In>, options?: SyncWaitOptions): number {
    const timeout = syncTimeout(options)
    const { lane } = this.#channel
    const batch = lane.prepareMany(checkIterable(items))
    const status = timeout ? lane.putManyFirst(batch) : lane.putMany(batch)
    if (status !== STATUS.ok) putManyLate(this as AnyQueue, this.#channel, batch, status, timeout)
    return batch.done
  }

  /**
   * Takes what is there, at least one item and at most `max`. Returns a typed array for numeric
   * types, else an array. Empty and closed are as for `getSync`. `into`, a typed array of the
   * queue's numeric type, takes the items in place of a new one. It is returned if they fill it,
   * else a view of its beginning. Strings that were got together may share memory: one of them
   * keeps up to 2,048 characters alive. If an item behind the first can't be decoded, the items
   * beside it come out, and this thread's next call for a batch throws the error.
   *
   * @example
   * const samples = queue.getManySync(1024, { block: true })
   * @example
   * const block = new Float32Array(128)
   * play(queue.getManySync(128, { block: true, into: block }))
   */
  getManySync(max: number, options?: SyncWaitOptions & IntoOption<IntoOf<T, Batch>>): Batch {
    const timeout = syncTimeout(options)
    wholeNumber('max', max)
    const into = this.#checked(options?.into)
    const { lane } = this.#channel
    const items = lane.getMany(max, into)
    if (items !== NOTHING && items !== CLOSED) return items as Batch
    return getLate(this as AnyQueue, this.#channel, items, timeout, (milliseconds) =>
      lane.getManyBlocking(max, milliseconds, into),
    ) as Batch
  }

  /**
   * Puts items, piece by piece as there is room, after this thread's earlier puts. An error (abort,
   * timeout, close) has `count`: how many went in and stay.
   *
   * @example
   * await queue.putMany([1, 2, 3], { timeout: 100 })
   */
  putMany(items: Iterable<In>, options?: WaitOptions): Promise<void> {
    try {
      return this.#channel.putMany(items, patienceOfBatch(options), this.#liveness)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Waits for the first item and takes what is there, at most `max`, after this thread's earlier
   * gets. Closed and drained: as for `get`. `into` is as for `getManySync`; until the promise is
   * settled it may be written at any time, and each call that waits needs one of its own.
   *
   * @example
   * const samples = await queue.getMany(1024)
   */
  getMany(max: number, options?: WaitOptions & IntoOption<IntoOf<T, Batch>>): Promise<Batch> {
    try {
      wholeNumber('max', max)
      const into = this.#checked(options?.into)
      const limits = patience(options)
      // Checked again, as it may be detached by the time there are items for it.
      return this.#channel.get(() => this.#channel.lane.getMany(max, this.#checked(into)), limits, this.#liveness) as Promise<Batch>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Iterates over batches of at most `max` items until the queue is closed and drained. Leaving the
   * loop loses no item.
   *
   * @example
   * for await (const samples of queue.batches(128)) play(samples)
   */
  batches(max: number): AsyncIterableIterator<Batch> {
    wholeNumber('max', max)
    return new QueueIterator<Batch>(this.#channel, this.#liveness, () => this.#channel.lane.getMany(max))
  }

  #checked(into: unknown): Block | undefined {
    return into === undefined ? undefined : this.#channel.lane.checkBatchInto(into)
  }

  #checkedOne(into: unknown): Block | undefined {
    return into === undefined ? undefined : this.#channel.lane.checkInto(into)
  }

  #takeInto(into: unknown): Take {
    const { lane } = this.#channel
    lane.checkInto(into)
    // Checked again, as it may be detached by the time there is an item for it.
    return () => lane.tryGet(lane.checkInto(into))
  }
}
