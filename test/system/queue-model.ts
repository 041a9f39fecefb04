/**
 * A queue on plain arrays that does one thing at a time. It has the results that the real one must
 * have, for any calls in any order by one thread that lets each call come to rest before the next.
 */
import type { Overflow } from '../../lib/index.js'
import { ABORTED, failure, PENDING, type Result, TIMEOUT, value } from './model-calls.js'

const FULL = failure('ERR_QUEUE_FULL')
const EMPTY = failure('ERR_QUEUE_EMPTY')
const CLOSED = failure('ERR_QUEUE_CLOSED')
/** The result of an iterator's step behind the last item. */
const DONE = value({ value: undefined, done: true })

/** What waits for items: a get, a step of an iterator, or a forEach. */
type Taker = 'get' | 'next' | 'forEach'

/** An asynchronous call that waits to take items: one if `most` is 0, else a batch. */
export interface Waiting {
  readonly id: number
  readonly taker: Taker
  readonly most: number
  /** Whether it is a forEach that awaits its function, and comes back to the line after a while. */
  readonly slow: boolean
}

interface WaitingPut {
  readonly id: number
  /** The writes to the stream that it serves, if it is one of the stream's. */
  readonly writes: readonly number[]
  readonly items: number[]
  accepted: number
}

/** The items at which the function of a `forEach()` throws. */
export const isBad = (item: number): boolean => item % 10 === 9
export const BAD = failure('E_BAD')

export class QueueModel {
  readonly items: number[] = []
  readonly gets: Waiting[] = []
  readonly puts: WaitingPut[] = []
  readonly joins: number[] = []
  /** The chunks that wait in the stream until its put before them has ended. */
  #chunks: { readonly id: number; readonly item: number }[] = []
  /** What each forEach was called with, by the number of its call. */
  readonly handled = new Map<number, number[]>()
  /** Results, by the number of the call. */
  readonly results = new Map<number, Result>()
  /** The number of items that a failed putMany had put. */
  readonly counts = new Map<number, number>()
  closed = false
  dropped = 0
  discarded = 0
  accepted = 0
  got = 0
  done = 0
  /** The number of items that were accepted and dropped again, which count as finished. */
  #lost = 0
  #ids = 0

  constructor(
    readonly capacity: number,
    readonly overflow: Overflow,
  ) {}

  get unfinished(): number {
    return this.accepted - this.done - this.#lost
  }

  /** What can be compared with the real queue when all has come to rest. */
  state() {
    return {
      results: this.results,
      handled: this.handled,
      stats: {
        depth: this.items.length,
        puts: this.accepted,
        gets: this.got,
        dropped: this.dropped,
        discarded: this.discarded,
        waitingGets: this.gets.length,
        waitingPuts: this.puts.length,
        unfinished: this.unfinished,
        closed: this.closed,
        full: this.items.length === this.capacity,
      },
    }
  }

  tryPut(item: number): Result {
    if (this.closed) return CLOSED
    if (this.items.length < this.capacity) {
      this.#accept(item)
      return value(true)
    }
    if (this.overflow === 'reject') return value(false)
    this.dropped++
    if (this.overflow === 'drop-newest') return value(false)
    this.items.shift()
    this.#lost++
    this.#accept(item)
    return value(true)
  }

  putSync(item: number): Result {
    const result = this.tryPut(item)
    if (result.kind !== 'value') return result
    return result.value === true || this.overflow !== 'reject' ? value(undefined) : FULL
  }

  putSyncOnce(item: number): Result {
    if (this.closed) return CLOSED
    if (this.items.length === this.capacity) return TIMEOUT
    this.#accept(item)
    return value(undefined)
  }

  tryGet(): Result {
    if (this.items.length > 0) return value(this.#take())
    return this.closed ? CLOSED : value(undefined)
  }

  getSync(): Result {
    if (this.items.length > 0) return value(this.#take())
    return this.closed ? CLOSED : EMPTY
  }

  peek(): Result {
    return value(this.items[0])
  }

  putManySync(items: readonly number[]): Result {
    if (this.closed) return CLOSED
    let count = 0
    for (const item of items) {
      const { value: isIn } = this.tryPut(item) as { value: boolean }
      if (isIn) count++
      else if (this.overflow === 'reject') break
    }
    return value(count)
  }

  getManySync(most: number): Result {
    if (this.items.length === 0) return this.closed ? CLOSED : EMPTY
    return value(this.#takeMany(most))
  }

  clear(): Result {
    const count = this.items.length
    this.items.length = 0
    this.discarded += count
    this.#lost += count
    return value(count)
  }

  close(discard: boolean): Result {
    this.closed = true
    if (discard) this.clear()
    return value(undefined)
  }

  taskDone(count: number): Result {
    if (this.done + count > this.got) return failure('ERR_OUT_OF_RANGE')
    this.done += count
    return value(undefined)
  }

  /** Begins an asynchronous get, or a getMany if `most` is given. Returns the call's number. */
  get(most = 0): number {
    return this.#takes('get', most)
  }

  /** A step of an iterator, or of one over batches of `most` items. */
  next(most = 0): number {
    return this.#takes('next', most)
  }

  /** The iterators return: their steps that wait are done. */
  return(most = 0): Result {
    for (const get of this.gets.filter((one) => one.taker === 'next' && one.most === most)) this.#remove(get, DONE)
    return value(undefined)
  }

  forEach(slow: boolean): number {
    const id = this.#takes('forEach', 0, slow)
    this.handled.set(id, [])
    return id
  }

  put(items: number[]): number {
    const id = this.#begin()
    this.puts.push({ id, writes: [], items: [...items], accepted: 0 })
    return id
  }

  /** Writes to the stream, which has one put in the line at a time. */
  write(item: number): number {
    const id = this.#begin()
    this.#chunks.push({ id, item })
    if (!this.puts.some(({ writes }) => writes.length > 0)) this.#putChunks()
    return id
  }

  #putChunks(): void {
    const chunks = this.#chunks.splice(0)
    const writes = chunks.map(({ id }) => id)
    if (chunks.length > 0) this.puts.push({ id: -1, writes, items: chunks.map(({ item }) => item), accepted: 0 })
  }

  join(): number {
    const id = this.#begin()
    this.joins.push(id)
    return id
  }

  abort(id: number): void {
    this.#cancel(id, ABORTED)
  }

  expire(id: number): void {
    this.#cancel(id, TIMEOUT)
  }

  /** Serves the waiting calls, in their order, until none can be served. */
  settle(): void {
    do this.#serveJoins()
    while (this.#servePut() || this.#serveGet())
  }

  #serveJoins(): void {
    if (this.unfinished > 0) return
    for (const id of this.joins.splice(0)) this.results.set(id, value(undefined))
  }

  #begin(): number {
    const id = this.#ids++
    this.results.set(id, PENDING)
    return id
  }

  #takes(taker: Taker, most: number, slow = false): number {
    const id = this.#begin()
    this.gets.push({ id, taker, most, slow })
    return id
  }

  /** Puts as many of a put's items as there is room for. */
  #servePut(): boolean {
    const put = this.puts[0]
    if (!put) return false
    if (this.closed) {
      this.#end(put, CLOSED)
      return true
    }
    if (this.items.length === this.capacity) return false
    while (put.accepted < put.items.length && this.items.length < this.capacity) this.#accept(put.items[put.accepted++] as number)
    if (put.accepted === put.items.length) this.#end(put, value(undefined))
    return true
  }

  #serveGet(): boolean {
    const get = this.gets[0]
    if (!get || (this.items.length === 0 && !this.closed)) return false
    const { id, taker, most } = get
    if (this.items.length === 0) {
      this.#remove(get, taker === 'get' ? CLOSED : taker === 'next' ? DONE : value(undefined))
    } else if (taker === 'forEach') {
      // It stands in line again for the next item, behind those that wait.
      this.gets.push(this.gets.shift() as Waiting)
      const item = this.#take()
      this.handled.get(id)?.push(item)
      if (isBad(item)) this.#remove(get, BAD)
    } else {
      const taken = most > 0 ? this.#takeMany(most) : this.#take()
      this.#remove(get, value(taker === 'get' ? taken : { value: taken, done: false }))
    }
    return true
  }

  #remove(get: Waiting, result: Result): void {
    this.gets.splice(this.gets.indexOf(get), 1)
    this.results.set(get.id, result)
  }

  #cancel(id: number, result: Result): void {
    const get = this.gets.find((one) => one.id === id)
    if (get) this.#remove(get, result)
    const put = this.puts.find((one) => one.id === id)
    if (put) this.#end(put, result)
    const join = this.joins.indexOf(id)
    if (join >= 0) {
      this.joins.splice(join, 1)
      this.results.set(id, result)
    }
  }

  #end(put: WaitingPut, result: Result): void {
    const { id, writes, accepted } = put
    this.puts.splice(this.puts.indexOf(put), 1)
    if (writes.length > 0) {
      // The first failure ends the stream, with all that waits in it.
      const failed = result.kind === 'error' ? this.#chunks.splice(0) : []
      for (const write of [...writes, ...failed.map((chunk) => chunk.id)]) this.results.set(write, result)
      this.#putChunks()
    } else {
      this.results.set(id, result)
      this.counts.set(id, accepted)
    }
  }

  #accept(item: number): void {
    this.items.push(item)
    this.accepted++
  }

  #take(): number {
    this.got++
    return this.items.shift() as number
  }

  #takeMany(most: number): number[] {
    const taken = this.items.splice(0, most)
    this.got += taken.length
    return taken
  }
}
