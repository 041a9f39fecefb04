/** How items become bytes on the server: JSON, unless the user brings a codec. */
import { invalidType } from '../errors.js'

/** Encodes items to strings or bytes, and decodes the bytes. */
export interface Codec<T> {
  encode(item: T): string | Uint8Array
  decode(bytes: Buffer): T
}

export const JSON_CODEC: Codec<unknown> = {
  encode(item) {
    const text: string | undefined = JSON.stringify(item)
    if (text === undefined) throw invalidType('item', 'something that JSON has', item)
    return text
  },
  decode: (bytes) => JSON.parse(bytes.toString()) as unknown,
}

export function checkCodec(codec: unknown): Codec<unknown> {
  if (codec === undefined) return JSON_CODEC
  const { encode, decode } = Object(codec) as Partial<Codec<unknown>>
  if (typeof encode !== 'function' || typeof decode !== 'function') {
    throw invalidType('options.codec', 'an object with the functions encode() and decode()', codec)
  }
  return codec as Codec<unknown>
}

export function encode<T>(codec: Codec<T>, item: T): string | Uint8Array {
  const encoded = codec.encode(item)
  if (typeof encoded === 'string' || encoded instanceof Uint8Array) return encoded
  throw invalidType('options.codec.encode()', 'a function that returns a string or a Uint8Array', encoded)
}
