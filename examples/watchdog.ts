/**
 * A watchdog: while the main loop is blocked, a worker learns of it, and since when. The main loop
 * writes the time into shared memory every few milliseconds. The signal handler of a kernel timer
 * reads it, and puts an item into the worker's queue when it is too old.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { record, signalInfo, SignalTimer, ThreadSafeQueue } from 'threadsafe'
import type { Report } from './display.js'
import { type Example, runIfMain } from './example.js'
import type { Stall, WatchdogQueues } from './watchdog-worker.js'

const BEAT = 10 // milliseconds: the precision with which the start of a stall is known
const LIMIT = 100 // milliseconds: anything longer is a stall
const LOOK = 5 // milliseconds: the longest delay of the report

const STALLS = [30, 250, 50, 400, 80, 150] // milliseconds; half of them are below the limit

async function run(report: Report): Promise<string> {
  using alarms = new ThreadSafeQueue(16, { type: signalInfo, overflow: 'drop-oldest' })
  using stalls = new ThreadSafeQueue<Stall>(16, { type: record({ began: 'biguint64', known: 'biguint64' }) })
  const workerData: WatchdogQueues = { alarms: alarms.handle, stalls: stalls.handle }
  const worker = new Worker(new URL('./watchdog-worker.js', import.meta.url), { workerData })
  await once(worker, 'message')

  const heartbeat = new BigUint64Array(new SharedArrayBuffer(8))
  const beat = (): bigint => Atomics.store(heartbeat, 0, process.hrtime.bigint())
  const beats = setInterval(beat, BEAT)
  const timer = new SignalTimer(LOOK * 1000, alarms, { heartbeat, olderThan: LIMIT })

  let told = 0
  let latest = 0
  try {
    for (const milliseconds of STALLS) {
      await new Promise((resolve) => setTimeout(resolve, 5 * BEAT))
      while (!stalls.empty()) stalls.getSync() // if the machine itself was slow
      const began = process.hrtime.bigint()
      blockLoop(milliseconds)
      const ended = process.hrtime.bigint()

      if (milliseconds < LIMIT) continue
      const stall = await stalls.get({ timeout: 5000 })
      assert.ok(stall.known < ended, 'the worker got to know only when it was over')
      assert.ok(stall.began <= began, 'the stall began before it was told to have begun')
      const late = Number(stall.known - stall.began) / 1e6 - LIMIT
      latest = Math.max(latest, late)
      told++
      report(`blocked for ${milliseconds} ms: known ${late.toFixed(1)} ms after the first ${LIMIT}`)
    }
  } finally {
    timer.stop()
    clearInterval(beats)
  }
  alarms.close()
  await once(worker, 'exit')
  return `${told} stalls of more than ${LIMIT} ms, each known to the worker while it lasted, ${latest.toFixed(1)} ms after the limit at most`
}

/** Blocks the event loop, like a slow JSON.parse or a runaway regular expression. */
function blockLoop(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

export const watchdog: Example = {
  name: 'watchdog',
  shows: `A worker learns that the main loop has been blocked for over ${LIMIT} ms, and since when, while it still is.`,
  run,
}

await runIfMain(import.meta.url, watchdog)
