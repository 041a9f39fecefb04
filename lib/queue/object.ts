import type { Writable } from 'node:stream'
import type { InspectOptions } from 'node:util'
import { native, type QueueStats } from '../addon/native.js'
import { type NativeHandle, nativeHandle } from '../addon/native-code.js'
import { type ElementType, nativeFieldsOf } from '../codec/element-type.js'
import { isRecordType } from '../codec/record-type.js'
import { tellingClose } from '../diagnostics.js'
import { invalidType, outOfRange } from '../errors.js'
import { INSPECT, inspectAs } from '../inspect.js'
import { Liveness, needDoorbell } from '../wait/loop.js'
import { checkObject, patience, type WaitOptions } from '../wait/options.js'
import { NOTHING } from '../wait/selectable.js'
import type { Channel } from './channel.js'
import { type Existing, open, posted, wholeNumber } from './opening.js'
import type { QueueHandle } from './types.js'
import { queueWritable, type QueueWritableOptions } from './writable.js'
import type { ThreadSafeQueue } from './typed-queue.js'

/** The most items that `taskDone()` takes: items are counted modulo 2^32. */
const MOST_ITEMS = 0xffffffff

type AnyQueue = QueueObject<unknown, unknown, never>

/** @internal This thread's side of the queue, which its objects do not show. */
export let channelOfQueue: (queue: AnyQueue) => Channel
/** @internal */
export let livenessOfQueue: (queue: AnyQueue) => Liveness

/** The part of a queue other than puts and gets: its properties, statistics and end. */
export class QueueObject<T = unknown, Batch = T[], In = T> implements Disposable, AsyncDisposable {
  /**
   * A structured-cloneable handle. Another thread passes it to `from()` to get a queue object of
   * its own.
   */
  readonly handle: QueueHandle<T, Batch, In>
  readonly #channel: Channel
  readonly #liveness = new Liveness()
  /** Whether this object is the one that created the queue. */
  readonly #created: boolean

  static {
    channelOfQueue = (queue) => queue.#channel
    livenessOfQueue = (queue) => queue.#liveness
  }

  /** @internal */
  constructor(existing: Existing, created: boolean) {
    this.handle = posted(existing) as unknown as QueueHandle<T, Batch, In>
    this.#channel = open(existing)
    this.#created = created
  }

  /** The number of items that fit if each is no longer than `itemBytes`. */
  get capacity(): number {
    return this.#channel.capacity
  }

  /** The name given when the queue was created; empty if none was. */
  get name(): string {
    return this.#channel.name
  }

  /** The type of the items, as given by the option `type`. */
  get type(): ElementType {
    return this.#channel.type
  }

  /** Whether the queue was closed, in any thread. There may be items left to get. */
  get closed(): boolean {
    return this.#channel.lane.closed()
  }

  /**
   * The argument of `threadsafe_queue_open()` of `threadsafe.h`: with it an addon puts and gets in
   * native threads and signal handlers of its own. It is valid in this thread only; other threads
   * use that of their own queue object, made by `from()`.
   *
   * @example
   * addon.start(queue.native)
   */
  get native(): NativeHandle<'queue'> {
    needDoorbell()
    return nativeHandle(this.#channel.view, nativeFieldsOf(this.type))
  }

  /** The number of items in the queue; approximate while others put and get. */
  qsize(): number {
    return this.#channel.lane.size()
  }

  /** Whether there is nothing to get; approximate while others put and get. */
  empty(): boolean {
    return this.qsize() === 0
  }

  /** Whether there is no room for an item of one slot; approximate while others put and get. */
  full(): boolean {
    return this.#channel.lane.full()
  }

  /**
   * Returns the oldest item and leaves it in the queue, where another may get it at any time.
   * Empty: undefined, also when the queue is closed.
   */
  peek(): T | undefined {
    const item = this.#channel.lane.peek()
    return item === NOTHING ? undefined : (item as T)
  }

  /**
   * Drops the items that are in the queue now, even if it is closed, and returns how many there
   * were.
   */
  clear(): number {
    return this.#channel.clear()
  }

  /**
   * Reports that one item that was got, or `count` of them, have been dealt with, for those who
   * wait in `join()`. Any thread may report any item. An item got by a thread that has ended stays
   * unfinished until another thread reports it.
   *
   * Closed: works as before. Throws `RangeError` `ERR_OUT_OF_RANGE` if fewer items were got and not
   * reported yet, or if `count` is not a whole number from 1; then nothing is reported. Throws
   * `TypeError` `ERR_INVALID_ARG_TYPE` if `count` is not a number.
   *
   * @example
   * const job = await queue.get()
   * try {
   *   await run(job)
   * } finally {
   *   queue.taskDone()
   * }
   */
  taskDone(count = 1): void {
    wholeNumber('count', count)
    if (count > MOST_ITEMS || !native.queue.taskDone(this.#channel.native, count))
      throw outOfRange('count', 'at most the number of items that were got and not reported yet: call it once for each', count)
  }

  /**
   * Waits until every item that was put, in any thread, has been dealt with: got and reported by
   * `taskDone()`, or dropped by the overflow policy, `clear()` or a discarding `close()`.
   *
   * Nothing unfinished: resolves at once. Full and empty make no difference. Closed: waits all the
   * same, as items may still be left to get or to report. Rejects with `TimeoutError` after
   * `timeout` milliseconds, or with the signal's `reason`; `timeout: 0` looks once. While it is
   * pending it keeps the process alive, unless the queue is `unref()`ed.
   *
   * @example
   * await queue.putMany(samples)
   * await queue.join({ timeout: 60_000 })
   */
  join(options?: WaitOptions): Promise<void> {
    try {
      return this.#channel.joins.wait(patience(options), this.#liveness)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Returns statistics over all threads. They cost puts and gets nothing.
   *
   * @example
   * const { depth, dropped, waitingPuts } = queue.stats()
   */
  stats(): QueueStats {
    return this.#channel.stats()
  }

  /**
   * Returns a Node stream whose chunks become items of this queue, in order. Full: the chunk waits,
   * as with `put()`, and `write()` returns false when `highWaterMark` (16) chunks wait beyond those
   * in the queue. When the stream ends or is destroyed, it closes the queue, so that consumers take
   * what is left and end; `close: false` leaves the queue open. Closed by others: the stream fails
   * with `QueueClosedError`. It also fails if the queue refuses an item. Destroyed: chunks that had
   * not found room are not put. Throws `TypeError` or `RangeError` for wrong options.
   *
   * For the other direction use `Readable.from(queue)` or `ReadableStream.from(queue)`, which read
   * the queue until it is closed and drained.
   *
   * @example
   * await pipeline(createReadStream(file), split(), queue.writable())
   */
  writable(options?: QueueWritableOptions): Writable {
    return queueWritable(this as unknown as ThreadSafeQueue<unknown, unknown>, options)
  }

  /**
   * Closes the queue, in all threads. From now on every put fails, waiting ones too; gets take what
   * is left and then fail; iterators end. `discard` drops what is left, even if the queue was
   * closed before. Closing again is no error.
   *
   * @example
   * queue.close({ discard: true })
   */
  close(options?: { discard?: boolean | undefined }): void {
    checkObject('options', options)
    const { discard = false } = options ?? {}
    if (typeof discard !== 'boolean') throw invalidType('options.discard', 'a boolean', discard)
    tellingClose(this as unknown as ThreadSafeQueue<unknown, unknown>, discard, () => this.#channel.close(discard))
  }

  /** Pending calls of this object keep the process alive. This is the default. */
  ref(): this {
    this.#liveness.reference(true)
    return this
  }

  /** Pending calls of this object do not keep the process alive. */
  unref(): this {
    this.#liveness.reference(false)
    return this
  }

  /**
   * @internal `ThreadSafeQueue { name: 'jobs', type: 'float64', capacity: 100, depth: 3, closed:
   * false }`
   */
  [INSPECT](depth: number, options?: InspectOptions): string {
    const look = () => {
      const { name, type, capacity, closed } = this
      return { name, type: isRecordType(type) ? type.fields : type, capacity, depth: this.qsize(), closed }
    }
    return inspectAs(this, 'ThreadSafeQueue', look, depth, options)
  }

  /**
   * Closes the queue at the end of a `using` block, if this object created it. Does nothing on one
   * made by `from()`, since others go on using the queue.
   */
  [Symbol.dispose](): void {
    if (this.#created) this.close()
  }

  /** As `Symbol.dispose`. */
  [Symbol.asyncDispose](): Promise<void> {
    if (this.#created) this.close()
    return Promise.resolve()
  }
}
