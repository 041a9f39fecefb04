/**
 * A waiting call can be cancelled by a signal or a timeout. It has then taken and stored nothing.
 */
import { strict as assert } from 'node:assert'
import { getEventListeners, setMaxListeners } from 'node:events'
import { ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import { rejection, thrown, loopIterations, within } from '../support.js'
import { fullOf, isPending, isPendingNow, numbers } from '../queue/pending.js'

describe('cancelling', () => {
  /**
   * A call that waits on a queue which can't serve it, and a function that serves one such call.
   */
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
      it('before the call: rejects with the reason, though it need not have waited', async () => {
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

      it('rejects with the reason itself, whatever it is', async () => {
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

      it('with an error of this package, which stays as it is', async () => {
        for (const frozen of [false, true]) {
          const controller = new AbortController()
          const waiting = call(make(), { signal: controller.signal }, 1)
          const error = thrown(() => numbers(1).getSync()) as Error
          const { stack } = error
          if (frozen) Object.freeze(error)
          controller.abort(error)
          assert.equal(await rejection(waiting), error)
          assert.equal(error.stack, stack)
        }
      })

      it('by AbortSignal.timeout()', async () => {
        const error = await rejection(call(make(), { signal: AbortSignal.timeout(5) }, 1))
        assert.ok(error instanceof DOMException)
        assert.equal(error.name, 'TimeoutError')
      })

      it('when it could be served, but the loop has not run yet: has done nothing', async () => {
        const queue = make()
        const controller = new AbortController()
        const waiting = call(queue, { signal: controller.signal }, 100)
        assert.equal(await isPending(waiting), true)
        serve(queue, 7)
        const after = queue.qsize()
        controller.abort('no')
        assert.equal(await rejection(waiting), 'no')
        await loopIterations()
        assert.equal(queue.qsize(), after)
      })

      it('when it could be served, but the loop has not run yet: leaves the item or room to the next call', async () => {
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

      it('after it has settled: does nothing, and the signal has no listener left', async () => {
        const queue = make()
        const controller = new AbortController()
        const waiting = call(queue, { signal: controller.signal, timeout: 10_000 }, 3)
        serve(queue, 3)
        await within('the call', waiting)
        assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
        const size = queue.qsize()
        controller.abort()
        await loopIterations()
        assert.equal(queue.qsize(), size)
      })

      it('by a timeout: rejects with TimeoutError, not too early, and has done nothing', async () => {
        for (const timeout of [0, 0.5, 5, 30]) {
          const queue = make()
          const before = queue.qsize()
          const start = performance.now()
          const error = await rejection(call(queue, { timeout }, 1))
          // Node's timers count in whole milliseconds of the loop's clock.
          assert.ok(performance.now() - start >= timeout - 2)
          assert.ok(error instanceof TimeoutError)
          assert.equal(error.code, 'ERR_TIMEOUT')
          serve(queue, 1)
          await loopIterations()
          assert.equal(queue.qsize(), name === 'get' ? 1 : before - 1)
        }
      })

      it('by a timeout, in the middle of the line', async () => {
        const queue = make()
        const first = call(queue, {}, 10)
        const middle = call(queue, { timeout: 5 }, 20)
        const last = call(queue, { timeout: 60_000 }, 30)
        assert.ok((await rejection(middle)) instanceof TimeoutError)
        for (let k = 0; k < 2; k++) serve(queue, k)
        await within('the others', Promise.all([first, last]))
        if (name === 'put') assert.deepEqual([queue.getSync(), queue.getSync()], [10, 30])
      })

      it('by a timeout of a month, longer than a timer of Node can be: goes on waiting', async () => {
        const queue = make()
        const waiting = call(queue, { timeout: 31 * 24 * 3600 * 1000 }, 1)
        assert.equal(await isPending(waiting), true)
        serve(queue, 1)
        await within('the call', waiting)
      })

      it('together with a thousand others, by one signal', async () => {
        const queue = make()
        const before = queue.qsize()
        const controller = new AbortController()
        // Keeps Node from warning of so many listeners.
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
      // The short put keeps its place in the line, though there is room for it.
      assert.equal(await isPendingNow(short), true)
      controller.abort('no')
      await rejection(long)
      await within('the short put', short)
      assert.equal(queue.qsize(), 4)
    }
  })
})
