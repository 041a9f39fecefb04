/** Many waiters: the cost of an item does not grow with their number, and none is forgotten. */
import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import { type QueueHandle, select, ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import { native } from '../../lib/addon/native.js'
import type { LoopsRole } from '../fixtures/loops-worker.js'
import { random, startWorker, loopIterations, until, within } from '../support.js'

const numbers = (capacity: number): ThreadSafeQueue<number, Float64Array> => new ThreadSafeQueue(capacity, { type: 'float64' })

/**
 * Workers with waiting loops, in several roles, and the queue through which the items come back.
 */
class Workers {
  readonly queue = numbers(1000)
  readonly taken = numbers(100_000)
  readonly #ends: Promise<unknown>[] = []

  async start(
    count: number,
    role: (common: { queue: QueueHandle<number>; taken: QueueHandle<number> }, k: number) => LoopsRole,
  ): Promise<Worker[]> {
    const started: Worker[] = []
    for (let k = 0; k < count; k++) {
      const worker = startWorker('loops-worker', role({ queue: this.queue.handle, taken: this.taken.handle }, k))
      this.#ends.push(once(worker, 'exit'))
      started.push(worker)
      await within('a worker that waits', once(worker, 'message'), 20_000)
    }
    await until('the calls of the workers', () => this.queue.stats().waitingGets >= count, 20_000)
    return started
  }

  async end(): Promise<void> {
    this.queue.close()
    await within('the end of the workers', Promise.all(this.#ends), 20_000)
  }
}

/** Returns the threads of this process, except for the main one. */
function otherThreads(): string[] {
  return process.platform === 'linux' ? readdirSync('/proc/self/task').filter((thread) => thread !== String(process.pid)) : []
}

/** Returns how often those threads have gone to sleep, in total. */
function sleeps(threads: readonly string[] = otherThreads()): number {
  let all = 0
  for (const thread of threads) {
    const status = readFileSync(`/proc/self/task/${thread}/status`, 'utf8')
    all += Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1])
  }
  return all
}

/** Resolves when the other threads no longer go to sleep, so that all are asleep. */
async function allSleep(): Promise<void> {
  let before = -1
  await until('the other threads to sleep', () => {
    const now = sleeps()
    const quiet = now === before
    before = now
    return quiet
  })
}

describe('one event loop that awaits a thousand queues', () => {
  /**
   * Returns the cost of an item put from elsewhere, in calls of the addon, while `waiting` queues
   * are awaited.
   */
  async function callsPerItem(waiting: number): Promise<number> {
    const queues = Array.from({ length: waiting }, () => new ThreadSafeQueue<string>(4))
    const idle = queues.slice(1).map((queue) => queue.get().catch(() => 'closed'))
    const queue = queues[0] as ThreadSafeQueue<string>
    const { get, getFirst, announce } = native.queue
    const functions = native.queue as { -readonly [Name in 'get' | 'getFirst' | 'announce']: (typeof native.queue)[Name] }
    const items = 50
    let calls = 0
    const counted =
      <Args extends unknown[], R>(call: (...args: Args) => R) =>
      (...args: Args): R => {
        calls++
        return call(...args)
      }
    Object.assign(functions, { get: counted(get), getFirst: counted(getFirst), announce: counted(announce) })
    try {
      // Waits until the calls that already wait have finished their work.
      for (let quiet = 0; quiet < 5; quiet++) {
        const before = calls
        await loopIterations()
        if (calls > before) quiet = 0
      }
      calls = 0
      for (let k = 0; k < items; k++) {
        const got = queue.get()
        setImmediate(() => queue.putSync(`item ${k}`))
        assert.equal(await within('the item', got), `item ${k}`)
      }
    } finally {
      Object.assign(functions, { get, getFirst, announce })
      for (const one of queues) one.close()
    }
    await Promise.all(idle)
    return calls / items
  }

  it('looks only at the one that it was rung for', async () => {
    const one = await callsPerItem(1)
    const thousand = await callsPerItem(1000)
    assert.ok(thousand <= one + 0.5, `an item takes ${thousand} looks beside 999 queues, and ${one} alone`)
  })

  it('learns of each of many that change at once', async () => {
    const queues = Array.from({ length: 200 }, () => numbers(4))
    const got = queues.map((queue) => queue.get())
    // All items are put in one loop iteration.
    queues.forEach((queue, k) => queue.putSync(k))
    assert.deepEqual(await within('all items', Promise.all(got)), [...queues.keys()])
  })

  it('looks at dozens that it was rung for at once, and not at the others', async () => {
    const idle = Array.from({ length: 300 }, () => numbers(4))
    const busy = Array.from({ length: 40 }, () => numbers(4))
    const waits = idle.map((queue) => queue.get().catch(() => 'closed'))
    const got = busy.map((queue) => queue.get())
    for (let k = 0; k < 3; k++) await loopIterations()
    const { announce } = native.queue
    const functions = native.queue as { -readonly [Name in 'announce']: (typeof native.queue)[Name] }
    let announced = 0
    functions.announce = (...args) => {
      announced++
      return announce(...args)
    }
    try {
      busy.forEach((queue, k) => queue.putSync(k))
      await within('all items', Promise.all(got))
    } finally {
      functions.announce = announce
      for (const queue of idle) queue.close()
    }
    await Promise.all(waits)
    assert.ok(announced < 50, `${announced} queues were looked at in vain, beside 40 that had an item`)
  })

  it('learns of events, and of the sources of a select', async () => {
    const queues = Array.from({ length: 30 }, () => numbers(4))
    const events = Array.from({ length: 30 }, () => new ThreadSafeEvent())
    for (const k of [0, 17, 29]) {
      const chosen = select([...queues, ...events])
      const set = events[k]?.wait() as Promise<void>
      await new Promise((resolve) => setImmediate(resolve))
      queues[k]?.putSync(k)
      assert.equal((await within('the selected', chosen)).index, k)
      events[k]?.set()
      await within('the event', set)
      events[k]?.clear()
    }
  })
})

describe('many event loops that await one queue', () => {
  const workers: Workers[] = []
  const newWorkers = (): Workers => {
    const one = new Workers()
    workers.push(one)
    return one
  }

  afterEach(async () => {
    for (const one of workers.splice(0)) await one.end()
  })

  it('are woken one by one, not all for each item', async function () {
    if (process.platform !== 'linux') this.skip()
    const all = newWorkers()
    const { queue, taken } = all
    // The threads of V8 are left out, as they work at any time.
    const others = new Set(otherThreads())
    await all.start(16, (common) => ({ role: 'steady', ...common }))
    const loops = otherThreads().filter((thread) => !others.has(thread))
    const items = 100
    const before = sleeps(loops)
    for (let k = 0; k < items; k++) {
      queue.putSync(k)
      assert.equal(await within('the item', taken.get()), k)
      await until('all to wait again', () => queue.stats().waitingGets === 16)
      await allSleep()
    }
    const woken = (sleeps(loops) - before) / items
    assert.ok(woken < 3, `16 loops await one queue, and ${woken} threads are woken for each item`)
  })

  it('do not wait for one of them that is busy in a callback', async () => {
    const all = newWorkers()
    const gate = new SharedArrayBuffer(8)
    const flags = new Int32Array(gate)
    await all.start(1, (common) => ({ role: 'steady', ...common }))
    const [blocked] = await all.start(1, (common) => ({ role: 'blocked', ...common, gate }))
    try {
      blocked?.postMessage('block')
      await until('the one that is busy', () => Atomics.load(flags, 1) === 1)
      for (let k = 0; k < 200; k++) {
        all.queue.putSync(k)
        assert.equal(await within('the item, taken by the other', all.taken.get()), k)
      }
    } finally {
      Atomics.store(flags, 0, 1)
      Atomics.notify(flags, 0)
    }
  })

  it('pass on a batch, though each of them is slow', async () => {
    const all = newWorkers()
    const count = 6
    await all.start(count, (common) => ({ role: 'slow', ...common, milliseconds: 3000 }))
    const start = performance.now()
    all.queue.putManySync(Array.from({ length: count }, (_, k) => k))
    const got: number[] = []
    for (let k = 0; k < count; k++) got.push(await within('an item of the batch', all.taken.get(), 2500))
    assert.deepEqual(got.sort(), [0, 1, 2, 3, 4, 5])
    assert.ok(performance.now() - start < 3000)
  })

  it('leave an item to another loop when their select takes from another queue', async () => {
    const all = newWorkers()
    const other = numbers(10)
    // Warms up, as the first calls take longer.
    for (const one of [all.queue, other]) for (let k = 0; k < 1000; k++) assert.equal((one.putSync(k), one.getSync()), k)
    await all.start(3, (common) => ({ role: 'selects', ...common, other: other.handle, milliseconds: 3000 }))
    await until('all to wait', () => other.stats().waitingGets === 3)
    await allSleep()
    // Both items come within the time that a loop needs to wake up.
    all.queue.putSync(1)
    other.putSync(2)
    const got = [await within('an item', all.taken.get(), 2500), await within('that of the other queue', all.taken.get(), 2500)]
    assert.deepEqual(got.sort(), [1, 2])
  })

  it('forget no item while some of them give up all the time', async () => {
    const all = newWorkers()
    await all.start(1, (common) => ({ role: 'steady', ...common }))
    await all.start(5, (common, seed) => ({ role: 'impatient', ...common, seed }))
    const next = random(1)
    for (let k = 0; k < 3000; k++) {
      const batch = Array.from({ length: 1 + Math.floor(next() * 3) }, () => k)
      all.queue.putManySync(batch)
      for (const item of batch) assert.equal(await within(`item ${k} of a batch of ${batch.length}`, all.taken.get()), item)
      if (next() < 0.3) await new Promise((resolve) => setTimeout(resolve, 1))
    }
  })

  it('forget no item while some of them are terminated', async () => {
    const all = newWorkers()
    await all.start(1, (common) => ({ role: 'steady', ...common }))
    for (let round = 0; round < 12; round++) {
      const victims = await all.start(3, (common) => ({ role: 'steady', ...common }))
      const ends = victims.map((victim) => once(victim, 'exit'))
      let stopped = false
      const puts = (async () => {
        for (let k = 0; !stopped; k++) {
          await all.queue.put(k, { timeout: 10_000 })
          await new Promise((resolve) => setImmediate(resolve))
        }
      })()
      await until('items to flow', () => all.taken.qsize() > 20)
      for (const victim of victims) void victim.terminate()
      await Promise.all(ends)
      stopped = true
      await puts
      // Items that a victim had taken are gone with it, but none may stay behind.
      await until('the items to be taken', () => all.queue.qsize() === 0)
      all.taken.clear()
    }
  })

  it('may be those of two instances of the package in one thread', async () => {
    const url = new URL('../../lib/index.js', import.meta.url).href
    const other = (await import(`${url}?another`)) as { ThreadSafeQueue: typeof ThreadSafeQueue }
    const queue = numbers(10)
    const seen = other.ThreadSafeQueue.from(queue.handle)
    for (let k = 0; k < 20; k++) {
      const gives = new AbortController()
      const [leaver, stays] = k % 2 ? [queue, seen] : [seen, queue]
      const left = leaver.get({ signal: gives.signal }).catch(() => 'left')
      const got = stays.get()
      await new Promise((resolve) => setImmediate(resolve))
      gives.abort()
      assert.equal(await left, 'left')
      await new Promise((resolve) => setTimeout(resolve, 1))
      queue.putSync(k)
      assert.equal(await within('the item', got), k)
    }
  })
})
