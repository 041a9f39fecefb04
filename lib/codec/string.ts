/**
 * Encodes strings with one byte for each code unit where that is enough, else two, so that every
 * string comes back as it was.
 */
import { type Bytes, checkLength, freshBytes, scratch, type Space } from '../addon/space.js'
import { invalidType } from '../errors.js'
import { uncurried } from '../intrinsics.js'
import { type Hand, HEAD_BYTES } from './hand.js'
import type { MessageCodec } from './message.js'

const LATIN1 = 0
const UTF16 = 1

const WIDE = /[^\0-\xff]/
// Not test(), which looks up exec().
const exec = uncurried(RegExp.prototype.exec)
const charCodeAt = uncurried(String.prototype.charCodeAt)

/**
 * Whether it needs two bytes for each code unit. V8 stores most strings with one byte each, and its
 * regular expressions know without looking that these have no match.
 */
export function isWide(text: string): boolean {
  return exec(WIDE, text) !== null
}

/** Up to this length a loop is faster than a call of Buffer's. */
export const SHORT = 24

/** Encodes with one byte for each code unit. Returns false if that is not enough. */
function encodeShort(text: string, tag: number, hand: Hand): boolean {
  const { length } = text
  const { bytes } = hand.room(HEAD_BYTES + length)
  const start = hand.at + HEAD_BYTES
  let all = 0
  for (let k = 0; k < length; k++) {
    const unit = charCodeAt(text, k)
    all |= unit
    bytes[start + k] = unit
  }
  bytes[hand.at] = tag + LATIN1
  return all <= 0xff
}

/** Encodes a string into the hand, with a head that says how: `tag` or `tag + 1`. */
export function encodeString(text: string, tag: number, hand: Hand): void {
  if (text.length <= SHORT && encodeShort(text, tag, hand)) return
  const wide = isWide(text)
  const bytes = text.length * (wide ? 2 : 1)
  const all = HEAD_BYTES + bytes
  if (all <= scratch.size || hand.takes(all)) {
    const to = hand.room(all).bytes
    to[hand.at] = tag + (wide ? UTF16 : LATIN1)
    if (wide) to.ucs2Write(text, hand.at + HEAD_BYTES)
    else to.latin1Write(text, hand.at + HEAD_BYTES)
    return
  }
  checkLength(all)
  const body = freshBytes(bytes)
  if (wide) body.ucs2Write(text, 0)
  else body.latin1Write(text, 0)
  hand.lend(HEAD_BYTES, body).bytes[hand.at] = tag + (wide ? UTF16 : LATIN1)
}

export function decodeString({ bytes: from }: Space, at: number, bytes: number, tag: number): string {
  const start = at + HEAD_BYTES
  return from[at] === tag + LATIN1 ? from.latin1Slice(start, at + bytes) : from.ucs2Slice(start, at + bytes)
}

/** Decodes a string that has its head there and its body elsewhere. */
export function receiveString(head: Space, body: Bytes, tag: number): string {
  return head.bytes[0] === tag + LATIN1 ? body.latin1Slice(0, body.length) : body.ucs2Slice(0, body.length)
}

/** `argument`: as errors name the item. */
export const stringCodec = (argument: string): MessageCodec<string> => ({
  encode(item, hand) {
    if (typeof item !== 'string') throw invalidType(argument, 'a string', item)
    encodeString(item, 0, hand)
  },
  decode: (from, at, bytes) => decodeString(from, at, bytes, 0),
  isBody: false,
  isText: true,
  varies: true,
  receive: (head, body) => receiveString(head, body, 0),
})
