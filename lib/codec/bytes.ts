/** Items are bytes of any view or buffer; a fresh Uint8Array comes out. */
import { isAnyArrayBuffer, isSharedArrayBuffer, isUint8Array } from 'node:util/types'
import { checkLength } from '../addon/space.js'
import { invalidType } from '../errors.js'
import { copyInto } from '../intrinsics.js'
import type { MessageCodec } from './message.js'
import { bytesOfView, elementsOf } from './view.js'

/** A view of the item's bytes. Throws a `TypeError` that names the item. */
export function bytesOf(item: unknown, name: string): Uint8Array {
  try {
    if (ArrayBuffer.isView(item)) return bytesOfView(item)
    if (isAnyArrayBuffer(item) && !isSharedArrayBuffer(item)) return new Uint8Array(item as ArrayBuffer)
  } catch (error) {
    // The item is longer than any Uint8Array, as views of larger elements may be.
    if (error instanceof RangeError) checkLength((item as ArrayBufferView).byteLength)
    throw invalidType(name, 'a view or buffer that is not detached', item)
  }
  throw invalidType(name, 'an ArrayBufferView or an ArrayBuffer', item)
}

/** `argument`: as errors name the item. */
export const bytesCodec = (argument: string): MessageCodec<Uint8Array> => ({
  encode(item, hand) {
    // Uses an existing Uint8Array, since making a view takes as long as the copy.
    const bytes = isUint8Array(item) && elementsOf(item) > 0 ? item : bytesOf(item, argument)
    const length = elementsOf(bytes)
    if (hand.takes(length)) copyInto(hand.room(length).bytes, bytes, hand.at)
    else hand.lend(0, bytesOf(bytes, argument))
  },
  decode(from, at, bytes) {
    const item = new Uint8Array(bytes)
    copyInto(item, new Uint8Array(from.buffer, from.offset + at, bytes))
    return item
  },
  isBody: true,
  varies: true,
  receive(_head, { buffer, byteOffset }, length, into) {
    return into && elementsOf(into) === length ? (into as Uint8Array) : new Uint8Array(buffer, byteOffset, length)
  },
  checkInto(into) {
    if (!isUint8Array(into)) throw invalidType('options.into', 'a Uint8Array', into)
    if (elementsOf(into) === 0) bytesOf(into, 'options.into') // throws if it is detached
    return into
  },
})
