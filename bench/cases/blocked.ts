/**
 * The cost of a blocked worker: how soon it ends when it is terminated, and how often it wakes
 * until then.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { Worker, isMainThread, workerData } from 'node:worker_threads'
import { type QueueHandle, ThreadSafeQueue } from '../../lib/index.js'
import { type Case, type Contender, type Runner, Unavailable } from '../harness/case.js'
import { now } from '../harness/clock.js'

const ENDS = 12
/**
 * The pause before terminate(): long enough for the worker to be asleep, and different each time.
 */
const FIRST_PAUSE = 20
const PAUSE_STEP = 13
const SECONDS = 3
const SETTLED = 1500
const MILLISECONDS = 1000

interface Blocking {
  readonly blockBy: 'queue' | 'word'
  readonly handle: QueueHandle<number>
  /** [READY] is 1 just before it blocks, [THREAD] is its thread id, [NEVER] never changes. */
  readonly words: Int32Array
}

const [READY, THREAD, NEVER] = [0, 1, 2]

function block({ blockBy, handle, words }: Blocking): void {
  if (process.platform === 'linux') words[THREAD] = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
  Atomics.store(words, READY, 1)
  Atomics.notify(words, READY)
  if (blockBy === 'queue') ThreadSafeQueue.from(handle).getSync({ block: true })
  else Atomics.wait(words, NEVER, 0)
}

if (!isMainThread && (workerData as Partial<Blocking> | undefined)?.blockBy) block(workerData as Blocking)

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

async function start(blockBy: Blocking['blockBy']): Promise<{ worker: Worker; words: Int32Array }> {
  const { handle } = new ThreadSafeQueue(1, { type: 'float64' })
  const words = new Int32Array(new SharedArrayBuffer(12))
  const worker = new Worker(new URL(import.meta.url), { workerData: { blockBy, handle, words } satisfies Blocking })
  while (Atomics.load(words, READY) === 0) await pause(1)
  return { worker, words }
}

const ends = (blockBy: Blocking['blockBy']) => (): Runner => async (count) => {
  const latencies: number[] = []
  for (let k = 0; k < count; k++) {
    const { worker } = await start(blockBy)
    await pause(FIRST_PAUSE + k * PAUSE_STEP)
    const before = now()
    await worker.terminate()
    latencies.push(now() - before)
  }
  return latencies
}

function wakesOf(thread: number): number {
  const status = readFileSync(`/proc/self/task/${thread}/status`, 'utf8')
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1])
}

const wakes = (blockBy: Blocking['blockBy']) => async (): Promise<Runner> => {
  if (process.platform !== 'linux') throw new Unavailable('only Linux tells how often a thread wakes')
  const { words } = await start(blockBy)
  await pause(SETTLED)
  return async (seconds) => {
    const before = wakesOf(words[THREAD] as number)
    await pause(seconds * MILLISECONDS)
    return (wakesOf(words[THREAD] as number) - before) / seconds
  }
}

const contenders = (open: (blockBy: Blocking['blockBy']) => Contender['open']): Contender[] => [
  { id: 'threadsafe', name: 'threadsafe, getSync', package: 'threadsafe', open: open('queue') },
  { id: 'Atomics', name: 'Atomics.wait', open: open('word') },
]

export const blocked: readonly Case[] = [
  {
    id: 'blocked-terminate',
    title: 'terminate() of a blocked worker',
    topology: 'blocked',
    kind: 'latency',
    unit: 'us',
    items: ENDS,
    contenders: contenders(ends),
    goals: [{ text: 'terminate() of a worker that is blocked in getSync, p50: <= 10 ms', against: null, atMost: 10_000 }],
  },
  {
    id: 'blocked-wakes',
    title: 'Wakes a second of a blocked worker, at rest',
    topology: 'blocked',
    kind: 'size',
    unit: '/s',
    items: SECONDS,
    contenders: contenders(wakes),
    goals: [{ text: 'wakes a second of a worker that is blocked in getSync, at rest: <= 1', against: null, atMost: 1 }],
  },
]
