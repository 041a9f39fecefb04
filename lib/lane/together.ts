/**
 * Several messages pass through this thread's staging area by one call; native/wasm/message.cc says
 * how they lie there. Texts are the items of a queue of strings. All that go together are one
 * string for V8, which writes or reads it in one piece.
 */
import type { MessageCore } from '../addon/memory.js'
import { native } from '../addon/native.js'
import type { Space } from '../addon/space.js'
import { isWide } from '../codec/string.js'
import { damaged } from '../errors.js'
import { copyInto, uncurried } from '../intrinsics.js'

const { mostTogether, stagingBytes, status: STATUS, togetherBytes, wide: WIDE } = native

/**
 * Packed messages. The k-th begins at `starts[k]`; the last element of `starts` is where they end.
 */
export interface Packed {
  readonly space: Space
  readonly starts: readonly number[]
}

/** The bytes of the length in front of each packed message. */
export const LENGTH_BYTES = 8

/**
 * Short texts are got as parts of a longer string, which each of them keeps in memory. That string
 * has at most this many characters.
 */
const MOST_SHARED = 2048

const charCodeAt = uncurried(String.prototype.charCodeAt)
const substring = uncurried(String.prototype.substring)

export class Together {
  readonly #core: MessageCore
  readonly #number: number
  readonly #area: Space
  readonly #lengths: Uint32Array

  /** `area` is the staging area of that number. */
  constructor(core: MessageCore, number: number, area: Space) {
    this.#core = core
    this.#number = number
    this.#area = area
    this.#lengths = new Uint32Array(area.buffer, area.offset, mostTogether)
  }

  // No user code runs between the call and the copy into or out of the area.

  /**
   * Puts as many messages, from the `first` on, as fit into the area. Returns how many are in, or a
   * negated status: tooSmall if not even the first fits.
   */
  putPacked({ space, starts }: Packed, first: number, heeding: number): number {
    const begin = starts[first] as number
    const most = begin + stagingBytes - togetherBytes
    let count = 0
    for (let next: number | undefined; count < mostTogether && (next = starts[first + count + 1]) !== undefined && next <= most; count++) {
      this.#lengths[count] = space.view.getUint32(starts[first + count] as number, true)
    }
    if (count === 0) return -STATUS.tooSmall
    const end = starts[first + count] as number
    copyInto(this.#area.bytes, new Uint8Array(space.buffer, space.offset + begin, end - begin), togetherBytes)
    return this.#core.put_many(this.#number, count, 0, heeding)
  }

  /**
   * Puts texts likewise, up to one that has characters of more than one byte. Returns tooSmall also
   * if that is the first.
   */
  putTexts(texts: readonly string[], first: number, heeding: number): number {
    if (isWide(texts[first] as string)) return -STATUS.tooSmall
    const most = Math.min(texts.length, first + mostTogether)
    let end = this.#stageTexts(texts, first, most)
    if (end < 0) {
      for (end = first + 1; end < most && !isWide(texts[end] as string);) end++
      end = this.#stageTexts(texts, first, end)
    }
    return end === first ? -STATUS.tooSmall : this.#core.put_many(this.#number, end - first, 1, heeding)
  }

  /**
   * Writes as many texts as the area holds. Returns the index of the next one; -1 if one of them is
   * wide.
   */
  #stageTexts(texts: readonly string[], first: number, end: number): number {
    let room = stagingBytes - togetherBytes
    let all = ''
    let characters = 0
    let k = first
    for (; k < end; k++) {
      const text = texts[k] as string
      const { length } = text
      if ((room -= length) < 0) break
      this.#lengths[k - first] = length
      // Looking into a string that V8 has composed of others flattens it, which the next use needs
      // too.
      characters |= charCodeAt(text, 0)
      all += text
    }
    if (characters > 0xff || isWide(all)) return -1
    this.#area.bytes.latin1Write(all, togetherBytes)
    return k
  }

  /**
   * Gets at most `most` messages into the area. Returns how many, or a negated status: tooSmall if
   * the next one does not fit.
   */
  get(most: number, texts: boolean): number {
    return this.#core.get_many(this.#number, Math.min(most, mostTogether), texts ? 1 : 0)
  }

  /** Calls decode(space, at, bytes) for each of the messages that a get has brought. */
  each(count: number, decode: (space: Space, at: number, bytes: number) => void): void {
    for (let k = 0, at = togetherBytes; k < count; k++) {
      const bytes = this.#lengths[k] as number
      // A right length was written here, so something has written over it.
      if (bytes > stagingBytes - at) throw damaged()
      decode(this.#area, at, bytes)
      at += Math.ceil(bytes / 8) * 8
    }
  }

  /** Appends the texts that a get has brought. It assigns elements, as push() is slower. */
  textsInto(items: unknown[], count: number): void {
    const { bytes } = this.#area
    for (let k = 0, at = togetherBytes; k < count;) {
      const first = this.#lengths[k] as number
      if (first >= WIDE) {
        const length = first - WIDE
        if (length > stagingBytes - at) throw damaged()
        items[items.length] = bytes.ucs2Slice(at, at + length)
        at += length
        k++
        continue
      }
      let next = k + 1
      let length = first
      for (let more: number; next < count && length + (more = this.#lengths[next] as number) <= MOST_SHARED; next++) length += more
      if (length > stagingBytes - at) throw damaged()
      const shared = bytes.latin1Slice(at, at + length)
      if (next === k + 1) {
        items[items.length] = shared
      } else {
        for (let from = 0; k < next; k++) items[items.length] = substring(shared, from, (from += this.#lengths[k] as number))
      }
      at += length
      k = next
    }
  }
}
