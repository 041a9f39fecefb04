/** Buffers of 1 MiB, lent and passed round between two workers. */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { BufferPool, type BufferPoolHandle, type QueueHandle, ThreadSafeQueue } from '../../lib/index.js'
import type { Case, Runner } from '../harness/case.js'
import { Crew, type Roles } from '../harness/crew.js'

const BYTES = 2 ** 20
const BUFFERS = 16
const BLOCKING = { block: true }

/** A stage touches little of a buffer, so that the pool's own cost shows. */
function mark(data: Uint8Array, k: number): void {
  data[0] = k
  data[BYTES - 1] = k
}

function check(data: Uint8Array, k: number): void {
  if (data[0] !== (k & 0xff) || data[BYTES - 1] !== (k & 0xff)) throw new Error(`got ${data[0]} as buffer ${k}`)
}

interface Lent {
  readonly pool: BufferPoolHandle<Uint8Array>
  readonly filled: QueueHandle<number, Uint32Array>
}

export const roles: Roles = {
  filler({ pool, filled }: Lent) {
    const buffers = BufferPool.from(pool)
    const tokens = ThreadSafeQueue.from(filled)
    return (items) => {
      for (let k = 0; k < items; k++) {
        const lease = buffers.lendSync(BLOCKING)
        mark(lease.data, k)
        tokens.putSync(lease.pass(), BLOCKING)
      }
    }
  },
  drainer({ pool, filled }: Lent) {
    const buffers = BufferPool.from(pool)
    const tokens = ThreadSafeQueue.from(filled)
    return (items) => {
      for (let k = 0; k < items; k++) {
        const lease = buffers.take(tokens.getSync(BLOCKING))
        check(lease.data, k)
        lease.release()
      }
    }
  },
  /** Makes the first buffers, then sends each one that comes back. */
  sender(port: MessagePort) {
    const free = Array.from({ length: BUFFERS }, () => new Uint8Array(BYTES))
    return (items) =>
      new Promise<void>((resolve) => {
        let sent = 0
        const send = (data: Uint8Array<ArrayBuffer>) => {
          mark(data, sent++)
          port.postMessage(data, [data.buffer])
        }
        let back = 0
        port.on('message', function onBack(data: Uint8Array<ArrayBuffer>) {
          if (sent < items) send(data)
          else free.push(data)
          if (++back < items) return
          port.off('message', onBack)
          resolve()
        })
        for (let k = free.length; k > 0 && sent < items; k--) send(free.pop() as Uint8Array<ArrayBuffer>)
      })
  },
  returner(port: MessagePort) {
    return (items) =>
      new Promise<void>((resolve) => {
        let come = 0
        port.on('message', function onBuffer(data: Uint8Array<ArrayBuffer>) {
          check(data, come++)
          port.postMessage(data, [data.buffer])
          if (come < items) return
          port.off('message', onBuffer)
          resolve()
        })
      })
  },
}

function runnerOf(crew: Crew): Runner {
  return async (items) => (await crew.run(items)).nanoseconds / items
}

const post = (role: string, data: unknown, transfer: MessagePort[] = []) => ({ module: import.meta.url, role, data, transfer })

export const pools: readonly Case[] = [
  {
    id: 'pool-round',
    title: `${BUFFERS} buffers of 1 MiB go round between two workers`,
    topology: 'shared',
    kind: 'rate',
    unit: 'ns/buffer',
    contenders: [
      {
        id: 'threadsafe',
        name: 'threadsafe, BufferPool and a queue of tokens',
        package: 'threadsafe',
        open() {
          const pool = new BufferPool(BUFFERS, `bytes[${BYTES}]`)
          const filled = new ThreadSafeQueue(BUFFERS, { type: 'uint32' })
          const data: Lent = { pool: pool.handle, filled: filled.handle }
          return runnerOf(new Crew([post('drainer', data), post('filler', data)]))
        },
      },
      {
        id: 'postMessage',
        name: 'postMessage with transfer, and back',
        open() {
          const { port1, port2 } = new MessageChannel()
          return runnerOf(new Crew([post('returner', port2, [port2]), post('sender', port1, [port1])]))
        },
      },
    ],
    goals: [{ text: '1 MiB buffers: >= 5 x faster than postMessage with transfer', against: 'postMessage', atMost: 1 / 5 }],
  },
]
