/**
 * Shared by the tests of native code: the second addon, the threads that it runs, and the workers
 * that use it.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Worker } from 'node:worker_threads'
import { type ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import * as lib from '../fixtures/native-addon.js'
import { buildNativeAddon } from '../fixtures/native-addon-build.js'
import type { NativeRole } from '../fixtures/native-worker.js'
import { startWorker, until } from '../support.js'

const { TYPES } = lib
export const FOREVER = -1
export const execute = promisify(execFile)
export const POINT = { x: 'float64', n: 'int32', on: 'boolean', t: 'biguint64' } as const

export let addon: lib.NativeAddon
const jobs: lib.Job[] = []
const workers: Worker[] = []

/** Builds the addon before a suite's tests, and ends after each test what that test has started. */
export function useNativeCode(suite: Mocha.Suite): void {
  suite.timeout(120_000)

  before(async () => {
    await buildNativeAddon()
    addon = lib.nativeAddon()
  })

  afterEach(async () => {
    for (const job of jobs.splice(0)) {
      addon.cancel(job)
      addon.finish(job)
    }
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
  })
}

export function numbers(capacity: number, options = {}): ThreadSafeQueue<number, Float64Array> {
  return new ThreadSafeQueue(capacity, { type: 'float64', ...options })
}

export function openQueue(queue: ThreadSafeQueue<unknown, unknown>, type: number, itemBytes: number): lib.Queue {
  const opened = addon.openQueue(queue.native, type, itemBytes)
  if (typeof opened === 'number') throw new Error(addon.statusText(opened))
  return opened
}

export function openNumbers(queue: ThreadSafeQueue<number, Float64Array>): lib.Queue {
  return openQueue(queue, TYPES.float64, 8)
}

export function openEvent(event: ThreadSafeEvent): lib.Event {
  return addon.openEvent(event.native) as lib.Event
}

export function start(work: lib.Work, target: ThreadSafeQueue<number, Float64Array> | ThreadSafeEvent, items = Infinity): lib.Job {
  const job = addon.start(work, target.native, items, 0)
  if (typeof job === 'number') throw new Error(addon.statusText(job))
  jobs.push(job)
  return job
}

export function work(task: NativeRole): Worker {
  const worker = startWorker('native-worker', task)
  workers.push(worker)
  return worker
}

export async function done(job: lib.Job, milliseconds = 5000): Promise<ReturnType<lib.NativeAddon['look']>> {
  await until('the end of a native thread', () => addon.look(job).done === 1, milliseconds)
  return addon.look(job)
}
