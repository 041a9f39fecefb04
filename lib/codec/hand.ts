/** Items on their way into a queue: encoded, but not put yet. */
import { checkLength, MOST_BYTES, scratch, type Space, spaceOver } from '../addon/space.js'
import { withCode } from '../errors.js'
import { copyInto } from '../intrinsics.js'
import { native } from '../addon/native.js'

/**
 * Bytes of the head in front of an item, which says how the item is encoded: a tag, and zeros, so
 * that the rest is aligned.
 */
export const HEAD_BYTES = native.headBytes

/** Takes one encoded item. No user code runs between that and the put. */
export interface Hand {
  /** Where the item is, from `at` up to `end`; only its head, if it has a body. */
  readonly space: Space
  readonly at: number
  end: number
  /** The part that follows the head, if that is elsewhere. */
  readonly body: Uint8Array | undefined
  /** Begins an item of so many bytes, at `at`. Throws `RangeError` if no queue holds so many. */
  room(bytes: number): Space
  /**
   * Whether so many bytes should be copied into `room()`. More are better passed as they are, by
   * `lend()`.
   */
  takes(bytes: number): boolean
  /**
   * Begins an item with its head in the space that is returned, and that body, which the put
   * copies.
   */
  lend(headBytes: number, body: Uint8Array): Space
}

/** Takes one item after the other, each replacing the one before. */
export class OneHand implements Hand {
  readonly at = 0
  space: Space
  end = 0
  body: Uint8Array | undefined
  /** The body's length, read once, as a program may have replaced the property. */
  bodyBytes = 0
  readonly #own: Space

  /** Items that fit into `own` are encoded there. */
  constructor(own: Space) {
    this.space = this.#own = own
  }

  /** Returns room for an item of up to the size of the thread's buffer. */
  room(bytes: number): Space {
    this.end = bytes
    this.body = undefined
    this.bodyBytes = 0
    return (this.space = bytes <= this.#own.size ? this.#own : scratch)
  }

  takes(bytes: number): boolean {
    return bytes <= this.#own.size
  }

  lend(headBytes: number, body: Uint8Array): Space {
    const { length } = body
    checkLength(headBytes + length)
    this.end = headBytes
    this.body = body
    this.bodyBytes = length
    return (this.space = scratch)
  }

  /** Lets go of the body, which may be large, once the item is put, held or refused. */
  drop(): void {
    this.body = undefined
    this.bodyBytes = 0
  }
}

/** Each item has its length in front of it, and begins at a multiple of this. */
const UNIT = 8

function aligned(bytes: number): number {
  return Math.ceil(bytes / UNIT) * UNIT
}

const FIRST_BYTES = 4096

/**
 * Takes items that go into the queue together. They lie one after the other, as
 * native/binding/queue.cc reads them.
 */
export class PackingHand implements Hand {
  space = spaceOver(new ArrayBuffer(FIRST_BYTES), 0, FIRST_BYTES)
  at = UNIT
  end = UNIT
  readonly body = undefined

  room(bytes: number): Space {
    this.end = this.at + bytes
    if (this.end > this.space.size) this.#grow()
    return this.space
  }

  takes(): boolean {
    return true
  }

  lend(headBytes: number, body: Uint8Array): Space {
    const space = this.room(headBytes + body.length)
    copyInto(space.bytes, body, this.at + headBytes)
    return space
  }

  /** Completes the item; returns where it begins. */
  close(): number {
    const { at } = this
    this.space.view.setUint32(at - UNIT, this.end - at, true)
    this.at = aligned(this.end) + UNIT
    return at - UNIT
  }

  #grow(): void {
    checkLength(this.end - this.at)
    if (this.end > MOST_BYTES) {
      throw withCode(
        new RangeError(`The items of a batch take at most ${MOST_BYTES} bytes together. Put several batches`),
        'ERR_OUT_OF_RANGE',
      )
    }
    const { bytes } = this.space
    const size = Math.max(2 * this.space.size, aligned(this.end))
    this.space = spaceOver(new ArrayBuffer(size), 0, size)
    copyInto(this.space.bytes, bytes)
  }
}
