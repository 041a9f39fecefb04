/**
 * One queue as this thread sees it: its lane, and the asynchronous calls of this thread that wait,
 * in the order in which they were made. All ThreadSafeQueue objects that this thread has of the
 * same queue share it.
 */
import { type Batch, checkIterable, withCount } from '../lane/batch.js'
import { CellLane } from '../lane/cell-lane.js'
import { messageCodec } from '../codec/message.js'
import type { ElementType } from '../codec/element-type.js'
import { QueueClosedError, TimeoutError } from '../errors.js'
import { leave, type Liveness, mayServeAtOnce, type Waiting } from '../wait/loop.js'
import { MessageLane } from '../lane/message-lane.js'
import { type NativeQueue, native, type OpenedQueue, type QueueStats } from '../addon/native.js'
import { checkAborted, type Patience } from '../wait/options.js'
import type { ScalarType } from '../codec/scalar.js'
import { NOTHING, type Nothing, type Selectable } from '../wait/selectable.js'
import { CLOSED, type Lane, type None } from '../lane/lane.js'
import { Call } from '../wait/call.js'
import { Place } from '../wait/place.js'
import { GetLine, type PutAttempt, PutCall, PutLine, type Take } from './lines.js'
import { Joins } from './join.js'

const { queue: QUEUE, status: STATUS } = native

function laneOf(memory: WebAssembly.Memory, queue: OpenedQueue, type: ElementType, name: string): Lane<unknown, unknown> {
  const codec = messageCodec(type, 'item')
  const lane = codec ? new MessageLane(memory, queue, codec, name) : new CellLane(memory, queue, type as ScalarType)
  return lane as Lane<unknown, unknown>
}

export class Channel implements Waiting, Selectable<Take> {
  readonly view: Uint8Array
  readonly lists: readonly number[]
  untidy = false
  readonly type: ElementType
  readonly capacity: number
  /** Empty if the queue has no name. */
  readonly name: string
  /** Whether puts that do not wait may lose items. */
  readonly mayDrop: boolean
  readonly lane: Lane<unknown, unknown>
  readonly takeOne: Take = () => this.lane.tryGet()
  readonly native: NativeQueue
  readonly #address: number
  #joins: Joins | undefined
  readonly #gets: GetLine
  readonly #puts: PutLine

  /** `address` is where the memory is. */
  constructor(memory: WebAssembly.Memory, address: number, queue: OpenedQueue, type: ElementType, name: string) {
    this.#address = address
    this.view = queue.view
    this.lists = [address + native.lists.notEmpty, address + native.lists.notFull]
    this.capacity = queue.capacity
    this.name = name
    this.mayDrop = queue.overflow !== native.overflows.reject
    this.native = queue.object
    this.#gets = new GetLine(this)
    this.#puts = new PutLine(this)
    this.type = type
    this.lane = laneOf(memory, queue, type, name)
  }

  // Made when first needed, as most queues are never joined.
  get joins(): Joins {
    return (this.#joins ??= new Joins(this, this.#address))
  }

  /** Takes for an asynchronous call without waiting; NOTHING if it would have to wait. */
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
    return place.call.wait(patience, () => this.#gets.enter(place))
  }

  enter(place: Place<Take>): void {
    this.#gets.enter(place)
  }

  /** The gets that wait. */
  get gets(): GetLine {
    return this.#gets
  }

  /** The get that select() makes of a queue: one item. */
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
    // The waiting gets have not been told yet that the queue is closed and drained.
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
    // Encoding the item may run code that aborts, and then the item must not have been put.
    if (signal || !atOnce) return this.#putHeld(atOnce, lane.hold(item), patience, liveness)
    const status = timeout === 0 ? lane.tryPut(item) : lane.tryPutFirst(item)
    return status === STATUS.ok ? Promise.resolve() : this.#putLate(status, patience, liveness)
  }

  // Kept separate: V8 allocates a context on every call of a function that contains closures.
  #putLate(status: number, patience: Patience, liveness: Liveness): Promise<void> {
    const { lane } = this
    if (status === STATUS.closed) throw new QueueClosedError(this)
    if (patience.timeout === 0) {
      lane.dropInHand()
      throw new TimeoutError(0, this)
    }
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
      given = lane.prepareMany(checkIterable(items))
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

  // Asked before the item is encoded, which may run user code.
  #mayPutAtOnce({ timeout }: Patience): boolean {
    return !this.#puts.first && (timeout === 0 || mayServeAtOnce())
  }

  /** `attempt` puts at once, where that is allowed; `keep` returns the attempt to make later. */
  #put(atOnce: boolean, attempt: () => number, keep: () => PutAttempt, patience: Patience, liveness: Liveness): Promise<void> {
    // Preparing the item may have run user code that aborted, or that waits to put as well.
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
    return call.wait(patience, () => this.#puts.enter(place)) as Promise<void>
  }

  // Serves the lines even if nothing waits any more. A select() may have been served by another
  // queue that was rung for at the same time. Then the item here is for another loop, and must be
  // passed on before the select's caller goes on, who may take long.
  poll(): void {
    this.#gets.serve()
    this.#puts.serve()
  }

  clear(): number {
    return QUEUE.clear(this.native)
  }

  stats(): QueueStats {
    this.#gets.tellCount()
    this.#puts.tellCount()
    return QUEUE.stats(this.native)
  }

  /**
   * The number of items that the queue has lost to its overflow policy and to signal handlers,
   * modulo 2^32.
   */
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
    this.#gets.tidy()
    this.#puts.tidy()
    if (!this.#gets.first && !this.#puts.first) leave(this)
  }
}
