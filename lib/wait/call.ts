/**
 * An asynchronous call that waits, in one line (line.ts) or several. What may stop it in the middle
 * is told in loop.ts.
 */
import { addAbortListener } from 'node:events'
import { type Named, retold, ThreadSafeError, TimeoutError } from '../errors.js'
import { clearDeadline, type Deadline, type Held, hold, needDoorbell, setDeadline } from './loop.js'
import type { Patience } from './options.js'
import type { Standing } from './place.js'

interface Settle {
  fulfil(value: unknown): void
  reject(reason: unknown): void
}

/**
 * Of the promise that was made last: one function for all of them, as each of its own would be kept
 * as long as the promise.
 */
let remembered: Settle | undefined

function remember(fulfil: (value: unknown) => void, reject: (reason: unknown) => void): void {
  remembered = { fulfil, reject }
}

/**
 * A call that waits in one line, or (select.ts) in several. It has its outcome first, and is taken
 * out of everything then: nothing that throws, or stops us, while that is done keeps the outcome
 * from the caller.
 */
export class Call implements Held {
  readonly promise: Promise<unknown>
  /** Where it waits, a list that goes on by `sibling`. */
  places: Standing | undefined
  /**
   * Whether it has its outcome. Said before the promise has it, since that may run code of others,
   * which finds the call in its line.
   */
  settled = false
  #outcome: unknown
  #rejected = false
  /** Whether the promise has it too: where the stack is full, even that may throw. */
  #told = false
  /**
   * Undefined where the stack had no room for the function that the promise is made with: it is a
   * promise all the same, and rejected.
   */
  readonly #settle: Settle | undefined
  /** Whether its caller has the promise. */
  #returned = false
  #cancelled: { readonly reason: unknown } | undefined
  /** Of the queue it waits for, which errors name. */
  readonly #queue: Named | undefined
  #timeout = 0
  #deadline: Deadline | undefined
  #signal: AbortSignal | undefined
  #listener: (() => void) | undefined
  /**
   * Whether it fails with the signal's reason. That is the user's: an error of this package, from
   * elsewhere, is left as it is.
   */
  #aborted = false

  constructor(queue?: Named) {
    this.#queue = queue
    this.promise = new Promise(remember)
    this.#settle = remembered
    remembered = undefined
  }

  /**
   * Waits until the caller's patience ends; `enter` puts the call where it waits. Throws what the
   * signal throws that can't be listened to, and then nothing is left of the call.
   */
  wait({ signal, timeout }: Patience, enter: () => void): Promise<unknown> {
    if (!this.#settle) return this.promise
    needDoorbell()
    hold(this)
    try {
      if (timeout !== Infinity) {
        this.#timeout = timeout
        this.#deadline = setDeadline(this, timeout)
      }
      if (signal) this.#listen(signal)
      // Listening runs code of others if the signal has any, and that may abort.
      if (!this.settled) enter()
    } catch (error) {
      if (!this.settled) {
        this.#drop()
        throw error
      }
      // It has its outcome, and repair() does what is left to do.
    }
    this.#returned = true
    return this.promise
  }

  resolve(value: unknown): void {
    this.settled = true
    this.#outcome = value
    this.#tell()
    this.finish()
  }

  reject(reason: unknown): void {
    this.settled = true
    this.#outcome = reason
    this.#rejected = true
    this.#tell()
    this.finish()
  }

  #tell(): void {
    const { fulfil, reject } = this.#settle as Settle
    const outcome = this.#outcome
    if (!this.#rejected) fulfil(outcome)
    // While the call is made, the stack is its caller's.
    else if (this.#returned && !this.#aborted && outcome instanceof ThreadSafeError) fulfil(retold(outcome))
    else reject(outcome)
    this.#told = true
  }

  /** What comes of it when it can't do what it is for. */
  fail(reason: unknown): void {
    this.reject(reason)
  }

  /** Does nothing to a call that has its outcome already. */
  cancel(reason: unknown): void {
    if (this.settled) return
    this.#cancelled = { reason }
    hold(this)
    this.fail(reason)
  }

  /** Looks once more: what is there by now counts. */
  expire(): void {
    for (let place = this.places; place && !this.settled; place = place.sibling) place.look()
    this.cancel(new TimeoutError(this.#timeout, this.#queue))
  }

  repair(): void {
    if (!this.#returned) {
      this.#drop()
    } else if (this.settled) {
      if (!this.#told) this.#tell()
      this.finish()
    } else if (this.#cancelled) {
      this.fail(this.#cancelled.reason)
    }
  }

  /** Out of all lines, without timer and listener. May be called again. */
  finish(): void {
    for (let place = this.places; place; place = place.sibling) place.leave()
    if (this.#deadline) clearDeadline(this.#deadline)
    this.#deadline = undefined
    if (this.#listener) this.#unlisten(this.#listener)
  }

  #drop(): void {
    this.settled = true
    this.finish()
  }

  #listen(signal: AbortSignal): void {
    this.#signal = signal
    this.#listener = () => {
      if (this.settled) return
      this.#aborted = true
      this.cancel(reasonOf(signal))
    }
    // A signal that has just been aborted tells later, when the call may have its outcome.
    addAbortListener(signal, this.#listener)
  }

  // Not by what addAbortListener() returns, whose method is Symbol.dispose: in a context of node:vm
  // that may be missing.
  #unlisten(listener: () => void): void {
    this.#listener = undefined
    try {
      this.#signal?.removeEventListener('abort', listener)
    } catch {
      // A signal may have a way of its own to lose listeners. The call has its outcome, and this
      // one does nothing any more.
    }
  }
}

function reasonOf(signal: AbortSignal): unknown {
  try {
    return signal.reason
  } catch (error) {
    return error
  }
}
