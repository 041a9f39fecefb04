/**
 * Shared by the tests of wakes that the helper thread makes late: workers that stay, and workers
 * that come and go.
 */
import type { EventHandle, QueueHandle, ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import { finished, startWorker, until } from '../support.js'

/**
 * Words in shared memory: the current round, which is 0 before the first and -1 after the last, and
 * the number of times that workers were served.
 */
export const ROUND = 0
export const SERVED = 1

export interface LateWakesTask {
  queue?: QueueHandle
  event?: EventHandle
  timeout: number
  counts: SharedArrayBuffer
}

const SHORT_MILLISECONDS = 0.05
const TIMEOUTS = [Infinity, Infinity, SHORT_MILLISECONDS, SHORT_MILLISECONDS]
const PATIENCE = 20_000

function startWorkers(task: Omit<LateWakesTask, 'timeout' | 'counts'>): { words: Int32Array; ended: Promise<unknown> } {
  const counts = new SharedArrayBuffer(8)
  const workers = TIMEOUTS.map((timeout) => startWorker('late-wakes-worker', { ...task, timeout, counts } satisfies LateWakesTask))
  return { words: new Int32Array(counts), ended: Promise.all(workers.map((worker) => finished(worker, 2 * PATIENCE))) }
}

/** Checks that each item is got once. In each round, `put` puts one item for each worker. */
export async function eachItemIsGot(queue: ThreadSafeQueue<unknown, unknown>, rounds: number, put: () => void): Promise<void> {
  const { words, ended } = startWorkers({ queue: queue.handle })
  for (let round = 1; round <= rounds; round++) {
    for (let k = 0; k < TIMEOUTS.length; k++) put()
    await until(`all items of round ${round}`, () => Atomics.load(words, SERVED) === round * TIMEOUTS.length, PATIENCE)
  }
  queue.close()
  await ended
}

/** Checks that in each round all workers see the event, which `set` sets. */
export async function eachSettingIsSeen(event: ThreadSafeEvent, rounds: number, set: () => void): Promise<void> {
  const { words, ended } = startWorkers({ event: event.handle })
  for (let round = 1; round <= rounds; round++) {
    event.clear()
    Atomics.store(words, ROUND, round)
    Atomics.notify(words, ROUND)
    if (round % 3 !== 0) await new Promise((resolve) => setImmediate(resolve)) // every third round comes before they sleep
    set()
    await until(`all workers to see round ${round}`, () => Atomics.load(words, SERVED) === round * TIMEOUTS.length, PATIENCE)
  }
  Atomics.store(words, ROUND, -1)
  Atomics.notify(words, ROUND)
  await ended
}
