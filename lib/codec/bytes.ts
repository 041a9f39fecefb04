/** Bytes of any view or buffer; a fresh Uint8Array comes out. */
import { isAnyArrayBuffer, isSharedArrayBuffer } from 'node:util/types'
import { invalidType } from '../errors.js'
import { copyInto } from '../intrinsics.js'
import { reserve, trim } from '../addon/scratch.js'
import type { MessageCodec } from './message.js'
import { bytesOfView } from './view.js'

/** A view of them. Throws `TypeError`, which names them. */
export function bytesOf(item: unknown, name = 'item'): Uint8Array {
  try {
    if (ArrayBuffer.isView(item)) return bytesOfView(item)
    if (isAnyArrayBuffer(item) && !isSharedArrayBuffer(item)) return new Uint8Array(item as ArrayBuffer)
  } catch (error) {
    // Longer than any Uint8Array, as views of larger elements may be.
    if (error instanceof RangeError) reserve((item as ArrayBufferView).byteLength)
    throw invalidType(name, 'a view or buffer that is not detached', item)
  }
  throw invalidType(name, 'an ArrayBufferView or an ArrayBuffer', item)
}

export const bytesCodec: MessageCodec<Uint8Array> = {
  encode(item) {
    const bytes = bytesOf(item)
    copyInto(reserve(bytes.length).bytes, bytes)
    return bytes.length
  },
  decode(bytes) {
    const item = new Uint8Array(bytes)
    copyInto(item, new Uint8Array(reserve(bytes).buffer, 0, bytes))
    trim()
    return item
  },
}
