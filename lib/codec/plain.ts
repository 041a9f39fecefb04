/**
 * Small plain objects and arrays, quicker than V8's serializer, whose set-up alone takes longer than all of this. It is no encoder for everything: at the first
 * thing that is not plain it gives up, and V8's serializer does the whole value. Plain are objects and arrays that were made by literals or like them, dense, with own
 * enumerable properties, each only once in the value, and in them numbers, strings, booleans, null and undefined. Written here as no encoder on npm keeps all of what
 * `structuredClone` keeps: the sign of zero, lone surrogates, undefined, any key, which places are the same object.
 *
 *     value    tag, then for NUMBER 8 bytes, for INTEGER 4, for a string its length (4) and its characters
 *     array    ARRAY, length (4), values
 *     object   OBJECT, bytes of the shape (4), the shape, values
 *     shape    how many keys (4), each: length (4), whether it is wide (1), characters
 */
import { types } from 'node:util'
import { scratch, scratchView, USUAL_BYTES } from '../scratch.js'
import { isWide } from './string.js'

const INTEGER = 0
const NUMBER = 1
const LATIN1 = 2
const UTF16 = 3
const ARRAY = 4
const OBJECT = 5
const SIMPLE: readonly unknown[] = [undefined, null, true, false]
const FIRST_SIMPLE = 6

/** Of the scratch buffer, which is never smaller. */
const MOST_BYTES = USUAL_BYTES
/** Beyond these V8's serializer is as fast. */
const MOST_OBJECTS = 24
const MOST_DEPTH = 12
const MOST_ELEMENTS = 64

/** Up to this length a loop is faster than a call of Buffer's. */
const SHORT = 24

/** What is remembered of shapes, and of short strings. */
const MOST_SHAPES = 1024
const MOST_SHAPE_BYTES = 1024
const MOST_STRINGS = 1024

/** The place in the scratch buffer, from which nothing takes it away meanwhile, as no code of the user's runs: getters are given up on. */
let at = 0
/** The objects that were met. Arrays here have their elements from the beginning: others may have given Array.prototype what makes adding them impossible. */
const seen: (object | undefined)[] = Array.from({ length: MOST_OBJECTS }, () => undefined)
let seenCount = 0

const { toString } = Object.prototype
const { getOwnPropertyDescriptor, hasOwn } = Object

function writeString(text: string): boolean {
  const { length } = text
  if (at + 5 + length * 2 > MOST_BYTES) return false
  const start = at
  scratchView.setUint32(at + 1, length, true)
  at += 5
  scratch[start] = writeCharacters(text) ? UTF16 : LATIN1
  return true
}

/** Answers whether they are wide. */
function writeCharacters(text: string): boolean {
  const { length } = text
  if (length <= SHORT) {
    let all = 0
    for (let k = 0; k < length; k++) {
      const character = text.charCodeAt(k)
      all |= character
      scratch[at + k] = character
    }
    if (all <= 0xff) {
      at += length
      return false
    }
  }
  const wide = isWide(text)
  at += scratch.write(text, at, wide ? 'utf16le' : 'latin1')
  return wide
}

function writeNumber(value: number): void {
  const integer = value | 0
  // Of the two zeros only one is an integer.
  if (integer === value && (integer !== 0 || Object.is(value, 0))) {
    scratch[at] = INTEGER
    scratchView.setInt32(at + 1, integer, true)
    at += 5
  } else {
    scratch[at] = NUMBER
    scratchView.setFloat64(at + 1, value, true)
    at += 9
  }
}

function writeArray(array: readonly unknown[], depth: number): boolean {
  const { length } = array
  if (length > MOST_ELEMENTS || Object.getPrototypeOf(array) !== Array.prototype) return false
  // Indices come first among the keys: if there are as many keys as elements and the last is the last index, there are no holes and nothing else.
  const keys = Object.keys(array)
  if (keys.length !== length || (length > 0 && keys[length - 1] !== String(length - 1))) return false
  scratch[at] = ARRAY
  scratchView.setUint32(at + 1, length, true)
  at += 5
  return writeProperties(array, keys, depth)
}

function writeObject(object: Readonly<Record<string, unknown>>, depth: number): boolean {
  // The last tells of what looks plain and is not: a Date that was given another prototype, arguments. It would ask for a tag, which may be a getter.
  if (Object.getPrototypeOf(object) !== Object.prototype || Symbol.toStringTag in object || toString.call(object) !== '[object Object]')
    return false
  const keys = Object.keys(object)
  // What has no properties may be anything else.
  if (keys.length === 0) return false
  scratch[at++] = OBJECT
  if (!writeShape(keys)) return false
  return writeProperties(object, keys, depth)
}

function writeProperties(object: object, keys: readonly string[], depth: number): boolean {
  for (const key of keys) {
    const property = getOwnPropertyDescriptor(object, key) as PropertyDescriptor
    if (!hasOwn(property, 'value') || !writeValue(property.value, depth)) return false
  }
  return true
}

/** Shapes as they were written, at a place that their keys tell. */
const written: ({ readonly keys: readonly string[]; readonly bytes: Buffer } | undefined)[] = Array.from(
  { length: MOST_SHAPES },
  () => undefined,
)

function writeShape(keys: readonly string[]): boolean {
  const first = keys[0] as string
  const place = (first.length + keys.length * 8 + (first.charCodeAt(0) || 0) * 64) % MOST_SHAPES
  const known = written[place]
  if (known && sameKeys(known.keys, keys)) {
    const { bytes } = known
    const { length } = bytes
    if (at + length > MOST_BYTES) return false
    for (let k = 0; k < length; k++) scratch[at + k] = bytes[k] as number
    at += length
    return true
  }
  const start = at
  scratchView.setUint32(start + 4, keys.length, true)
  at += 8
  for (const key of keys) {
    if (at + 5 + key.length * 2 > MOST_BYTES) return false
    const begin = at
    scratchView.setUint32(begin, key.length, true)
    at += 5
    scratch[begin + 4] = writeCharacters(key) ? 1 : 0
  }
  scratchView.setUint32(start, at - start - 4, true)
  if (at - start <= MOST_SHAPE_BYTES) written[place] = { keys, bytes: Buffer.from(scratch.subarray(start, at)) }
  return true
}

function sameKeys(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false
  for (let k = 0; k < some.length; k++) if (some[k] !== others[k]) return false
  return true
}

function writeValue(value: unknown, depth: number): boolean {
  if (at + 16 > MOST_BYTES) return false
  switch (typeof value) {
    case 'number':
      writeNumber(value)
      return true
    case 'string':
      return writeString(value)
    case 'object':
      if (value !== null) {
        if (depth === MOST_DEPTH || seenCount === MOST_OBJECTS || seen.indexOf(value) >= 0 || types.isProxy(value)) return false
        seen[seenCount++] = value
        if (Array.isArray(value)) return writeArray(value, depth + 1)
        return writeObject(value as Record<string, unknown>, depth + 1)
      }
  }
  const simple = SIMPLE.indexOf(value)
  if (simple < 0) return false
  scratch[at++] = FIRST_SIMPLE + simple
  return true
}

/** Writes the value to the scratch buffer, from there on, and answers where it ends; -1 if it is not plain. */
export function encodePlain(value: object, start: number): number {
  at = start
  const plain = writeValue(value, 0)
  while (seenCount > 0) seen[--seenCount] = undefined
  return plain ? at : -1
}

/** What objects of one shape are made from: they get its keys as properties of their own, whatever Object.prototype may have been given. */
interface Shape {
  readonly bytes: Buffer
  readonly keys: readonly string[]
  readonly template: Readonly<Record<string, unknown>>
}

const shapes: (Shape | undefined)[] = Array.from({ length: MOST_SHAPES }, () => undefined)

/** Short strings often come again. */
const strings: string[] = Array.from({ length: MOST_STRINGS }, () => '')

function isTextAt(start: number, text: string): boolean {
  for (let k = 0; k < text.length; k++) if (scratch[start + k] !== text.charCodeAt(k)) return false
  return true
}

function readShort(start: number, end: number): string {
  const place = hashOf(start, end) % MOST_STRINGS
  const known = strings[place] as string
  if (known.length === end - start && isTextAt(start, known)) return known
  const text = scratch.toString('latin1', start, end)
  strings[place] = text
  return text
}

function hashOf(start: number, end: number): number {
  let hash = end - start
  for (let k = start; k < end; k++) hash = (Math.imul(hash, 31) + (scratch[k] as number)) | 0
  return hash >>> 0
}

function readCharacters(length: number, wide: boolean): string {
  const start = at
  at += wide ? length * 2 : length
  if (!wide && length <= SHORT) return readShort(start, at)
  return scratch.toString(wide ? 'utf16le' : 'latin1', start, at)
}

function isAt(start: number, bytes: Buffer): boolean {
  for (let k = 0; k < bytes.length; k++) if (scratch[start + k] !== bytes[k]) return false
  return true
}

function readKey(): string {
  const length = scratchView.getUint32(at, true)
  const wide = scratch[at + 4] === 1
  at += 5
  return readCharacters(length, wide)
}

function readShape(): Shape {
  const length = scratchView.getUint32(at, true)
  at += 4
  const start = at
  const end = start + length
  const place = hashOf(start, end) % MOST_SHAPES
  const known = shapes[place]
  if (known?.bytes.length === length && isAt(start, known.bytes)) {
    at = end
    return known
  }
  at += 4
  const keys = Array.from({ length: scratchView.getUint32(start, true) }, readKey)
  const shape = {
    bytes: Buffer.from(scratch.subarray(start, end)),
    keys,
    template: Object.fromEntries(keys.map((key) => [key, undefined])),
  }
  if (length <= MOST_SHAPE_BYTES) shapes[place] = shape
  return shape
}

function readObject(): unknown {
  const { keys, template } = readShape()
  const object: Record<string, unknown> = { ...template }
  for (const key of keys) object[key] = readValue()
  return object
}

const BLANK: readonly undefined[] = Array.from({ length: MOST_ELEMENTS }, () => undefined)

function readArray(): unknown[] {
  const length = scratchView.getUint32(at, true)
  at += 4
  const array: unknown[] = BLANK.slice(0, length)
  for (let k = 0; k < length; k++) array[k] = readValue()
  return array
}

function readValue(): unknown {
  const tag = scratch[at++] as number
  switch (tag) {
    case INTEGER:
      at += 4
      return scratchView.getInt32(at - 4, true)
    case NUMBER:
      at += 8
      return scratchView.getFloat64(at - 8, true)
    case LATIN1:
    case UTF16: {
      const length = scratchView.getUint32(at, true)
      at += 4
      return readCharacters(length, tag === UTF16)
    }
    case ARRAY:
      return readArray()
    case OBJECT:
      return readObject()
    default:
      return SIMPLE[tag - FIRST_SIMPLE]
  }
}

/** Decodes the value that begins there in the scratch buffer. */
export function decodePlain(start: number): unknown {
  at = start
  return readValue()
}
