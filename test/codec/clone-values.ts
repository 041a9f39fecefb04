/**
 * Random values of every kind that can be cloned, as graphs with cycles and shared parts, and a
 * comparison of such graphs.
 */
import { strict as assert } from 'node:assert'
import { inspect, types } from 'node:util'
import fc from '../properties.js'

/** Makes a resizable buffer of ES2024, which the compiler does not know yet. */
export function resizable(byteLength: number, maxByteLength: number): ArrayBuffer {
  return Reflect.construct(ArrayBuffer, [byteLength, { maxByteLength }]) as ArrayBuffer
}

export function define(object: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}

const LONE_SURROGATES = ['\ud800', '\udc00', 'a\udbffb', '\udc00\ud800', '\ud83d\ude00\ud83d']

// prettier-ignore
const EDGE_NUMBERS = [
  0, -0, 1, -1, 0.5, -0.5, 255, 256, 2 ** 30 - 1, 2 ** 30, -(2 ** 30), -(2 ** 30) - 1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1,
  2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, -(2 ** 53), 1e21, 1e300, 5e-324, Number.MAX_VALUE, NaN, Infinity, -Infinity,
]

// prettier-ignore
const EDGE_STRINGS = [
  '', 'a', '\0', 'naïve ÿ', '\u0100', '漢字', '😀', ...LONE_SURROGATES, 'x'.repeat(63), 'x'.repeat(64), 'ÿ'.repeat(127), 'ÿ'.repeat(128),
  'Ω'.repeat(63), 'Ω'.repeat(64), 'long '.repeat(4000), `${'y'.repeat(5000)}\u0100`,
]

// prettier-ignore
const EDGE_BIGINTS = [
  0n, 1n, -1n, 2n ** 31n, 2n ** 32n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n - 1n, 2n ** 64n, -(2n ** 64n), 2n ** 128n + 1n,
  -(2n ** 1000n), 2n ** 4096n - 1n,
]

const anyString = fc.oneof(fc.constantFrom(...EDGE_STRINGS), fc.string({ maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 8 }))

export const primitives: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<unknown>(undefined, null, true, false) },
  { weight: 3, arbitrary: fc.constantFrom<unknown>(...EDGE_NUMBERS) },
  { weight: 2, arbitrary: fc.integer() },
  { weight: 2, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(...EDGE_BIGINTS) },
  { weight: 1, arbitrary: fc.bigInt() },
  { weight: 3, arbitrary: anyString },
)

// prettier-ignore
const KEYS = [
  'a', 'b', 'c', 'x', 'y', '0', '1', '2', '10', '9', '01', '-1', '-0', '1.5', '4294967294', '4294967295', '4294967296', '9007199254740993',
  '', ' 1', '1e3', 'NaN', 'length', 'constructor', 'toString', 'valueOf', '__proto__', 'prototype', 'then', 'toJSON', 'name', 'message', 'stack',
  'cause', 'size', 'byteLength', 'k'.repeat(300), 'naïve', 'ключ', '漢', '😀', ...LONE_SURROGATES,
]

const keys = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...KEYS) }, { weight: 1, arbitrary: anyString })

const VIEWS = [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array,
  BigUint64Array,
] as unknown as Uint8ArrayConstructor[] // prettier-ignore

const ERRORS = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]
const EXPRESSIONS = [/a(b)?/giu, /\//s, /(?:)/, /[\ud800]/, /Ω/dy, /./gimsuy]

class Point {
  readonly #hidden = 1
  declare x: unknown
  get double(): number {
    return 2 * this.#hidden
  }
  toJSON(): string {
    return 'not this'
  }
}
class List extends Array<unknown> {}
class Dictionary extends Map<unknown, unknown> {}
class Failure extends RangeError {
  override get name(): string {
    return 'Failure'
  }
}

/** A part of a value: a plain value, or one of the nodes. */
type Part = { value: unknown } | { node: number }

/** The ingredients of one object of the graph. Its kind decides which of them are used. */
interface Recipe {
  kind: keyof typeof NODES
  parts: Part[]
  keys: string[]
  size: number
}

interface Node {
  /** Makes the object itself, before there are others to refer to. */
  make(recipe: Recipe): object
  /** Gives the object its parts. */
  fill?(object: object, parts: unknown[], recipe: Recipe): void
}

function setAll(object: object, parts: unknown[], { keys }: Recipe): void {
  parts.forEach((part, k) => define(object, keys[k % keys.length] as string, part))
}

function at<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T
}

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, k) => (k * 37 + length) & 0xff)
}

function fillArray(array: unknown[], parts: unknown[]): void {
  parts.forEach((part, k) => define(array, k, part))
}

/** Makes a view of the first buffer among the parts, or of a new buffer if there is none. */
function viewOf(parts: unknown[], size: number): object {
  const buffer = (parts.find((part) => types.isArrayBuffer(part)) ?? bytes(48).buffer) as ArrayBuffer
  if (size % 13 === 12) return new DataView(buffer, Math.min(size, buffer.byteLength))
  const constructor = at(VIEWS, size)
  const unit = constructor.BYTES_PER_ELEMENT
  const most = Math.floor(buffer.byteLength / unit)
  const start = Math.min(size % 3, most)
  return new constructor(buffer, start * unit, Math.min(size % 5, most - start))
}

const NODES = {
  object: { make: () => ({}), fill: setAll },
  nullPrototype: { make: () => Object.create(null) as object, fill: setAll },
  instance: { make: () => new Point(), fill: setAll },
  inheriting: { make: () => Object.create({ inherited: 1, a: 2, 0: 3 }) as object, fill: setAll },
  posing: {
    make: ({ size }) => Object.create(at([Map, Set, Date, RegExp, Array, Error, Number, Uint8Array, Promise], size).prototype) as object,
    fill: setAll,
  },
  labelled: {
    make: ({ size }) => ({ [Symbol.toStringTag]: at(['Map', 'Array', 'Error', 'Uint8Array', 'Proxy'], size), [Symbol('s')]: 1 }),
    fill: setAll,
  },
  hiding: {
    make: () => ({}),
    fill(object, parts, recipe) {
      setAll(object, parts, recipe)
      recipe.keys.forEach((key, k) => {
        if (k % 2) Object.defineProperty(object, key, { enumerable: false, value: 1, configurable: true })
      })
    },
  },
  getting: {
    make: () => ({}),
    fill(object, parts, { keys }) {
      parts.forEach((part, k) => Object.defineProperty(object, at(keys, k), { enumerable: true, configurable: true, get: () => part }))
    },
  },
  frozen: {
    make: () => ({}),
    fill(object, parts, recipe) {
      setAll(object, parts, recipe)
      at([Object.freeze, Object.seal, Object.preventExtensions], recipe.size)(object)
    },
  },
  /** An object that V8 keeps as a hash table, as properties were removed and added. */
  deleting: {
    make: () => ({ gone: 1, a: 1, 5: 5 }),
    fill(object, parts, recipe) {
      delete (object as { gone?: unknown }).gone
      setAll(object, parts, recipe)
      delete (object as { a?: unknown }).a
      define(object, 'a', 'last')
    },
  },
  array: { make: () => [], fill: (object, parts) => fillArray(object as unknown[], parts) },
  integers: { make: ({ size }) => Array.from({ length: size }, (_, k) => (k * size) | 0) },
  doubles: { make: ({ size }) => Array.from({ length: size }, (_, k) => (k % 4 === 3 ? -0 : k / 3)) },
  holes: {
    make: ({ size }) => new Array(size),
    fill(object, parts) {
      parts.forEach((part, k) => define(object, 2 * k, part))
    },
  },
  doublesWithHoles: {
    make: ({ size }) => {
      const array = Array.from({ length: size + 2 }, (_, k) => k + 0.5)
      Reflect.deleteProperty(array, size >> 1)
      array[size + 1] = NaN
      return array
    },
  },
  far: {
    make: ({ size }) => Object.assign([], { length: at([2 ** 32 - 1, 5000, 70_000], size) }),
    fill(object, parts) {
      parts.forEach((part, k) => define(object, 7 + k * 311, part))
    },
  },
  arrayWithProperties: {
    make: () => [],
    fill(object, parts, recipe) {
      fillArray(object as unknown[], parts.slice(0, 2))
      parts.slice(2).forEach((part, k) => {
        const key = at(recipe.keys, k)
        if (key !== 'length') define(object, key, part)
      })
    },
  },
  list: { make: () => new List(), fill: (object, parts) => fillArray(object as unknown[], parts) },
  gettingArray: {
    make: () => [],
    fill(object, parts) {
      parts.forEach((part, k) => Object.defineProperty(object, k, { enumerable: k % 3 !== 2, configurable: true, get: () => part }))
    },
  },
  frozenArray: {
    make: () => [],
    fill(object, parts) {
      fillArray(object as unknown[], parts)
      Object.freeze(object)
    },
  },
  map: {
    make: ({ size }) => (size % 4 === 3 ? new Dictionary() : new Map()),
    fill(object, parts) {
      parts.forEach((part, k) => (object as Map<unknown, unknown>).set(part, at(parts, k + 1)))
      define(object, 'ignored', 1)
    },
  },
  set: {
    make: () => new Set(),
    fill(object, parts) {
      for (const part of parts) (object as Set<unknown>).add(part)
    },
  },
  error: {
    make: ({ size, keys }) => {
      const constructor = at([...ERRORS, Failure], size)
      return size % 3 ? new constructor(keys[0]) : new constructor()
    },
    fill(object, parts, { size }) {
      const properties = ['cause', 'name', 'message', 'stack', 'extra']
      // Only some of the keys are used, since keys that are not own properties are a separate case.
      parts.forEach((part, k) => {
        const key = at(properties, size + k)
        // A value that can't be converted to a string can't be a message.
        const plain = typeof part === 'object' && part !== null
        if (k < 2 && !(plain && key !== 'cause' && key !== 'extra')) define(object, key, part)
      })
    },
  },
  aggregate: { make: ({ size }) => new AggregateError([new Error('inner'), size], 'all') },
  boxed: { make: ({ size }) => at([Object(1), Object(-0), Object(NaN), Object('text'), Object('\ud800'), Object(''), Object(true), Object(false), Object(10n), Object(-(2n ** 70n))], size) as object }, // prettier-ignore
  date: { make: ({ size }) => new Date(at([0, -1, NaN, 8.64e15, -8.64e15, 1.6e12, 0.5], size)) },
  expression: {
    make: ({ size }) => {
      const { source, flags } = at(EXPRESSIONS, size)
      const expression = new RegExp(source, flags)
      expression.lastIndex = size
      return expression
    },
  },
  buffer: { make: ({ size }) => bytes(size).buffer },
  resizable: { make: ({ size }) => resizable(size, size + 16) },
  view: { make: ({ size }) => viewOf([], size) },
  nodeBuffer: { make: ({ size }) => (size % 2 ? Buffer.from('text in a pool') : Buffer.alloc(size)) },
  tracking: { make: ({ size }) => new Uint8Array(resizable(size + 1, size + 16), 1) },
  wide: {
    make: ({ size }) => Object.fromEntries(Array.from({ length: size === 20 ? 1100 : size * 3 }, (_, k) => [`key${(k * 7919) % 1201}`, k])),
  },
} satisfies Record<string, Node>

const part: fc.Arbitrary<Part> = fc.oneof(
  primitives.map((value) => ({ value })),
  fc.nat(11).map((node) => ({ node })),
)

const recipe: fc.Arbitrary<Recipe> = fc.record({
  kind: fc.constantFrom(...(Object.keys(NODES) as (keyof typeof NODES)[])),
  parts: fc.array(part, { maxLength: 5 }),
  keys: fc.array(keys, { minLength: 1, maxLength: 5 }),
  size: fc.nat(20),
})

function build(recipes: Recipe[]): object {
  const objects = recipes.map((one) => (NODES[one.kind] as Node).make(one))
  // Views may share buffers that are nodes themselves.
  const resolve = (one: Part): unknown => ('node' in one ? at(objects, one.node) : one.value)
  recipes.forEach((one, k) => {
    if (one.kind === 'view' && one.size % 2) objects[k] = viewOf(one.parts.map(resolve), one.size)
  })
  recipes.forEach((one, k) => (NODES[one.kind] as Node).fill?.(objects[k] as object, one.parts.map(resolve), one))
  return objects[0] as object
}

/** Objects of up to eight nodes that refer to each other. */
export const graphs: fc.Arbitrary<object> = fc.array(recipe, { minLength: 1, maxLength: 8 }).map(build)

export const values: fc.Arbitrary<unknown> = fc.oneof({ weight: 1, arbitrary: primitives }, { weight: 7, arbitrary: graphs })

/** A place within a value, named in the message if something there is wrong. */
interface Place {
  got: unknown
  expected: unknown
  key: string
  within: Place | undefined
}

function fail(place: Place, what: string, got: unknown, expected: unknown): never {
  const path: string[] = []
  for (let one: Place | undefined = place; one; one = one.within) path.unshift(one.key)
  const show = (value: unknown): string => inspect(value, { depth: 1, customInspect: false, maxStringLength: 200 })
  assert.fail(`${path.slice(-20).join('')}: ${what} is ${show(got)}, not ${show(expected)}`)
}

/** Checks for what an object really is, whatever it claims to be. */
const BRANDS = Object.entries(types) as [string, (value: unknown) => boolean][]

function brandOf(object: object): string {
  if (Array.isArray(object)) return 'isArray'
  for (const [name, is] of BRANDS) if (is(object)) return name
  return 'none'
}

function bytesOf(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength)
}

/**
 * Fails unless the item that came out of a queue equals what `structuredClone` makes. Kinds,
 * prototypes and keys must be the same, in the same order. Two places must have the same object
 * exactly where they have in the clone. Views are compared by the bytes that they show.
 */
export function assertClone(got: unknown, expected: unknown): void {
  const counterparts = new Map<object, object>()
  const taken = new Set<object>()
  const left: Place[] = [{ got, expected, key: 'item', within: undefined }]
  for (let place = left.pop(); place; place = left.pop()) comparePlace(place)

  function comparePlace(place: Place): void {
    const { got, expected } = place
    if (typeof expected !== 'object' || expected === null) {
      if (!Object.is(got, expected)) fail(place, 'the value', got, expected)
      return
    }
    if (typeof got !== 'object' || got === null) fail(place, 'the value', got, expected)
    const known = counterparts.get(expected)
    if (known !== undefined) {
      if (known !== got) fail(place, 'an object that was there before', 'another one', 'the same')
      return
    }
    if (taken.has(got)) fail(place, 'an object that was not there before', 'the same', 'another one')
    counterparts.set(expected, got)
    taken.add(got)
    compareObjects(place, got, expected)
  }

  function same(place: Place, what: string, got: unknown, expected: unknown): void {
    if (!Object.is(got, expected)) fail(place, what, got, expected)
  }

  function compareObjects(place: Place, got: object, expected: object): void {
    const inside = (key: string, got: unknown, expected: unknown): void => {
      // Most parts are primitives that are equal.
      if (typeof expected !== 'object' && Object.is(got, expected)) return
      left.push({ got, expected, key, within: place })
    }
    same(place, 'the prototype', Object.getPrototypeOf(got), Object.getPrototypeOf(expected))
    const brand = brandOf(expected)
    same(place, 'the kind', brandOf(got), brand)
    if (Object.isExtensible(got) !== Object.isExtensible(expected)) fail(place, 'extensible', false, true)
    if (ArrayBuffer.isView(expected)) {
      const view = got as ArrayBufferView
      if (!bytesOf(view).equals(bytesOf(expected))) fail(place, 'the bytes', bytesOf(view), bytesOf(expected))
      same(place, 'the offset', view.byteOffset, 0)
      same(place, 'the length of its buffer', view.buffer.byteLength, expected.byteLength)
      if (taken.has(view.buffer)) fail(place, 'the buffer', 'one that is somewhere else', 'its own')
      taken.add(view.buffer)
      return
    }
    compareProperties(place, got, expected, inside)
    if (types.isDate(expected)) same(place, 'the time', (got as Date).getTime(), expected.getTime())
    else if (types.isRegExp(expected)) same(place, 'the expression', String(got), String(expected))
    else if (types.isBoxedPrimitive(expected)) {
      same(place, 'the primitive', (got as object).valueOf(), (expected as object).valueOf())
    } else if (types.isMap(expected)) {
      const [one, other] = [[...(got as Map<unknown, unknown>)], [...expected]]
      same(place, 'the number of entries', one.length, other.length)
      one.forEach(([key, value], k) => {
        inside(`<key ${k}>`, key, other[k]?.[0])
        inside(`<value ${k}>`, value, other[k]?.[1])
      })
    } else if (types.isSet(expected)) {
      const [one, other] = [[...(got as Set<unknown>)], [...expected]]
      same(place, 'the number of items', one.length, other.length)
      one.forEach((item, k) => inside(`<item ${k}>`, item, other[k]))
    } else if (types.isArrayBuffer(expected)) {
      const [one, other] = [got, expected] as [ArrayBuffer, ArrayBuffer] as (ArrayBuffer & {
        resizable?: boolean
        maxByteLength?: number
      })[]
      if (!Buffer.from(one as ArrayBuffer).equals(Buffer.from(other as ArrayBuffer))) fail(place, 'the bytes', one, other)
      same(place, 'resizable', one?.resizable, other?.resizable)
      same(place, 'the most bytes', one?.maxByteLength, other?.maxByteLength)
    }
  }

  function compareProperties(place: Place, got: object, expected: object, inside: (key: string, a: unknown, b: unknown) => void): void {
    const keys = Reflect.ownKeys(expected)
    const gotKeys = Reflect.ownKeys(got)
    if (keys.length !== gotKeys.length || keys.some((key, k) => key !== gotKeys[k])) fail(place, 'the list of keys', gotKeys, keys)
    for (const key of keys) {
      const one = Reflect.getOwnPropertyDescriptor(got, key) as PropertyDescriptor
      const other = Reflect.getOwnPropertyDescriptor(expected, key) as PropertyDescriptor
      for (const flag of ['writable', 'enumerable', 'configurable'] as const) {
        if (one[flag] !== other[flag]) fail(place, `${String(key)}, ${flag},`, one[flag], other[flag])
      }
      // V8 has accessors of its own on some objects, such as the stack of errors. Their values are
      // compared.
      inside(`.${String(key).slice(0, 40)}`, Reflect.get(got, key), Reflect.get(expected, key))
    }
  }
}
