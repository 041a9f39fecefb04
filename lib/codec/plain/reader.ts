/** Reads plain values. Nothing here calls user code. */
import type { Space } from '../../addon/space.js'
import { damaged } from '../../errors.js'
import { copyInto, uncurried } from '../../intrinsics.js'
import { MOST_ELEMENTS, MOST_SHAPE_WORDS, MOST_SHAPES, own, TAG, WORD, WORDS_UNIT } from './format.js'

const MOST_STRINGS = 1024

/** The bytes that are read, and the position in them. */
let bytes: Space['bytes']
let view: DataView
let at = 0

const { imul, floor } = Math
const { defineProperty } = Object
const charCodeAt = uncurried(String.prototype.charCodeAt)
const arrayFrom = uncurried(
  Array.from as (this: ArrayConstructor, items: ArrayLike<unknown>, map: (item: unknown, k: number) => unknown) => unknown[],
)
// The one method that copies a part of an array without asking for the array's class.
const toSpliced = uncurried(Array.prototype.toSpliced as (this: readonly unknown[], start: number) => unknown[])

/**
 * A shape, from which objects are made. They have its keys as own properties, whatever a program
 * has added to Object.prototype.
 */
interface Shape {
  readonly words: Uint32Array
  readonly count: number
  readonly keys: readonly string[]
  readonly template: Readonly<Record<string, unknown>>
}

const shapes: (Shape | undefined)[] = Array.from({ length: MOST_SHAPES }, () => undefined)

/** A cache of short strings, which often recur. */
const strings: string[] = Array.from({ length: MOST_STRINGS }, () => '')

function isTextAt(start: number, text: string): boolean {
  for (let k = 0; k < text.length; k++) if (bytes[start + k] !== charCodeAt(text, k)) return false
  return true
}

function readShort(length: number): string {
  const start = at
  at += length
  let hash = length
  for (let k = start; k < at; k++) hash = (imul(hash, 31) + (bytes[k] as number)) | 0
  const place = (hash >>> 0) % MOST_STRINGS
  const known = strings[place] as string
  if (known.length === length && isTextAt(start, known)) return known
  const text = bytes.latin1Slice(start, at)
  strings[place] = text
  return text
}

function readString(wide: boolean): string {
  const start = at + 4
  const length = view.getUint32(at, true)
  at = start + (wide ? length * 2 : length)
  return wide ? bytes.ucs2Slice(start, at) : bytes.latin1Slice(start, at)
}

/**
 * Whether the shape's words are at that place. The second word has their number, so nothing beyond
 * the shape is read.
 */
function areAt(start: number, { words, count }: Shape): boolean {
  for (let k = 0; k < count; k++) if (view.getUint32(start + k * WORD, true) !== words[k]) return false
  return true
}

/** It has no prototype, as a program may have added a getter to that. */
const UNDEFINED = Object.assign(Object.create(null) as PropertyDescriptor, {
  value: undefined,
  writable: true,
  enumerable: true,
  configurable: true,
})

function readShape(): Shape {
  const start = at
  const place = view.getUint32(start, true) % MOST_SHAPES
  const known = shapes[place]
  if (known && areAt(start, known)) {
    at = start + known.count * WORD
    return known
  }
  const count = floor(view.getUint32(start + WORD, true) / WORDS_UNIT)
  const size = count * WORD
  if (size > own.size || start + size > bytes.length) throw damaged()
  copyInto(own.bytes, new Uint8Array(bytes.buffer, bytes.byteOffset + start, size))
  const item = { bytes, view }
  ;({ bytes, view } = own)
  const shape = readOwnShape(count)
  ;({ bytes, view } = item)
  at = start + size
  if (count <= MOST_SHAPE_WORDS) shapes[place] = shape
  return shape
}

/** Parses a shape from its words alone. */
function readOwnShape(count: number): Shape {
  const size = count * WORD
  const counts = view.getUint32(WORD, true)
  if (count < 2 || floor(counts / WORDS_UNIT) !== count) throw damaged()
  const words = new Uint32Array(count)
  for (let k = 0; k < count; k++) words[k] = view.getUint32(k * WORD, true)
  at = 2 * WORD
  const template = {}
  const keys = arrayFrom(Array, { length: counts % WORDS_UNIT }, () => {
    const key = at < size ? readValue() : undefined
    if (typeof key !== 'string' || at > size) throw damaged()
    defineProperty(template, key, UNDEFINED)
    return key
  }) as string[]
  return { words, count, keys, template }
}

function readObject(): unknown {
  const { keys, template } = readShape()
  const object: Record<string, unknown> = { ...template }
  for (let k = 0; k < keys.length; k++) object[keys[k] as string] = readValue()
  return object
}

const BLANK: readonly undefined[] = Array.from({ length: MOST_ELEMENTS }, () => undefined)

function readArray(): unknown[] {
  const length = bytes[at++] as number
  const array: unknown[] = toSpliced(BLANK, length)
  for (let k = 0; k < length; k++) array[k] = readValue()
  return array
}

function readValue(): unknown {
  const tag = bytes[at++] as number
  if (tag >= TAG.short) return readShort(tag - TAG.short)
  switch (tag) {
    case TAG.integer:
      at += 4
      return view.getInt32(at - 4, true)
    case TAG.number:
      at += 8
      return view.getFloat64(at - 8, true)
    case TAG.latin1:
    case TAG.utf16:
      return readString(tag === TAG.utf16)
    case TAG.array:
      return readArray()
    case TAG.object:
      return readObject()
    case TAG.true:
      return true
    case TAG.false:
      return false
    case TAG.null:
      return null
    case TAG.undefined:
      return undefined
    default:
      throw damaged()
  }
}

/** Decodes the value that begins there. */
export function decodePlain(from: Space, start: number): unknown {
  ;({ bytes, view } = from)
  at = start
  return readValue()
}
