/** The cost of a queue before anything is put into it. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MessageChannel } from 'node:worker_threads'
import { ThreadSafeEvent, ThreadSafeQueue } from '../../lib/index.js'
import type { Case, Contender, Runner } from '../harness/case.js'
import { loadMultithreading, MULTITHREADING } from '../peers/multithreading.js'
import { newStorage, ringbufOver } from '../peers/ringbuf.js'

const CAPACITY = 1024
const QUEUES = 200
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
]
