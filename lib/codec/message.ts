/** What encodes items that are messages - bytes of some length - and decodes them. */
import type { Bytes, Space } from '../addon/space.js'
import { anyCodec } from './any.js'
import { arrayCodec } from './array.js'
import { parseArrayType } from './array-type.js'
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
  /**
   * The item of that length that lies there; it does not refer to the space. `into`, checked, takes
   * it.
   */
  decode(from: Space, at: number, bytes: number, into?: Block): T
  /**
   * Whether the item is nothing but a body: then a long one may be received into a buffer of its
   * own, or of the user's.
   */
  readonly isBody: boolean
  /** Whether the items are strings, whose characters follow a head. */
  readonly isText?: boolean
  /** Whether its items are of different lengths, which `into` may be too short for. */
  readonly varies: boolean
  /**
   * The item with that body of that length, and its head in that space. Nobody else has the body,
   * or it is what `into` shows.
   */
  receive(head: Space, body: Bytes, length: number, into?: Block): T
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
      const array = parseArrayType(type)
      return array && arrayCodec(array)
    }
  }
}
