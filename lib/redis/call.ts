/** A call that waits for the server: it settles once, by its result, its signal, or its timeout. */
import { clearTimeout, setTimeout } from 'node:timers'
import { type Named, TimeoutError } from '../errors.js'
import type { Patience } from '../wait/options.js'

/** Milliseconds for which a call whose time is over waits for the reply that decides it. */
const GRACE = 1000

/** The patience of a put that tries once: it lasts for as long as it should take to be its turn. */
export function forOneTry(patience: Patience): Patience {
  return patience.timeout === 0 ? { ...patience, timeout: GRACE } : patience
}

export class PendingCall<R> {
  readonly promise: Promise<R>
  settled = false
  /** The error that ends it, once that may be: what is under way on the server comes first. */
  failure: { readonly error: unknown; readonly isTimeout: boolean } | undefined
  /** Called when the signal or the timeout has ended it. */
  onFailure: () => void = () => undefined
  #resolve!: (result: R) => void
  #reject!: (error: unknown) => void
  readonly #signal: AbortSignal | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor({ signal, timeout }: Patience, queue: Named) {
    this.promise = new Promise<R>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#signal = signal
    signal?.addEventListener('abort', this.#aborted, { once: true })
    // The codec is the user's: it may have aborted the signal after that was looked at.
    if (signal?.aborted) queueMicrotask(this.#aborted)
    if (timeout !== Infinity) {
      this.#timer = setTimeout(() => this.#fail(new TimeoutError(timeout, queue), true), Math.min(timeout, 2 ** 31 - 1))
    }
  }

  readonly #aborted = (): void => this.#fail(this.#signal?.reason, false)

  #fail(error: unknown, isTimeout: boolean): void {
    if (this.settled || this.failure) return
    this.failure = { error, isTimeout }
    this.onFailure()
  }

  /** Runs it if the reply that decides about this call, which is to fail, does not come in time. */
  afterGrace(fail: () => void): void {
    if (this.settled) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(fail, GRACE)
  }

  resolve(result: R): void {
    if (this.#settle()) this.#resolve(result)
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#reject(error)
  }

  #settle(): boolean {
    if (this.settled) return false
    this.settled = true
    this.#signal?.removeEventListener('abort', this.#aborted)
    clearTimeout(this.#timer)
    return true
  }
}
