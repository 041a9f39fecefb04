/** The calls of this thread that wait to get from a queue, and to put into it. */
import { type NativeQueue, native } from '../addon/native.js'
import { type Named, QueueClosedError } from '../errors.js'
import { type Batch, withCount } from '../lane/batch.js'
import { CLOSED, type None } from '../lane/lane.js'
import { Call } from '../wait/call.js'
import { ServedLine } from '../wait/line.js'
import { setDeadline, type Waiting } from '../wait/loop.js'
import type { Place } from '../wait/place.js'
import { NOTHING } from '../wait/selectable.js'

const { queue: QUEUE, status: STATUS, waitFor: WAIT_FOR } = native

/**
 * After this time a put that another's priority token holds back is tried again even without a
 * ring, and may go ahead.
 */
const HELD_BACK_MILLISECONDS = 500

/** A queue, as its lines see it. */
type Owner = Waiting & Named & { readonly native: NativeQueue }

/** How a get takes what it is for: one item, or several. */
export type Take = () => unknown | None

/** How a put that waits tries: called for the first in the line. */
export interface PutAttempt {
  put(woken: boolean): number
  /** The batch that it puts, if any; its error says how far that has come. */
  readonly batch?: Batch<unknown>
}

/** A waiting put. Its error says how far a batch has come. */
export class PutCall extends Call {
  readonly #batch: Batch<unknown> | undefined

  constructor(queue: Named, batch: Batch<unknown> | undefined) {
    super(queue)
    this.#batch = batch
  }

  override fail(reason: unknown): void {
    super.fail(this.#batch ? withCount(reason, this.#batch) : reason)
  }
}

/**
 * A line of gets or puts. All evaluations of the package in this thread share the announcement.
 * When one withdraws it, the others are polled, and announce themselves again.
 */
abstract class QueueLine<Want> extends ServedLine<Want> {
  protected readonly queue: Owner
  readonly #list: number

  constructor(queue: Owner, list: number) {
    super(queue)
    this.queue = queue
    this.#list = list
  }

  protected override announce(calls: number): boolean {
    return QUEUE.announce(this.queue.native, this.#list, calls)
  }

  protected override tell(calls: number): void {
    QUEUE.waiting(this.queue.native, this.#list, calls)
  }

  protected override withdraw(): void {
    QUEUE.withdraw(this.queue.native, this.#list)
  }
}

export class GetLine extends QueueLine<Take> {
  constructor(queue: Owner) {
    super(queue, WAIT_FOR.item)
  }

  protected override attempt(place: Place<Take>): unknown {
    const taken = place.want()
    if (taken === CLOSED) throw new QueueClosedError(this.queue)
    return taken === NOTHING ? NOTHING : place.outcome(taken)
  }
}

export class PutLine extends QueueLine<PutAttempt> {
  /**
   * The first place, if it has been tried before. Only then may it claim, or have, the priority
   * token.
   */
  #tried: Place<PutAttempt> | undefined
  /** Whether a retry is scheduled for a put that another's priority token holds back. */
  #willRetry = false

  constructor(queue: Owner) {
    super(queue, WAIT_FOR.room)
  }

  protected override attempt(place: Place<PutAttempt>): unknown {
    this.#giveUpTokenUnless(place)
    const status = place.want.put(place === this.#tried)
    if (status === STATUS.full) return NOTHING
    // Whatever its outcome, the put has given the token up.
    this.#tried = undefined
    if (status === STATUS.ok) return undefined
    throw new QueueClosedError(this.queue)
  }

  protected override fallsAsleep(first: Place<PutAttempt>, vainly: boolean): void {
    this.#tried = first
    // Where there is no room at all, no retry is needed: whoever makes room rings.
    if (vainly && QUEUE.heldBack(this.queue.native)) this.#retryLater()
  }

  protected override emptied(): void {
    this.#giveUpTokenUnless(undefined)
    super.emptied()
  }

  override tidy(): void {
    this.#giveUpTokenUnless(this.first)
    super.tidy()
  }

  /**
   * Gives the priority token up if the put that was tried is not first any more. The next one may
   * need less room.
   */
  #giveUpTokenUnless(first: Place<PutAttempt> | undefined): void {
    if (this.#tried === undefined || this.#tried === first) return
    QUEUE.giveUpToken(this.queue.native)
    this.#tried = undefined
    this.awaken()
  }

  #retryLater(): void {
    if (this.#willRetry) return
    const expire = (): void => {
      this.#willRetry = false
      if (this.first) this.serve()
    }
    setDeadline({ expire, repair: () => undefined }, HELD_BACK_MILLISECONDS)
    this.#willRetry = true
  }
}
