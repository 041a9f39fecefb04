/**
 * `for await` over a record or a message gives the newest value each time there is a later version.
 */
import { Call } from '../wait/call.js'
import { done, FOR_EVER, RETURNED } from '../wait/iteration.js'
import type { Liveness } from '../wait/loop.js'
import { VersionPlace, type Versions } from './versions.js'

/** A `next()` that waits. */
class NextCall extends Call {
  readonly #over: () => void

  constructor(over: () => void) {
    super()
    this.#over = over
  }

  override fail(reason: unknown): void {
    if (reason === RETURNED) this.resolve(done(undefined))
    else super.fail(reason)
  }

  override finish(): void {
    this.#over()
    super.finish()
  }
}

/** A value and its version. */
export interface Versioned<T> {
  readonly value: T
  readonly version: number
}

export class VersionIterator<T> implements AsyncIterableIterator<T> {
  readonly #versions: Versions
  readonly #liveness: Liveness
  readonly #read: () => Versioned<T>
  /** The `next()` that waits. */
  #waiting: NextCall | undefined
  /** The last `next()`. Each one starts when the one before it is over. */
  #last: Promise<IteratorResult<T, undefined>> | undefined
  #behind = 0
  /** The version that was given last. */
  #since: number
  #ended = false

  /** Begins with the version after `since`. */
  constructor(versions: Versions, since: number, liveness: Liveness, read: () => Versioned<T>) {
    this.#versions = versions
    this.#since = since
    this.#liveness = liveness
    this.#read = read
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (!this.#last || (!this.#waiting && this.#behind === 0)) return (this.#last = this.#step())
    this.#behind++
    const step = (): Promise<IteratorResult<T, undefined>> => {
      this.#behind--
      return this.#step()
    }
    return (this.#last = this.#last.then(step, step))
  }

  #step(): Promise<IteratorResult<T, undefined>> {
    if (this.#ended) return Promise.resolve(done(undefined))
    try {
      if (this.#versions.mayTakeNow(this.#since)) return Promise.resolve(this.#take())
      // A call may be finished once more when it is tidied up; the next one may wait by then.
      const call = new NextCall(() => {
        if (this.#waiting === call) this.#waiting = undefined
      })
      const place = new VersionPlace(call, this.#since, this.#liveness, () => this.#take())
      this.#waiting = call
      return this.#versions.waitIn(place, FOR_EVER) as Promise<IteratorResult<T, undefined>>
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  /** Ends the iteration with that value. A pending `next()` resolves as done. */
  async return<Value>(value?: Value | PromiseLike<Value>): Promise<IteratorResult<T, Value>> {
    this.#end()
    return done((await value) as Value)
  }

  /** Ends the iteration and rejects with the error. */
  throw(error?: unknown): Promise<never> {
    this.#end()
    return Promise.reject(error)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #take(): IteratorYieldResult<T> {
    const { value, version } = this.#read()
    this.#since = version
    return { value, done: false }
  }

  #end(): void {
    this.#ended = true
    this.#waiting?.cancel(RETURNED)
  }
}
