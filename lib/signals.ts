import { getSystemErrorName } from 'node:util'
import { invalidType, invalidValue, outOfRange, withCode } from './errors.js'
import { ThreadSafeEvent } from './event.js'
import { Liveness } from './loop.js'
import { native, type SourceCounts } from './native.js'
import { checkObject } from './options.js'
import { ThreadSafeQueue } from './queue.js'
import { RecordType } from './record.js'
import { type SignalInfo, signalInfo } from './signal-info.js'
import { catchableSignal, signalName, signalNumber } from './signal-number.js'

export type SignalTarget = ThreadSafeQueue<SignalInfo> | ThreadSafeEvent

export interface SignalOptions {
  /** Attach to SIGUSR1, although Node starts its inspector with it. */
  inspectorSignal?: boolean
}

export interface SignalStats {
  /** Signals that the handler has dealt with: delivered + dropped. */
  received: number
  /** Put into the queue, or set the event. */
  delivered: number
  /** Lost, as the queue was full or closed. */
  dropped: number
}

export interface SignalSource extends Disposable {
  /** The signal's name. */
  readonly signal: string
  /** Ends the source; the handler that was there before is back. Twice is no error. */
  detach(): void
  stats(): SignalStats
  /** The source keeps the process alive. It does not, at first. */
  ref(): this
  unref(): this
}

function systemError(call: string, errno: number): Error {
  const code = getSystemErrorName(-errno)
  return Object.assign(withCode(new Error(`${call} ${code}`), code), { errno: -errno, syscall: call })
}

function requirePosix(what: string): void {
  if (process.platform !== 'win32') return
  throw withCode(new Error(`${what} is not available on Windows, which has no POSIX signals`), 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM')
}

function checkTarget(target: unknown): Uint8Array {
  if (target instanceof ThreadSafeEvent) return target.view
  if (!(target instanceof ThreadSafeQueue)) throw invalidType('target', 'a ThreadSafeQueue or a ThreadSafeEvent', target)
  if (!(target.type instanceof RecordType && target.type.equals(signalInfo))) {
    throw invalidType('target', 'a queue of the type signalInfo', target.type)
  }
  return target.view
}

/** Attached sources of this thread: their targets' memory must stay, which the views keep, also when nothing else refers to it. */
const attached = new Set<Source>()

function statsOf({ delivered, dropped }: SourceCounts): SignalStats {
  return { received: delivered + dropped, delivered, dropped }
}

abstract class Source implements Disposable {
  readonly signal: string
  readonly view: Uint8Array
  readonly #number: number
  readonly #liveness = new Liveness(false)
  #finalStats: SignalStats | undefined

  constructor(view: Uint8Array, signo: number, call: string, attach: (view: Uint8Array) => number) {
    const number = attach(view)
    if (number < 0) throw systemError(call, -number)
    this.signal = signalName(signo)
    this.view = view
    this.#number = number
    attached.add(this)
    this.#liveness.begin()
  }

  stats(): SignalStats {
    if (this.#finalStats) return { ...this.#finalStats }
    return statsOf(native.sourceCounts(this.#number))
  }

  ref(): this {
    if (!this.#finalStats) this.#liveness.reference(true)
    return this
  }

  unref(): this {
    if (!this.#finalStats) this.#liveness.reference(false)
    return this
  }

  [Symbol.dispose](): void {
    this.end()
  }

  /** @internal */
  end(): void {
    if (this.#finalStats) return
    this.#finalStats = statsOf(native.detachSource(this.#number))
    attached.delete(this)
    this.#liveness.end()
  }
}

class AttachedSignal extends Source implements SignalSource {
  detach(): void {
    this.end()
  }
}

/**
 * From now on that signal, sent to this process or to any thread of it, is put into the queue as a `SignalInfo`, or sets the event, by
 * a signal handler: at once, whatever any thread is doing. A full queue drops and counts it, or lets the oldest go if its overflow is
 * 'drop-oldest'; a closed one drops it. The source lives until `detach()` or the end of this thread.
 *
 * Throws `TypeError` `ERR_INVALID_ARG_VALUE` for signals that can't be caught and returned from, `ERR_INVALID_ARG_TYPE` for other
 * targets, and `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` on Windows.
 *
 * @example
 * const signals = new ThreadSafeQueue<SignalInfo>(1000, { type: signalInfo })
 * const source = attachSignal('SIGUSR2', signals)
 * for await (const { pid, timestamp } of signals) console.log(pid, timestamp)
 */
export function attachSignal(signal: NodeJS.Signals | (string & {}) | number, target: SignalTarget, options?: SignalOptions): SignalSource {
  requirePosix('attachSignal')
  checkObject('options', options)
  const { inspectorSignal = false } = options ?? {}
  if (typeof inspectorSignal !== 'boolean') throw invalidType('options.inspectorSignal', 'a boolean', inspectorSignal)
  const signo = catchableSignal(signal, inspectorSignal)
  return new AttachedSignal(checkTarget(target), signo, 'sigaction', (view) => native.attachSignal(signo, view))
}

/** All timers may share one signal, since each tick says which timer it is for; it is one that nothing else is known to use. */
const TIMER_SIGNAL = native.firstRealtimeSignal + 12

const NANOSECONDS = 1000
const SHORTEST_MICROSECONDS = 1
const LONGEST_MICROSECONDS = 2 ** 53 / NANOSECONDS

/**
 * A timer of the kernel's, which fires a real-time signal every so many microseconds, on the monotonic clock; its handler puts a
 * `SignalInfo` into the queue, or sets the event. It runs in a thread of the package's own, so ticks come whatever JavaScript is doing; how late is up to the system's scheduler. Ticks
 * that the kernel merged are counted in `overrun`. Linux only.
 *
 * @example
 * const ticks = new ThreadSafeQueue<SignalInfo>(1000, { type: signalInfo })
 * const timer = new SignalTimer(1000, ticks)
 * for await (const { timestamp, overrun } of ticks) sample(timestamp, overrun)
 */
export class SignalTimer extends Source {
  constructor(intervalMicroseconds: number, target: SignalTarget, options?: { signal?: string | number }) {
    requirePosix('SignalTimer')
    if (native.firstRealtimeSignal === 0) {
      throw withCode(
        new Error('SignalTimer is not available on this system, which has no real-time signals'),
        'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
      )
    }
    if (typeof intervalMicroseconds !== 'number') throw invalidType('intervalMicroseconds', 'a number', intervalMicroseconds)
    if (!(intervalMicroseconds >= SHORTEST_MICROSECONDS && intervalMicroseconds <= LONGEST_MICROSECONDS)) {
      throw outOfRange(
        'intervalMicroseconds',
        `>= ${SHORTEST_MICROSECONDS} and <= ${Math.floor(LONGEST_MICROSECONDS)}`,
        intervalMicroseconds,
      )
    }
    checkObject('options', options)
    const signo = options?.signal === undefined ? TIMER_SIGNAL : signalNumber('options.signal', options.signal)
    if (signo < native.firstRealtimeSignal) throw invalidValue('options.signal', 'a real-time signal', options?.signal)
    const nanoseconds = Math.round(intervalMicroseconds * NANOSECONDS)
    super(checkTarget(target), signo, 'timer_create', (view) => native.attachTimer(signo, view, nanoseconds))
  }

  /** Ends the timer. Twice is no error. */
  stop(): void {
    this.end()
  }

  /** The same as `stop()`. */
  detach(): void {
    this.end()
  }
}

/**
 * Sends a signal to a process, with a value that its handler gets: sigqueue(3). Throws the system's error, such as `ESRCH`, or `EAGAIN` when
 * too many real-time signals are queued. A value needs real-time signals, which macOS lacks: there it throws
 * `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`.
 *
 * @example
 * sendSignal(process.pid, 'SIGRTMIN+3', 42)
 */
export function sendSignal(pid: number, signal: NodeJS.Signals | (string & {}) | number, value?: number): void {
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
