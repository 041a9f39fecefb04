/**
 * One queue as this thread sees it: its transport, and the asynchronous calls of this thread that wait, in the order in which they were
 * made. All ThreadSafeQueue objects that this thread has of the same queue share it.
 */
import { setTimeout } from 'node:timers'
import { type Batch, withCount } from './batch.js'
import { CellTransport } from './cell-transport.js'
import { messageCodec } from './codec/message.js'
import type { ElementType } from './element-type.js'
import { QueueClosedError, TimeoutError } from './errors.js'
import { join, leave, type Liveness, mayServeAtOnce, needDoorbell, tidyLater, turnIsComing, type Waiting } from './loop.js'
import { MessageTransport } from './message-transport.js'
import { type NativeQueue, native, type OpenedQueue, type QueueStats } from './native.js'
import { checkAborted, type Patience } from './options.js'
import type { ScalarType } from './record.js'
import type { Selectable } from './select.js'
import { NOTHING, type Nothing, type Transport } from './transport.js'
import { Line, type Place, Waiter } from './waiter.js'

const { queue: QUEUE, status: STATUS } = native

/** The wait lists, as native/wasm/queue.cc numbers them. */
const NOT_EMPTY = 0
const NOT_FULL = 1

/** When a put that another's priority token holds back is tried again, unless it is rung for: it may go ahead then. */
const HELD_BACK_MILLISECONDS = 500

/** How a get takes what it is for: one item, or several. NOTHING if there is none. */
export type Take = () => unknown | Nothing
export type GetWaiter = Waiter<unknown, Take>

/** What a put that waits does when it is its turn to try. */
interface PutAttempt {
  put(woken: boolean): number
  /** For an error to tell how far a batch has come. */
  readonly batch?: Batch<unknown>
}
type PutWaiter = Waiter<void, PutAttempt>

function transportOf(memory: WebAssembly.Memory, queue: OpenedQueue, type: ElementType): Transport<unknown, unknown, unknown> {
  const codec = messageCodec(type)
  const transport = codec ? new MessageTransport(queue, codec) : new CellTransport(memory, queue, type as ScalarType)
  return transport as Transport<unknown, unknown, unknown>
}

function reasonOf({ want: { batch } }: Place<void, PutAttempt>, reason: unknown): unknown {
  return batch ? withCount(reason, batch) : reason
}

export class Channel implements Waiting, Selectable<Take> {
  readonly view: Uint8Array
  readonly type: ElementType
  readonly capacity: number
  /** Whether puts that do not wait may lose items. */
  readonly mayDrop: boolean
  readonly transport: Transport<unknown, unknown, unknown>
  readonly takeOne: Take = () => this.transport.get()
  readonly native: NativeQueue
  readonly #gets = new Line<unknown, Take>()
  readonly #puts = new Line<void, PutAttempt>()
  #countedGets = 0
  #countedPuts = 0
  /** Whether the first of the waiting puts has been tried before, and so may claim the turn. */
  #firstPutTried = false
  #willTryHeldBack = false

  constructor(memory: WebAssembly.Memory, queue: OpenedQueue, type: ElementType) {
    this.view = queue.view
    this.capacity = queue.capacity
    this.mayDrop = queue.overflow !== native.overflows.reject
    this.native = queue.object
    this.type = type
    this.transport = transportOf(memory, queue, type)
  }

  /** What an asynchronous call takes that would not have to wait, else NOTHING. */
  takeAtOnce(take: Take): unknown | Nothing {
    return this.#gets.first || !mayServeAtOnce() ? NOTHING : take()
  }

  get(take: Take, patience: Patience, liveness: Liveness): Promise<unknown> {
    if (patience.timeout === 0) return this.#getOnce(take)
    const taken = this.takeAtOnce(take)
    return taken === NOTHING ? this.waitToGet(take, patience, liveness).promise : Promise.resolve(taken)
  }

  waitToGet(take: Take, patience: Patience, liveness: Liveness): GetWaiter {
    needDoorbell()
    const waiter: GetWaiter = new Waiter(take, liveness)
    waiter.limit(patience, (reason) => this.cancelGet(waiter, reason))
    this.enter(waiter)
    return waiter
  }

  /** Puts a get into the line, and serves it if it can be served already. */
  enter(place: Place<unknown, Take>): void {
    join(this)
    const isFirst = !this.#gets.first
    this.#gets.add(place)
    if (isFirst && !turnIsComing()) this.#serveGets()
    this.tidy()
  }

  /** Rejects a waiting get; does nothing to one that has its outcome already. */
  cancelGet(waiter: GetWaiter, reason: unknown): void {
    if (waiter.settled) return
    this.leave(waiter)
    waiter.reject(reason)
  }

  /** Takes a get out of the line that has no outcome from it. All loops are woken by each item, so there is no wake to hand on. */
  leave(place: Place<unknown, Take>): void {
    this.#gets.remove(place)
    if (!this.#gets.first) QUEUE.withdraw(this.native, NOT_EMPTY)
    this.tidy()
  }

  /** What select() wants of a queue. */
  want(): Take {
    return this.takeOne
  }

  tryNow(take: Take): unknown | Nothing {
    const item = take()
    if (item === NOTHING && this.transport.lastStatus() === STATUS.closed) throw new QueueClosedError()
    return item
  }

  tryInOrder(take: Take): unknown | Nothing {
    if (!this.#gets.first) return this.tryNow(take)
    // Those that wait have not been told yet.
    if (this.transport.closed() && this.transport.size() === 0) throw new QueueClosedError()
    return NOTHING
  }

  put(item: unknown, patience: Patience, liveness: Liveness): Promise<void> {
    const { transport } = this
    const atOnce = this.#mayPutAtOnce(patience)
    const prepared = transport.prepare(item)
    checkAborted(patience.signal)
    if (atOnce && !this.#puts.first && this.#firstTry(prepared, patience) === STATUS.ok) return Promise.resolve()
    return this.#putLate(atOnce, prepared, patience, liveness)
  }

  #firstTry(prepared: unknown, { timeout }: Patience): number {
    return timeout === 0 ? this.transport.put(prepared) : this.transport.putFirst(prepared)
  }

  // Apart from put, since a function that contains functions allocates for them each time, also when they are not needed.
  #putLate(atOnce: boolean, prepared: unknown, patience: Patience, liveness: Liveness): Promise<void> {
    const { transport } = this
    return this.#put(
      atOnce,
      () => this.#firstTry(prepared, patience),
      () => {
        const kept = transport.keep(prepared)
        return { put: (woken) => transport.putInTurn(kept, woken) }
      },
      patience,
      liveness,
    )
  }

  putMany(items: Iterable<unknown>, patience: Patience, liveness: Liveness): Promise<void> {
    const { transport } = this
    const atOnce = this.#mayPutAtOnce(patience)
    let given: Batch<unknown>
    try {
      given = transport.prepareMany(items)
    } catch (error) {
      throw withCount(error, { done: 0 })
    }
    try {
      return this.#put(
        atOnce,
        () => (patience.timeout === 0 ? transport.putMany(given) : transport.putManyInTurn(given, false)),
        () => {
          const batch = transport.keepMany(given)
          return { put: (woken) => transport.putManyInTurn(batch, woken), batch }
        },
        patience,
        liveness,
      )
    } catch (error) {
      throw withCount(error, given)
    }
  }

  // Asked before the item is prepared, as it may run code of others, which may use the scratch buffer.
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
      if (status === STATUS.closed) throw new QueueClosedError()
    } else if (this.transport.closed()) {
      throw new QueueClosedError()
    }
    if (patience.timeout === 0) throw new TimeoutError(0)
    const kept = keep()
    needDoorbell()
    const waiter: PutWaiter = new Waiter(kept, liveness)
    waiter.limit(patience, (reason) => this.#cancelPut(waiter, reason))
    join(this)
    this.#puts.add(waiter)
    if (isFirst && !turnIsComing()) this.#servePuts()
    this.tidy()
    return waiter.promise
  }

  poll(): void {
    if (this.#gets.first) this.#serveGets()
    if (this.#puts.first) this.#servePuts()
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
    if (item === NOTHING) throw new TimeoutError(0)
    return Promise.resolve(item)
  }

  tidy(): void {
    if (!this.#gets.first && !this.#puts.first) leave(this)
    this.#countWaiting()
  }

  /** For the statistics, which are of all threads. What was served is told late, as most often the next one waits by then. */
  #countWaiting(): void {
    const gets = this.#gets.length
    const puts = this.#puts.length
    if (gets !== this.#countedGets) QUEUE.waiting(this.native, NOT_EMPTY, (this.#countedGets = gets))
    if (puts !== this.#countedPuts) QUEUE.waiting(this.native, NOT_FULL, (this.#countedPuts = puts))
  }

  // Try; announce; try again: then whoever puts an item sees the announcement and rings, or this try sees the item.
  #serveGets(): void {
    const before = this.#gets.length
    let announced = false
    for (let first = this.#gets.first; first; first = this.#gets.first) {
      let item: unknown
      try {
        item = first.want()
      } catch (error) {
        // An item that can't be decoded is this call's to tell of; the others go on.
        this.#gets.remove(first)
        first.reject(error)
        continue
      }
      if (item !== NOTHING) {
        this.#gets.shift()?.resolve(item)
      } else if (this.transport.lastStatus() === STATUS.closed) {
        this.#gets.shift()?.reject(new QueueClosedError())
      } else if (!announced) {
        QUEUE.announce(this.native, NOT_EMPTY)
        announced = true
      } else {
        break
      }
    }
    if (announced && !this.#gets.first) QUEUE.withdraw(this.native, NOT_EMPTY)
    if (this.#gets.length < before) tidyLater(this)
  }

  #servePuts(): void {
    const before = this.#puts.length
    let announced = false
    for (let first = this.#puts.first; first; first = this.#puts.first) {
      let status: number
      try {
        status = first.want.put(this.#firstPutTried)
      } catch (error) {
        // There was no memory to load it from: this call's to tell of.
        QUEUE.leaveTurn(this.native)
        this.#firstPutTried = false
        this.#puts.remove(first)
        first.reject(reasonOf(first, error))
        continue
      }
      if (status === STATUS.full) {
        if (announced) {
          this.#firstPutTried = true
          if (QUEUE.heldBack(this.native)) this.#tryHeldBackLater()
          break
        }
        QUEUE.announce(this.native, NOT_FULL)
        announced = true
        continue
      }
      this.#firstPutTried = false
      this.#puts.remove(first)
      if (status === STATUS.ok) first.resolve()
      else first.reject(reasonOf(first, new QueueClosedError()))
    }
    if (announced && !this.#puts.first) QUEUE.withdraw(this.native, NOT_FULL)
    if (this.#puts.length < before) tidyLater(this)
  }

  #tryHeldBackLater(): void {
    if (this.#willTryHeldBack) return
    this.#willTryHeldBack = true
    setTimeout(() => {
      this.#willTryHeldBack = false
      if (this.#puts.first) this.#servePuts()
    }, HELD_BACK_MILLISECONDS).unref()
  }

  #cancelPut(waiter: PutWaiter, reason: unknown): void {
    const wasFirst = waiter === this.#puts.first
    this.#puts.remove(waiter)
    waiter.reject(reasonOf(waiter, reason))
    if (wasFirst) {
      QUEUE.leaveTurn(this.native)
      this.#firstPutTried = false
      // The next may need less room.
      this.#servePuts()
    }
    if (!this.#puts.first) QUEUE.withdraw(this.native, NOT_FULL)
    this.tidy()
  }
}
