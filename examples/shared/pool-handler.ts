/**
 * A pool of values that a signal handler, which can't wait, writes ten thousand times a second,
 * while the loop and a worker read it. A SharedRecord gives each reader the values of a single
 * write: `sum` is always `a + b`. The handler is in C (pool.c), so no JavaScript runs for a write.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { record, SharedRecord, ThreadSafeEvent } from 'threadsafe'
import { count, type Report } from '../display.js'
import { type Example, runIfMain } from '../example.js'
import { loadPool } from './native.js'
import type { PoolReader } from './pool-handler-worker.js'

const INTERVAL = 100 // microseconds
const MILLISECONDS = 2000

async function run(report: Report): Promise<string> {
  const native = loadPool()
  const pool = new SharedRecord(record({ a: 'float64', b: 'float64', sum: 'float64' }))
  const stop = new ThreadSafeEvent()
  const workerData: PoolReader = { pool: pool.handle, stop: stop.handle }
  const worker = new Worker(new URL('./pool-handler-worker.js', import.meta.url), { workerData })
  const replies = once(worker, 'message')

  native.startRecord(pool.native, INTERVAL)
  let reads = 0
  const end = performance.now() + MILLISECONDS
  while (performance.now() < end) {
    for (let k = 0; k < 1000; k++) {
      const { a, b, sum } = pool.read()
      assert.equal(sum, a + b, 'values of two writes were read as one')
      reads++
    }
    report(`${count(reads)} reads, ${count(pool.version)} writes`)
    await new Promise(setImmediate) // other work of this loop
  }
  const { writes } = native.stop()
  stop.set()
  const [there] = (await replies) as [number]

  assert.equal(pool.version, writes, 'a write is missing')
  assert.ok(writes > 0, 'the handler has written nothing')
  const { retries } = pool.stats()
  return `${count(writes)} writes by a handler, ${count(reads)} reads in the loop and ${count(there)} in a worker, all whole; ${count(retries)} reads were repeated`
}

export const poolHandler: Example = {
  name: 'pool written by a handler',
  shows: `A signal handler writes a record every ${INTERVAL} us; the loop and a worker read it, and never see parts of two writes.`,
  run,
}

await runIfMain(import.meta.url, poolHandler)
