/** Items that are messages - bytes of some length: each is encoded into the scratch buffer, and then one call of the addon. */
import { type Batch, batchOf } from './batch.js'
import type { MessageCodec } from './codec/message.js'
import { invalidValue, withCode } from './errors.js'
import { type NativeQueue, native, type OpenedQueue } from './native.js'
import { reserve, scratch } from './scratch.js'
import { NOTHING, offerAll, type Transport } from './transport.js'

const { queue: QUEUE, status: STATUS } = native

export class MessageTransport implements Transport<unknown, number, Uint8Array> {
  readonly #native: NativeQueue
  readonly #overflow: number
  readonly #codec: MessageCodec<unknown>
  readonly #capacity: number
  readonly #itemBytes: number
  #status = 0
  /** Why a batch ended before an item that is lost. */
  #undecoded: { readonly error: unknown } | undefined

  constructor(queue: OpenedQueue, codec: MessageCodec<unknown>) {
    this.#native = queue.object
    this.#overflow = queue.overflow
    this.#codec = codec
    this.#capacity = queue.capacity
    this.#itemBytes = queue.itemBytes
  }

  prepare(item: unknown): number {
    const bytes = this.#codec.encode(item)
    if (bytes > this.#itemBytes) this.#checkFits(bytes)
    return bytes
  }

  put(bytes: number): number {
    return QUEUE.put(this.#native, bytes)
  }

  putFirst(bytes: number): number {
    return QUEUE.putFirst(this.#native, bytes)
  }

  offer(bytes: number): number {
    return QUEUE.offer(this.#native, bytes)
  }

  putBlocking(bytes: number, timeout: number): number {
    return QUEUE.putBlocking(this.#native, bytes, timeout)
  }

  keep(bytes: number): Uint8Array {
    return new Uint8Array(scratch.subarray(0, bytes))
  }

  putInTurn(kept: Uint8Array, woken: boolean): number {
    return QUEUE.putInTurn(this.#native, this.#load(kept), woken)
  }

  get(): unknown {
    let answer = QUEUE.get(this.#native)
    while (answer === -STATUS.tooSmall) {
      reserve(QUEUE.nextBytes(this.#native))
      answer = QUEUE.get(this.#native)
    }
    return this.#decode(answer)
  }

  getFirst(): unknown {
    const answer = QUEUE.getFirst(this.#native)
    return answer === -STATUS.tooSmall ? this.get() : this.#decode(answer)
  }

  getBlocking(timeout: number): unknown {
    const start = performance.now()
    let answer = QUEUE.getBlocking(this.#native, timeout)
    while (answer === -STATUS.tooSmall) {
      reserve(QUEUE.nextBytes(this.#native))
      answer = QUEUE.getBlocking(this.#native, Math.max(0, timeout - (performance.now() - start)))
    }
    return this.#decode(answer)
  }

  peek(): unknown {
    let answer = QUEUE.peek(this.#native)
    while (answer === -STATUS.tooSmall) {
      reserve(QUEUE.nextBytes(this.#native))
      answer = QUEUE.peek(this.#native)
    }
    return answer < 0 ? NOTHING : this.#codec.decode(answer)
  }

  lastStatus(): number {
    return this.#status
  }

  size(): number {
    return QUEUE.size(this.#native)
  }

  full(): boolean {
    return QUEUE.full(this.#native)
  }

  closed(): boolean {
    return QUEUE.closed(this.#native)
  }

  prepareMany(items: Iterable<unknown>): Batch<Uint8Array[]> {
    return batchOf(Array.from(items, (item) => this.keep(this.prepare(item))))
  }

  keepMany(batch: Batch<Uint8Array[]>): Batch<Uint8Array[]> {
    return batch
  }

  putMany(batch: Batch<Uint8Array[]>): number {
    return this.#putEach(batch, (kept) => this.put(this.#load(kept)))
  }

  putManyInTurn(batch: Batch<Uint8Array[]>, woken: boolean): number {
    return this.#putEach(batch, (kept) => this.putInTurn(kept, woken))
  }

  #putEach(batch: Batch<Uint8Array[]>, put: (kept: Uint8Array) => number): number {
    if (batch.length === 0 && this.closed()) return STATUS.closed
    for (; batch.done < batch.length; batch.done++) {
      const status = put(batch.items[batch.done] as Uint8Array)
      if (status !== STATUS.ok) return status
    }
    return STATUS.ok
  }

  putManyBlocking(batch: Batch<Uint8Array[]>, timeout: number): number {
    const start = performance.now()
    return this.#putEach(batch, (kept) => this.putBlocking(this.#load(kept), Math.max(0, timeout - (performance.now() - start))))
  }

  offerRest(batch: Batch<Uint8Array[]>): number {
    return offerAll(batch, this.#overflow, (k) => this.offer(this.#load(batch.items[k] as Uint8Array)))
  }

  checkInto(into: unknown): never {
    throw invalidValue('options.into', 'left out: only numbers go into a typed array', into)
  }

  getMany(max: number): unknown {
    this.#tellUndecoded()
    return this.#more(this.get(), max)
  }

  getManyBlocking(max: number, timeout: number): unknown {
    return this.#more(this.getBlocking(timeout), max)
  }

  #tellUndecoded(): void {
    const undecoded = this.#undecoded
    this.#undecoded = undefined
    if (undecoded) throw undecoded.error
  }

  /** The items from that first one on, as many as there are, at most `max`. */
  #more(first: unknown, max: number): unknown {
    if (first === NOTHING) return NOTHING
    const items = [first]
    while (items.length < max) {
      let item: unknown
      try {
        item = this.get()
      } catch (error) {
        // Those before it are not lost for it: the next call tells.
        this.#undecoded = { error }
        break
      }
      if (item === NOTHING) break
      items.push(item)
    }
    return items
  }

  #load(kept: Uint8Array): number {
    reserve(kept.length)
    scratch.set(kept)
    return kept.length
  }

  #decode(answer: number): unknown {
    if (answer >= 0) return this.#codec.decode(answer)
    this.#status = -answer
    return NOTHING
  }

  #checkFits(bytes: number): void {
    if (QUEUE.slotsOf(this.#native, bytes) <= this.#capacity) return
    throw withCode(
      new RangeError(`The item takes ${bytes} bytes, the whole queue has ${this.#capacity} slots of ${this.#itemBytes} bytes`),
      'ERR_ITEM_TOO_LARGE',
    )
  }
}
