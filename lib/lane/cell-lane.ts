/**
 * The lane of items that are cells: numbers, bigints, booleans. Each takes one WebAssembly call,
 * and so does a block of them, by way of this thread's staging area.
 */
import { bytesOf, type CellCore, instantiate } from '../addon/memory.js'
import { type NativeQueue, native, type OpenedQueue } from '../addon/native.js'
import { type Block, blockConstructor, blockOver, isArrayOf, toBlock } from '../codec/block.js'
import { checkKind, type NumericType, readScalar, type Scalar, SCALARS, type ScalarType, writeScalar } from '../codec/scalar.js'
import { elementsOf } from '../codec/view.js'
import { damaged, invalidType, invalidValue } from '../errors.js'
import { copyInto } from '../intrinsics.js'
import { NOTHING, type Nothing } from '../wait/selectable.js'
import { type Batch, batchOf } from './batch.js'
import { CLOSED, countDone, type Lane, type None, offerAll } from './lane.js'
import { stagingAreaNumber } from './staging.js'

const { queue: QUEUE, questions: ASK, status: STATUS } = native
/** WebAssembly's 64-bit integers have no sign; as bigints they all have one. */
const asUnsigned = BigInt.asUintN

export class CellLane implements Lane<unknown, unknown> {
  readonly #native: NativeQueue
  readonly #memory: WebAssembly.Memory
  readonly #overflow: number
  readonly #core: CellCore
  readonly #kind: Scalar['kind']
  readonly #scalar: Scalar
  readonly #put: CellCore['put']
  readonly #get: CellCore['get']
  /** Whether WebAssembly's number is the item. */
  readonly #isItem: boolean
  /**
   * The numeric type in which items are stored. Booleans are stored as 0 and 1, and so are their
   * blocks.
   */
  readonly #stored: NumericType
  readonly #staging: number
  /** This thread's staging area. */
  #area: Block | undefined
  /** The view of the area's beginning that was needed last. */
  #part: Block | undefined
  #inHand: unknown

  constructor(memory: WebAssembly.Memory, queue: OpenedQueue, type: ScalarType) {
    this.#native = queue.object
    this.#overflow = queue.overflow
    this.#staging = queue.staging
    this.#memory = memory
    const stored = type === 'boolean' ? 'uint8' : type
    const core = instantiate(stored === 'biguint64' ? 'bigint64' : stored, memory, queue.wake)
    this.#core = core
    this.#stored = stored
    this.#isItem = type !== 'boolean' && type !== 'biguint64'
    this.#scalar = SCALARS[type]
    this.#kind = this.#scalar.kind
    this.#put = core.put
    this.#get = core.get
  }

  tryPut(item: unknown): number {
    // The commonest kind first, and inline: this is the hot path.
    if (typeof item !== this.#kind) checkKind('item', this.#kind, item)
    const status = this.#put(item)
    return status === STATUS.ok ? status : this.#putLate(item, status)
  }

  #putLate(item: unknown, status: number): number {
    this.#inHand = item
    // The addon waits until another's copy has ended.
    return status === STATUS.busy ? QUEUE.put(this.#native, this.#write(item)) : status
  }

  tryPutFirst(item: unknown): number {
    if (typeof item !== this.#kind) checkKind('item', this.#kind, item)
    const status = this.#put(item)
    if (status === STATUS.ok) return status
    this.#inHand = item
    return status === STATUS.busy ? STATUS.full : status
  }

  offerInHand(): number {
    return QUEUE.offer(this.#native, this.#write(this.#inHand))
  }

  blockInHand(timeout: number): number {
    const item = this.#inHand
    if (this.#core.ask(ASK.spinForRoom) !== 0 && this.#put(item) === STATUS.ok) return STATUS.ok
    return QUEUE.putBlocking(this.#native, this.#write(item), timeout)
  }

  holdInHand(): unknown {
    return this.#inHand
  }

  dropInHand(): void {
    this.#inHand = undefined
  }

  hold(item: unknown): unknown {
    checkKind('item', this.#kind, item)
    return item
  }

  tryHeld(item: unknown): number {
    return this.tryPut(item)
  }

  putHeld(item: unknown): number {
    const status = this.#put(item)
    return status === STATUS.busy ? STATUS.full : status
  }

  // From here on no function is entered: a script of node:vm is not stopped before it has the item.
  tryGet(): unknown {
    const value = this.#get()
    // NaN (the only value that is not equal to itself), or 0n of a bigint queue, stands for
    // nothing. It may also be an item; the status says which.
    if (value !== value || value === 0n) {
      const status = this.#core.ask(ASK.status)
      if (status === STATUS.busy) return this.#getNative(QUEUE.get(this.#native))
      if (status !== STATUS.ok) return status === STATUS.closed ? CLOSED : NOTHING
    }
    if (this.#isItem) return value
    return this.#kind === 'boolean' ? value !== 0 : asUnsigned(64, value as bigint)
  }

  tryGetFirst(): unknown {
    const value = this.#get()
    if (value !== value || value === 0n) {
      const status = this.#core.ask(ASK.status)
      if (status !== STATUS.ok) return status === STATUS.closed ? CLOSED : NOTHING
    }
    if (this.#isItem) return value
    return this.#kind === 'boolean' ? value !== 0 : asUnsigned(64, value as bigint)
  }

  getBlocking(timeout: number): unknown {
    if (this.#core.ask(ASK.spinForItem) !== 0) {
      const item = this.tryGetFirst()
      if (item !== NOTHING) return item
    }
    return this.#getNative(QUEUE.getBlocking(this.#native, timeout))
  }

  /** Converts the result of one of the addon's gets. */
  #getNative(result: number): unknown {
    return result < 0 ? this.#none(result) : this.#read()
  }

  peek(): unknown | Nothing {
    const result = QUEUE.peek(this.#native)
    if (result === -STATUS.damaged) throw damaged()
    return result < 0 ? NOTHING : this.#read()
  }

  #none(result: number): None {
    if (result === -STATUS.damaged) throw damaged()
    return result === -STATUS.closed ? CLOSED : NOTHING
  }

  checkInto(into: unknown): never {
    throw invalidType('options.into', 'left out: a single number goes into nothing', into)
  }

  size(): number {
    return this.#core.ask(ASK.size)
  }

  full(): boolean {
    return this.#core.ask(ASK.full) !== 0
  }

  closed(): boolean {
    return this.#core.ask(ASK.closed) !== 0
  }

  prepareMany(items: Iterable<unknown>): Batch<Block> {
    if (this.#kind !== 'boolean') {
      const block = toBlock(this.#stored, items)
      return batchOf(block, elementsOf(block))
    }
    return batchOf(Uint8Array.from(items, (item: unknown) => (checkKind('items', 'boolean', item), item ? 1 : 0)))
  }

  keepMany(batch: Batch<Block>): Batch<Block> {
    return { ...batch, items: this.#copyOf(this.#itemsOf(batch), batch.length) }
  }

  putMany(batch: Batch<Block>): number {
    const { length } = batch
    if (batch.done === length) return this.closed() ? STATUS.closed : STATUS.ok
    const items = this.#itemsOf(batch)
    const area = this.#ownArea()
    while (batch.done < length) {
      let result = area ? this.#putBlock(area, items, batch.done, length) : -STATUS.busy
      if (result === -STATUS.busy) result = QUEUE.putMany(this.#native, items, batch.done)
      if (result < 0) return -result
      batch.done += result
    }
    return STATUS.ok
  }

  putManyBlocking(batch: Batch<Block>, timeout: number): number {
    if (this.#core.ask(ASK.spinForRoom) !== 0) {
      const status = this.putMany(batch)
      if (status !== STATUS.full) return status
    }
    const items = this.#itemsOf(batch)
    let status: number = STATUS.ok
    // One call puts at most 2^32 - 1.
    while (status === STATUS.ok && batch.done < batch.length) {
      status = countDone(batch, () => QUEUE.putManyBlocking(this.#native, items, batch.done, timeout))
    }
    return status
  }

  putManyFirst(batch: Batch<Block>): number {
    return this.putMany(batch)
  }

  putManyHeld(batch: Batch<Block>): number {
    return this.putMany(batch)
  }

  offerRest(batch: Batch<Block>): number {
    return offerAll(batch, this.#overflow, (k) => {
      this.#inHand = this.#fromStored(batch.items[k] as number | bigint)
      return this.offerInHand()
    })
  }

  checkBatchInto(into: unknown): Block {
    if (this.#kind === 'boolean') throw invalidValue('options.into', 'left out: booleans come out as an array', into)
    const { name } = blockConstructor(this.#stored)
    if (!isArrayOf(this.#stored, into)) throw invalidType('options.into', `a ${name}`, into)
    if (elementsOf(into) === 0) throw invalidValue('options.into', `a ${name} of at least one element`, into)
    return into
  }

  getMany(max: number, into?: Block): unknown {
    const block = into ?? this.#newBlock(Math.min(max, Math.max(1, this.size())))
    const result = this.#fill(block, 0, Math.min(max, elementsOf(block)))
    return result < 0 ? this.#none(result) : this.#blockOut(block, result, into)
  }

  getManyBlocking(max: number, timeout: number, into?: Block): unknown {
    if (this.#core.ask(ASK.spinForItem) !== 0) {
      const items = this.getMany(max, into)
      if (items !== NOTHING) return items
    }
    const one = into ?? this.#newBlock(1)
    const first = this.#getNative(QUEUE.getBlocking(this.#native, timeout))
    if (first === NOTHING || first === CLOSED) return first
    const block = into ?? this.#longerBlock(Math.min(max, 1 + this.size())) ?? one
    block[0] = (this.#kind === 'boolean' ? Number(first) : first) as never
    return this.#blockOut(block, 1 + Math.max(0, this.#fill(block, 1, Math.min(max, elementsOf(block)))), into)
  }

  // No user code may run between the call and the copy into or out of the area: it might use a
  // queue itself, and so overwrite the area.

  /**
   * Fills the block, from `from` to before `end`, with the items that are there. Returns how many,
   * or a negated status.
   */
  #fill(block: Block, from: number, end: number): number {
    const area = this.#ownArea()
    for (let at = from; at < end;) {
      let result = area ? this.#core.get_block(stagingAreaNumber(), Math.min(end - at, area.length)) : -STATUS.busy
      if (result > 0) copyInto(block, this.#partOf(area as Block, result), at)
      else if (result === -STATUS.busy) result = QUEUE.getMany(this.#native, block, at, end)
      if (result < 0) return at > from ? at - from : result
      at += result
    }
    return end - from
  }

  /**
   * Puts as many items, from `from` on, as the area and the queue have room for. Returns how many,
   * or a negated status.
   */
  #putBlock(area: Block, items: Block, from: number, end: number): number {
    const count = Math.min(end - from, area.length)
    copyInto(area, count === end ? items : blockOver(this.#stored, items, from, count), 0)
    return this.#core.put_block(stagingAreaNumber(), count)
  }

  /**
   * Returns this thread's staging area. Undefined if it has none: then the addon reads and writes
   * blocks where they are.
   */
  #ownArea(): Block | undefined {
    const number = stagingAreaNumber()
    if (number < 0) return undefined
    return (this.#area ??= this.#newArea(this.#staging + number * native.stagingBytes))
  }

  #newArea(offset: number): Block {
    const constructor = blockConstructor(this.#stored)
    return new constructor(bytesOf(this.#memory).buffer, offset, native.stagingBytes / constructor.BYTES_PER_ELEMENT)
  }

  /**
   * Returns a view of the area's first `length` elements: the last one again if it fits, since
   * making a view takes longer than copying a short block.
   */
  #partOf(area: Block, length: number): Block {
    if (length === area.length) return area
    if (this.#part?.length !== length) this.#part = blockOver(this.#stored, area, 0, length)
    return this.#part
  }

  #newBlock(length: number): Block {
    return new (blockConstructor(this.#stored))(length)
  }

  /** Returns undefined if there is no memory for it: the items must have a place all the same. */
  #longerBlock(length: number): Block | undefined {
    try {
      return this.#newBlock(length)
    } catch {
      return undefined
    }
  }

  #fromStored(value: number | bigint): number | bigint | boolean {
    return this.#kind === 'boolean' ? value !== 0 : value
  }

  /**
   * Returns the first `count` items of the block: the block itself if it is full, a view of the
   * caller's block, or a copy if our own was made too long.
   */
  #blockOut(block: Block, count: number, into: Block | undefined): unknown {
    if (this.#kind === 'boolean') return Array.from(this.#copyOf(block, count) as Uint8Array, (value) => value !== 0)
    if (count === elementsOf(block)) return block
    return into ? blockOver(this.#stored, into, 0, count) : this.#copyOf(block, count)
  }

  /**
   * Returns the items that there were when the batch began. Throws if there are fewer now because
   * the buffer was resized.
   */
  #itemsOf({ items, length }: Batch<Block>): Block {
    return elementsOf(items) === length ? items : blockOver(this.#stored, items, 0, length)
  }

  /** Returns a copy of the first `count` items, or if there is no memory for one, a view of them. */
  #copyOf(block: Block, count: number): Block {
    const view = blockOver(this.#stored, block, 0, count)
    try {
      return new (blockConstructor(this.#stored))(view)
    } catch {
      return view
    }
  }

  #read(): unknown {
    return readScalar(this.#scalar)
  }

  #write(item: unknown): number {
    writeScalar(this.#scalar, item)
    return 8
  }
}
