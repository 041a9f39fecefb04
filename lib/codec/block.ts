/** Blocks of numbers: the typed array of the queue's type, in which its items go in and come out together. */
import { isTypedArray } from 'node:util/types'
import type { NumericType } from '../record.js'
import { ACCESS, checkCell } from './cell.js'

export type Block = Exclude<NodeJS.TypedArray, Uint8ClampedArray>
type BlockConstructor = {
  new (length: number): Block
  new (items: Block): Block
  new (buffer: ArrayBufferLike, offset: number, length: number): Block
  from(items: Iterable<unknown>): Block
}

const CONSTRUCTORS = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bigint64: BigInt64Array,
  biguint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
} satisfies Record<NumericType, unknown>

export function blockConstructor(type: NumericType): BlockConstructor {
  return CONSTRUCTORS[type] as unknown as BlockConstructor
}

/** The items as a block of that type; the same object if they are one. Throws `TypeError`, which names them, if one of them is of another JavaScript type. */
export function toBlock(type: NumericType, items: Iterable<unknown>, name = 'items'): Block {
  const constructor = CONSTRUCTORS[type]
  // One that was made otherwise, or says otherwise how long it is, is taken for what it gives when iterated.
  const plain = isTypedArray(items) && Object.getPrototypeOf(items) === constructor.prototype && !Object.hasOwn(items, 'length')
  if (plain) return items as Block
  const all = [...items]
  const { kind } = ACCESS[type]
  all.forEach((item, k) => checkCell(`${name}[${k}]`, kind, item))
  return blockConstructor(type).from(all)
}
