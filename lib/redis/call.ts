/** A call that waits for the server: it settles once, by its result, its signal, or its timeout. */
import { clearTimeout, setTimeout } from 'node:timers'
import { TimeoutError } from '../errors.js'
import type { Patience } from '../wait/options.js'

interface NamedQueue {
  readonly name: string
  readonly capacity: number
}

export class PendingCall<R> {
  readonly promise: Promise<R>
  settled = false
  /** The error that ends it, once that may be: what is under way on the server comes first. */
  failure: { readonly error: unknown } | undefined
  /** Called when the signal or the timeout has ended it. */
  onFailure: () => void = () => undefined
  #resolve!: (result: R) => void
  #reject!: (error: unknown) => void
  readonly #signal: AbortSignal | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor({ signal, timeout }: Patience, queue: NamedQueue) {
    this.promise = new Promise<R>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#signal = signal
    signal?.addEventListener('abort', this.#aborted, { once: true })
    // The codec is the user's: it may have aborted the signal after that was looked at.
    if (signal?.aborted) queueMicrotask(this.#aborted)
    if (timeout !== Infinity) {
      this.#timer = setTimeout(() => this.#fail(new TimeoutError(timeout, queue)), Math.min(timeout, 2 ** 31 - 1))
    }
  }

  readonly #aborted = (): void => this.#fail(this.#signal?.reason)

  #fail(error: unknown): void {
    if (this.settled || this.failure) return
    this.failure = { error }
    this.onFailure()
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
