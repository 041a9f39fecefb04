/** The worker of pool-handler.ts. It reads as fast as it can, and never waits. */
import assert from 'node:assert/strict'
import { parentPort, workerData } from 'node:worker_threads'
import { type EventHandle, SharedRecord, type RecordHandle, ThreadSafeEvent } from 'threadsafe'

export interface PoolReader {
  pool: RecordHandle<{ a: number; b: number; sum: number }>
  stop: EventHandle
}

const { pool: poolHandle, stop: stopHandle } = workerData as PoolReader
const pool = SharedRecord.from(poolHandle)
const stop = ThreadSafeEvent.from(stopHandle)

let reads = 0
while (!stop.isSet()) {
  const { a, b, sum } = pool.read()
  assert.equal(sum, a + b, 'values of two writes were read as one')
  reads++
}
parentPort?.postMessage(reads)
