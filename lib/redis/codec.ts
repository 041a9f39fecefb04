/** How items become bytes on the server: JSON, unless the user brings a codec. */
import { invalidType, invalidValue } from '../errors.js'

/**
 * Encodes items to strings or bytes, and decodes the bytes. Both are synchronous. The bytes are
 * copied at once, so `encode` may use its buffer again.
 */
export interface Codec<T> {
  /** Returns what the server keeps. What it throws, the put rejects with. */
  encode(item: T): string | Uint8Array
  /** Returns the item. If it throws, the item is delivered again, and set aside at last. */
  decode(bytes: Buffer): T
}

export const JSON_CODEC: Codec<unknown> = {
  encode(item) {
    let text: string | undefined
    try {
      text = JSON.stringify(item) as string | undefined
    } catch (cause) {
      // A cycle, a bigint, or what a toJSON() has thrown.
      const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
      throw Object.assign(invalidValue('item', 'something that JSON has', item, `${why}. Bring a codec for other values`), { cause })
    }
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
  if (typeof encoded === 'string') return encoded
  if (encoded instanceof Uint8Array) return Buffer.from(encoded)
  throw invalidType('options.codec.encode()', 'a function that returns a string or a Uint8Array', encoded)
}
