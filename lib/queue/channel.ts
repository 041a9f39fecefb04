/**
 * One queue as this thread sees it: its lane, and the asynchronous calls of this thread that wait, in the order in which they were
 * made. All ThreadSafeQueue objects that this thread has of the same queue share it.
 */
import { type Batch, withCount } from '../lane/batch.js'
import { CellLane } from '../lane/cell-lane.js'
import { messageCodec } from '../codec/message.js'
import type { ElementType } from '../codec/element-type.js'
import { type Named, QueueClosedError, TimeoutError } from '../errors.js'
import {
  haveHadTheirTime,
  join,
  leave,
  type Liveness,
  mayServeAtOnce,
  pollSoon,
  pollThereafter,
  setDeadline,
  tidyLater,
  type Waiting,
} from '../wait/loop.js'
import { MessageLane } from '../lane/message-lane.js'
import { type NativeQueue, native, type OpenedQueue, type QueueStats } from '../addon/native.js'
import { checkAborted, type Patience } from '../wait/options.js'
import type { ScalarType } from '../codec/scalar.js'
import { NOTHING, type Nothing, type Selectable } from '../wait/selectable.js'
import { CLOSED, type Lane, type None } from '../lane/lane.js'
import { Call, Line, Place } from '../wait/waiter.js'
import { Joins } from './join.js'

const { queue: QUEUE, status: STATUS } = native

/** The wait lists, as native/wasm/queue.cc numbers them. */
const NOT_EMPTY = 0
const NOT_FULL = 1

/** When a put that another's priority token holds back is tried again, unless it is rung for: it may go ahead then. */
const HELD_BACK_MILLISECONDS = 500

/** How a get takes what it is for: one item, or several. */
export type Take = () => unknown | None

/** What a put that waits does when it is its turn to try. */
interface PutAttempt {
  put(woken: boolean): number
  /** For an error to tell how far a batch has come. */
  readonly batch?: Batch<unknown>
}

/** A put that waits. What it fails with tells how far a batch has come. */
class PutCall extends Call {
  readonly #batch: Batch<unknown> | undefined

  constructor(queue: Named, batch: Batch<unknown> | undefined) {
    super(queue)
    this.#batch = batch
  }

  override fail(reason: unknown): void {
    super.fail(this.#batch ? withCount(reason, this.#batch) : reason)
  }
}

function laneOf(memory: WebAssembly.Memory, queue: OpenedQueue, type: ElementType, name: string): Lane<unknown, unknown> {
  const codec = messageCodec(type)
  const lane = codec ? new MessageLane(memory, queue, codec, name) : new CellLane(memory, queue, type as ScalarType)
  return lane as Lane<unknown, unknown>
}

export class Channel implements Waiting, Selectable<Take> {
  readonly view: Uint8Array
  readonly lists: readonly number[]
  untidy = false
  readonly type: ElementType
  readonly capacity: number
  /** Empty if it has none. */
  readonly name: string
  /** Whether puts that do not wait may lose items. */
  readonly mayDrop: boolean
  readonly lane: Lane<unknown, unknown>
  readonly takeOne: Take = () => this.lane.tryGet()
  readonly native: NativeQueue
  readonly joins: Joins
  readonly #gets = new Line<Take>(this)
  readonly #puts = new Line<PutAttempt>(this)
  #countedGets = 0
  #countedPuts = 0
  /** The first of the waiting puts when that has been tried before: then it may claim the priority token, and may have it. */
  #tried: Place<PutAttempt> | undefined
  /** Whether a put that another's priority token holds back will be tried again, if it is not rung for. */
  #willRetry = false

  /** `address` is the memory's. */
  constructor(memory: WebAssembly.Memory, address: number, queue: OpenedQueue, type: ElementType, name: string) {
    this.view = queue.view
    this.lists = [address + native.lists.notEmpty, address + native.lists.notFull]
    this.capacity = queue.capacity
    this.name = name
    this.mayDrop = queue.overflow !== native.overflows.reject
    this.native = queue.object
    this.joins = new Joins(this, address)
    this.type = type
    this.lane = laneOf(memory, queue, type, name)
  }

  /** What an asynchronous call takes that would not have to wait, else NOTHING. */
  takeAtOnce(take: Take): unknown | None {
    return this.#gets.first || !mayServeAtOnce() ? NOTHING : take()
  }

  get(take: Take, patience: Patience, liveness: Liveness): Promise<unknown> {
    if (patience.timeout === 0) return this.#getOnce(take)
    const taken = this.takeAtOnce(take)
    if (taken === CLOSED) throw new QueueClosedError(this)
    return taken === NOTHING ? this.#getLate(take, patience, liveness) : Promise.resolve(taken)
  }

  #getLate(take: Take, patience: Patience, liveness: Liveness): Promise<unknown> {
    return this.waitToGet(new Place(new Call(this), take, liveness), patience)
  }

  waitToGet(place: Place<Take>, patience: Patience): Promise<unknown> {
    return place.call.wait(patience, () => this.enter(place))
  }

  /** Puts a get into the line, and serves it if it can be served already. */
  enter(place: Place<Take>): void {
    tidyLater(this)
    join(this)
    this.#gets.add(place)
    // Nobody else's call: this one may be stopped in the middle of it.
    if (this.#gets.first === place) {
      if (!haveHadTheirTime()) this.#serveGets()
      else if (!this.#fallAsleep(this.#gets, NOT_EMPTY)) pollSoon(this)
    }
    this.#countWaiting()
  }

  /** Puts a get into the line, and has it served in a microtask: when the caller has what this returns to. */
  enterLater(place: Place<Take>): void {
    tidyLater(this)
    join(this)
    this.#gets.add(place)
    // The line may have fallen asleep for others, which have left it.
    if (this.#gets.first === place) this.#gets.asleep = false
    this.#countWaiting()
  }

  /** What select() wants of a queue. */
  want(): Take {
    return this.takeOne
  }

  tryNow(take: Take): unknown | Nothing {
    const item = take()
    if (item === CLOSED) throw new QueueClosedError(this)
    return item
  }

  tryInOrder(take: Take): unknown | Nothing {
    if (!this.#gets.first) return this.tryNow(take)
    // Those that wait have not been told yet.
    if (this.lane.closed() && this.lane.size() === 0) throw new QueueClosedError(this)
    return NOTHING
  }

  tryFor(place: Place<Take>): unknown | Nothing {
    return this.#gets.first?.call === place.call ? this.tryNow(place.want) : NOTHING
  }

  put(item: unknown, patience: Patience, liveness: Liveness): Promise<void> {
    const { lane } = this
    const { signal, timeout } = patience
    const atOnce = this.#mayPutAtOnce(patience)
    // Encoding the item may run code that aborts: then it must not be in.
    if (signal || !atOnce) return this.#putHeld(atOnce, lane.hold(item), patience, liveness)
    const status = timeout === 0 ? lane.tryPut(item) : lane.tryPutFirst(item)
    return status === STATUS.ok ? Promise.resolve() : this.#putLate(status, patience, liveness)
  }

  // Apart from put, since a function that contains functions allocates for them each time, also when they are not needed.
  #putLate(status: number, patience: Patience, liveness: Liveness): Promise<void> {
    const { lane } = this
    if (status === STATUS.closed) throw new QueueClosedError(this)
    if (patience.timeout === 0) throw new TimeoutError(0, this)
    const held = lane.holdInHand()
    return this.#wait({ put: (woken) => lane.putHeld(held, woken) }, patience, liveness)
  }

  #putHeld(atOnce: boolean, held: unknown, patience: Patience, liveness: Liveness): Promise<void> {
    const { lane } = this
    return this.#put(
      atOnce,
      () => (patience.timeout === 0 ? lane.tryHeld(held) : lane.putHeld(held, false)),
      () => ({ put: (woken) => lane.putHeld(held, woken) }),
      patience,
      liveness,
    )
  }

  putMany(items: Iterable<unknown>, patience: Patience, liveness: Liveness): Promise<void> {
    const { lane } = this
    const atOnce = this.#mayPutAtOnce(patience)
    let given: Batch<unknown>
    try {
      given = lane.prepareMany(items)
    } catch (error) {
      throw withCount(error, { done: 0 })
    }
    try {
      return this.#put(
        atOnce,
        () => (patience.timeout === 0 ? lane.putMany(given) : lane.putManyFirst(given)),
        () => {
          const batch = lane.keepMany(given)
          return { put: (woken) => lane.putManyHeld(batch, woken), batch }
        },
        patience,
        liveness,
      )
    } catch (error) {
      throw withCount(error, given)
    }
  }

  // Asked before the item is encoded, which may run code of others.
  #mayPutAtOnce({ timeout }: Patience): boolean {
    return !this.#puts.first && (timeout === 0 || mayServeAtOnce())
  }

  /** `attempt` does it at once, if it may; `keep` answers what is to be tried later. */
  #put(atOnce: boolean, attempt: () => number, keep: () => PutAttempt, patience: Patience, liveness: Liveness): Promise<void> {
    // Preparing the item may have run code that aborted, or that waits to put itself.
    checkAborted(patience.signal)
    const isFirst = !this.#puts.first
    if (isFirst && atOnce) {
      const status = attempt()
      if (status === STATUS.ok) return Promise.resolve()
      if (status === STATUS.closed) throw new QueueClosedError(this)
    } else if (this.lane.closed()) {
      throw new QueueClosedError(this)
    }
    if (patience.timeout === 0) throw new TimeoutError(0, this)
    return this.#wait(keep(), patience, liveness)
  }

  #wait(attempt: PutAttempt, patience: Patience, liveness: Liveness): Promise<void> {
    const call = new PutCall(this, attempt.batch)
    const place = new Place(call, attempt, liveness)
    return call.wait(patience, () => this.#enterPut(place)) as Promise<void>
  }

  #enterPut(place: Place<PutAttempt>): void {
    tidyLater(this)
    join(this)
    this.#puts.add(place)
    if (this.#puts.first === place) {
      if (!haveHadTheirTime()) this.#servePuts()
      else if (!this.#fallAsleep(this.#puts, NOT_FULL)) pollSoon(this)
    }
    this.#countWaiting()
  }

  // Also where none waits any more, as a select() may have been served by another queue that was rung for at the same time: the item is for another loop, and is
  // passed on before the caller goes on, who may take long.
  poll(): void {
    this.#serveGets()
    this.#servePuts()
  }

  clear(): number {
    return QUEUE.clear(this.native)
  }

  stats(): QueueStats {
    this.#countWaiting()
    return QUEUE.stats(this.native)
  }

  /** How many items the queue has lost to its overflow policy and to signal handlers, modulo 2^32. */
  dropped(): number {
    return QUEUE.stats(this.native).dropped
  }

  close(discard: boolean): void {
    QUEUE.close(this.native)
    if (discard) QUEUE.discard(this.native)
  }

  #getOnce(take: Take): Promise<unknown> {
    const item = this.tryInOrder(take)
    if (item === NOTHING) throw new TimeoutError(0, this)
    return Promise.resolve(item)
  }

  tidy(): void {
    this.#leaveTurnUnless(this.#puts.first)
    this.#tidyLine(this.#gets, NOT_EMPTY)
    this.#tidyLine(this.#puts, NOT_FULL)
    if (!this.#gets.first && !this.#puts.first) leave(this)
    this.#countWaiting()
  }

  #tidyLine(line: Line<Take> | Line<PutAttempt>, list: number): void {
    if (!line.first) this.#withdraw(line, list)
    else if (line.asleep) return
    else if (haveHadTheirTime()) pollSoon(this)
    else this.poll()
  }

  /** Announces this loop, then looks: whoever puts an item sees the announcement and rings, or this look sees the item. Likewise for room. */
  #fallAsleep(line: Line<Take> | Line<PutAttempt>, list: number): boolean {
    line.announced = true
    line.asleep = !QUEUE.announce(this.native, list)
    return line.asleep
  }

  /**
   * Nobody waits there any more: the next change is for others to hear of, and those that this loop was rung for and has not used up. Another evaluation of the
   * package in this thread, for which the announcement may have been as well, is polled and announces itself again.
   */
  #withdraw(line: Line<Take> | Line<PutAttempt>, list: number): void {
    if (!line.announced) return
    QUEUE.withdraw(this.native, list)
    line.announced = false
  }

  /** For the statistics, which are of all threads. What was served is told late, as most often the next one waits by then. */
  #countWaiting(): void {
    const gets = this.#gets.length
    const puts = this.#puts.length
    if (gets !== this.#countedGets) {
      QUEUE.waiting(this.native, NOT_EMPTY, gets)
      this.#countedGets = gets
    }
    if (puts !== this.#countedPuts) {
      QUEUE.waiting(this.native, NOT_FULL, puts)
      this.#countedPuts = puts
    }
  }

  // Try; announce and look; try again what may be there.
  #serveGets(): void {
    const line = this.#gets
    let announced = (line.asleep = false)
    let repeated = false
    for (let first = line.first; first; first = line.first) {
      const { call, repeats } = first
      if (call.settled || first.preempted()) {
        call.finish()
        continue
      }
      if (repeats && !mayServeAtOnce()) {
        if (repeated) pollThereafter(this)
        else pollSoon(this)
        return
      }
      let value: unknown
      try {
        value = first.want()
        if (value !== NOTHING && value !== CLOSED) value = first.outcome(value)
      } catch (error) {
        // An item that can't be decoded is this call's to tell of; the others go on.
        first.fail(error)
        continue
      }
      if (value === CLOSED) {
        first.fail(new QueueClosedError(this))
      } else if (value !== NOTHING) {
        first.give(value)
        if (repeats) {
          // Its code may have waited here itself, and withdrawn the announcement.
          announced = false
          repeated = true
        }
      } else if (announced || this.#fallAsleep(line, NOT_EMPTY)) {
        line.asleep = true
        return
      } else {
        announced = true
      }
    }
    this.#withdraw(line, NOT_EMPTY)
  }

  #servePuts(): void {
    const line = this.#puts
    let announced = (line.asleep = false)
    for (let first = line.first; first; first = line.first) {
      const { call } = first
      if (call.settled) {
        call.finish()
        continue
      }
      this.#leaveTurnUnless(first)
      let status: number
      try {
        status = first.want.put(first === this.#tried)
      } catch (error) {
        // There was no memory to load it from: this call's to tell of.
        first.fail(error)
        continue
      }
      if (status === STATUS.full) {
        if (announced || this.#fallAsleep(line, NOT_FULL)) {
          this.#tried = first
          line.asleep = true
          if (QUEUE.heldBack(this.native)) this.#retryLater()
          return
        }
        announced = true
        continue
      }
      // With its outcome it has left the turn.
      this.#tried = undefined
      if (status === STATUS.ok) call.resolve(undefined)
      else first.fail(new QueueClosedError(this))
    }
    this.#leaveTurnUnless(undefined)
    this.#withdraw(line, NOT_FULL)
  }

  /** The put that was tried may be gone, and the next may need less room. */
  #leaveTurnUnless(first: Place<PutAttempt> | undefined): void {
    if (this.#tried === undefined || this.#tried === first) return
    QUEUE.leaveTurn(this.native)
    this.#tried = undefined
    this.#puts.asleep = false
  }

  #retryLater(): void {
    if (this.#willRetry) return
    const expire = (): void => {
      this.#willRetry = false
      if (this.#puts.first) this.#servePuts()
    }
    setDeadline({ expire, repair: () => undefined }, HELD_BACK_MILLISECONDS)
    this.#willRetry = true
  }
}
