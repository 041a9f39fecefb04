/** Items that are messages - bytes of some length: each is encoded into the scratch buffer, and then one call of the addon. */
import { type Batch, batchOf } from './batch.js'
import type { MessageCodec } from '../codec/message.js'
import { damaged, invalidValue, nameOf, withCode } from '../errors.js'
import { copyInto } from '../intrinsics.js'
import { type NativeQueue, native, type OpenedQueue } from '../addon/native.js'
import { longBuffer, reserve, scratch, USUAL_BYTES } from '../addon/scratch.js'
import { NOTHING } from '../wait/selectable.js'
import { offerAll, type Transport } from './transport.js'

const { queue: QUEUE, status: STATUS } = native

/** The most that an encoding puts before an item's own bytes. */
const TAG_BYTES = 1

export class MessageTransport implements Transport<unknown, number, Uint8Array> {
  readonly #native: NativeQueue
  readonly #overflow: number
  readonly #codec: MessageCodec<unknown>
  readonly #capacity: number
  readonly #name: string
  readonly #itemBytes: number
  /** Whether there may be items that do not pass through the scratch buffer. */
  readonly #mayBeLong: boolean
  #status = 0
  /** Why a batch ended before an item that is lost. */
  #undecoded: { readonly error: unknown } | undefined

  constructor(queue: OpenedQueue, codec: MessageCodec<unknown>, name: string) {
    this.#native = queue.object
    this.#overflow = queue.overflow
    this.#codec = codec
    this.#capacity = queue.capacity
    this.#name = name
    this.#itemBytes = queue.itemBytes
    this.#mayBeLong = queue.capacity * queue.itemBytes + TAG_BYTES > USUAL_BYTES
  }

  prepare(item: unknown): number {
    const bytes = this.#codec.encode(item)
    if (bytes > this.#itemBytes) this.#checkFits(bytes)
    return bytes
  }

  put(bytes: number): number {
    return bytes <= USUAL_BYTES ? QUEUE.put(this.#native, bytes) : QUEUE.put(this.#native, bytes, longBuffer())
  }

  putFirst(bytes: number): number {
    return QUEUE.putFirst(this.#native, bytes, longBuffer())
  }

  offer(bytes: number): number {
    return QUEUE.offer(this.#native, bytes, longBuffer())
  }

  putBlocking(bytes: number, timeout: number): number {
    return QUEUE.putBlocking(this.#native, bytes, timeout, longBuffer())
  }

  keep(bytes: number): Uint8Array {
    const kept = new Uint8Array(bytes)
    copyInto(kept, new Uint8Array(reserve(bytes).buffer, 0, bytes))
    return kept
  }

  putInTurn(kept: Uint8Array, woken: boolean): number {
    return QUEUE.putInTurn(this.#native, this.#load(kept), woken, kept)
  }

  get(): unknown {
    let answer = this.#mayBeLong ? QUEUE.get(this.#native, longBuffer()) : QUEUE.get(this.#native)
    while (answer === -STATUS.tooSmall) {
      reserve(QUEUE.nextBytes(this.#native))
      answer = QUEUE.get(this.#native, longBuffer())
    }
    return this.#decode(answer)
  }

  getFirst(): unknown {
    const answer = QUEUE.getFirst(this.#native, longBuffer())
    return answer === -STATUS.tooSmall ? this.get() : this.#decode(answer)
  }

  getBlocking(timeout: number): unknown {
    const start = native.now()
    let answer = QUEUE.getBlocking(this.#native, timeout, longBuffer())
    while (answer === -STATUS.tooSmall) {
      reserve(QUEUE.nextBytes(this.#native))
      answer = QUEUE.getBlocking(this.#native, Math.max(0, timeout - (native.now() - start)), longBuffer())
    }
    return this.#decode(answer)
  }

  peek(): unknown {
    let answer = QUEUE.peek(this.#native, longBuffer())
    while (answer === -STATUS.tooSmall) {
      reserve(QUEUE.nextBytes(this.#native))
      answer = QUEUE.peek(this.#native, longBuffer())
    }
    if (answer === -STATUS.damaged) throw damaged()
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
    return this.#putEach(batch, (kept) => QUEUE.put(this.#native, this.#load(kept), kept))
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
    const start = native.now()
    return this.#putEach(batch, (kept) =>
      QUEUE.putBlocking(this.#native, this.#load(kept), Math.max(0, timeout - (native.now() - start)), kept),
    )
  }

  offerRest(batch: Batch<Uint8Array[]>): number {
    return offerAll(batch, this.#overflow, (k) => {
      const kept = batch.items[k] as Uint8Array
      return QUEUE.offer(this.#native, this.#load(kept), kept)
    })
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

  /** Short ones go through the scratch buffer, long ones from where they are. */
  #load(kept: Uint8Array): number {
    if (kept.length <= USUAL_BYTES) copyInto(scratch, kept)
    return kept.length
  }

  #decode(answer: number): unknown {
    if (answer >= 0) return this.#codec.decode(answer)
    if (answer === -STATUS.damaged) throw damaged()
    this.#status = -answer
    return NOTHING
  }

  #checkFits(bytes: number): void {
    const capacity = this.#capacity
    if (QUEUE.slotsOf(this.#native, bytes) <= capacity) return
    throw withCode(
      new RangeError(
        `The item takes ${bytes} bytes, and the whole ${nameOf({ name: this.#name, capacity })} with itemBytes ${this.#itemBytes} holds ` +
          `${capacity * this.#itemBytes}. Create it with a larger itemBytes, for which ${Math.ceil(bytes / capacity)} is enough`,
      ),
      'ERR_ITEM_TOO_LARGE',
    )
  }
}
