/** Long items that wait for room among short ones. */
import { strict as assert } from 'node:assert'
import { ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import { finished, startWorker, loopIterations, within } from '../support.js'

describe('long and short items that wait for room', () => {
  const SLOT = 8
  const long = new Uint8Array(4 * SLOT).fill(2)
  const short = new Uint8Array([1])
  const bytes = (): ThreadSafeQueue<Uint8Array> => {
    const queue = new ThreadSafeQueue<Uint8Array>(4, { type: 'bytes', itemBytes: SLOT })
    while (queue.tryPut(short));
    return queue
  }

  it('are put in the order of the calls within a thread', async () => {
    const queue = bytes()
    const sizes = [1, 32, 1, 20, 1, 1, 32, 8]
    const puts = sizes.map((size) => queue.put(new Uint8Array(size)))
    const got: number[] = []
    for (let k = 0; k < 4 + sizes.length; k++) got.push((await within('an item', queue.get())).length)
    assert.deepEqual(got, [1, 1, 1, 1, ...sizes])
    await within('all puts', Promise.all(puts))
  })

  // Without the priority token the short items would take each slot that becomes free.
  const TASKS = [['putBlocking'], ['putAwaiting'], ['putBlocking', 'putAwaiting']] as const
  for (const tasks of TASKS) {
    it(`both get in: a long put of this loop against workers that ${tasks.join(' and ')} short ones`, async () => {
      const queue = bytes()
      const stop = new ThreadSafeEvent()
      const ended = tasks.map((task) => finished(startWorker('async-partner', { handle: queue.handle, task, stop: stop.handle })))
      // These gets show that the workers run.
      for (let k = 0; k < 100; k++) assert.equal((await within('a short item', queue.get(), 20_000))[0], 1)
      let put = 0
      const putting = (async () => {
        for (; put < 20; put++) await queue.put(long)
      })()
      let shorts = 0
      let longs = 0
      const deadline = performance.now() + 20_000
      while (longs < 20) {
        assert.ok(performance.now() < deadline, `${longs} long items in 20 s, and ${shorts} short ones`)
        const item = await within('an item', queue.get(), 20_000)
        if (item.length === long.length) {
          longs++
          assert.deepEqual(item, long)
        } else {
          shorts++
        }
      }
      await within('the long puts', putting)
      // The short items must go on.
      for (let k = 0; k < 100; k++) assert.equal((await within('a short item', queue.get(), 20_000))[0], 1)
      stop.set()
      await drainUntil(queue, Promise.all(ended))
    })
  }

  it('both get in: a long put that blocks a worker against short ones of this loop and another worker', async () => {
    const queue = bytes()
    const stop = new ThreadSafeEvent()
    const small = finished(startWorker('async-partner', { handle: queue.handle, task: 'putBlocking', stop: stop.handle }))
    let going = true
    const here = (async () => {
      while (going) await queue.put(short)
    })()
    const large = finished(startWorker('async-partner', { handle: queue.handle, task: 'putOneLong', stop: stop.handle }))
    const deadline = performance.now() + 20_000
    let shorts = 0
    while ((await within('an item', queue.get(), 20_000)).length !== long.length) {
      shorts++
      assert.ok(performance.now() < deadline, `no long item in 20 s, and ${shorts} short ones`)
    }
    await large
    going = false
    stop.set()
    await drainUntil(queue, Promise.all([small, here]))
  })

  /** Makes room until the putters, which may be waiting for it, are done. */
  async function drainUntil(queue: ThreadSafeQueue<Uint8Array>, done: Promise<unknown>): Promise<void> {
    let over = false
    const ended = done.finally(() => (over = true))
    const deadline = performance.now() + 20_000
    while (!over) {
      while (queue.tryGet());
      assert.ok(performance.now() < deadline, 'after 20 s somebody still puts')
      await loopIterations(1)
    }
    await ended
  }
})
