/** A lone item while many wait: many loops at one queue, or one loop at many queues. */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { type QueueHandle, ThreadSafeQueue } from '../../lib/index.js'
import type { Case, Contender, Runner } from '../harness/case.js'
import { now, sleep } from '../harness/clock.js'
import { Crew, type Post, type Roles } from '../harness/crew.js'

const WORKERS = 16
const QUEUES = 1000
const ITEMS = 300
/** The pause is long enough for the loops to be asleep again. */
const PAUSE = 1
const CAPACITY = 16
const LAST = -1
const MICROSECONDS = 1000

/** The number of items that have come, and when the last one did. */
interface Arrivals {
  readonly count: SharedArrayBuffer
  readonly time: SharedArrayBuffer
}

function arrived({ count, time }: Arrivals): void {
  new Float64Array(time)[0] = now()
  const words = new Int32Array(count)
  Atomics.add(words, 0, 1)
  Atomics.notify(words, 0)
}

interface Awaiting<Where> {
  readonly where: Where
  readonly arrivals: Arrivals
}

export const roles: Roles = {
  getter({ where, arrivals }: Awaiting<QueueHandle<number>>) {
    const queue = ThreadSafeQueue.from(where)
    return async () => {
      while ((await queue.get()) !== LAST) arrived(arrivals)
    }
  },
  listener({ where, arrivals }: Awaiting<MessagePort>) {
    return () =>
      new Promise<void>((resolve) => {
        where.on('message', function onMessage(item: number) {
          if (item !== LAST) return arrived(arrivals)
          where.off('message', onMessage)
          resolve()
        })
      })
  },
}

type Send = (item: number, k: number) => void

/** Whether to measure latency, or the CPU time of the whole process per item. */
type What = 'time' | 'processor'

/**
 * Sends one item at a time, each once the last has arrived and all loops are asleep again.
 * `send(LAST, k)` ends the kth worker's round.
 */
function lone(what: What, workers: number, prepare: (arrivals: Arrivals) => { posts: Post[]; send: Send }): () => Runner {
  return () => {
    const arrivals: Arrivals = { count: new SharedArrayBuffer(4), time: new SharedArrayBuffer(8) }
    const { posts, send } = prepare(arrivals)
    const crew = new Crew(posts)
    const count = new Int32Array(arrivals.count)
    const time = new Float64Array(arrivals.time)
    return async (items) => {
      const round = crew.run(items)
      // Gives the workers time to pass their gate.
      await new Promise((resolve) => setTimeout(resolve, 100))
      const latencies: number[] = []
      const before = process.cpuUsage()
      for (let k = 0; k < items; k++) {
        sleep(PAUSE)
        const seen = Atomics.load(count, 0)
        const start = now()
        send(k, k)
        Atomics.wait(count, 0, seen)
        latencies.push((time[0] as number) - start)
      }
      const { user, system } = process.cpuUsage(before)
      for (let k = 0; k < workers; k++) send(LAST, k)
      await round
      return what === 'time' ? latencies : (user + system) / items
    }
  }
}

const module = import.meta.url

const byQueue = (what: What, workers: number) =>
  lone(what, workers, (arrivals) => {
    const queue = new ThreadSafeQueue(Math.max(CAPACITY, workers), { type: 'float64' })
    const posts = Array.from({ length: workers }, () => ({ module, role: 'getter', data: { where: queue.handle, arrivals } }))
    return { posts, send: (item) => queue.putSync(item) }
  })

const byPorts = (what: What, workers: number) =>
  lone(what, workers, (arrivals) => {
    const channels = Array.from({ length: workers }, () => new MessageChannel())
    const posts = channels.map(({ port2 }) => ({ module, role: 'listener', data: { where: port2, arrivals }, transfer: [port2] }))
    return { posts, send: (item, k) => channels[k % workers]?.port1.postMessage(item) }
  })

const awaiting = (what: What): Contender[] => [
  { id: 'threadsafe', name: `threadsafe, ${WORKERS} workers`, package: 'threadsafe', open: byQueue(what, WORKERS) },
  { id: 'threadsafe-one', name: 'threadsafe, 1 worker', package: 'threadsafe', open: byQueue(what, 1) },
  { id: 'postMessage', name: `postMessage to ${WORKERS} workers, round-robin`, open: byPorts(what, WORKERS) },
  { id: 'postMessage-one', name: 'postMessage to 1 worker', open: byPorts(what, 1) },
]

function awaitingGoals(what: string): Case['goals'] {
  return [
    { text: `lone item to ${WORKERS} awaiting workers, ${what}: <= 1.5 x one to 1 worker`, against: 'threadsafe-one', atMost: 1.5 },
    { text: `lone item to ${WORKERS} awaiting workers, ${what}: <= postMessage round-robin`, against: 'postMessage', atMost: 1 },
  ]
}

/** A loop that awaits `count` queues. It puts into each in turn, and awaits that item. */
function awaitMany(count: number): Runner {
  const queues = Array.from({ length: count }, () => new ThreadSafeQueue(1, { type: 'float64' }))
  const pending = queues.map((queue) => queue.get())
  return async (items) => {
    const start = now()
    for (let k = 0; k < items; k++) {
      const queue = queues[k % count] as (typeof queues)[number]
      queue.putSync(k)
      if ((await pending[k % count]) !== k) throw new Error('another item came')
      pending[k % count] = queue.get()
    }
    return (now() - start) / items / MICROSECONDS
  }
}

export const manyWaiting: readonly Case[] = [
  {
    id: 'awaiting-workers',
    title: `A lone item where ${WORKERS} event loops await: time`,
    topology: 'wake',
    kind: 'latency',
    unit: 'us',
    items: ITEMS,
    contenders: awaiting('time'),
    goals: awaitingGoals('p50'),
  },
  {
    id: 'awaiting-workers-cpu',
    title: `A lone item where ${WORKERS} event loops await: processor time of all threads`,
    topology: 'wake',
    kind: 'size',
    unit: 'us',
    items: ITEMS,
    contenders: awaiting('processor'),
    goals: awaitingGoals('processor time'),
  },
  {
    id: 'awaiting-queues',
    title: `One event loop awaits ${QUEUES} queues: a put into one and its get`,
    topology: 'many queues',
    kind: 'rate',
    unit: 'us/item',
    contenders: [
      { id: 'threadsafe', name: `threadsafe, ${QUEUES} queues`, package: 'threadsafe', open: () => awaitMany(QUEUES) },
      { id: 'threadsafe-one', name: 'threadsafe, 1 queue', package: 'threadsafe', open: () => awaitMany(1) },
    ],
    goals: [{ text: `one loop that awaits ${QUEUES} queues, per item: <= 3 x one queue`, against: 'threadsafe-one', atMost: 3 }],
  },
]
