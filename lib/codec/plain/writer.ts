/**
 * Writes plain values. No user code runs meanwhile, as this gives up at getters and proxies before
 * it reads them. So nothing changes the value, and nobody else uses the space.
 */
import { types } from 'node:util'
import { uncurried } from '../../intrinsics.js'
import type { Space } from '../../addon/space.js'
import { isWide } from '../string.js'
import { MOST_DEPTH, MOST_ELEMENTS, MOST_OBJECTS, MOST_SHAPE_WORDS, MOST_SHAPES, own, SHORT, TAG, WORD, WORDS_UNIT } from './format.js'

/**
 * Returned by the functions here instead of the next position, if the value is not plain, or
 * (TOO_LONG) if there is no room.
 */
const GIVEN_UP = -1
export const TOO_LONG = -2

/** The bytes that are written, and the limit. */
let bytes: Space['bytes']
let view: DataView
let limit = 0

/** More room than a number or a short string takes. */
const ROOM = 32

/**
 * The objects that were met. Arrays here are filled from the start, since a program may have
 * changed Array.prototype so that adding elements fails.
 */
const seen: (object | undefined)[] = Array.from({ length: MOST_OBJECTS }, () => undefined)
let seenCount = 0

const { is, keys: keysOf, getPrototypeOf } = Object
const { imul } = Math
const { isArray } = Array
const { isView } = ArrayBuffer
const { isProxy } = types
const toString = uncurried(Object.prototype.toString)
const charCodeAt = uncurried(String.prototype.charCodeAt)

/**
 * Tells a getter from a value without reading it, and without making an object as a descriptor
 * does. A program may have removed it.
 */
const { __lookupGetter__: lookupGetter = getterByDescriptor } = Object.prototype as { __lookupGetter__?: typeof getterByDescriptor }
const getterOf = uncurried(lookupGetter)

function getterByDescriptor(this: object, key: PropertyKey): unknown {
  return Object.getOwnPropertyDescriptor(this, key)?.get
}

function isSeen(object: object): boolean {
  for (let k = 0; k < seenCount; k++) if (seen[k] === object) return true
  return false
}

function writeNumber(value: number, at: number): number {
  const integer = value | 0
  // Negative zero is not written as an integer.
  if (integer === value && (integer !== 0 || is(value, 0))) {
    bytes[at] = TAG.integer
    view.setInt32(at + 1, integer, true)
    return at + 5
  }
  bytes[at] = TAG.number
  view.setFloat64(at + 1, value, true)
  return at + 9
}

function writeString(text: string, at: number): number {
  const { length } = text
  if (at + ROOM + length * 2 > limit) return TOO_LONG
  if (length <= SHORT) {
    let all = 0
    for (let k = 0; k < length; k++) {
      const character = charCodeAt(text, k)
      all |= character
      bytes[at + 1 + k] = character
    }
    if (all <= 0xff) {
      bytes[at] = TAG.short + length
      return at + 1 + length
    }
  }
  const wide = isWide(text)
  bytes[at] = wide ? TAG.utf16 : TAG.latin1
  view.setUint32(at + 1, length, true)
  return at + 5 + (wide ? bytes.ucs2Write(text, at + 5) : bytes.latin1Write(text, at + 5))
}

function writeArray(array: readonly unknown[], at: number, depth: number): number {
  const { length } = array
  if (length > MOST_ELEMENTS || getPrototypeOf(array) !== Array.prototype) return GIVEN_UP
  // Indices come first among the keys. So if there are as many keys as elements, and the last key
  // is the last index, there are no holes and no other keys.
  const keys = keysOf(array)
  if (keys.length !== length || (length > 0 && keys[length - 1] !== `${length - 1}`)) return GIVEN_UP
  bytes[at] = TAG.array
  bytes[at + 1] = length
  at += 2
  for (let k = 0; k < length && at >= 0; k++) {
    if (getterOf(array, k) !== undefined) return GIVEN_UP
    at = writeValue(array[k], at, depth)
  }
  return at
}

function writeObject(object: Readonly<Record<string, unknown>>, at: number, depth: number): number {
  if (getPrototypeOf(object) !== Object.prototype || Symbol.toStringTag in object || isView(object)) return GIVEN_UP
  // Finds objects that look plain and are not: a Date with another prototype, arguments. It would
  // ask for a tag, which may be a getter.
  if (toString(object) !== '[object Object]') return GIVEN_UP
  const keys = keysOf(object)
  // An object without properties may be of any other kind.
  if (keys.length === 0) return GIVEN_UP
  bytes[at] = TAG.object
  at = writeShape(keys, at + 1)
  for (let k = 0; k < keys.length && at >= 0; k++) {
    const key = keys[k] as string
    if (getterOf(object, key) !== undefined) return GIVEN_UP
    at = writeValue(object[key], at, depth)
  }
  return at
}

interface Shape {
  readonly keys: readonly string[]
  readonly words: Uint32Array
  readonly count: number
}

/** Shapes as they were written, at an index that depends on their keys. */
const written: (Shape | undefined)[] = Array.from({ length: MOST_SHAPES }, () => undefined)

function writeShape(keys: readonly string[], at: number): number {
  const first = keys[0] as string
  const place = (first.length + keys.length * 8 + (charCodeAt(first, 0) || 0) * 64) % MOST_SHAPES
  const known = written[place]
  const shape = known && sameKeys(known.keys, keys) ? known : newShape(keys, place)
  if (!shape) return TOO_LONG
  const { words, count } = shape
  const end = at + count * WORD
  if (end > limit) return TOO_LONG
  for (let k = 0; k < count; k++) view.setUint32(at + k * WORD, words[k] as number, true)
  return end
}

/** Makes a shape; undefined if there is no room for it. */
function newShape(keys: readonly string[], place: number): Shape | undefined {
  const item = { bytes, view, limit }
  ;({ bytes, view, size: limit } = own)
  const shape = writeOwnShape(keys)
  ;({ bytes, view, limit } = item)
  if (shape && shape.count <= MOST_SHAPE_WORDS) written[place] = shape
  return shape
}

function writeOwnShape(keys: readonly string[]): Shape | undefined {
  let at = 2 * WORD
  for (let k = 0; k < keys.length && at >= 0; k++) at = writeString(keys[k] as string, at)
  if (at < 0) return undefined
  // There is room, as a string leaves more than this.
  while (at % WORD !== 0) bytes[at++] = 0
  const count = at / WORD
  view.setUint32(WORD, count * WORDS_UNIT + keys.length, true)
  const words = new Uint32Array(count)
  let hash = 0
  for (let k = 1; k < count; k++) {
    const word = view.getUint32(k * WORD, true)
    words[k] = word
    hash = imul(hash ^ word, 0x9e3779b1)
    hash ^= hash >>> 15
  }
  words[0] = hash
  return { keys, words, count }
}

function sameKeys(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false
  for (let k = 0; k < some.length; k++) if (some[k] !== others[k]) return false
  return true
}

function writeValue(value: unknown, at: number, depth: number): number {
  if (at + ROOM > limit) return TOO_LONG
  switch (typeof value) {
    case 'number':
      return writeNumber(value, at)
    case 'string':
      return writeString(value, at)
    case 'boolean':
      bytes[at] = value ? TAG.true : TAG.false
      return at + 1
    case 'undefined':
      bytes[at] = TAG.undefined
      return at + 1
    case 'object':
      if (value !== null) {
        if (depth === MOST_DEPTH || seenCount === MOST_OBJECTS || isSeen(value) || isProxy(value)) return GIVEN_UP
        seen[seenCount++] = value
        if (isArray(value)) return writeArray(value, at, depth + 1)
        return writeObject(value as Record<string, unknown>, at, depth + 1)
      }
      bytes[at] = TAG.null
      return at + 1
    default:
      return GIVEN_UP
  }
}

/**
 * Writes the value to that space, from `start` on, in at most `most` bytes. Returns where it ends,
 * or GIVEN_UP or TOO_LONG, which are negative.
 */
export function encodePlain(value: object, to: Space, start: number, most: number): number {
  ;({ bytes, view } = to)
  limit = to.size - start > most ? start + most : to.size
  // Reset even if the last call ran out of stack.
  seenCount = 0
  const end = writeValue(value, start, 0)
  while (seenCount > 0) seen[--seenCount] = undefined
  return end
}
