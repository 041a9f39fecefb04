/** Items on their way into a queue: encoded, and not put yet. */
import { checkLength, scratch, type Space, spaceOver } from '../addon/space.js'
import { copyInto } from '../intrinsics.js'
import { native } from '../addon/native.js'

/**
 * In front of items of types whose encoding has to be told: a tag, and zeros. What follows is
 * aligned.
 */
export const HEAD_BYTES = native.headBytes

/** Takes one encoded item. No code of the user's runs between that and the put. */
export interface Hand {
  /** Where the item is: from `at` up to `end`; or its head alone, if it has a body. */
  readonly space: Space
  readonly at: number
  end: number
  /** What follows the head, if that is elsewhere. */
  readonly body: Uint8Array | undefined
  /**
   * Begins with an item of so many bytes, at `at`. Throws `RangeError` if no queue holds so many.
   */
  room(bytes: number): Space
  /**
   * Whether so many bytes are copied into `room()`; more are better given as they are, by `lend()`.
   */
  takes(bytes: number): boolean
  /**
   * Begins with an item that has its head in the space that is returned, and that body, which is
   * copied by the put.
   */
  lend(headBytes: number, body: Uint8Array): Space
}

/** Takes one item after the other, each in the place of the one before. */
export class OneHand implements Hand {
  readonly at = 0
  space: Space
  end = 0
  body: Uint8Array | undefined
  /** Asked once: a program may have put other code in place of the property. */
  bodyBytes = 0
  readonly #own: Space

  /** `own` takes the items that fit into it. */
  constructor(own: Space) {
    this.space = this.#own = own
  }

  /** Up to the size of the thread's buffer. */
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
}

/** Each item has its length in front of it, and begins at a multiple of this. */
const UNIT = 8

function aligned(bytes: number): number {
  return Math.ceil(bytes / UNIT) * UNIT
}

const FIRST_BYTES = 4096

/**
 * Takes items that go into the queue together: they lie one after the other, as
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

  /** That item is complete; returns where it begins. */
  close(): number {
    const { at } = this
    this.space.view.setUint32(at - UNIT, this.end - at, true)
    this.at = aligned(this.end) + UNIT
    return at - UNIT
  }

  #grow(): void {
    checkLength(this.end)
    const { bytes } = this.space
    const size = Math.max(2 * this.space.size, aligned(this.end))
    this.space = spaceOver(new ArrayBuffer(size), 0, size)
    copyInto(this.space.bytes, bytes)
  }
}
