/** A worker sends numbers to the main loop, through a queue and then by `postMessage`. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { ThreadSafeQueue } from 'threadsafe'
import { count, type Report } from './display.js'
import { type Example, runIfMain } from './example.js'
import type { NumbersData } from './numbers-worker.js'

const NUMBERS = 1_000_000
const CAPACITY = 1024
const SUM = (NUMBERS * (NUMBERS - 1)) / 2

/** Starts a worker that sends only when told to, so that its start is not measured. */
async function started(workerData: NumbersData): Promise<Worker> {
  const worker = new Worker(new URL('./numbers-worker.js', import.meta.url), { workerData })
  await once(worker, 'message')
  return worker
}

async function throughQueue(): Promise<number> {
  using numbers = new ThreadSafeQueue(CAPACITY, { type: 'float64' })
  const worker = await started({ numbers: numbers.handle, count: NUMBERS })
  let sum = 0
  const start = performance.now()
  worker.postMessage('go')
  await numbers.forEach((number) => {
    sum += number
  }) // until the worker has closed the queue
  const milliseconds = performance.now() - start
  assert.equal(sum, SUM, 'a number was lost or came twice')
  return milliseconds
}

async function byMessages(): Promise<number> {
  const worker = await started({ numbers: undefined, count: NUMBERS })
  let sum = 0
  let received = 0
  const start = performance.now()
  worker.postMessage('go')
  await new Promise<void>((resolve) => {
    worker.on('message', (number: number) => {
      sum += number
      if (++received === NUMBERS) resolve()
    })
  })
  const milliseconds = performance.now() - start
  assert.equal(sum, SUM)
  return milliseconds
}

async function run(report: Report): Promise<string> {
  const queue = await throughQueue()
  report(`the queue took ${each(queue)}`)
  const messages = await byMessages()
  return `${each(queue)} through a queue that never held more than ${count(CAPACITY)}, ${each(messages)} by postMessage, which has no bound: ${(messages / queue).toFixed(1)} times as fast`
}

function each(milliseconds: number): string {
  return `${((milliseconds * 1e6) / NUMBERS).toFixed(0)} ns a number`
}

export const numbers: Example = {
  name: 'numbers',
  shows: `A worker sends ${count(NUMBERS)} numbers to the main loop, which adds them up.`,
  run,
}

await runIfMain(import.meta.url, numbers)
