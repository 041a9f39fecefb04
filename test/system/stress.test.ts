/**
 * Many contexts act at once, for a long time. Each item is got exactly once, in the order of its
 * producer, and nobody is left waiting.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { QueueClosedError, ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import { CLOSE_THREADS, CloseRace } from '../fixtures/stress-close-race.js'
import { idOf, makeItem, type StressType } from '../fixtures/stress-items.js'
import { Ledger } from '../fixtures/stress-ledger.js'
import type { StressRole } from '../fixtures/stress-worker.js'
import { finished, random, SHARE, startWorker, within } from '../support.js'

const PATIENCE = 120_000

async function allFinished(workers: Worker[]): Promise<void> {
  await Promise.all(workers.map((worker) => finished(worker, PATIENCE)))
}

describe('stress', function () {
  this.timeout(2 * PATIENCE)

  const workers: Worker[] = []

  function start(task: StressRole): Worker {
    const worker = startWorker('stress-worker', task)
    workers.push(worker)
    return worker
  }

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
  })

  it('moves two million numbers between four blocking producers and four blocking consumers', async () => {
    const producers = 4
    const each = 500_000
    const queue = new ThreadSafeQueue<number>(7, { type: 'float64' })
    const ledger = Ledger.create(producers, each)
    const consuming = Array.from({ length: 4 }, () =>
      start({ role: 'consume', queue: queue.handle, type: 'float64', ledger: ledger.shared }),
    )
    const producing = Array.from({ length: producers }, (_, producer) =>
      start({ role: 'produce', queue: queue.handle, type: 'float64', producer, each }),
    )
    const consumed = allFinished(consuming)
    await allFinished(producing)
    queue.close()
    await consumed
    assert.deepEqual(ledger.report(), { taken: producers * each, duplicates: 0, disordered: 0, damaged: 0 })
    assert.equal(queue.qsize(), 0)
  })

  const mixes: { type: StressType; each: number; capacity: number }[] = [
    { type: 'float64', each: 60_000, capacity: 16 },
    { type: 'any', each: 15_000, capacity: 16 },
    // There are eight slots of 64 bytes and items of up to 504. Most items span slots, and the
    // longest need the whole queue.
    { type: 'bytes', each: 15_000, capacity: 8 },
  ]

  for (const { type, each, capacity } of mixes) {
    it(`mixes blocking workers, this event loop and an iterating worker on a queue of type ${type}`, async () => {
      const producers = 3
      const queue = new ThreadSafeQueue(capacity, { type })
      const ledger = Ledger.create(producers, each)
      const task = { queue: queue.handle, type, ledger: ledger.shared }
      const consuming = [start({ role: 'consume', ...task }), start({ role: 'iterate', ...task })]
      const producing = [0, 1].map((producer) => start({ role: 'produce', queue: queue.handle, type, producer, each }))

      async function putHere(): Promise<void> {
        for (let id = 2 * each; id < 3 * each; id++) await queue.put(makeItem(type, id))
      }
      async function getHere(): Promise<void> {
        const here = new Ledger(ledger.shared)
        try {
          for (;;) here.take(idOf(type, await queue.get()))
        } catch (error) {
          if (!(error instanceof QueueClosedError)) throw error
        }
      }

      const consumed = Promise.all([allFinished(consuming), getHere()])
      await within('the end of all puts', Promise.all([allFinished(producing), putHere()]), PATIENCE)
      queue.close()
      await within('the end of all gets', consumed, PATIENCE)
      assert.deepEqual(ledger.report(), { taken: producers * each, duplicates: 0, disordered: 0, damaged: 0 })
    })
  }

  describe('an item passed to and fro through queues of capacity 1', () => {
    it('between two workers', async () => {
      const rounds = 100_000
      const there = new ThreadSafeQueue<number>(1, { type: 'float64' })
      const back = new ThreadSafeQueue<number>(1, { type: 'float64' })
      const ledger = Ledger.create(1, rounds)
      const echoed = finished(start({ role: 'echo', queue: there.handle, back: back.handle }), PATIENCE)
      await finished(start({ role: 'ping', queue: there.handle, back: back.handle, ledger: ledger.shared }), PATIENCE)
      there.close()
      await echoed
      assert.deepEqual(ledger.report(), { taken: rounds, duplicates: 0, disordered: 0, damaged: 0 })
    })

    it('between this event loop and a worker', async () => {
      const rounds = 10_000
      const there = new ThreadSafeQueue<number>(1, { type: 'float64' })
      const back = new ThreadSafeQueue<number>(1, { type: 'float64' })
      const ended = finished(start({ role: 'echo', queue: there.handle, back: back.handle }), PATIENCE)
      for (let round = 0; round < rounds; round++) {
        await there.put(round)
        assert.equal(await within(`round ${round}`, back.get(), PATIENCE), round)
      }
      there.close()
      await ended
    })
  })

  describe('calls that are cancelled at random', () => {
    const gaveUp = new Error('gave up')

    /**
     * Makes that many calls, and cancels each at some moment, while it waits or after it has
     * settled. Resolves when all have settled.
     */
    async function callAndCancel(
      seed: number,
      rounds: number,
      call: (round: number, signal: AbortSignal, timeout: number) => Promise<void>,
    ): Promise<void> {
      const chance = random(seed)
      const cancellable: AbortController[] = []
      const settled: Promise<void>[] = []
      for (let round = 0; round < rounds; round++) {
        const controller = new AbortController()
        cancellable.push(controller)
        settled.push(call(round, controller.signal, chance() < 0.2 ? chance() * 3 : Infinity))
        if (cancellable.length > 24) cancellable.splice(Math.floor(chance() * cancellable.length), 1)[0]?.abort(gaveUp)
        if (chance() < 0.2) await setImmediate()
      }
      for (const controller of cancellable) controller.abort(gaveUp)
      await within('the end of all calls', Promise.all(settled), PATIENCE)
    }

    function expectGivenUp(error: unknown): void {
      if (error !== gaveUp && !(error instanceof TimeoutError)) throw error
    }

    it('100,000 gets take each item exactly once from a steady producer, together with an impatient worker', async () => {
      const most = 4_000_000
      const queue = new ThreadSafeQueue<number>(4, { type: 'float64' })
      const ledger = Ledger.create(1, most)
      const accepted = new SharedArrayBuffer(4)
      const all = [
        start({ role: 'steady', queue: queue.handle, most, accepted }),
        start({ role: 'impatient', queue: queue.handle, ledger: ledger.shared, seed: 11 }),
      ]
      const ended = allFinished(all)
      const cancelled = { count: 0 }
      let here = 0
      await callAndCancel(1, 100_000, async (_, signal, timeout) => {
        try {
          ledger.take(await queue.get({ signal, timeout }))
          here++
        } catch (error) {
          expectGivenUp(error)
          cancelled.count++
        }
      })
      queue.close()
      await ended
      for (let left = queue.closed; left;) {
        try {
          ledger.take(queue.getSync())
        } catch (error) {
          if (!(error instanceof QueueClosedError)) throw error
          left = false
        }
      }
      const [put] = new Int32Array(accepted)
      assert.deepEqual(ledger.report(), { taken: put, duplicates: 0, disordered: 0, damaged: 0 })
      assert.equal(here + cancelled.count, 100_000)
      assert.ok(here > 1000 && cancelled.count > 1000, `${here} items came here, ${cancelled.count} calls were cancelled`)
    })

    it('puts store exactly the items whose promises resolved', async () => {
      const rounds = 20_000
      const queue = new ThreadSafeQueue<number>(4, { type: 'float64' })
      const ledger = Ledger.create(1, rounds)
      const ended = finished(start({ role: 'impatient', queue: queue.handle, ledger: ledger.shared, seed: 12 }), PATIENCE)
      const stored: number[] = []
      const refused: number[] = []
      await callAndCancel(2, rounds, async (round, signal, timeout) => {
        try {
          await queue.put(round, { signal, timeout })
          stored.push(round)
        } catch (error) {
          expectGivenUp(error)
          refused.push(round)
        }
      })
      queue.close()
      await ended
      assert.deepEqual(ledger.report(), { taken: stored.length, duplicates: 0, disordered: 0, damaged: 0 })
      assert.deepEqual(
        stored.filter((round) => !ledger.has(round)),
        [],
      )
      assert.ok(stored.length > 0 && refused.length > 0, `${stored.length} stored, ${refused.length} refused`)
    })
  })

  it('wakes all who wait in four threads when one of them closes the queue, thousands of times', async () => {
    const rounds = 20_000 * SHARE
    const batch = 250
    const race = CloseRace.create(rounds)
    const racing = Array.from({ length: CLOSE_THREADS }, (_, thread) => startWorker('stress-close', { thread, race: race.shared }))
    workers.push(...racing)
    const ended = allFinished(racing)
    ended.catch(() => {})
    const here = new CloseRace(race.shared)
    const chance = random(5)
    for (let first = 0; first < rounds; first += batch) {
      const queues = Array.from({ length: batch }, (_, k) => {
        const type = k % 4 === 3 ? 'float64' : 'any'
        const queue = new ThreadSafeQueue<number>(1 + Math.floor(chance() * 3), { type })
        // Some queues are full at first, some empty.
        for (let id = 1; chance() < 0.5 && queue.tryPut(-id); id++) here.accepted(first + k, -id)
        return queue
      })
      const done = Promise.race([ended, Promise.all(racing.map((worker) => once(worker, 'message')))])
      for (const worker of racing) worker.postMessage({ first, handles: queues.map(({ handle }) => handle) })
      await within(`the end of the rounds from ${first}`, done, PATIENCE)
      queues.forEach((queue, k) => {
        // Takes the items that nobody has taken.
        for (let left = true; left;) {
          const item = thrownOr(() => queue.getSync())
          if (item instanceof QueueClosedError) left = false
          else here.taken(first + k, item as number)
        }
      })
    }
    for (const worker of racing) worker.postMessage(undefined)
    await ended
    assert.deepEqual(race.unequal(), [])
    const { woken, late } = race.wakes()
    assert.ok(woken > 3 * rounds, `${woken} were woken`)
    // A busy machine delays any thread now and then, a wake that is missed by the close delays
    // many.
    assert.ok(late <= woken / 100, `${late} of ${woken} were woken more than 100 ms after the close`)
  })
})

/** Returns what the call returns or throws. */
function thrownOr(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return error
  }
}
