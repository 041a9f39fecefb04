import { MessageChannel, Worker } from 'node:worker_threads'
import { ThreadSafeQueue } from '../lib/index.js'
import type { Case, Contender } from './harness.js'
import type { Job, Transport } from './one-to-one-worker.js'
import { newStorage } from './ringbuf.js'

const CAPACITY = 1024

interface Party {
  readonly worker: Worker
  result(): Promise<number>
}

function party(job: Job): Party {
  const worker = new Worker(new URL('./one-to-one-worker.js', import.meta.url), {
    workerData: job,
    transferList: job.transport.kind === 'postMessage' ? [job.transport.port] : [],
  })
  return {
    worker,
    result: () =>
      new Promise((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
      }),
  }
}

/** Two workers; the consumer tells how long it took from its first item to its last. */
function contender(name: string, ends: () => [producer: Transport, consumer: Transport]): Contender {
  return {
    name,
    async run(items) {
      const [producerEnd, consumerEnd] = ends()
      const gate = new SharedArrayBuffer(4)
      const consumer = party({ role: 'consumer', transport: consumerEnd, items, gate })
      const producer = party({ role: 'producer', transport: producerEnd, items, gate })
      const [nanoseconds] = await Promise.all([consumer.result(), producer.result()])
      await Promise.all([consumer.worker.terminate(), producer.worker.terminate()])
      return nanoseconds / (items - 1)
    },
  }
}

export const oneToOne: Case = {
  name: 'one producer and one consumer, both workers: float64, item by item',
  unit: 'ns for an item',
  items: 300_000,
  contenders: [
    contender('threadsafe, putSync and getSync, blocking', () => {
      const { handle } = new ThreadSafeQueue<number>(CAPACITY, { type: 'float64' })
      return [
        { kind: 'threadsafe', handle },
        { kind: 'threadsafe', handle },
      ]
    }),
    contender('ringbuf.js, push and pop, spinning', () => {
      const storage = newStorage(CAPACITY)
      return [
        { kind: 'ringbuf', storage },
        { kind: 'ringbuf', storage },
      ]
    }),
    contender('postMessage', () => {
      const { port1, port2 } = new MessageChannel()
      return [
        { kind: 'postMessage', port: port1 },
        { kind: 'postMessage', port: port2 },
      ]
    }),
  ],
}
