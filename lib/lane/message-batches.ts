/**
 * Several messages on their way into or out of one queue, in this thread. As many as fit into the
 * staging area go together, by one call of WebAssembly (together.ts). The lane moves the others one
 * at a time.
 */
import { type NativeQueue, native, type OpenedQueue } from '../addon/native.js'
import { scratch, type Space } from '../addon/space.js'
import { PackingHand } from '../codec/hand.js'
import type { MessageCodec } from '../codec/message.js'
import { isWide } from '../codec/string.js'
import { invalidType } from '../errors.js'
import { copyInto } from '../intrinsics.js'
import { NOTHING } from '../wait/selectable.js'
import type { Batch } from './batch.js'
import { CLOSED, countDone, type Lane, offerAll } from './lane.js'
import { haveStack, STACK, STACK_OF_TEXT } from './stack.js'
import { LENGTH_BYTES, type Packed, type Together } from './together.js'

const { queue: QUEUE, questions: ASK, status: STATUS } = native

/** The items of a batch: texts as they are, others encoded. */
export interface Items {
  readonly texts: readonly string[] | undefined
  /** All items, or the texts that a waiting put tried to put last. */
  packed: Packed | undefined
  /** The index of the first item that is packed. */
  from: number
}

/**
 * At most this many texts are packed at a time, and no more once they have that many characters.
 */
const MOST_PACKED = 256
const ENOUGH_CHARACTERS = 16_384

/** The lane that moves messages one at a time. */
export interface Singles extends Pick<
  Lane<unknown, unknown>,
  'tryPut' | 'tryPutFirst' | 'dropInHand' | 'tryGet' | 'getBlocking' | 'size' | 'closed'
> {
  /** Encodes the item and puts it by the overflow policy. */
  offer(item: unknown): number
  /** Throws if an encoded item of so many bytes is larger than the whole queue. */
  checkFits(bytes: number): void
  /** Waits a moment for an item or for room, and returns whether there may be one. */
  mayFind(question: number): boolean
  /** Returns undefined where there is no staging area. */
  together(): Together | undefined
}

export class MessageBatches {
  readonly #native: NativeQueue
  readonly #queue: OpenedQueue
  readonly #codec: MessageCodec<unknown>
  readonly #lane: Singles
  /** Errors of items that were taken and could not be decoded. Later gets of a batch throw them. */
  readonly #undecoded: { readonly error: unknown }[] = []

  constructor(lane: Singles, queue: OpenedQueue, codec: MessageCodec<unknown>) {
    this.#lane = lane
    this.#native = queue.object
    this.#queue = queue
    this.#codec = codec
  }

  prepare(items: Iterable<unknown>): Batch<Items> {
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
    if (headBytes + length * 2 > mostBytes) this.#lane.checkFits(headBytes + (isWide(item) ? length * 2 : length))
    return item
  }

  #pack(items: Iterable<unknown>): Packed {
    const hand = new PackingHand()
    const starts: number[] = []
    for (const item of items) {
      this.#codec.encode(item, hand)
      this.#lane.checkFits(hand.end - hand.at)
      starts.push(hand.close())
    }
    starts.push(hand.at - LENGTH_BYTES)
    return { space: hand.space, starts }
  }

  put(batch: Batch<Items>): number {
    return this.#putAll(batch, 0)
  }

  putFirst(batch: Batch<Items>): number {
    return this.#putAll(batch, 1)
  }

  /** `heeding` is 1 for the first try of a put that may wait, and 0 for one that does not. */
  #putAll(batch: Batch<Items>, heeding: number): number {
    if (batch.length === 0) return this.#lane.closed() ? STATUS.closed : STATUS.ok
    while (batch.done < batch.length) {
      const result = this.#putSome(batch, heeding)
      if (result >= 0) {
        batch.done += result
        continue
      }
      if (result !== -STATUS.busy && result !== -STATUS.tooSmall) return -result
      const status = this.#putNext(batch, heeding)
      if (status !== STATUS.ok) return status
    }
    return STATUS.ok
  }

  /**
   * Puts the next items by one call of WebAssembly. Returns how many, or a negated status, which is
   * busy or tooSmall also where WebAssembly cannot take them.
   */
  #putSome({ items: { texts, packed }, done }: Batch<Items>, heeding: number): number {
    const together = this.#lane.together()
    if (!together) return -STATUS.busy
    return texts ? together.putTexts(texts, done, heeding) : together.putPacked(packed as Packed, done, heeding)
  }

  /** Puts the next item alone. */
  #putNext(batch: Batch<Items>, heeding: number): number {
    const { texts, packed } = batch.items
    if (texts) {
      const text = texts[batch.done]
      const status = heeding ? this.#lane.tryPutFirst(text) : this.#lane.tryPut(text)
      if (status === STATUS.ok) batch.done++
      else this.#lane.dropInHand()
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

  putHeld(batch: Batch<Items>, woken: boolean): number {
    for (let hasWaited = woken; ; hasWaited = false) {
      const status = this.#putRest(batch, (rest, start, count) => QUEUE.putPackedWaiting(this.#native, rest, start, count, true, hasWaited))
      if (status !== STATUS.ok || batch.done === batch.length) return status
    }
  }

  /** Waits for room for one item, then puts those behind it together, as far as there is room. */
  putBlocking(batch: Batch<Items>, timeout: number): number {
    const start = native.now()
    if (this.#lane.mayFind(ASK.spinForRoom)) {
      const status = this.putFirst(batch)
      if (status !== STATUS.full) return status
    }
    for (;;) {
      const left = Math.max(0, timeout - (native.now() - start))
      const status = this.#putRest(batch, (rest, from) => QUEUE.putPackedBlocking(this.#native, rest, from, 1, left), 1)
      if (status !== STATUS.ok || batch.done === batch.length) return status
      const tried = this.putFirst(batch)
      if (tried !== STATUS.full) return tried
    }
  }

  /**
   * Passes packed items that are left to `put`: at most `most`, and of texts as many as are packed.
   */
  #putRest(batch: Batch<Items>, put: (rest: Uint8Array, start: number, count: number) => number, most = MOST_PACKED): number {
    const { items, done, length } = batch
    if (done === length) return this.#lane.closed() ? STATUS.closed : STATUS.ok
    const { space, starts } = this.#packedAt(items, done, most)
    const at = done - items.from
    const count = Math.min(most, starts.length - 1 - at)
    return countDone(batch, () => put(space.bytes, starts[at] as number, count))
  }

  /**
   * Returns the packed items, with the k-th among them. Texts stay packed from one try to the next.
   */
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
    // No function is entered between these two, so a script of node:vm is not stopped there.
    items.from = k
    items.packed = rest
    return rest
  }

  offerRest(batch: Batch<Items>): number {
    const { texts, packed } = batch.items
    return offerAll(batch, this.#queue.overflow, (k) => {
      return texts ? this.#lane.offer(texts[k]) : this.#offerPacked(packed as Packed, k)
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

  get(max: number): unknown {
    this.#tellUndecoded()
    return this.#more(this.#lane.tryGet(), max)
  }

  getBlocking(max: number, timeout: number): unknown {
    if (this.#lane.mayFind(ASK.spinForItem)) {
      const items = this.get(max)
      if (items !== NOTHING) return items
    }
    return this.#more(this.#lane.getBlocking(timeout), max)
  }

  #tellUndecoded(): void {
    const undecoded = this.#undecoded.shift()
    if (undecoded) throw undecoded.error
  }

  /**
   * Returns `first` and the items behind it that are there, at most `max` in all. Items that are put
   * meanwhile don't count, as producers may be faster than this.
   */
  #more(first: unknown, max: number): unknown {
    if (first === NOTHING || first === CLOSED) return first
    const items = [first]
    const most = max > 1 ? Math.min(max, 1 + this.#lane.size()) : 1
    while (items.length < most) {
      if (!haveStack(this.#codec.isText ? STACK_OF_TEXT : STACK)) break
      const result = this.#getSome(items, most - items.length)
      if (this.#undecoded.length > 0) break
      if (result > 0) continue
      if (result !== -STATUS.busy && result !== -STATUS.tooSmall && result !== -STATUS.damaged) break
      if (!this.#getNext(items)) break
    }
    return items
  }

  /** Gets items by one call of WebAssembly. Returns how many, or a negated status. */
  #getSome(items: unknown[], max: number): number {
    const together = this.#lane.together()
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

  /** Keeps the error of an item that can't be decoded, so that the items around it are not lost. */
  #decoding(decode: () => void): void {
    try {
      decode()
    } catch (error) {
      this.#undecoded.push({ error })
    }
  }

  /** Gets the next item alone. Returns whether there may be more. */
  #getNext(items: unknown[]): boolean {
    try {
      const item = this.#lane.tryGet()
      if (item === NOTHING || item === CLOSED) return false
      items.push(item)
      return true
    } catch (error) {
      this.#undecoded.push({ error })
      return false
    }
  }
}
