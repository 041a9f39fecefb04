/**
 * `queue.forEach()`: one promise for all items. It stands in the line of gets like a `get()`. When
 * it is first, it takes items and calls `fn` for them in a row, for as long as nobody else waits in
 * the line and calls have time left in this iteration of the loop.
 */
import { invalidType, QueueClosedError } from '../errors.js'
import { CLOSED } from '../lane/lane.js'
import { type Liveness, mayServeAtOnce, mayTakeUnasked } from '../wait/loop.js'
import type { Patience } from '../wait/options.js'
import { NOTHING } from '../wait/selectable.js'
import { Call } from '../wait/call.js'
import { Line } from '../wait/line.js'
import { Place } from '../wait/place.js'
import type { Channel } from './channel.js'
import type { Take } from './lines.js'

type Each = (item: unknown) => unknown

function isThenable(value: unknown): boolean {
  if (typeof value === 'object' ? value === null : typeof value !== 'function') return false
  return typeof (value as { readonly then?: unknown }).then === 'function'
}

/**
 * The place of a forEach: among the gets while it wants an item, and in a line of its own while
 * `fn` handles one.
 */
class EachPlace extends Place<Take> {
  readonly #channel: Channel
  readonly #fn: Each
  /**
   * The line for the time in which `fn` works. The call takes nothing there, but counts as pending.
   */
  readonly #atWork: Line<Take>

  constructor(call: Call, channel: Channel, fn: Each, liveness: Liveness) {
    super(call, channel.takeOne, liveness)
    this.#channel = channel
    this.#fn = fn
    this.#atWork = new Line<Take>(channel)
  }

  override get repeats(): boolean {
    return true
  }

  /**
   * Leaves the line first, since `fn` may get from this queue itself and await that. Comes back
   * behind those that wait by then.
   */
  override give(first: unknown): void {
    const line = this.line as Line<Take>
    const { call, want } = this
    const fn = this.#fn
    line.remove(this)
    this.#atWork.add(this)
    let unasked = 0
    try {
      for (let item = first; item !== NOTHING && item !== CLOSED; item = want()) {
        const result = fn(item)
        if (isThenable(result)) {
          void this.#goOnAfter(result)
          return
        }
        if (call.settled) return
        if (line.first) break
        if (unasked > 0) {
          unasked--
        } else {
          if (!mayServeAtOnce()) break
          unasked = mayTakeUnasked()
        }
      }
    } catch (error) {
      this.#reject(error)
      return
    }
    this.#atWork.remove(this)
    line.add(this)
  }

  override fail(error: unknown): void {
    if (error instanceof QueueClosedError) this.call.resolve(undefined)
    else super.fail(error)
  }

  async #goOnAfter(result: unknown): Promise<void> {
    try {
      await result
      if (this.call.settled) return
      this.#atWork.remove(this)
      this.#channel.gets.enterAgain(this)
    } catch (error) {
      this.#reject(error)
    }
  }

  /**
   * Rejects through a promise, so that an error of this package that `fn` lets through keeps its
   * stack.
   */
  #reject(error: unknown): void {
    if (!this.call.settled) this.call.resolve(Promise.reject(error))
  }
}

/** Calls `fn` in a microtask at the earliest, so never before the caller has the promise. */
export function forEach(channel: Channel, fn: Each, { signal }: Patience, liveness: Liveness): Promise<void> {
  if (typeof fn !== 'function') throw invalidType('fn', 'a function', fn)
  const call = new Call(channel)
  const place = new EachPlace(call, channel, fn, liveness)
  return call.wait({ signal, timeout: Infinity }, () => channel.gets.enterLater(place)) as Promise<void>
}
