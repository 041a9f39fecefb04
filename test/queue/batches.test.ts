/** Several items in one call, and what errors say about how many went in. */
import { strict as assert } from 'node:assert'
import { ThreadSafeQueue, QueueClosedError, QueueEmptyError, TimeoutError } from '../../lib/index.js'
import { finished, rejection, startWorker, thrown, until, within } from '../support.js'

describe('batches', () => {
  it('of numbers come out as the typed array of their type, others as an array', () => {
    const numbers = new ThreadSafeQueue(4, { type: 'int16' })
    assert.equal(numbers.putManySync([1, 2, 70_000]), 3)
    assert.deepEqual(numbers.getManySync(10), Int16Array.of(1, 2, 70_000))
    const any = new ThreadSafeQueue<unknown>(4)
    assert.equal(any.putManySync(new Set(['a', null, { b: 1 }])), 3)
    assert.deepEqual(any.getManySync(2), ['a', null])
    const booleans = new ThreadSafeQueue(4, { type: 'boolean' })
    booleans.putManySync([true, false])
    assert.deepEqual(booleans.getManySync(9), [true, false])
  })

  it('go in as far as there is room, in order, across the end of the ring', () => {
    const queue = new ThreadSafeQueue(7, { type: 'float64' })
    const got: number[] = []
    for (let next = 0; next < 100;) {
      next += queue.putManySync(Float64Array.of(next, next + 1, next + 2, next + 3, next + 4))
      got.push(...queue.getManySync(3))
    }
    while (!queue.empty()) got.push(...queue.getManySync(100))
    assert.deepEqual(
      got,
      got.map((_, k) => k),
    )
  })

  it('with one bad item do not go in at all', async () => {
    for (const type of ['float64', 'string', 'boolean'] as const) {
      const queue = new ThreadSafeQueue<unknown>(4, { type })
      const good = { float64: 1, string: 'a', boolean: true }[type]
      assert.ok(thrown(() => queue.putManySync([good, {}])) instanceof TypeError)
      assert.ok((await rejection(queue.putMany([good, {}]))) instanceof TypeError)
      assert.equal(queue.qsize(), 0)
    }
  })

  it('of objects that are longer than the buffer they are read from come out as they went in', () => {
    const queue = new ThreadSafeQueue<unknown>(100_000)
    const text = { text: 'x'.repeat(100_000), end: 1 }
    const keys = Object.fromEntries(Array.from({ length: 70_000 }, (_, k) => [`k${k}`, k]))
    // The first item makes room in the batch for all of them.
    const items = [{ bytes: new Uint8Array(2_000_000) }, text, keys, { short: 'x' }]
    assert.equal(queue.putManySync(items), items.length)
    for (const item of items) assert.deepEqual(queue.getSync(), item)
  })

  it('that do not wait return how many went in, so that the rest can follow', async () => {
    const ITEMS = 20_000
    const queue = new ThreadSafeQueue<number>(1)
    const back = new ThreadSafeQueue(ITEMS, { type: 'float64' })
    const worker = startWorker('batches-echo', { from: queue.handle, to: back.handle })
    const ended = finished(worker)
    const rest = Array.from({ length: ITEMS }, (_, k) => k)
    for (let start = 0; start < ITEMS;) start += queue.putManySync(rest.slice(start, start + 3))
    queue.close()
    await ended
    assert.deepEqual([...back.getManySync(ITEMS)], rest)
  })

  it('that wait go in piece by piece; errors say how many items did', async () => {
    const queue = new ThreadSafeQueue(3, { type: 'float64' })
    const late = thrown(() => queue.putManySync([1, 2, 3, 4, 5], { timeout: 5 })) as TimeoutError & { count: number }
    assert.ok(late instanceof TimeoutError)
    assert.equal(late.count, 3)
    const put = queue.putMany([4, 5, 6, 7])
    assert.deepEqual(queue.getManySync(2), Float64Array.of(1, 2))
    await until('two more to be in', () => queue.full())
    const failed = rejection(put)
    queue.close()
    const closed = (await within('the end of the put', failed)) as QueueClosedError & { count: number }
    assert.ok(closed instanceof QueueClosedError)
    assert.equal(closed.count, 2)
    assert.deepEqual(queue.getManySync(9), Float64Array.of(3, 4, 5))
    assert.ok(thrown(() => queue.getManySync(1)) instanceof QueueClosedError)
  })

  it('whose abort reason refuses a count are rejected nonetheless', async () => {
    const queue = new ThreadSafeQueue<number>(1)
    queue.putSync(0)
    const reason = Object.freeze({ why: 'frozen' })
    const controller = new AbortController()
    const put = rejection(queue.putMany([1, 2], { signal: controller.signal }))
    controller.abort(reason)
    assert.equal(await within('the rejection', put), reason)
  })

  it('refuse a fake typed array, and take from other iterables what they iterate', () => {
    const queue = new ThreadSafeQueue(8, { type: 'float64' })
    const forged = Object.create(Float64Array.prototype, { length: { value: 5 } }) as Float64Array
    assert.ok(thrown(() => queue.putManySync(forged)) instanceof TypeError)
    class Longer extends Float64Array {
      override get length(): number {
        return 100
      }
    }
    assert.equal(queue.putManySync(new Longer(Float64Array.of(1, 2))), 2)
    assert.deepEqual(queue.getManySync(9), Float64Array.of(1, 2))
  })

  it('may be empty, and a max that is no whole number is refused', () => {
    const queue = new ThreadSafeQueue(1, { type: 'float64' })
    assert.equal(queue.putManySync([]), 0)
    for (const max of [0, -1, 1.5, NaN]) assert.ok(thrown(() => queue.getManySync(max)) instanceof RangeError)
    assert.ok(thrown(() => queue.getManySync(1)) instanceof QueueEmptyError)
  })

  it('are iterated until the queue is closed and drained', async () => {
    const queue = new ThreadSafeQueue(4, { type: 'uint8' })
    const put = queue.putMany(Array.from({ length: 50 }, (_, k) => k)).then(() => queue.close())
    const got: number[] = []
    for await (const batch of queue.batches(3)) {
      assert.ok(batch.length >= 1 && batch.length <= 3)
      got.push(...batch)
    }
    await put
    assert.deepEqual(
      got,
      Array.from({ length: 50 }, (_, k) => k),
    )
  })

  it('do not keep a worker from being terminated that blocks in one while items flow', async () => {
    const queue = new ThreadSafeQueue(10, { type: 'float64' })
    const worker = startWorker('batches-flood', queue.handle)
    await until('the flood', () => queue.full())
    const draining = setInterval(() => queue.tryGet(), 1).unref()
    const start = performance.now()
    await within('the end of the worker', worker.terminate())
    clearInterval(draining)
    assert.ok(performance.now() - start < 1000, `terminate() took ${performance.now() - start} ms`)
  })

  for (const type of ['any', 'string', 'float64[4]'] as const) {
    it(`of ${type} have what was there, however fast producers put more`, async () => {
      const queue = new ThreadSafeQueue<unknown>(64, { type })
      const workers = [1, 2].map(() => startWorker('batches-producer', { handle: queue.handle, isArray: type === 'float64[4]' }))
      try {
        await until('the first items', () => queue.full())
        for (let k = 0; k < 500; k++) {
          const got = queue.getManySync(1_000_000, { block: true }) as unknown[]
          // The first one made room before the others were counted.
          assert.ok(got.length <= 65, `${got.length} items came out of a queue for 64`)
        }
      } finally {
        await Promise.all(workers.map((worker) => worker.terminate()))
      }
    })
  }

  it("an item that can't be decoded is the error of one get; the others go on", async () => {
    const queue = new ThreadSafeQueue<unknown>(4, { itemBytes: 1_000_000 })
    const first = rejection(queue.get())
    const second = queue.get()
    const worker = startWorker('batches-deep', queue.handle, { resourceLimits: { stackSizeMb: 64 } })
    const ended = finished(worker)
    assert.ok((await within('the error', first)) instanceof RangeError)
    assert.equal(await within('the next item', second), 'next')
    await ended
  })
})
