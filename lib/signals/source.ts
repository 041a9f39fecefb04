import type { InspectOptions } from 'node:util'
import { invalidType } from '../errors.js'
import { channelOfEvent, ThreadSafeEvent } from '../event.js'
import { INSPECT, inspectAs } from '../inspect.js'
import { Liveness } from '../wait/loop.js'
import { native, type SourceCounts } from '../addon/native.js'
import { checkObject } from '../wait/options.js'
import type { ElementType } from '../codec/element-type.js'
import { RecordType } from '../codec/record-type.js'
import { type SignalInfo, signalInfo } from './info.js'
import './listeners.js'
import { catchableSignal, signalName, type SignalName } from './number.js'
import { requirePosix, systemError } from './posix.js'
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

function checkOfInfo(what: string, { type, view }: { readonly type: ElementType; readonly view: Uint8Array }): Uint8Array {
  if (!(type instanceof RecordType && type.equals(signalInfo))) throw invalidType('target', `${what} of the type signalInfo`, type)
  return view
}

export function checkTarget(target: unknown): Uint8Array {
  if (target instanceof ThreadSafeEvent) return channelOfEvent(target).view
  if (target instanceof ThreadSafeQueue) return checkOfInfo('a queue', channelOfQueue(target))
  if (target instanceof Message) return checkOfInfo('a message', versionsOfMessage(target))
  if (target instanceof SharedRecord) return checkOfInfo('a record', versionsOfRecord(target))
  throw invalidType('target', 'a ThreadSafeQueue, a ThreadSafeEvent, a Message or a SharedRecord', target)
}

function statsOf({ delivered, dropped }: SourceCounts, installed: boolean): SignalStats {
  return { received: delivered + dropped, delivered, dropped, installed }
}

export abstract class Source implements Disposable {
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
