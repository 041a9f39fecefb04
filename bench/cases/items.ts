/**
 * Small items of every kind on one thread: the cost that encoding and decoding add to that of a
 * number.
 */
import { record, ThreadSafeQueue } from '../../lib/index.js'
import type { Case, Contender, Runner } from '../harness/case.js'

const CAPACITY = 64

/** Puts each item and gets it again; `read` returns its number. */
function putAndGet<T, In>(
  queue: ThreadSafeQueue<T, unknown, In>,
  make: (k: number) => In,
  read: (item: T) => number,
  count: number,
): Runner {
  const made = Array.from({ length: count }, (_, k) => make(k))
  return (items) => {
    let sum = 0
    const start = process.hrtime.bigint()
    for (let k = 0; k < items; k++) {
      queue.putSync(made[k % count] as In)
      sum += read(queue.getSync())
    }
    const nanoseconds = Number(process.hrtime.bigint() - start)
    let expected = 0
    for (let k = 0; k < items; k++) expected += k % count
    if (sum !== expected) throw new Error(`the items that came out sum up to ${sum}`)
    return nanoseconds / items
  }
}

const COUNT = 64
const TWENTY = 'abcdefghijklmnopqrs'

function ours(id: string, name: string, open: () => Runner): Contender {
  return { id, name: `threadsafe, ${name}`, package: 'threadsafe', open }
}

export const items: readonly Case[] = [
  {
    id: 'items-one-thread',
    title: 'One thread: put and get of small items of each kind',
    topology: 'one thread',
    kind: 'rate',
    unit: 'ns/item',
    contenders: [
      ours('threadsafe', 'float64', () =>
        putAndGet(
          new ThreadSafeQueue(CAPACITY, { type: 'float64' }),
          (k) => k,
          (x) => x,
          COUNT,
        ),
      ),
      ours('threadsafe-record', 'record of three numbers', () => {
        const type = record({ x: 'float64', y: 'float64', id: 'uint32' })
        return putAndGet(
          new ThreadSafeQueue(CAPACITY, { type }),
          (k) => ({ x: k, y: -k, id: k }),
          ({ id }) => id,
          COUNT,
        )
      }),
      ours('threadsafe-string', 'string of 20 characters', () => {
        const make = (k: number) => String.fromCharCode(48 + k) + TWENTY
        return putAndGet(new ThreadSafeQueue(CAPACITY, { type: 'string' }), make, (text) => text.charCodeAt(0) - 48, COUNT)
      }),
      ours('threadsafe-bytes', '64 bytes', () => {
        const make = (k: number) => new Uint8Array(64).fill(k)
        return putAndGet(new ThreadSafeQueue(CAPACITY, { type: 'bytes' }), make, (bytes) => bytes[63] as number, COUNT)
      }),
      ours('threadsafe-object', 'small object', () => {
        const make = (k: number) => ({ id: k, name: 'sensor 17', x: k + 0.5, y: -k, tags: ['north', 'roof', 'spare'] })
        return putAndGet(new ThreadSafeQueue<ReturnType<typeof make>>(CAPACITY), make, ({ id }) => id, COUNT)
      }),
    ],
    goals: [
      { text: 'record of three numbers: <= 3 x a float64', of: 'threadsafe-record', against: 'threadsafe', atMost: 3 },
      { text: 'string of 20 characters: <= 3.7 x a float64', of: 'threadsafe-string', against: 'threadsafe', atMost: 3.7 },
      { text: '64 bytes: <= 3.7 x a float64', of: 'threadsafe-bytes', against: 'threadsafe', atMost: 3.7 },
    ],
  },
]
