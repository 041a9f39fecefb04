/**
 * How items of one queue get into and out of the shared memory, in this thread. Two ways, with one face: a cell - a number, a bigint,
 * a boolean - is one WebAssembly call; a message is encoded into the scratch buffer and then one call of the addon.
 */
import { type Batch, batchOf } from './batch.js'
import { type Block, blockConstructor, toBlock } from './codec/block.js'
import { ACCESS, type CellAccess, checkCell, readCell, writeCell } from './codec/cell.js'
import { type MessageCodec, messageCodec } from './codec/message.js'
import type { ElementType } from './element-type.js'
import { withCode } from './errors.js'
import { type Core, instantiate } from './memory.js'
import { type NativeQueue, native, type OpenedQueue } from './native.js'
import type { NumericType, ScalarType } from './record.js'
import { reserve, scratch } from './scratch.js'

const { queue: QUEUE, status: STATUS } = native

/** What get answers when there is nothing; `lastStatus()` then tells why. Not undefined, which may be an item. */
export const NOTHING = Symbol('nothing')
export type Nothing = typeof NOTHING

/**
 * An item is checked and made storable by `prepare` (what that answers is good until other code runs), put by one of the puts, which
 * answer a status, and made fit for waiting by `keep`.
 */
export interface Transport<T, Prepared, Kept> {
  prepare(item: T): Prepared
  put(prepared: Prepared): number
  /** A put that does not wait, when `put` answered full: does what the overflow policy says. */
  offer(prepared: Prepared): number
  putBlocking(prepared: Prepared, timeout: number): number
  keep(prepared: Prepared): Kept
  /** An attempt of this thread's first waiting put. `woken`: it has waited since an attempt before. */
  putInTurn(kept: Kept, woken: boolean): number
  get(): T | Nothing
  getBlocking(timeout: number): T | Nothing
  /** The oldest item, which stays. */
  peek(): T | Nothing
  /** Checks all items, then answers them as a batch; `keepMany` makes it fit for waiting. */
  prepareMany(items: Iterable<T>): Batch<unknown>
  keepMany(batch: Batch<unknown>): Batch<unknown>
  /** Puts as many of the batch as there is room for: ok when all are in, else full or closed. */
  putMany(batch: Batch<unknown>): number
  /** The same, as an attempt of this thread's first waiting put. */
  putManyInTurn(batch: Batch<unknown>, woken: boolean): number
  putManyBlocking(batch: Batch<unknown>, timeout: number): number
  /** What the overflow policy makes of the items for which there was no room: ok, or closed. */
  offerRest(batch: Batch<unknown>): number
  /** What is there, at most so many; NOTHING rather than none. */
  getMany(max: number): unknown | Nothing
  getManyBlocking(max: number, timeout: number): unknown | Nothing
  lastStatus(): number
  size(): number
  full(): boolean
  closed(): boolean
}

/** Offers each item that is left. Where a full queue rejects, the first that was refused ends the batch: what went in is its beginning. */
function offerAll(batch: Batch<unknown>, overflow: number, offer: (k: number) => number): number {
  if (overflow === native.overflows.reject) return STATUS.ok
  for (let k = batch.done; k < batch.length; k++) {
    const status = offer(k)
    if (status === STATUS.closed) return status
    if (status === STATUS.ok) batch.done++
  }
  return STATUS.ok
}

class CellTransport implements Transport<unknown, unknown, unknown> {
  readonly #native: NativeQueue
  readonly #overflow: number
  readonly #core: Core
  readonly #kind: CellAccess['kind']
  readonly #access: CellAccess
  readonly #put: (value: never) => number
  readonly #get: () => unknown
  /** What WebAssembly's number has to become, if it is not the item. */
  readonly #convert: ((value: never) => unknown) | undefined
  /** Booleans are stored as 0 and 1, and their blocks are made of those. */
  readonly #stored: NumericType
  /** Why the last get brought nothing, where WebAssembly does not know. */
  #status: number | undefined

  constructor(queue: OpenedQueue, core: Core, type: ScalarType) {
    this.#native = queue.object
    this.#overflow = queue.overflow
    this.#core = core
    const stored = type === 'boolean' ? 'uint8' : type
    this.#stored = stored
    if (type === 'boolean') this.#convert = (value: number) => value !== 0
    // WebAssembly's 64-bit integers have no sign; as bigints they all have one.
    if (type === 'biguint64') this.#convert = (value: bigint) => BigInt.asUintN(64, value)
    this.#access = ACCESS[type]
    this.#kind = this.#access.kind
    const bigint = this.#kind === 'bigint'
    const float = stored === 'float32' || stored === 'float64'
    this.#put = core[`put_${bigint ? 'bigint' : float ? stored : 'integer'}`] as (value: never) => number
    this.#get = core[`get_${bigint ? 'bigint' : stored}`] as () => unknown
  }

  prepare(item: unknown): unknown {
    // The commonest kind first, and inline: this is the hot path.
    if (typeof item !== this.#kind) checkCell('item', this.#kind, item)
    return item
  }

  put(item: unknown): number {
    return this.#put(item as never)
  }

  offer(item: unknown): number {
    return QUEUE.offer(this.#native, this.#write(item))
  }

  putBlocking(item: unknown, timeout: number): number {
    if (this.#core.spin_for_room() !== 0 && this.put(item) === STATUS.ok) return STATUS.ok
    return QUEUE.putBlocking(this.#native, this.#write(item), timeout)
  }

  keep(item: unknown): unknown {
    return item
  }

  putInTurn(item: unknown): number {
    return this.#put(item as never)
  }

  get(): unknown {
    const value = this.#get()
    // NaN (the only value that is not itself), or 0n of a bigint queue, stands for nothing. It may also be an item: the status tells.
    if (value !== value || value === 0n) {
      this.#status = undefined
      if (this.#core.status() !== STATUS.ok) return NOTHING
    }
    return this.#convert === undefined ? value : this.#convert(value as never)
  }

  getBlocking(timeout: number): unknown {
    if (this.#core.spin_for_item() !== 0) {
      const item = this.get()
      if (item !== NOTHING) return item
    }
    const answer = QUEUE.getBlocking(this.#native, timeout)
    if (answer < 0) {
      this.#status = -answer
      return NOTHING
    }
    return this.#read()
  }

  peek(): unknown {
    return QUEUE.peek(this.#native) < 0 ? NOTHING : this.#read()
  }

  lastStatus(): number {
    return this.#status ?? this.#core.status()
  }

  size(): number {
    return this.#core.size()
  }

  full(): boolean {
    return this.#core.full() !== 0
  }

  closed(): boolean {
    return this.#core.closed() !== 0
  }

  prepareMany(items: Iterable<unknown>): Batch<Block> {
    if (this.#kind !== 'boolean') return batchOf(toBlock(this.#stored, items))
    return batchOf(Uint8Array.from(items, (item: unknown) => (checkCell('items', 'boolean', item), item ? 1 : 0)))
  }

  keepMany(batch: Batch<Block>): Batch<Block> {
    return { ...batch, items: new (blockConstructor(this.#stored))(batch.items) }
  }

  putMany(batch: Batch<Block>): number {
    if (batch.done === batch.length) return this.closed() ? STATUS.closed : STATUS.ok
    const answer = QUEUE.putMany(this.#native, batch.items, batch.done)
    if (answer < 0) return -answer
    batch.done += answer
    return batch.done === batch.length ? STATUS.ok : STATUS.full
  }

  putManyBlocking(batch: Batch<Block>, timeout: number): number {
    const { status, done } = QUEUE.putManyBlocking(this.#native, batch.items, batch.done, timeout)
    batch.done += done
    return status
  }

  putManyInTurn(batch: Batch<Block>): number {
    return this.putMany(batch)
  }

  offerRest(batch: Batch<Block>): number {
    return offerAll(batch, this.#overflow, (k) => this.offer(this.#fromStored(batch.items[k] as number | bigint)))
  }

  getMany(max: number): unknown {
    const block = new (blockConstructor(this.#stored))(Math.min(max, Math.max(1, this.size())))
    const answer = QUEUE.getMany(this.#native, block, 0)
    if (answer < 0) {
      this.#status = -answer
      return NOTHING
    }
    return this.#blockOut(answer === block.length ? block : (block.slice(0, answer) as Block))
  }

  getManyBlocking(max: number, timeout: number): unknown {
    const first = this.getBlocking(timeout)
    if (first === NOTHING) return NOTHING
    const rest = Math.min(max - 1, this.size())
    const block = new (blockConstructor(this.#stored))(1 + rest)
    block[0] = (this.#kind === 'boolean' ? Number(first) : first) as never
    const answer = rest > 0 ? Math.max(0, QUEUE.getMany(this.#native, block, 1)) : 0
    return this.#blockOut(answer === rest ? block : (block.slice(0, 1 + answer) as Block))
  }

  #fromStored(value: number | bigint): number | bigint | boolean {
    return this.#kind === 'boolean' ? value !== 0 : value
  }

  #blockOut(block: Block): unknown {
    return this.#kind === 'boolean' ? Array.from(block as Uint8Array, (value) => value !== 0) : block
  }

  #read(): unknown {
    return readCell(this.#access)
  }

  #write(item: unknown): number {
    writeCell(this.#access, item)
    return 8
  }
}

class MessageTransport implements Transport<unknown, number, Uint8Array> {
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

export function transportOf(memory: WebAssembly.Memory, queue: OpenedQueue, type: ElementType): Transport<unknown, unknown, unknown> {
  const codec = messageCodec(type)
  if (codec) return new MessageTransport(queue, codec) as Transport<unknown, unknown, unknown>
  return new CellTransport(queue, instantiate(memory, queue.wake), type as ScalarType)
}
