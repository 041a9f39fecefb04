/** A call that waits for the server: it settles once, by its result, its signal, or its timeout. */
import { clearTimeout, setTimeout } from 'node:timers'
import { type Named, TimeoutError } from '../errors.js'
import type { Patience } from '../wait/options.js'

/** Milliseconds for which a call whose time is over waits for the reply that decides it. */
export const GRACE = 1000
/** The most milliseconds that a timer of Node can be set to, 24.8 days. */
const LONGEST_TIMER = 2 ** 31 - 1

export class PendingCall<R> {
  readonly promise: Promise<R>
  settled = false
  /** The error that it will reject with, unless a reply that is under way decides otherwise. */
  failure: { readonly error: unknown; readonly isTimeout: boolean } | undefined
  /** Called when its signal is aborted or its time is over. It rejects when its owner says so. */
  onFailure: () => void = () => undefined
  #resolve!: (result: R) => void
  #reject!: (error: unknown) => void
  readonly #signal: AbortSignal | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  /** `limit`: milliseconds after which its time is over, if that is not the timeout. */
  constructor({ signal, timeout }: Patience, queue: Named, limit: number = timeout) {
    this.promise = new Promise<R>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#signal = signal
    signal?.addEventListener('abort', this.#aborted, { once: true })
    // The codec is the user's: it may have aborted the signal after that was looked at.
    if (signal?.aborted) queueMicrotask(this.#aborted)
    if (limit !== Infinity) this.#setTimer(limit, () => this.#fail(new TimeoutError(timeout, queue), true))
  }

  /** Sets the timer again for what is left of a time that it can't be set to at once. */
  #setTimer(milliseconds: number, end: () => void): void {
    const left = milliseconds - LONGEST_TIMER
    this.#timer = left > 0 ? setTimeout(() => this.#setTimer(left, end), LONGEST_TIMER) : setTimeout(end, milliseconds)
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
