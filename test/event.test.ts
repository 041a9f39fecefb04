/** The event, in one thread and between threads. */
import { strict as assert } from 'node:assert'
import { getEventListeners } from 'node:events'
import { ThreadSafeEvent, ThreadSafeQueue, TimeoutError } from '../lib/index.js'
import { finished, rejection, startWorker, thrown, loopIterations, until, within } from './support.js'

describe('an event', () => {
  it('is not set at first, is set from set() until clear(), and both may be called twice', () => {
    const event = new ThreadSafeEvent()
    assert.equal(event.isSet(), false)
    event.clear()
    assert.equal(event.isSet(), false)
    event.set()
    assert.equal(event.isSet(), true)
    event.set()
    assert.equal(event.isSet(), true)
    event.clear()
    assert.equal(event.isSet(), false)
    event.clear()
    assert.equal(event.isSet(), false)
  })

  it('is the same through every object that is made of its handle', async () => {
    const event = new ThreadSafeEvent()
    const other = ThreadSafeEvent.from(event.handle)
    const third = ThreadSafeEvent.from(structuredClone(event.handle))
    const waits = [event.wait(), other.wait(), third.wait()]
    other.set()
    assert.equal(event.isSet(), true)
    assert.equal(third.waitSync(), true)
    await within('waits of all objects', Promise.all(waits))
    third.clear()
    assert.equal(event.isSet(), false)
  })

  it('while set, makes nobody wait: neither synchronously nor by a promise, which needs no iteration of the loop', async () => {
    const event = new ThreadSafeEvent()
    event.set()
    assert.equal(event.waitSync(), true)
    assert.equal(event.waitSync({ timeout: 0 }), true)
    assert.equal(event.waitSync({ timeout: 1 }), true)
    let iterated = false
    setImmediate(() => (iterated = true))
    for (let k = 0; k < 100; k++) {
      assert.equal(await event.wait(), undefined)
      await event.wait({ timeout: 0 })
      await event.wait({ signal: new AbortController().signal })
    }
    assert.equal(iterated, false)
  })

  it('returns itself from ref() and unref()', () => {
    const event = new ThreadSafeEvent()
    assert.equal(event.ref(), event)
    assert.equal(event.unref(), event)
  })

  it('wakes all waiters of a loop, though clear() follows at once', async () => {
    const event = new ThreadSafeEvent()
    const waits = Array.from({ length: 100 }, () => event.wait())
    event.set()
    event.clear()
    const late = event.wait({ timeout: 20 })
    await within('all who waited at that moment', Promise.all(waits))
    // The call made after clear() was not waiting when the event was set.
    assert.ok((await rejection(late)) instanceof TimeoutError)
    assert.equal(event.isSet(), false)
  })

  it('wakes those who wait in each round, though they wait again at once', async () => {
    const event = new ThreadSafeEvent()
    const ROUNDS = 2000
    let woken = 0
    const wait = async (): Promise<void> => {
      for (let k = 0; k < ROUNDS; k++) {
        await event.wait()
        woken++
      }
    }
    const waiters = [wait(), wait(), wait()]
    for (let round = 1; round <= ROUNDS; round++) {
      event.set()
      event.clear()
      const expected = 3 * round
      while (woken < expected) await new Promise(setImmediate)
      assert.equal(woken, expected)
    }
    await Promise.all(waiters)
  })

  it('resolves waits in the order in which they were made', async () => {
    const event = new ThreadSafeEvent()
    const order: number[] = []
    const waits = Array.from({ length: 10 }, (_, k) => event.wait().then(() => order.push(k)))
    event.set()
    await within('all waits', Promise.all(waits))
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('can be set and cleared any number of times', () => {
    const event = new ThreadSafeEvent()
    for (let k = 0; k < 100_000; k++) {
      event.set()
      assert.equal(event.isSet(), true)
      event.clear()
      assert.equal(event.isSet(), false)
    }
  })
})

describe('waiting for an event no longer than', () => {
  for (const timeout of [0, 0.01, 1, 30]) {
    it(`${timeout} ms, blocking: false`, () => {
      const event = new ThreadSafeEvent()
      const start = performance.now()
      assert.equal(event.waitSync({ timeout }), false)
      assert.ok(performance.now() - start >= timeout - 1)
    })

    it(`${timeout} ms: TimeoutError`, async () => {
      const event = new ThreadSafeEvent()
      const start = performance.now()
      const error = await rejection(event.wait({ timeout }))
      assert.ok(error instanceof TimeoutError)
      assert.equal(error.code, 'ERR_TIMEOUT')
      // Node's timers count whole milliseconds of the loop's clock.
      assert.ok(performance.now() - start >= timeout - 2)
    })
  }

  it('the shortest first, whatever the order of the calls', async () => {
    const event = new ThreadSafeEvent()
    const order: number[] = []
    const waits = [60, 5, 30].map((timeout) => event.wait({ timeout }).catch(() => order.push(timeout)))
    await within('all timeouts', Promise.all(waits))
    assert.deepEqual(order, [5, 30, 60])
  })

  it('a month, which is longer than a timer of Node can be', async () => {
    const event = new ThreadSafeEvent()
    const wait = event.wait({ timeout: 31 * 24 * 3600 * 1000 })
    await loopIterations()
    event.set()
    await within('the wait', wait)
  })

  it('a time that is unaffected by other options', () => {
    const event = new ThreadSafeEvent()
    const options = { timeout: 10, block: false }
    assert.equal(event.waitSync(options), false)
  })

  it('a time, with an error that nobody else sees', async () => {
    const event = new ThreadSafeEvent()
    const short = event.wait({ timeout: 1 })
    const long = event.wait()
    assert.ok((await rejection(short)) instanceof TimeoutError)
    event.set()
    event.clear()
    await within('the other wait', long)
  })
})

describe('cancelling a wait for an event', () => {
  it('before it: rejects with the reason, though the event is set', async () => {
    const event = new ThreadSafeEvent()
    event.set()
    const reason = { why: 'no longer' }
    assert.equal(await rejection(event.wait({ signal: AbortSignal.abort(reason) })), reason)
  })

  it('while it waits: rejects with the reason itself, and the others go on', async () => {
    const event = new ThreadSafeEvent()
    for (const reason of [new Error('why'), 'text', null, { a: 1 }]) {
      const controller = new AbortController()
      const before = event.wait()
      const cancelled = event.wait({ signal: controller.signal })
      const after = event.wait()
      controller.abort(reason)
      assert.equal(await rejection(cancelled), reason)
      event.set()
      event.clear()
      await within('the other waits', Promise.all([before, after]))
    }
  })

  it('after set(), in the same iteration: is what came first', async () => {
    const event = new ThreadSafeEvent()
    const controller = new AbortController()
    const wait = event.wait({ signal: controller.signal })
    event.set()
    controller.abort()
    const outcome = await within('the outcome', wait.then(() => 'set', (error: unknown) => (error as Error).name)) // prettier-ignore
    assert.ok(outcome === 'set' || outcome === 'AbortError', outcome)
  })

  it('after it: does nothing, and the signal has no listener left', async () => {
    const event = new ThreadSafeEvent()
    const controller = new AbortController()
    const waits = Array.from({ length: 50 }, () => event.wait({ signal: controller.signal, timeout: 10_000 }))
    event.set()
    await within('all waits', Promise.all(waits))
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
    controller.abort()
    await loopIterations()
  })

  it('by AbortSignal.timeout()', async () => {
    const error = await rejection(new ThreadSafeEvent().wait({ signal: AbortSignal.timeout(5) }))
    assert.ok(error instanceof DOMException)
    assert.equal(error.name, 'TimeoutError')
  })

  it('leaves nothing behind that would delay the wake of a later wait', async () => {
    const event = new ThreadSafeEvent()
    for (let k = 0; k < 100; k++) {
      const controller = new AbortController()
      const cancelled = event.wait({ signal: controller.signal })
      controller.abort(k)
      assert.equal(await rejection(cancelled), k)
      const wait = event.wait()
      event.set()
      await within('the wait after a cancelled one', wait)
      event.clear()
    }
  })
})

describe('an event between threads', () => {
  const KINDS = [
    ['blocking', ['block', 'block', 'block']],
    ['awaiting', ['await', 'await', 'await']],
    ['blocking and awaiting', ['block', 'await', 'block']],
  ] as const

  for (const [what, kinds] of KINDS) {
    // Each worker takes its waits from a queue of its own, so that an early worker can't wait twice
    // in a round.
    const start = () => {
      const event = new ThreadSafeEvent()
      const reports = new ThreadSafeQueue<'waiting' | 'awake'>(100, { type: 'string' })
      const said = { waiting: 0, awake: 0 }
      const listening = (async () => {
        for await (const report of reports) said[report]++
      })()
      const waitsOfEach = kinds.map(() => new ThreadSafeQueue<'block' | 'await'>(1, { type: 'string' }))
      const ended = waitsOfEach.map(({ handle }) =>
        finished(
          startWorker('event-waiter', {
            event: event.handle,
            waits: handle,
            reports: reports.handle,
          }),
        ),
      )
      return {
        event,
        said,
        nextRound: () => kinds.forEach((kind, k) => waitsOfEach[k]?.putSync(kind)),
        async end(): Promise<void> {
          for (const queue of waitsOfEach) queue.close()
          await Promise.all(ended)
          reports.close()
          await listening
        },
      }
    }

    it(`wakes all ${what} workers and this loop, by set() alone`, async () => {
      const { event, said, nextRound, end } = start()
      for (let round = 1; round <= 20; round++) {
        nextRound()
        const expected = round * kinds.length
        await until(`${expected} waits`, () => said.waiting === expected, 20_000)
        const here = event.wait()
        event.set()
        await until(`${expected} waits that are over`, () => said.awake === expected)
        await within('the wait of this loop', here)
        event.clear()
      }
      await end()
    })

    it(`wakes all ${what} workers and this loop, though clear() follows at once, in many rounds`, async () => {
      const ROUNDS = 200
      const { event, said, nextRound, end } = start()
      let settings = 0
      for (let round = 1; round <= ROUNDS; round++) {
        nextRound()
        const expected = round * kinds.length
        await until(`${expected} waits`, () => said.waiting === expected, 20_000)
        const here = event.wait()
        // A worker says that it blocks before it does, so it may be late for one setting. The event
        // is therefore set as often as needed. A lost wake shows in the deadline, and in the number
        // of settings.
        const deadline = performance.now() + 10_000
        while (said.awake < expected) {
          event.set()
          event.clear()
          settings++
          const next = performance.now() + 50
          while (said.awake < expected && performance.now() < next) await loopIterations(1)
          assert.ok(performance.now() < deadline, `after 10 s ${said.awake} of ${expected} waits are over`)
        }
        await within('the wait of this loop', here)
      }
      await end()
      assert.ok(settings < 1.5 * ROUNDS, `${settings} settings for ${ROUNDS} rounds`)
    })
  }

  it('blocks this thread until a worker sets it', async () => {
    const event = new ThreadSafeEvent()
    const again = new ThreadSafeEvent()
    const ended = finished(startWorker('event-setter', { event: event.handle, again: again.handle }))
    assert.equal(event.waitSync({ timeout: 20_000 }), true)
    event.clear()
    again.set()
    assert.equal(event.waitSync(), true)
    await ended
  })

  it('does not show a set() that was cleared again', async () => {
    const event = new ThreadSafeEvent()
    event.set()
    event.clear()
    assert.equal(event.waitSync({ timeout: 5 }), false)
    assert.ok((await rejection(event.wait({ timeout: 5 }))) instanceof TimeoutError)
    assert.ok(thrown(() => event.waitSync({ timeout: -1 })) instanceof RangeError)
    await until('the event is as it was', () => !event.isSet())
  })
})
