/**
 * Frames of 1 MiB pass through three threads without being copied. One captures into a buffer that
 * a pool lends it, the next filters in place, and the last encodes and gives the buffer back. The
 * pool has four buffers, so the slowest stage sets the camera's pace.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { BufferPool, record, ThreadSafeQueue } from 'threadsafe'
import { count, type Report } from '../display.js'
import { type Example, runIfMain } from '../example.js'
import { type Encoded, FRAME, FRAMES, type FramesData, type Stage } from './frames-plan.js'

const BUFFERS = 4

async function run(report: Report): Promise<string> {
  const pool = new BufferPool(BUFFERS, FRAME)
  // Stages pass tokens, which are numbers of 32 bits.
  const captured = new ThreadSafeQueue(BUFFERS, { type: 'uint32' })
  const filtered = new ThreadSafeQueue(BUFFERS, { type: 'uint32' })
  const encoded = new ThreadSafeQueue<Encoded>(16, { type: record({ frame: 'uint32', bytes: 'uint32', ahead: 'uint32' }) })
  const start = (stage: Stage): Worker => {
    const handles = { pool: pool.handle, captured: captured.handle, filtered: filtered.handle, encoded: encoded.handle }
    return new Worker(new URL('./frames-worker.js', import.meta.url), { workerData: { stage, ...handles } satisfies FramesData })
  }
  const stages = (['capture', 'filter', 'encode'] as const).map(start)
  const ends = stages.map((stage) => once(stage, 'exit'))

  const began = performance.now()
  let expected = 0
  let most = 0
  for await (const { frame, bytes, ahead } of encoded) {
    assert.equal(frame, expected++, 'a frame is missing, or out of order')
    most = Math.max(most, ahead)
    report(`frame ${frame} of ${FRAMES}: ${count(bytes)} bytes, the camera ${ahead} frames ahead`)
  }
  const seconds = (performance.now() - began) / 1000
  await Promise.all(ends)

  assert.equal(expected, FRAMES)
  assert.ok(most <= BUFFERS, `the camera was ${most} frames ahead, with ${BUFFERS} buffers`)
  assert.deepEqual(pool.stats(), { free: BUFFERS, lent: 0, passed: 0 })
  return `${FRAMES} frames of 1 MiB through three threads at ${count(FRAMES / seconds)} a second, none copied; the camera at most ${most} ahead`
}

export const frames: Example = {
  name: 'frames',
  shows: 'Frames of 1 MiB are captured, filtered and encoded by three threads that pass four buffers round.',
  run,
}

await runIfMain(import.meta.url, frames)
