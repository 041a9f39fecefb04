/**
 * An echo server: the main thread awaits, a worker blocks, and two short queues between them hold
 * both to the pace of the slower one.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createHistogram } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import { ThreadSafeQueue } from 'threadsafe'
import { count, type Report } from './display.js'
import type { EchoQueues } from './echo-worker.js'
import { type Example, runIfMain } from './example.js'

const CAPACITY = 10
const MILLISECONDS = 2000

async function run(report: Report): Promise<string> {
  // `using` closes both queues when this function is left, even by an error. Any call that still
  // waits on one of them then gets a QueueClosedError.
  using requests = new ThreadSafeQueue(CAPACITY, { type: 'uint32' })
  using replies = new ThreadSafeQueue(CAPACITY, { type: 'uint32' })
  const workerData: EchoQueues = { requests: requests.handle, replies: replies.handle }
  const worker = new Worker(new URL('./echo-worker.js', import.meta.url), { workerData })

  // If the worker dies, nothing serves the calls below, and they must not wait for ever.
  const exit = once(worker, 'exit').finally(() => {
    requests.close()
    replies.close()
  })

  const sentAt = new Float64Array(64) // more than can be on their way at a time
  const roundTrip = createHistogram()
  let start = 0
  let sent = 1
  let received = 1
  const status = (): string =>
    [
      `${count(received)} integers`,
      `${count((received / (performance.now() - start)) * 1000)}/s`,
      `p50 ${microseconds(roundTrip.percentile(50))}`,
      `p99 ${microseconds(roundTrip.percentile(99))}`,
    ].join(', ')

  async function send(): Promise<void> {
    for (const end = start + MILLISECONDS; performance.now() < end; sent++) {
      sentAt[sent % sentAt.length] = performance.now()
      await requests.put(sent) // waits while ten are queued already
    }
    requests.close()
  }

  async function receive(): Promise<void> {
    for await (const integer of replies) {
      assert.equal(integer, received, 'an integer was lost, doubled or overtaken')
      const milliseconds = performance.now() - (sentAt[integer % sentAt.length] as number)
      roundTrip.record(Math.max(1, Math.round(milliseconds * 1e6)))
      received++
      if (received % 1000 === 0) report(`${status()}, depth ${requests.qsize()} there ${replies.qsize()} back`)
    }
  }

  async function converse(): Promise<void> {
    // Waits for the worker's start, which should not be measured.
    await requests.put(0)
    assert.equal(await replies.get(), 0)
    start = performance.now()
    await Promise.all([send(), receive()])
  }

  await Promise.all([exit, converse()])
  assert.equal(received, sent, 'not everything that was sent came back')
  return `${status()}; all came back, in order`
}

function microseconds(nanoseconds: number): string {
  return `${(nanoseconds / 1000).toFixed(0)} µs`
}

export const echo: Example = {
  name: 'echo',
  shows: 'The main loop puts consecutive integers with `await`, a blocking worker sends each back; both queues hold ten.',
  run,
}

await runIfMain(import.meta.url, echo)
