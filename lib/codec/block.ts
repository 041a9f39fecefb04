/** Blocks of numbers: the typed array of the queue's type, in which its items go in and come out together. */
import { isTypedArray } from 'node:util/types'
import type { NumericType } from '../record.js'
import { ACCESS, checkCell } from './cell.js'

export type Block = Exclude<NodeJS.TypedArray, Uint8ClampedArray>
type BlockConstructor = {
  readonly name: string
  readonly BYTES_PER_ELEMENT: number
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

/** One that was made otherwise, or says otherwise how long it is, is none. */
export function isBlock(type: NumericType, items: unknown): items is Block {
  return isTypedArray(items) && Object.getPrototypeOf(items) === CONSTRUCTORS[type].prototype && !Object.hasOwn(items, 'length')
}

/** A view of so many of its elements, from one on. */
export function blockOver(type: NumericType, block: Block, from: number, length: number): Block {
  return new (blockConstructor(type))(block.buffer, block.byteOffset + from * block.BYTES_PER_ELEMENT, length)
}

/** Both of one type. */
export function copyBlock(to: Block, at: number, from: Block): void {
  to.set(from as never, at)
}

/** The items as a block of that type; the same object if they are one. Throws `TypeError`, which names them, if one of them is of another JavaScript type. */
export function toBlock(type: NumericType, items: Iterable<unknown>, name = 'items'): Block {
  // What looks like one and is none is taken for what it gives when iterated.
  if (isBlock(type, items)) return items
  const all = [...items]
  const { kind } = ACCESS[type]
  all.forEach((item, k) => checkCell(`${name}[${k}]`, kind, item))
  return blockConstructor(type).from(all)
}
