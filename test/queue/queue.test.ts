/** The synchronous face of a queue: capacity, order, what a call does when it can't do its work, and for how long it waits. */
import { strict as assert } from 'node:assert'
import {
  type ElementType,
  type Overflow,
  QueueClosedError,
  QueueEmptyError,
  QueueFullError,
  record,
  type SyncWaitOptions,
  ThreadSafeError,
  ThreadSafeQueue,
  TimeoutError,
} from '../../lib/index.js'
import { finished, rejection, startWorker, thrown } from '../support.js'

const point = record({ x: 'int32', y: 'float64' })

/** Each element type, with the k-th of some items that differ. */
const KINDS: [name: string, type: ElementType, item: (k: number) => unknown][] = [
  ['float64', 'float64', (k) => k + 0.5],
  ['float32', 'float32', (k) => k + 0.5],
  ['int8', 'int8', (k) => (k % 256) - 128],
  ['uint8', 'uint8', (k) => k % 256],
  ['int16', 'int16', (k) => 100 - k],
  ['uint16', 'uint16', (k) => k],
  ['int32', 'int32', (k) => 100 - k],
  ['uint32', 'uint32', (k) => 0xffffffff - k],
  ['bigint64', 'bigint64', (k) => -BigInt(k)],
  ['biguint64', 'biguint64', (k) => 2n ** 64n - 1n - BigInt(k)],
  ['boolean', 'boolean', (k) => k % 3 === 0],
  ['any', 'any', (k) => ({ k })],
  ['string', 'string', (k) => `item ${k}`],
  ['bytes', 'bytes', (k) => new Uint8Array([k, k >> 8])],
  ['record', point, (k) => ({ x: k, y: -k })],
]

/** Fails unless the queue says that it holds so many. */
function assertHolds(queue: ThreadSafeQueue<unknown, unknown>, items: number): void {
  assert.equal(queue.qsize(), items)
  assert.equal(queue.empty(), items === 0)
  assert.equal(queue.full(), items === queue.capacity)
}

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

      it('goes round many times', () => {
        for (const capacity of [1, 3, 4, 7]) {
          const queue = new ThreadSafeQueue(capacity, { type })
          let put = 0
          let got = 0
          for (let round = 0; round < 500; round++) {
            // Another number in each round, so that every place in the ring is first and last once.
            for (let k = 0; k < 1 + (round % capacity); k++) queue.putSync(item(put++))
            while (!queue.empty()) assert.deepEqual(queue.getSync(), item(got++))
          }
          assert.equal(got, put)
        }
      })
    })
  }

  it('takes 2 ** 20 items and more', () => {
    const queue = new ThreadSafeQueue<number>(2 ** 20 + 3, { type: 'uint32' })
    for (let k = 0; k < queue.capacity; k++) queue.putSync(k)
    assert.equal(queue.tryPut(0), false)
    for (let k = 0; k < queue.capacity; k++) assert.equal(queue.getSync(), k)
    assert.equal(queue.empty(), true)
  })

  it('wraps its place in the ring and its count of items without a trace', () => {
    const queue = new ThreadSafeQueue<number>(3, { type: 'uint32' })
    for (let k = 0; k < 300_000; k++) {
      queue.putSync(k)
      assert.equal(queue.getSync(), k)
    }
    assertHolds(queue, 0)
  })

  it('is of any type, 64 bytes an item and rejects, if nothing else is said', () => {
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
  const NEVER = 600_000 // A call that wrongly waits for it is ended by mocha.
  const SHORT = 30

  /** Options, and the outcome on a queue that can't do it: full for a put, empty for a get. `waits`: only after SHORT. */
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
          // A millisecond for clocks that are read in different places.
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

      it('the message of a TimeoutError tells the time', () => {
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

    it(`'drop-oldest' lets the oldest item of ${name} go`, () => {
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

  it('a long item pushes out as many as it needs, no more', () => {
    const queue = new ThreadSafeQueue<Uint8Array>(4, { type: 'bytes', itemBytes: 8, overflow: 'drop-oldest' })
    for (let k = 0; k < 4; k++) queue.putSync(new Uint8Array([k]))
    assert.equal(queue.tryPut(new Uint8Array(17).fill(9)), true)
    assert.equal(queue.qsize(), 2)
    assert.deepEqual(queue.getSync(), new Uint8Array([3]))
    assert.deepEqual(queue.getSync(), new Uint8Array(17).fill(9))
    // One that spans goes as a whole, for a short one too.
    queue.putSync(new Uint8Array(32).fill(1))
    queue.putSync(new Uint8Array(8).fill(2))
    assert.equal(queue.qsize(), 1)
    queue.putSync(new Uint8Array(8).fill(3))
    assert.deepEqual(queue.getSync(), new Uint8Array(8).fill(2))
    assert.deepEqual(queue.getSync(), new Uint8Array(8).fill(3))
  })
})

describe('items of many sizes', () => {
  /** The k-th item of that many payload bytes. */
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
          // Empty ones take a slot as well.
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
          // What the item takes, tag included, and what the queue has: at least four slots of eight bytes.
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

      it('go round in any mix', () => {
        const queue = new ThreadSafeQueue(5, { type, itemBytes: 8 })
        const waiting: unknown[] = []
        let k = 0
        for (let round = 0; round < 2000; round++) {
          // Sizes from nothing to the whole queue, in a sequence that does not repeat with the ring.
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

describe('a closed queue', () => {
  const three = (): ThreadSafeQueue<number, Int32Array> => {
    const queue = new ThreadSafeQueue<number>(4, { type: 'int32' })
    for (let k = 1; k <= 3; k++) queue.putSync(k)
    return queue
  }

  it('takes no more, gives what it has, then fails', () => {
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

  it('has dropped what was left if it was to discard it, also when closed before', () => {
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

  it('is closed by the end of a block', async () => {
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
    it(`of ${name} gives what it has`, () => {
      const queue = new ThreadSafeQueue(2, { type })
      queue.putSync(item(3))
      queue.close()
      assert.deepEqual(queue.tryGet(), item(3))
      assert.ok(thrown(() => queue.tryGet()) instanceof QueueClosedError)
      assert.ok(thrown(() => queue.tryPut(item(1))) instanceof QueueClosedError)
    })
  }
})
