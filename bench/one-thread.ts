import { ThreadSafeQueue } from '../lib/index.js'
import type { Case } from './harness.js'
import { newStorage, ringOver } from './ringbuf.js'

const CAPACITY = 1024

function nanosecondsEach(items: number, pair: (k: number) => number): number {
  let sum = 0
  const start = process.hrtime.bigint()
  for (let k = 0; k < items; k++) sum += pair(k)
  const nanoseconds = Number(process.hrtime.bigint() - start)
  if (sum !== (items * (items - 1)) / 2) throw new Error(`The items that came out sum up to ${sum}`)
  return nanoseconds / items
}

const queue = new ThreadSafeQueue<number>(CAPACITY, { type: 'float64' })
const ring = ringOver(newStorage(CAPACITY))

export const oneThread: Case = {
  name: 'one thread: put and get of one float64',
  unit: 'ns for the pair',
  items: 5_000_000,
  contenders: [
    {
      name: 'threadsafe, tryPut and tryGet',
      run: (items) =>
        nanosecondsEach(items, (k) => {
          queue.tryPut(k)
          return queue.tryGet() as number
        }),
    },
    {
      name: 'ringbuf.js, push and pop of one element',
      run: (items) =>
        nanosecondsEach(items, (k) => {
          ring.put(k)
          return ring.get()
        }),
    },
  ],
}
