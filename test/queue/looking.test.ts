/** Looking at a queue, or emptying it, without getting items: peek, clear, stats. */
import { strict as assert } from 'node:assert'
import { type ElementType, type QueueStats, record, ThreadSafeQueue } from '../../lib/index.js'
import { finished, startWorker, until, within } from '../support.js'

const ITEMS: readonly [ElementType, (k: number) => unknown][] = [
  ['float64', (k) => k / 2],
  ['bigint64', (k) => -BigInt(k)],
  ['boolean', (k) => k % 2 === 0],
  ['string', (k) => `number ${k}`],
  ['bytes', (k) => Uint8Array.of(k, k)],
  ['any', (k) => ({ k })],
  [record({ k: 'int32', half: 'float32[2]' }), (k) => ({ k, half: Float32Array.of(k / 2, k) })],
]

const nameOf = (type: ElementType) => (typeof type === 'string' ? type : 'record')

describe('peek()', () => {
  for (const [type, item] of ITEMS) {
    it(`of '${nameOf(type)}' shows the oldest item and leaves it`, () => {
      const queue = new ThreadSafeQueue<unknown>(3, { type })
      assert.equal(queue.peek(), undefined)
      for (let lap = 0; lap < 5; lap++) {
        queue.putSync(item(lap))
        queue.putSync(item(lap + 1))
        assert.deepEqual([queue.peek(), queue.peek(), queue.qsize()], [item(lap), item(lap), 2])
        assert.deepEqual([queue.getSync(), queue.peek(), queue.getSync()], [item(lap), item(lap + 1), item(lap + 1)])
      }
      assert.equal(queue.peek(), undefined)
      queue.putSync(item(9))
      queue.close()
      assert.deepEqual(queue.peek(), item(9))
      queue.getSync()
      assert.equal(queue.peek(), undefined)
    })
  }

  it('shows items that are longer than a slot, and longer than any before', () => {
    const queue = new ThreadSafeQueue<string>(8, { type: 'string', itemBytes: 100_000 })
    const long = 'long '.repeat(100_000)
    queue.putSync(long)
    assert.equal(queue.peek(), long)
    assert.equal(queue.getSync(), long)
  })

  it('never shows a torn item while others put and get', async () => {
    const type = record({ values: 'uint32[64]' })
    const queue = new ThreadSafeQueue<{ values: Uint32Array }>(2, { type })
    const workers = ['put', 'get'].map((task) => startWorker('looking-blocks', { handle: queue.handle, task, count: 200_000 }))
    const ended = Promise.all(workers.map((worker) => finished(worker)))
    let running = true
    // On a single busy processor an item moves only once per time slice of this thread.
    const enough = performance.now() + 5000
    void ended.finally(() => (running = false)).catch(() => undefined)
    let seen = 0
    while (running) {
      for (let k = 0; k < 1000; k++) {
        const values = queue.peek()?.values
        if (!values) continue
        seen++
        assert.ok(
          values.every((value) => value === values[0]),
          `torn: ${values.join(' ')}`,
        )
      }
      if (performance.now() > enough) queue.close({ discard: true })
      await new Promise(setImmediate)
    }
    await ended
    assert.ok(seen > 0, 'an item was there at least once')
  })
})

describe('clear()', () => {
  for (const [type, item] of ITEMS) {
    it(`of '${nameOf(type)}' drops all items, and returns how many there were`, () => {
      const queue = new ThreadSafeQueue<unknown>(4, { type })
      assert.equal(queue.clear(), 0)
      for (let k = 0; k < 3; k++) queue.putSync(item(k))
      assert.equal(queue.clear(), 3)
      assert.equal(queue.qsize(), 0)
      queue.putSync(item(7))
      assert.deepEqual(queue.getSync(), item(7))
    })
  }

  it('works on a closed queue', () => {
    const queue = new ThreadSafeQueue<number>(4)
    queue.putSync(1)
    queue.close()
    assert.deepEqual([queue.clear(), queue.clear()], [1, 0])
  })

  it('makes room for those who wait for it, in this thread and in others', async () => {
    const queue = new ThreadSafeQueue<number>(2, { type: 'float64' })
    queue.putSync(1)
    queue.putSync(2)
    const worker = startWorker('queue-partner', { handle: queue.handle, task: 'put', count: 1 })
    await until('a blocked putter', () => queue.stats().waitingPuts === 1)
    const put = queue.put(3)
    assert.equal(queue.clear(), 2)
    await within('the put of this thread', put)
    await finished(worker)
    assert.equal(queue.qsize(), 2)
  })
})

describe('stats()', () => {
  const part = (queue: ThreadSafeQueue<never>, ...names: (keyof QueueStats)[]) => names.map((name) => queue.stats()[name])

  it('counts what was put and got, item by item and in batches, by whichever call', async () => {
    const queue = new ThreadSafeQueue<number>(16, { type: 'float64' })
    const names = ['depth', 'puts', 'gets', 'dropped', 'discarded'] as const
    assert.deepEqual(part(queue as never, ...names), [0, 0, 0, 0, 0])
    queue.putManySync(new Float64Array(9))
    await queue.put(1)
    queue.tryPut(2)
    queue.getManySync(4)
    await queue.get()
    assert.deepEqual(part(queue as never, ...names), [6, 11, 5, 0, 0])
    assert.equal(queue.clear(), 6)
    queue.tryPut(1)
    queue.close({ discard: true })
    assert.deepEqual(part(queue as never, ...names), [0, 12, 5, 0, 7])
  })

  it("counts items that 'drop-newest' refused, and those that 'drop-oldest' evicted", () => {
    const names = ['depth', 'puts', 'gets', 'dropped'] as const
    const newest = new ThreadSafeQueue<number>(2, { overflow: 'drop-newest' })
    for (let k = 0; k < 5; k++) newest.tryPut(k)
    assert.deepEqual(part(newest as never, ...names), [2, 2, 0, 3])
    const oldest = new ThreadSafeQueue<number>(2, { overflow: 'drop-oldest' })
    for (let k = 0; k < 5; k++) oldest.tryPut(k)
    oldest.tryGet()
    assert.deepEqual(part(oldest as never, ...names), [1, 5, 1, 3])
  })

  it('counts the calls that wait, in all threads, until they stop waiting', async () => {
    const queue = new ThreadSafeQueue<number>(1, { type: 'float64' })
    const waiting = () => part(queue as never, 'waitingGets', 'waitingPuts')
    const aborting = new AbortController()
    const gets = [queue.get(), queue.get(), queue.get({ signal: aborting.signal })]
    const worker = startWorker('queue-partner', { handle: queue.handle, task: 'get', count: 1 })
    const ended = finished(worker)
    await until('three gets here and a blocked one', () => queue.stats().waitingGets === 4)
    aborting.abort()
    await assert.rejects(gets[2] as Promise<number>)
    assert.deepEqual(waiting(), [3, 0])
    for (let k = 0; k < 3; k++) await queue.put(k)
    await Promise.all(gets.slice(0, 2))
    await ended
    assert.deepEqual(waiting(), [0, 0])
    queue.putSync(1)
    const puts = [queue.put(2), queue.put(3)]
    assert.deepEqual(waiting(), [0, 2])
    queue.close()
    await Promise.allSettled(puts)
    assert.deepEqual(waiting(), [0, 0])
  })

  it('forgets the calls of a worker that was terminated', async () => {
    const queue = new ThreadSafeQueue<number>(1, { type: 'float64' })
    const worker = startWorker('looking-waiter', queue.handle)
    await until('a get of the worker', () => queue.stats().waitingGets > 0)
    await worker.terminate()
    assert.equal(queue.stats().waitingGets, 0)
  })
})
