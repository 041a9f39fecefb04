/**
 * `taskDone()` and `join()`: which items are unfinished, and that a join learns when there are
 * none.
 */
import { strict as assert } from 'node:assert'
import { getEventListeners } from 'node:events'
import { ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import { finished, rejection, startWorker, loopIterations, until, within } from '../support.js'

type Queue = ThreadSafeQueue<number, Float64Array>
const numbers = (capacity = 8, overflow?: 'drop-oldest' | 'drop-newest'): Queue =>
  new ThreadSafeQueue<number>(capacity, { type: 'float64', overflow, name: 'jobs' })

/** Returns whether the promise is still pending after everything that is due has happened. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true
  const settle = (): unknown => (pending = false)
  promise.then(settle, settle)
  await loopIterations()
  return pending
}

describe('join', () => {
  for (const type of ['float64', 'string', 'any'] as const) {
    it(`of ${type}: waits until what was put has been got and reported`, async () => {
      const queue = new ThreadSafeQueue<unknown>(4, { type })
      await within('a join of nothing', queue.join())
      const value = type === 'string' ? 'a' : 1
      queue.putSync(value)
      queue.putManySync([value, value])
      const joined = queue.join()
      assert.equal(queue.stats().unfinished, 3)
      assert.ok(await isPending(joined))
      queue.getSync()
      queue.taskDone()
      queue.getManySync(2)
      assert.ok(await isPending(joined))
      queue.taskDone()
      assert.ok(await isPending(joined))
      assert.equal(queue.stats().unfinished, 1)
      queue.taskDone()
      assert.equal(await within('the join', joined), undefined)
      assert.equal(queue.stats().unfinished, 0)
      await within('another', queue.join({ timeout: 0 }))
    })
  }

  it('serves all calls in the order in which they were made, on whichever object of the queue', async () => {
    const queue = numbers()
    const other = ThreadSafeQueue.from<number, Float64Array>(queue.handle as never)
    queue.putSync(1)
    const served: number[] = []
    const joins = [queue, other, queue].map((one, k) => one.join().then(() => served.push(k)))
    assert.ok(await isPending(Promise.race(joins)))
    queue.getSync()
    other.taskDone()
    await within('all joins', Promise.all(joins))
    assert.deepEqual(served, [0, 1, 2])
  })

  it('learns that nothing was unfinished for a moment, though more has been put by the time it looks', async () => {
    const queue = numbers()
    queue.putSync(1)
    const joined = queue.join()
    queue.getSync()
    queue.taskDone()
    queue.putSync(2)
    const next = queue.join()
    await within('the first join', joined)
    assert.ok(await isPending(next), 'that moment was before the second join')
    queue.clear()
    await within('the second join', next)
  })

  describe('takes as done', () => {
    it('items that are cleared', async () => {
      const queue = numbers()
      queue.putManySync([1, 2])
      const joined = queue.join()
      assert.ok(await isPending(joined))
      queue.clear()
      await within('the join', joined)
    })

    it('items that close() discards, even later; and a join on a closed queue waits likewise', async () => {
      const queue = numbers()
      queue.putManySync([1, 2])
      queue.getSync()
      queue.close()
      const joined = queue.join()
      assert.ok(await isPending(joined))
      queue.close({ discard: true })
      assert.ok(await isPending(joined), 'an item that was got is in hand')
      queue.taskDone()
      await within('the join', joined)
      await within('a join of a closed queue', queue.join())
    })

    it('items that the overflow policy drops, new or oldest', async () => {
      for (const overflow of ['drop-newest', 'drop-oldest'] as const) {
        const queue = numbers(2, overflow)
        for (let k = 0; k < 5; k++) queue.tryPut(k)
        assert.equal(queue.stats().unfinished, 2)
        const joined = queue.join()
        queue.getManySync(2)
        queue.taskDone(2)
        await within('the join', joined)
        assert.throws(() => queue.taskDone(), { code: 'ERR_OUT_OF_RANGE' })
      }
    })
  })

  it('rejects with TimeoutError, or the reason of the signal, early or late', async () => {
    const queue = numbers()
    queue.putSync(1)
    for (const timeout of [0, 20]) {
      const error = await rejection(queue.join({ timeout }))
      assert.ok(error instanceof TimeoutError)
      assert.match(error.message, /"jobs"/)
    }
    assert.equal(await rejection(queue.join({ signal: AbortSignal.abort('early') })), 'early')
    const controller = new AbortController()
    const joined = queue.join({ signal: controller.signal })
    const other = queue.join()
    assert.ok(await isPending(joined))
    controller.abort('late')
    assert.equal(await rejection(joined), 'late')
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
    queue.clear()
    await within('the join behind it', other)
    assert.match(String(await rejection(queue.join({ timeout: -1 }))), /"options.timeout"/)
  })

  it('waits for items that other threads report, clear, or never report', async () => {
    const queue = numbers()
    const start = (way: string) => startWorker('join-worker', { handle: queue.handle, way, items: 1000 })
    const workers = [start('report'), start('report'), start('drop')]
    for (let round = 0; round < 200; round++) {
      for (let k = 0; k < 20; k++) await queue.put(k)
      await within(`the join of round ${round}`, queue.join())
      assert.equal(queue.stats().unfinished, 0)
    }
    queue.close()
    await within('the end of the workers', Promise.all(workers.map((worker) => finished(worker))))

    const left = numbers()
    left.putSync(1)
    await finished(startWorker('join-worker', { handle: left.handle, way: 'die', items: 1 }))
    const joined = left.join()
    assert.ok(await isPending(joined))
    left.taskDone()
    await within('the join', joined)
  })

  it('is woken in time by the last of many that finish at once', async () => {
    const queue = numbers(64)
    const workers = Array.from({ length: 2 }, () => startWorker('join-worker', { handle: queue.handle, way: 'report', items: 0 }))
    for (let round = 0; round < 2000; round++) {
      queue.putManySync([1, 2])
      await within(`the join of round ${round}`, queue.join())
    }
    queue.close()
    await Promise.all(workers.map((worker) => finished(worker)))
  })
})

describe('taskDone', () => {
  it('refuses more than was got, and then reports nothing', async () => {
    const queue = numbers()
    const refused = (count?: number): void => {
      assert.throws(() => queue.taskDone(count), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE', message: /"count"/ })
    }
    refused()
    queue.putManySync([1, 2, 3])
    refused()
    queue.getManySync(2)
    refused(3)
    assert.equal(queue.stats().unfinished, 3)
    queue.taskDone(2)
    refused()
    for (const count of [0, -1, 1.5, NaN, 2 ** 32, 2 ** 32 + 1, Infinity]) refused(count)
    for (const count of ['1', null, 1n]) assert.throws(() => queue.taskDone(count as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' })
    queue.peek()
    refused()
    await queue.get()
    queue.close()
    queue.taskDone()
    refused()
  })

  it('refuses to count items that were dropped, evicted or discarded', () => {
    const queue = numbers(2, 'drop-oldest')
    queue.putManySync([1, 2, 3, 4])
    queue.clear()
    assert.throws(() => queue.taskDone(), { code: 'ERR_OUT_OF_RANGE' })
    queue.putManySync([5, 6])
    queue.getSync()
    queue.close({ discard: true })
    queue.taskDone()
    assert.throws(() => queue.taskDone(), { code: 'ERR_OUT_OF_RANGE' })
  })

  it('does not wait, and may be called by code that join waits for', async () => {
    const queue = numbers()
    const done: number[] = []
    const all = queue.forEach((item) => {
      done.push(item)
      queue.taskDone()
    })
    await queue.putMany([1, 2, 3])
    await within('the join', queue.join())
    assert.deepEqual(done, [1, 2, 3])
    queue.close()
    await within('the end of forEach', all)
    await until('that nothing waits', () => queue.stats().waitingGets === 0)
  })
})
