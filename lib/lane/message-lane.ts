/**
 * Items that are messages. A short one passes through this thread's staging area of the queue's
 * memory, by one call of WebAssembly; a long one between the slots and where it is, by one call of
 * the addon; and whatever waits, or finds no staging area left, through the thread's buffer.
 */
import { bytesOf, instantiate, type MessageCore } from '../addon/memory.js'
import { type NativeQueue, native, type OpenedQueue } from '../addon/native.js'
import { type Bytes, freshBytes, scratch, type Space, spaceOver } from '../addon/space.js'
import type { Block } from '../codec/block.js'
import { OneHand, PackingHand } from '../codec/hand.js'
import type { MessageCodec } from '../codec/message.js'
import { isWide } from '../codec/string.js'
import { bytesOfView } from '../codec/view.js'
import { damaged, invalidType, invalidValue, nameOf, outOfRange, withCode } from '../errors.js'
import { copyInto } from '../intrinsics.js'
import { NOTHING, type Nothing } from '../wait/selectable.js'
import type { Batch } from './batch.js'
import { CLOSED, countDone, type Lane, type None, offerAll } from './lane.js'
import { haveStack, STACK, STACK_OF_TEXT } from './stack.js'
import { stagingAreaNumber } from './staging.js'
import { LENGTH_BYTES, type Packed, Together } from './together.js'

const { queue: QUEUE, questions: ASK, status: STATUS } = native

/** An item, copied out of the user's reach: the whole of it, or its head and its body. */
interface Held {
  readonly bytes: Uint8Array
  readonly body: Uint8Array | undefined
}

/** A batch of items: texts as they are, others encoded. */
interface Items {
  readonly texts: readonly string[] | undefined
  /** All items; or those of the texts that a put last tried to put while it waited. */
  packed: Packed | undefined
  /** The first that is packed. */
  from: number
}

/** So many texts are packed at a time, and no more once they have that many characters. */
const MOST_PACKED = 256
const ENOUGH_CHARACTERS = 16_384

export class MessageLane implements Lane<unknown, Held> {
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
  /** Why items of a batch are lost; the next calls for a batch tell. */
  readonly #undecoded: { readonly error: unknown }[] = []

  constructor(memory: WebAssembly.Memory, queue: OpenedQueue, codec: MessageCodec<unknown>, name: string) {
    this.#native = queue.object
    this.#memory = memory
    this.#queue = queue
    this.#codec = codec
    this.#name = name
  }

  // Late: a queue that this thread only passes on needs no instance of the module.
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
    return status === STATUS.busy ? QUEUE.put(this.#native, this.#unstage(hand), hand.body) : status
  }

  tryPutFirst(item: unknown): number {
    const hand = this.#encode(item)
    const status = this.#putStaged(hand, 1)
    return status === STATUS.busy ? QUEUE.putFirst(this.#native, this.#unstage(hand), hand.body) : status
  }

  #encode(item: unknown): OneHand {
    const hand = this.#hand ?? this.#open()
    this.#codec.encode(item, hand)
    this.#checkFits(hand.end + hand.bodyBytes)
    return hand
  }

  /** Busy also where it is not for WebAssembly. */
  #putStaged(hand: OneHand, heeding: number): number {
    return this.#core && hand.space === this.#space ? this.#core.put(this.#area, hand.end, heeding) : STATUS.busy
  }

  /** Into the thread's buffer, but for its body, whence the addon takes it. Returns its length. */
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
    return QUEUE.offer(this.#native, this.#unstage(hand), hand.body)
  }

  blockInHand(timeout: number): number {
    const hand = this.#hand as OneHand
    if (this.#mayFind(ASK.spinForRoom) && this.#putStaged(hand, 1) === STATUS.ok) return STATUS.ok
    return QUEUE.putBlocking(this.#native, this.#unstage(hand), timeout, hand.body)
  }

  holdInHand(): Held {
    const { space, end, body, bodyBytes } = this.#hand as OneHand
    const bytes = new Uint8Array(end)
    copyInto(bytes, new Uint8Array(space.buffer, space.offset, end))
    if (!body) return { bytes, body }
    const copy = new Uint8Array(bodyBytes)
    copyInto(copy, body)
    return { bytes, body: copy }
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

  /** Into the thread's buffer, but for its body. Returns its length. */
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
    // Where there is no staging area, the result is not from the queue.
    return result === -STATUS.busy && this.#core ? NOTHING : this.#getLate(result, into)
  }

  /**
   * The length of the item in the staging area; a negative status otherwise, also where it is not
   * for WebAssembly.
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
  #mayFind(question: number): boolean {
    return this.#core !== undefined && this.#core.ask(question) !== 0
  }

  getBlocking(timeout: number, into?: Block): unknown {
    if (this.#mayFind(ASK.spinForItem)) {
      const item = this.tryGetFirst(into)
      if (item !== NOTHING) return item
    }
    const start = native.now()
    return this.#getLong((body) => QUEUE.getBlocking(this.#native, Math.max(0, timeout - (native.now() - start)), body), into)
  }

  /**
   * Gets through the thread's buffer; or, what is long and where that saves a copy, into a buffer
   * of its own, or of the user's.
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
      // Another was got meanwhile, and the next is longer; or it is too long for what the user
      // gave, and stays.
      if (body && into) this.#checkFitsInto(into)
    }
  }

  #receive(body: Uint8Array, length: number, into: Block | undefined): unknown {
    const codec = this.#codec
    const { headBytes } = this.#queue
    // Another took the one that was next, and this is a short one, of whatever encoding.
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

  prepareMany(items: Iterable<unknown>): Batch<Items> {
    if (this.#codec.isText) {
      const texts: string[] = []
      for (const item of items) texts.push(this.#checkText(item))
      return { items: { texts, packed: undefined, from: 0 }, length: texts.length, done: 0 }
    }
    const packed = this.#pack(items)
    return { items: { texts: undefined, packed, from: 0 }, length: packed.starts.length - 1, done: 0 }
  }

  #checkText(item: unknown): string {
    if (typeof item !== 'string') throw invalidType('item', 'a string', item)
    const { headBytes, mostBytes } = this.#queue
    const { length } = item
    // Two bytes for each character is the most that it takes.
    if (headBytes + length * 2 > mostBytes) this.#checkFits(headBytes + (isWide(item) ? length * 2 : length))
    return item
  }

  #pack(items: Iterable<unknown>): Packed {
    const hand = new PackingHand()
    const starts: number[] = []
    for (const item of items) {
      this.#codec.encode(item, hand)
      this.#checkFits(hand.end - hand.at)
      starts.push(hand.close())
    }
    starts.push(hand.at - LENGTH_BYTES)
    return { space: hand.space, starts }
  }

  keepMany(batch: Batch<Items>): Batch<Items> {
    return batch
  }

  putMany(batch: Batch<Items>): number {
    return this.#putStagedMany(batch, 0)
  }

  putManyFirst(batch: Batch<Items>): number {
    return this.#putStagedMany(batch, 1)
  }

  /** `heeding`: as the first try of a put that may wait. */
  #putStagedMany(batch: Batch<Items>, heeding: number): number {
    if (batch.length === 0) return this.closed() ? STATUS.closed : STATUS.ok
    if (this.#hand === undefined) this.#open()
    while (batch.done < batch.length) {
      const answer = this.#putSome(batch, heeding)
      if (answer >= 0) {
        batch.done += answer
        continue
      }
      if (answer !== -STATUS.busy && answer !== -STATUS.tooSmall) return -answer
      const status = this.#putNext(batch, heeding)
      if (status !== STATUS.ok) return status
    }
    return STATUS.ok
  }

  /** Late: most queues have no batches. Undefined where there is no staging area. */
  #needTogether(): Together | undefined {
    return this.#core && (this.#together ??= new Together(this.#core, this.#area, this.#space))
  }

  /** How many, by one call of WebAssembly; a status as its negative, also where it is not for that. */
  #putSome({ items: { texts, packed }, done }: Batch<Items>, heeding: number): number {
    const together = this.#needTogether()
    if (!together) return -STATUS.busy
    return texts ? together.putTexts(texts, done, heeding) : together.putPacked(packed as Packed, done, heeding)
  }

  /** The next one alone. */
  #putNext(batch: Batch<Items>, heeding: number): number {
    const { texts, packed } = batch.items
    if (texts) {
      const text = texts[batch.done]
      const status = heeding ? this.tryPutFirst(text) : this.tryPut(text)
      if (status === STATUS.ok) batch.done++
      return status
    }
    const { space, starts } = packed as Packed
    const start = starts[batch.done] as number
    return countDone(batch, () =>
      heeding
        ? QUEUE.putPackedWaiting(this.#native, space.bytes, start, 1, false, false)
        : QUEUE.putPacked(this.#native, space.bytes, start, 1),
    )
  }

  putManyHeld(batch: Batch<Items>, woken: boolean): number {
    for (let hasWaited = woken; ; hasWaited = false) {
      const status = this.#putRest(batch, (rest, start, count) => QUEUE.putPackedWaiting(this.#native, rest, start, count, true, hasWaited))
      if (status !== STATUS.ok || batch.done === batch.length) return status
    }
  }

  /** One waits; those behind it go in together, as far as there is room. */
  putManyBlocking(batch: Batch<Items>, timeout: number): number {
    const start = native.now()
    if (this.#mayFind(ASK.spinForRoom)) {
      const status = this.putManyFirst(batch)
      if (status !== STATUS.full) return status
    }
    for (;;) {
      const left = Math.max(0, timeout - (native.now() - start))
      const status = this.#putRest(batch, (rest, from) => QUEUE.putPackedBlocking(this.#native, rest, from, 1, left), 1)
      if (status !== STATUS.ok || batch.done === batch.length) return status
      const tried = this.putManyFirst(batch)
      if (tried !== STATUS.full) return tried
    }
  }

  /** What is left of the batch, packed, at most so many: of texts, as many as are packed. */
  #putRest(batch: Batch<Items>, put: (rest: Uint8Array, start: number, count: number) => number, most = MOST_PACKED): number {
    const { items, done, length } = batch
    if (done === length) return this.closed() ? STATUS.closed : STATUS.ok
    const { space, starts } = this.#packedAt(items, done, most)
    const at = done - items.from
    const count = Math.min(most, starts.length - 1 - at)
    return countDone(batch, () => put(space.bytes, starts[at] as number, count))
  }

  /** What is packed from `from` on, with that item in it. Texts stay packed from one try to the next. */
  #packedAt(items: Items, k: number, most: number): Packed {
    const { texts, packed, from } = items
    if (packed && k < from + packed.starts.length - 1) return packed
    const given = texts as readonly string[]
    let end = k
    let characters = 0
    do {
      characters += (given[end++] as string).length
    } while (end < given.length && end - k < most && characters < ENOUGH_CHARACTERS)
    const rest = this.#pack(given.slice(k, end))
    // Both at once, whatever stops us.
    items.from = k
    items.packed = rest
    return rest
  }

  offerRest(batch: Batch<Items>): number {
    const { texts, packed } = batch.items
    return offerAll(batch, this.#queue.overflow, (k) => {
      if (!texts) return this.#offerPacked(packed as Packed, k)
      this.#encode(texts[k])
      return this.offerInHand()
    })
  }

  #offerPacked({ space, starts }: Packed, k: number): number {
    const { headBytes } = this.#queue
    const start = starts[k] as number
    const length = space.view.getUint32(start, true)
    const from = space.offset + start + LENGTH_BYTES
    const inScratch = length <= scratch.size ? length : headBytes
    copyInto(scratch.bytes, new Uint8Array(space.buffer, from, inScratch))
    return QUEUE.offer(
      this.#native,
      length,
      inScratch === length ? undefined : new Uint8Array(space.buffer, from + headBytes, length - headBytes),
    )
  }

  checkInto(into: unknown): Block {
    if (!this.#codec.checkInto) throw invalidType('options.into', 'left out, for this type of queue', into)
    return this.#codec.checkInto(into)
  }

  checkBatchInto(into: unknown): never {
    throw invalidValue('options.into', 'left out: only numbers go into a typed array', into)
  }

  getMany(max: number): unknown {
    this.#tellUndecoded()
    return this.#more(this.tryGet(), max)
  }

  getManyBlocking(max: number, timeout: number): unknown {
    if (this.#mayFind(ASK.spinForItem)) {
      const items = this.getMany(max)
      if (items !== NOTHING) return items
    }
    return this.#more(this.getBlocking(timeout), max)
  }

  #tellUndecoded(): void {
    const undecoded = this.#undecoded.shift()
    if (undecoded) throw undecoded.error
  }

  /** The items from that first one on, as many as there are, at most `max`. */
  #more(first: unknown, max: number): unknown {
    if (first === NOTHING || first === CLOSED) return first
    const items = [first]
    while (items.length < max) {
      if (!haveStack(this.#codec.isText ? STACK_OF_TEXT : STACK)) break
      const answer = this.#getSome(items, max - items.length)
      if (this.#undecoded.length > 0) break
      if (answer > 0) continue
      if (answer !== -STATUS.busy && answer !== -STATUS.tooSmall && answer !== -STATUS.damaged) break
      if (!this.#getNext(items)) break
    }
    return items
  }

  /** How many, by one call of WebAssembly; a status as its negative. */
  #getSome(items: unknown[], max: number): number {
    const together = this.#needTogether()
    if (!together) return -STATUS.busy
    const isText = this.#codec.isText === true
    const count = together.get(max, isText)
    if (count <= 0) return count
    if (isText) this.#decoding(() => together.textsInto(items, count))
    else this.#decoding(() => together.each(count, (space, at, bytes) => this.#decodeInto(items, space, at, bytes)))
    return count
  }

  #decodeInto(items: unknown[], space: Space, at: number, bytes: number): void {
    this.#decoding(() => (items[items.length] = this.#codec.decode(space, at, bytes)))
  }

  /** Those before an item that can't be decoded, and behind it, are not lost for it. */
  #decoding(decode: () => void): void {
    try {
      decode()
    } catch (error) {
      this.#undecoded.push({ error })
    }
  }

  /** Returns whether there may be more. */
  #getNext(items: unknown[]): boolean {
    try {
      const item = this.tryGet()
      if (item === NOTHING || item === CLOSED) return false
      items.push(item)
      return true
    } catch (error) {
      this.#undecoded.push({ error })
      return false
    }
  }

  #checkFits(bytes: number): void {
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
