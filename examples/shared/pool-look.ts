/**
 * A signal handler that must not write while somebody reads. It can't wait for a lock, but it can
 * see whether the lock is held. If so, it leaves the pool alone and counts the write as skipped.
 * Use this for data that is too large for a SharedRecord to copy. The handler is in C (pool.c).
 */
import assert from 'node:assert/strict'
import { Lock } from 'threadsafe'
import { count, type Report } from '../display.js'
import { type Example, runIfMain } from '../example.js'
import { loadPool } from './native.js'

const INTERVAL = 100 // microseconds
const MILLISECONDS = 1500
const SIZE = 4096 // numbers

async function run(report: Report): Promise<string> {
  const native = loadPool()
  const pool = new Float64Array(new SharedArrayBuffer(SIZE * Float64Array.BYTES_PER_ELEMENT))
  const lock = new Lock()

  // The handler strikes only this thread. So while the loop is in its critical section, no write is
  // in progress, and none begins. Readers in other threads would need a record.
  native.startLooking(lock.native, pool, INTERVAL)
  let reads = 0
  const end = performance.now() + MILLISECONDS
  while (performance.now() < end) {
    {
      using held = lock.acquireSync()
      assert.equal(held.abandoned, false)
      const first = pool[0]
      assert.ok(
        pool.every((value) => value === first),
        'the handler wrote while the lock was held',
      )
    }
    reads++
    report(`${count(reads)} reads`)
    await new Promise(setImmediate)
  }
  const { writes, skipped } = native.stop()
  assert.ok(writes > 0, 'the handler has written nothing')
  return `${count(reads)} reads of ${count(SIZE)} numbers, ${count(writes)} writes by a handler, which ${count(skipped)} times left the pool alone`
}

export const poolLook: Example = {
  name: 'handler that looks at a lock',
  shows: `A signal handler strikes every ${INTERVAL} us and leaves the pool alone while the lock is held.`,
  run,
}

await runIfMain(import.meta.url, poolLook)
