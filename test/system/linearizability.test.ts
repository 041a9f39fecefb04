/**
 * Whatever threads call at the same time, the results are those of a queue that does one thing at a
 * time, in some order of the calls that overlap. Full, empty and dropped are true, no item is lost,
 * and none comes twice. Threads make random calls, in rounds, and note the results. Each round
 * begins and ends with an empty queue, and is checked by itself.
 */
import assert from 'node:assert/strict'
import type { Worker } from 'node:worker_threads'
import { type Overflow, ThreadSafeQueue } from '../../lib/index.js'
import {
  Barrier,
  CallKind,
  FEWEST_ROUNDS,
  type HistoryTask,
  type NotedCall,
  SLOT_BYTES,
  ThreadLog,
} from '../fixtures/linearizability-log.js'
import { type Call, type Operation, unexplained } from './history-checker.js'
import { finished, SHARE, startWorker } from '../support.js'

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
const THREADS = 4
/** The number of calls of each thread in a round. */
const CALLS = 300
const MILLISECONDS = 600 * Math.max(SHARE, 0.3)
const MOST_CALLS = 200_000
const OVERFLOWS: Overflow[] = ['reject', 'drop-newest', 'drop-oldest']

const PUTS: number[] = [CallKind.tryPut, CallKind.putOnce, CallKind.putOnceAsync, CallKind.putBlocking, CallKind.putAsync, CallKind.putMany]
/** Waiting asynchronous calls are ended by a timer, whatever the state of the queue. */
const TIMED: number[] = [CallKind.putAsync, CallKind.getAsync]

function operationOf(kind: number, overflow: Overflow): Operation {
  if (!PUTS.includes(kind)) return kind === CallKind.peek ? 'peek' : 'get'
  return kind === CallKind.tryPut && overflow === 'drop-oldest' ? 'pushing' : 'put'
}

function callOf({ kind, number, done, slots, began, ended }: NotedCall, overflow: Overflow, spans: boolean): Call {
  // If items span slots, a waiting put may have let another go first all the time.
  const mayFail = TIMED.includes(kind) || (spans && kind === CallKind.putBlocking)
  return { operation: operationOf(kind, overflow), item: done ? number : undefined, slots, mayFail, began, ended }
}

function shown(call: Call | undefined): string {
  if (!call) return 'nothing'
  const { operation, item, slots, began, ended } = call
  return `${operation} of ${slots} slots from ${began} to ${ended}: ${item ?? (operation.startsWith('pu') ? 'refused' : 'empty')}`
}

describe(`linearizability (SEED=${SEED})`, function () {
  this.timeout(60_000)

  const workers: Worker[] = []

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
  })

  for (const overflow of OVERFLOWS) {
    for (const type of ['float64', 'bytes'] as const) {
      it(`of ${type}, ${overflow}, capacity 1 to 4`, async () => {
        const spans = type === 'bytes'
        const histories = [1, 2, 3, 4].map((capacity) => {
          const queue = new ThreadSafeQueue(capacity, { type, overflow, ...(spans && { itemBytes: SLOT_BYTES }) })
          const logs = Array.from({ length: THREADS }, () => ThreadLog.create(MOST_CALLS))
          return { handle: queue.handle, capacity, spans, batches: overflow === 'reject', milliseconds: MILLISECONDS, logs }
        })
        const common = { histories, clock: new SharedArrayBuffer(4), barrier: Barrier.create(THREADS), seed: SEED, calls: CALLS }
        for (let thread = 0; thread < THREADS; thread++)
          workers.push(startWorker('linearizability-worker', { ...common, thread } satisfies HistoryTask))
        await Promise.all(workers.map((worker) => finished(worker)))
        for (const { capacity, logs } of histories) {
          const rounds = logs.map((log) => new ThreadLog(log).rounds())
          const count = (rounds[0]?.length ?? 0) - 1
          assert.ok(count >= FEWEST_ROUNDS, `${count} rounds of capacity ${capacity}`)
          for (let round = 0; round < count; round++) {
            const threads = rounds.map((of) => (of[round] ?? []).map((call) => callOf(call, overflow, spans)))
            const wrong = unexplained(threads, capacity)
            assert.equal(
              wrong && [`holds ${wrong.held.join()}`, ...wrong.next.map((call) => shown(call))].join('; '),
              undefined,
              `SEED=${SEED}, capacity ${capacity}, round ${round} of ${count}`,
            )
          }
        }
      })
    }
  }
})
