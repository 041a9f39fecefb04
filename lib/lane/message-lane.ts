/**
 * The lane of items that are messages. A short one passes through this thread's staging area of the
 * queue's memory, by one call of WebAssembly. A long one is copied between the slots and the
 * caller's memory, by one call of the addon. A put or get that waits, or finds no staging area
 * left, goes through the thread's buffer.
 */
import { bytesOf, instantiate, type MessageCore } from '../addon/memory.js'
import { type NativeQueue, native, type OpenedQueue } from '../addon/native.js'
import { type Bytes, freshBytes, scratch, spaceOver } from '../addon/space.js'
import type { Block } from '../codec/block.js'
import { OneHand } from '../codec/hand.js'
import type { MessageCodec } from '../codec/message.js'
import { bytesOfView } from '../codec/view.js'
import { damaged, invalidType, invalidValue, nameOf, outOfRange, withCode } from '../errors.js'
import { copyInto } from '../intrinsics.js'
import { NOTHING, type Nothing } from '../wait/selectable.js'
import type { Batch } from './batch.js'
import { CLOSED, type Lane, type None } from './lane.js'
import { type Items, MessageBatches, type Singles } from './message-batches.js'
import { stagingAreaNumber } from './staging.js'
import { Together } from './together.js'

const { queue: QUEUE, questions: ASK, status: STATUS } = native

/** An item, copied out of the user's reach: the whole of it, or its head and its body. */
interface Held {
  readonly bytes: Uint8Array
  readonly body: Uint8Array | undefined
}

export class MessageLane implements Lane<unknown, Held>, Singles {
  readonly #native: NativeQueue
  readonly #memory: WebAssembly.Memory
  readonly #queue: OpenedQueue
  readonly #codec: MessageCodec<unknown>
  readonly #name: string
  /** Undefined until this thread uses the queue. */
  #hand: OneHand | undefined
  #space = scratch
  #area = -1
  /** Undefined where no staging area was left: then items pass through the thread's buffer. */
  #core: MessageCore | undefined
  #together: Together | undefined
  #batches: MessageBatches | undefined

  constructor(memory: WebAssembly.Memory, queue: OpenedQueue, codec: MessageCodec<unknown>, name: string) {
    this.#native = queue.object
    this.#memory = memory
    this.#queue = queue
    this.#codec = codec
    this.#name = name
  }

  // Called when the queue is first used: a thread that only passes it on needs no instance of the
  // module.
  #open(): OneHand {
    const { staging, wake } = this.#queue
    this.#area = stagingAreaNumber()
    if (this.#area >= 0) {
      this.#space = spaceOver(bytesOf(this.#memory).buffer, staging + this.#area * native.stagingBytes, native.stagingBytes)
      this.#core = instantiate('message', this.#memory, wake)
    }
    return (this.#hand = new OneHand(this.#space))
  }

  tryPut(item: unknown): number {
    const hand = this.#encode(item)
    const status = this.#putStaged(hand, 0)
    return status === STATUS.busy ? this.#putUnstaged(hand, QUEUE.put) : status
  }

  tryPutFirst(item: unknown): number {
    const hand = this.#encode(item)
    const status = this.#putStaged(hand, 1)
    return status === STATUS.busy ? this.#putUnstaged(hand, QUEUE.putFirst) : status
  }

  #encode(item: unknown): OneHand {
    const hand = this.#hand ?? this.#open()
    this.#codec.encode(item, hand)
    const bytes = hand.end + hand.bodyBytes
    if (bytes > this.#queue.mostBytes) {
      hand.drop()
      this.checkFits(bytes)
    }
    return hand
  }

  /** Keeps the item in the hand if there is no room. */
  #putUnstaged(hand: OneHand, put: typeof QUEUE.put): number {
    const status = put(this.#native, this.#unstage(hand), hand.body)
    if (status !== STATUS.full) hand.drop()
    return status
  }

  /** Returns busy also where WebAssembly cannot take the item. */
  #putStaged(hand: OneHand, heeding: number): number {
    return this.#core && hand.space === this.#space ? this.#core.put(this.#area, hand.end, heeding) : STATUS.busy
  }

  /**
   * Copies the item into the thread's buffer, all but its body, which the addon copies itself.
   * Returns the item's length.
   */
  #unstage(hand: OneHand): number {
    const { space, end, bodyBytes } = hand
    if (space !== scratch) {
      copyInto(scratch.bytes, new Uint8Array(space.buffer, space.offset, end))
      hand.space = scratch
    }
    return end + bodyBytes
  }

  offerInHand(): number {
    const hand = this.#hand as OneHand
    const status = QUEUE.offer(this.#native, this.#unstage(hand), hand.body)
    hand.drop()
    return status
  }

  blockInHand(timeout: number): number {
    const hand = this.#hand as OneHand
    if (this.mayFind(ASK.spinForRoom) && this.#putStaged(hand, 1) === STATUS.ok) return STATUS.ok
    const status = QUEUE.putBlocking(this.#native, this.#unstage(hand), timeout, hand.body)
    hand.drop()
    return status
  }

  holdInHand(): Held {
    const hand = this.#hand as OneHand
    const { space, end, body, bodyBytes } = hand
    const bytes = new Uint8Array(end)
    copyInto(bytes, new Uint8Array(space.buffer, space.offset, end))
    if (!body) return { bytes, body }
    const copy = new Uint8Array(bodyBytes)
    copyInto(copy, body)
    hand.drop()
    return { bytes, body: copy }
  }

  dropInHand(): void {
    ;(this.#hand as OneHand).drop()
  }

  offer(item: unknown): number {
    this.#encode(item)
    return this.offerInHand()
  }

  hold(item: unknown): Held {
    this.#encode(item)
    return this.holdInHand()
  }

  tryHeld(held: Held): number {
    return QUEUE.put(this.#native, this.#load(held), held.body)
  }

  putHeld(held: Held, woken: boolean): number {
    return QUEUE.putWaiting(this.#native, this.#load(held), woken, held.body)
  }

  /** Copies the item into the thread's buffer, all but its body. Returns the item's length. */
  #load({ bytes, body }: Held): number {
    const length = body ? bytes.length + body.length : bytes.length
    copyInto(scratch.bytes, bytes)
    return length
  }

  tryGet(into?: Block): unknown {
    const result = this.#getStaged(into)
    return result >= 0 ? this.#codec.decode(this.#space, 0, result, into) : this.#getLate(result, into)
  }

  tryGetFirst(into?: Block): unknown {
    const result = this.#getStaged(into)
    if (result >= 0) return this.#codec.decode(this.#space, 0, result, into)
    // Without a staging area the queue has not been asked yet.
    return result === -STATUS.busy && this.#core ? NOTHING : this.#getLate(result, into)
  }

  /**
   * Gets an item into the staging area. Returns its length, or a negated status, also where
   * WebAssembly cannot take the item.
   */
  #getStaged(into: Block | undefined): number {
    if (this.#hand === undefined) this.#open()
    if (into && this.#codec.varies) return -STATUS.tooSmall
    return this.#core ? this.#core.get(this.#area) : -STATUS.busy
  }

  #getLate(result: number, into: Block | undefined): unknown {
    if (result === -STATUS.busy || result === -STATUS.tooSmall) return this.#getLong((body) => QUEUE.get(this.#native, body), into)
    return this.#none(result)
  }

  /** Waits for a moment for an item, or for room; see native/wasm/spinning.h. */
  mayFind(question: number): boolean {
    return this.#core !== undefined && this.#core.ask(question) !== 0
  }

  getBlocking(timeout: number, into?: Block): unknown {
    if (this.mayFind(ASK.spinForItem)) {
      const item = this.tryGetFirst(into)
      if (item !== NOTHING) return item
    }
    const start = native.now()
    return this.#getLong((body) => QUEUE.getBlocking(this.#native, Math.max(0, timeout - (native.now() - start)), body), into)
  }

  /**
   * Gets an item through the thread's buffer. A long one goes into a buffer of its own, or into the
   * user's, where that saves a copy.
   */
  #getLong(get: (body?: Uint8Array) => number, into: Block | undefined): unknown {
    const codec = this.#codec
    const { headBytes } = this.#queue
    const shortest = codec.isBody ? native.stagingBytes : scratch.size
    for (;;) {
      const bytes = QUEUE.nextBytes(this.#native)
      const isLong = bytes > shortest || (into !== undefined && codec.varies)
      const own = isLong && !into ? freshBytes(bytes - headBytes) : undefined
      const body = isLong && into ? bytesOfView(into) : own
      const result = get(body)
      if (result >= 0) return body ? this.#receive(body, result - headBytes, into) : codec.decode(scratch, 0, result, into)
      if (result !== -STATUS.tooSmall) return this.#none(result)
      // Another thread got that item meanwhile, and the next is longer; or the item is too long for
      // the user's view, and stays in the queue.
      if (body && into) this.#checkFitsInto(into)
    }
  }

  #receive(body: Uint8Array, length: number, into: Block | undefined): unknown {
    const codec = this.#codec
    const { headBytes } = this.#queue
    // Another thread took the long item that was next. This is a short one, of any encoding.
    if (!codec.isBody && headBytes + length <= scratch.size) {
      copyInto(scratch.bytes, new Uint8Array(body.buffer, body.byteOffset, length), headBytes)
      return codec.decode(scratch, 0, headBytes + length)
    }
    if (into) return codec.receive(scratch, body as Bytes, length, into)
    const whole = length === body.length ? (body as Bytes) : freshBytes(length)
    if (whole !== body) copyInto(whole, new Uint8Array(body.buffer, body.byteOffset, length))
    return codec.receive(scratch, whole, length)
  }

  #checkFitsInto(into: Block): void {
    const bytes = QUEUE.nextBytes(this.#native)
    if (bytes > bytesOfView(into).length) throw outOfRange('options.into', `at least ${bytes} bytes long, as the next item is`, into)
  }

  #none(result: number): None {
    if (result === -STATUS.damaged) throw damaged()
    return result === -STATUS.closed ? CLOSED : NOTHING
  }

  peek(): unknown | Nothing {
    const { headBytes } = this.#queue
    let body: Bytes | undefined
    for (;;) {
      const result = QUEUE.peek(this.#native, body)
      if (result === -STATUS.damaged) throw damaged()
      if (result >= 0) return body ? this.#receive(body, result - headBytes, undefined) : this.#codec.decode(scratch, 0, result)
      if (result !== -STATUS.tooSmall) return NOTHING
      body = freshBytes(Math.max(QUEUE.nextBytes(this.#native), scratch.size))
    }
  }

  size(): number {
    return this.#core ? this.#core.ask(ASK.size) : QUEUE.size(this.#native)
  }

  full(): boolean {
    return QUEUE.full(this.#native)
  }

  closed(): boolean {
    return QUEUE.closed(this.#native)
  }

  // Made when first needed, as most queues have no batches.
  together(): Together | undefined {
    if (this.#hand === undefined) this.#open()
    return this.#core && (this.#together ??= new Together(this.#core, this.#area, this.#space))
  }

  #batch(): MessageBatches {
    return (this.#batches ??= new MessageBatches(this, this.#queue, this.#codec))
  }

  prepareMany(items: Iterable<unknown>): Batch<Items> {
    return this.#batch().prepare(items)
  }

  keepMany(batch: Batch<Items>): Batch<Items> {
    return batch
  }

  putMany(batch: Batch<Items>): number {
    return this.#batch().put(batch)
  }

  putManyFirst(batch: Batch<Items>): number {
    return this.#batch().putFirst(batch)
  }

  putManyHeld(batch: Batch<Items>, woken: boolean): number {
    return this.#batch().putHeld(batch, woken)
  }

  putManyBlocking(batch: Batch<Items>, timeout: number): number {
    return this.#batch().putBlocking(batch, timeout)
  }

  offerRest(batch: Batch<Items>): number {
    return this.#batch().offerRest(batch)
  }

  getMany(max: number): unknown {
    return this.#batch().get(max)
  }

  getManyBlocking(max: number, timeout: number): unknown {
    return this.#batch().getBlocking(max, timeout)
  }

  checkInto(into: unknown): Block {
    if (!this.#codec.checkInto) throw invalidType('options.into', 'left out, for this type of queue', into)
    return this.#codec.checkInto(into)
  }

  checkBatchInto(into: unknown): never {
    throw invalidValue('options.into', 'left out: only numbers go into a typed array', into)
  }

  checkFits(bytes: number): void {
    if (bytes <= this.#queue.mostBytes) return
    const { capacity, headBytes, itemBytes } = this.#queue
    const own = bytes - headBytes
    throw withCode(
      new RangeError(
        `The item takes ${own} bytes, and the whole ${nameOf({ name: this.#name, capacity })} with itemBytes ${itemBytes} holds ` +
          `${capacity * itemBytes}. Create it with a larger itemBytes, for which ${Math.ceil(own / capacity)} is enough`,
      ),
      'ERR_ITEM_TOO_LARGE',
    )
  }
}
