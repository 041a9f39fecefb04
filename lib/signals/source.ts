import process from 'node:process'
import { getSystemErrorName, type InspectOptions, types } from 'node:util'
import { isMainThread } from 'node:worker_threads'
import { invalidType, invalidValue, outOfRange, withCode } from '../errors.js'
import { elementsOf, placeOf } from '../codec/view.js'
import { channelOfEvent, ThreadSafeEvent } from '../event.js'
import { INSPECT, inspectAs } from '../inspect.js'
import { Liveness } from '../wait/loop.js'
import { isNode, native, type SourceCounts } from '../addon/native.js'
import { checkObject } from '../wait/options.js'
import type { ElementType } from '../codec/element-type.js'
import { RecordType } from '../codec/record-type.js'
import { type SignalInfo, signalInfo } from './info.js'
import { catchableSignal, namedSignal, signalName, type SignalName, signalNumber } from './number.js'
import { channelOfQueue } from '../queue/object.js'
import { versionsOfMessage } from '../shared/message.js'
import { versionsOfRecord } from '../shared/record.js'
import { Message, SharedRecord } from '../shared/typed.js'
import { ThreadSafeQueue } from '../queue/typed-queue.js'

/**
 * The target of a signal handler: a queue of the type `signalInfo`, which gets an item; an event,
 * which is set; a message of that type, which is set to the latest; or a record of it, which is
 * written.
 */
export type SignalTarget = ThreadSafeQueue<SignalInfo> | ThreadSafeEvent | Message<SignalInfo> | SharedRecord<SignalInfo>

/** Options of `attachSignal()`. */
export interface SignalOptions {
  /** Allows attaching to SIGUSR1, with which Node starts its inspector. */
  inspectorSignal?: boolean | undefined
}

/** Counts of a source's signals. */
export interface SignalStats {
  /**
   * Signals that the handler has dealt with: delivered + dropped. Ticks withheld because of a
   * heartbeat are not counted.
   */
  received: number
  /** Signals that were put into the queue, that set the event or the message, or that were written to
   * the record. */
  delivered: number
  /** Signals lost because the queue was full or closed, or because others wrote the message or the
   * record each of the 256 times that the handler tried. */
  dropped: number
  /**
   * Whether our handler is the process's handler for this signal. It is false if other code has
   * replaced ours, such as a profiler that takes SIGPROF; then the source gets only what that
   * handler passes on. Attaching once more, to any target, puts ours in front of it. False after
   * `detach()`.
   */
  installed: boolean
}

/** What `attachSignal()` returns. `Symbol.dispose` is `detach()`. */
export interface SignalSource extends Disposable {
  /** The signal's name. */
  readonly signal: SignalName
  /**
   * Ends the source and restores the handler that was there before. Calling it twice is no error.
   */
  detach(): void
  /** The counts; after `detach()`, the last ones. */
  stats(): SignalStats
  /** The source keeps the process alive, until it is detached. It does not, at first. */
  ref(): this
  /** The source does not keep the process alive. This is the default. */
  unref(): this
}

function systemError(call: string, errno: number): Error {
  const code = getSystemErrorName(-errno)
  return Object.assign(new Error(`${call} ${code}`), { code, errno: -errno, syscall: call })
}

function requirePosix(what: string): void {
  if (process.platform !== 'win32') return
  throw withCode(new Error(`${what} is not available on Windows, which has no POSIX signals`), 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM')
}

function checkOfInfo(what: string, { type, view }: { readonly type: ElementType; readonly view: Uint8Array }): Uint8Array {
  if (!(type instanceof RecordType && type.equals(signalInfo))) throw invalidType('target', `${what} of the type signalInfo`, type)
  return view
}

function checkTarget(target: unknown): Uint8Array {
  if (target instanceof ThreadSafeEvent) return channelOfEvent(target).view
  if (target instanceof ThreadSafeQueue) return checkOfInfo('a queue', channelOfQueue(target))
  if (target instanceof Message) return checkOfInfo('a message', versionsOfMessage(target))
  if (target instanceof SharedRecord) return checkOfInfo('a record', versionsOfRecord(target))
  throw invalidType('target', 'a ThreadSafeQueue, a ThreadSafeEvent, a Message or a SharedRecord', target)
}

function statsOf({ delivered, dropped }: SourceCounts, installed: boolean): SignalStats {
  return { received: delivered + dropped, delivered, dropped, installed }
}

abstract class Source implements Disposable {
  /** The signal's name. */
  readonly signal: SignalName
  readonly #number: number
  readonly #signo: number
  readonly #liveness = new Liveness(false)
  #finalStats: SignalStats | undefined

  /**
   * @internal `attach` passes the addon views of what the handler looks at, which the addon keeps
   * alive.
   */
  constructor(signo: number, call: string, attach: () => number) {
    const number = attach()
    if (number < 0) throw systemError(call, -number)
    this.signal = signalName(signo)
    this.#number = number
    this.#signo = signo
    this.#liveness.begin()
  }

  /** Counts of this source's signals; after `detach()`, the last ones. */
  stats(): SignalStats {
    if (this.#finalStats) return { ...this.#finalStats }
    return statsOf(native.sourceCounts(this.#number), native.isInstalled(this.#signo))
  }

  /** The source keeps the process alive, until it is detached. It does not, at first. */
  ref(): this {
    if (!this.#finalStats) this.#liveness.reference(true)
    return this
  }

  /** The source does not keep the process alive. This is the default. */
  unref(): this {
    if (!this.#finalStats) this.#liveness.reference(false)
    return this
  }

  /** Ends the source. */
  [Symbol.dispose](): void {
    this.end()
  }

  /**
   * @internal `SignalSource { signal: 'SIGUSR2', received: 3, delivered: 3, dropped: 0, installed:
   * true }`
   */
  [INSPECT](depth: number, options?: InspectOptions): string {
    return inspectAs(this, 'SignalSource', () => ({ signal: this.signal, ...this.stats() }), depth, options)
  }

  /** @internal */
  end(): void {
    if (this.#finalStats) return
    this.#finalStats = statsOf(native.detachSource(this.#number), false)
    this.#liveness.end()
  }
}

class AttachedSignal extends Source implements SignalSource {
  static override readonly name = 'SignalSource'

  detach(): void {
    this.end()
  }
}

/**
 * Attaches a signal handler that puts each such signal, sent to this process or to any of its
 * threads, into the queue as a `SignalInfo`, or sets the event. It does so at once, whatever any
 * thread is doing. A full queue drops and counts the signal, or drops its oldest item with overflow
 * 'drop-oldest'; a closed queue drops the signal. The source lives until `detach()` or the end of
 * this thread.
 *
 * Throws `TypeError` `ERR_INVALID_ARG_VALUE` for signals that can't be caught and returned from,
 * `ERR_INVALID_ARG_TYPE` for other targets, and `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` on Windows.
 *
 * @example
 * const signals = new ThreadSafeQueue(1000, { type: signalInfo })
 * const source = attachSignal('SIGUSR2', signals)
 * for await (const { pid, timestamp } of signals) console.log(pid, timestamp)
 */
export function attachSignal(signal: SignalName | number, target: SignalTarget, options?: SignalOptions): SignalSource {
  requirePosix('attachSignal')
  checkObject('options', options)
  const { inspectorSignal = false } = options ?? {}
  if (typeof inspectorSignal !== 'boolean') throw invalidType('options.inspectorSignal', 'a boolean', inspectorSignal)
  const signo = catchableSignal(signal, inspectorSignal)
  const view = checkTarget(target)
  return new AttachedSignal(signo, 'sigaction', () => native.attachSignal(signo, view))
}

/**
 * libuv ignores a handler that was there before its own. With the first `process.on()` for a signal
 * it replaces that handler, and with the last `process.off()` it restores the default action. Node
 * does so in the 'newListener' and 'removeListener' events. So a listener that runs before Node's
 * remembers the handler, and one that runs after Node's puts it back, together with libuv's. Only
 * the main thread can have such listeners.
 */
if (isNode) native.followLibuv()
if (isNode && isMainThread && process.platform !== 'win32' && !native.watchesListeners) {
  native.watchesListeners = true
  const before = (event: string | symbol): void => {
    const signo = namedSignal(event)
    if (signo !== undefined) native.willListen(signo)
  }
  const after = (event: string | symbol, listens: boolean): void => {
    const signo = namedSignal(event)
    if (signo !== undefined) native.hasListened(signo, listens)
  }
  const emitter: NodeJS.EventEmitter = process
  for (const event of emitter.eventNames()) after(event, true)
  emitter.prependListener('newListener', before)
  emitter.prependListener('removeListener', before)
  emitter.on('newListener', (event: string | symbol) => after(event, true))
  emitter.on('removeListener', (event: string | symbol) => after(event, emitter.listenerCount(event) > 0))
}

/**
 * The signal that all timers share, since each tick says which timer it is for. Nothing else is
 * known to use it.
 */
const TIMER_SIGNAL = native.firstRealtimeSignal + 12

const NANOSECONDS = 1000
const SHORTEST_MICROSECONDS = 1
const LONGEST_MICROSECONDS = 2 ** 53 / NANOSECONDS
/**
 * The shortest interval, in microseconds, for a thread that has other work: a timer faster than its
 * handler would leave that thread no time.
 */
const SHORTEST_IN_LOOP = 50

const NANOSECONDS_PER_MILLISECOND = 1e6

/** Options of `new SignalTimer()`. */
export interface SignalTimerOptions {
  /** A real-time signal to use instead of the one that all timers share. */
  signal?: SignalName | number | undefined
  /**
   * The thread that the ticks interrupt: one of the package's own, or the thread of the event loop
   * that makes the timer. The handler works the same in both. In `'loop'` it also interrupts
   * JavaScript, and system calls of addons; the interval is at least 50 microseconds then.
   */
  thread?: 'own' | 'loop' | undefined
  /**
   * A word in shared memory for watching a thread. That thread stores `process.hrtime.bigint()`
   * there again and again, with `Atomics.store()`. The handler looks at it on each tick, and
   * delivers a signal only when the time is older than `olderThan`: once for each time that is
   * written. The signal's `value` is the age in microseconds. While the word is 0, nothing is
   * delivered.
   */
  heartbeat?: BigUint64Array | BigInt64Array | undefined
  /** The greatest age of the heartbeat, in milliseconds. */
  olderThan?: number | undefined
}

const HEARTBEAT_BYTES = 8

interface Watched {
  view: Uint8Array
  nanoseconds: number
}

/** Checks that the heartbeat's memory can't be taken away while a handler looks at it. */
function checkHeartbeat(heartbeat: unknown, olderThan: unknown): Watched | undefined {
  if (heartbeat === undefined) {
    if (olderThan !== undefined) throw invalidValue('options.olderThan', 'given together with options.heartbeat', olderThan)
    return undefined
  }
  const isWord = types.isBigUint64Array(heartbeat) || types.isBigInt64Array(heartbeat)
  // The view's place and length are read once, by the built-in accessors, since user code may
  // override its properties.
  const [buffer, byteOffset] = isWord ? placeOf(heartbeat, 0) : []
  if (!isWord || !types.isSharedArrayBuffer(buffer)) {
    throw invalidType('options.heartbeat', 'a BigUint64Array or BigInt64Array over a SharedArrayBuffer', heartbeat)
  }
  if (elementsOf(heartbeat) === 0) throw invalidValue('options.heartbeat', 'at least one element long', heartbeat)
  if (typeof olderThan !== 'number') throw invalidType('options.olderThan', 'a number', olderThan)
  const longest = Math.floor(LONGEST_MICROSECONDS / 1000)
  if (!(olderThan > 0 && olderThan <= longest)) throw outOfRange('options.olderThan', `> 0 and <= ${longest}`, olderThan)
  const view = new Uint8Array(buffer, byteOffset, HEARTBEAT_BYTES)
  return { view, nanoseconds: Math.round(olderThan * NANOSECONDS_PER_MILLISECOND) }
}

/**
 * A kernel timer that fires a real-time signal every so many microseconds, on the monotonic clock.
 * The signal's handler puts a `SignalInfo` into the queue, or sets the event. It runs in a thread
 * of the package's own, so ticks come whatever JavaScript is doing. How late a tick comes is up to
 * the system's scheduler, but delays do not add up: each is due a whole number of intervals after
 * the start. Ticks that the kernel merged are counted in `overrun`. Linux only.
 *
 * @example
 * const ticks = new ThreadSafeQueue(1000, { type: signalInfo })
 * const timer = new SignalTimer(1000, ticks)
 * for await (const { timestamp, overrun } of ticks) sample(timestamp, overrun)
 */
export class SignalTimer extends Source {
  /** The heartbeat given in the options. */
  readonly heartbeat: BigUint64Array | BigInt64Array | undefined

  /**
   * Starts a timer that fires every `intervalMicroseconds`. Throws `RangeError` `ERR_OUT_OF_RANGE`
   * for an interval that is too short or too long, `TypeError` for wrong targets and options, and
   * `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where there are no real-time signals.
   */
  constructor(intervalMicroseconds: number, target: SignalTarget, options?: SignalTimerOptions) {
    requirePosix('SignalTimer')
    if (native.firstRealtimeSignal === 0) {
      throw withCode(
        new Error('SignalTimer is not available on this system, which has no real-time signals'),
        'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
      )
    }
    if (typeof intervalMicroseconds !== 'number') throw invalidType('intervalMicroseconds', 'a number', intervalMicroseconds)
    checkObject('options', options)
    const thread: unknown = options?.thread ?? 'own'
    if (thread !== 'own' && thread !== 'loop') throw invalidValue('options.thread', "'own' or 'loop'", thread)
    const shortest = thread === 'loop' ? SHORTEST_IN_LOOP : SHORTEST_MICROSECONDS
    if (!(intervalMicroseconds >= shortest && intervalMicroseconds <= LONGEST_MICROSECONDS)) {
      throw outOfRange('intervalMicroseconds', `>= ${shortest} and <= ${Math.floor(LONGEST_MICROSECONDS)}`, intervalMicroseconds)
    }
    const signo = options?.signal === undefined ? TIMER_SIGNAL : signalNumber('options.signal', options.signal)
    if (signo < native.firstRealtimeSignal) throw invalidValue('options.signal', 'a real-time signal', options?.signal)
    const heartbeat = options?.heartbeat
    const watched = checkHeartbeat(heartbeat, options?.olderThan)
    const nanoseconds = Math.round(intervalMicroseconds * NANOSECONDS)
    const view = checkTarget(target)
    super(signo, 'timer_create', () =>
      native.attachTimer(signo, view, nanoseconds, thread === 'loop', watched?.view, watched?.nanoseconds ?? 0),
    )
    this.heartbeat = heartbeat
  }

  /** Ends the timer. Calling it twice is no error. */
  stop(): void {
    this.end()
  }

  /** The same as `stop()`. */
  detach(): void {
    this.end()
  }
}

/**
 * Sends a signal to a process, with a value for its handler, by sigqueue(3). Throws the system's
 * error, such as `ESRCH`, or `EAGAIN` when too many real-time signals are queued. A value needs
 * real-time signals, which macOS lacks: there it throws `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`.
 *
 * @example
 * sendSignal(process.pid, 'SIGRTMIN+3', 42)
 */
export function sendSignal(pid: number, signal: SignalName | number, value?: number): void {
  requirePosix('sendSignal')
  if (typeof pid !== 'number') throw invalidType('pid', 'a number', pid)
  if (!Number.isInteger(pid) || pid < 1 || pid > 2 ** 31 - 1) throw outOfRange('pid', 'a whole number from 1 up to 2147483647', pid)
  const signo = signalNumber('signal', signal)
  if (value !== undefined) {
    if (typeof value !== 'number') throw invalidType('value', 'a number', value)
    if (!Number.isInteger(value) || value !== (value | 0)) throw outOfRange('value', 'a 32-bit whole number', value)
    if (native.firstRealtimeSignal === 0) {
      throw withCode(new Error('sendSignal with a value is not available on this system'), 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM')
    }
  }
  const errno = native.sendSignal(pid, signo, value)
  if (errno !== 0) throw systemError('sigqueue', errno)
}
