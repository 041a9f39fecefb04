/**
 * Promises of the interface that no other test covers: batches, forged handles, and user code that
 * runs in between.
 */
import { strict as assert } from 'node:assert'
import { createHook } from 'node:async_hooks'
import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import * as threadsafe from '../../lib/index.js'
import {
  type Overflow,
  QueueClosedError,
  QueueEmptyError,
  QueueFullError,
  record,
  ThreadSafeError,
  ThreadSafeEvent,
  ThreadSafeQueue,
  TimeoutError,
} from '../../lib/index.js'
import { finished, rejection, startWorker, thrown, loopIterations, within } from '../support.js'

type Counted = Error & { count: number }

/** Makes the kth item for queues of several types. */
const TYPES: [type: 'float64' | 'any' | 'string', item: (k: number) => unknown][] = [
  ['float64', (k) => k],
  ['any', (k) => ({ k })],
  ['string', (k) => `item ${k}`],
]

for (const [type, item] of TYPES) {
  const items = (first: number, end: number): unknown[] => Array.from({ length: end - first }, (_, k) => item(first + k))
  const list = (many: unknown): unknown[] => Array.from(many as Iterable<unknown>)
  const make = (capacity: number, filled = 0, overflow: Overflow = 'reject'): ThreadSafeQueue<unknown, unknown> => {
    const queue = new ThreadSafeQueue(capacity, { type, overflow })
    for (let k = 0; k < filled; k++) queue.putSync(item(k))
    return queue
  }

  describe(`batches in a queue of ${type}`, () => {
    it('that do not wait obey the overflow policy, item by item', () => {
      const reject = make(4, 2)
      assert.equal(reject.putManySync(items(2, 7)), 2)
      assert.deepEqual(list(reject.getManySync(9)), items(0, 4))
      const newest = make(4, 2, 'drop-newest')
      assert.equal(newest.putManySync(items(2, 7)), 2)
      assert.deepEqual(list(newest.getManySync(9)), items(0, 4))
      const oldest = make(4, 2, 'drop-oldest')
      assert.equal(oldest.putManySync(items(2, 7)), 5)
      assert.deepEqual(list(oldest.getManySync(9)), items(3, 7))
    })

    it('that wait drop nothing, whatever the overflow policy', async () => {
      for (const overflow of ['drop-newest', 'drop-oldest'] as const) {
        const queue = make(3, 1, overflow)
        const late = thrown(() => queue.putManySync(items(1, 9), { timeout: 1 })) as Counted
        assert.ok(late instanceof TimeoutError)
        assert.equal(late.count, 2)
        const put = queue.putMany(items(3, 6))
        assert.deepEqual(list(queue.getManySync(9)), items(0, 3))
        await within('the rest', put)
        assert.deepEqual(list(queue.getManySync(9)), items(3, 6))
      }
    })

    it('say in each error how many items went in, and those stay', async () => {
      const ends: [
        how: (queue: ThreadSafeQueue<unknown, unknown>, controller: AbortController) => Promise<unknown>,
        check: (error: unknown) => boolean,
      ][] = [
        [async (_, controller) => controller.abort(new RangeError('mine')), (error) => error instanceof RangeError],
        [async (queue) => queue.close(), (error) => error instanceof QueueClosedError],
      ]
      for (const [end, check] of ends) {
        const queue = make(3, 1)
        const controller = new AbortController()
        const failed = rejection(queue.putMany(items(1, 9), { signal: controller.signal }))
        await loopIterations()
        await end(queue, controller)
        const error = (await failed) as Counted
        assert.ok(check(error), String(error))
        assert.equal(error.count, 2)
        assert.deepEqual(list(queue.getManySync(9)), items(0, 3))
      }
      for (const timeout of [0, 5]) {
        const queue = make(3, 1)
        const error = (await rejection(queue.putMany(items(1, 9), { timeout }))) as Counted
        assert.ok(error instanceof TimeoutError)
        assert.equal(error.count, 2)
        const sync = thrown(() => queue.putManySync(items(1, 9), { timeout })) as Counted
        assert.ok(sync instanceof TimeoutError)
        assert.equal(sync.count, 0)
        assert.deepEqual(list(queue.getManySync(9)), items(0, 3))
      }
      const closed = make(3, 1)
      closed.close()
      for (const error of [thrown(() => closed.putManySync(items(1, 3))), await rejection(closed.putMany(items(1, 3)))]) {
        assert.ok(error instanceof QueueClosedError)
        assert.equal((error as Error as Counted).count, 0)
      }
    })

    it('say so also if the signal was aborted before', async () => {
      const reason = { count: 7 }
      assert.equal(await rejection(make(2).putMany([item(1)], { signal: AbortSignal.abort(reason) })), reason)
      assert.equal(reason.count, 0)
    })

    it('take any iterable, and nothing from one that fails', async () => {
      const queue = make(9)
      assert.equal(queue.putManySync((function* () { yield item(0); yield item(1) })()), 2) // prettier-ignore
      await queue.putMany(new Set(items(2, 4)))
      assert.deepEqual(list(queue.getManySync(9)), items(0, 4))
      const mine = new Error('mine')
      const broken = function* (): Generator<unknown> {
        yield item(0)
        throw mine
      }
      assert.equal(thrown(() => queue.putManySync(broken())), mine) // prettier-ignore
      assert.equal(await rejection(queue.putMany(broken())), mine)
      assert.equal(queue.qsize(), 0)
      for (const wrong of [5, null, undefined, {}, { length: 1, 0: item(0) }] as never[]) {
        assert.equal((thrown(() => queue.putManySync(wrong)) as Counted & { code: string }).code, 'ERR_INVALID_ARG_TYPE')
        assert.equal(((await rejection(queue.putMany(wrong))) as Counted & { code: string }).code, 'ERR_INVALID_ARG_TYPE')
      }
    })

    it('keep their place in the line among single items', async () => {
      const queue = make(1)
      const puts = [queue.put(item(0)), queue.putMany(items(1, 4)), queue.put(item(4)), queue.putMany(items(5, 6))]
      for (let k = 0; k < 6; k++) assert.deepEqual(await within('an item', queue.get()), item(k))
      await within('all puts', Promise.all(puts))
      const gets = [queue.get(), queue.getMany(5), queue.get()]
      await loopIterations()
      for (let k = 0; k < 2; k++) await queue.put(item(k))
      await loopIterations()
      await queue.put(item(2))
      const [first, many, last] = await within('all gets', Promise.all(gets))
      assert.deepEqual([first, ...list(many), last], items(0, 3))
    })

    it('can be aborted, time out, and fail on close like single items', async () => {
      const queue = make(3)
      const controller = new AbortController()
      const aborted = rejection(queue.getMany(2, { signal: controller.signal }))
      await loopIterations()
      queue.putSync(item(0))
      controller.abort('why')
      assert.equal(await aborted, 'why')
      assert.equal(await rejection(queue.getMany(2, { signal: AbortSignal.abort('before') })), 'before')
      assert.equal(queue.qsize(), 1)
      assert.deepEqual(list(await queue.getMany(2)), [item(0)])
      for (const timeout of [0, 3]) {
        assert.ok((await rejection(queue.getMany(2, { timeout }))) instanceof TimeoutError)
        assert.ok(thrown(() => queue.getManySync(2, { timeout })) instanceof TimeoutError)
      }
      assert.ok(thrown(() => queue.getManySync(2)) instanceof QueueEmptyError)
      for (const max of [0, -1, 1.5, NaN, Infinity]) {
        assert.ok((await rejection(queue.getMany(max))) instanceof RangeError)
        assert.ok(thrown(() => queue.batches(max)) instanceof RangeError)
      }
      const waiting = rejection(queue.getMany(2))
      queue.close()
      assert.ok((await waiting) instanceof QueueClosedError)
      assert.ok((await rejection(queue.getMany(2))) instanceof QueueClosedError)
      assert.ok(thrown(() => queue.getManySync(2, { block: true })) instanceof QueueClosedError)
    })

    it('block until another thread puts or closes', async () => {
      const queue = make(3)
      const closing = finished(startWorker('queue-partner', { handle: queue.handle, task: 'close', count: 0 }))
      assert.ok(thrown(() => queue.getManySync(2, { block: true })) instanceof QueueClosedError)
      await closing
      const full = make(3, 3)
      const closer = finished(startWorker('queue-partner', { handle: full.handle, task: 'close', count: 0 }))
      const error = thrown(() => full.putManySync(items(3, 5), { block: true })) as Counted
      assert.ok(error instanceof QueueClosedError)
      assert.equal(error.count, 0)
      await closer
      const taken = make(2)
      const taker = finished(startWorker('queue-partner', { handle: taken.handle, task: 'get', count: 5 }))
      assert.equal(taken.putManySync(items(0, 7), { block: true }), 7)
      await taker
      assert.deepEqual(list(taken.getManySync(9)), items(5, 7))
    })

    it('lose nothing when their iteration ends early', async () => {
      const queue = make(9, 6)
      for await (const batch of queue.batches(2)) {
        assert.deepEqual(list(batch), items(0, 2))
        break
      }
      const iterator = queue.batches(3)
      assert.deepEqual(list(((await iterator.next()) as IteratorYieldResult<unknown>).value), items(2, 5))
      await queue.get()
      const pending = iterator.next()
      await loopIterations()
      queue.putSync(item(0))
      assert.deepEqual(await iterator.return?.(), { value: undefined, done: true })
      assert.deepEqual(await within('the pending one', pending), { value: undefined, done: true })
      assert.equal(queue.qsize(), 1)
    })
  })
}

describe('errors', () => {
  const CLASSES = { QueueFullError, QueueEmptyError, QueueClosedError, TimeoutError }
  const CODES = {
    QueueFullError: 'ERR_QUEUE_FULL',
    QueueEmptyError: 'ERR_QUEUE_EMPTY',
    QueueClosedError: 'ERR_QUEUE_CLOSED',
    TimeoutError: 'ERR_TIMEOUT',
  }
  it('are of classes of their own, with a name and a code', () => {
    const queue = new ThreadSafeQueue<number>(1, { type: 'int8' })
    const errors = [thrown(() => queue.getSync()), thrown(() => queue.getSync({ timeout: 0 }))]
    queue.putSync(1)
    errors.push(thrown(() => queue.putSync(1)))
    queue.close()
    errors.push(thrown(() => queue.putSync(1)))
    assert.deepEqual(errors.map((error) => (error as Error).name).sort(), Object.keys(CODES).sort())
    for (const error of errors as (Error & { code: string })[]) {
      const name = error.name as keyof typeof CODES
      assert.ok(error instanceof CLASSES[name] && error instanceof ThreadSafeError && error instanceof Error)
      assert.equal(error.constructor, threadsafe[name])
      assert.equal(error.code, CODES[name])
      assert.ok(error.message.length > 0)
    }
  })
})

describe('handles', () => {
  it('come through a port as the same queue, in the same line', async () => {
    const queue = new ThreadSafeQueue<number>(2, { type: 'int32' })
    const event = new ThreadSafeEvent()
    const { port1, port2 } = new MessageChannel()
    const received = once(port2, 'message')
    port1.postMessage({ deep: [queue.handle], event: event.handle })
    const [{ deep, event: eventHandle }] = (await within('the message', received)) as [{ deep: [typeof queue.handle]; event: never }]
    port1.close()
    const other = ThreadSafeQueue.from(deep[0])
    const gets = [queue.get(), other.get()]
    queue.putSync(1)
    other.putSync(2)
    assert.deepEqual(await within('both', Promise.all(gets)), [1, 2])
    ThreadSafeEvent.from(eventHandle).set()
    assert.equal(event.isSet(), true)
  })

  it('that name another record than the memory has are incompatible', async () => {
    const queue = new ThreadSafeQueue(2, { type: record({ x: 'int32' }) })
    for (const fields of [{ x: 'float64' }, { x: 'int32', y: 'int32' }, { x: 'int8' }]) {
      // Another thread opens it, as this one has the memory open already.
      const worker = startWorker('contract-opener', { ...queue.handle, type: { record: fields } })
      const [code] = (await within('an answer', once(worker, 'message'))) as [string]
      assert.equal(code, 'ERR_INCOMPATIBLE_HANDLE')
    }
  })
})

describe('an item', () => {
  it('whose length needs more than 32 bits is refused, not cut off', async () => {
    const queue = new ThreadSafeQueue<Uint8Array>(2, { type: 'bytes' })
    // The lengths would be cut off to 0 and 8.
    for (const long of [new ArrayBuffer(2 ** 32), new Float64Array(2 ** 29 + 1)] as unknown[] as Uint8Array[]) {
      for (const error of [
        thrown(() => queue.putSync(long)),
        thrown(() => queue.tryPut(long)),
        thrown(() => queue.putManySync([new Uint8Array(1), long])),
        await rejection(queue.put(long)),
      ]) {
        assert.ok(error instanceof RangeError, String(error))
        assert.equal((error as RangeError & { code?: string }).code, 'ERR_ITEM_TOO_LARGE')
        assert.match(error.message, /429496(72|73)\d\d bytes.*4294967295/)
      }
    }
    assert.equal(queue.qsize(), 0)
  })
})

describe('code that runs as a waiting call is served', () => {
  /**
   * Runs `act` once, at the moment when the call that `make` makes settles: when the first promise
   * that it creates is resolved.
   */
  function asItResolves<T>(make: () => Promise<T>, act: () => unknown): { promise: Promise<T>; stop: () => void } {
    let outcome: number | undefined
    const hook = createHook({
      init: (id, type) => void (type === 'PROMISE' && (outcome ??= id)),
      promiseResolve(id) {
        if (id !== outcome) return
        outcome = -1
        act()
      },
    }).enable()
    const promise = make()
    return { promise, stop: () => hook.disable() }
  }

  for (const type of ['int32', 'any'] as const) {
    it(`may wait too, though nobody waited behind the call: ${type}`, async () => {
      const queue = new ThreadSafeQueue<number>(1, { type })
      let get: Promise<number> | undefined
      const first = asItResolves(
        () => queue.get(),
        () => (get = queue.get()),
      )
      queue.putSync(1)
      assert.equal(await within('the first get', first.promise), 1)
      first.stop()
      await loopIterations()
      queue.putSync(2)
      assert.equal(await within('the get that was made meanwhile', get as unknown as Promise<number>), 2)
      queue.putSync(3)
      let put: Promise<void> | undefined
      const second = asItResolves(
        () => queue.put(4),
        () => (put = queue.put(5)),
      )
      assert.equal(queue.getSync(), 3)
      await within('the first put', second.promise)
      second.stop()
      await loopIterations()
      assert.equal(queue.getSync(), 4)
      await within('the put that was made meanwhile', put as unknown as Promise<void>)
      assert.equal(queue.getSync(), 5)
    })

    it(`may cancel, get and put too: a get of ${type}`, async () => {
      const queue = new ThreadSafeQueue<number>(8, { type })
      const controller = new AbortController()
      let late: Promise<number> | undefined
      const { promise, stop } = asItResolves(
        () => queue.get(),
        () => {
          controller.abort('no')
          late = queue.get()
          queue.putSync(4)
        },
      )
      const cancelled = rejection(queue.get({ signal: controller.signal }))
      const third = queue.get()
      for (const k of [1, 2, 3]) queue.putSync(k)
      assert.equal(await within('the first', promise), 1)
      stop()
      assert.equal(await cancelled, 'no')
      assert.equal(await within('the third', third), 2)
      assert.equal(await within('the late one', late as unknown as Promise<number>), 3)
      assert.equal(queue.getSync(), 4)
      assert.equal(queue.qsize(), 0)
    })

    it(`may cancel, get and put too: a put of ${type}`, async () => {
      const queue = new ThreadSafeQueue<number>(1, { type })
      queue.putSync(0)
      const controller = new AbortController()
      let late: Promise<void> | undefined
      const { promise, stop } = asItResolves(
        () => queue.put(1),
        () => {
          controller.abort('no')
          late = queue.put(4)
        },
      )
      const cancelled = rejection(queue.put(2, { signal: controller.signal }))
      const third = queue.put(3)
      assert.equal(queue.getSync(), 0)
      await within('the first', promise)
      stop()
      assert.equal(await cancelled, 'no')
      for (const expected of [1, 3, 4]) assert.equal(await within('an item', queue.get()), expected)
      await within('the other puts', Promise.all([third, late]))
      assert.equal(queue.qsize(), 0)
    })
  }
})
