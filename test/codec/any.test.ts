/** Items of 'any' come out as they went in, whatever their getters do in between. */
import { strict as assert } from 'node:assert'
import { createSecretKey } from 'node:crypto'
import { inspect } from 'node:util'
import { MessageChannel } from 'node:worker_threads'
import { record, ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import fc from '../properties.js'
import { rejection, thrown } from '../support.js'
import { through } from './through.js'
import { resizable } from './clone-values.js'

describe("'any'", () => {
  const queue = new ThreadSafeQueue(20_000)

  const ALL = { depth: Infinity, showHidden: true, maxArrayLength: null, maxStringLength: null }

  /**
   * Asserts that both have the same value, types, prototypes and hidden state, as shown by
   * util.inspect, and that the same of their parts are one object.
   */
  function assertSame(got: unknown, expected: unknown): void {
    assert.equal(inspect(got, ALL), inspect(expected, ALL))
    assertSameParts(got, expected, new Map(), new Map())
  }

  // Not by V8's encoding of both. That differs between strings that are equal, if one was made of
  // characters of two bytes, and between arrays, if one might once have had holes.
  function assertSameParts(got: unknown, expected: unknown, ofGot: Map<object, unknown>, ofExpected: Map<object, unknown>): void {
    if (typeof got !== 'object' || got === null || typeof expected !== 'object' || expected === null)
      return assert.ok(Object.is(got, expected))
    if (ofGot.has(got) || ofExpected.has(expected)) {
      assert.equal(ofGot.get(got), expected)
      return assert.equal(ofExpected.get(expected), got)
    }
    ofGot.set(got, expected)
    ofExpected.set(expected, got)
    assert.equal(Object.getPrototypeOf(got), Object.getPrototypeOf(expected))
    const [mine, others] = [partsOf(got), partsOf(expected)]
    assert.equal(mine.length, others.length)
    for (const [k, part] of mine.entries()) assertSameParts(part, others[k], ofGot, ofExpected)
  }

  function partsOf(whole: object): unknown[] {
    if (ArrayBuffer.isView(whole)) return [whole.buffer, whole.byteOffset, whole.byteLength]
    const inside = whole instanceof Map ? [...whole].flat() : whole instanceof Set ? [...whole] : []
    return [...inside, ...Object.entries(whole).flat()]
  }

  class Point {
    readonly x = 1
    get double(): number {
      return this.x * 2
    }
  }
  const cycle: { self?: unknown; list: unknown[] } = { list: [] }
  cycle.self = cycle
  cycle.list.push(cycle, cycle.list)
  const shared = { shared: true }
  const view = new Float64Array([1.5, NaN, -0])
  const buffer = new ArrayBuffer(5)
  const named = new RangeError('with a name')
  named.name = 'Mine'

  const VALUES: [string, unknown][] = [
    ['undefined', undefined],
    ['null', null],
    ['true and false', [true, false]],
    ['true', true],
    ['false', false],
    ['numbers', [0, -0, 1, -1, 0.5, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 53, 1e300, 5e-324]],
    ...[0, -0, NaN, 2 ** 53, -Infinity].map((n): [string, unknown] => [`the number ${Object.is(n, -0) ? '-0' : n}`, n]),
    ['bigints', [0n, -1n, 2n ** 64n, -(2n ** 200n)]],
    ['a bigint', 2n ** 65n],
    ['an empty string', ''],
    ['a string of one byte each', 'naïve café ÿ'],
    ['a string of two bytes each', 'Ωmega 漢字 😀 \u0100'],
    ['a string with a lone surrogate', '\ud800 and \udc00'],
    ['boxed primitives', [Object(1), Object('text'), Object(false), Object(10n)]],
    ['dates', [new Date(0), new Date(8.64e15), new Date(NaN)]],
    ['regular expressions', [/a(b)?/giu, /\//s]],
    ['an array with holes', [1, , 3, , ,]], // eslint-disable-line no-sparse-arrays
    ['a long array with one element', Object.assign([], { 1000: 'x' })],
    ['an array with properties', Object.assign([1, 2], { name: 'n' })],
    ['an object', { a: 1, b: { c: [2, { d: null }] }, 'with space': undefined, 7: 'seven' }],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1 })],
    ['an object of a class', new Point()],
    ['a getter', { get a() { return 5 } }], // prettier-ignore
    ['symbol keys, and what is not enumerable', Object.defineProperty({ a: 1, [Symbol('s')]: 2 }, 'hidden', { value: 3 })],
    ['a map', new Map<unknown, unknown>([['a', 1], [shared, new Map([[NaN, -0]])], [-0, undefined]])], // prettier-ignore
    ['a set', new Set<unknown>([1, 'a', shared, new Set()])],
    ['the same object twice', [shared, shared, new Map([[shared, shared]])]],
    ['a cycle', cycle],
    ['errors', [new Error('plain'), new TypeError('type'), new RangeError(), new SyntaxError('s'), new URIError('u'), new EvalError('e')]],
    ['an error with a cause', new Error('outer', { cause: new TypeError('inner') })],
    ['an error with a name and properties', Object.assign(named, { extra: 1 })],
    ['an aggregate error', new AggregateError([new Error('one')], 'all')],
    ['an array buffer', Uint8Array.of(1, 2, 3).buffer],
    ['the same array buffer twice', [buffer, buffer]],
    ['a resizable array buffer', resizable(4, 16)],
    ['the same view twice', { first: view, second: view }],
    ...[
      Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array,
    ].map((constructor): [string, unknown] => [constructor.name, constructor.of(1, 2.5, 300, -1)]), // prettier-ignore
    ['BigInt64Array', BigInt64Array.of(-1n, 2n ** 63n - 1n)],
    ['BigUint64Array', BigUint64Array.of(1n, 2n ** 64n - 1n)],
    ['an empty view', new Uint16Array(0)],
    ['a data view', new DataView(Uint8Array.of(9, 8, 7).buffer)],
    ['a long text', 'long '.repeat(100_000)],
    ['many objects', Array.from({ length: 1000 }, (_, k) => ({ k, text: `number ${k}` }))],
  ]

  for (const [what, value] of VALUES) {
    it(`gives back ${what} as structuredClone does`, async () => {
      const small = new ThreadSafeQueue(3, { itemBytes: 600_000 })
      const expected = structuredClone(value)
      for (const got of await through(small, value)) assertSame(got, expected)
    })
  }

  it('gives back the objects of the language and of Node as structuredClone does', () => {
    const anything = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
      withUnicodeString: true,
    } as fc.ObjectConstraints)
    fc.assert(
      fc.property(anything, (value) => {
        queue.putSync(value)
        assertSame(queue.getSync(), structuredClone(value))
        assert.equal(queue.empty(), true)
      }),
      { numRuns: 2000 },
    )
  })

  it('keeps many different items apart that are in it at once', () => {
    fc.assert(
      fc.property(fc.array(fc.anything({ withMap: true, withBigInt: true, withTypedArray: true })), (values) => {
        for (const value of values) queue.putSync(value)
        assert.equal(queue.qsize(), values.length)
        for (const value of values) assertSame(queue.getSync(), structuredClone(value))
      }),
      { numRuns: 200 },
    )
  })

  it("takes a view's own bytes, not the rest of its buffer", () => {
    const large = new ArrayBuffer(4096)
    new Uint8Array(large).fill(7)
    const growing = resizable(16, 64)
    for (const part of [
      new Uint8Array(large, 5, 3),
      new Float64Array(large, 8, 2),
      new DataView(large, 3, 9),
      new BigUint64Array(large, 4088),
      new Uint16Array(large, 10, 0),
      new Uint8ClampedArray(large).subarray(1, 4),
      new Uint8Array(growing, 2),
      Buffer.from('text in a pool'),
    ]) {
      queue.putSync({ part })
      const { part: got } = queue.getSync() as { part: ArrayBufferView }
      assert.equal(got.byteLength, part.byteLength)
      assert.equal(got.byteOffset, 0)
      assert.equal(got.buffer.byteLength, part.byteLength)
      assert.deepEqual(Buffer.from(got.buffer as ArrayBuffer), Buffer.from(part.buffer as ArrayBuffer, part.byteOffset, part.byteLength))
    }
  })

  it('gives back a Buffer, or any other subclass of a view, as the class that it extends', () => {
    class Samples extends Float32Array {}
    class Tagged extends Uint8Array {
      override get [Symbol.toStringTag](): never {
        return 'Something else' as never
      }
    }
    const own = new Int16Array([1, 2])
    Object.defineProperty(own, Symbol.toStringTag, { value: 'DataView' })
    for (const [item, constructor] of [
      [Buffer.from('abc'), Uint8Array],
      [Buffer.alloc(0), Uint8Array],
      [new Samples([1, 2, 3]), Float32Array],
      [new Tagged([1, 2, 3]), Uint8Array],
      [own, Int16Array],
    ] as const) {
      queue.putSync([item])
      const [got] = queue.getSync() as [ArrayBufferView]
      assert.equal(Object.getPrototypeOf(got), constructor.prototype)
      assert.deepEqual([...(got as Uint8Array)], [...item])
    }
  })

  it('copies an item at the moment of the call', async () => {
    const item = { list: [1], bytes: new Uint8Array([1]) }
    const small = new ThreadSafeQueue<typeof item>(1)
    small.putSync(item)
    const waiting = small.put(item)
    item.list.push(2)
    item.bytes[0] = 2
    for (let k = 0; k < 2; k++) assert.deepEqual(await small.get(), { list: [1], bytes: new Uint8Array([1]) })
    await waiting
  })

  const detached = new Uint8Array(4)
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  const { port1, port2 } = new MessageChannel()
  port1.close()
  port2.close()
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const module = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]))

  const REFUSED: [string, unknown][] = [
    ['a function', () => 1],
    ['a class', Point],
    ['a method', { method() {} }],
    ['a symbol', Symbol('s')],
    ['a well-known symbol', Symbol.iterator],
    ['a boxed symbol', Object(Symbol('s'))],
    ['a proxy', new Proxy({}, {})],
    ['a promise', Promise.resolve(1)],
    ['a weak map', new WeakMap()],
    ['a weak reference', new WeakRef({})],
    ['a generator', (function* () {})()],
    ['shared memory', new SharedArrayBuffer(4)],
    ['a shared WebAssembly memory', memory],
    ['a WebAssembly module', module],
    ['a message port', port1],
    ['a key', createSecretKey(Buffer.from('secret'))],
    ['a blob', new Blob(['text'])],
    ["a queue's handle", new ThreadSafeQueue(1).handle],
    ["an event's handle", new ThreadSafeEvent().handle],
    ['a detached array buffer', detached.buffer],
    ['a view of a detached array buffer', detached],
  ]

  for (const [what, value] of REFUSED) {
    it(`refuses ${what} with a DataCloneError, before anything is queued`, async () => {
      const queue = new ThreadSafeQueue(100)
      for (const item of [value, { inside: ['before', value] }, new Map([[value, 1]]), new Map([[1, new Set([value])]])]) {
        for (const error of [
          thrown(() => queue.putSync(item)),
          thrown(() => queue.putSync(item, { timeout: 1 })),
          thrown(() => queue.tryPut(item)),
          await rejection(queue.put(item)),
        ]) {
          assert.ok(error instanceof DOMException, `${String(error)} is no DOMException`)
          assert.equal(error.name, 'DataCloneError')
          assert.equal(error.code, DOMException.DATA_CLONE_ERR)
          assert.ok(error.message.length > 0)
        }
        assert.equal(queue.qsize(), 0)
      }
      queue.putSync('still of use')
      assert.equal(queue.getSync(), 'still of use')
    })
  }

  it('passes on what a getter throws, and puts nothing', async () => {
    const queue = new ThreadSafeQueue(100)
    const mine = new Error('mine')
    const item = {
      before: 1,
      get broken(): never {
        throw mine
      },
    }
    assert.equal(
      thrown(() => queue.putSync(item)),
      mine,
    )
    assert.equal(await rejection(queue.put(item)), mine)
    assert.equal(queue.qsize(), 0)
  })

  if ('Float16Array' in globalThis) {
    it('gives back Float16Array as structuredClone does', () => {
      const { Float16Array } = globalThis as unknown as { Float16Array: Float32ArrayConstructor }
      queue.putSync(Float16Array.of(1.5, NaN))
      assertSame(queue.getSync(), structuredClone(Float16Array.of(1.5, NaN)))
    })
  }
})

describe('an item whose getters use queues themselves', () => {
  it('is put as it was read, after what its getters put', async () => {
    const type = record({ x: 'float64', y: 'float64' })
    const points = new ThreadSafeQueue<{ x: number; y: number }>(8, { type })
    const texts = new ThreadSafeQueue<string>(8, { type: 'string', itemBytes: 200_000 })
    const any = new ThreadSafeQueue<unknown>(8, { itemBytes: 200_000 })
    // Too long for the initial size of the buffer that items are encoded into, so the buffer is
    // replaced in between.
    const long = 'x'.repeat(150_000)
    const item = {
      get x(): number {
        texts.putSync(long)
        assert.equal(texts.getSync(), long)
        return 1
      },
      get y(): number {
        points.putSync({ x: 10, y: 20 })
        any.putSync({ deep: [long] })
        assert.deepEqual(any.getSync(), { deep: [long] })
        return 2
      },
    }
    points.putSync(item)
    await points.put(item)
    assert.equal(points.tryPut(item), true)
    for (let k = 0; k < 3; k++) {
      assert.deepEqual(points.getSync(), { x: 10, y: 20 })
      assert.deepEqual(points.getSync(), { x: 1, y: 2 })
    }
    assert.equal(points.empty(), true)
    any.putSync(item)
    assert.deepEqual(any.getSync(), { x: 1, y: 2 })
  })

  it('is refused if one of them closes the queue', () => {
    for (const type of ['any', record({ x: 'float64' })] as const) {
      const queue = new ThreadSafeQueue<{ x: number }>(2, { type })
      const item = {
        get x(): number {
          queue.close()
          return 1
        },
      }
      assert.equal((thrown(() => queue.putSync(item)) as Error).name, 'QueueClosedError')
      assert.equal(queue.qsize(), 0)
    }
  })

  it('may be options as well, and does no harm', () => {
    const queue = new ThreadSafeQueue<number>(2, { type: 'int32' })
    queue.putSync(1, {
      get timeout(): number {
        queue.putSync(0)
        return 10
      },
    })
    assert.equal(queue.getSync(), 0)
    assert.equal(queue.getSync(), 1)
  })
})
