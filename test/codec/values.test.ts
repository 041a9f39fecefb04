/** Strings, bytes and records come out as they went in. */
import { strict as assert } from 'node:assert'
import { Message, record, ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import fc from '../properties.js'
import { collectAllGarbage } from '../fixtures/garbage.js'
import { thrown } from '../support.js'
import { resizable } from './clone-values.js'
import { through } from './through.js'

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

  it('copies an item at the moment of the call', async () => {
    const queue = new ThreadSafeQueue<Uint8Array>(1, { type: 'bytes' })
    const item = new Uint8Array([1])
    queue.putSync(item)
    const waiting = queue.put(item)
    item[0] = 2
    assert.deepEqual(await queue.get(), new Uint8Array([1]))
    assert.deepEqual(await queue.get(), new Uint8Array([1]))
    await waiting
  })

  it('refuses a detached buffer', () => {
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

  it('refuses to fill a detached buffer, and one that became too short for its view', () => {
    const queue = new ThreadSafeQueue<Uint8Array>(1, { type: 'bytes' })
    queue.putSync(new Uint8Array(4))
    const detached = new Uint8Array(8)
    structuredClone(detached.buffer, { transfer: [detached.buffer] })
    const shrunk = resizable(16, 16)
    const outside = new Uint8Array(shrunk, 8, 8)
    ;(shrunk as unknown as { resize(bytes: number): void }).resize(4)
    for (const into of [detached, outside]) {
      const error = thrown(() => queue.getSync({ into })) as Error & { code?: string }
      assert.ok(error instanceof TypeError)
      assert.equal(error.code, 'ERR_INVALID_ARG_TYPE')
      assert.match(error.message, /options\.into/)
    }
    assert.equal(queue.qsize(), 1)
  })

  for (const type of ['bytes', 'any', 'string'] as const) {
    it(`keeps no long item of ${type} in memory once it is put, refused or held`, async () => {
      const queue = new ThreadSafeQueue<unknown>(1, { type, itemBytes: 1_000_000 })
      const message = new Message<unknown>({ type, maxBytes: 1_000_000 })
      // What is kept is the item itself, or the bytes that a long text was encoded into.
      const item = (size = 500_000): unknown => (type === 'string' ? '\u0101'.repeat(size / 2) : new Uint8Array(size))
      const ways: Record<string, () => unknown> = {
        'put at once': () => [queue.putSync(item()), queue.clear()],
        'refused, as the queue was full': () => [queue.putSync(item()), queue.tryPut(item()), queue.clear()],
        'refused, as it was too large': () => thrown(() => queue.putSync(item(2_000_000))),
        'refused at once, with a timeout of 0': () => [
          queue.putSync(item()),
          thrown(() => queue.putSync(item(), { timeout: 0 })),
          queue.clear(),
        ],
        'refused at once, with a timeout of 0, by a promise': async () => {
          queue.putSync(item())
          await assert.rejects(queue.put(item(), { timeout: 0 }), TimeoutError)
          queue.clear()
        },
        'held until a timeout': async () => {
          queue.putSync(item())
          await assert.rejects(queue.put(item(), { timeout: 1 }), TimeoutError)
          queue.clear()
        },
        'put in a batch': () => [queue.putManySync([item()]), queue.clear()],
        'refused in a batch': () => [queue.putManySync([item(), item()]), queue.clear()],
        'put in a batch while blocking': () => [
          queue.putSync(item()),
          thrown(() => queue.putManySync([item()], { timeout: 1 })),
          queue.clear(),
        ],
        'held in a batch until a timeout': async () => {
          queue.putSync(item())
          await assert.rejects(queue.putMany([item()], { timeout: 1 }), TimeoutError)
          queue.clear()
        },
        'refused while blocking': () => [queue.putSync(item()), thrown(() => queue.putSync(item(), { timeout: 1 })), queue.clear()],
        'put by a message': () => message.set(item()),
        'refused by a message': () => thrown(() => message.set(item(2_000_000))),
      }
      message.set(type === 'bytes' ? new Uint8Array(1) : '')
      await collectAllGarbage()
      for (const [way, put] of Object.entries(ways)) {
        const before = process.memoryUsage().arrayBuffers
        await put()
        await collectAllGarbage()
        const kept = process.memoryUsage().arrayBuffers - before
        assert.ok(kept < 400_000, `${kept} bytes are kept of an item that was ${way}`)
      }
    })
  }
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

  it('accept fields from a prototype or a getter', () => {
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

  it('show their fields and bytes, laid out as a C struct', () => {
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
