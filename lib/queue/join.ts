/** `queue.join()`: waiting until every item that was put has been dealt with. */
import { type JoinStart, type NativeQueue, native } from '../addon/native.js'
import { type Named, TimeoutError } from '../errors.js'
import { leave, type Liveness, type Waiting } from '../wait/loop.js'
import type { Patience } from '../wait/options.js'
import { NOTHING, type Nothing } from '../wait/selectable.js'
import { Call } from '../wait/call.js'
import { ServedLine } from '../wait/line.js'
import { Place } from '../wait/place.js'

const { queue: QUEUE } = native

type JoinPlace = Place<JoinStart>

type Queue = Named & { readonly native: NativeQueue }

/** The joins in the order in which they began, which is also the order in which they are done. */
class JoinLine extends ServedLine<JoinStart> {
  readonly #queue: Queue

  constructor(owner: Waiting, queue: Queue) {
    super(owner)
    this.#queue = queue
  }

  isDone({ times, puts }: JoinStart): boolean {
    return QUEUE.allDone(this.#queue.native, times, puts)
  }

  protected override announce(): boolean {
    QUEUE.announceJoin(this.#queue.native)
    return true
  }

  protected override attempt(place: JoinPlace): undefined | Nothing {
    return this.isDone(place.want) ? undefined : NOTHING
  }

  // Joins are not counted, and an announcement that stays costs no more than a ring for nothing.
  protected override tell(): void {}
  protected override withdraw(): void {}
}

/** The joins of one queue that wait in this thread. */
export class Joins implements Waiting {
  readonly lists: readonly number[]
  untidy = false
  readonly #queue: Queue
  readonly #line: JoinLine

  /** `address` is where the memory is. */
  constructor(queue: Queue, address: number) {
    this.#queue = queue
    this.#line = new JoinLine(this, queue)
    this.lists = [address + native.lists.allDone]
  }

  wait(patience: Patience, liveness: Liveness): Promise<void> {
    const start = QUEUE.joinStart(this.#queue.native)
    if (this.#line.isDone(start)) return Promise.resolve()
    if (patience.timeout === 0) throw new TimeoutError(0, this.#queue)
    const call = new Call(this.#queue)
    const place = new Place(call, start, liveness)
    // Behind another it need not look: when this one is done, so is that one, and it is rung for.
    return call.wait(patience, () => this.#line.enter(place)) as Promise<void>
  }

  poll(): void {
    this.#line.serve()
  }

  tidy(): void {
    this.#line.tidy()
    if (!this.#line.first) leave(this)
  }
}
