import type { Writable } from 'node:stream'
import type { InspectOptions } from 'node:util'
import { type Batch as BatchOnItsWay, checkIterable, withCount } from '../lane/batch.js'
import { blocking } from '../wait/blocking.js'
import { Channel, type Take } from './channel.js'
import { tellingClose, tellingDrops } from '../diagnostics.js'
import type { Block } from '../codec/block.js'
import { checkElementType, type ElementType, isSameType, itemBytesOf, nativeFieldsOf, typeCode } from '../codec/element-type.js'
import { invalidType, invalidValue, outOfRange, QueueClosedError, QueueEmptyError, QueueFullError, TimeoutError } from '../errors.js'
import { checkHandle, type Handle, incompatible, makeHandle } from '../addon/handle.js'
import { INSPECT, inspectAs } from '../inspect.js'
import { Liveness, needDoorbell } from '../wait/loop.js'
import { allocate, bytesOf, OpenObjects } from '../addon/memory.js'
import { native, type QueueStats } from '../addon/native.js'
import { type NativeHandle, nativeHandle } from '../addon/native-code.js'
import { checkObject, type ForEachOptions, patience, type SyncWaitOptions, syncTimeout, type WaitOptions } from '../wait/options.js'
import { forEach } from './for-each.js'
import { QueueIterator } from './iterator.js'
import { queueWritable, type QueueWritableOptions } from './writable.js'
import { type FieldTypes, isRecordType, record, type RecordType } from '../codec/record-type.js'
import type { ArrayTypes, NumericType } from '../codec/scalar.js'
import { CLOSED, type None } from '../lane/lane.js'
import { NOTHING } from '../wait/selectable.js'

const { status: STATUS } = native

/** Items are counted modulo one more. */
const MOST_ITEMS = 0xffffffff

const DEFAULT_ITEM_BYTES = 64

/** What a put that does not wait does when the queue is full. */
export type Overflow = 'reject' | 'drop-newest' | 'drop-oldest'

/** Options of `new ThreadSafeQueue()`. */
export interface QueueOptions<Type = ElementType> {
  /** What the queue holds. Default: 'any'. */
  type?: Type | undefined
  /** For 'any', 'string' and 'bytes': the payload bytes that one slot holds; longer items take several slots. Default: 64. */
  itemBytes?: number | undefined
  /** What a put that does not wait does when the queue is full. Default: 'reject'. */
  overflow?: Overflow | undefined
  /** What errors and `util.inspect()` call the queue, in every thread: at most 64 UTF-16 units. Default: none. */
  name?: string | undefined
}

/** What a batch can be put into: the typed array of the queue's type, or, where it is not known which that is, one of such numbers. */
export type IntoOf<T, Batch> = Batch extends ArrayTypes[NumericType]
  ? Batch
  : [T] extends [number]
    ? Exclude<ArrayTypes[NumericType], BigInt64Array | BigUint64Array>
    : [T] extends [bigint]
      ? BigInt64Array | BigUint64Array
      : never

/** An option of calls that get several items. */
export interface IntoOption<Into = ArrayTypes[NumericType]> {
  /** What takes the item, or the items, instead of a new typed array. */
  into?: Into | undefined
}

/** What a single item can be got into: the array that it is. */
export type IntoOneOf<T> = Extract<T, ArrayTypes[NumericType]>

declare const carries: unique symbol

/**
 * What `workerData` and `postMessage` take to another thread of this process, for `ThreadSafeQueue.from()`. It tells the compiler what the queue's items, its
 * batches, and what it takes, are; `QueueHandle<number>` leaves open what the batches are.
 */
export interface QueueHandle<T = unknown, Batch = unknown, In = unknown> {
  /** For the compiler alone. */
  [carries](item: In): { item: T; batch: Batch }
}

/** A record type travels as its fields: classes do not survive structured clone. */
type PostedType = Exclude<ElementType, RecordType> | { readonly record: FieldTypes }
type PostedHandle = Handle & { readonly type: PostedType; readonly name: string }

function posted({ memory, type, name }: Existing): PostedHandle {
  return makeHandle('queue', memory, { type: isRecordType(type) ? { record: type.fields } : type, name })
}

/** The type that a handle says; throws what it is not. */
function typeOf(said: unknown): ElementType {
  try {
    return checkElementType(typeof said === 'object' && said !== null ? record((said as { record: FieldTypes }).record) : said)
  } catch {
    throw invalidType('handle', 'the handle of a ThreadSafeQueue, which has a type', { type: said })
  }
}

const channels = new OpenObjects<Channel>()

/** The longest name, in UTF-16 units. */
const LONGEST_NAME = 64

function checkName(argument: string, name: unknown): string {
  if (typeof name !== 'string') throw invalidType(argument, 'a string', name)
  if (name.length > LONGEST_NAME) throw outOfRange(argument, `a string of at most ${LONGEST_NAME} UTF-16 units`, name)
  return name
}

function open({ memory, type, name }: Existing): Channel {
  const channel = channels.get(memory, (bytes, address) => {
    const queue = native.openQueue(bytes)
    if (!queue || queue.type !== typeCode(type) || queue.itemBytes !== itemBytesOf(type, queue.itemBytes))
      throw incompatible('its memory holds something else')
    return new Channel(memory, address, queue, type, name)
  })
  // It may have been known, as what it is.
  if (!isSameType(channel.type, type)) throw incompatible('its memory holds something else')
  return channel
}

function wholeNumber(name: string, value: unknown, most?: string): number {
  if (typeof value !== 'number') throw invalidType(name, 'a whole number', value)
  if (!Number.isInteger(value) || value < 1)
    throw outOfRange(name, most ? `a whole number from 1 up to ${most}` : 'a whole number, at least 1', value)
  return value
}

function create(capacity: number, options: QueueOptions | undefined): Existing {
  wholeNumber('capacity', capacity, 'what 4 GiB hold')
  checkObject('options', options)
  const { type: givenType = 'any', itemBytes = DEFAULT_ITEM_BYTES, overflow = 'reject', name: givenName = '' } = options ?? {}
  const type = checkElementType(givenType)
  wholeNumber('options.itemBytes', itemBytes, 'what 4 GiB hold')
  if (typeof overflow !== 'string' || !Object.hasOwn(native.overflows, overflow)) {
    throw invalidValue('options.overflow', `one of ${Object.keys(native.overflows).join(', ')}`, overflow)
  }
  const name = checkName('options.name', givenName)
  const slot = itemBytesOf(type, itemBytes)
  if (native.queueMemory(typeCode(type), 1, slot) === 0) throw outOfRange('options.itemBytes', 'at most what 4 GiB hold', itemBytes)
  const bytes = native.queueMemory(typeCode(type), capacity, slot)
  if (bytes === 0) throw outOfRange('capacity', `at most what 4 GiB hold, with ${slot} bytes for each item`, capacity)
  const memory = allocate(bytes)
  native.initQueue(bytesOf(memory), typeCode(type), capacity, slot, native.overflows[overflow] as number)
  return new Existing(memory, type, name)
}

/**
 * A queue of fixed capacity between any number of producers and consumers: event loops, blocking workers, native threads and
 * signal handlers. First in, first out for each producer.
 *
 * @example
 * const jobs = new ThreadSafeQueue(100, { type: 'float64' })
 * new Worker(file, { workerData: jobs.handle }) // there: ThreadSafeQueue.from(workerData)
 * await jobs.put(1.5)
 * for await (const job of jobs) handle(job)
 */
export class ThreadSafeQueue<T = unknown, Batch = T[], In = T> implements AsyncIterable<T>, Disposable, AsyncDisposable {
  /** Structured-cloneable; the other thread makes of it a queue object of its own, with `from()`. */
  readonly handle: QueueHandle<T, Batch, In>
  readonly #channel: Channel
  readonly #liveness: Liveness
  /** Whether this object is the one that created the queue. */
  readonly #created: boolean

  /**
   * A queue that holds `capacity` items: a whole number from 1 up to what 4 GiB hold. Throws `RangeError` `ERR_OUT_OF_RANGE` for other
   * capacities, `TypeError` `ERR_INVALID_ARG_TYPE` or `ERR_INVALID_ARG_VALUE` for options that do not exist.
   */
  constructor(capacity: number, options?: QueueOptions)
  /** @internal from() passes the handle of a queue that exists. */
  constructor(existing: Existing)
  constructor(capacity: number | Existing, options?: QueueOptions) {
    const existing = capacity instanceof Existing ? capacity : create(capacity, options)
    this.handle = posted(existing) as unknown as QueueHandle<T, Batch, In>
    this.#channel = open(existing)
    this.#liveness = new Liveness()
    this.#created = !(capacity instanceof Existing)
  }

  /**
   * The queue of that handle, in any thread of the process. Throws `TypeError` `ERR_INVALID_ARG_TYPE` for anything that is no queue's handle
   * and `Error` `ERR_INCOMPATIBLE_HANDLE` for one of another version.
   */
  static from<T, Batch, In>(handle: QueueHandle): ThreadSafeQueue<T, Batch, In> {
    const { memory, type, name } = checkHandle('queue', handle, ThreadSafeQueue)
    return new ThreadSafeQueue<T, Batch, In>(new Existing(memory, typeOf(type), checkName('handle.name', name === undefined ? '' : name)))
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

  /** @internal The shared memory, for what lets native code put into it. */
  get view(): Uint8Array {
    return this.#channel.view
  }

  /**
   * What `threadsafe_queue_open()` of `threadsafe.h` takes: an addon that gets it puts and gets in native threads and signal handlers of its own. Good in this thread;
   * another one has it of a queue of its own, `from()` the handle.
   *
   * @example
   * addon.start(queue.native)
   */
  get native(): NativeHandle<'queue'> {
    needDoorbell()
    return nativeHandle(this.#channel.view, nativeFieldsOf(this.type))
  }

  /** @internal For select(). */
  get channel(): Channel {
    return this.#channel
  }

  /** @internal For select(). */
  get liveness(): Liveness {
    return this.#liveness
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
   * Puts an item; blocks this thread until there is room, if `block` or `timeout` says so. Full: throws `QueueFullError`, or does what the
   * overflow policy says, if it does not wait; `TimeoutError` after `timeout` milliseconds. Closed: `QueueClosedError`.
   *
   * @example
   * queue.putSync(1.5, { timeout: 100 })
   */
  putSync(item: In, options?: SyncWaitOptions): void {
    const timeout = options === undefined ? undefined : syncTimeout(options)
    const { lane } = this.#channel
    const status = timeout ? lane.tryPutFirst(item) : lane.tryPut(item)
    if (status !== STATUS.ok) this.#putLate(status, timeout)
  }

  // What contains functions is apart from what is called for each item, where it would allocate for them each time, also when they are not needed.
  #putLate(tried: number, timeout: number | undefined): void {
    const { lane } = this.#channel
    let status = tried
    if (status === STATUS.full) {
      if (timeout === undefined) status = this.#offer(() => lane.offerInHand())
      else if (timeout === 0) status = STATUS.timeout
      else status = blocking('put', [this], () => lane.blockInHand(timeout))
    }
    if (status === STATUS.full) throw new QueueFullError(this)
    if (status === STATUS.closed) throw new QueueClosedError(this)
    if (status === STATUS.timeout) throw new TimeoutError(timeout as number, this)
  }

  /**
   * Takes the oldest item; blocks this thread until there is one, if `block` or `timeout` says so. Empty: throws `QueueEmptyError` if it does
   * not wait, `TimeoutError` after `timeout` milliseconds. Closed and drained: `QueueClosedError`.
   *
   * `into`, for bytes and arrays of fixed length: an array of yours that takes the item. It is returned if it is filled, else a view of its beginning.
   * Too short for the item: `RangeError` `ERR_OUT_OF_RANGE`, and the item stays. Of another type, or for a queue of another type: `TypeError`.
   *
   * @example
   * const item = queue.getSync({ block: true })
   * @example
   * play(blocks.getSync({ timeout: 100, into: block }))
   */
  getSync(options?: SyncWaitOptions & IntoOption<IntoOneOf<T>>): T {
    if (options === undefined) {
      const item = this.#channel.lane.tryGet()
      return (item === NOTHING || item === CLOSED ? this.#getNone(item, undefined) : item) as T
    }
    return this.#getOne(syncTimeout(options), this.#checkedOne(options.into)) as T
  }

  #getOne(timeout: number | undefined, into: Block | undefined): unknown {
    const { lane } = this.#channel
    const item = timeout ? lane.tryGetFirst(into) : lane.tryGet(into)
    return item === NOTHING || item === CLOSED ? this.#getNone(item, timeout, (milliseconds) => lane.getBlocking(milliseconds, into)) : item
  }

  #getNone(tried: None, timeout: number | undefined, block?: (milliseconds: number) => unknown): unknown {
    if (tried === CLOSED) throw new QueueClosedError(this)
    if (timeout === undefined || !block) throw new QueueEmptyError(this)
    if (timeout === 0) throw new TimeoutError(0, this)
    const item = blocking('get', [this], () => block(timeout))
    if (item === CLOSED) throw new QueueClosedError(this)
    if (item === NOTHING) throw new TimeoutError(timeout, this)
    return item
  }

  /**
   * Puts an item if there is room, and answers whether it did. Full: false; with overflow 'drop-oldest' the oldest goes and the answer is
   * true. Closed: throws `QueueClosedError`.
   *
   * @example
   * if (!queue.tryPut(item)) lost++
   */
  tryPut(item: In): boolean {
    const status = this.#channel.lane.tryPut(item)
    return status === STATUS.ok || this.#offered(status)
  }

  #offered(tried: number): boolean {
    const { lane } = this.#channel
    const status = tried === STATUS.full ? this.#offer(() => lane.offerInHand()) : tried
    if (status === STATUS.closed) throw new QueueClosedError(this)
    return status === STATUS.ok
  }

  /**
   * Takes the oldest item if there is one. Empty: undefined. Closed and drained: throws `QueueClosedError`. `into` is as for `getSync`.
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
   * Puts an item as soon as there is room, after this thread's earlier puts. Rejects with `QueueClosedError`, `TimeoutError`, or the signal's
   * `reason`; then nothing was put.
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
   * Takes the oldest item as soon as there is one, after this thread's earlier gets. Closed and drained: rejects with `QueueClosedError`. Also
   * rejects with `TimeoutError`, or the signal's `reason`; then nothing was taken. `into` is as for `getSync`; until the promise is settled it may be
   * written at any time, and each call that waits needs one of its own.
   *
   * @example
   * const item = await queue.get({ timeout: 100 })
   */
  get(options?: WaitOptions & IntoOption<IntoOneOf<T>>): Promise<T> {
    try {
      const limits = patience(options)
      const take = options?.into === undefined ? this.#channel.takeOne : this.#takeInto(options.into)
      return this.#channel.get(take, limits, this.#liveness) as Promise<T>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Gets items until the queue is closed and drained. Leaving the loop loses no item.
   *
   * @example
   * for await (const item of queue) use(item)
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return new QueueIterator<T>(this.#channel, this.#liveness, this.#channel.takeOne)
  }

  /**
   * Calls `fn` for each item, in this thread's event loop, until the queue is closed and drained; then it resolves. No promise is made for each item, so it is
   * the fastest way to receive in an event loop.
   *
   * - An `fn` that returns a promise is awaited before the next item is taken.
   * - Other work of the loop gets its turn after a millisecond of items.
   * - Each item is taken as by a `get()`, after this thread's earlier gets; `fn` is never called before `forEach()` has returned.
   *
   * Empty: it waits. Rejects with what `fn` throws or rejects with, or with the signal's `reason`, and then takes no more: the item for which `fn`
   * was called is taken, all others stay in the queue. While it is pending it keeps the process alive, unless the queue is `unref()`ed. `TypeError`
   * `ERR_INVALID_ARG_TYPE` for an `fn` that is no function.
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
   * Puts items, and answers how many went in. Without waiting: as many as there is room for, or what the overflow policy lets in. With `block` or
   * `timeout` it waits until all are in; `TimeoutError` and `QueueClosedError` then have `count`. If one item is not of the type, none goes in.
   *
   * @example
   * queue.putManySync(new Float64Array(128), { block: true })
   */
  putManySync(items: Iterable<In>, options?: SyncWaitOptions): number {
    const timeout = syncTimeout(options)
    const { lane } = this.#channel
    const batch = lane.prepareMany(checkIterable(items))
    const status = timeout ? lane.putManyFirst(batch) : lane.putMany(batch)
    if (status !== STATUS.ok) this.#putManyLate(batch, status, timeout)
    return batch.done
  }

  #putManyLate(batch: BatchOnItsWay<unknown>, tried: number, timeout: number | undefined): void {
    const { lane } = this.#channel
    let status = tried
    if (status === STATUS.full) {
      if (timeout === undefined) status = this.#offer(() => lane.offerRest(batch))
      else if (timeout === 0) status = STATUS.timeout
      else status = blocking('put', [this], () => lane.putManyBlocking(batch, timeout))
    }
    if (status === STATUS.closed) throw withCount(new QueueClosedError(this), batch)
    if (status === STATUS.timeout) throw withCount(new TimeoutError(timeout as number, this), batch)
  }

  /**
   * Takes what is there, at least one item and at most `max`: a typed array for numeric types, else an array. Empty and closed are as for `getSync`.
   * `into`, a typed array of the queue's numeric type, takes them in place of a new one: it is answered if it is filled, else a view of its beginning.
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
    return this.#getNone(items, timeout, (milliseconds) => lane.getManyBlocking(max, milliseconds, into)) as Batch
  }

  /**
   * Puts items, piece by piece as there is room, after this thread's earlier puts. An error (abort, timeout, close) has `count`: how many went in
   * and stay.
   *
   * @example
   * await queue.putMany([1, 2, 3], { timeout: 100 })
   */
  putMany(items: Iterable<In>, options?: WaitOptions): Promise<void> {
    try {
      const limits = patience(options)
      return this.#channel.putMany(checkIterable(items), limits, this.#liveness)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Waits for the first item and takes what is there, at most `max`, after this thread's earlier gets. Closed and drained: as for `get`. `into` is as for
   * `getManySync`; until the promise is settled it may be written at any time, and each call that waits needs one of its own.
   *
   * @example
   * const samples = await queue.getMany(1024)
   */
  getMany(max: number, options?: WaitOptions & IntoOption<IntoOf<T, Batch>>): Promise<Batch> {
    try {
      const limits = patience(options)
      wholeNumber('max', max)
      const into = this.#checked(options?.into)
      // It may be detached when there are items for it.
      return this.#channel.get(() => this.#channel.lane.getMany(max, this.#checked(into)), limits, this.#liveness) as Promise<Batch>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Gets batches of at most `max` items until the queue is closed and drained. Leaving the loop loses no item.
   *
   * @example
   * for await (const samples of queue.batches(128)) play(samples)
   */
  batches(max: number): AsyncIterableIterator<Batch> {
    wholeNumber('max', max)
    return new QueueIterator<Batch>(this.#channel, this.#liveness, () => this.#channel.lane.getMany(max))
  }

  /** The oldest item, which stays in the queue: another may get it at any time. Empty: undefined, also when the queue is closed. */
  peek(): T | undefined {
    const item = this.#channel.lane.peek()
    return item === NOTHING ? undefined : (item as T)
  }

  /** Drops the items that are in the queue now, also in a closed one, and answers how many they were. */
  clear(): number {
    return this.#channel.clear()
  }

  /**
   * Reports that one item that was got, or `count` of them, has been dealt with, for those who wait in `join()`. Any thread may report any item; an item that was
   * got by a thread that has ended stays unfinished until another reports it.
   *
   * Closed: as before. `RangeError` `ERR_OUT_OF_RANGE` if fewer items were got and not reported yet, or for a `count` that is no whole number from 1; then
   * nothing is reported. `TypeError` `ERR_INVALID_ARG_TYPE` for a `count` that is no number.
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
   * Waits until every item that was put has been dealt with, in all threads: got and reported by `taskDone()`, or dropped: by the overflow policy, `clear()` or a
   * discarding `close()`.
   *
   * Nothing unfinished: resolves at once. Full and empty make no difference. Closed: it waits likewise, as items may be left to get, or in hand. Rejects with
   * `TimeoutError` after `timeout` milliseconds, or with the signal's `reason`; `timeout: 0` looks once. While it is pending it keeps the process alive, unless the
   * queue is `unref()`ed.
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
   * A stream of Node's whose chunks become items of this queue, in their order. Full: the chunk waits, as by `put()`, and `write()` answers false when
   * `highWaterMark` (16) chunks wait beyond those in the queue. When the stream ends, or is destroyed, it closes the queue, so that consumers take
   * what is left and end; not with `close: false`. Closed by others: the stream's error is `QueueClosedError`. An item that the queue does not take is its error
   * likewise. Destroyed: what had not found room is not put. Throws `TypeError` or `RangeError` for wrong options.
   *
   * The other way Node goes by itself: `Readable.from(queue)` and `ReadableStream.from(queue)` read the queue until it is closed and drained.
   *
   * @example
   * await pipeline(createReadStream(file), split(), queue.writable())
   */
  writable(options?: QueueWritableOptions): Writable {
    return queueWritable(this, options)
  }

  /**
   * Closes the queue, in all threads. Every put fails from now on, waiting ones too; gets take what is left and fail then; iterators end.
   * `discard` drops what is left, also when the queue was closed before. Closing again is no error.
   *
   * @example
   * queue.close({ discard: true })
   */
  close(options?: { discard?: boolean | undefined }): void {
    checkObject('options', options)
    const { discard = false } = options ?? {}
    if (typeof discard !== 'boolean') throw invalidType('options.discard', 'a boolean', discard)
    tellingClose(this, discard, () => this.#channel.close(discard))
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

  #checked(into: unknown): Block | undefined {
    return into === undefined ? undefined : this.#channel.lane.checkBatchInto(into)
  }

  #checkedOne(into: unknown): Block | undefined {
    return into === undefined ? undefined : this.#channel.lane.checkInto(into)
  }

  #takeInto(into: unknown): Take {
    const { lane } = this.#channel
    lane.checkInto(into)
    // It may be detached when there is an item for it.
    return () => lane.tryGet(lane.checkInto(into))
  }

  #offer(put: () => number): number {
    return this.#channel.mayDrop ? tellingDrops(this, () => this.#channel.dropped(), put) : put()
  }

  /** @internal `ThreadSafeQueue { name: 'jobs', type: 'float64', capacity: 100, depth: 3, closed: false }` */
  [INSPECT](depth: number, options?: InspectOptions): string {
    const look = () => {
      const { name, type, capacity, closed } = this
      return { name, type: isRecordType(type) ? type.fields : type, capacity, depth: this.qsize(), closed }
    }
    return inspectAs(this, 'ThreadSafeQueue', look, depth, options)
  }

  /** Closes the queue at the end of a block, if this object created it. Others go on using one that is `from()` a handle. */
  [Symbol.dispose](): void {
    if (this.#created) this.close()
  }

  /** As `Symbol.dispose`. */
  [Symbol.asyncDispose](): Promise<void> {
    if (this.#created) this.close()
    return Promise.resolve()
  }
}

/** Marks what a checked handle has in the constructor's first argument; not exported, so nobody else can pass one. */
class Existing {
  constructor(
    readonly memory: WebAssembly.Memory,
    readonly type: ElementType,
    readonly name: string,
  ) {}
}
