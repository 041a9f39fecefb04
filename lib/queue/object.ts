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

/** Items are counted modulo one more. */
const MOST_ITEMS = 0xffffffff

type AnyQueue = QueueObject<unknown, unknown, never>

/** @internal This thread's side of the queue, which its objects do not show. */
export let channelOfQueue: (queue: AnyQueue) => Channel
/** @internal */
export let livenessOfQueue: (queue: AnyQueue) => Liveness

/** What a queue is, how it is doing, and how it ends: all but its puts and gets. */
export class QueueObject<T = unknown, Batch = T[], In = T> implements Disposable, AsyncDisposable {
  /**
   * Structured-cloneable; the other thread makes of it a queue object of its own, with `from()`.
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

  /** How many items fit, if each is no longer than `itemBytes`. */
  get capacity(): number {
    return this.#channel.capacity
  }

  /** As given when the queue was created; empty if none was. */
  get name(): string {
    return this.#channel.name
  }

  /** What the queue holds, as the option `type` said. */
  get type(): ElementType {
    return this.#channel.type
  }

  /** Whether somebody, in any thread, has closed the queue. There may be items left to get. */
  get closed(): boolean {
    return this.#channel.lane.closed()
  }

  /**
   * What `threadsafe_queue_open()` of `threadsafe.h` takes: an addon that gets it puts and gets in
   * native threads and signal handlers of its own. Good in this thread; another one has it of a
   * queue of its own, `from()` the handle.
   *
   * @example
   * addon.start(queue.native)
   */
  get native(): NativeHandle<'queue'> {
    needDoorbell()
    return nativeHandle(this.#channel.view, nativeFieldsOf(this.type))
  }

  /** Items in the queue; approximate while others put and get. */
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
   * The oldest item, which stays in the queue: another may get it at any time. Empty: undefined,
   * also when the queue is closed.
   */
  peek(): T | undefined {
    const item = this.#channel.lane.peek()
    return item === NOTHING ? undefined : (item as T)
  }

  /**
   * Drops the items that are in the queue now, also in a closed one, and returns how many they
   * were.
   */
  clear(): number {
    return this.#channel.clear()
  }

  /**
   * Reports that one item that was got, or `count` of them, has been dealt with, for those who wait
   * in `join()`. Any thread may report any item; an item that was got by a thread that has ended
   * stays unfinished until another reports it.
   *
   * Closed: as before. `RangeError` `ERR_OUT_OF_RANGE` if fewer items were got and not reported
   * yet, or for a `count` that is no whole number from 1; then nothing is reported. `TypeError`
   * `ERR_INVALID_ARG_TYPE` for a `count` that is no number.
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
   * Waits until every item that was put has been dealt with, in all threads: got and reported by
   * `taskDone()`, or dropped: by the overflow policy, `clear()` or a discarding `close()`.
   *
   * Nothing unfinished: resolves at once. Full and empty make no difference. Closed: it waits
   * likewise, as items may be left to get, or in hand. Rejects with `TimeoutError` after `timeout`
   * milliseconds, or with the signal's `reason`; `timeout: 0` looks once. While it is pending it
   * keeps the process alive, unless the queue is `unref()`ed.
   *
   * @example
   * await queue.putMany(jobs)
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
   * How the queue is doing, over all threads: what is counted costs the puts and gets nothing.
   *
   * @example
   * const { depth, dropped, waitingPuts } = queue.stats()
   */
  stats(): QueueStats {
    return this.#channel.stats()
  }

  /**
   * A stream of Node's whose chunks become items of this queue, in their order. Full: the chunk
   * waits, as by `put()`, and `write()` returns false when `highWaterMark` (16) chunks wait beyond
   * those in the queue. When the stream ends, or is destroyed, it closes the queue, so that
   * consumers take what is left and end; not with `close: false`. Closed by others: the stream's
   * error is `QueueClosedError`. An item that the queue does not take is its error likewise.
   * Destroyed: what had not found room is not put. Throws `TypeError` or `RangeError` for wrong
   * options.
   *
   * The other way Node goes by itself: `Readable.from(queue)` and `ReadableStream.from(queue)` read
   * the queue until it is closed and drained.
   *
   * @example
   * await pipeline(createReadStream(file), split(), queue.writable())
   */
  writable(options?: QueueWritableOptions): Writable {
    return queueWritable(this as unknown as ThreadSafeQueue<unknown, unknown>, options)
  }

  /**
   * Closes the queue, in all threads. Every put fails from now on, waiting ones too; gets take what
   * is left and fail then; iterators end. `discard` drops what is left, also when the queue was
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

  /** Pending calls of this object keep the process alive: so it is at first. */
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
   * Closes the queue at the end of a block, if this object created it. Others go on using one that
   * is `from()` a handle.
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
