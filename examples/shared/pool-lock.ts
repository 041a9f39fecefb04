/**
 * A pool of a sensor's values, X, Y and Z, which one thread updates in several steps while others
 * read. A lock keeps readers from seeing half an update: `z` is always `x + y`. Use a lock if an
 * update is long, or reads and writes several things. If it is short, or made by a signal handler,
 * use a SharedRecord (pool-handler.ts).
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Lock, ThreadSafeEvent } from 'threadsafe'
import { count, type Report } from '../display.js'
import { type Example, runIfMain } from '../example.js'
import { type PoolData, X, Y, Z } from './pool-lock-values.js'

const MILLISECONDS = 1500

async function run(report: Report): Promise<string> {
  const pool = new Float64Array(new SharedArrayBuffer(3 * Float64Array.BYTES_PER_ELEMENT))
  const lock = new Lock()
  const stop = new ThreadSafeEvent()
  const workerData: PoolData = { pool, lock: lock.handle, stop: stop.handle }
  const sensor = new Worker(new URL('./pool-lock-worker.js', import.meta.url), { workerData })
  const ended = once(sensor, 'exit')

  let reads = 0
  let last = 0
  const end = performance.now() + MILLISECONDS
  while (performance.now() < end) {
    // The loop goes on while the request waits, and the lock is released however the callback ends.
    await lock.request(() => {
      const [x, y, z] = [pool[X], pool[Y], pool[Z]] as [number, number, number]
      assert.equal(z, x + y, 'half an update was seen')
      assert.ok(x >= last, 'an older update was seen after a newer one')
      last = x
    })
    reads++
    report(`${count(reads)} reads, ${count(last)} updates`)
  }
  stop.set()
  await ended
  assert.ok(last > 0, 'the sensor has written nothing')
  return `${count(reads)} reads and ${count(last)} updates in ${MILLISECONDS / 1000} s, none seen by half`
}

export const poolLock: Example = {
  name: 'pool with a lock',
  shows: 'A worker updates X, Y and Z in several steps; the loop reads them, and never sees half an update.',
  run,
}

await runIfMain(import.meta.url, poolLock)
