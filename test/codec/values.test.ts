/** What comes out of a queue is what went in, in the way that its element type promises. */
import { strict as assert } from 'node:assert'
import { createSecretKey } from 'node:crypto'
import { inspect } from 'node:util'
import { serialize } from 'node:v8'
import { MessageChannel } from 'node:worker_threads'
import fc from 'fast-check'
import { type ElementType, record, ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import { rejection, thrown } from '../support.js'

/** Through the queue and out again: by a put and a get that do not wait, and by asynchronous ones, which go other ways. */
async function through<T>(queue: ThreadSafeQueue<T>, item: T): Promise<[T, T, T, T]> {
  queue.putSync(item)
  const first = queue.getSync()
  await queue.put(item)
  const second = await queue.get()
  const third = queue.get()
  assert.equal(queue.tryPut(item), true)
  // A put that waits keeps the item until there is room.
  const answer = await third
  while (queue.tryPut(item));
  const room = queue.put(item)
  queue.getSync()
  await room
  let last = queue.getSync()
  while (!queue.empty()) last = queue.getSync()
  return [first, second, answer, last]
}

/** As of ES2024, which the compiler does not know yet. */
function resizable(byteLength: number, maxByteLength: number): ArrayBuffer {
  return Reflect.construct(ArrayBuffer, [byteLength, { maxByteLength }]) as ArrayBuffer
}

describe('numbers', () => {
  const ARRAYS = {
    int8: Int8Array,
    uint8: Uint8Array,
    int16: Int16Array,
    uint16: Uint16Array,
    int32: Int32Array,
    uint32: Uint32Array,
    float32: Float32Array,
    float64: Float64Array,
  } as const
  const EDGES = [
    0,
    -0,
    1,
    -1,
    0.5,
    -0.5,
    0.999999,
    -0.999999,
    1.5,
    2.5,
    -1.5,
    126.9,
    127,
    128,
    129,
    -128,
    -129,
    -128.5,
    254.5,
    255,
    256,
    257,
    -255,
    -256,
    32767,
    32768,
    -32768,
    -32769,
    65535,
    65536,
    65537,
    -65536,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 31 + 0.5,
    -(2 ** 31),
    -(2 ** 31) - 1,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 32 + 1,
    -(2 ** 32),
    2 ** 53 - 1,
    2 ** 53,
    -(2 ** 53),
    2 ** 63,
    2 ** 64,
    2 ** 64 + 2 ** 12,
    1e20,
    1e21,
    -1e21,
    1e300,
    1e-300,
    NaN,
    Infinity,
    -Infinity,
    Number.MAX_VALUE,
    Number.MIN_VALUE,
    -Number.MIN_VALUE,
    Number.EPSILON,
    0.1,
    1 / 3,
    16777217,
    3.4028235677973366e38,
    3.4028234663852886e38,
    1.401298464324817e-45,
    7e-46,
    1e-45,
  ]

  for (const [type, constructor] of Object.entries(ARRAYS) as [keyof typeof ARRAYS, (typeof ARRAYS)[keyof typeof ARRAYS]][]) {
    it(`${type} converts as ${constructor.name} does`, async () => {
      const queue = new ThreadSafeQueue<number>(3, { type })
      for (const value of EDGES) {
        const expected = constructor.of(value)[0] as number
        for (const got of await through(queue, value)) assert.ok(Object.is(got, expected), `${value}: ${got}, not ${expected}`)
      }
    })

    it(`${type} converts any number as ${constructor.name} does, as a field of a record too`, () => {
      const queue = new ThreadSafeQueue<number>(3, { type })
      const records = new ThreadSafeQueue<{ pad: boolean; x: number }>(3, { type: record({ pad: 'boolean', x: type }) })
      fc.assert(
        fc.property(fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger()), (value) => {
          const expected = constructor.of(value)[0] as number
          queue.putSync(value)
          assert.ok(Object.is(queue.getSync(), expected))
          records.putSync({ pad: true, x: value })
          assert.deepEqual(records.getSync(), { pad: true, x: expected })
        }),
        { numRuns: 500 },
      )
    })
  }

  const BIG_EDGES = [
    0n,
    1n,
    -1n,
    2n ** 63n - 1n,
    2n ** 63n,
    -(2n ** 63n),
    -(2n ** 63n) - 1n,
    2n ** 64n - 1n,
    2n ** 64n,
    2n ** 64n + 1n,
    -(2n ** 64n),
    2n ** 200n + 5n,
  ]
  for (const [type, constructor] of [
    ['bigint64', BigInt64Array],
    ['biguint64', BigUint64Array],
  ] as const) {
    it(`${type} converts as ${constructor.name} does`, async () => {
      const queue = new ThreadSafeQueue<bigint>(3, { type })
      for (const value of BIG_EDGES) {
        for (const got of await through(queue, value)) assert.equal(got, constructor.of(value)[0])
      }
    })
  }

  it('booleans stay booleans', async () => {
    const queue = new ThreadSafeQueue<boolean>(3, { type: 'boolean' })
    for (const value of [true, false]) for (const got of await through(queue, value)) assert.equal(got, value)
  })

  it('NaN, 0n and false are items like others, not the sign that there is none', async () => {
    for (const [type, item] of [
      ['float64', NaN],
      ['float32', NaN],
      ['bigint64', 0n],
      ['biguint64', 0n],
      ['boolean', false],
      ['any', undefined],
    ] as [ElementType, unknown][]) {
      const queue = new ThreadSafeQueue(4, { type })
      for (let k = 0; k < 4; k++) queue.putSync(item)
      assert.equal(queue.qsize(), 4)
      assert.ok(Object.is(queue.tryGet(), item))
      assert.ok(Object.is(queue.getSync(), item))
      assert.ok(Object.is(queue.getSync({ timeout: 1 }), item))
      assert.ok(Object.is(await queue.get(), item))
      assert.equal(queue.tryGet(), undefined)
      const blocked = thrown(() => queue.getSync({ timeout: 1 })) as Error
      assert.equal(blocked.name, 'TimeoutError')
      queue.putSync(item)
      assert.ok(Object.is(queue.getSync({ block: true }), item))
      assert.equal((thrown(() => queue.getSync()) as Error).name, 'QueueEmptyError')
      queue.putSync(item)
      queue.close()
      assert.ok(Object.is(queue.tryGet(), item))
      assert.equal((thrown(() => queue.tryGet()) as Error).name, 'QueueClosedError')
    }
  })
})

describe("'any'", () => {
  const queue = new ThreadSafeQueue(20_000)

  /** The same in value, type and identity of parts: V8's own encoding, and what util.inspect shows of prototypes and hidden state. */
  function assertSame(got: unknown, expected: unknown): void {
    assert.equal(inspect(got, { depth: Infinity, showHidden: true }), inspect(expected, { depth: Infinity, showHidden: true }))
    // Of the clones, as V8 writes an array that once might have had holes in another way.
    assert.ok(serialize(structuredClone(got)).equals(serialize(structuredClone(expected))), inspect(got))
    assert.equal(Object.getPrototypeOf(Object(got)), Object.getPrototypeOf(Object(expected)))
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

  it('gives back whatever there is as structuredClone does', () => {
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

  it('keeps apart many different items that are in it at once', () => {
    fc.assert(
      fc.property(fc.array(fc.anything({ withMap: true, withBigInt: true, withTypedArray: true })), (values) => {
        for (const value of values) queue.putSync(value)
        assert.equal(queue.qsize(), values.length)
        for (const value of values) assertSame(queue.getSync(), structuredClone(value))
      }),
      { numRuns: 200 },
    )
  })

  it('takes of a view its own bytes, not the rest of its buffer', () => {
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

  it('gives a Buffer, and any other class of views, back as what it extends', () => {
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

  it('takes a copy, as of the moment of the call', async () => {
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

describe("'string'", () => {
  const queue = new ThreadSafeQueue<string>(5000, { type: 'string' })

  it('keeps every string', async () => {
    const small = new ThreadSafeQueue<string>(3, { type: 'string', itemBytes: 300_000 })
    for (const text of [
      '',
      'a',
      '\0',
      'ÿ',
      '\u0100',
      '\ud800',
      '\udfff',
      '\udc00\ud800',
      'x\ud800',
      '\ud83d\ude00',
      '\ufeff\ufffe\uffff',
      'é'.repeat(1000),
      '漢'.repeat(100_000),
      `${'a'.repeat(100_000)}\u0100`,
    ]) {
      // prettier-ignore
      for (const got of await through(small, text)) assert.equal(got, text)
    }
  })

  it('keeps every string of code units', () => {
    const text = fc.array(fc.nat(0xffff), { maxLength: 200 }).map((units) => String.fromCharCode(...units))
    fc.assert(
      fc.property(fc.oneof(text, fc.string(), fc.string({ unit: 'binary' })), (item) => {
        queue.putSync(item)
        assert.equal(queue.getSync(), item)
      }),
      { numRuns: 1000 },
    )
  })
})

describe("'bytes'", () => {
  it('takes any view or buffer, and gives a fresh Uint8Array of its own bytes', async () => {
    const queue = new ThreadSafeQueue(3, { type: 'bytes', itemBytes: 256 })
    const buffer = Uint8Array.from({ length: 64 }, (_, k) => k).buffer
    const sharedBytes = new Uint8Array(new SharedArrayBuffer(4)).fill(3)
    for (const [item, expected] of [
      [new Uint8Array([1, 2, 3]), [1, 2, 3]],
      [new Uint8Array(0), []],
      [buffer.slice(0, 3), [0, 1, 2]],
      [new ArrayBuffer(0), []],
      [Buffer.from([5, 6]), [5, 6]],
      [new Uint8Array(buffer, 10, 3), [10, 11, 12]],
      [new Int8Array([-1]), [255]],
      [new Uint16Array(buffer, 2, 2), [2, 3, 4, 5]],
      [new DataView(buffer, 61), [61, 62, 63]],
      [new Float64Array([0]), [0, 0, 0, 0, 0, 0, 0, 0]],
      [sharedBytes, [3, 3, 3, 3]],
    ] as [ArrayBufferView, number[]][]) {
      const all = await through(queue, item)
      for (const got of all as unknown[] as Uint8Array[]) {
        assert.equal(Object.getPrototypeOf(got), Uint8Array.prototype)
        assert.deepEqual([...got], expected)
        assert.equal(got.buffer.byteLength, expected.length)
        assert.ok(got.buffer instanceof ArrayBuffer)
      }
      assert.equal(new Set(all.map((got) => (got as Uint8Array).buffer)).size, all.length)
    }
  })

  it('takes a copy, as of the moment of the call', async () => {
    const queue = new ThreadSafeQueue<Uint8Array>(1, { type: 'bytes' })
    const item = new Uint8Array([1])
    queue.putSync(item)
    const waiting = queue.put(item)
    item[0] = 2
    assert.deepEqual(await queue.get(), new Uint8Array([1]))
    assert.deepEqual(await queue.get(), new Uint8Array([1]))
    await waiting
  })

  it('refuses what is detached', () => {
    const queue = new ThreadSafeQueue<Uint8Array>(1, { type: 'bytes' })
    const item = new Uint8Array(4)
    structuredClone(item.buffer, { transfer: [item.buffer] })
    for (const detached of [item, item.buffer as unknown as Uint8Array]) {
      const error = thrown(() => queue.putSync(detached)) as Error & { code?: string }
      assert.ok(error instanceof TypeError)
      assert.match(error.code ?? '', /^ERR_INVALID_ARG_(TYPE|VALUE)$/)
    }
    assert.equal(queue.empty(), true)
  })
})

describe('records', () => {
  const FIELDS = {
    flag: 'boolean',
    a: 'int8',
    b: 'uint8',
    c: 'int16',
    d: 'float64',
    e: 'uint16',
    f: 'int32',
    g: 'bigint64',
    h: 'uint32',
    i: 'float32',
    j: 'biguint64',
    last: 'boolean',
  } as const
  const type = record(FIELDS)
  const full = {
    flag: true,
    a: -1,
    b: 255,
    c: -2,
    d: Math.PI,
    e: 65535,
    f: -3,
    g: -4n,
    h: 2 ** 32 - 1,
    i: 0.5,
    j: 2n ** 64n - 1n,
    last: true,
  }

  it('have arrays of numbers and of bytes, which come out as typed arrays of their own', () => {
    const type = record({ t: 'biguint64', samples: 'float32[3]', id: 'bytes[5]', on: 'boolean', pair: 'int16[2]', whole: 'bigint64[1]' })
    assert.equal(type.bytes, 40)
    const queue = new ThreadSafeQueue<unknown>(2, { type })
    const item = { t: 1n, samples: [1, 2.1, 3], id: Buffer.from('hello'), on: true, pair: new Set([70_000, -1]), whole: [-1n] }
    queue.putSync(item)
    queue.putSync({ ...item, samples: new Float32Array(3), id: new ArrayBuffer(5) })
    const first = ThreadSafeQueue.from(queue.handle).getSync() as { samples: Float32Array }
    assert.deepEqual(first, {
      t: 1n,
      samples: Float32Array.of(1, 2.1, 3),
      id: Uint8Array.from(Buffer.from('hello')),
      on: true,
      pair: Int16Array.of(70_000, -1),
      whole: BigInt64Array.of(-1n),
    })
    assert.equal(first.samples.buffer.byteLength, 12)
    queue.getSync()
    assert.deepEqual(first.samples, Float32Array.of(1, 2.1, 3))
  })

  it('give every field back, in the order of the type, and nothing else', async () => {
    const queue = new ThreadSafeQueue<typeof full>(3, { type })
    const shuffled: typeof full = Object.assign({ extra: 'ignored' }, Object.fromEntries(Object.entries(full).reverse()) as typeof full)
    for (const got of await through(queue, shuffled)) {
      assert.deepEqual(got, full)
      assert.deepEqual(Object.keys(got), Object.keys(FIELDS))
      assert.equal(Object.getPrototypeOf(got), Object.prototype)
    }
  })

  it('convert as typed arrays do', () => {
    const queue = new ThreadSafeQueue<typeof full>(3, { type })
    queue.putSync({ ...full, a: 128, b: -1, c: 1.9, e: NaN, f: 2 ** 32 + 7, g: 2n ** 63n, h: -1, i: 0.1, j: -1n, flag: false })
    assert.deepEqual(queue.getSync(), {
      ...full, a: -128, b: 255, c: 1, e: 0, f: 7, g: -(2n ** 63n), h: 2 ** 32 - 1, i: Math.fround(0.1), j: 2n ** 64n - 1n, flag: false,
    }) // prettier-ignore
  })

  it('take what a prototype or a getter gives', () => {
    const queue = new ThreadSafeQueue<{ x: number; y: number }>(3, { type: record({ x: 'float64', y: 'float64' }) })
    class Base {
      readonly x = 1
      get y(): number {
        return this.x + 1
      }
    }
    queue.putSync(new Base())
    queue.putSync(Object.create({ x: 3, y: 4 }) as { x: number; y: number })
    assert.deepEqual(queue.getSync(), { x: 1, y: 2 })
    assert.deepEqual(queue.getSync(), { x: 3, y: 4 })
  })

  it('may have fields of any name', () => {
    const names = ['constructor', 'hasOwnProperty', 'toString', 'then', '', ' ', 'ключ', '0']
    const odd = record(Object.fromEntries(names.map((name) => [name, 'int32' as const])))
    const queue = new ThreadSafeQueue(2, { type: odd })
    const item = Object.fromEntries(names.map((name, k) => [name, k + 1]))
    queue.putSync(item)
    const got = ThreadSafeQueue.from(structuredClone(queue.handle)).getSync()
    assert.deepEqual(new Map(Object.entries(got)), new Map(Object.entries(item)))
  })

  it('tell their fields and bytes, laid out as a C struct', () => {
    assert.deepEqual(type.fields, FIELDS)
    for (const [fields, bytes] of [
      [{ a: 'int8' }, 1],
      [{ a: 'int8', b: 'float64' }, 16],
      [{ a: 'float64', b: 'int8' }, 16],
      [{ a: 'int8', b: 'int16', c: 'int32' }, 8],
      [{ a: 'boolean', b: 'boolean', c: 'boolean' }, 3],
    ] as const) {
      assert.equal(record(fields as never).bytes, bytes)
    }
  })
})

describe('an item whose getters use queues themselves', () => {
  it('is put as it was read, after what its getters put', async () => {
    const type = record({ x: 'float64', y: 'float64' })
    const points = new ThreadSafeQueue<{ x: number; y: number }>(8, { type })
    const texts = new ThreadSafeQueue<string>(8, { type: 'string', itemBytes: 200_000 })
    const any = new ThreadSafeQueue<unknown>(8, { itemBytes: 200_000 })
    // Longer than the buffer that items are encoded into has room for at first, so that it is replaced in between.
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

  it('fails if one of them closes the queue', () => {
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

  it('in options, does no harm either', () => {
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
