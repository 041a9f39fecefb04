/** The asynchronous face of a queue: who waits is served in order, can be cancelled, and learns of the end. */
import { strict as assert } from 'node:assert'
import { getEventListeners, setMaxListeners } from 'node:events'
import { QueueClosedError, ThreadSafeEvent, ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import { finished, rejection, startWorker, turns, within } from '../support.js'

const numbers = (capacity: number, type: 'int32' | 'any' = 'int32'): ThreadSafeQueue<number> =>
  new ThreadSafeQueue<number>(capacity, { type })

/** A queue with these items and no room for more. */
function fullOf(...items: number[]): ThreadSafeQueue<number> {
  const queue = numbers(items.length)
  for (const item of items) queue.putSync(item)
  return queue
}

/** Three objects of the same queue. */
function threeObjects<T>(queue: ThreadSafeQueue<T>): ThreadSafeQueue<T>[] {
  return [queue, ThreadSafeQueue.from(queue.handle), ThreadSafeQueue.from(structuredClone(queue.handle))]
}

function at<T>(list: T[], index: number): T {
  return list[index % list.length] as T
}

/** Whether it is settled after the loop has come round; whatever needed no more than that would be. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true
  promise.then(
    () => (pending = false),
    () => (pending = false),
  )
  await turns()
  return pending
}

// Cells and messages go different ways.
for (const type of ['int32', 'any'] as const) {
  describe(`asynchronous calls on a queue of ${type}`, () => {
    it('do not wait if they need not: they need no turn of the loop', async () => {
      const queue = numbers(100, type)
      /** Whether the loop came round meanwhile: it does after a millisecond of calls, which a busy machine may take. */
      const turnsWhile = async (): Promise<boolean> => {
        let turned = false
        const immediate = setImmediate(() => (turned = true))
        for (let k = 0; k < 100; k++) await queue.put(k)
        for (let k = 0; k < 100; k++) assert.equal(await queue.get(), k)
        clearImmediate(immediate)
        return turned
      }
      let tries = 100
      while (await turnsWhile()) assert.ok(--tries > 0, 'the loop came round each time')
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

    it('are served in the order in which they were made, through whatever object: gets', async () => {
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

    it('are served in the order in which they were made, through whatever object: puts', async () => {
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
      // The items are there, the loop has not come round: the second get could take one.
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

    it('wait for items that come from a call that does not wait, and for its room', async () => {
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

/** Whether it is pending after microtasks. */
async function isPendingNow(promise: Promise<unknown>): Promise<boolean> {
  const pending = {}
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending
}

describe('cancelling', () => {
  /** A call that waits on a queue which can't serve it, and what serves one such call. */
  const KINDS: [
    name: 'get' | 'put' | 'next',
    make: () => ThreadSafeQueue<number>,
    call: (queue: ThreadSafeQueue<number>, options: { signal?: AbortSignal; timeout?: number }, k: number) => Promise<unknown>,
    serve: (queue: ThreadSafeQueue<number>, k: number) => unknown,
  ][] = [
    ['get', () => numbers(8), (queue, options) => queue.get(options), (queue, k) => queue.putSync(k)],
    ['put', () => fullOf(-1, -2), (queue, options, k) => queue.put(k, options), (queue) => queue.getSync()],
  ]

  for (const [name, make, call, serve] of KINDS) {
    describe(`a ${name}`, () => {
      it('before it: rejects with the reason, though it need not have waited', async () => {
        for (const queue of [numbers(2), fullOf(1, 2), make()]) {
          const before = queue.qsize()
          const reason = { name }
          assert.equal(await rejection(call(queue, { signal: AbortSignal.abort(reason) }, 5)), reason)
          assert.equal(queue.qsize(), before)
        }
      })

      for (const position of [0, 1, 2]) {
        it(`while it waits as number ${position} of three: has done nothing, and the others go on in order`, async () => {
          const queue = make()
          const before = queue.qsize()
          const controller = new AbortController()
          const settled: number[] = []
          const calls = [0, 1, 2].map((k) => call(queue, k === position ? { signal: controller.signal } : {}, k))
          const others = calls.filter((_, k) => k !== position)
          others.forEach((other, k) => void other.then(() => settled.push(k)))
          assert.equal(await isPending(Promise.race(calls)), true)
          const reason = new Error('why')
          controller.abort(reason)
          assert.equal(await rejection(calls[position] as Promise<unknown>), reason)
          assert.equal(queue.qsize(), before)
          for (let k = 0; k < 2; k++) serve(queue, k)
          const results = await within('the others', Promise.all(others))
          assert.deepEqual(settled, [0, 1])
          if (name === 'get') assert.deepEqual(results, [0, 1])
          else
            assert.deepEqual(
              [queue.getSync(), queue.getSync()],
              [0, 1, 2].filter((k) => k !== position),
            )
          assert.equal(queue.qsize(), 0)
        })
      }

      it('rejects with the very reason, whatever it is', async () => {
        for (const reason of [new Error('why'), 'text', 0, null, { a: 1 }, Symbol('s')]) {
          const controller = new AbortController()
          const queue = make()
          const waiting = call(queue, { signal: controller.signal }, 1)
          controller.abort(reason)
          assert.equal(await rejection(waiting), reason)
          assert.equal(await rejection(call(queue, { signal: controller.signal }, 1)), reason)
        }
        const controller = new AbortController()
        const waiting = call(make(), { signal: controller.signal }, 1)
        controller.abort()
        const error = await rejection(waiting)
        assert.equal(error, controller.signal.reason)
        assert.equal((error as Error).name, 'AbortError')
      })

      it('by the signal of a time', async () => {
        const error = await rejection(call(make(), { signal: AbortSignal.timeout(5) }, 1))
        assert.ok(error instanceof DOMException)
        assert.equal(error.name, 'TimeoutError')
      })

      it('when it could be served, but the loop has not come round: has done nothing', async () => {
        const queue = make()
        const controller = new AbortController()
        const waiting = call(queue, { signal: controller.signal }, 100)
        assert.equal(await isPending(waiting), true)
        serve(queue, 7)
        const after = queue.qsize()
        controller.abort('no')
        assert.equal(await rejection(waiting), 'no')
        await turns()
        assert.equal(queue.qsize(), after)
      })

      it('when it could be served, but the loop has not come round: leaves it to the next', async () => {
        const queue = make()
        const controller = new AbortController()
        const first = call(queue, { signal: controller.signal }, 100)
        const second = call(queue, {}, 200)
        assert.equal(await isPending(Promise.race([first, second])), true)
        serve(queue, 7)
        controller.abort('no')
        assert.equal(await rejection(first), 'no')
        await within('the second call', second)
      })

      it('after it: does nothing, and the signal has no listener left', async () => {
        const queue = make()
        const controller = new AbortController()
        const waiting = call(queue, { signal: controller.signal, timeout: 10_000 }, 3)
        serve(queue, 3)
        await within('the call', waiting)
        assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
        const size = queue.qsize()
        controller.abort()
        await turns()
        assert.equal(queue.qsize(), size)
      })

      it('by a time: rejects with TimeoutError, not before it, and has done nothing', async () => {
        for (const timeout of [0, 0.5, 5, 30]) {
          const queue = make()
          const before = queue.qsize()
          const start = performance.now()
          const error = await rejection(call(queue, { timeout }, 1))
          // Timers of Node's count whole milliseconds of the loop's clock.
          assert.ok(performance.now() - start >= timeout - 2)
          assert.ok(error instanceof TimeoutError)
          assert.equal(error.code, 'ERR_TIMEOUT')
          serve(queue, 1)
          await turns()
          assert.equal(queue.qsize(), name === 'get' ? 1 : before - 1)
        }
      })

      it('by a time, in the middle of the line', async () => {
        const queue = make()
        const first = call(queue, {}, 10)
        const middle = call(queue, { timeout: 5 }, 20)
        const last = call(queue, { timeout: 60_000 }, 30)
        assert.ok((await rejection(middle)) instanceof TimeoutError)
        for (let k = 0; k < 2; k++) serve(queue, k)
        await within('the others', Promise.all([first, last]))
        if (name === 'put') assert.deepEqual([queue.getSync(), queue.getSync()], [10, 30])
      })

      it('by a month, which is longer than a timer of Node can be: goes on', async () => {
        const queue = make()
        const waiting = call(queue, { timeout: 31 * 24 * 3600 * 1000 }, 1)
        assert.equal(await isPending(waiting), true)
        serve(queue, 1)
        await within('the call', waiting)
      })

      it('a thousand at once, by one signal', async () => {
        const queue = make()
        const before = queue.qsize()
        const controller = new AbortController()
        // Else Node warns of so many listeners.
        setMaxListeners(0, controller.signal)
        const calls = Array.from({ length: 1000 }, (_, k) => call(queue, { signal: controller.signal }, k))
        controller.abort('all')
        for (const one of calls) assert.equal(await rejection(one), 'all')
        assert.equal(queue.qsize(), before)
        const next = call(queue, {}, 5)
        serve(queue, 5)
        await within('a call after them', next)
      })
    })
  }

  it('a long put at the head of the line lets the short one behind it in', async () => {
    for (const how of ['signal', 'timeout'] as const) {
      const queue = new ThreadSafeQueue<Uint8Array>(4, { type: 'bytes', itemBytes: 8 })
      for (let k = 0; k < 3; k++) queue.putSync(new Uint8Array([k]))
      const controller = new AbortController()
      const long = queue.put(new Uint8Array(30), how === 'signal' ? { signal: controller.signal } : { timeout: 20 })
      const short = queue.put(new Uint8Array([9]))
      // It has its place in the line, though there is room for it.
      assert.equal(await isPendingNow(short), true)
      controller.abort('no')
      await rejection(long)
      await within('the short put', short)
      assert.equal(queue.qsize(), 4)
    }
  })
})

describe('closing', () => {
  it('fails all waiting gets', async () => {
    const queue = numbers(3)
    const objects = threeObjects(queue)
    const gets = Array.from({ length: 10 }, (_, k) => rejection(at(objects, k).get(k % 2 ? { timeout: 60_000 } : undefined)))
    queue.close()
    for (const error of await within('all gets', Promise.all(gets))) assert.ok(error instanceof QueueClosedError)
  })

  it('fails all waiting puts, and what is there can be got', async () => {
    const queue = fullOf(1, 2)
    const objects = threeObjects(queue)
    const puts = Array.from({ length: 10 }, (_, k) => rejection(at(objects, k).put(k, k % 2 ? { timeout: 60_000 } : undefined)))
    queue.close()
    for (const error of await within('all puts', Promise.all(puts))) assert.ok(error instanceof QueueClosedError)
    assert.deepEqual([await queue.get(), await queue.get({ timeout: 0 })], [1, 2])
    assert.ok((await rejection(queue.get())) instanceof QueueClosedError)
    assert.ok((await rejection(queue.put(1))) instanceof QueueClosedError)
  })

  it('fails waiting puts also when there is room by then', async () => {
    const queue = fullOf(1)
    const put = rejection(queue.put(2))
    queue.close()
    assert.equal(queue.getSync(), 1)
    assert.ok((await put) instanceof QueueClosedError)
    assert.ok((await rejection(queue.get())) instanceof QueueClosedError)
  })

  it('lets waiting gets take what came before', async () => {
    const queue = numbers(3)
    const gets = [queue.get(), queue.get()]
    const late = rejection(queue.get())
    queue.putSync(1)
    queue.putSync(2)
    queue.close()
    assert.deepEqual(await within('two gets', Promise.all(gets)), [1, 2])
    assert.ok((await late) instanceof QueueClosedError)
  })

  it('is what a get that does not wait learns, also behind one that waits', async () => {
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

  it('by another thread, wakes who waits in this one', async () => {
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

describe('iterating', () => {
  const all = async (queue: ThreadSafeQueue<number>): Promise<number[]> => {
    const items: number[] = []
    for await (const item of queue) items.push(item)
    return items
  }

  it('ends when the queue is closed and drained', async () => {
    const queue = fullOf(1, 2, 3)
    queue.close()
    assert.deepEqual(await all(queue), [1, 2, 3])
    assert.deepEqual(await all(queue), [])
  })

  it('ends when the queue is closed while it waits', async () => {
    const queue = numbers(2)
    const items = all(queue)
    await queue.put(1)
    assert.equal(await isPending(items), true)
    queue.putSync(2)
    queue.close()
    assert.deepEqual(await within('the end of the iteration', items), [1, 2])
  })

  it('loses no item by break, return or an error', async () => {
    const queue = fullOf(1, 2, 3, 4, 5)
    for await (const item of queue) {
      assert.equal(item, 1)
      break
    }
    const leave = async (): Promise<number> => {
      for await (const item of queue) return item
      return -1
    }
    assert.equal(await leave(), 2)
    const fail = async (): Promise<void> => {
      for await (const item of queue) throw new Error(`at ${item}`)
    }
    assert.equal(((await rejection(fail())) as Error).message, 'at 3')
    await turns()
    assert.equal(queue.qsize(), 2)
    queue.close()
    assert.deepEqual(await all(queue), [4, 5])
  })

  it('return() while a next() is pending ends that next() with done, and takes nothing', async () => {
    const queue = numbers(2)
    const iterator = queue[Symbol.asyncIterator]()
    const pending = [iterator.next(), iterator.next()]
    assert.equal(await isPending(Promise.race(pending)), true)
    // An item is there by now, and the loop has not come round.
    queue.putSync(1)
    assert.deepEqual(await iterator.return?.(), { value: undefined, done: true })
    for (const result of await within('both', Promise.all(pending))) assert.deepEqual(result, { value: undefined, done: true })
    assert.deepEqual(await iterator.next(), { value: undefined, done: true })
    await turns()
    assert.equal(queue.qsize(), 1)
    // The end of that iteration is not the end of the queue.
    assert.equal(await queue.get(), 1)
    assert.equal(queue.closed, false)
  })

  it('return() is the end also when nothing is pending', async () => {
    const queue = fullOf(1, 2)
    const iterator = queue[Symbol.asyncIterator]()
    assert.deepEqual(await iterator.next(), { value: 1, done: false })
    assert.deepEqual(await iterator.return?.(), { value: undefined, done: true })
    assert.deepEqual(await iterator.return?.(), { value: undefined, done: true })
    assert.deepEqual(await iterator.next(), { value: undefined, done: true })
    assert.equal(queue.qsize(), 1)
  })

  it('return() leaves the calls of others in the line', async () => {
    const queue = numbers(4)
    const one = queue[Symbol.asyncIterator]()
    const other = queue[Symbol.asyncIterator]()
    const results = [one.next(), other.next(), queue.get(), one.next(), other.next()]
    await one.return?.()
    for (const item of [1, 2, 3]) queue.putSync(item)
    assert.deepEqual(await within('all', Promise.all(results)), [
      { value: undefined, done: true },
      { value: 1, done: false },
      2,
      { value: undefined, done: true },
      { value: 3, done: false },
    ])
  })

  it('return() of an iterator whose next() has just been served does no harm to the line', async () => {
    const queue = numbers(4)
    const iterator = queue[Symbol.asyncIterator]()
    const first = queue.get().then(() => iterator.return?.())
    const served = iterator.next()
    const others = [queue.get(), queue.get()]
    assert.equal(await isPending(Promise.race([first, served, ...others])), true)
    // Both are served in one turn: the first one's continuation runs before the second's.
    queue.putSync(1)
    queue.putSync(2)
    await within('the first two', Promise.all([first, served]))
    assert.deepEqual(await served, { value: 2, done: false })
    queue.putSync(3)
    queue.putSync(4)
    assert.deepEqual(await within('those behind', Promise.all(others)), [3, 4])
  })

  it('serves several next() at once in order, and ends them all', async () => {
    const queue = numbers(4)
    const iterator = queue[Symbol.asyncIterator]()
    assert.equal(iterator[Symbol.asyncIterator](), iterator)
    const results = Array.from({ length: 5 }, () => iterator.next())
    for (const item of [1, 2, 3]) queue.putSync(item)
    queue.close()
    assert.deepEqual(
      (await within('all', Promise.all(results))).map(({ value, done }) => [value as unknown, done]),
      [[1, false], [2, false], [3, false], [undefined, true], [undefined, true]],
    ) // prettier-ignore
    assert.deepEqual(await iterator.next(), { value: undefined, done: true })
  })

  it('by several loops gives each item to one of them', async () => {
    const queue = numbers(3)
    const lists = [all(queue), all(ThreadSafeQueue.from(queue.handle)), all(queue)]
    for (let k = 0; k < 500; k++) await queue.put(k)
    queue.close()
    const items = (await within('all loops', Promise.all(lists))).flat().sort((a, b) => a - b)
    assert.deepEqual(
      items,
      Array.from({ length: 500 }, (_, k) => k),
    )
  })
})

describe('a loop over calls that never have to wait', () => {
  const LONGEST = 10_000

  /** Runs the step until a timer and an immediate have had their turn; fails when they had none for long. */
  async function isInterrupted(step: () => Promise<unknown>): Promise<void> {
    let timers = 0
    let immediates = 0
    const timer = setInterval(() => timers++, 1)
    setImmediate(() => immediates++)
    const start = performance.now()
    // Were the loop starved, no timer could end this test.
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

describe('long and short items that wait for room', () => {
  const SLOT = 8
  const long = new Uint8Array(4 * SLOT).fill(2)
  const short = new Uint8Array([1])
  const bytes = (): ThreadSafeQueue<Uint8Array> => {
    const queue = new ThreadSafeQueue<Uint8Array>(4, { type: 'bytes', itemBytes: SLOT })
    while (queue.tryPut(short));
    return queue
  }

  it('get in in their order within a thread', async () => {
    const queue = bytes()
    const sizes = [1, 32, 1, 20, 1, 1, 32, 8]
    const puts = sizes.map((size) => queue.put(new Uint8Array(size)))
    const got: number[] = []
    for (let k = 0; k < 4 + sizes.length; k++) got.push((await within('an item', queue.get())).length)
    assert.deepEqual(got, [1, 1, 1, 1, ...sizes])
    await within('all puts', Promise.all(puts))
  })

  // The short ones would take each slot that falls free, if nobody cared for the long one.
  const TASKS = [['putBlocking'], ['putAwaiting'], ['putBlocking', 'putAwaiting']] as const
  for (const tasks of TASKS) {
    it(`both get in: a long put of this loop against workers that ${tasks.join(' and ')} short ones`, async () => {
      const queue = bytes()
      const stop = new ThreadSafeEvent()
      const ended = tasks.map((task) => finished(startWorker('async-partner', { handle: queue.handle, task, stop: stop.handle })))
      // The workers run.
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
      // And the short ones go on.
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

  /** Makes room until they, who may wait for some, are done. */
  async function drainUntil(queue: ThreadSafeQueue<Uint8Array>, done: Promise<unknown>): Promise<void> {
    let over = false
    const ended = done.finally(() => (over = true))
    const deadline = performance.now() + 20_000
    while (!over) {
      while (queue.tryGet());
      assert.ok(performance.now() < deadline, 'after 20 s somebody still puts')
      await turns(1)
    }
    await ended
  }
})
