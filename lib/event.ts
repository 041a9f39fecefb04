import type { InspectOptions } from 'node:util'
import { blocking } from './wait/blocking.js'
import { TimeoutError } from './errors.js'
import { checkHandle, Existing, type Handle, incompatible, makeHandle } from './addon/handle.js'
import { INSPECT, inspectAs } from './inspect.js'
import { leave, Liveness, needDoorbell, type Waiting } from './wait/loop.js'
import { allocate, bytesOf, type EventCore, instantiate, OpenObjects } from './addon/memory.js'
import { type NativeEvent, native, type OpenedEvent } from './addon/native.js'
import { type NativeHandle, nativeHandle } from './addon/native-code.js'
import { checkObject, checkTimeout, type Patience, patience, type WaitOptions } from './wait/options.js'
import { NOTHING, type Nothing, type Selectable } from './wait/selectable.js'
import { Call } from './wait/call.js'
import { ServedLine } from './wait/line.js'
import { Place } from './wait/place.js'

const { event: EVENT, status: STATUS } = native

/**
 * The form in which an event travels to another thread of this process, by `workerData` or
 * `postMessage`. `ThreadSafeEvent.from()` opens it there.
 */
export interface EventHandle {
  /** Tells an event's handle from a queue's. */
  readonly threadsafe: 'event'
}

type EventPlace = Place<number>

/**
 * The waits for one event. They stand in the order of the words that they began with: each place
 * has the event's word of its arrival, or is served at once. So if one is not done, none behind it
 * is.
 */
class EventLine extends ServedLine<number> {
  readonly #channel: EventChannel

  constructor(channel: EventChannel) {
    super(channel)
    this.#channel = channel
  }

  protected override announce(): boolean {
    EVENT.announce(this.#channel.native)
    return true
  }

  protected override attempt(place: EventPlace): unknown {
    return this.#channel.isDone(place.want) ? place.outcome(undefined) : NOTHING
  }

  // Event waits are not counted, and an announcement that stays costs no more than a ring for
  // nothing.
  protected override tell(): void {}
  protected override withdraw(): void {}
}

/** One event as this thread sees it, and its asynchronous calls that wait. */
class EventChannel implements Waiting, Selectable<number> {
  readonly view: Uint8Array
  readonly lists: readonly number[]
  untidy = false
  readonly core: EventCore
  readonly native: NativeEvent
  readonly #line: EventLine

  /** `address` is where the memory is. */
  constructor(memory: WebAssembly.Memory, address: number, event: OpenedEvent) {
    this.view = event.view
    this.lists = [address + native.lists.waiters]
    this.native = event.object
    this.core = instantiate('event', memory, event.wake)
    this.#line = new EventLine(this)
  }

  wait(patience: Patience, liveness: Liveness): Promise<void> {
    if (this.core.is_set()) return Promise.resolve()
    if (patience.timeout === 0) throw new TimeoutError(0)
    const call = new Call()
    const place = new Place(call, this.want(), liveness)
    return call.wait(patience, () => this.enter(place)) as Promise<void>
  }

  /**
   * Returns the event's word, which later shows whether the event was set in between; see
   * native/core/event.h.
   */
  want(): number {
    return this.core.word()
  }

  tryNow(word: number): undefined | Nothing {
    return this.isDone(word) ? undefined : NOTHING
  }

  /** An event serves all who wait, so there is no order to keep. */
  tryInOrder(word: number): undefined | Nothing {
    return this.tryNow(word)
  }

  tryFor(place: EventPlace): undefined | Nothing {
    return this.tryNow(place.want)
  }

  // A newcomer behind another looks for itself alone, so its cost does not grow with the line.
  enter(place: EventPlace): void {
    this.#line.enter(place)
    if (!place.call.settled && this.isDone(place.want)) this.#line.serveAlone(place)
  }

  poll(): void {
    this.#line.serve()
  }

  waitBlocking(timeout: number): boolean {
    const word = this.want()
    return EVENT.waitBlocking(this.native, timeout) === STATUS.ok || this.isDone(word)
  }

  tidy(): void {
    this.#line.tidy()
    if (!this.#line.first) leave(this)
  }

  isDone(word: number): boolean {
    return this.core.is_set() !== 0 || this.core.word() !== word
  }
}

const channels = new OpenObjects<EventChannel>()

function create(): Handle {
  const memory = allocate(native.eventMemory)
  native.initEvent(bytesOf(memory))
  return makeHandle('event', memory, {})
}

function open({ memory }: Handle): EventChannel {
  return channels.get(memory, (bytes, address) => {
    const event = native.openEvent(bytes)
    if (!event) throw incompatible('its memory holds something else')
    return new EventChannel(memory, address, event)
  })
}

/** @internal This thread's side of the event, which its objects do not show. */
export let channelOfEvent: (event: ThreadSafeEvent) => EventChannel
/** @internal */
export let livenessOfEvent: (event: ThreadSafeEvent) => Liveness

/**
 * An event that is set or not, and that any number of waiters in any mix of threads can wait for.
 *
 * @example
 * const ready = new ThreadSafeEvent()
 * new Worker(file, { workerData: ready.handle }) // there: ThreadSafeEvent.from(workerData).set()
 * await ready.wait({ timeout: 1000 })
 */
export class ThreadSafeEvent {
  /**
   * A structured-cloneable handle. Another thread passes it to `from()` to get an event object of
   * its own.
   */
  readonly handle: EventHandle
  readonly #channel: EventChannel
  readonly #liveness = new Liveness()

  static {
    channelOfEvent = (event) => event.#channel
    livenessOfEvent = (event) => event.#liveness
  }

  /** An event that is not set. */
  constructor()
  /** @internal For from(), which passes an event that exists. */
  constructor(existing: Existing)
  constructor(existing?: Existing) {
    const handle = existing instanceof Existing ? existing.handle : create()
    this.handle = handle as EventHandle
    this.#channel = open(handle)
  }

  /**
   * Opens the event of that handle, in any thread of the process. Throws `TypeError`
   * `ERR_INVALID_ARG_TYPE` for anything that is no event's handle and `Error`
   * `ERR_INCOMPATIBLE_HANDLE` for one of another version.
   */
  static from(handle: EventHandle): ThreadSafeEvent {
    const { memory } = checkHandle('event', handle, ThreadSafeEvent)
    return new ThreadSafeEvent(new Existing(makeHandle('event', memory, {})))
  }

  /**
   * The argument of `threadsafe_event_open()` of `threadsafe.h`, in this thread; see
   * `ThreadSafeQueue.native`.
   */
  get native(): NativeHandle<'event'> {
    needDoorbell()
    return nativeHandle(this.#channel.view)
  }

  /**
   * Sets the event and wakes everyone who waits at this moment, in all threads, even if `clear()`
   * follows at once.
   */
  set(): void {
    this.#channel.core.set()
  }

  /** Resets the event. Whoever waits from now on waits until it is set again. */
  clear(): void {
    this.#channel.core.clear()
  }

  /** Whether the event is set. */
  isSet(): boolean {
    return this.#channel.core.is_set() !== 0
  }

  /**
   * Resolves when the event is set, at once if it is. Rejects with `TimeoutError`, or the signal's
   * `reason`.
   *
   * @example
   * await ready.wait({ timeout: 1000 })
   */
  wait(options?: WaitOptions): Promise<void> {
    try {
      return this.#channel.wait(patience(options), this.#liveness)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Blocks this thread until the event is set, and returns true; returns false after `timeout`
   * milliseconds.
   *
   * @example
   * if (!ready.waitSync({ timeout: 1000 })) throw new Error('not ready')
   */
  waitSync(options?: { timeout?: number | undefined }): boolean {
    checkObject('options', options)
    const timeout = checkTimeout(options?.timeout)
    if (this.isSet()) return true
    if (timeout === 0) return false
    return blocking('wait', [this], () => this.#channel.waitBlocking(timeout))
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

  /** @internal `ThreadSafeEvent { set: true }` */
  [INSPECT](depth: number, options?: InspectOptions): string {
    return inspectAs(this, 'ThreadSafeEvent', () => ({ set: this.isSet() }), depth, options)
  }
}
