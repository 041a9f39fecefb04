/** Numbers and booleans come out as the typed array of their name converts them. */
import { strict as assert } from 'node:assert'
import { type ElementType, record, ThreadSafeQueue } from '../../lib/index.js'
import fc from '../properties.js'
import { thrown } from '../support.js'
import { through } from './through.js'

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

  it('NaN, 0n and false are ordinary items, and do not mean that the queue is empty', async () => {
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
