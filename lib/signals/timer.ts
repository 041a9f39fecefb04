/** Kernel timers as signal sources. */
import { types } from 'node:util'
import { native } from '../addon/native.js'
import { elementsOf, placeOf } from '../codec/view.js'
import { invalidType, invalidValue, outOfRange, withCode } from '../errors.js'
import { checkObject } from '../wait/options.js'
import { type SignalName, signalNumber } from './number.js'
import { requirePosix } from './posix.js'
import { checkTarget, type SignalTarget, Source } from './source.js'

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
