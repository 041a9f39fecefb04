/** The lock, in one thread and between threads. */
import { strict as assert } from 'node:assert'
import { getEventListeners } from 'node:events'
import { inspect } from 'node:util'
import type { Worker } from 'node:worker_threads'
import { BufferPool, type Held, Lock, ThreadSafeEvent, ThreadSafeQueue, TimeoutError } from '../../lib/index.js'
import { native } from '../../lib/addon/native.js'
import { once, section, type Shared, STATE, type Task } from '../fixtures/lock-worker.js'
import { finished, loopIterations, rejection, runProcess, startWorker, thrown, threadsBlocked, until, within } from '../support.js'

/** Releases are tested with `LOCK_SECTIONS=1000000 LOCK_KILLS=500 LOCK_OBJECTS=100000`. */
const SECTIONS = Number(process.env.LOCK_SECTIONS ?? 50_000)
const KILLS = Number(process.env.LOCK_KILLS ?? 12)
const OBJECTS = Number(process.env.LOCK_OBJECTS ?? 20_000)

function shared(): Shared {
  return { counters: new Int32Array(new SharedArrayBuffer(8)), state: new Int32Array(new SharedArrayBuffer(16)) }
}

function start(lock: Lock, data: Shared, task: Task['task'], way: Task['way'], count = 0): Worker {
  return startWorker('lock-worker', { task, handle: lock.handle, shared: data, way, count } satisfies Task)
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code

describe('a lock', () => {
  it('is held by one at a time, and free after its release, which may be called twice', () => {
    const lock = new Lock()
    assert.equal(lock.locked, false)
    const held = lock.acquireSync()
    assert.equal(lock.locked, true)
    assert.equal(held.abandoned, false)
    assert.equal(lock.tryAcquire(), undefined)
    held.release()
    assert.equal(lock.locked, false)
    const next = lock.tryAcquire() as Held
    held.release()
    held[Symbol.dispose]()
    assert.equal(lock.locked, true, "releasing again has released the next one's")
    next[Symbol.dispose]()
    assert.equal(lock.locked, false)
  })

  it('is the same through every object that is made of its handle', async () => {
    const lock = new Lock()
    const other = Lock.from(structuredClone(lock.handle))
    const held = lock.acquireSync()
    assert.equal(other.locked, true)
    assert.equal(other.tryAcquire(), undefined)
    const waiting = other.acquire()
    held.release()
    ;(await within('the other object', waiting)).release()
    assert.equal(lock.locked, false)
  })

  it('is shown with its state', () => {
    const lock = new Lock()
    assert.equal(inspect(lock), 'Lock { locked: false }')
    const held = lock.acquireSync()
    assert.equal(inspect(lock), 'Lock { locked: true }')
    assert.equal(inspect(held), 'Held { abandoned: false, released: false }')
    held.release()
    assert.equal(inspect(held), 'Held { abandoned: false, released: true }')
  })

  it('returns itself from ref() and unref()', () => {
    const lock = new Lock()
    assert.equal(lock.ref(), lock)
    assert.equal(lock.unref(), lock)
  })

  it('refuses anything but the handle of a lock', () => {
    const lock = new Lock()
    for (const wrong of [undefined, null, {}, 'lock', new ThreadSafeEvent().handle, new ThreadSafeQueue(1).handle]) {
      assert.equal(codeOf(thrown(() => Lock.from(wrong as never))), 'ERR_INVALID_ARG_TYPE')
    }
    assert.match(String(thrown(() => Lock.from(lock as never))), /pass its \.handle/)
    assert.equal(codeOf(thrown(() => Lock.from({ ...lock.handle, version: 1 } as never))), 'ERR_INCOMPATIBLE_HANDLE')
    const { memory } = new ThreadSafeEvent().handle as unknown as { memory: WebAssembly.Memory }
    assert.equal(codeOf(thrown(() => Lock.from({ ...lock.handle, memory } as never))), 'ERR_INCOMPATIBLE_HANDLE')
  })

  it('refuses wrong arguments before anything is changed', async () => {
    const lock = new Lock()
    const controller = new AbortController()
    const wrong = { timeout: -1 }
    assert.equal(codeOf(thrown(() => lock.acquireSync(wrong))), 'ERR_OUT_OF_RANGE')
    assert.equal(codeOf(thrown(() => lock.acquireSync(5 as never))), 'ERR_INVALID_ARG_TYPE')
    for (const call of [lock.acquire(wrong), lock.request(wrong, () => assert.fail('was called'))]) {
      assert.equal(codeOf(await rejection(call)), 'ERR_OUT_OF_RANGE')
    }
    assert.equal(codeOf(await rejection(lock.request({ ifAvailable: 1 } as never, () => 0))), 'ERR_INVALID_ARG_TYPE')
    for (const callback of [undefined, null, 5]) {
      assert.equal(codeOf(await rejection(lock.request({ signal: controller.signal }, callback as never))), 'ERR_INVALID_ARG_TYPE')
    }
    assert.equal(lock.locked, false)
  })
})

describe('acquiring a lock that this thread holds', () => {
  it('throws if it would block, even with a timeout', async () => {
    const lock = new Lock()
    const held = lock.acquireSync()
    for (const options of [undefined, { timeout: 0 }, { timeout: 10 }, { timeout: Infinity }]) {
      const error = thrown(() => lock.acquireSync(options)) as Error
      assert.equal(codeOf(error), 'ERR_LOCK_DEADLOCK')
      assert.equal(Object.getPrototypeOf(error), Error.prototype)
    }
    held.release()
    // The lock is granted, but the code that awaits it has not run yet.
    const granted = lock.acquire()
    assert.equal(codeOf(thrown(() => lock.acquireSync())), 'ERR_LOCK_DEADLOCK')
    ;(await granted).release()
    lock.acquireSync().release()
  })

  it('waits if it is asynchronous, and calls are served in their order', async () => {
    const lock = new Lock()
    const held = lock.acquireSync()
    const order: number[] = []
    const waits = Array.from({ length: 10 }, async (_, k) => {
      const mine = await lock.acquire()
      order.push(k)
      await loopIterations(1)
      mine.release()
    })
    await loopIterations()
    assert.deepEqual(order, [])
    held.release()
    await within('all of them', Promise.all(waits))
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert.equal(lock.locked, false)
  })

  it('does not keep the event loop from its work, though the lock passes from call to call', async () => {
    const lock = new Lock()
    let turned = false
    let most = 0
    setTimeout(() => (turned = true), 1)
    const pass = async (): Promise<void> => {
      for (; !turned && most < 5_000_000; most++) (await lock.acquire()).release()
    }
    await Promise.all([pass(), pass(), pass()])
    assert.ok(turned, `a timer of 1 ms has not run during ${most} acquisitions`)
  })

  it('never overtakes another call of this thread', async () => {
    const lock = new Lock()
    const held = lock.acquireSync()
    const first = lock.acquire()
    held.release()
    // The lock may have been granted to the first call or not. A later call comes after it.
    const second = lock.acquire({ timeout: 0 })
    assert.ok((await rejection(second)) instanceof TimeoutError)
    assert.equal(await lock.request({ ifAvailable: true }, (one) => one), null)
    ;(await first).release()
  })
})

describe('acquiring a lock no longer than', () => {
  it('a time: TimeoutError, and it holds nothing', async () => {
    const lock = new Lock()
    const data = shared()
    const worker = start(lock, data, 'hold', 'await')
    await until('the worker to hold it', () => Atomics.load(data.state, STATE.come) === 1)
    for (const timeout of [0, 0.1, 5, 30]) {
      const begin = performance.now()
      assert.ok(thrown(() => lock.acquireSync({ timeout })) instanceof TimeoutError)
      assert.ok((await rejection(lock.acquire({ timeout }))) instanceof TimeoutError)
      assert.ok((await rejection(lock.request({ timeout }, () => assert.fail('was called')))) instanceof TimeoutError)
      assert.ok(performance.now() - begin >= 3 * timeout - 3)
    }
    await worker.terminate()
    const held = lock.acquireSync({ timeout: 5000 })
    assert.equal(held.abandoned, true)
    held.release()
  })

  it('the life of a signal: its reason, also if it is aborted already', async () => {
    const lock = new Lock()
    assert.equal(await rejection(lock.acquire({ signal: AbortSignal.abort(7) })), 7)
    assert.equal(lock.locked, false)
    const held = lock.acquireSync()
    const controller = new AbortController()
    const { signal } = controller
    const cancelled = [lock.acquire({ signal }), lock.request({ signal }, () => assert.fail('was called'))]
    const after = lock.acquire({ signal: new AbortController().signal })
    controller.abort('why')
    for (const call of cancelled) assert.equal(await rejection(call), 'why')
    held.release()
    ;(await within('the one behind', after)).release()
    assert.equal(lock.locked, false)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })

  it('the moment at which it is granted: it is held by its caller, or free', async () => {
    const lock = new Lock()
    const data = shared()
    const worker = start(lock, data, 'hammer', 'block')
    await until('the worker', () => Atomics.load(data.state, STATE.come) === 1)
    let granted = 0
    let aborted = 0
    for (let k = 0; k < 2000; k++) {
      const controller = new AbortController()
      const call = lock.acquire({ signal: controller.signal, timeout: 1 + (k % 3) })
      if (k % 2 === 0) setImmediate(() => controller.abort())
      try {
        const held = await call
        granted++
        section(data)
        held.release()
      } catch {
        aborted++
      }
    }
    assert.ok(granted > 0 && granted + aborted === 2000)
    Atomics.store(data.state, STATE.stop, 1)
    await finished(worker)
    assert.equal(lock.locked, false)
    assert.deepEqual([data.counters[0], data.state[STATE.mixed]], [data.counters[1], 0])
  })
})

describe('request()', () => {
  it('runs the callback while it holds the lock, and returns its result', async () => {
    const lock = new Lock()
    const seen = await lock.request((held) => [lock.locked, held.abandoned])
    assert.deepEqual(seen, [true, false])
    assert.equal(await lock.request(async () => (await loopIterations(1), lock.locked)), true)
    assert.equal(await lock.request({}, () => 5), 5)
    assert.equal(lock.locked, false)
  })

  it('releases it however the callback ends', async () => {
    const lock = new Lock()
    const error = new Error('why')
    const throwing = (): never => {
      throw error
    }
    assert.equal(await rejection(lock.request(throwing)), error)
    assert.equal(await rejection(lock.request(() => Promise.reject(error))), error)
    assert.equal(await rejection(lock.request({ ifAvailable: true }, throwing)), error)
    assert.equal(lock.locked, false)
    // The callback may release the lock early, so that another can have it.
    await lock.request(async (held) => {
      held.release()
      const other = await lock.acquire()
      await loopIterations()
      other.release()
    })
    const holder = lock.request(async (held) => {
      held.release()
      await loopIterations(5)
    })
    const next = await within('the next one', lock.acquire())
    await holder
    assert.equal(lock.locked, true, "the callback's end has released the next one's")
    next.release()
  })

  it('passes null if the lock is not available, and does not wait', async () => {
    const lock = new Lock()
    const held = lock.acquireSync()
    assert.equal(await lock.request({ ifAvailable: true }, (one) => one), null)
    held.release()
    assert.equal(await lock.request({ ifAvailable: true }, (one) => one?.abandoned), false)
    assert.equal(await rejection(lock.request({ ifAvailable: true, signal: AbortSignal.abort(1) }, () => 0)), 1)
    assert.equal(lock.locked, false)
  })
})

describe('a lock between threads', function () {
  this.timeout(120_000 + KILLS * 1000)

  it(`excludes: 4 workers and the loop, ${SECTIONS} critical sections`, async () => {
    const lock = new Lock()
    const data = shared()
    const each = SECTIONS / 5
    const workers = (['block', 'await', 'block', 'request'] as const).map((way) => start(lock, data, 'sections', way, each))
    for (let k = 0; k < each; k++) await once(lock, k % 2 === 0 ? 'await' : 'block', () => section(data))
    await Promise.all(workers.map((worker) => finished(worker, 110_000)))
    assert.deepEqual([...data.counters], [5 * each, 5 * each])
    assert.equal(data.state[STATE.mixed], 0)
    assert.equal(lock.locked, false)
  })

  it(`a holder that is killed frees it at once, and only the next holder is told: ${KILLS} times`, async () => {
    const lock = new Lock()
    for (let k = 0; k < KILLS; k++) {
      const data = shared()
      const way = (['block', 'await', 'request'] as const)[k % 3] as Task['way']
      const worker = start(lock, data, 'hold', way)
      await until('the worker to hold it', () => Atomics.load(data.state, STATE.come) === 1)
      assert.equal(lock.locked, true)
      const waiting = lock.acquire()
      await worker.terminate()
      const held = await within('the next holder', waiting, 2000)
      assert.equal(held.abandoned, true, way)
      held.release()
      const after = k % 2 === 0 ? lock.acquireSync() : await lock.acquire()
      assert.equal(after.abandoned, false)
      after.release()
    }
  })

  it('a holder that is killed wakes blocked threads, whoever else is killed at the same time', async () => {
    for (let k = 0; k < Math.max(2, KILLS / 10); k++) {
      const lock = new Lock()
      const data = shared()
      const holder = start(lock, data, 'hold', 'await')
      await until('the holder', () => Atomics.load(data.state, STATE.come) === 1)
      const waiters = Array.from({ length: 3 }, (_, n) => start(lock, data, 'wait', n === 2 ? 'await' : 'block', 1))
      await until('the waiters', () => Atomics.load(data.state, STATE.come) === 4)
      await loopIterations(10)
      const dying = waiters.shift() as Worker
      await Promise.all([dying.terminate(), holder.terminate()])
      await Promise.all(waiters.map((worker) => finished(worker)))
      assert.ok(Atomics.load(data.state, STATE.served) >= 2)
      // Whoever had the lock first was killed, or was told that it is abandoned.
      assert.equal(lock.locked, false)
    }
  })

  it('none of 6 waiters starves while others acquire it without pause', async () => {
    const lock = new Lock()
    const data = shared()
    const hammers = (['block', 'try', 'await'] as const).map((way) => start(lock, data, 'hammer', way))
    await until('the hammers', () => Atomics.load(data.state, STATE.come) === 3, 20_000)
    const ROUNDS = 20
    const waiters = (['block', 'await', 'block', 'await', 'request'] as const).map((way) => start(lock, data, 'wait', way, ROUNDS))
    for (let k = 0; k < ROUNDS; k++) (await within('the loop to be served', lock.acquire(), 5000)).release()
    await Promise.all(waiters.map((worker) => finished(worker)))
    assert.equal(data.state[STATE.served], 5 * ROUNDS)
    Atomics.store(data.state, STATE.stop, 1)
    await Promise.all(hammers.map((worker) => finished(worker)))
    assert.equal(data.state[STATE.mixed], 0)
    assert.equal(data.counters[0], data.counters[1])
    assert.equal(lock.locked, false)
  })

  it('a loop does not starve among threads that sleep, one of which each release wakes', async () => {
    const lock = new Lock()
    const data = shared()
    const hogs = Array.from({ length: 3 }, () => start(lock, data, 'hog', 'block', 200))
    await until('the hogs', () => Atomics.load(data.state, STATE.come) === 3, 20_000)
    for (let k = 0; k < 10; k++) (await within('the loop to be served', lock.acquire(), 5000)).release()
    Atomics.store(data.state, STATE.stop, 1)
    await Promise.all(hogs.map((worker) => finished(worker)))
  })

  it('a loop that is busy for some milliseconds each time does not starve among threads that block', async () => {
    const lock = new Lock()
    const data = shared()
    const hammers = Array.from({ length: 3 }, () => start(lock, data, 'hammer', 'block'))
    await until('the hammers', () => Atomics.load(data.state, STATE.come) === 3, 20_000)
    const busy = setInterval(() => {
      const end = performance.now() + 5
      while (performance.now() < end);
    }, 0)
    for (let k = 0; k < 5; k++) (await within('the busy loop to be served', lock.acquire(), 10_000)).release()
    clearInterval(busy)
    Atomics.store(data.state, STATE.stop, 1)
    await Promise.all(hammers.map((worker) => finished(worker)))
  })

  it('a loop that is always late gets a lock that is free for moments only', async () => {
    const lock = new Lock()
    const data = shared()
    const hog = start(lock, data, 'hog', 'block', 2000)
    await until('the hog', () => Atomics.load(data.state, STATE.come) === 1, 20_000)
    const busy = setInterval(() => {
      const end = performance.now() + 5
      while (performance.now() < end);
    }, 0)
    // The loop looks every 5 ms, and only for microseconds of that is the lock free. Without its
    // reservation it would wait for seconds each time, and with it for a few iterations.
    for (let k = 0; k < 8; k++) {
      await until('the hog to hold it again', () => lock.locked)
      ;(await within('the loop to be served', lock.acquire(), 2000)).release()
    }
    clearInterval(busy)
    Atomics.store(data.state, STATE.stop, 1)
    await finished(hog)
  })

  it('a loop that is blocked holds nobody up for long', async () => {
    const lock = new Lock()
    const data = shared()
    const holder = start(lock, data, 'until', 'block')
    await until('the holder', () => Atomics.load(data.state, STATE.come) === 1)
    const late = lock.acquire()
    const { memory } = lock.handle as unknown as { memory: WebAssembly.Memory }
    const reservation = new Int32Array(memory.buffer, native.lists.lockWaiters - 128 + 8, 1)
    await until('the loop to reserve the lock', () => reservation[0] === native.threadNumber)
    const worker = start(lock, data, 'wait', 'block', 1)
    await until('the worker to block', () => threadsBlocked(lock) === 1)
    Atomics.store(data.state, STATE.stop, 1)
    const blocked = performance.now() + 3000
    // This loop is blocked, so that worker goes ahead.
    while (Atomics.load(data.state, STATE.served) === 0 && performance.now() < blocked);
    assert.equal(Atomics.load(data.state, STATE.served), 1)
    await Promise.all([finished(worker), finished(holder)])
    ;(await within('the loop', late)).release()
  })
})

describe('the life of a lock', function () {
  this.timeout(120_000 + KILLS * 1000)

  it('a pending acquire keeps the process alive, unless unref() is called; a lock that is held does not', async () => {
    assert.deepEqual(await runProcess('lock-process', ['held']).then(({ code, stdout }) => [code, stdout]), [0, 'end\n'])
    assert.deepEqual(await runProcess('lock-process', ['unref']).then(({ code, stdout }) => [code, stdout]), [0, 'end\n'])
    assert.deepEqual(await runProcess('lock-process', ['pending']).then(({ code, stdout }) => [code, stdout]), [0, 'granted\nend\n'])
  })

  it(`memory stays as it is while ${OBJECTS} are created, used and dropped`, async () => {
    const { code, stdout, stderr } = await runProcess('memory-process', ['locks', String(OBJECTS)], 100_000, ['--max-semi-space-size=8'])
    assert.equal(code, 0, stderr)
    const sizes = stdout.trim().split('\n').map((line) => Number(line) / 1e6) // prettier-ignore
    assert.equal(sizes.length, 10)
    assert.ok(Math.min(...sizes.slice(-2)) < Math.max(...sizes.slice(1, 3)) + 20, `resident, in MB: ${sizes.map(Math.round).join(', ')}`)
  })

  it('a lock that is held and forgotten is freed when its thread ends, garbage or not', async () => {
    for (let k = 0; k < 3; k++) {
      const lock = new Lock()
      const worker = startWorker('lock-forgetful', { handle: lock.handle, ends: k === 0 ? 'exit' : k === 1 ? 'process.exit' : 'never' })
      await until('the worker to hold it', () => lock.locked)
      if (k === 2) await worker.terminate()
      else await finished(worker)
      const held = lock.acquireSync({ timeout: 2000 })
      assert.equal(held.abandoned, true)
      held.release()
    }
  })

  it('a lock, and a buffer, of an evaluation of the package that was collected are free when its thread ends', async () => {
    const lock = new Lock()
    const pool = new BufferPool(1, 'uint8[8]')
    const worker = startWorker('collected-owner', { lock: lock.handle, pool: pool.handle })
    const collected = await within('a collection', new Promise((resolve) => void worker.once('message', resolve)), 20_000)
    assert.deepEqual(collected, ['an object of the evaluation'])
    assert.equal(lock.locked, true)
    await worker.terminate()
    const held = lock.acquireSync({ timeout: 2000 })
    assert.equal(held.abandoned, true)
    held.release()
    pool.lendSync({ timeout: 2000 }).release()
  })

  it('overwritten memory leads to an error, or a wait, but never to a crash', () => {
    const VALUES = [0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff]
    const { lockWaiters } = native.lists
    // The words are the lock and the reservation, those of the wait list, and those of the header.
    const first = (lockWaiters - 128) / 4
    for (const word of [first, first + 1, first + 2, first + 3, first + 32, first + 33, first + 64, 32, 34, 36]) {
      for (const value of VALUES) {
        const lock = new Lock()
        const { memory } = lock.handle as unknown as { memory: WebAssembly.Memory }
        new Uint32Array(memory.buffer)[word] = value
        for (const call of [() => lock.acquireSync({ timeout: 2 }).release(), () => lock.tryAcquire()?.release(), () => lock.locked]) {
          try {
            call()
          } catch (error) {
            assert.ok(['ERR_TIMEOUT', 'ERR_LOCK_DEADLOCK'].includes(String(codeOf(error))), String(error))
          }
        }
      }
    }
  })
})
