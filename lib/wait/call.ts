/**
 * An asynchronous call that waits, in one line (line.ts) or several. See loop.ts for what may stop
 * it in the middle.
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
 * The functions that settle the promise that was made last. One executor serves all promises, since
 * a closure for each would live as long as its promise.
 */
let remembered: Settle | undefined

function remember(fulfil: (value: unknown) => void, reject: (reason: unknown) => void): void {
  remembered = { fulfil, reject }
}

/**
 * A call that waits in one line, or (select.ts) in several. It is given its outcome first, and
 * leaves its lines, timer and signal then. So the caller has the outcome even if something throws,
 * or stops us, while the call leaves.
 */
export class Call implements Held {
  readonly promise: Promise<unknown>
  /** The places where it waits, a list linked by `sibling`. */
  places: Standing | undefined
  /**
   * Whether it has its outcome. Set before the promise is settled, since that may run user code,
   * which finds the call still in its line.
   */
  settled = false
  #outcome: unknown
  #rejected = false
  /** Whether the promise has the outcome too. Settling it may throw where the stack is full. */
  #told = false
  /**
   * Undefined if the stack was too full to call the executor. The promise exists all the same, and
   * is rejected.
   */
  readonly #settle: Settle | undefined
  /** Whether the caller has been given the promise. */
  #returned = false
  #cancelled: { readonly reason: unknown } | undefined
  /** The queue it waits for, which errors name. */
  readonly #queue: Named | undefined
  #timeout = 0
  #deadline: Deadline | undefined
  #signal: AbortSignal | undefined
  #listener: (() => void) | undefined
  /**
   * Whether it fails with the signal's reason. The reason is the user's, so its stack is left
   * alone, even if it is an error of this package.
   */
  #aborted = false

  constructor(queue?: Named) {
    this.#queue = queue
    this.promise = new Promise(remember)
    this.#settle = remembered
    remembered = undefined
  }

  /**
   * Waits until the caller's patience ends; `enter` puts the call where it waits. If the signal
   * throws on being listened to, this throws the same, and nothing is left of the call.
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
      // Listening runs user code if the signal has any, and that may abort.
      if (!this.settled) enter()
    } catch (error) {
      if (!this.settled) {
        this.drop()
        throw error
      }
      // The call has its outcome, and repair() does what is left to do.
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
    // While the call is being made, the error's stack is that of the caller already.
    else if (this.#returned && !this.#aborted && outcome instanceof ThreadSafeError) fulfil(retold(outcome))
    else reject(outcome)
    this.#told = true
  }

  /** Called when the call can't do what it is for. */
  fail(reason: unknown): void {
    this.reject(reason)
  }

  /** Ends the call with that reason, unless it has its outcome already. */
  cancel(reason: unknown): void {
    if (this.settled) return
    this.#cancelled = { reason }
    hold(this)
    this.fail(reason)
  }

  /** Looks once more, since what is there by now counts, and then times out. */
  expire(): void {
    for (let place = this.places; place && !this.settled; place = place.sibling) place.look()
    this.cancel(new TimeoutError(this.#timeout, this.#queue))
  }

  repair(): void {
    if (!this.#returned) {
      this.drop()
    } else if (this.settled) {
      if (!this.#told) this.#tell()
      this.finish()
    } else if (this.#cancelled) {
      this.fail(this.#cancelled.reason)
    }
  }

  /** Takes the call out of all lines, and removes its timer and listener. May be called again. */
  finish(): void {
    for (let place = this.places; place; place = place.sibling) place.leave()
    if (this.#deadline) clearDeadline(this.#deadline)
    this.#deadline = undefined
    if (this.#listener) this.#unlisten(this.#listener)
  }

  /** Called if the caller never gets the promise. */
  protected drop(): void {
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
    // The signal may already be aborted here. That abort is reported later, possibly after the call
    // has settled.
    addAbortListener(signal, this.#listener)
  }

  // Does not use the disposable that addAbortListener() returns, since Symbol.dispose may be
  // missing in a context of node:vm.
  #unlisten(listener: () => void): void {
    this.#listener = undefined
    try {
      this.#signal?.removeEventListener('abort', listener)
    } catch {
      // The signal has a removeEventListener() of its own. The call has its outcome, so the
      // listener does nothing any more.
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
