/**
 * Workers and processes end at any moment: soon, without a trace, and without harm to those that go
 * on.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import type { Blocking, TeardownRole } from '../fixtures/teardown-worker.js'
import { finished, type Outcome, runProcess, SHARE, startProcess, startWorker, until, within } from '../support.js'

const PATIENCE = 60_000

/** Milliseconds within which a blocked thread learns that it must end, and ends. */
const SOON = 250

const workers: Worker[] = []

function start(task: TeardownRole): Worker {
  const worker = startWorker('teardown-worker', task)
  workers.push(worker)
  return worker
}

function counter(buffer: SharedArrayBuffer): number {
  return Atomics.load(new Int32Array(buffer), 0)
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number
}

function expectCleanEnd({ code, signal, stdout, stderr }: Outcome, said: string): void {
  assert.deepEqual({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: said, stderr: '' })
}

describe('teardown', function () {
  this.timeout(2 * PATIENCE)

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
  })

  describe('terminate() soon ends a worker that is blocked in', () => {
    for (const call of ['getSync', 'putSync', 'waitSync'] as Blocking[]) {
      it(`${call}()`, async () => {
        const queue = new ThreadSafeQueue<number>(1, { type: 'float64' })
        if (call === 'putSync') queue.putSync(0)
        const event = new ThreadSafeEvent()
        const times: number[] = []
        for (let round = 0; round < 5; round++) {
          const ready = new SharedArrayBuffer(4)
          const worker = start({ role: 'block', call, queue: queue.handle, event: event.handle, ready })
          await until('the worker is about to block', () => counter(ready) === 1, PATIENCE)
          // The moments differ: while it spins, and at various times of its sleep.
          const moment = performance.now() + round * 10
          await until('the moment', () => performance.now() >= moment)
          const before = performance.now()
          await within('the end of the worker', worker.terminate(), PATIENCE)
          times.push(performance.now() - before)
        }
        assert.ok(median(times) < SOON, `it took ${times.map(Math.round).join(', ')} ms`)
        // No wake may be spent on threads that are gone.
        if (call === 'getSync') {
          const item = queue.get()
          queue.putSync(7)
          assert.equal(await within('the item', item), 7)
        } else if (call === 'putSync') {
          const put = queue.put(8)
          assert.equal(queue.getSync(), 0)
          await within('the room', put)
          assert.equal(queue.getSync(), 8)
        } else {
          const set = event.wait()
          event.set()
          await within('the event', set)
        }
      })
    }
  })

  it('process.exit() ends a process with three blocked workers about as soon as one with three others', async () => {
    async function timeOfExit(how: string): Promise<number> {
      const child = startProcess('teardown-process', ['exit', how])
      try {
        let stdout = ''
        child.stdout?.on('data', (text) => (stdout += String(text)))
        const [code] = (await within('the end of the process', once(child, 'close'), PATIENCE)) as [number | null]
        const ended = process.hrtime.bigint()
        assert.equal(code, 0)
        return Number(ended - BigInt(stdout)) / 1e6
      } finally {
        child.kill('SIGKILL')
      }
    }
    const usual: number[] = []
    const blocked: number[] = []
    for (let round = 0; round < 3; round++) {
      usual.push(await timeOfExit('usual'))
      blocked.push(await timeOfExit('blocked'))
    }
    assert.ok(
      median(blocked) - median(usual) < SOON,
      `${blocked.map(Math.round).join(', ')} ms, usually ${usual.map(Math.round).join(', ')} ms`,
    )
  })

  it('leaves every queue usable when workers are terminated at random moments', async () => {
    expectCleanEnd(await runProcess('teardown-process', ['chaos', String(120 * SHARE), '2024'], 2 * PATIENCE), 'end\n')
  })

  it('is harmless to the process when workers are terminated while they open queues and events', async () => {
    expectCleanEnd(await runProcess('teardown-process', ['opening', '20', '7'], 2 * PATIENCE), 'end\n')
  })

  it('is harmless to threads that put into a queue at which the terminated loops wait', async () => {
    const queue = new ThreadSafeQueue<number>(4, { type: 'float64' })
    const event = new ThreadSafeEvent()
    const flowed = new SharedArrayBuffer(4)
    const flowing = start({ role: 'flow', queue: queue.handle, flowed })
    for (let round = 0; round < 20; round++) {
      const worker = start({ role: 'await', queue: queue.handle, event: event.handle })
      await within('a loop that waits', once(worker, 'message'), PATIENCE)
      const ended = worker.terminate()
      event.set()
      event.clear()
      await within('the end of the worker', ended, PATIENCE)
      event.set()
      event.clear()
      const before = counter(flowed)
      await within('an item for this loop', queue.get(), PATIENCE)
      await until('the flow goes on', () => counter(flowed) > before, PATIENCE)
    }
    const ended = finished(flowing, PATIENCE)
    queue.close({ discard: true })
    await ended
  })

  it('frees the priority token of a large put whose worker is terminated', async () => {
    const slots = 8
    const slotBytes = 16
    const queue = new ThreadSafeQueue<Uint8Array>(slots, { type: 'bytes', itemBytes: slotBytes })
    for (let i = 0; i < slots; i++) queue.putSync(new Uint8Array(1))
    const large = start({ role: 'large put', queue: queue.handle, bytes: slots * slotBytes })
    await within('the large put', once(large, 'message'), PATIENCE)
    // There is room for one slot, which is not enough. From now on the large put has the priority
    // token.
    assert.ok(queue.tryGet())
    for (let i = 0; i < 2; i++) {
      const iterated = once(large, 'message')
      large.postMessage('iterate')
      await within('an iteration of its loop', iterated, PATIENCE)
    }
    const ready = new SharedArrayBuffer(4)
    const ended = finished(start({ role: 'small put', queue: queue.handle, ready }), PATIENCE)
    await until('the small put', () => counter(ready) === 1, PATIENCE)
    await within('the end of the worker', large.terminate(), PATIENCE)
    await within('the small put', ended, PATIENCE)
    await within('a put of this loop', Promise.all([queue.put(new Uint8Array(2 * slotBytes)), queue.get(), queue.get()]), PATIENCE)
  })

  it('lets a process end that has only unreferenced calls pending', async () => {
    expectCleanEnd(await runProcess('teardown-process', ['unreferenced']), 'end\n')
  })

  if (process.platform !== 'win32') {
    it('of the only workers that have loaded the package harms neither the process, its signals, nor the next worker', async () => {
      expectCleanEnd(await runProcess('teardown-host', ['12'], PATIENCE), 'end\n')
    })
  }
})
