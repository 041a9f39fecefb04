/** Batches of 128 items from worker to worker, against one message that is an array of them. */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { type QueueHandle, ThreadSafeQueue } from '../../lib/index.js'
import type { Case, Runner } from '../harness/case.js'
import { Crew, type Roles } from '../harness/crew.js'

const BATCH = 128
const CAPACITY = 8 * BATCH
const BLOCKING = { block: true }

type Kind = 'strings' | 'objects'

const KINDS = {
  strings: {
    options: { type: 'string', itemBytes: 104 },
    make: (k: number): unknown => String(k % 10).repeat(100),
    isGood: (item: unknown) => (item as string).length === 100,
  },
  objects: {
    options: { type: 'any', itemBytes: 128 },
    make: (k: number): unknown => ({ id: k, name: 'sensor 17', x: k + 0.5, y: -k, tags: ['north', 'roof', 'spare'] }),
    isGood: (item: unknown) => (item as { name: string }).name === 'sensor 17',
  },
} as const

interface Job {
  readonly kind: Kind
  readonly data: unknown
}

function batchOf(kind: Kind): unknown[] {
  return Array.from({ length: BATCH }, (_, k) => KINDS[kind].make(k))
}

function check(kind: Kind, items: readonly unknown[]): number {
  if (!KINDS[kind].isGood(items[0]) || !KINDS[kind].isGood(items.at(-1))) throw new Error('got something else')
  return items.length
}

export const roles: Roles = {
  putter({ kind, data }: Job) {
    const queue = ThreadSafeQueue.from<unknown>(data as QueueHandle<unknown>)
    const batch = batchOf(kind)
    return (items) => {
      for (let k = 0; k < items; k += BATCH) queue.putManySync(batch, BLOCKING)
    }
  },
  getter({ kind, data }: Job) {
    const queue = ThreadSafeQueue.from<unknown>(data as QueueHandle<unknown>)
    return (items) => {
      for (let k = 0; k < items;) k += check(kind, queue.getManySync(Math.min(BATCH, items - k), BLOCKING))
    }
  },
  poster({ kind, data }: Job) {
    const batch = batchOf(kind)
    return (items) => {
      for (let k = 0; k < items; k += BATCH) (data as MessagePort).postMessage(batch)
    }
  },
  receiver({ kind, data }: Job) {
    const port = data as MessagePort
    return (items) =>
      new Promise<void>((resolve) => {
        let count = 0
        port.on('message', function onBatch(batch: unknown[]) {
          count += check(kind, batch)
          if (count < items) return
          port.off('message', onBatch)
          resolve()
        })
      })
  },
}

function between(kind: Kind, names: readonly [string, string], ends: () => readonly [unknown, unknown]): () => Runner {
  return () => {
    const module = import.meta.url
    const posts = ends().map((data, k) => ({
      module,
      role: names[k] as string,
      data: { kind, data } satisfies Job,
      transfer: names[0] === 'poster' ? [data as MessagePort] : [],
    }))
    const crew = new Crew(posts)
    return async (items) => {
      const whole = Math.ceil(items / BATCH) * BATCH
      const { nanoseconds } = await crew.run(whole)
      return nanoseconds / whole
    }
  }
}

function batchesOf(kind: Kind, what: string): Case {
  return {
    id: `batch-${kind}`,
    title: `1 producer, 1 consumer: batches of 128 ${what}`,
    topology: 'objects',
    kind: 'rate',
    unit: 'ns/item',
    contenders: [
      {
        id: 'threadsafe',
        name: 'threadsafe, putManySync and getManySync',
        package: 'threadsafe',
        open: between(kind, ['putter', 'getter'], () => {
          const { handle } = new ThreadSafeQueue(CAPACITY, KINDS[kind].options as { type: 'any'; itemBytes: number })
          return [handle, handle]
        }),
      },
      {
        id: 'postMessage',
        name: 'postMessage of one array',
        note: 'unbounded',
        open: between(kind, ['poster', 'receiver'], () => {
          const { port1, port2 } = new MessageChannel()
          return [port1, port2]
        }),
      },
    ],
    goals: [{ text: `128 ${what} in one batch: >= 2 x faster than postMessage of one array`, against: 'postMessage', atMost: 1 / 2 }],
  }
}

export const batches: readonly Case[] = [batchesOf('strings', 'strings of 100 characters'), batchesOf('objects', 'small objects')]
