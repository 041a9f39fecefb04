/**
 * Several messages through this thread's staging area by one call; see native/wasm/message.cc for
 * how they lie there. Texts are strings of a queue of strings: all that go together are one string
 * for V8, which writes or reads it in one piece.
 */
import type { MessageCore } from '../addon/memory.js'
import { native } from '../addon/native.js'
import type { Space } from '../addon/space.js'
import { isWide } from '../codec/string.js'
import { damaged } from '../errors.js'
import { copyInto, uncurried } from '../intrinsics.js'

const { mostTogether, stagingBytes, status: STATUS, togetherBytes, wide: WIDE } = native

/** Messages, packed: the k-th begins at `starts[k]`, and the last of these is where they end. */
export interface Packed {
  readonly space: Space
  readonly starts: readonly number[]
}

/** In front of a packed message is its length. */
export const LENGTH_BYTES = 8

/**
 * Short texts are parts of a longer string, which each of them keeps in memory. This is how long
 * that is at most, in characters.
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

  // No code of others runs between a copy into the area, or out of it, and the call.

  /**
   * Puts as many as go together, from the `first` on: returns how many are in, or a status as its
   * negative: too small if not even that one fits into the area.
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
   * The same for texts, up to one that has characters of more than one byte: too small also if that
   * is the first.
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

  /** Writes as many as the area holds, and returns the next one; -1 if one of them is wide. */
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
      // A look into a string that is made of several makes one of it, also for the next time.
      characters |= charCodeAt(text, 0)
      all += text
    }
    if (characters > 0xff || isWide(all)) return -1
    this.#area.bytes.latin1Write(all, togetherBytes)
    return k
  }

  /**
   * Gets at most so many into the area: how many, or a status as its negative: too small if the
   * next does not fit into it.
   */
  get(most: number, texts: boolean): number {
    return this.#core.get_many(this.#number, Math.min(most, mostTogether), texts ? 1 : 0)
  }

  /** decode(space, at, bytes) for each of the messages that a get has brought. */
  each(count: number, decode: (space: Space, at: number, bytes: number) => void): void {
    for (let k = 0, at = togetherBytes; k < count; k++) {
      const bytes = this.#lengths[k] as number
      // It was right when it was written.
      if (bytes > stagingBytes - at) throw damaged()
      decode(this.#area, at, bytes)
      at += Math.ceil(bytes / 8) * 8
    }
  }

  /** Adds the texts that a get has brought; not by push(), which is slower. */
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
