/**
 * Encodes items as MessagePack, in which msgpackr keeps bytes, maps and sets. JSON has none of
 * these.
 */
import { Packr } from 'msgpackr'
import type { Codec } from 'threadsafe/redis'

export function messagePack<T>(): Codec<T> {
  const packr = new Packr({ structuredClone: true })
  return { encode: (item) => packr.pack(item), decode: (bytes) => packr.unpack(bytes) as T }
}
