/** Blocked threads end soon after they are stopped, and sleep until then. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import vm from 'node:vm'
import type { Worker } from 'node:worker_threads'
import { ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import type { Call, Task } from '../fixtures/stopping-worker.js'
import { repetitions, startWorker, threadsBlocked, until, within } from '../support.js'

const PATIENCE = 30_000

/** A median in milliseconds. It would be 25 or more if threads learned of a stop only by asking. */
const NOT_BY_ASKING = 15
/** Milliseconds within which a thread that has been blocked for less than a second asks again. */
const BY_ASKING = 400

interface Blocked {
  readonly worker: Worker
  readonly words: Int32Array
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number
}

async function pass(milliseconds: number): Promise<void> {
  const moment = performance.now() + milliseconds
  await until('the moment', () => performance.now() >= moment, PATIENCE)
}

function newFull() {
  return new ThreadSafeQueue(1, { type: 'float64' })
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await within('the end of it', work(), PATIENCE)
  return performance.now() - start
}

describe('a blocked thread', function () {
  this.timeout(3 * PATIENCE)

  const workers: Worker[] = []
  let queue: ThreadSafeQueue<string>
  let full: ReturnType<typeof newFull>
  let event: ThreadSafeEvent

  beforeEach(() => {
    queue = new ThreadSafeQueue<string>(4, { type: 'string' })
    full = newFull()
    full.putSync(0)
    event = new ThreadSafeEvent()
  })
  afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.terminate())))

  function start(call: Call, timeout?: number): Blocked {
    const words = new Int32Array(new SharedArrayBuffer(12))
    const task: Task = { call, queue: queue.handle, full: full.handle, event: event.handle, words, ...(timeout && { timeout }) }
    const worker = startWorker('stopping-worker', task)
    workers.push(worker)
    return { worker, words }
  }

  async function block(call: Call): Promise<Blocked> {
    const blocked = start(call)
    await until('the worker is about to block', () => Atomics.load(blocked.words, 0) === 1, PATIENCE)
    return blocked
  }

  /** Returns the times of terminate() for workers that have been blocked for ever longer times. */
  async function timesOfEnds(calls: readonly Call[], rounds: number): Promise<number[][]> {
    const times: number[][] = calls.map(() => [])
    for (let round = 0; round < rounds; round++) {
      for (const [k, call] of calls.entries()) {
        const { worker } = await block(call)
        await pass(10 + round * 10)
        times[k]?.push(await timeOf(() => worker.terminate()))
      }
    }
    return times
  }

  const watched = process.platform === 'linux' || process.platform === 'darwin'

  if (watched) {
    for (const call of ['getSync', 'putSync', 'waitSync', 'selectSync'] as const) {
      it(`in ${call}() ends about as soon as one in Atomics.wait()`, async () => {
        const [ours = [], theirs = []] = await timesOfEnds([call, 'Atomics.wait'], 11)
        const shown = [ours, theirs].map((times) => times.map(Math.round).join(', ')).join(' ms; Atomics.wait: ')
        assert.ok(median(ours) < median(theirs) + NOT_BY_ASKING, `${shown} ms`)
      })
    }
  }

  it('ends many times in a row, four at once, and leaves the objects as they were', async () => {
    for (let round = 0; round < repetitions(25); round++) {
      const four = (['getSync', 'putSync', 'waitSync', 'selectSync'] as const).map((call) => start(call))
      for (const { words } of four) await until('the worker is about to block', () => Atomics.load(words, 0) === 1, PATIENCE)
      // The pauses range from before they sleep to long after.
      await pass(round)
      await within('the ends of the workers', Promise.all(four.map(({ worker }) => worker.terminate())), PATIENCE)
    }
    for (const object of [queue, full, event]) assert.equal(threadsBlocked(object), 0)
    queue.putSync('still there')
    assert.equal(queue.getSync(), 'still there')
    assert.equal(full.getSync(), 0)
  })

  it('ends soon even if messages for it are pending, sent before or after it blocked', async () => {
    const times: number[] = []
    for (let round = 0; round < 7; round++) {
      const { worker, words } = start('getSync')
      worker.postMessage('before')
      await until('the worker is about to block', () => Atomics.load(words, 0) === 1, PATIENCE)
      await pass(50)
      worker.postMessage('after')
      await pass(50)
      times.push(await timeOf(() => worker.terminate()))
    }
    assert.ok(median(times) < BY_ASKING, `it took ${times.map(Math.round).join(', ')} ms`)
  })

  if (process.platform === 'linux') {
    it('wakes at most once a second', async () => {
      const { words } = await block('getSync')
      const wakes = (): number => {
        const status = readFileSync(`/proc/self/task/${Atomics.load(words, 1)}/status`, 'utf8')
        return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1])
      }
      await pass(1000)
      const before = wakes()
      assert.ok(before > 0)
      const seconds = 6
      await pass(seconds * 1000)
      const woken = wakes() - before
      assert.ok(woken <= seconds, `it woke ${woken} times in ${seconds} s`)
    })
  }

  describe('in a script of node:vm is stopped when its time is up', () => {
    const TIMEOUT = 150

    it('in the main thread', () => {
      const before = performance.now()
      assert.throws(() => vm.runInNewContext('queue.getSync({ block: true })', { queue }, { timeout: TIMEOUT }), {
        code: 'ERR_SCRIPT_EXECUTION_TIMEOUT',
      })
      const time = performance.now() - before
      assert.ok(time < TIMEOUT + BY_ASKING, `it took ${Math.round(time)} ms`)
      assert.equal(threadsBlocked(queue), 0)
    })

    it('in a worker', async () => {
      const { worker } = start('script', TIMEOUT)
      const [code] = (await within('the end of the script', once(worker, 'message'), PATIENCE)) as [string]
      assert.equal(code, 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      assert.equal(threadsBlocked(queue), 0)
    })
  })
})
