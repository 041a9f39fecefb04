import type { Channel } from './channel.js'
import type { Take } from './lines.js'
import { QueueClosedError } from '../errors.js'
import type { Liveness } from '../wait/loop.js'
import { CLOSED } from '../lane/lane.js'
import { NOTHING } from '../wait/selectable.js'
import { Call } from '../wait/call.js'
import { done, FOR_EVER, RETURNED } from '../wait/iteration.js'
import { Place } from '../wait/place.js'

/** A `next()` that waits. */
class NextCall extends Call {
  readonly #pending: Set<NextCall>
  readonly #end: () => void

  constructor(pending: Set<NextCall>, end: () => void) {
    super()
    this.#pending = pending
    this.#end = end
    pending.add(this)
  }

  override fail(reason: unknown): void {
    if (reason !== RETURNED && !(reason instanceof QueueClosedError)) {
      super.fail(reason)
      return
    }
    this.#end()
    this.resolve(done(undefined))
  }

  override finish(): void {
    this.#pending.delete(this)
    super.finish()
  }
}

class NextPlace extends Place<Take> {
  override outcome(value: unknown): IteratorYieldResult<unknown> {
    return { value, done: false }
  }
}

/** The iterator of `for await`. Only `next()` takes an item, so leaving the loop loses none. */
export class QueueIterator<T> implements AsyncIterableIterator<T> {
  readonly #channel: Channel
  readonly #liveness: Liveness
  readonly #take: Take
  readonly #pending = new Set<NextCall>()
  #ended = false

  constructor(channel: Channel, liveness: Liveness, take: Take) {
    this.#channel = channel
    this.#take = take
    this.#liveness = liveness
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#ended) return Promise.resolve(done(undefined))
    try {
      // Made before the item is taken, since this may throw when the stack is nearly full.
      const result: IteratorYieldResult<unknown> = { value: undefined, done: false }
      const promise = Promise.resolve(result)
      result.value = this.#channel.takeAtOnce(this.#take)
      return result.value === NOTHING || result.value === CLOSED ? this.#wait() : (promise as Promise<IteratorYieldResult<T>>)
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  /** Ends the iteration with that value. Each pending `next()` is done, and has taken nothing. */
  async return<Value>(value?: Value | PromiseLike<Value>): Promise<IteratorResult<T, Value>> {
    this.#end()
    return done((await value) as Value)
  }

  /** Ends the iteration, and rejects with the error. */
  throw(error?: unknown): Promise<never> {
    this.#end()
    return Promise.reject(error)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #wait(): Promise<IteratorResult<T, undefined>> {
    const call = new NextCall(this.#pending, () => (this.#ended = true))
    const place = new NextPlace(call, this.#take, this.#liveness)
    return this.#channel.waitToGet(place, FOR_EVER) as Promise<IteratorResult<T, undefined>>
  }

  #end(): void {
    this.#ended = true
    for (const call of this.#pending) call.cancel(RETURNED)
  }
}
