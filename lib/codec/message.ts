/** Codecs for items that are messages: bytes of some length. */
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
  /** Encodes the item into the hand. Throws first if it is not of the type. */
  encode(item: T, hand: Hand): void
  /**
   * Decodes the item of that length. The result does not refer to the space. `into`, checked, takes
   * it.
   */
  decode(from: Space, at: number, bytes: number, into?: Block): T
  /**
   * Whether the item is only a body. Then a long one may be received into a buffer of its own, or
   * of the user's.
   */
  readonly isBody: boolean
  /** Whether the items are strings, whose characters follow a head. */
  readonly isText?: boolean
  /** Whether its items differ in length, so that `into` may be too short. */
  readonly varies: boolean
  /**
   * Decodes the item with that body, and its head in that space. Nobody else has the body, unless
   * it is the one that `into` shows.
   */
  receive(head: Space, body: Bytes, length: number, into?: Block): T
  /**
   * Throws unless items can be got into it. A codec without this function does not support `into`.
   */
  checkInto?(into: unknown): Block
}

/** Returns undefined for types that are cells. `argument`: as errors name the item. */
export function messageCodec(type: ElementType, argument: string): MessageCodec<unknown> | undefined {
  if (isRecordType(type)) return recordCodec(type, argument)
  switch (type) {
    case 'any':
      return anyCodec
    case 'string':
      return stringCodec(argument) as MessageCodec<unknown>
    case 'bytes':
      return bytesCodec(argument) as MessageCodec<unknown>
    default: {
      const array = parseArrayType(type)
      return array && arrayCodec(array, argument)
    }
  }
}
