/**
 * A queue on plain arrays that does one thing at a time. It has the results that the real one must
 * have, for any calls in any order by one thread that lets each call come to rest before the next.
 */
import type { Overflow } from '../../lib/index.js'
import { ABORTED, failure, PENDING, type Result, TIMEOUT, value } from './model-calls.js'

const FULL = failure('ERR_QUEUE_FULL')
const EMPTY = failure('ERR_QUEUE_EMPTY')
const CLOSED = failure('ERR_QUEUE_CLOSED')

/** A waiting asynchronous call. */
export interface Waiting {
  readonly id: number
  readonly most: number
}

interface WaitingPut {
  readonly id: number
  readonly items: number[]
  accepted: number
}

export class QueueModel {
  readonly items: number[] = []
  readonly gets: Waiting[] = []
  readonly puts: WaitingPut[] = []
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
    const id = this.#ids++
    this.results.set(id, PENDING)
    this.gets.push({ id, most })
    return id
  }

  put(items: number[]): number {
    const id = this.#ids++
    this.results.set(id, PENDING)
    this.puts.push({ id, items: [...items], accepted: 0 })
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
    while (this.#servePut() || this.#serveGet());
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
    this.gets.shift()
    if (this.items.length === 0) this.results.set(get.id, CLOSED)
    else this.results.set(get.id, value(get.most > 0 ? this.#takeMany(get.most) : this.#take()))
    return true
  }

  #cancel(id: number, result: Result): void {
    const get = this.gets.findIndex((one) => one.id === id)
    if (get >= 0) {
      this.gets.splice(get, 1)
      this.results.set(id, result)
    }
    const put = this.puts.find((one) => one.id === id)
    if (put) this.#end(put, result)
  }

  #end(put: WaitingPut, result: Result): void {
    this.puts.splice(this.puts.indexOf(put), 1)
    this.results.set(put.id, result)
    this.counts.set(put.id, put.accepted)
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
