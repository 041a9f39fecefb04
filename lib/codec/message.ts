/** What encodes items that are messages - bytes of some length - into the scratch buffer, and decodes them from it. */
import type { ElementType } from './element-type.js'
import { isRecordType } from './record-type.js'
import { anyCodec } from './any.js'
import { bytesCodec } from './bytes.js'
import { recordCodec } from './record.js'
import { stringCodec } from './string.js'

export interface MessageCodec<T> {
  /** Writes the item to the scratch buffer and answers its length; throws if it is not of the type, before anything else. */
  encode(item: T): number
  /** Reads the item of that length from the scratch buffer. Nothing that it answers refers to the buffer. */
  decode(bytes: number): T
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
    default:
      return undefined
  }
}
