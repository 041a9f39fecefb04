/**
 * A queue of 'any' gives back as structuredClone does: awkward values of each kind, getters, and
 * built-ins that were changed.
 */
import { strict as assert } from 'node:assert'
import { types } from 'node:util'
import { createContext, runInContext, runInNewContext } from 'node:vm'
import { ThreadSafeQueue } from '../../lib/index.js'
import fc from '../properties.js'
import { assertClone, graphs, resizable } from './clone-values.js'
import { rejection, thrown } from '../support.js'
import { assertDataCloneError, cloned, large, runs, WAYS } from './cloning.js'

/**
 * Objects that are awkward to encode. They are made anew each time, as reading some of them changes
 * them.
 */
const AWKWARD: [string, () => unknown][] = [
  ['small integers', () => [0, 1, -1, 2 ** 30 - 1, -(2 ** 30)]],
  ['integers that are too large for small ones', () => [2 ** 30, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32, 2 ** 53]],
  ['-0 among integers', () => [1, -0, 2, { a: -0 }, new Map([[-0, -0]]), new Set([-0])]],
  ['-0 among fractions', () => [1.5, -0, 0]],
  ['an array with NaN and a hole', () => [1.5, , NaN]], // eslint-disable-line no-sparse-arrays
  ['undefined beside a hole', () => [undefined, , undefined]], // eslint-disable-line no-sparse-arrays
  ['an array with holes at its end', () => Object.assign([1, 2], { length: 9 })],
  ['an array of nothing but holes', () => new Array(5)],
  ['an empty array', () => []],
  ['an array of the greatest length', () => Object.assign([], { length: 2 ** 32 - 1, 4294967294: 'last' })],
  ['a long array with few items', () => Object.assign([], { 100_000: 1, 5: 2 })],
  ['a long array', () => Array.from({ length: 20_000 }, (_, k) => k)],
  ['a long array of fractions', () => Array.from({ length: 10_000 }, (_, k) => k / 7)],
  ['a long array of strings', () => Array.from({ length: 10_000 }, (_, k) => `${k}`)],
  ['an array with keys that look like places', () => Object.assign([1], { '-1': 'a', '01': 'b', 4294967295: 'c', 1.5: 'd', '': 'e' })],
  ['an array whose length can not be changed', () => Object.defineProperty([1, 2], 'length', { writable: false })],
  ['an array whose place is an accessor', () => Object.defineProperty([1, 2, 3], 1, { get: () => 'got', enumerable: true })],
  ['an array whose place is hidden', () => Object.defineProperty([1, 2, 3], 1, { value: 5, enumerable: false })],
  ['an array of another prototype', () => [Object.setPrototypeOf([1, 2], null), Object.setPrototypeOf([3], Map.prototype)]],
  ['an array with toJSON', () => Object.assign([1], { toJSON: 1 })],
  [
    'an array of another realm',
    () => runInNewContext('[[1, , 2], { a: 1 }, new Map([[1, {}]]), new Date(5), /x/g, new Error("e").message]'),
  ],
  ['an error of another realm', () => runInNewContext('new RangeError("e")')],
  [
    'keys that are integers, out of order',
    () => ({ b: 1, 10: 2, 9: 3, a: 4, '-1': 5, '01': 6, 4294967294: 7, 4294967295: 8, 4294967296: 9 }),
  ],
  ['an own __proto__', () => JSON.parse('{ "__proto__": { "polluted": 1 }, "a": { "__proto__": null } }')],
  ['an own __proto__ among many keys', () => JSON.parse(`{ ${'x'.repeat(500).replace(/x/g, (_, k) => `"k${k}": 1, `)} "__proto__": [] }`)],
  ['an empty key', () => ({ '': { '': [] } })],
  ['very long keys', () => ({ ['k'.repeat(100_000)]: 1, ['ö'.repeat(70_000)]: 2, ['漢'.repeat(70_000)]: 3 })],
  ['keys of any code units', () => ({ naïve: 1, ключ: 2, '\ud800': 3, '\udc00\ud800': 4, '\0': 5, '\u0100': 6 })],
  ['keys that differ in little', () => ({ a: 1, A: 2, 'a ': 3, 'a\0': 4, á: 5, 'a\u0301': 6, aa: 7 })],
  ['more than a thousand keys', () => Object.fromEntries(Array.from({ length: 3000 }, (_, k) => [`key${(k * 7919) % 3001}`, k]))],
  ['more than a thousand integer keys', () => Object.fromEntries(Array.from({ length: 3000 }, (_, k) => [(k * 7919) % 300_007, k]))],
  [
    'keys that are properties of Object.prototype',
    () => ({ constructor: 1, toString: 2, hasOwnProperty: 3, __defineSetter__: 4, valueOf: 5 }),
  ],
  ['an object with then', () => ({ then: 1, catch: 'x' })],
  ['what it inherits', () => Object.assign(Object.create({ a: 1, 0: 'zero', b: 2 }), { b: 3, c: 4 })],
  ['an object of an object', () => Object.create(Object.create(null, { a: { value: 1, enumerable: true } }))],
  ['an object that poses as a map', () => Object.assign(Object.create(Map.prototype), { a: 1 })],
  ['an object that poses as a set', () => ({ a: Object.create(Set.prototype) })],
  ['an object that poses as a module', () => [Object.create(WebAssembly.Module.prototype)]],
  ['an object that poses as a Buffer', () => Object.create(Buffer.prototype)],
  ['an object that poses as an array', () => Object.assign(Object.create(Array.prototype), { 0: 'a', length: 1 })],
  ['an object that poses as an error', () => Object.assign(Object.create(Error.prototype), { message: 'm' })],
  ['a map without its prototype', () => Object.setPrototypeOf(new Map([[1, new Set([2])]]), null)],
  ['a date without its prototype', () => Object.setPrototypeOf(new Date(5), Object.prototype)],
  ['a map that says otherwise', () => new (class extends Map<unknown, unknown> { override keys(): never { throw new Error('keys') } override entries(): never { throw new Error('entries') } override get size(): number { return 7 } override forEach(): void {} override [Symbol.iterator](): never { throw new Error('iterator') } })([[1, { a: 1 }]])], // prettier-ignore
  ['a set that says otherwise', () => new (class extends Set<unknown> { override values(): never { throw new Error('values') } override [Symbol.iterator](): never { throw new Error('iterator') } })([1, {}])], // prettier-ignore
  ['a date that says otherwise', () => new (class extends Date { override getTime(): number { return 1 } override valueOf(): number { return 2 } })(99)], // prettier-ignore
  ['an array that says otherwise', () => new (class extends Array<unknown> { override [Symbol.iterator](): never { throw new Error('iterator') } override map(): never { throw new Error('map') } })(1, 2, 3)], // prettier-ignore
  ['a view that says otherwise', () => new (class extends Uint8Array { override get byteLength(): number { return 100 } override get byteOffset(): number { return 3 } override get buffer(): ArrayBuffer { return new ArrayBuffer(3) } override get length(): number { return 2 } })([1, 2, 3, 4, 5])], // prettier-ignore
  ['a data view that says otherwise', () => Object.defineProperties(new DataView(bytes(9), 2, 5), { byteLength: { value: 1 }, buffer: { value: 'x' }, byteOffset: { value: 7 } })], // prettier-ignore
  ['an expression that says otherwise', () => Object.defineProperties(/a/g, { flags: { value: 'y' }, source: { value: 'b' } })],
  ['an error whose properties are accessors', () => Object.defineProperties(new Error('m'), { message: { get: () => 'got' }, stack: { get: () => 'stack' }, cause: { get: () => ({ a: 1 }) } })], // prettier-ignore
  ['an error whose name is no string', () => Object.assign(new TypeError('m'), { name: { toString: () => 'RangeError' }.toString() })],
  ['an error in its own cause', () => { const error = new Error('m'); error.cause = { list: [error], error }; return [error, error.cause] }], // prettier-ignore
  ['an error with a cause of undefined', () => new Error('m', { cause: undefined })],
  ['an error without a stack', () => Object.defineProperty(new Error('m'), 'stack', { value: undefined })],
  ['an error whose class has a name', () => new (class MyError extends Error { override name = 'MyError'; extra = {} })('m')], // prettier-ignore
  ['a DOMException', () => new DOMException('m', 'AbortError')],
  [
    'a DOMException at many places',
    () => {
      const e = new DOMException('m', 'AbortError')
      return { e, text: Object('ab') as unknown, list: [e, { e }], map: new Map<unknown, unknown>([[e, 1], [1, [e]]]), set: new Set([0, e]), error: new Error('e', { cause: e }) } // prettier-ignore
    },
  ],
  [
    'a DOMException that a getter answers',
    () => ({
      get e() {
        return new DOMException('m')
      },
    }),
  ],
  ['an address', () => new URL('http://localhost/')],
  ["an address' parameters", () => new URLSearchParams('a=1')],
  ['headers', () => new Headers({ a: '1' })],
  ['an abort signal', () => AbortSignal.abort(1)],
  ['an encoder', () => new TextEncoder()],
  ['an error that has an address', () => Object.assign(new Error('e'), { address: new URL('http://localhost/') })],
  ['boxed primitives with properties', () => Object.assign(Object('abc'), { extra: 1 })],
  ['one part in many places', () => { const part = { a: 1 }; return [part, { part }, [part], new Map([[part, part]]), new Set([part])] }], // prettier-ignore
  ['equal parts that are not the same', () => [{ a: 1 }, { a: 1 }, [1], [1], new Date(1), new Date(1), Object(1), Object(1)]],
  ['every kind in two places', () => { const parts = [{}, [], new Map(), new Set(), new Date(0), /x/, new Error('e'), Object('s'), Object(1n), bytes(4), resizable(3, 5), new Uint8Array(bytes(3)), Buffer.from('ab')]; return [parts, [...parts], parts] }], // prettier-ignore
  ['a cycle through everything', () => { const map = new Map<unknown, unknown>(); const set = new Set<unknown>([map]); const array: unknown[] = [set]; const object: Record<string, unknown> = { array }; map.set(object, map).set(map, array); object.self = object; array.push(array, object); return object }], // prettier-ignore
  ['objects as keys of maps that are values elsewhere', () => { const keys = [{}, [], new Date(1), /x/, new Map()]; return [new Map(keys.map((key, k) => [key, keys[k + 1]])), new Set(keys), keys] }], // prettier-ignore
  ['NaN and both zeros as keys of a map', () => new Map<unknown, unknown>([[NaN, 1], [0, 2], ['0', 3], [undefined, 4], [null, 5], ['', 6]])], // prettier-ignore
  ['a map with many entries', () => new Map(Array.from({ length: 130_000 }, (_, k) => [k, k]))],
  ['a set with many items', () => new Set(Array.from({ length: 130_000 }, (_, k) => `${k}`))],
  ['two views of one buffer, and the buffer', () => { const buffer = bytes(32); return [new Uint8Array(buffer, 3, 5), buffer, new Float64Array(buffer, 8), new DataView(buffer, 1, 2)] }], // prettier-ignore
  ['views of no bytes', () => [new Uint8Array(0), new Float64Array(bytes(8), 8), new DataView(bytes(4), 4)]],
  ['a view with properties', () => Object.assign(new Uint8Array([1, 2]), { extra: {} })],
  ['a view of a resizable buffer that follows its length', () => new Uint16Array(resizable(8, 32))],
  ['a resizable buffer at its greatest length', () => [resizable(8, 8), resizable(0, 0), resizable(0, 9)]],
  ['memory of WebAssembly', () => new WebAssembly.Memory({ initial: 1 }).buffer],
  ['strings that are made of parts', () => { let text = ''; for (let k = 0; k < 2000; k++) text += k % 50 ? 'part ' : 'Ω'; return [text, text.slice(30, 900), `${text}x`.slice(1)] }], // prettier-ignore
  ['long strings of two bytes at odd places', () => ['a', 'Ω'.repeat(1000), 'ab', '漢'.repeat(1001), { abc: '\ud800'.repeat(77) }]],
  ['the same text many times', () => Array.from({ length: 1000 }, (_, k) => `text ${k % 3}`)],
  ['bigints at the edges of words', () => [0n, -0n, 63n, 64n, 1n << 63n, 1n << 64n, -(1n << 64n), (1n << 20_000n) - 1n, -(1n << 12_345n)]],
  ['dates at the edges of time', () => [new Date(8.64e15), new Date(-8.64e15), new Date(NaN), new Date(-1), new Date(0.9)]],
  ['functions that nobody sees', () => Object.defineProperty({ [Symbol('f')]: () => 1 }, 'hidden', { value: () => 1 })],
  ['globals', () => [Math, JSON, Reflect].map((one) => one as unknown)],
  ['iterators, and other objects without properties', () => [[][Symbol.iterator](), new Map().entries(), new Intl.NumberFormat('en'), new TextDecoder() ]], // prettier-ignore
  ['the environment', () => ({ env: process.env })],
  ['arguments', () => new Function('return arguments')(1, 2)],
  ['arguments of a strict function', () => new Function('"use strict"; return arguments')(1, 2)],
  ['a sandbox', () => createContext({ a: [1, { b: 2 }] })],
  ['a global of a sandbox', () => runInContext('[Object.keys({ a: 1 }), new Map([[{}, []]])]', createContext({}))],
]

function bytes(length: number): ArrayBuffer {
  return Uint8Array.from({ length }, (_, k) => k + 1).buffer
}

/**
 * Asserts that a queue does what structuredClone does. It refuses some kinds in one version of Node
 * and carries them in another.
 */
function assertAsCloned(make: () => unknown): void {
  const queue = new ThreadSafeQueue(100_000)
  const wrap: ((value: unknown) => unknown)[] = [(value) => value, (value) => [value, { value }, value]]
  for (const wrapped of wrap) {
    const value = wrapped(make())
    const expected = cloned(value)
    for (const way of WAYS.slice(0, 2)) {
      if (expected) assertClone(withoutPlaces(way(queue, wrapped(make()))), withoutPlaces(expected.clone))
      else assertDataCloneError(thrown(() => queue.putSync(wrapped(make()))))
    }
  }
  assert.equal(queue.qsize(), 0)
}

/** Removes the positions in error stacks. Each error is made anew, so the columns differ. */
function withoutPlaces(value: unknown): unknown {
  const seen = new Set<unknown>()
  const visit = (one: unknown): void => {
    if (typeof one !== 'object' || one === null || seen.has(one)) return
    seen.add(one)
    if (types.isNativeError(one) && typeof one.stack === 'string') one.stack = one.stack.replace(/\n {4}at [^]*/, '')
    if (types.isNativeError(one)) visit(one.cause)
    if (Array.isArray(one) && one.length < 1000) one.forEach(visit)
    else if (Object.getPrototypeOf(one) === Object.prototype) Object.values(one).forEach(visit)
  }
  visit(value)
  return value
}

describe('a queue of any gives back as structuredClone does', () => {
  for (const [what, make] of AWKWARD) it(what, () => assertAsCloned(make))

  it('all of them in one item', () => {
    const all = AWKWARD.filter(([what]) => !/many|long|greatest|DOMException|thousand/.test(what))
    assertAsCloned(() => all.map(([, make]) => make()))
  })

  for (const depth of [1000, 10_000]) {
    const nest: Record<string, (inner: unknown) => unknown> = {
      objects: (inner) => ({ inner }),
      arrays: (inner) => [inner],
      maps: (inner) => new Map([['k', inner]]),
      sets: (inner) => new Set([inner]),
      'objects and arrays': (inner) => ({ before: 1, list: [inner], after: 'x' }),
    }
    for (const [what, around] of Object.entries(nest)) {
      it(`${what} in each other, ${depth} deep`, () => {
        const queue = new ThreadSafeQueue(50_000)
        let value: unknown = 'inmost'
        for (let k = 0; k < depth; k++) value = around(value)
        let expected: unknown
        try {
          expected = structuredClone(value)
        } catch (error) {
          // The values are nested as deep as the stack allows, which depends on what is on it
          // already.
          assert.ok(error instanceof RangeError)
        }
        try {
          queue.putSync(value)
          assertClone(queue.getSync(), expected)
        } catch (error) {
          if (expected !== undefined || !(error instanceof RangeError)) throw error
          assert.equal(queue.qsize(), 0)
        }
      })
    }
  }

  it('leaves the item as it was', () => {
    const queue = large()
    fc.assert(
      fc.property(graphs, (value) => {
        const seen = new Set<object>()
        const state = (one: object): unknown[] => [Object.getPrototypeOf(one), Object.isExtensible(one), ...Reflect.ownKeys(one)]
        const visit = (one: unknown): void => {
          if (typeof one !== 'object' || one === null || seen.has(one)) return
          seen.add(one)
          for (const key of Object.keys(one)) visit(Reflect.get(one, key))
        }
        visit(value)
        const before = [...seen].map(state)
        if (!cloned(value)) return
        queue.putSync(value)
        queue.getSync()
        assert.deepEqual([...seen].map(state), before)
      }),
      runs(1000),
    )
  })
})

describe('an object whose getters change it while it is read', () => {
  /** Makes an object whose key `get`, between others, makes that change when it is read. */
  const during = (change: (object: Record<string, unknown>) => unknown): Record<string, unknown> => ({
    before: 1,
    get get() {
      return change(this as unknown as Record<string, unknown>)
    },
    after: { deep: 1 },
    last: 2,
  })

  const CHANGES: [string, () => unknown][] = [
    ['deletes a key that comes', () => during((object) => delete object.after)],
    ['deletes one and adds it again', () => during((object) => delete object.after && (object.after = 'new'))],
    ['deletes one that was', () => during((object) => delete object.before)],
    ['adds keys', () => during((object) => Object.assign(object, { more: 1, 5: 2 }) && 1)],
    ['changes a value that comes', () => during((object) => (object.after = 'changed'))],
    ['changes a value that was', () => during((object) => (object.before = 'changed'))],
    ['hides a key', () => during((object) => Object.defineProperty(object, 'after', { enumerable: false }) && 1)],
    ['makes a value an accessor', () => during((object) => Object.defineProperty(object, 'after', { get: () => 'got' }) && 1)],
    ['replaces itself', () => during((object) => Object.defineProperty(object, 'get', { value: 1 }) && 2)],
    ['changes the prototype', () => during((object) => Object.setPrototypeOf(object, { inherited: 1 }) && 1)],
    ['deletes a key that the prototype has', () => during((object) => { Object.setPrototypeOf(object, { after: 'inherited' }); return delete object.after })], // prettier-ignore
    ['freezes it', () => during((object) => Object.freeze(object) && 1)],
    ['answers the object', () => during((object) => object)],
    ['answers another object each time', () => [1, 2].map(() => during(() => ({})))],
    ['answers the same object each time', () => { const same = {}; return [during(() => same), during(() => same), same] }], // prettier-ignore
    ['changes what is in an array that comes', () => during((object) => { object.last = [1, 2]; return (object.after = [object.last]) })], // prettier-ignore
    ['adds to the map it is in', () => { const map = new Map<unknown, unknown>(); map.set(during(() => map.set('more', 1) && 1), 2).set('next', 3); return map }], // prettier-ignore
    ['clears the map it is in', () => { const map = new Map<unknown, unknown>(); map.set('first', during(() => { map.clear(); return 1 })).set('next', 3); return map }], // prettier-ignore
    ['deletes from the set it is in', () => { const set = new Set<unknown>(); set.add(during(() => set.delete('next'))).add('next').add('last'); return set }], // prettier-ignore
    ['empties the array it is in', () => { const array: unknown[] = [0]; array.push(during(() => (array.length = 0)), 'next', 'last'); return array }], // prettier-ignore
    ['shortens the array it is in', () => { const array: unknown[] = [0]; array.push(during(() => (array.length = 3)), 'next', 'last'); return array }], // prettier-ignore
    ['lengthens the array it is in', () => { const array: unknown[] = [0]; array.push(during(() => array.push('more', 'and more')), 'next'); return array }], // prettier-ignore
    ['makes holes in the array it is in', () => { const array: unknown[] = [0]; array.push(during(() => delete array[2]), 'next', 'last'); return array }], // prettier-ignore
    ['makes the array it is in a table', () => { const array: unknown[] = [0]; array.push(during(() => (array[1e6] = 1)), 'next', 'last'); return array }], // prettier-ignore
    ['puts a fraction into the array it is in', () => { const array: unknown[] = [0]; array.push(during(() => (array[2] = 0.5)), 1); return array }], // prettier-ignore
    ['adds a key to the array it is in', () => { const array: unknown[] = [0]; array.push(during(() => Object.assign(array, { key: 1 }) && 1), 1); return array }], // prettier-ignore
    ['is a place of an array and changes it', () => { const array: unknown[] = [1.5, 2.5, 3.5]; Object.defineProperty(array, 1, { enumerable: true, get: () => (array.length = 2) }); return array }], // prettier-ignore
    ['writes into a buffer that comes', () => { const view = new Uint8Array(4); return Object.assign(during(() => (view[0] = 7)), { last: view }) }], // prettier-ignore
    ['writes into a buffer that was', () => { const view = new Uint8Array(4); return [view, during(() => (view[0] = 7)), view] }], // prettier-ignore
    ['resizes a buffer that comes', () => { const buffer = resizable(4, 8) as ArrayBuffer & { resize(to: number): void }; return [during(() => buffer.resize(6)), buffer, new Uint8Array(buffer)] }], // prettier-ignore
    ['detaches a buffer that comes', () => { const buffer = new ArrayBuffer(4); return [during(() => structuredClone(buffer, { transfer: [buffer] }).byteLength), buffer] }], // prettier-ignore
    ['detaches the buffer of a view that comes', () => { const view = new Uint8Array(4); return [during(() => structuredClone(view.buffer, { transfer: [view.buffer] }).byteLength), view] }], // prettier-ignore
    ['answers a function', () => during(() => () => 1)],
    ['answers a symbol', () => during(() => Symbol('s'))],
    ['makes a value that comes a function', () => during((object) => ((object.last = () => 1), 1))],
    ['clones it', () => { let inside = false; return during((object) => { if (inside) return 0; inside = true; try { return structuredClone(object) } finally { inside = false } }) }], // prettier-ignore
  ]

  for (const [what, make] of CHANGES) it(`is read as by structuredClone if it ${what}`, () => assertAsCloned(make))

  it('is put as it was read if it uses the same queue', async () => {
    const queue = large()
    const item = during(() => {
      queue.putSync({ own: [1, 'x'.repeat(100)], get: { deep: 'y'.repeat(100_000) } })
      const got = queue.getSync() as { own: unknown[] }
      queue.putSync({ before: 'left' })
      return got.own
    })
    const expected = { before: 1, get: [1, 'x'.repeat(100)], after: { deep: 1 }, last: 2 }
    const puts = [() => queue.putSync(item), () => queue.put(item), () => queue.putManySync([item]), () => queue.putMany([item])]
    for (const put of puts) {
      await put()
      assert.deepEqual(queue.getSync(), { before: 'left' })
      assertClone(queue.getSync(), expected)
    }
    assert.equal(queue.qsize(), 0)
  })

  it('is not put if its getter throws, at any depth, and the next item is put as usual', async () => {
    const queue = large()
    const mine = new Error('mine')
    const broken = during(() => {
      throw mine
    })
    for (const item of [broken, [1, { broken }], new Map([[{ broken }, 1]]), new Error('e', { cause: broken }), new Set([[broken]])]) {
      for (const error of [
        thrown(() => queue.putSync(item)),
        thrown(() => queue.tryPut(item)),
        thrown(() => queue.putManySync([1, item])),
        await rejection(queue.put(item)),
      ]) {
        assert.equal(error, mine)
      }
      assert.equal(queue.qsize(), 0)
      queue.putSync({ a: [1, { b: 'c' }] })
      assertClone(queue.getSync(), { a: [1, { b: 'c' }] })
    }
  })

  it('is not put if its getter runs out of stack', () => {
    const queue = large()
    const item: Record<string, unknown> = during((object) => object.get)
    assert.ok(thrown(() => queue.putSync(item)) instanceof RangeError)
    assert.equal(queue.qsize(), 0)
    queue.putSync({ a: 1 })
    assertClone(queue.getSync(), { a: 1 })
  })
})

describe('an item is cloned as usual', () => {
  type Pollution = [what: string, target: object, key: PropertyKey, descriptor: PropertyDescriptor]
  const never = (): never => {
    throw new Error('must not be called')
  }
  const setter = { get: () => 'inherited', set: never, configurable: true }
  const fixed = { value: 'inherited', writable: false, enumerable: true, configurable: true }
  const POLLUTIONS: Pollution[] = [
    ['an accessor x', Object.prototype, 'x', setter],
    ['an accessor 0', Object.prototype, '0', setter],
    ['an accessor 1', Array.prototype, '1', setter],
    ['a read-only x', Object.prototype, 'x', fixed],
    ['a read-only 0', Object.prototype, '0', fixed],
    ['a read-only 1', Array.prototype, '1', fixed],
    ['toJSON', Object.prototype, 'toJSON', { value: never, configurable: true }],
    ['toJSON', Array.prototype, 'toJSON', { value: never, configurable: true }],
    ['a cause', Error.prototype, 'cause', { value: 'inherited', configurable: true, enumerable: true }],
    ['a cause', Object.prototype, 'cause', { value: 'inherited', configurable: true, enumerable: true }],
  ]
  const make = (): unknown => {
    const cycle: Record<string, unknown> = { x: 1 }
    cycle.y = [cycle]
    return [
      { x: 1, y: 2 },
      { y: { x: { x: undefined } }, 0: 'a', 1: 'b' },
      [1, , 'c'], // eslint-disable-line no-sparse-arrays
      [, 2], // eslint-disable-line no-sparse-arrays
      new Array(3),
      [1.5, , 2.5], // eslint-disable-line no-sparse-arrays
      Object.assign([], { x: 1, 1: 'b' }),
      Object.assign(Object.create(null), { x: 1, 0: 2 }),
      new Map([[{ x: 1 }, [1, 2]]]),
      new Set([{ x: 1 }, [1, 2]]),
      new Error('e', { cause: { x: [1, 2] } }),
      Object.assign([], { length: 5000, 1: 'b' }),
      cycle,
    ]
  }

  for (const [what, target, key, descriptor] of POLLUTIONS) {
    it(`when ${target === Object.prototype ? 'all objects inherit' : target === Array.prototype ? 'all arrays inherit' : 'all errors inherit'} ${what}${descriptor.set ? ' that may not be set' : ''}${descriptor.writable === false ? ' that can not be set' : ''}`, () => {
      const queue = large()
      const item = make()
      let got: unknown
      let expected: unknown
      Object.defineProperty(target, key, descriptor)
      try {
        expected = structuredClone(item)
        queue.putSync(item)
        got = queue.getSync()
      } finally {
        Reflect.deleteProperty(target, key)
      }
      assertClone(got, expected)
    })
  }
})
