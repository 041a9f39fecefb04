/** Strings: one byte for each code unit where that is enough, else two, so that every string comes back as it was. */
import { invalidType } from '../errors.js'
import { reserve, scratch, trim } from '../scratch.js'
import type { MessageCodec } from './message.js'

const LATIN1 = 0
const UTF16 = 1

function fitsLatin1(text: string): boolean {
  for (let k = 0; k < text.length; k++) if (text.charCodeAt(k) > 0xff) return false
  return true
}

/** Writes a string and what tells its encoding, which is `tag` or `tag + 1`; answers the bytes. */
export function encodeString(text: string, tag: number): number {
  const latin1 = fitsLatin1(text)
  const bytes = 1 + text.length * (latin1 ? 1 : 2)
  reserve(bytes)
  scratch[0] = tag + (latin1 ? LATIN1 : UTF16)
  scratch.write(text, 1, latin1 ? 'latin1' : 'utf16le')
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
