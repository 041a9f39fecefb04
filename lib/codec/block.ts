/**
 * Blocks of numbers: typed arrays of the queue's type, in which items go in and come out together.
 */
import { isTypedArray } from 'node:util/types'
import { checkKind, type NumericType, SCALARS } from './scalar.js'
import { placeOf, viewName } from './view.js'

export type Block = Exclude<NodeJS.TypedArray, Uint8ClampedArray>
type BlockConstructor = {
  readonly name: string
  readonly prototype: Block
  readonly BYTES_PER_ELEMENT: number
  new (length: number): Block
  new (items: Block): Block
  new (buffer: ArrayBufferLike, offset: number, length: number): Block
  from(items: Iterable<unknown>): Block
}

export function blockConstructor(type: NumericType): BlockConstructor {
  return SCALARS[type].array as BlockConstructor
}

/** Whether it can be copied as it is, since iterating it gives its elements. */
export function isBlock(type: NumericType, items: unknown): items is Block {
  return isTypedArray(items) && Object.getPrototypeOf(items) === blockConstructor(type).prototype
}

/** Whether it is a typed array of that type, of whatever realm or class. */
export function isArrayOf(type: NumericType, items: unknown): items is Block {
  return isTypedArray(items) && viewName(items) === blockConstructor(type).name
}

/**
 * A view of `length` of its elements, starting at `from`. Throws if the block has become too short
 * for that.
 */
export function blockOver(type: NumericType, block: Block, from: number, length: number): Block {
  const constructor = blockConstructor(type)
  const [buffer, byteOffset] = placeOf(block, from * constructor.BYTES_PER_ELEMENT)
  return new constructor(buffer, byteOffset, length)
}

/**
 * Returns the items as a block of that type; the same object if they are one. Throws a `TypeError`
 * that names them if one of them is of another JavaScript type.
 */
export function toBlock(type: NumericType, items: Iterable<unknown>, name = 'items'): Block {
  // Anything else, even if it looks like a block, is iterated.
  if (isBlock(type, items)) return items
  const all = [...items]
  const { kind } = SCALARS[type]
  all.forEach((item, k) => checkKind(`${name}[${k}]`, kind, item))
  return blockConstructor(type).from(all)
}
