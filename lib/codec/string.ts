/** Strings: one byte for each code unit where that is enough, else two, so that every string comes back as it was. */
import { invalidType } from '../errors.js'
import { reserve, scratch, trim } from '../scratch.js'
import type { MessageCodec } from './message.js'

const LATIN1 = 0
const UTF16 = 1

const WIDE = /[^\0-\xff]/

/** Whether it needs two bytes for each code unit. V8 keeps most strings as one byte each, and a regular expression knows without looking that these have no match. */
export function isWide(text: string): boolean {
  return WIDE.test(text)
}

/** Writes a string and what tells its encoding, which is `tag` or `tag + 1`; answers the bytes. */
export function encodeString(text: string, tag: number): number {
  const wide = isWide(text)
  const bytes = 1 + text.length * (wide ? 2 : 1)
  reserve(bytes)
  scratch[0] = tag + (wide ? UTF16 : LATIN1)
  scratch.write(text, 1, wide ? 'utf16le' : 'latin1')
  return bytes
}

export function decodeString(bytes: number, tag: number): string {
  const text = scratch.toString(scratch[0] === tag + LATIN1 ? 'latin1' : 'utf16le', 1, bytes)
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
