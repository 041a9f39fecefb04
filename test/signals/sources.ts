/**
 * Shared by the tests of signal sources: sources and workers that end with each test, and signals
 * that are sent one by one.
 */
import assert from 'node:assert/strict'
import type { Worker } from 'node:worker_threads'
import { sendSignal, type SignalInfo, signalInfo, type SignalSource, ThreadSafeQueue, type SignalName } from '../../lib/index.js'
import type { SignalRole } from '../fixtures/signals-worker.js'
import { type Outcome, startWorker, until } from '../support.js'

export const PATIENCE = 60_000

/** Values of si_code on Linux: from sigqueue(3), of a child that ended by itself or was killed, from a timer. */
export const SI_QUEUE = -1
export const CLD_EXITED = 1
export const CLD_KILLED = 2
export const SI_TIMER = -2

const workers: Worker[] = []
export const sources: { detach(): void }[] = []

export function start(task: SignalRole): Worker {
  const worker = startWorker('signals-worker', task)
  workers.push(worker)
  return worker
}

export function willDetach<S extends { detach(): void }>(source: S): S {
  sources.push(source)
  return source
}

export function signalQueue(capacity: number, overflow: 'reject' | 'drop-oldest' = 'reject'): ThreadSafeQueue<SignalInfo> {
  return new ThreadSafeQueue<SignalInfo>(capacity, { type: signalInfo, overflow })
}

export function drain(queue: ThreadSafeQueue<SignalInfo>): SignalInfo[] {
  const items: SignalInfo[] = []
  for (let item = queue.tryGet(); item; item = queue.tryGet()) items.push(item)
  return items
}

/**
 * Sends a signal and waits until it is received, since standard signals of one number merge while
 * they are pending.
 */
export async function sendOne(signal: SignalName, source: SignalSource, value?: number): Promise<void> {
  const { received } = source.stats()
  sendSignal(process.pid, signal, value)
  await until(`the handler of ${signal}`, () => source.stats().received === received + 1)
}

/** Installs a Node listener that counts, while `body` runs. */
export async function withHandler(signal: NodeJS.Signals, body: (handled: () => number) => Promise<void>): Promise<void> {
  let count = 0
  const handler = (): void => void count++
  process.on(signal, handler)
  try {
    await body(() => count)
  } finally {
    process.off(signal, handler)
  }
}

export function expectCleanEnd({ code, signal, stderr }: Outcome): void {
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' })
}

export async function endAll(): Promise<void> {
  for (const source of sources.splice(0)) source.detach()
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
}
