/** What a queue can hold. */
import { messageCodec } from './codec/message.js'
import { invalidValue } from './errors.js'
import { native } from './native.js'
import { type NumericType, RecordType } from './record.js'

export type ElementType = 'any' | 'string' | 'bytes' | 'boolean' | NumericType | RecordType

const CELL_BYTES = 8

export function checkElementType(type: unknown): ElementType {
  const known = typeof type === 'string' && type !== 'record' && Object.hasOwn(native.elementTypes, type)
  if (!known && !(type instanceof RecordType)) {
    const names = Object.keys(native.elementTypes).filter((name) => name !== 'record')
    throw invalidValue('options.type', `one of ${names.join(', ')}, or what record() made`, type)
  }
  return type as ElementType
}

/** Its number in the shared memory. */
export function typeCode(type: ElementType): number {
  return native.elementTypes[type instanceof RecordType ? 'record' : type] as number
}

/** Bytes of an item that takes one slot; `itemBytes` counts for types of no fixed size only. */
export function itemBytesOf(type: ElementType, itemBytes: number): number {
  if (type instanceof RecordType) return type.bytes
  return messageCodec(type) ? itemBytes : CELL_BYTES
}
