/**
 * The synchronous calls of a queue: capacity, order, what a call does when it can't succeed, and
 * how long it waits.
 */
import { strict as assert } from 'node:assert'
import {
  QueueClosedError,
  QueueEmptyError,
  QueueFullError,
  type SyncWaitOptions,
  ThreadSafeError,
  ThreadSafeQueue,
  TimeoutError,
} from '../../lib/index.js'
import { finished, startWorker, thrown } from '../support.js'
import { assertHolds, KINDS, point } from './kinds.js'

describe('a queue', () => {
  for (const [name, type, item] of KINDS) {
    describe(`of ${name}`, () => {
      for (const capacity of [1, 2, 3, 7, 1000]) {
        it(`of capacity ${capacity} holds exactly ${capacity}, first in, first out`, () => {
          const queue = new ThreadSafeQueue(capacity, { type })
          assert.equal(queue.capacity, capacity)
          assert.deepEqual(queue.type, type)
          assert.equal(queue.closed, false)
          assertHolds(queue, 0)
          for (let k = 0; k < capacity; k++) {
            assert.equal(queue.tryPut(item(k)), true)
            assertHolds(queue, k + 1)
          }
          assert.equal(queue.tryPut(item(capacity)), false)
          assert.ok(thrown(() => queue.putSync(item(capacity))) instanceof QueueFullError)
          assertHolds(queue, capacity)
          assert.deepEqual(queue.getSync(), item(0))
          assertHolds(queue, capacity - 1)
          queue.putSync(item(capacity))
          assert.equal(queue.tryPut(item(0)), false)
          for (let k = 1; k <= capacity; k++) assert.deepEqual(queue.tryGet(), item(k))
          assertHolds(queue, 0)
          assert.equal(queue.tryGet(), undefined)
          assert.ok(thrown(() => queue.getSync()) instanceof QueueEmptyError)
          assertHolds(queue, 0)
        })
      }

      it('wraps around many times', () => {
        for (const capacity of [1, 3, 4, 7]) {
          const queue = new ThreadSafeQueue(capacity, { type })
          let put = 0
          let got = 0
          for (let round = 0; round < 500; round++) {
            // The number differs from round to round, so that every slot is first and last once.
            for (let k = 0; k < 1 + (round % capacity); k++) queue.putSync(item(put++))
            while (!queue.empty()) assert.deepEqual(queue.getSync(), item(got++))
          }
          assert.equal(got, put)
        }
      })
    })
  }

  it('can hold more than 2 ** 20 items', () => {
    const queue = new ThreadSafeQueue<number>(2 ** 20 + 3, { type: 'uint32' })
    for (let k = 0; k < queue.capacity; k++) queue.putSync(k)
    assert.equal(queue.tryPut(0), false)
    for (let k = 0; k < queue.capacity; k++) assert.equal(queue.getSync(), k)
    assert.equal(queue.empty(), true)
  })

  it('stays exact when items wrap around its slots 100,000 times', () => {
    const queue = new ThreadSafeQueue<number>(3, { type: 'uint32' })
    for (let k = 0; k < 300_000; k++) {
      queue.putSync(k)
      assert.equal(queue.getSync(), k)
    }
    assertHolds(queue, 0)
  })

  it("is by default of type 'any', has 64 bytes per item, and rejects", () => {
    for (const queue of [
      new ThreadSafeQueue<unknown>(2),
      new ThreadSafeQueue<unknown>(2, {}),
      new ThreadSafeQueue<unknown>(2, { type: undefined, itemBytes: undefined, overflow: undefined }),
    ]) {
      assert.equal(queue.type, 'any')
      queue.putSync('a'.repeat(64))
      assert.equal(queue.full(), false)
      queue.putSync('b'.repeat(64))
      assert.equal(queue.full(), true)
      assert.ok(thrown(() => queue.putSync('c')) instanceof QueueFullError)
    }
  })

  it('has errors with a class, a name, a code and a common ancestor', () => {
    const queue = new ThreadSafeQueue<number>(1, { type: 'int8' })
    const errors: [unknown, abstract new () => Error, string, string][] = []
    errors.push([thrown(() => queue.getSync()), QueueEmptyError, 'QueueEmptyError', 'ERR_QUEUE_EMPTY'])
    errors.push([thrown(() => queue.getSync({ timeout: 0 })), TimeoutError as never, 'TimeoutError', 'ERR_TIMEOUT'])
    queue.putSync(1)
    errors.push([thrown(() => queue.putSync(1)), QueueFullError, 'QueueFullError', 'ERR_QUEUE_FULL'])
    queue.close()
    errors.push([thrown(() => queue.putSync(1)), QueueClosedError, 'QueueClosedError', 'ERR_QUEUE_CLOSED'])
    for (const [error, constructor, name, code] of errors) {
      assert.ok(error instanceof constructor)
      assert.ok(error instanceof ThreadSafeError)
      assert.ok(error instanceof Error)
      assert.equal(error.name, name)
      assert.equal(error.code, code)
      assert.ok(error.message.length > 0)
      assert.ok(error.stack?.startsWith(name), error.stack)
    }
  })

  it('is the same through every object that is made of its handle', () => {
    const queue = new ThreadSafeQueue<number>(3, { type: point as never })
    const others = [ThreadSafeQueue.from(queue.handle), ThreadSafeQueue.from(structuredClone(queue.handle))]
    for (const other of others) {
      assert.notEqual(other, queue)
      assert.equal(other.capacity, 3)
      assert.deepEqual(other.type, point)
    }
    queue.putSync({ x: 1, y: 2 } as never)
    assert.equal(others[0]?.qsize(), 1)
    assert.deepEqual(others[1]?.getSync(), { x: 1, y: 2 })
    assert.equal(queue.empty(), true)
    others[1]?.close()
    assert.equal(queue.closed, true)
  })
})

describe('not waiting and waiting', () => {
  type Outcome = 'done' | 'QueueFullError' | 'QueueEmptyError' | 'QueueClosedError' | 'TimeoutError'
  const NEVER = 600_000 // Mocha ends a call that wrongly waits for so long.
  const SHORT = 30

  /**
   * Options, and the outcome on a queue that can't serve the call: full for a put, empty for a get.
   * `waits` says that the outcome comes only after SHORT.
   */
  const TABLE: [what: string, options: SyncWaitOptions | undefined, outcome: 'refused' | 'TimeoutError', waits: boolean][] = [
    ['no options', undefined, 'refused', false],
    ['{}', {}, 'refused', false],
    ['{ block: undefined, timeout: undefined }', { block: undefined, timeout: undefined }, 'refused', false],
    ['{ block: false }', { block: false }, 'refused', false],
    ['{ block: false, timeout: 600000 }', { block: false, timeout: NEVER }, 'refused', false],
    ['{ block: false, timeout: Infinity }', { block: false, timeout: Infinity }, 'refused', false],
    ['{ block: false, timeout: 0 }', { block: false, timeout: 0 }, 'refused', false],
    ['{ timeout: 0 }', { timeout: 0 }, 'TimeoutError', false],
    ['{ timeout: -0 }', { timeout: -0 }, 'TimeoutError', false],
    ['{ block: true, timeout: 0 }', { block: true, timeout: 0 }, 'TimeoutError', false],
    ['{ timeout: 0.01 }', { timeout: 0.01 }, 'TimeoutError', false],
    [`{ timeout: ${SHORT} }`, { timeout: SHORT }, 'TimeoutError', true],
    [`{ block: true, timeout: ${SHORT} }`, { block: true, timeout: SHORT }, 'TimeoutError', true],
    [`{ block: undefined, timeout: ${SHORT} }`, { block: undefined, timeout: SHORT }, 'TimeoutError', true],
  ]
  const MORE: [string, SyncWaitOptions][] = [
    ['{ block: true }', { block: true }],
    ['{ timeout: Infinity }', { timeout: Infinity }],
    ['{ block: true, timeout: Infinity }', { block: true, timeout: Infinity }],
  ]
  const ALL = [...TABLE.map(([what, options]): [string, SyncWaitOptions | undefined] => [what, options]), ...MORE]

  function outcomeOf(call: () => unknown): { outcome: Outcome; milliseconds: number } {
    const start = performance.now()
    let outcome: Outcome = 'done'
    try {
      call()
    } catch (error) {
      outcome = (error as Error).name as Outcome
    }
    return { outcome, milliseconds: performance.now() - start }
  }

  for (const [name, type, item] of [KINDS[6], KINDS[11], KINDS[14]] as typeof KINDS) {
    describe(`on a queue of ${name}`, () => {
      const make = (items: number): ThreadSafeQueue<unknown, unknown> => {
        const queue = new ThreadSafeQueue(2, { type })
        for (let k = 0; k < items; k++) queue.putSync(item(k))
        return queue
      }

      for (const [what, options, expected, waits] of TABLE) {
        it(`putSync(item, ${what}) on a full one, getSync(${what}) on an empty one`, () => {
          const full = make(2)
          const put = outcomeOf(() => full.putSync(item(2), options))
          assert.equal(put.outcome, expected === 'refused' ? 'QueueFullError' : expected)
          assertHolds(full, 2)
          const empty = make(0)
          const get = outcomeOf(() => empty.getSync(options))
          assert.equal(get.outcome, expected === 'refused' ? 'QueueEmptyError' : expected)
          // Allows a millisecond for clocks that are read in different places.
          if (waits)
            assert.ok(put.milliseconds >= SHORT - 1 && get.milliseconds >= SHORT - 1, `${put.milliseconds}, ${get.milliseconds} ms`)
        })
      }

      for (const [what, options] of ALL) {
        it(`putSync(item, ${what}) with room, getSync(${what}) with an item, and both when closed`, () => {
          const queue = make(1)
          queue.putSync(item(1), options)
          assert.deepEqual(queue.getSync(options), item(0))
          queue.putSync(item(2))
          queue.close()
          assert.equal(outcomeOf(() => queue.putSync(item(3), options)).outcome, 'QueueClosedError')
          assert.deepEqual(queue.getSync(options), item(1))
          assert.deepEqual(queue.getSync(options), item(2))
          assert.equal(outcomeOf(() => queue.getSync(options)).outcome, 'QueueClosedError')
        })
      }

      it('the message of a TimeoutError names the time', () => {
        const error = thrown(() => make(0).getSync({ timeout: 2.5 })) as Error
        assert.match(error.message, /2\.5 ms/)
      })
    })
  }

  for (const [what, options] of [...MORE, ['{ timeout: 20000 }', { timeout: 20_000 }]] as [string, SyncWaitOptions][]) {
    it(`putSync(item, ${what}) waits for room, getSync(${what}) for an item`, async () => {
      const queue = new ThreadSafeQueue<number>(1, { type: 'float64' })
      queue.putSync(-1)
      const taker = finished(startWorker('queue-partner', { handle: queue.handle, task: 'get', count: 1 }))
      queue.putSync(-2, options)
      assert.equal(queue.getSync(), -2)
      const giver = finished(startWorker('queue-partner', { handle: queue.handle, task: 'put', count: 3 }))
      for (let k = 0; k < 3; k++) assert.equal(queue.getSync(options), k)
      await Promise.all([taker, giver])
      assertHolds(queue, 0)
    })
  }

  it('a blocked put and a blocked get learn that another thread closed the queue', async () => {
    for (const full of [true, false]) {
      const queue = new ThreadSafeQueue<number>(1, { type: 'float64' })
      if (full) queue.putSync(1)
      const closer = finished(startWorker('queue-partner', { handle: queue.handle, task: 'close', count: 0 }))
      const error = thrown(() => (full ? queue.putSync(2, { block: true }) : queue.getSync({ block: true })))
      assert.ok(error instanceof QueueClosedError)
      assert.equal(queue.closed, true)
      await closer
    }
  })
})

describe('a closed queue', () => {
  const three = (): ThreadSafeQueue<number, Int32Array> => {
    const queue = new ThreadSafeQueue<number>(4, { type: 'int32' })
    for (let k = 1; k <= 3; k++) queue.putSync(k)
    return queue
  }

  it('takes no more items, gives out those that it has, then fails', () => {
    const queue = three()
    assert.equal(queue.closed, false)
    queue.close()
    assert.equal(queue.closed, true)
    assert.equal(queue.qsize(), 3)
    assert.ok(thrown(() => queue.tryPut(4)) instanceof QueueClosedError)
    assert.ok(thrown(() => queue.putSync(4)) instanceof QueueClosedError)
    assert.equal(queue.getSync(), 1)
    assert.equal(queue.tryGet(), 2)
    assert.equal(queue.getSync({ timeout: 0 }), 3)
    assert.equal(queue.empty(), true)
    assert.ok(thrown(() => queue.tryGet()) instanceof QueueClosedError)
    assert.ok(thrown(() => queue.getSync()) instanceof QueueClosedError)
  })

  it('has dropped the items that were left if told to discard them, even if closed before', () => {
    for (const before of [() => {}, (queue: ThreadSafeQueue<number, Int32Array>) => queue.close()]) {
      const queue = three()
      before(queue)
      queue.close({ discard: true })
      assert.equal(queue.qsize(), 0)
      assert.ok(thrown(() => queue.tryGet()) instanceof QueueClosedError)
    }
  })

  it('can be closed again, and stays as it is', () => {
    const queue = three()
    queue.close()
    queue.close({})
    queue.close({ discard: false })
    queue.close({ discard: undefined })
    assert.equal(queue.qsize(), 3)
    queue.close({ discard: true })
    queue.close({ discard: true })
    assert.equal(queue.closed, true)
  })

  it('is closed by the end of a `using` block', async () => {
    const queue = three()
    {
      using closing = queue
      assert.equal(closing.closed, false)
    }
    assert.equal(queue.closed, true)
    assert.equal(queue.qsize(), 3)
    const other = three()
    {
      await using closing = other
      assert.equal(closing.closed, false)
    }
    assert.equal(other.closed, true)
    assert.equal(other.qsize(), 3)
    other[Symbol.dispose]()
    assert.equal(await other[Symbol.asyncDispose](), undefined)
  })

  for (const [name, type, item] of KINDS) {
    it(`of ${name} gives out what it has`, () => {
      const queue = new ThreadSafeQueue(2, { type })
      queue.putSync(item(3))
      queue.close()
      assert.deepEqual(queue.tryGet(), item(3))
      assert.ok(thrown(() => queue.tryGet()) instanceof QueueClosedError)
      assert.ok(thrown(() => queue.tryPut(item(1))) instanceof QueueClosedError)
    })
  }
})
