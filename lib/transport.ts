/**
 * How items of one queue get into and out of the shared memory, in this thread. Two ways, with one face: a cell - a number, a bigint,
 * a boolean - is one WebAssembly call; a message is encoded into the scratch buffer and then one call of the addon.
 */
import { ACCESS, type CellAccess, checkCell, readCell, writeCell } from './codec/cell.js'
import { type MessageCodec, messageCodec } from './codec/message.js'
import type { ElementType } from './element-type.js'
import { withCode } from './errors.js'
import { type Core, instantiate } from './memory.js'
import { type NativeQueue, native, type OpenedQueue } from './native.js'
import type { FieldType } from './record.js'
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
  lastStatus(): number
  size(): number
  full(): boolean
  closed(): boolean
}

class CellTransport implements Transport<unknown, unknown, unknown> {
  readonly #native: NativeQueue
  readonly #core: Core
  readonly #kind: CellAccess['kind']
  readonly #access: CellAccess
  readonly #put: (value: never) => number
  readonly #get: () => unknown
  #blockingStatus: number | undefined

  constructor(queue: NativeQueue, core: Core, type: FieldType) {
    this.#native = queue
    this.#core = core
    const stored = type === 'boolean' ? 'uint8' : type
    this.#access = ACCESS[type]
    this.#kind = this.#access.kind
    this.#put = core[`put_${stored}`] as (value: never) => number
    this.#get = core[`get_${stored}`] as () => unknown
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
      this.#blockingStatus = undefined
      if (this.#core.status() !== STATUS.ok) return NOTHING
    }
    return this.#kind === 'boolean' ? value !== 0 : value
  }

  getBlocking(timeout: number): unknown {
    const answer = QUEUE.getBlocking(this.#native, timeout)
    if (answer < 0) {
      this.#blockingStatus = -answer
      return NOTHING
    }
    return readCell(this.#access)
  }

  lastStatus(): number {
    return this.#blockingStatus ?? this.#core.status()
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

  #write(item: unknown): number {
    writeCell(this.#access, item)
    return 8
  }
}

class MessageTransport implements Transport<unknown, number, Uint8Array> {
  readonly #native: NativeQueue
  readonly #codec: MessageCodec<unknown>
  readonly #capacity: number
  readonly #slotBytes: number
  #status = 0

  constructor(queue: OpenedQueue, codec: MessageCodec<unknown>) {
    this.#native = queue.object
    this.#codec = codec
    this.#capacity = queue.capacity
    this.#slotBytes = queue.slotBytes
  }

  prepare(item: unknown): number {
    const bytes = this.#codec.encode(item)
    if (bytes > this.#slotBytes) this.#checkFits(bytes)
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
    reserve(kept.length)
    scratch.set(kept)
    return QUEUE.putInTurn(this.#native, kept.length, woken)
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

  #decode(answer: number): unknown {
    if (answer >= 0) return this.#codec.decode(answer)
    this.#status = -answer
    return NOTHING
  }

  #checkFits(bytes: number): void {
    if (QUEUE.slotsOf(this.#native, bytes) <= this.#capacity) return
    throw withCode(
      new RangeError(`The item takes ${bytes} bytes, the whole queue has ${this.#capacity} slots of ${this.#slotBytes} bytes`),
      'ERR_ITEM_TOO_LARGE',
    )
  }
}

export function transportOf(memory: WebAssembly.Memory, queue: OpenedQueue, type: ElementType): Transport<unknown, unknown, unknown> {
  const codec = messageCodec(type)
  if (codec) return new MessageTransport(queue, codec) as Transport<unknown, unknown, unknown>
  return new CellTransport(queue.object, instantiate(memory, queue.wake), type as FieldType)
}
