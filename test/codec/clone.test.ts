/**
 * Compares queues of type 'any' with `structuredClone`, and queues of numbers with typed arrays.
 */
import { strict as assert } from 'node:assert'
import { type ElementType, ThreadSafeQueue } from '../../lib/index.js'
import fc from '../properties.js'
import { assertClone, define, values } from './clone-values.js'
import { finished, startWorker, thrown, within } from '../support.js'
import { assertDataCloneError, clonable, cloned, large, runs, WAYS } from './cloning.js'

describe('what comes out of a queue of any is what structuredClone makes of', () => {
  it('random values, many thousands of them', () => {
    const queue = large()
    let next = 0
    fc.assert(
      fc.property(values, (value) => {
        const expected = cloned(value)
        const through = (): unknown => (WAYS[next++ % WAYS.length] as (typeof WAYS)[0])(queue, value)
        if (expected) assertClone(through(), expected.clone)
        else assertDataCloneError(thrown(through))
        assert.equal(queue.qsize(), 0)
      }),
      runs(20_000),
    )
  })

  it('an object of a class that the program has made global, whose getters run once', () => {
    let runs = 0
    class Job {
      readonly kind = 'job'
      constructor() {
        Object.defineProperty(this, 'id', { enumerable: true, get: () => ++runs })
      }
    }
    const globals = globalThis as { Job?: unknown }
    globals.Job = Job
    try {
      assert.deepEqual(structuredClone(new Job()), { kind: 'job', id: 1 })
      const queue = large()
      queue.putSync(new Job())
      assert.deepEqual(queue.getSync(), { kind: 'job', id: 2 })
    } finally {
      delete globals.Job
    }
  })

  it('random values that are in the queue together', () => {
    const queue = large()
    fc.assert(
      fc.property(fc.array(clonable, { maxLength: 8 }), (list) => {
        const expected = list.map((value) => structuredClone(value))
        for (const value of list) queue.putSync(value)
        const got = list.map(() => queue.getSync())
        // Each item is compared by itself, as items share nothing.
        assertClone(got, expected)
      }),
      runs(500),
    )
  })

  it('random values that wait for room, or that a get waits for', async () => {
    const queue = new ThreadSafeQueue(500, { itemBytes: 500 })
    await fc.assert(
      fc.asyncProperty(clonable, async (value) => {
        const expected = structuredClone(value)
        const get = queue.get()
        await queue.put(value)
        assertClone(await get, expected)
        while (queue.tryPut(0));
        const put = queue.put(value)
        let last: unknown
        while (!queue.empty()) last = await queue.get()
        await put
        while (!queue.empty()) last = queue.getSync()
        assertClone(last, expected)
      }),
      runs(150),
    )
  })

  it('random values that another thread gets and puts back', async () => {
    const [there, back] = [large(), large()]
    const worker = startWorker('clone-echo', { from: there.handle, to: back.handle })
    const ended = finished(worker)
    ended.catch(() => {})
    after(() => worker.terminate())
    await fc.assert(
      fc.asyncProperty(fc.array(clonable, { minLength: 8, maxLength: 12 }), async (list) => {
        // The item was cloned twice, so a clone of a clone is expected.
        const expected = list.map((value) => structuredClone(structuredClone(value)))
        for (const value of list) there.putSync(value)
        for (const one of expected) assertClone(await within('an item', back.get()), one)
      }),
      runs(150),
    )
    there.close()
    await ended
  })

  it('the same shape many times in a row, with parts of other kinds each time', () => {
    const queue = large()
    const shape = fc.array(fc.constantFrom('a', 'b', 'c', '1', 'ключ', '__proto__'), { maxLength: 4 })
    fc.assert(
      fc.property(shape, fc.array(fc.array(clonable, { minLength: 4, maxLength: 4 }), { maxLength: 12 }), (keys, rows) => {
        const list = rows.map((row) => {
          const object = {}
          keys.forEach((key, k) => define(object, key, row[k]))
          return object
        })
        const expected = structuredClone([list, list[0]])
        queue.putSync([list, list[0]])
        assertClone(queue.getSync(), expected)
        for (const one of list) {
          queue.putSync(one)
          assertClone(queue.getSync(), structuredClone(one))
        }
      }),
      runs(300),
    )
  })

  it('20,000 objects of as many shapes, each put twice', () => {
    const queue = large()
    for (let round = 0; round < 2; round++) {
      for (let k = 0; k < 20_000; k++) {
        queue.putSync({ [`key${k}`]: k, [`x${k % 7}`]: { [`y${k * 3}`]: null } })
        const got = queue.getSync() as Record<string, unknown>
        assert.equal(JSON.stringify(got), `{"key${k}":${k},"x${k % 7}":{"y${k * 3}":null}}`)
      }
    }
  })

  it('objects that are built key by key, in all orders', () => {
    const queue = large()
    const orders = (keys: string[]): string[][] =>
      keys.length === 0 ? [[]] : keys.flatMap((key) => orders(keys.filter((one) => one !== key)).map((rest) => [key, ...rest]))
    for (const order of orders(['a', 'b', 'c', '1', ''])) {
      const object = {}
      for (const key of order) {
        define(object, key, key)
        queue.putSync(object)
        assertClone(queue.getSync(), structuredClone(object))
      }
    }
  })
})

describe('a number converted by the typed array of a type', () => {
  const ARRAYS = {
    int8: Int8Array,
    uint8: Uint8Array,
    int16: Int16Array,
    uint16: Uint16Array,
    int32: Int32Array,
    uint32: Uint32Array,
    float32: Float32Array,
    float64: Float64Array,
    bigint64: BigInt64Array,
    biguint64: BigUint64Array,
  } as const satisfies Partial<Record<ElementType & string, unknown>>

  // Values near powers of two, and with fractions, as conversions differ there.
  const number = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc
      .tuple(fc.nat(80), fc.integer({ min: -3, max: 3 }), fc.constantFrom(0, 0.25, 0.5, 0.75), fc.boolean())
      .map(([power, near, fraction, negative]) => (negative ? -1 : 1) * (2 ** power + near + fraction)),
    fc.constantFrom(-0, NaN, Infinity, -Infinity, Number.MIN_VALUE, Number.MAX_VALUE),
  )
  const bigint = fc.oneof(
    fc.bigInt(),
    fc
      .tuple(fc.nat(200), fc.bigInt({ min: -3n, max: 3n }), fc.boolean())
      .map(([power, near, negative]) => (negative ? -1n : 1n) * (2n ** BigInt(power) + near)),
  )

  for (const [type, constructor] of Object.entries(ARRAYS) as unknown as [keyof typeof ARRAYS, Float64ArrayConstructor][]) {
    it(`is what comes out of a queue of ${type}, one by one and together`, () => {
      const queue = new ThreadSafeQueue<unknown>(40, { type })
      const item = (type.startsWith('big') ? bigint : number) as fc.Arbitrary<number>
      fc.assert(
        fc.property(fc.array(item, { minLength: 1, maxLength: 40 }), (items) => {
          const expected = constructor.from(items)
          for (const one of items) queue.putSync(one)
          for (const one of expected) assert.ok(Object.is(queue.getSync(), one))
          assert.equal(queue.putManySync(items), items.length)
          const got = queue.getManySync(40) as unknown as Float64Array
          assert.equal(Object.getPrototypeOf(got), constructor.prototype)
          // Values are equal to the bit, even in the sign of zero. NaN is an exception, as
          // JavaScript has only one.
          assert.ok(got.every((one, k) => Object.is(one, expected[k])) && got.length === expected.length)
          assert.equal(queue.qsize(), 0)
        }),
        runs(1000),
      )
    })
  }
})
