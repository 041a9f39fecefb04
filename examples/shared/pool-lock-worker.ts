/** The sensor of pool-lock.ts. */
import { workerData } from 'node:worker_threads'
import { Lock, ThreadSafeEvent } from 'threadsafe'
import { type PoolData, X, Y, Z } from './pool-lock-values.js'

const { pool, lock: lockHandle, stop: stopHandle } = workerData as PoolData
const lock = Lock.from(lockHandle)
const stop = ThreadSafeEvent.from(stopHandle)

for (let update = 1; !stop.isSet(); update++) {
  {
    using held = lock.acquireSync()
    // `abandoned` is true if another holder died in the middle of an update, so the values can't be
    // relied on. This thread is the only writer, and writes all of them.
    if (held.abandoned) pool.fill(0)
    pool[X] = update
    pool[Y] = 2 * update
    pool[Z] = pool[X] + pool[Y]
  }
  stop.waitSync({ timeout: 0.1 }) // until the next sample
}
