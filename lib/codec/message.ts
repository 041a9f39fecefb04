/** What encodes items that are messages - bytes of some length - and decodes them. */
import type { Bytes, Space } from '../addon/space.js'
import { anyCodec } from './any.js'
import { arrayCodec, arrayTypeOf } from './array.js'
import type { Block } from './block.js'
import { bytesCodec } from './bytes.js'
import type { ElementType } from './element-type.js'
import type { Hand } from './hand.js'
import { isRecordType } from './record-type.js'
import { recordCodec } from './record.js'
import { stringCodec } from './string.js'

export interface MessageCodec<T> {
  /** Puts the item into the hand; throws if it is not of the type, before anything else. */
  encode(item: T, hand: Hand): void
  /** The item of that length that lies there; it does not refer to the space. `into`, checked, takes it. */
  decode(from: Space, at: number, bytes: number, into?: Block): T
  /** The item with that body, which nobody else has, and its head in that space. Without this, none is longer than the thread's buffer. */
  receive(head: Space, body: Bytes): T
  /** Throws unless items can be got into it. Without this, they can't be got into anything. */
  checkInto?(into: unknown): Block
}

/** Undefined for types that are not messages but cells. */
export function messageCodec(type: ElementType): MessageCodec<unknown> | undefined {
  if (isRecordType(type)) return recordCodec(type)
  switch (type) {
    case 'any':
      return anyCodec
    case 'string':
      return stringCodec as MessageCodec<unknown>
    case 'bytes':
      return bytesCodec as MessageCodec<unknown>
    default: {
      const array = arrayTypeOf(type)
      return array && arrayCodec(array)
    }
  }
}
