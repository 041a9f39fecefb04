/**
 * `queue.forEach()` takes each item once, one after another, in line with gets, and leaves the loop
 * time for other work.
 */
import { strict as assert } from 'node:assert'
import { getEventListeners } from 'node:events'
import { QueueClosedError, ThreadSafeQueue } from '../../lib/index.js'
import { finished, rejection, startWorker, loopIterations, until, within } from '../support.js'

const numbers = (capacity = 8): ThreadSafeQueue<number, Float64Array> => new ThreadSafeQueue<number>(capacity, { type: 'float64' })

/** Makes an open queue with these items in it. */
function queueOf(...items: number[]): ThreadSafeQueue<number, Float64Array> {
  const queue = numbers(Math.max(8, items.length))
  queue.putManySync(items)
  return queue
}

function workFor(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

const uncaught: unknown[] = []
const note = (error: unknown): unknown => uncaught.push(error)

describe('forEach', () => {
  beforeEach(() => {
    uncaught.length = 0
    process.on('uncaughtException', note)
    process.on('unhandledRejection', note)
  })

  afterEach(async () => {
    await loopIterations()
    process.off('uncaughtException', note)
    process.off('unhandledRejection', note)
    assert.deepEqual(uncaught, [])
  })

  for (const type of ['float64', 'any'] as const) {
    it(`of ${type}: calls for each item in their order, until the queue is closed and drained`, async () => {
      const queue = new ThreadSafeQueue<unknown>(4, { type })
      const seen: unknown[] = []
      const all = queue.forEach((item) => seen.push(item))
      for (let k = 0; k < 100; k++) await queue.put(k)
      queue.close()
      assert.equal(await within('the end of forEach', all), undefined)
      assert.deepEqual(seen, [...Array(100).keys()])
    })
  }

  it('calls for each item that other threads put, while it waits, and gets in between', async () => {
    const queue = numbers(2)
    const worker = startWorker('for-each-producer', { handle: queue.handle, items: 20_000 })
    const seen: number[] = []
    await within(
      'the items of a worker',
      queue.forEach((item) => {
        seen.push(item)
        // This get may wait in the same line, and may be served before this function has returned.
        if (item % 7 === 0)
          queue.get({ timeout: 1 }).then(
            (other) => seen.push(other),
            () => undefined,
          )
      }),
      30_000,
    )
    await finished(worker)
    await until('the last items', () => seen.length === 20_000)
    assert.equal(new Set(seen).size, 20_000)
  })

  it('never calls before it has returned', async () => {
    const queue = queueOf(1)
    let returned = false
    const all = queue.forEach(() => assert.ok(returned))
    returned = true
    queue.close()
    await within('the end of forEach', all)
  })

  it('resolves at once for a queue that is closed and drained', async () => {
    const queue = numbers()
    queue.close()
    await within(
      'the end of forEach',
      queue.forEach(() => assert.fail('an item')),
    )
  })

  it('awaits what it calls before it takes the next item', async () => {
    const queue = queueOf(1, 2, 3)
    queue.close()
    const seen: number[] = []
    const all = queue.forEach(async (item) => {
      assert.equal(queue.qsize(), 3 - item)
      await loopIterations(1)
      assert.equal(queue.qsize(), 3 - item)
      seen.push(item)
    })
    await within('the end of forEach', all)
    assert.deepEqual(seen, [1, 2, 3])
  })

  it('takes items in a row if nothing must be awaited, whatever the function returns', async () => {
    const queue = queueOf(1, 2, 3, 4, 5)
    queue.close()
    const results: unknown[] = [{ then: 1 }, null, 'then', () => undefined, Symbol('then')]
    let iterations = 0
    const all = queue.forEach((item) => {
      if (item === 1) setImmediate(() => iterations++)
      assert.equal(iterations, 0)
      return results[item - 1]
    })
    await within('the end of forEach', all)
  })

  describe('rejects, has taken that item, and no more', () => {
    const error = new Error('of the user')
    const cases: [name: string, fn: (item: number) => unknown][] = [
      ['when the function throws', () => { throw error }], // prettier-ignore
      ['when its promise rejects', () => Promise.reject(error)],
      ['when its promise rejects later', () => loopIterations(1).then(() => { throw error })], // prettier-ignore
      // prettier-ignore
      ['when `then` is a getter that throws', () => ({ get then() { throw error } })],
      ['when `then` throws', () => ({ then: () => { throw error } })], // prettier-ignore
    ]
    for (const [name, fn] of cases) {
      it(name, async () => {
        const queue = queueOf(1, 2, 3)
        const all = queue.forEach((item) => (item === 2 ? fn(item) : undefined))
        assert.equal(await rejection(all), error)
        await loopIterations()
        assert.equal(queue.getSync(), 3)
        const { waitingGets, depth } = queue.stats()
        assert.deepEqual([waitingGets, depth], [0, 0])
      })
    }

    it('when the function throws an error of this package, which keeps its stack', async () => {
      const other = numbers(1)
      other.close()
      function useOther(): void {
        other.putSync(1)
      }
      const error = await rejection(queueOf(1).forEach(useOther))
      assert.ok(error instanceof QueueClosedError)
      assert.match(error.stack ?? '', /useOther/)
    })
  })

  describe('with a signal', () => {
    it('rejects with the reason if it is aborted already, and calls nothing', async () => {
      const queue = queueOf(1)
      const reason = new Error('early')
      assert.equal(await rejection(queue.forEach(() => assert.fail('an item'), { signal: AbortSignal.abort(reason) })), reason)
      assert.equal(queue.qsize(), 1)
    })

    it('aborted while it waits: takes no more', async () => {
      const queue = numbers()
      const controller = new AbortController()
      const all = queue.forEach(() => assert.fail('an item'), { signal: controller.signal })
      await loopIterations()
      controller.abort('enough')
      assert.equal(await rejection(all), 'enough')
      queue.putSync(1)
      await loopIterations()
      assert.equal(queue.qsize(), 1)
      assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
    })

    it('aborted by what it calls: takes no more', async () => {
      for (const later of [() => undefined, () => Promise.resolve(), () => Promise.reject(new Error('after the abort'))]) {
        const queue = queueOf(1, 2)
        const controller = new AbortController()
        const abort = (): unknown => {
          controller.abort('enough')
          return later()
        }
        assert.equal(await rejection(queue.forEach(abort, { signal: controller.signal })), 'enough')
        await loopIterations()
        assert.equal(queue.getSync(), 2)
        assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
      }
    })

    it('aborted by what it calls, which then throws: rejects with the reason', async () => {
      const controller = new AbortController()
      const all = queueOf(1).forEach(
        () => {
          controller.abort('enough')
          throw new Error('after the abort')
        },
        { signal: controller.signal },
      )
      assert.equal(await rejection(all), 'enough')
    })

    it('aborted while a promise is awaited: rejects at once, and takes nothing when that resolves', async () => {
      const queue = queueOf(1, 2)
      const controller = new AbortController()
      let resolve = (): void => undefined
      const all = queue.forEach(() => new Promise<void>((done) => (resolve = done)), { signal: controller.signal })
      await until('the first item', () => queue.qsize() === 1)
      controller.abort('enough')
      assert.equal(await rejection(all), 'enough')
      resolve()
      await loopIterations()
      assert.equal(queue.qsize(), 1)
    })
  })

  describe('in line with gets', () => {
    it('comes behind those that wait, and before those that come later', async () => {
      const queue = numbers()
      const seen: string[] = []
      const first = queue.get().then((item) => seen.push(`first ${item}`))
      const all = queue.forEach((item) => seen.push(`each ${item}`))
      const second = queue.get().then((item) => seen.push(`second ${item}`))
      queue.putManySync([1, 2, 3, 4])
      await within('the gets', Promise.all([first, second]))
      queue.close()
      await within('the end of forEach', all)
      assert.deepEqual(seen.sort(), ['each 2', 'each 4', 'first 1', 'second 3'])
    })

    it('is not overtaken by a get that is made right after it', async () => {
      const queue = queueOf(1, 2)
      const seen: number[] = []
      const all = queue.forEach((item) => seen.push(item))
      assert.equal(await within('a get', queue.get()), 2)
      queue.close()
      await within('the end of forEach', all)
      assert.deepEqual(seen, [1])
    })

    it('is served when another get of this thread has just left the line', async () => {
      const queue = numbers()
      const controller = new AbortController()
      const aborted = queue.get({ signal: controller.signal })
      await loopIterations()
      controller.abort('enough')
      assert.equal(await rejection(aborted), 'enough')
      await loopIterations()
      // This put rings no loop.
      queue.putSync(1)
      const seen: number[] = []
      const all = queue.forEach((item) => seen.push(item))
      await until('the item', () => seen.length === 1)
      queue.close()
      await within('the end of forEach', all)
    })

    it('alternates with another', async () => {
      const queue = queueOf(1, 2, 3, 4, 5, 6)
      const seen: number[][] = [[], []]
      const both = seen.map((mine) => queue.forEach((item) => mine.push(item)))
      queue.close()
      await within('the end of both', Promise.all(both))
      assert.deepEqual(seen, [[1, 3, 5], [2, 4, 6]]) // prettier-ignore
    })

    it('lets what it calls get from the same queue, await that, and begin another', async () => {
      const queue = queueOf(1, 2, 3, 4)
      const seen: string[] = []
      let inner: Promise<void> | undefined
      const all = queue.forEach(async (item) => {
        seen.push(`each ${item}`)
        if (item === 1) seen.push(`got ${await queue.get()}`)
        inner ??= queue.forEach((other) => void seen.push(`inner ${other}`))
        queue.close()
      })
      await within('the end of forEach', all)
      await within('the end of the inner one', inner as Promise<void>)
      assert.deepEqual(seen, ['each 1', 'got 2', 'inner 3', 'each 4'])
    })

    it('counts as one waiting get, and as none while it deals with an item', async () => {
      const queue = numbers()
      let finish = (): void => undefined
      const all = queue.forEach(() => new Promise<void>((resolve) => (finish = resolve)))
      await until('its waiting', () => queue.stats().waitingGets === 1)
      queue.putSync(1)
      await until('its work', () => queue.stats().waitingGets === 0 && queue.empty())
      finish()
      await until('its waiting again', () => queue.stats().waitingGets === 1)
      queue.close()
      await within('the end of forEach', all)
      await until('that nothing waits', () => queue.stats().waitingGets === 0)
    })
  })

  it('ends when what it calls closes the queue, with or without the items that are left', async () => {
    for (const discard of [false, true]) {
      const queue = queueOf(1, 2, 3)
      const seen: number[] = []
      const all = queue.forEach((item) => {
        seen.push(item)
        queue.close({ discard })
      })
      await within('the end of forEach', all)
      assert.deepEqual(seen, discard ? [1] : [1, 2, 3])
    }
  })

  it('leaves the loop time for other work', async () => {
    const queue = queueOf(...Array(400).keys())
    queue.close()
    let iterations = 0
    let longest = 0
    let last = performance.now()
    const iterate = (): void => {
      iterations++
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
      if (!queue.empty()) setImmediate(iterate)
    }
    setImmediate(iterate)
    await within(
      'the end of forEach',
      queue.forEach(() => workFor(0.1)),
    )
    // 40 ms of work give 40 iterations, or fewer on a busy machine.
    assert.ok(iterations >= 10, `${iterations} iterations, with ${longest} ms between two`)
  })

  it('starves neither a forEach of another queue nor a for await', async () => {
    const [one, other, third] = [queueOf(...Array(500).keys()), queueOf(...Array(500).keys()), queueOf(...Array(500).keys())]
    for (const queue of [one, other, third]) queue.close()
    const first = one.forEach(() => workFor(0.05)).then(() => other.qsize())
    const second = other.forEach(() => workFor(0.05)).then(() => one.qsize())
    const iterated = (async () => {
      for await (const item of third) workFor(item < 0 ? 0 : 0.05)
    })()
    const [left, right] = await within('the end of both', Promise.all([first, second]))
    assert.ok(left < 250 && right < 250, `${left} and ${right} of 500 items were left when the other had done with its own`)
    await within('the end of a for await', iterated)
  })

  it('refuses a wrong function, and wrong options', async () => {
    const queue = numbers()
    for (const [args, message] of [
      [[1], /"fn" argument must be a function/],
      [[undefined], /"fn" argument must be a function/],
      [[() => undefined, 1], /"options" argument must be an object/],
      [[() => undefined, { signal: 1 }], /"options.signal" argument must be an AbortSignal/],
    ] as [unknown[], RegExp][]) {
      const error = (await rejection((queue.forEach as (...args: unknown[]) => Promise<void>).apply(queue, args))) as TypeError
      assert.ok(error instanceof TypeError)
      assert.match(error.message, message)
    }
    assert.equal(queue.stats().waitingGets, 0)
  })
})
