/** Strings: one byte for each code unit where that is enough, else two, so that every string comes back as it was. */
import { invalidType } from '../errors.js'
import { uncurried } from '../intrinsics.js'
import { reserve, trim } from '../addon/scratch.js'
import type { MessageCodec } from './message.js'

const LATIN1 = 0
const UTF16 = 1

const WIDE = /[^\0-\xff]/
const test = uncurried(RegExp.prototype.test)

/** Whether it needs two bytes for each code unit. V8 keeps most strings as one byte each, and a regular expression knows without looking that these have no match. */
export function isWide(text: string): boolean {
  return test(WIDE, text)
}

/** Writes a string and what tells its encoding, which is `tag` or `tag + 1`; answers the bytes. */
export function encodeString(text: string, tag: number): number {
  const wide = isWide(text)
  const bytes = 1 + text.length * (wide ? 2 : 1)
  const to = reserve(bytes).bytes
  to[0] = tag + (wide ? UTF16 : LATIN1)
  if (wide) to.ucs2Write(text, 1)
  else to.latin1Write(text, 1)
  return bytes
}

export function decodeString(bytes: number, tag: number): string {
  const from = reserve(bytes).bytes
  const text = from[0] === tag + LATIN1 ? from.latin1Slice(1, bytes) : from.ucs2Slice(1, bytes)
  trim()
  return text
}

export const stringCodec: MessageCodec<string> = {
  encode(item) {
    if (typeof item !== 'string') throw invalidType('item', 'a string', item)
    return encodeString(item, 0)
  },
  decode: (bytes) => decodeString(bytes, 0),
}
