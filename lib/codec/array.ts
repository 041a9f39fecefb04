/** Arrays of fixed length: each is one item, its elements one after the other. */
import type { Space } from '../addon/space.js'
import { invalidType, invalidValue, outOfRange } from '../errors.js'
import { copyInto } from '../intrinsics.js'
import type { ParsedArray } from './array-type.js'
import { type Block, blockConstructor, blockOver, isArrayOf, toBlock } from './block.js'
import { bytesOf } from './bytes.js'
import type { MessageCodec } from './message.js'
import { bytesOfView, elementsOf } from './view.js'

/** Checks and makes arrays of one type. */
export interface ArrayAccess {
  /** Returns the value as a block of exactly that length. Throws a `TypeError` that names it. */
  check(value: unknown, name: string): Block
  /** Writes a block that was checked, and that other code may have shortened since. */
  write(to: Space, offset: number, block: Block, name: string): void
  /** A view of the elements at that place. */
  at(space: Space, offset: number): Block
  /** Creates a new block for the elements. */
  create(): Block
}

export function arrayAccess({ type, length }: ParsedArray): ArrayAccess {
  const element = type === 'bytes' ? 'uint8' : type
  const constructor = blockConstructor(element)
  const expected = `${length} ${type === 'bytes' ? 'bytes' : `elements of ${type}`}`
  const at = (space: Space, offset: number): Block => new constructor(space.buffer, space.offset + offset, length)
  return {
    check(value, name) {
      const iterable = typeof (value as Iterable<unknown> | null | undefined)?.[Symbol.iterator] === 'function'
      if (type !== 'bytes' && !iterable) throw invalidType(name, expected, value)
      const block = type === 'bytes' ? bytesOf(value, name) : toBlock(element, value as Iterable<unknown>, name)
      if (elementsOf(block) !== length) throw invalidValue(name, expected, value)
      return block
    },
    write(to, offset, block, name) {
      if (elementsOf(block) !== length) throw invalidValue(name, expected, block)
      copyInto(at(to, offset), block)
    },
    at,
    create: () => new constructor(length),
  }
}

/** `argument`: as errors name the item. */
export function arrayCodec(array: ParsedArray, argument: string): MessageCodec<unknown> {
  const { length, bytes } = array
  const element = array.type === 'bytes' ? 'uint8' : array.type
  const { name } = blockConstructor(element)
  const access = arrayAccess(array)
  let lastInto: Block | undefined
  let known: { readonly space: Space; readonly block: Block } | undefined
  /** A view of an item. Most lie at the beginning of the same space, for which the view is kept. */
  const blockAt = (space: Space, at: number): Block => {
    if (at !== 0) return access.at(space, at)
    if (known?.space !== space) known = { space, block: access.at(space, 0) }
    return known.block
  }
  return {
    encode(item, hand) {
      const block = access.check(item, argument)
      if (hand.takes(bytes)) copyInto(blockAt(hand.room(bytes), hand.at), block)
      else hand.lend(0, bytesOfView(block))
    },
    decode(from, at, _bytes, into) {
      const block = into ?? access.create()
      copyInto(block, blockAt(from, at))
      return beginningOf(block)
    },
    isBody: true,
    varies: false,
    receive: (_head, { buffer, byteOffset }, _length, into) =>
      beginningOf(into ?? new (blockConstructor(element))(buffer, byteOffset, length)),
    checkInto(into) {
      // Most callers pass the same one again. It may be shorter by now.
      if (into === lastInto && elementsOf(into as Block) >= length) return into as Block
      if (!isArrayOf(element, into)) throw invalidType('options.into', `a ${name}`, into)
      if (elementsOf(into) < length) throw outOfRange('options.into', `a ${name} of at least ${length} elements`, into)
      return (lastInto = into)
    },
  }

  function beginningOf(block: Block): Block {
    return elementsOf(block) === length ? block : blockOver(element, block, 0, length)
  }
}
