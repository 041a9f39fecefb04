/** `queue.join()`: waiting until every item that was put has been dealt with. */
import { type JoinStart, type NativeQueue, native } from '../addon/native.js'
import { type Named, TimeoutError } from '../errors.js'
import { join, leave, type Liveness, tidyLater, type Waiting } from '../wait/loop.js'
import type { Patience } from '../wait/options.js'
import { Call, Line, Place } from '../wait/waiter.js'

const { queue: QUEUE } = native

type JoinPlace = Place<JoinStart>

/** The joins of one queue that wait in this thread. */
export class Joins implements Waiting {
  readonly lists: readonly number[]
  untidy = false
  readonly #queue: Named & { readonly native: NativeQueue }
  /** In the order in which they began, which is that in which they are done. */
  readonly #line = new Line<JoinStart>(this)

  /** `address` is the memory's. */
  constructor(queue: Named & { readonly native: NativeQueue }, address: number) {
    this.#queue = queue
    this.lists = [address + native.lists.allDone]
  }

  wait(patience: Patience, liveness: Liveness): Promise<void> {
    const start = QUEUE.joinStart(this.#queue.native)
    if (this.#isDone(start)) return Promise.resolve()
    if (patience.timeout === 0) throw new TimeoutError(0, this.#queue)
    const call = new Call(this.#queue)
    const place = new Place(call, start, liveness)
    return call.wait(patience, () => this.#enter(place)) as Promise<void>
  }

  #enter(place: JoinPlace): void {
    tidyLater(this)
    join(this)
    this.#line.add(place)
    // Behind another it need not look: the loop is announced, and what is done for this one is rung for.
    if (this.#line.first === place) this.poll()
  }

  // Announce, then look: whoever finishes the last item sees the announcement and rings, or this look sees that it is finished.
  poll(): void {
    const line = this.#line
    line.asleep = false
    if (!line.first) return
    QUEUE.announceJoin(this.#queue.native)
    for (let place = line.first; place && (place.call.settled || this.#isDone(place.want)); place = line.first) {
      if (place.call.settled) place.call.finish()
      else place.call.resolve(undefined)
    }
    line.asleep = true
  }

  tidy(): void {
    if (!this.#line.first) leave(this)
    else if (!this.#line.asleep) this.poll()
  }

  #isDone({ times, puts }: JoinStart): boolean {
    return QUEUE.allDone(this.#queue.native, times, puts)
  }
}
