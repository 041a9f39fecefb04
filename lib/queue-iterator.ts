import type { Channel, GetWaiter, Take } from './channel.js'
import { QueueClosedError } from './errors.js'
import type { Liveness } from './loop.js'
import { NOTHING } from './transport.js'

const PATIENCE = { signal: undefined, timeout: Infinity }

/** The reason with which return() ends a pending next(). */
const RETURNED = Symbol('returned')

function done(): IteratorReturnResult<undefined> {
  return { value: undefined, done: true }
}

/** What `for await` goes through. It takes an item only in answer to `next()`, so leaving the loop loses none. */
export class QueueIterator<T> implements AsyncIterableIterator<T> {
  readonly #channel: Channel
  readonly #liveness: Liveness
  readonly #take: Take
  readonly #pending = new Set<GetWaiter>()
  #returned = false

  constructor(channel: Channel, liveness: Liveness, take: Take) {
    this.#channel = channel
    this.#take = take
    this.#liveness = liveness
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#returned) return Promise.resolve(done())
    try {
      const item = this.#channel.takeAtOnce(this.#take)
      return item === NOTHING ? this.#wait() : Promise.resolve({ value: item as T, done: false })
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  /** Ends the iteration; each pending `next()` is done, and has taken nothing. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#returned = true
    for (const waiter of this.#pending) this.#channel.cancelGet(waiter, RETURNED)
    return Promise.resolve(done())
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #wait(): Promise<IteratorResult<T, undefined>> {
    const waiter = this.#channel.waitToGet(this.#take, PATIENCE, this.#liveness)
    this.#pending.add(waiter)
    try {
      return { value: (await waiter.promise) as T, done: false }
    } catch (reason) {
      if (reason !== RETURNED && !(reason instanceof QueueClosedError)) throw reason
      this.#returned = true
      return done()
    } finally {
      this.#pending.delete(waiter)
    }
  }
}
