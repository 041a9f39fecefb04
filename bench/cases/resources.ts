/** The cost of a queue before anything is put into it, and of the package in a new worker. */
import { once } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MessageChannel, Worker } from 'node:worker_threads'
import { ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import type { Case, Contender, Runner } from '../harness/case.js'
import { loadMultithreading, MULTITHREADING } from '../peers/multithreading.js'
import { newStorage, ringbufOver } from '../peers/ringbuf.js'

const CAPACITY = 1024
const QUEUES = 200
const WORKERS = 20
/** Many queues for this measurement, as the rest of the heap varies by a few MiB. */
const QUEUES_AT_REST = 1000
const COLLECTIONS = 4
const SETTLING = 25
const KIB = 1024
const MICROSECOND = 1000

function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

type Make = () => unknown

/** Measures once per process, since memory that was freed would be used again. */
function memoryOf(make: Make): Runner {
  const collect = collector()
  make()
  // The collector frees memory in steps, and long after it has found it.
  const settle = async () => {
    for (let k = 0; k < COLLECTIONS; k++) {
      collect()
      await new Promise((resolve) => setTimeout(resolve, SETTLING))
    }
  }
  return async (count) => {
    const kept = new Array<unknown>(count)
    await settle()
    const before = process.memoryUsage.rss()
    for (let k = 0; k < count; k++) kept[k] = make()
    await settle()
    const bytes = process.memoryUsage.rss() - before
    return bytes / KIB / kept.length
  }
}

function timeOf(make: Make): Runner {
  const collect = collector()
  return async (count) => {
    const kept: unknown[] = []
    const start = process.hrtime.bigint()
    for (let k = 0; k < count; k++) kept.push(make())
    const nanoseconds = Number(process.hrtime.bigint() - start)
    const microseconds = nanoseconds / MICROSECOND / kept.length
    kept.length = 0
    // Collects twice. The finalizers run in the loop iteration between.
    collect()
    await new Promise((resolve) => setImmediate(resolve))
    collect()
    return microseconds
  }
}

function contenders(measure: (make: Make) => Runner): Contender[] {
  return [
    {
      id: 'threadsafe',
      name: 'threadsafe, queue of float64',
      package: 'threadsafe',
      open: () => measure(() => new ThreadSafeQueue(CAPACITY, { type: 'float64' })),
    },
    {
      id: 'threadsafe-any',
      name: "threadsafe, queue of 'any'",
      package: 'threadsafe',
      open: () => measure(() => new ThreadSafeQueue(CAPACITY)),
    },
    { id: 'threadsafe-event', name: 'threadsafe, event', package: 'threadsafe', open: () => measure(() => new ThreadSafeEvent()) },
    { id: 'postMessage', name: 'MessageChannel', note: 'its size is not fixed', open: () => measure(() => new MessageChannel()) },
    { id: 'ringbuf', name: 'ringbuf.js', package: 'ringbuf.js', open: () => measure(() => ringbufOver(newStorage(CAPACITY))) },
    {
      ...MULTITHREADING,
      async open() {
        const { channel } = await loadMultithreading()
        return measure(() => channel(CAPACITY))
      },
    },
  ]
}

/** Starts one worker after another, each of which imports that module, if any, and ends. */
function startOf(module: string | undefined): Runner {
  const program = module === undefined ? '' : `await import(${JSON.stringify(module)})`
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`)
  return async (count) => {
    const start = process.hrtime.bigint()
    for (let k = 0; k < count; k++) await once(new Worker(url), 'exit')
    return Number(process.hrtime.bigint() - start) / MICROSECOND / count
  }
}

export const resources: readonly Case[] = [
  {
    id: 'memory',
    title: 'Resident memory of a queue at rest, of 1024 slots that were never used',
    topology: 'memory',
    kind: 'size',
    unit: 'KiB',
    items: QUEUES_AT_REST,
    fresh: true,
    contenders: contenders(memoryOf),
    goals: [{ text: 'queue at rest: <= 16 KiB resident beyond its slots', against: null, atMost: 16 }],
  },
  {
    id: 'creation',
    title: 'Creating a queue of 1024 slots',
    topology: 'creation',
    kind: 'rate',
    unit: 'us',
    items: QUEUES,
    contenders: contenders(timeOf),
    goals: [{ text: 'queue created in <= 100 us', against: null, atMost: 100 }],
  },
  {
    id: 'worker-start',
    title: 'A worker starts, imports the package, and ends',
    topology: 'creation',
    kind: 'rate',
    unit: 'us',
    items: WORKERS,
    contenders: [
      {
        id: 'threadsafe',
        name: 'threadsafe',
        package: 'threadsafe',
        open: () => startOf(new URL('../../lib/index.js', import.meta.url).href),
      },
      { id: 'nothing', name: 'a worker that imports nothing', open: () => startOf(undefined) },
      { id: 'ringbuf', name: 'ringbuf.js', package: 'ringbuf.js', open: () => startOf(import.meta.resolve('ringbuf.js')) },
    ],
  },
]
