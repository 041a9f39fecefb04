/** The asynchronous calls of a queue: waiters are served in order, and learn that it was closed. */
import { strict as assert } from 'node:assert'
import { QueueClosedError, ThreadSafeEvent, ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import { finished, rejection, startWorker, within } from '../support.js'
import { at, fullOf, isPendingNow, numbers, threeObjects } from './pending.js'

// Numbers travel as cells and other items as messages, so both are tested.
for (const type of ['int32', 'any'] as const) {
  describe(`asynchronous calls on a queue of ${type}`, () => {
    it('settle without waiting if they can: they need no iteration of the loop', async () => {
      const queue = numbers(100, type)
      /**
       * Returns whether the loop iterated meanwhile. It does after a millisecond of calls, which
       * may pass on a busy machine.
       */
      const iteratesWhile = async (): Promise<boolean> => {
        let iterated = false
        const immediate = setImmediate(() => (iterated = true))
        for (let k = 0; k < 100; k++) await queue.put(k)
        for (let k = 0; k < 100; k++) assert.equal(await queue.get(), k)
        clearImmediate(immediate)
        return iterated
      }
      let tries = 100
      while (await iteratesWhile()) assert.ok(--tries > 0, 'the loop came round each time')
      assert.equal(await queue.put(1), undefined)
    })

    it('wait for each other', async () => {
      const queue = numbers(1, type)
      const got: number[] = []
      const take = async (): Promise<void> => {
        for (let k = 0; k < 1000; k++) got.push(await queue.get())
      }
      const taking = take()
      for (let k = 0; k < 1000; k++) await queue.put(k)
      await within('all items', taking)
      assert.deepEqual(
        got,
        Array.from({ length: 1000 }, (_, k) => k),
      )
    })

    it('are served in the order in which they were made, whichever object they were made on: gets', async () => {
      const queue = numbers(20, type)
      const objects = threeObjects(queue)
      const settled: [call: number, item: number][] = []
      const gets = Array.from({ length: 9 }, async (_, k) => {
        const item = await at(objects, k).get(k % 2 ? { timeout: 10_000 } : undefined)
        settled.push([k, item])
      })
      for (let k = 0; k < 9; k++) at(objects, 2 * k).putSync(k)
      await within('all gets', Promise.all(gets))
      assert.deepEqual(
        settled,
        Array.from({ length: 9 }, (_, k) => [k, k]),
      )
    })

    it('are served in the order in which they were made, whichever object they were made on: puts', async () => {
      const queue = numbers(2, type)
      const objects = threeObjects(queue)
      const settled: number[] = []
      const puts = Array.from({ length: 11 }, async (_, k) => {
        await at(objects, k).put(k, k % 2 ? { timeout: 10_000 } : undefined)
        settled.push(k)
      })
      for (let k = 0; k < 11; k++) assert.equal(await within('an item', at(objects, 2 * k).get()), k)
      await within('all puts', Promise.all(puts))
      assert.deepEqual(
        settled,
        Array.from({ length: 11 }, (_, k) => k),
      )
      assert.equal(queue.qsize(), 0)
    })

    it('do not overtake a waiting one of their own kind: gets', async () => {
      const queue = numbers(3, type)
      const first = queue.get()
      // The items are there, but the loop has not run yet, so the second get could take one.
      for (const item of [1, 2, 3]) queue.putSync(item)
      const second = ThreadSafeQueue.from(queue.handle).get()
      assert.ok((await rejection(queue.get({ timeout: 0 }))) instanceof TimeoutError)
      const third = queue[Symbol.asyncIterator]().next()
      assert.equal(await within('the third item', third).then(({ value }) => value as unknown), 3)
      assert.deepEqual(await Promise.all([first, second]), [1, 2])
    })

    it('do not overtake a waiting one of their own kind: puts', async () => {
      const queue = numbers(2, type)
      queue.putSync(0)
      queue.putSync(0)
      const first = queue.put(1)
      queue.getSync()
      const second = ThreadSafeQueue.from(queue.handle).put(2)
      assert.ok((await rejection(queue.put(3, { timeout: 0 }))) instanceof TimeoutError)
      assert.equal(await queue.get(), 0)
      await within('both puts', Promise.all([first, second]))
      assert.deepEqual([queue.getSync(), queue.getSync()], [1, 2])
    })

    it('wait for items, and for room, that synchronous calls provide', async () => {
      const queue = numbers(1, type)
      for (let k = 0; k < 100; k++) {
        const get = queue.get()
        assert.equal(await isPendingNow(get), true)
        assert.equal(queue.tryPut(k), true)
        assert.equal(await within('an item', get), k)
        queue.putSync(k)
        const put = queue.put(k + 1)
        assert.equal(await isPendingNow(put), true)
        assert.equal(queue.tryGet(), k)
        await within('room', put)
        assert.equal(queue.getSync(), k + 1)
      }
    })
  })
}

describe('closing', () => {
  it('fails all waiting gets', async () => {
    const queue = numbers(3)
    const objects = threeObjects(queue)
    const gets = Array.from({ length: 10 }, (_, k) => rejection(at(objects, k).get(k % 2 ? { timeout: 60_000 } : undefined)))
    queue.close()
    for (const error of await within('all gets', Promise.all(gets))) assert.ok(error instanceof QueueClosedError)
  })

  it('fails all waiting puts, and items that are there can be got', async () => {
    const queue = fullOf(1, 2)
    const objects = threeObjects(queue)
    const puts = Array.from({ length: 10 }, (_, k) => rejection(at(objects, k).put(k, k % 2 ? { timeout: 60_000 } : undefined)))
    queue.close()
    for (const error of await within('all puts', Promise.all(puts))) assert.ok(error instanceof QueueClosedError)
    assert.deepEqual([await queue.get(), await queue.get({ timeout: 0 })], [1, 2])
    assert.ok((await rejection(queue.get())) instanceof QueueClosedError)
    assert.ok((await rejection(queue.put(1))) instanceof QueueClosedError)
  })

  it('fails waiting puts even if there is room by then', async () => {
    const queue = fullOf(1)
    const put = rejection(queue.put(2))
    queue.close()
    assert.equal(queue.getSync(), 1)
    assert.ok((await put) instanceof QueueClosedError)
    assert.ok((await rejection(queue.get())) instanceof QueueClosedError)
  })

  it('lets waiting gets take items that came before', async () => {
    const queue = numbers(3)
    const gets = [queue.get(), queue.get()]
    const late = rejection(queue.get())
    queue.putSync(1)
    queue.putSync(2)
    queue.close()
    assert.deepEqual(await within('two gets', Promise.all(gets)), [1, 2])
    assert.ok((await late) instanceof QueueClosedError)
  })

  it('is reported to a get that does not wait, even behind one that waits', async () => {
    const queue = numbers(1)
    const waiting = rejection(queue.get())
    queue.close()
    assert.ok((await rejection(queue.get({ timeout: 0 }))) instanceof QueueClosedError)
    assert.ok((await waiting) instanceof QueueClosedError)
  })

  it('with discard, fails waiting gets although an item was on its way to them', async () => {
    for (const before of [false, true]) {
      const queue = numbers(3)
      const get = rejection(queue.get())
      queue.putSync(1)
      if (before) queue.close()
      queue.close({ discard: true })
      assert.equal(queue.qsize(), 0)
      assert.ok((await get) instanceof QueueClosedError)
    }
  })

  it('by another thread wakes those who wait in this one', async () => {
    for (const full of [false, true]) {
      const queue = new ThreadSafeQueue<Uint8Array>(1, { type: 'bytes' })
      if (full) queue.putSync(new Uint8Array(1))
      const waiting = [0, 1, 2].map(() => rejection(full ? queue.put(new Uint8Array(2)) : queue.get()))
      const stop = new ThreadSafeEvent()
      const ended = finished(startWorker('async-partner', { handle: queue.handle, task: 'close', stop: stop.handle }))
      for (const error of await within('all calls', Promise.all(waiting), 20_000)) assert.ok(error instanceof QueueClosedError)
      assert.equal(queue.closed, true)
      await ended
    }
  })
})

describe('a loop over calls that never have to wait', () => {
  const LONGEST = 10_000

  /** Repeats the step until a timer and an immediate have run. Fails if they did not for long. */
  async function isInterrupted(step: () => Promise<unknown>): Promise<void> {
    let timers = 0
    let immediates = 0
    const timer = setInterval(() => timers++, 1)
    setImmediate(() => immediates++)
    const start = performance.now()
    // The clock ends the test, as no timer could if the loop starved.
    while (timers < 3 || immediates < 1) {
      if (performance.now() - start > LONGEST) break
      await step()
    }
    clearInterval(timer)
    assert.ok(timers >= 3 && immediates === 1, `${timers} timers and ${immediates} immediates in ${LONGEST} ms`)
  }

  for (const type of ['int32', 'any'] as const) {
    it(`does not keep timers from running: for await over a queue of ${type} that is never empty`, async () => {
      const queue = numbers(10, type)
      while (queue.tryPut(1));
      const iterator = queue[Symbol.asyncIterator]()
      await isInterrupted(async () => {
        await iterator.next()
        queue.putSync(1)
      })
    })

    it(`does not keep timers from running: gets, and puts, on a queue of ${type}`, async () => {
      const queue = numbers(10, type)
      queue.putSync(1)
      await isInterrupted(async () => queue.putSync(await queue.get()))
      await isInterrupted(async () => {
        await queue.put(1)
        queue.getSync()
      })
    })
  }
})
