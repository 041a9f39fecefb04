/** Calls that do not wait on a full queue, and items of many sizes that share its slots. */
import { strict as assert } from 'node:assert'
import { type Overflow, QueueFullError, ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import { rejection, thrown } from '../support.js'
import { assertHolds, KINDS } from './kinds.js'

describe('overflow', () => {
  const KIND_OF_OVERFLOW = KINDS.filter(([name]) => ['float64', 'biguint64', 'any', 'string', 'record'].includes(name))

  for (const [name, type, item] of KIND_OF_OVERFLOW) {
    const full = (overflow: Overflow): ThreadSafeQueue<unknown, unknown> => {
      const queue = new ThreadSafeQueue(3, { type, overflow })
      for (let k = 0; k < 3; k++) assert.equal(queue.tryPut(item(k)), true)
      return queue
    }
    const drain = (queue: ThreadSafeQueue<unknown, unknown>): unknown[] => Array.from({ length: queue.qsize() }, () => queue.getSync())

    it(`'reject' refuses the new item of ${name}`, () => {
      const queue = full('reject')
      assert.equal(queue.tryPut(item(3)), false)
      assert.ok(thrown(() => queue.putSync(item(3))) instanceof QueueFullError)
      assert.deepEqual(drain(queue), [item(0), item(1), item(2)])
    })

    it(`'drop-newest' drops the new item of ${name}`, () => {
      const queue = full('drop-newest')
      assert.equal(queue.tryPut(item(3)), false)
      queue.putSync(item(4))
      queue.putSync(item(5), { block: false, timeout: 600_000 })
      assert.deepEqual(drain(queue), [item(0), item(1), item(2)])
      assert.equal(queue.tryPut(item(6)), true)
    })

    it(`'drop-oldest' drops the oldest item of ${name}`, () => {
      const queue = full('drop-oldest')
      assert.equal(queue.tryPut(item(3)), true)
      assertHolds(queue, 3)
      queue.putSync(item(4))
      queue.putSync(item(5), { block: false })
      assert.equal(queue.tryPut(item(6)), true)
      assertHolds(queue, 3)
      assert.deepEqual(drain(queue), [item(4), item(5), item(6)])
    })

    it(`a waiting put of ${name} drops nothing`, async () => {
      for (const overflow of ['drop-newest', 'drop-oldest'] as const) {
        const queue = full(overflow)
        for (const options of [{ timeout: 0 }, { timeout: 10 }, { block: true, timeout: 10 }]) {
          assert.ok(thrown(() => queue.putSync(item(3), options)) instanceof TimeoutError)
        }
        for (const timeout of [0, 10]) assert.ok((await rejection(queue.put(item(3), { timeout }))) instanceof TimeoutError)
        const waiting = queue.put(item(3))
        assert.deepEqual(queue.getSync(), item(0))
        await waiting
        assert.deepEqual(drain(queue), [item(1), item(2), item(3)])
      }
    })
  }

  it('a long item evicts as many items as it needs, no more', () => {
    const queue = new ThreadSafeQueue<Uint8Array>(4, { type: 'bytes', itemBytes: 8, overflow: 'drop-oldest' })
    for (let k = 0; k < 4; k++) queue.putSync(new Uint8Array([k]))
    assert.equal(queue.tryPut(new Uint8Array(17).fill(9)), true)
    assert.equal(queue.qsize(), 2)
    assert.deepEqual(queue.getSync(), new Uint8Array([3]))
    assert.deepEqual(queue.getSync(), new Uint8Array(17).fill(9))
    // An item that spans slots goes as a whole, even to make room for a short one.
    queue.putSync(new Uint8Array(32).fill(1))
    queue.putSync(new Uint8Array(8).fill(2))
    assert.equal(queue.qsize(), 1)
    queue.putSync(new Uint8Array(8).fill(3))
    assert.deepEqual(queue.getSync(), new Uint8Array(8).fill(2))
    assert.deepEqual(queue.getSync(), new Uint8Array(8).fill(3))
  })
})

describe('items of many sizes', () => {
  /** Makes the kth item of that many payload bytes. */
  const SIZED: [type: 'any' | 'string' | 'bytes', item: (bytes: number, k?: number) => unknown][] = [
    ['any', (bytes, k = 0) => String.fromCharCode(97 + (k % 26)).repeat(bytes)],
    ['string', (bytes, k = 0) => String.fromCharCode(97 + (k % 26)).repeat(bytes)],
    ['bytes', (bytes, k = 0) => new Uint8Array(bytes).fill(k)],
  ]

  for (const [type, item] of SIZED) {
    describe(`of ${type}`, () => {
      for (const itemBytes of [1, 7, 8, 64, 1000]) {
        it(`${itemBytes} bytes fit a slot if itemBytes is ${itemBytes}`, () => {
          const queue = new ThreadSafeQueue(3, { type, itemBytes })
          for (let k = 0; k < 3; k++) assert.equal(queue.tryPut(item(itemBytes, k)), true)
          assert.equal(queue.full(), true)
          assert.equal(queue.tryPut(item(0)), false)
          for (let k = 0; k < 3; k++) assert.deepEqual(queue.getSync(), item(itemBytes, k))
          // Empty items take a slot too.
          for (let k = 0; k < 3; k++) assert.equal(queue.tryPut(item(0)), true)
          assertHolds(queue, 3)
          for (let k = 0; k < 3; k++) assert.deepEqual(queue.getSync(), item(0))
        })
      }

      it('one longer than a slot may find no room although the queue is not full', async () => {
        const queue = new ThreadSafeQueue(4, { type, itemBytes: 8 })
        queue.putSync(item(8, 1))
        queue.putSync(item(8, 2))
        assert.equal(queue.tryPut(item(20)), false)
        assert.equal(queue.full(), false)
        assert.ok(thrown(() => queue.putSync(item(20))) instanceof QueueFullError)
        assert.ok(thrown(() => queue.putSync(item(20), { timeout: 10 })) instanceof TimeoutError)
        assert.ok((await rejection(queue.put(item(20), { timeout: 10 }))) instanceof TimeoutError)
        assert.equal(queue.tryPut(item(8, 3)), true)
        assert.equal(queue.qsize(), 3)
        for (const k of [1, 2, 3]) assert.deepEqual(queue.getSync(), item(8, k))
        assert.equal(queue.tryPut(item(20, 4)), true)
        assert.equal(queue.qsize(), 1)
        assert.equal(queue.full(), false)
        assert.deepEqual(queue.getSync(), item(20, 4))
      })

      it('one larger than the whole queue is refused, with both sizes, whether it would wait or not', async () => {
        const queue = new ThreadSafeQueue(4, { type, itemBytes: 8 })
        const largest = item(32, 1)
        queue.putSync(largest)
        for (const error of [
          thrown(() => queue.putSync(item(1000))),
          thrown(() => queue.putSync(item(1000), { block: true })),
          thrown(() => queue.tryPut(item(1000))),
          await rejection(queue.put(item(1000))),
        ]) {
          assert.ok(error instanceof RangeError)
          assert.equal((error as Error & { code?: unknown }).code, 'ERR_ITEM_TOO_LARGE')
          // The message has the size of the item, tag included, and that of the queue, which is at
          // least four slots of eight bytes.
          const numbers = (error.message.match(/\d+/g) ?? []).map(Number)
          assert.ok(
            numbers.some((n) => n >= 1000 && n < 1016),
            error.message,
          )
          assert.ok(numbers.includes(4) || numbers.some((n) => n >= 32 && n < 1000), error.message)
        }
        assert.deepEqual(queue.getSync(), largest)
        assert.equal(queue.empty(), true)
      })

      it('pass through the ring in any mix', () => {
        const queue = new ThreadSafeQueue(5, { type, itemBytes: 8 })
        const waiting: unknown[] = []
        let k = 0
        for (let round = 0; round < 2000; round++) {
          // Sizes run from nothing to the whole queue, in a sequence that does not repeat with the
          // ring.
          const next = item((round * 7) % 41, k++)
          if (queue.tryPut(next)) waiting.push(next)
          else {
            assert.deepEqual(queue.getSync(), waiting.shift())
            assert.equal(queue.qsize(), waiting.length)
          }
        }
        while (waiting.length > 0) assert.deepEqual(queue.getSync(), waiting.shift())
        assertHolds(queue, 0)
      })

      it('a very long one arrives whole, and short ones after it', () => {
        const queue = new ThreadSafeQueue(5000, { type, itemBytes: 1000 })
        const long = item(4_500_000, 5)
        queue.putSync(long)
        queue.putSync(item(10, 6))
        assert.deepEqual(queue.getSync(), long)
        assert.deepEqual(queue.getSync(), item(10, 6))
      })
    })
  }
})
